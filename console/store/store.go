package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Options say where the database is.
type Options struct {
	// Data is the directory of the SQLite file deskside.db; it is made if it
	// does not exist. Used when Database is empty.
	Data string

	// Database is the URL of a PostgreSQL database, postgres://...
	Database string

	// Log receives what goes wrong where nobody waits for an answer. Nil
	// means slog.Default().
	Log *slog.Logger
}

// A Change says that a thing looks different now: fetch it again.
type Change struct {
	Organisation uuid.UUID
	Kind         string // machine, ticket, ...
	ID           uuid.UUID
}

// A Store is an open database. It is safe for concurrent use.
type Store struct {
	engine engine
	wall   *wall
	log    *slog.Logger
	close  func() error // once

	patience time.Duration // with one transaction; 0 is as long as it takes

	clock clock

	changed func([]Change) // set once by OnChanged
	due     broadcast      // rows became due, or due earlier
}

// An engine is one of the two databases.
type engine interface {
	// view runs fn on one read-only snapshot.
	view(ctx context.Context, fn func(session) error) error
	// update runs fn in a transaction of its own and commits; fn may run again.
	update(ctx context.Context, fn func(session) error) error
	// unavailable reports whether err means that the database is locked, full
	// or gone, rather than that a statement was wrong.
	unavailable(err error) bool
	// collided reports whether err means that another transaction came first,
	// and fn should run again.
	collided(err error) bool
	// argument turns one of our values into one the driver takes.
	argument(v any) (any, error)
	// name is "sqlite" or "postgres".
	name() string
	close() error
}

// A session runs statements inside one transaction.
type session interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Open opens the database, creates it if it is a new SQLite file, and brings
// its tables up to date. Several consoles and commands may open the same one.
func Open(ctx context.Context, o Options) (*Store, error) {
	var e engine
	var err error
	switch {
	case o.Database != "":
		e, err = openPostgres(ctx, o.Database)
	case o.Data != "":
		e, err = openSQLite(ctx, o.Data)
	default:
		return nil, errors.New("opening the database: neither a data directory nor a database URL was given")
	}
	if err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	s := &Store{engine: e, log: o.Log, close: sync.OnceValue(e.close)}
	if s.log == nil {
		s.log = slog.Default()
	}
	if err := s.migrate(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("bringing the database up to date: %w", err), s.close())
	}
	if s.wall, err = readWall(ctx, e); err != nil {
		return nil, errors.Join(fmt.Errorf("reading the tables: %w", err), s.close())
	}
	if e.name() == "postgres" {
		s.patience = mostPatience
	}
	if err := s.View(ctx, System("clock"), (*Tx).readClock); err != nil {
		return nil, errors.Join(fmt.Errorf("reading the clock: %w", err), s.close())
	}
	return s, nil
}

// Close closes the database after what runs has ended. Whoever calls later
// gets ErrUnavailable.
func (s *Store) Close() error { return s.close() }

// Engine names the database: "sqlite" or "postgres". It is for people who read
// logs; code that asks is in the wrong package.
func (s *Store) Engine() string { return s.engine.name() }

// Ping reports whether the database can be written to: reading works on SQLite
// even while another process holds the lock.
func (s *Store) Ping(ctx context.Context) error {
	return s.Update(ctx, System("ping"), func(tx *Tx) error {
		var one int
		return tx.QueryRow("SELECT 1").Scan(&one)
	})
}

// OnChanged sets the function that receives what a transaction changed, after
// its commit, each thing once. It is called by the goroutine that called
// Update and must not block. Set it before the first Update.
func (s *Store) OnChanged(fn func([]Change)) { s.changed = fn }

// View runs fn on one snapshot of the database. It can only read.
func (s *Store) View(ctx context.Context, scope Scope, fn func(*Tx) error) error {
	return s.viewFor(ctx, s.patience, scope, fn)
}

// viewFor is View for as long as it may take; 0 is as long as it takes.
func (s *Store) viewFor(ctx context.Context, patience time.Duration, scope Scope, fn func(*Tx) error) error {
	limited, done := limit(ctx, patience)
	defer done()
	err := s.engine.view(limited, func(q session) error {
		tx := s.begin(limited, scope, q)
		return tx.end(fn(tx))
	})
	return s.classify(ctx, limited, err)
}

// Update runs fn in a transaction and commits it. When it returns nil the
// change is on disk. fn may run more than once; see the package comment. An
// error of fn undoes everything and is returned as it is.
func (s *Store) Update(ctx context.Context, scope Scope, fn func(*Tx) error) error {
	limited, done := limit(ctx, s.patience)
	defer done()
	var tx *Tx
	err := s.engine.update(limited, func(q session) error {
		tx = s.begin(limited, scope, q)
		return tx.end(fn(tx))
	})
	if err != nil {
		return s.classify(ctx, limited, err)
	}
	if tx.dued {
		s.due.signal()
	}
	if len(tx.changes) > 0 && s.changed != nil {
		s.changed(tx.changes)
	}
	return nil
}

func (s *Store) begin(ctx context.Context, scope Scope, q session) *Tx {
	return &Tx{store: s, ctx: ctx, scope: scope, session: q, now: s.Now().Truncate(time.Microsecond)}
}

// mostPatience is how long a transaction on a server may take. One that is gone says so;
// one that hangs, and a network that swallows what it is given, would keep whoever
// asks for ever.
const mostPatience = 2 * time.Minute

var errPatience = errors.New("no answer in time")

func limit(ctx context.Context, patience time.Duration) (context.Context, context.CancelFunc) {
	if patience == 0 {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, patience, errPatience)
}

// classify gives an engine's error the name callers know it by. limited is the
// context of the transaction, ctx that of whoever asked for it.
func (s *Store) classify(ctx, limited context.Context, err error) error {
	if err == nil {
		return nil
	}
	if context.Cause(limited) == errPatience && (errors.Is(err, limited.Err()) || errors.Is(err, sql.ErrTxDone) || s.engine.unavailable(err)) {
		return unavailableError{fmt.Errorf("%w: %w", errPatience, err)}
	}
	// Whoever asked has gone: database/sql has undone the transaction by itself, and
	// may say only that it is over.
	if ctx.Err() != nil && (errors.Is(err, ctx.Err()) || errors.Is(err, sql.ErrTxDone)) {
		return ctx.Err()
	}
	if !errors.Is(err, ErrUnavailable) && s.engine.unavailable(err) {
		return unavailableError{err}
	}
	return err
}

// A broadcast wakes everybody who waits.
type broadcast struct {
	mu sync.Mutex
	ch chan struct{}
}

// wait returns a channel that is closed at the next signal.
func (b *broadcast) wait() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ch == nil {
		b.ch = make(chan struct{})
	}
	return b.ch
}

func (b *broadcast) signal() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ch != nil {
		close(b.ch)
		b.ch = nil
	}
}
