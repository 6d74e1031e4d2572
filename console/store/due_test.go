package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/console/store/storetest"
	"github.com/google/uuid"
)

// runDue runs the handlers until the test ends or stop is called.
func runDue(t *testing.T, s *store.Store, handlers map[string]store.Handler) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.RunDue(ctx, handlers) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// receive waits for something to happen, for ten seconds at most.
func receive[T any](t *testing.T, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(10 * time.Second):
		t.Fatal("nothing happened in ten seconds")
		panic("unreachable")
	}
}

type dueRow struct {
	at      int64
	tries   int
	problem string
}

func readDue(t *testing.T, s *store.Store, kind string, id uuid.UUID) (r dueRow, ok bool) {
	t.Helper()
	err := s.View(context.Background(), system, func(tx *store.Tx) error {
		return tx.QueryRow("SELECT at, tries, problem FROM due WHERE kind = $1 AND id = $2", kind, id).Scan(&r.at, &r.tries, &r.problem)
	})
	if errors.Is(err, store.ErrNotFound) {
		return r, false
	}
	if err != nil {
		t.Fatal(err)
	}
	return r, true
}

// eventually waits until the row is as it should be: its handler has returned,
// but the transaction around it has yet to commit.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("not within ten seconds: %s", what)
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// 200 rows, two consoles on one database: each row's handler takes effect once.
func TestDueOnce(t *testing.T) {
	storetest.EachOptions(t, func(t *testing.T, o store.Options) {
		a, b := storetest.Open(t, o), storetest.Open(t, o)
		run(t, a, "CREATE TABLE done (id UUID NOT NULL)")
		const rows = 200
		var effects atomic.Int32
		all := make(chan struct{})
		a.OnChanged(func(c []store.Change) {
			if effects.Add(int32(len(c))) == rows {
				close(all)
			}
		})
		b.OnChanged(func(c []store.Change) {
			if effects.Add(int32(len(c))) == rows {
				close(all)
			}
		})
		handlers := map[string]store.Handler{"k": {Inside: func(ctx context.Context, tx *store.Tx, id uuid.UUID) (time.Time, error) {
			tx.Changed(uuid.Nil, "done", id)
			_, err := tx.Exec("INSERT INTO done (id) VALUES ($1)", id)
			return time.Time{}, err
		}}}
		stopA, stopB := runDue(t, a, handlers), runDue(t, b, handlers)
		for range rows {
			if err := a.Update(t.Context(), system, func(tx *store.Tx) error { return tx.Due("k", uuid.New(), tx.Now()) }); err != nil {
				t.Fatal(err)
			}
		}
		receive(t, all)
		stopA()
		stopB()
		if n := effects.Load(); n != rows {
			t.Errorf("%d effects", n)
		}
		if n := count(t, a, "done"); n != rows {
			t.Errorf("%d rows done", n)
		}
		if n := count(t, a, "due"); n != 0 {
			t.Errorf("%d rows are still due", n)
		}
	})
}

// A row written for now is taken at once, not when a worker next looks.
func TestDueAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		called := make(chan time.Time, 1)
		runDue(t, s, map[string]store.Handler{"k": {Inside: func(context.Context, *store.Tx, uuid.UUID) (time.Time, error) {
			called <- time.Now()
			return time.Time{}, nil
		}}})
		fast := 0
		for range 10 {
			began := time.Now()
			update(t, s, func(tx *store.Tx) error { return tx.Due("k", uuid.New(), tx.Now()) })
			if receive(t, called).Sub(began) < 200*time.Millisecond {
				fast++
			}
		}
		if fast < 8 { // a worker that only looks every second would have one in five
			t.Errorf("only %d of 10 rows were taken at once", fast)
		}
	})
}

func TestDueAgainAndNotDue(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		id, never := uuid.New(), uuid.New()
		called := make(chan uuid.UUID, 10)
		n := 0
		update(t, s, func(tx *store.Tx) error {
			return errors.Join(tx.Due("k", never, tx.Now().Add(-time.Minute)), tx.NotDue("k", never), tx.NotDue("k", never),
				tx.Due("other", never, tx.Now()), // nobody's: stays
				tx.Due("k", id, tx.Now()))
		})
		runDue(t, s, map[string]store.Handler{"k": {Inside: func(ctx context.Context, tx *store.Tx, id uuid.UUID) (time.Time, error) {
			called <- id
			switch n++; n {
			case 1: // the handler moves its own row
				return tx.Now().Add(20 * time.Millisecond), nil
			case 2: // or somebody does while it runs
				return time.Time{}, tx.Due("k", id, tx.Now().Add(30*time.Millisecond))
			}
			return time.Time{}, nil
		}}})
		for range 3 {
			if got := receive(t, called); got != id {
				t.Errorf("called for %v", got)
			}
		}
		eventually(t, "the row is gone", func() bool { _, ok := readDue(t, s, "k", id); return !ok })
		if _, ok := readDue(t, s, "other", never); !ok {
			t.Error("a row of another kind is gone")
		}
	})
}

// A handler that fails, or panics, undoes what it did; the row says why and
// waits longer each time.
func TestDueProblem(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		failing, panicking, fine := uuid.New(), uuid.New(), uuid.New()
		run(t, s, "CREATE TABLE done (id UUID NOT NULL)")
		called := make(chan uuid.UUID, 100)
		update(t, s, func(tx *store.Tx) error {
			return errors.Join(tx.Due("k", failing, tx.Now()), tx.Due("k", panicking, tx.Now()), tx.Due("k", fine, tx.Now()))
		})
		runDue(t, s, map[string]store.Handler{"k": {Inside: func(ctx context.Context, tx *store.Tx, id uuid.UUID) (time.Time, error) {
			if _, err := tx.Exec("INSERT INTO done (id) VALUES ($1)", id); err != nil {
				return time.Time{}, err
			}
			called <- id
			switch id {
			case failing:
				return time.Time{}, errors.New("the printer is on fire")
			case panicking:
				panic("at the disco")
			}
			return time.Time{}, nil
		}}})
		for range 3 {
			receive(t, called)
		}
		eventually(t, "the good one is done", func() bool { _, ok := readDue(t, s, "k", fine); return !ok })
		for id, want := range map[uuid.UUID]string{failing: "the printer is on fire", panicking: "panic: at the disco"} {
			eventually(t, "the problem is written down", func() bool { r, ok := readDue(t, s, "k", id); return ok && r.tries > 0 })
			r, _ := readDue(t, s, "k", id)
			if len(r.problem) < len(want) || r.problem[:len(want)] != want {
				t.Errorf("problem %q", r.problem)
			}
			if in := time.Until(time.UnixMicro(r.at)); in <= 0 || in > 2*time.Second {
				t.Errorf("the next try is in %v", in)
			}
		}
		// Half an hour later.
		update(t, s, func(tx *store.Tx) error {
			_, err := tx.Exec("UPDATE due SET tries = 20, at = 1 WHERE id = $1", failing)
			return err
		})
		for receive(t, called) != failing {
		}
		eventually(t, "the row has waited longer", func() bool { r, _ := readDue(t, s, "k", failing); return r.tries == 21 })
		if r, _ := readDue(t, s, "k", failing); time.Until(time.UnixMicro(r.at)) < 9*time.Minute || time.Until(time.UnixMicro(r.at)) > 13*time.Minute {
			t.Errorf("the next try is in %v", time.Until(time.UnixMicro(r.at)))
		}
		if n := count(t, s, "done"); n != 1 {
			t.Errorf("%d effects, want that of the good one", n)
		}
	})
}

// Work outside the database: claimed by putting the row off, called again when
// the console dies half-way, not called twice otherwise.
func TestDueOutside(t *testing.T) {
	storetest.EachOptions(t, func(t *testing.T, o store.Options) {
		s := storetest.Open(t, o)
		id := uuid.New()
		called := make(chan context.Context, 10)
		release := make(chan error)
		handlers := map[string]store.Handler{"mail": {Lease: time.Minute, Outside: func(ctx context.Context, got uuid.UUID) (time.Time, error) {
			if got != id {
				t.Errorf("called for %v", got)
			}
			called <- ctx
			select {
			case err := <-release:
				return time.Time{}, err
			case <-ctx.Done():
				return time.Time{}, ctx.Err()
			}
		}}}
		stop := runDue(t, s, handlers)
		update(t, s, func(tx *store.Tx) error { return tx.Due("mail", id, tx.Now()) })
		ctx := receive(t, called)
		if deadline, ok := ctx.Deadline(); !ok || time.Until(deadline) > time.Minute {
			t.Error("the handler may outlive its lease")
		}
		r, ok := readDue(t, s, "mail", id)
		if !ok || time.Until(time.UnixMicro(r.at)) < 50*time.Second {
			t.Errorf("the row is not put off: %+v", r)
		}
		stop() // the console goes down in the middle
		if again, _ := readDue(t, s, "mail", id); again != r {
			t.Errorf("the claim changed: %+v", again)
		}

		// Another console, after the lease.
		s2 := storetest.Open(t, o)
		update(t, s2, func(tx *store.Tx) error { return tx.Due("mail", id, tx.Now()) })
		runDue(t, s2, handlers)
		receive(t, called)
		release <- errors.New("421 come back later")
		eventually(t, "the problem is written down", func() bool { r, _ := readDue(t, s2, "mail", id); return r.problem == "421 come back later" })

		update(t, s2, func(tx *store.Tx) error { return tx.Due("mail", id, tx.Now()) })
		receive(t, called)
		release <- nil
		eventually(t, "the row is gone", func() bool { _, ok := readDue(t, s2, "mail", id); return !ok })
	})
}

// While a handler runs, its row is taken: on PostgreSQL another worker goes on
// with the next one. (On SQLite they take turns.)
func TestDueRowIsHeld(t *testing.T) {
	s := storetest.Open(t, storetest.Postgres(t))
	slow, quick := uuid.New(), uuid.New()
	var calls atomic.Int32
	began, done := make(chan struct{}), make(chan struct{})
	update(t, s, func(tx *store.Tx) error {
		return errors.Join(tx.Due("k", slow, tx.Now().Add(-time.Hour)), tx.Due("k", quick, tx.Now().Add(time.Hour)))
	})
	runDue(t, s, map[string]store.Handler{"k": {Inside: func(ctx context.Context, tx *store.Tx, id uuid.UUID) (time.Time, error) {
		if id == slow {
			if calls.Add(1) == 1 {
				close(began)
			}
			<-done
		} else {
			close(done)
		}
		return time.Time{}, nil
	}}})
	receive(t, began)
	update(t, s, func(tx *store.Tx) error { return tx.Due("k", quick, tx.Now()) })
	eventually(t, "both are done", func() bool { return count(t, s, "due") == 0 })
	if n := calls.Load(); n != 1 {
		t.Errorf("the slow row was taken %d times", n)
	}
}

// A row that is held, and many rows of its kind behind it, keep no other kind
// waiting: not on PostgreSQL, where a held row is still seen, and not on SQLite,
// where the many come one after the other.
func TestDueKindsTakeTurns(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const many = 200
		other := uuid.New()
		var bulk atomic.Int32
		before := make(chan int32, 1)
		update(t, s, func(tx *store.Tx) error {
			err := tx.Due("other", other, tx.Now().Add(-time.Minute))
			for range many {
				err = errors.Join(err, tx.Due("bulk", uuid.New(), tx.Now().Add(-time.Hour)))
			}
			return err
		})
		held := make(chan struct{})
		runDue(t, s, map[string]store.Handler{
			"bulk": {Inside: func(context.Context, *store.Tx, uuid.UUID) (time.Time, error) {
				if bulk.Add(1) == 1 && s.Engine() == "postgres" {
					<-held
				}
				return time.Time{}, nil
			}},
			"other": {Inside: func(context.Context, *store.Tx, uuid.UUID) (time.Time, error) {
				select {
				case before <- bulk.Load():
					close(held)
				default: // it runs again after a collision
				}
				return time.Time{}, nil
			}},
		})
		if n := receive(t, before); n > 10 {
			t.Errorf("%d rows of another kind came first", n)
		}
		eventually(t, "all are done", func() bool { return count(t, s, "due") == 0 })
	})
}

func TestDueHandlersAreChecked(t *testing.T) {
	s := storetest.Open(t, storetest.SQLite(t))
	inside := func(context.Context, *store.Tx, uuid.UUID) (time.Time, error) { return time.Time{}, nil }
	outside := func(context.Context, uuid.UUID) (time.Time, error) { return time.Time{}, nil }
	for _, h := range []store.Handler{{}, {Inside: inside, Outside: outside}, {Outside: outside}} {
		if err := s.RunDue(t.Context(), map[string]store.Handler{"k": h}); err == nil {
			t.Errorf("%+v was accepted", h)
		}
	}
}

// Who looks for a due row in PostgreSQL is not held up by those that were done: the
// server lets an index forget a row only if the one who locked it and the one who
// deleted it are the same transaction, not one and its savepoint.
func TestDueDoneIsForgotten(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, storetest.Postgres(t))
	const rows = 2000
	update(t, s, func(tx *store.Tx) error {
		for range rows {
			if err := tx.Due("much", uuid.New(), tx.Now()); err != nil {
				return err
			}
		}
		return nil
	})
	stop := runDue(t, s, map[string]store.Handler{"much": {Inside: func(context.Context, *store.Tx, uuid.UUID) (time.Time, error) {
		return time.Time{}, nil
	}}})
	eventually(t, "all are done", func() bool { return count(t, s, "due") == 0 })
	stop()
	look := func() (passed int) { // pages that a look reads
		update(t, s, func(tx *store.Tx) error {
			var raw []byte
			err := tx.QueryRow("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT id FROM due WHERE kind = 'much' ORDER BY at LIMIT 1 FOR UPDATE SKIP LOCKED").Scan(&raw)
			if err != nil {
				return err
			}
			var plan []struct {
				Plan struct {
					Hit  int `json:"Shared Hit Blocks"`
					Read int `json:"Shared Read Blocks"`
				}
			}
			err = json.Unmarshal(raw, &plan)
			passed = plan[0].Plan.Hit + plan[0].Plan.Read
			return err
		})
		return passed
	}
	look() // lets the index forget what it meets
	if n := look(); n > 10 {
		t.Errorf("after %d rows a look reads %d pages", rows, n)
	}
}
