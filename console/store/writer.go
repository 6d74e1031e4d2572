package store

import (
	"context"
	"database/sql"
	"sync"
	"sync/atomic"
	"time"
)

// A writer is the one connection that writes to SQLite. Whoever calls update
// takes their turn on it, in their own goroutine: the first begins a
// transaction, each runs under a savepoint, and the last of those who were
// waiting commits for all. So one fsync serves everybody, and an error or a
// panic of one undoes only that one's savepoint.
type writer struct {
	open func(context.Context) (*sqliteConn, error)

	waiting atomic.Int32 // callers who want the turn; each of them gets it, even with a dead context

	mu     sync.Mutex // the turn; guards what follows
	conn   *sqliteConn
	group  *group // what will be committed together; nil between transactions
	failed time.Time
	reason error // why no transaction could begin at failed
	closed bool
}

// A group is a set of updates that share a commit.
type group struct {
	began time.Time
	size  int
	err   error         // read after done
	done  chan struct{} // closed when committed or lost
}

const (
	mostGrouped  = 128                   // updates in one commit
	longestGroup = 20 * time.Millisecond // after which the next one commits
)

func (w *writer) update(ctx context.Context, fn func(session) error) error {
	arrived := time.Now()
	w.waiting.Add(1)
	w.mu.Lock()
	w.waiting.Add(-1)

	g, err := w.turn(ctx, arrived, fn)
	if err != nil {
		return err
	}
	<-g.done
	return g.err
}

// turn runs fn and ends the turn. Without an error the caller waits for the
// group's commit.
func (w *writer) turn(ctx context.Context, arrived time.Time, fn func(session) error) (g *group, err error) {
	defer w.mu.Unlock()
	defer func() {
		g := w.group
		if g != nil && (g.err != nil || w.waiting.Load() == 0 || g.size >= mostGrouped || time.Since(g.began) > longestGroup) {
			w.finish()
		}
	}()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := w.begin(ctx, arrived); err != nil {
		return nil, err
	}
	// From here on nothing is cancelled: SQLite answers an interrupted write by
	// rolling the whole transaction back, and it holds other people's changes.
	s := steady{w.conn}
	if _, err := s.ExecContext(ctx, "SAVEPOINT one"); err != nil {
		w.group.err = err
		return nil, err
	}
	done := false
	defer func() {
		if !done { // an error, a panic, or the end of the goroutine
			w.undo(s)
		}
	}()
	if err := fn(s); err != nil {
		return nil, err
	}
	if _, err := s.ExecContext(ctx, "RELEASE one"); err != nil {
		return nil, err
	}
	done = true
	w.group.size++
	return w.group, nil
}

// begin opens a transaction unless one is open.
func (w *writer) begin(ctx context.Context, arrived time.Time) (err error) {
	if w.group != nil {
		return nil
	}
	if w.closed {
		return sql.ErrConnDone
	}
	// Who stood in line while another waited in vain for the lock has waited too.
	if arrived.Before(w.failed) {
		return w.reason
	}
	defer func() {
		if err != nil && ctx.Err() == nil {
			w.failed, w.reason = time.Now(), err
		}
	}()
	if w.conn == nil {
		if w.conn, err = w.open(ctx); err != nil {
			return err
		}
	}
	if _, err = w.conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		w.drop()
		return err
	}
	w.group = &group{began: time.Now(), done: make(chan struct{})}
	return nil
}

// undo takes back what ran since the savepoint. When that fails, SQLite has
// rolled back the whole transaction (the disk is full, say): the group is lost.
func (w *writer) undo(s session) {
	ctx := context.Background()
	_, err := s.ExecContext(ctx, "ROLLBACK TO one")
	if err == nil {
		_, err = s.ExecContext(ctx, "RELEASE one")
	}
	if err != nil {
		w.group.err = errGroupLost{err}
	}
}

// finish commits the group, or gives it up, and tells those who wait.
func (w *writer) finish() {
	g := w.group
	w.group = nil
	if g.err == nil {
		_, g.err = w.conn.ExecContext(context.Background(), "COMMIT")
	}
	if g.err != nil {
		w.drop()
	}
	close(g.done)
}

// drop closes the connection, which rolls back whatever was open on it.
func (w *writer) drop() {
	w.conn.close()
	w.conn = nil
}

func (w *writer) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	if w.conn != nil {
		w.drop()
	}
}

// errGroupLost is what the others of a group get when one of them hit an error
// that made SQLite roll back everything.
type errGroupLost struct{ cause error }

func (e errGroupLost) Error() string   { return "the transaction was rolled back: " + e.cause.Error() }
func (e errGroupLost) Unwrap() []error { return []error{ErrUnavailable, e.cause} }

// steady runs statements that are not cancelled half-way.
type steady struct{ conn *sqliteConn }

func (s steady) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return s.conn.ExecContext(context.WithoutCancel(ctx), query, args...)
}

func (s steady) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return s.conn.QueryContext(context.WithoutCancel(ctx), query, args...)
}
