package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// A postgres is the database where one machine is not enough.
type postgres struct{ db *sql.DB }

// postgresConnections bounds the pool of one console node.
const postgresConnections = 16

func openPostgres(ctx context.Context, url string) (*postgres, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOptions, err) // pgx leaves the password out
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 5 * time.Second
	}
	for name, value := range map[string]string{
		"application_name":                    "deskside-console",
		"idle_in_transaction_session_timeout": "60s", // a node that hangs must not hold locks for ever
		"lock_timeout":                        "10s",
	} {
		if _, set := config.RuntimeParams[name]; !set {
			config.RuntimeParams[name] = value
		}
	}
	// What is acknowledged is on the disk, whatever the server's own default is.
	config.RuntimeParams["synchronous_commit"] = "on"
	p := &postgres{db: stdlib.OpenDB(*config, stdlib.OptionAfterConnect(knowDomains))}
	p.db.SetMaxOpenConns(postgresConnections)
	// The domains come first, and no connection from before is kept, so that
	// each one knows them.
	p.db.SetMaxIdleConns(-1)
	if err := p.prepare(ctx); err != nil {
		return nil, errors.Join(p.opening(err), p.db.Close())
	}
	p.db.SetMaxIdleConns(postgresConnections)
	p.db.SetConnMaxIdleTime(5 * time.Minute)
	return p, nil
}

// opening gives the error of the first connection the name callers know it by.
func (p *postgres) opening(err error) error {
	var e *pgconn.PgError
	switch {
	case errors.As(err, &e) && (e.Code[:2] == "28" || e.Code[:2] == "3D"): // who, which database
		return fmt.Errorf("%w: %s", ErrOptions, e.Message)
	case p.unavailable(err):
		return unavailableError{err}
	}
	return err
}

// prepare makes the two type names that PostgreSQL does not know, and the
// table that says which files were applied. It runs at READ COMMITTED: each
// statement sees what the node that held the lock before has done.
func (p *postgres) prepare(ctx context.Context) error {
	return p.once(ctx, nil, func(s session) error {
		if _, err := s.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", migrationLock); err != nil {
			return err
		}
		for _, d := range []struct{ name, base string }{{"blob", "bytea"}, {"ctext", `text COLLATE "C"`}} {
			rows, err := s.QueryContext(ctx, "SELECT 1 FROM pg_type WHERE typname = $1 AND typnamespace = current_schema()::regnamespace", d.name)
			if err != nil {
				return err
			}
			exists := rows.Next()
			if err := errors.Join(rows.Err(), rows.Close()); err != nil {
				return err
			}
			if exists {
				continue
			}
			if _, err := s.ExecContext(ctx, "CREATE DOMAIN "+d.name+" AS "+d.base); err != nil {
				return err
			}
		}
		_, err := s.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS schema_file (name CTEXT PRIMARY KEY, hash CTEXT NOT NULL, at BIGINT NOT NULL)")
		return err
	})
}

// migrationLock is the advisory lock of a node that prepares.
const migrationLock int64 = 0x6465736b73696465 // "deskside"

// knowDomains teaches a new connection how the two domains travel: as their
// base types do. They are missing only in a database that is being created.
func knowDomains(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second) // the pool itself would wait for ever
	defer cancel()
	rows, err := conn.Query(ctx, "SELECT typname, oid, typbasetype FROM pg_type WHERE typname IN ('blob', 'ctext') AND typtype = 'd'")
	if err != nil {
		return err
	}
	types := conn.TypeMap()
	var name string
	var oid, base uint32
	_, err = pgx.ForEachRow(rows, []any{&name, &oid, &base}, func() error {
		t, ok := types.TypeForOID(base)
		if !ok {
			return fmt.Errorf("domain %s has an unknown base type", name)
		}
		d := *t
		d.Name, d.OID = name, oid
		types.RegisterType(&d)
		return nil
	})
	return err
}

func (p *postgres) name() string { return "postgres" }

func (p *postgres) close() error { return p.db.Close() }

func (p *postgres) view(ctx context.Context, fn func(session) error) error {
	return p.once(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}, fn)
}

// update runs fn until no other transaction stands in its way. With sixteen
// writers on one row a transaction may lose many times in a row, so the bound
// is on time, not on tries.
func (p *postgres) update(ctx context.Context, fn func(session) error) error {
	const longest = 20 * time.Second
	began := time.Now()
	for try := 0; ; try++ {
		err := p.once(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead}, fn)
		if exists(err) && try == 0 {
			continue
		}
		if !p.collided(err) {
			return err
		}
		if time.Since(began) > longest {
			return unavailableError{err}
		}
		pause := time.NewTimer(rand.N(min(time.Millisecond<<min(try, 10), 50*time.Millisecond)))
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return ctx.Err()
		}
	}
}

// once runs fn in one transaction.
func (p *postgres) once(ctx context.Context, o *sql.TxOptions, fn func(session) error) error {
	conn, err := p.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // gives it back to the pool
	tx, err := conn.BeginTx(ctx, o)
	if err != nil {
		return p.blame(conn, err)
	}
	defer tx.Rollback() //nolint:errcheck // does nothing after a commit
	if err := fn(tx); err != nil {
		return p.blame(conn, err)
	}
	if err := tx.Commit(); err != nil {
		return p.blame(conn, err)
	}
	return nil
}

// blame says ErrUnavailable when the connection broke, whatever the words of
// the error are.
func (p *postgres) blame(conn *sql.Conn, err error) error {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return err // the server answered: unavailable judges by its code
	}
	broken := false
	if rerr := conn.Raw(func(dc any) error {
		broken = dc.(*stdlib.Conn).Conn().IsClosed()
		return nil
	}); rerr != nil {
		broken = true
	}
	if broken {
		return unavailableError{err}
	}
	return err
}

func (p *postgres) argument(v any) (any, error) {
	switch v.(type) {
	case time.Time, *time.Time:
		return nil, errTime
	}
	return v, nil
}

func (p *postgres) collided(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && (e.Code == "40001" || e.Code == "40P01")
}

func exists(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == "23505"
}

func (p *postgres) unavailable(err error) bool {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		switch e.Code[:2] {
		case "08", "53", "57", "58": // connection, resources, operator, system
			return true
		}
		return e.Code == "55P03" || e.Code == "25P03" // waited too long for a lock; was idle too long
	}
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) || errors.As(err, &network) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
