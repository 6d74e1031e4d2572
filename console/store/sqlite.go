package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	sqlitedriver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// File is the name of the SQLite database in the data directory.
const File = "deskside.db"

// sqliteReaders is how many snapshots can be read at the same time. Reading is
// work of the processor; more of them only take memory.
const sqliteReaders = 8

// busyTime is how long another process may be writing: a command beside the console.
const busyTime = 5 * time.Second

// A sqlite is the default database: one file in write-ahead mode, one writer,
// several readers that never wait for it.
type sqlite struct {
	writeDB, readDB *sql.DB
	writer          writer
	places          chan struct{} // one for each who may read now
	closed          chan struct{}

	mu   sync.Mutex
	idle []*sqliteConn // that was used last is used next: its pages and statements are there
}

func openSQLite(ctx context.Context, dir string) (*sqlite, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	path, err := filepath.Abs(filepath.Join(dir, File))
	if err != nil {
		return nil, err
	}
	// SQLite would make the file readable for everybody.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}

	q := &sqlite{places: make(chan struct{}, sqliteReaders), closed: make(chan struct{})}
	// FULL, not NORMAL: what was acknowledged must survive a power cut. The
	// fsync is shared by all who wait at the same time (see writer).
	if q.writeDB, err = sql.Open("sqlite", sqliteDSN(path, "synchronous(FULL)", "journal_size_limit(67108864)", "cache_size(-16384)")); err != nil {
		return nil, err
	}
	if q.readDB, err = sql.Open("sqlite", sqliteDSN(path, "query_only(1)", "cache_size(-4096)")); err != nil {
		return nil, errors.Join(err, q.writeDB.Close())
	}
	q.writer.open = func(ctx context.Context) (*sqliteConn, error) { return newSQLiteConn(ctx, q.writeDB) }
	// The writer comes first: it turns write-ahead mode on.
	if q.writer.conn, err = q.writer.open(ctx); err != nil {
		return nil, errors.Join(err, q.close())
	}
	return q, nil
}

func sqliteDSN(path string, pragmas ...string) string {
	v := url.Values{"_pragma": append([]string{
		fmt.Sprintf("busy_timeout(%d)", busyTime.Milliseconds()),
		"journal_mode(WAL)",
		"foreign_keys(1)",
		"temp_store(MEMORY)",
	}, pragmas...)}
	return (&url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(path), RawQuery: v.Encode()}).String()
}

func (q *sqlite) name() string { return "sqlite" }

func (q *sqlite) view(ctx context.Context, fn func(session) error) error {
	select {
	case q.places <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	case <-q.closed:
		return sql.ErrConnDone
	}
	defer func() { <-q.places }()
	c, err := q.reader(ctx)
	if err != nil {
		return err
	}
	keep := false
	defer func() {
		if !keep {
			c.close()
			return
		}
		q.mu.Lock()
		defer q.mu.Unlock()
		q.idle = append(q.idle, c)
	}()
	if _, err = c.ExecContext(ctx, "BEGIN"); err != nil {
		return err
	}
	err = fn(c)
	// A connection whose statement was interrupted is not used again.
	_, rerr := c.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
	keep = rerr == nil && ctx.Err() == nil
	return err
}

func (q *sqlite) reader(ctx context.Context) (*sqliteConn, error) {
	q.mu.Lock()
	if last := len(q.idle) - 1; last >= 0 {
		c := q.idle[last]
		q.idle = q.idle[:last]
		q.mu.Unlock()
		return c, nil
	}
	q.mu.Unlock()
	return newSQLiteConn(ctx, q.readDB)
}

func (q *sqlite) update(ctx context.Context, fn func(session) error) error {
	return q.writer.update(ctx, fn)
}

// close waits for what runs.
func (q *sqlite) close() error {
	close(q.closed)
	q.writer.close()
	for range sqliteReaders {
		q.places <- struct{}{}
	}
	for _, c := range q.idle {
		c.close()
	}
	return errors.Join(q.readDB.Close(), q.writeDB.Close())
}

// argument keeps ids as 16 raw bytes: half the size of their text, in the same order.
func (q *sqlite) argument(v any) (any, error) {
	switch v := v.(type) {
	case uuid.UUID:
		return v[:], nil
	case uuid.NullUUID:
		if !v.Valid {
			return nil, nil
		}
		return v.UUID[:], nil
	case time.Time, *time.Time:
		return nil, errTime
	}
	return v, nil
}

var errTime = errors.New("a time.Time is not stored; use Micros")

func (q *sqlite) unavailable(err error) bool {
	var e *sqlitedriver.Error
	if errors.As(err, &e) {
		switch e.Code() & 0xff {
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY,
			sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN,
			sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_NOTADB:
			return true
		}
		return false
	}
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone)
}

// collided is never true: there is one writer.
func (q *sqlite) collided(error) bool { return false }

// A sqliteConn is one connection with its prepared statements.
type sqliteConn struct {
	conn  *sql.Conn
	stmts map[string]sqliteStmt
}

// A sqliteStmt is a statement whose parameters have no names: the driver looks up
// the name of each in a list of all, which for a statement of many rows takes longer
// than the statement.
type sqliteStmt struct {
	*sql.Stmt
	order []int // of the argument that each parameter takes
}

func (s sqliteStmt) arguments(args []any) ([]any, error) {
	out := make([]any, len(s.order))
	for i, n := range s.order {
		if n >= len(args) {
			return nil, fmt.Errorf("the statement wants an argument $%d and has %d", n+1, len(args))
		}
		out[i] = args[n]
	}
	return out, nil
}

// nameless makes "?" of "$1", "$2" and so on, and tells which argument each takes.
func nameless(query string) (text string, order []int) {
	var b strings.Builder
	b.Grow(len(query))
	for i := 0; i < len(query); {
		switch end := i + 1; {
		case query[i] == '\'':
			for end < len(query) && query[end] != '\'' {
				end++
			}
			end = min(end+1, len(query))
			b.WriteString(query[i:end])
			i = end
		case query[i] == '$' && end < len(query) && query[end] >= '0' && query[end] <= '9':
			n := 0
			for ; end < len(query) && query[end] >= '0' && query[end] <= '9'; end++ {
				n = 10*n + int(query[end]-'0')
			}
			b.WriteByte('?')
			order = append(order, n-1)
			i = end
		default:
			b.WriteByte(query[i])
			i++
		}
	}
	return b.String(), order
}

// mostStatements bounds the prepared statements of a connection. The texts are
// constants of the code, and a few made by lists and batches.
const mostStatements = 256

// newSQLiteConn opens a connection. Of two programs that turn write-ahead mode on in the
// same moment, or find a log that another left, SQLite sends one away without waiting for
// as long as busy_timeout says, because they might wait for each other: it asks again.
func newSQLiteConn(ctx context.Context, db *sql.DB) (*sqliteConn, error) {
	for end := time.Now().Add(busyTime); ; {
		conn, err := db.Conn(ctx)
		if err == nil {
			return &sqliteConn{conn: conn, stmts: map[string]sqliteStmt{}}, nil
		}
		var busy *sqlitedriver.Error
		if !errors.As(err, &busy) || busy.Code()&0xff != sqlite3.SQLITE_BUSY || time.Now().After(end) {
			return nil, err
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (c *sqliteConn) stmt(ctx context.Context, query string) (sqliteStmt, error) {
	if s, ok := c.stmts[query]; ok {
		return s, nil
	}
	if len(c.stmts) >= mostStatements {
		for text, s := range c.stmts {
			s.Close() // an open result keeps its statement until it is done
			delete(c.stmts, text)
		}
	}
	text, order := nameless(query)
	s, err := c.conn.PrepareContext(ctx, text)
	if err != nil {
		return sqliteStmt{}, err
	}
	c.stmts[query] = sqliteStmt{s, order}
	return c.stmts[query], nil
}

func (c *sqliteConn) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	s, err := c.stmt(ctx, query)
	if err == nil {
		args, err = s.arguments(args)
	}
	if err != nil {
		return nil, err
	}
	return s.ExecContext(ctx, args...)
}

func (c *sqliteConn) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	s, err := c.stmt(ctx, query)
	if err == nil {
		args, err = s.arguments(args)
	}
	if err != nil {
		return nil, err
	}
	return s.QueryContext(ctx, args...)
}

// close gives up the connection itself, not only its place in the pool.
func (c *sqliteConn) close() {
	for _, s := range c.stmts {
		s.Close()
	}
	c.conn.Raw(func(any) error { return driver.ErrBadConn }) //nolint:errcheck // this is how database/sql is told
	c.conn.Close()                                           //nolint:errcheck // already gone
}

// Made tells whether a folder holds a database.
func Made(data string) bool {
	_, err := os.Stat(filepath.Join(data, File))
	return err == nil
}
