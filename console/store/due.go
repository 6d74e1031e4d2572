package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
)

// A Handler does what a due row asks for. Exactly one of its functions is set.
//
// next says when the row becomes due again; the zero time means never, the row
// is deleted. On an error the row stays with the error as its problem and
// becomes due again later and later, up to ten minutes, for ever: whatever must
// end by itself ends by its handler.
type Handler struct {
	// Inside works on the database alone. It runs in the transaction that
	// takes the row, so it happens exactly once; like every function given to
	// Update it may run again and sends nothing.
	Inside func(ctx context.Context, tx *Tx, id uuid.UUID) (next time.Time, err error)

	// Outside does something beyond the database: a mail, a webhook. The row
	// is put off by Lease first, and settled after. When the console dies or the
	// clock is set in between, it is called again after the lease: at least once. (kind, id)
	// is the key by which a receiver knows the second one. It must end within
	// the lease.
	Outside func(ctx context.Context, id uuid.UUID) (next time.Time, err error)
	Lease   time.Duration
}

const (
	dueInside  = 2                     // workers for Inside: on PostgreSQL they help each other, on SQLite they share commits
	dueOutside = 4                     // workers for Outside, which wait for others most of the time
	dueLook    = time.Second           // how often a worker looks for rows written by other nodes
	dueHeld    = 20 * time.Millisecond // until rows that others hold are looked at again: each time twice as long, up to dueLook
	dueLongest = 10 * time.Minute      // between two tries
)

// RunDue calls the handlers of the rows that are due until ctx ends. Every
// node runs it; a row is taken by one of them. Rows of other kinds are left
// alone. A row that was written for now is taken at once.
func (s *Store) RunDue(ctx context.Context, handlers map[string]Handler) error {
	var inside, outside []string
	for _, kind := range slices.Sorted(maps.Keys(handlers)) {
		switch h := handlers[kind]; {
		case (h.Inside == nil) == (h.Outside == nil):
			return fmt.Errorf("store: the handler of %s must have one of Inside and Outside", kind)
		case h.Inside != nil:
			inside = append(inside, kind)
		case h.Lease <= 0:
			return fmt.Errorf("store: the handler of %s has no lease", kind)
		default:
			outside = append(outside, kind)
		}
	}
	var g errgroup.Group
	start := func(kinds []string, workers int, one takeOne) {
		if len(kinds) > 0 {
			looks := make(chan struct{}, 1)
			for range workers {
				g.Go(func() error { s.workDue(ctx, kinds, looks, one); return nil })
			}
		}
	}
	start(inside, dueInside, func(ctx context.Context, kind string, taken func()) error {
		return s.dueInside(ctx, kind, handlers[kind], taken)
	})
	start(outside, dueOutside, func(ctx context.Context, kind string, taken func()) error {
		return s.dueOutside(ctx, kind, handlers[kind], taken)
	})
	return g.Wait()
}

// A takeOne takes the earliest row of a kind that is due, if there is one, calls
// taken, and does what the row asks for.
type takeOne func(ctx context.Context, kind string, taken func()) error

// workDue is one worker of several. One of them at a time looks for rows that are
// due; when it has taken one, the next worker looks, while it does what the row asks
// for. So a row wakes one worker, however many there are, and many rows are done
// side by side.
func (s *Store) workDue(ctx context.Context, kinds []string, looks chan struct{}, one takeOne) {
	for {
		select {
		case looks <- struct{}{}:
		case <-ctx.Done():
			return
		}
		mine := true
		taken := func() {
			if mine {
				mine = false
				<-looks
			}
		}
		for held := dueHeld; mine && ctx.Err() == nil; {
			woken := s.due.wait() // before looking, so that nothing is missed in between
			found, next, err := s.tryDue(ctx, kinds, taken, one)
			pause := dueLook
			if !next.IsZero() {
				pause = min(pause, next.Sub(s.Now()))
			}
			switch {
			case err != nil:
				s.log.Error("taking a due row", "error", err)
			case !mine:
				continue
			case found: // others were faster, or hold them
				pause = min(pause, held/2+rand.N(held))
				held = min(2*held, dueLook)
			default:
				held = dueHeld
			}
			select {
			case <-ctx.Done():
			case <-woken:
			case <-time.After(pause):
			}
		}
		taken()
	}
}

// tryDue takes a row of each kind that is due in turn, the earliest first: many rows of
// one kind, or one that somebody else holds, keep no other kind waiting. It tells whether
// there were any, and when the next one is due.
func (s *Store) tryDue(ctx context.Context, kinds []string, taken func(), one takeOne) (found bool, next time.Time, err error) {
	if err := s.keepTime(ctx); err != nil {
		return false, time.Time{}, ignoreEnd(ctx, err)
	}
	ready, next, err := s.dueKinds(ctx, kinds)
	for _, kind := range ready {
		if ctx.Err() == nil {
			err = errors.Join(err, one(ctx, kind, taken))
		}
	}
	return len(ready) > 0, next, ignoreEnd(ctx, err)
}

// ignoreEnd is no error when it is ctx that ended, and that is all.
func ignoreEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// dueQuery asks each kind for its own earliest row, without passing any other: SQLite
// would walk all rows of a kind for a min() beside another column.
func dueQuery(kinds []string) string {
	each := make([]string, len(kinds))
	for i := range kinds {
		p := "$" + strconv.Itoa(i+1)
		each[i] = "SELECT CAST(" + p + " AS TEXT) AS kind, (SELECT at FROM due WHERE kind = " + p + " ORDER BY at LIMIT 1) AS at"
	}
	return "SELECT kind, at FROM (" + strings.Join(each, " UNION ALL ") + ") earliest WHERE at IS NOT NULL ORDER BY at"
}

// dueKinds are the kinds with a row that is due, the earliest first, and when the
// first of the others becomes due; the zero time for never.
func (s *Store) dueKinds(ctx context.Context, kinds []string) (ready []string, next time.Time, err error) {
	err = s.View(ctx, System("due"), func(tx *Tx) error {
		ready, next = nil, time.Time{}
		rows, err := tx.query(dueQuery(kinds), anys(kinds)...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var kind string
			var at int64
			if err := rows.Scan(&kind, &at); err != nil {
				return err
			}
			if at <= Micros(tx.Now()) {
				ready = append(ready, kind)
			} else if next.IsZero() {
				next = Time(at)
			}
		}
		return rows.Err()
	})
	return ready, next, err
}

// A dueRow is a row that a worker has taken.
type dueRow struct {
	kind  string
	id    uuid.UUID
	at    int64 // as found, or as moved by an Outside claim
	tries int64
}

// takeDue finds the earliest row of a kind that is due and, on PostgreSQL, that
// nobody else holds. On SQLite there is nobody else: this is the writer.
func takeDue(tx *Tx, kind string) (r dueRow, err error) {
	query := "SELECT kind, id, at, tries FROM due WHERE kind = $1 AND at <= $2 ORDER BY at LIMIT 1"
	if tx.store.engine.name() == "postgres" {
		query += " FOR UPDATE SKIP LOCKED"
	}
	err = tx.queryRow(query, kind, Micros(tx.Now())).Scan(&r.kind, &r.id, &r.at, &r.tries)
	return r, err
}

// settle deletes the row or moves it on, unless somebody wrote a new time
// while the handler ran.
func (r dueRow) settle(tx *Tx, next time.Time) error {
	if next.IsZero() {
		_, err := tx.exec("DELETE FROM due WHERE kind = $1 AND id = $2 AND at = $3", r.kind, r.id, r.at)
		return err
	}
	tx.dued = true
	_, err := tx.exec("UPDATE due SET at = $4, tries = 0, problem = '', written = $5 WHERE kind = $1 AND id = $2 AND at = $3", r.kind, r.id, r.at, Micros(next), Micros(tx.now))
	return err
}

// fail records why a try failed, and when the next one is.
func (r dueRow) fail(tx *Tx, problem error) error {
	tx.store.log.Warn("a due row failed and will be tried again", "kind", r.kind, "id", r.id, "tries", r.tries+1, "error", problem)
	wait := min(dueLongest, time.Second<<min(r.tries, 20))
	wait += rand.N(wait / 4)
	text := strings.ToValidUTF8(strings.ReplaceAll(problem.Error(), "\x00", ""), "?")
	if len(text) > 1000 {
		text = strings.ToValidUTF8(text[:1000], "") + "…"
	}
	_, err := tx.exec("UPDATE due SET at = $4, tries = tries + 1, problem = $5, written = $6 WHERE kind = $1 AND id = $2 AND at = $3",
		r.kind, r.id, r.at, Micros(tx.now.Add(wait)), text, Micros(tx.now))
	return err
}

// dueInside takes a row, runs its handler and settles the row, all in one
// transaction; taken is called when it has the row. What a handler did that failed
// is undone to a savepoint, so that the row stays taken until its problem is written
// down.
func (s *Store) dueInside(ctx context.Context, kind string, h Handler, taken func()) error {
	var r dueRow
	err := s.Update(ctx, System("due"), func(tx *Tx) (err error) {
		r, err = takeDue(tx, kind)
		if errors.Is(err, ErrNotFound) {
			return nil
		} else if err != nil {
			return err
		}
		taken()
		if _, err := tx.exec("SAVEPOINT handler"); err != nil {
			return err
		}
		tx.scope.Actor.Name = r.kind
		next, failed := s.guarded(func() (time.Time, error) { return h.Inside(ctx, tx, r.id) })
		if failed = tx.end(failed); failed == nil {
			if _, err := tx.exec("RELEASE SAVEPOINT handler"); err != nil {
				return err
			}
			return r.settle(tx, next) // as whoever took it, or PostgreSQL's index keeps it
		}
		if ctx.Err() != nil || errors.Is(failed, ErrUnavailable) || s.engine.unavailable(failed) || s.engine.collided(failed) {
			return failed // not the handler's fault
		}
		tx.forget()
		if _, err := tx.exec("ROLLBACK TO SAVEPOINT handler"); err != nil {
			return err
		}
		return r.fail(tx, failed)
	})
	if errors.Is(err, errPatience) && r.kind != "" { // a handler that takes too long must not be all that is done
		return s.Update(ctx, System("due"), func(tx *Tx) error { return r.fail(tx, err) })
	}
	return err
}

// dueOutside takes a row by putting it off, calls taken, runs its handler, and
// settles it.
func (s *Store) dueOutside(ctx context.Context, kind string, h Handler, taken func()) error {
	var r dueRow
	err := s.Update(ctx, System("due"), func(tx *Tx) (err error) {
		if r, err = takeDue(tx, kind); err != nil {
			return err
		}
		found := r.at
		r.at = Micros(tx.Now().Add(h.Lease))
		_, err = tx.exec("UPDATE due SET at = $4, written = $5 WHERE kind = $1 AND id = $2 AND at = $3", r.kind, r.id, found, r.at, Micros(tx.now))
		return err
	})
	if errors.Is(err, ErrNotFound) {
		return nil
	} else if err != nil {
		return err
	}
	taken()
	work, cancel := context.WithTimeout(ctx, h.Lease)
	next, failed := s.guarded(func() (time.Time, error) { return h.Outside(work, r.id) })
	cancel()
	if failed != nil && ctx.Err() != nil {
		return nil // the console stops; the lease will end
	}
	return s.Update(context.WithoutCancel(ctx), System("due"), func(tx *Tx) error {
		if failed != nil {
			return r.fail(tx, failed)
		}
		return r.settle(tx, next)
	})
}

// guarded turns a panic into an error: the row is still there after a restart,
// and would bring the console down again and again.
func (s *Store) guarded(fn func() (time.Time, error)) (next time.Time, err error) {
	defer func() {
		if v := recover(); v != nil {
			s.log.Error("the handler of a due row panicked", "panic", v, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	return fn()
}

// marks is "$first, ..., $n" for so many parameters.
func marks(first, count int) string {
	var b strings.Builder
	for i := range count {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("$" + strconv.Itoa(first+i))
	}
	return b.String()
}

func anys[T any](list []T) []any {
	all := make([]any, len(list))
	for i, v := range list {
		all[i] = v
	}
	return all
}
