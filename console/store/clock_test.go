package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/console/store/storetest"
	"github.com/google/uuid"
)

// Consoles on one server go by its clock, which a node reads again whenever it renews
// its lease.
func TestClockOfTheServer(t *testing.T) {
	s := storetest.Open(t, storetest.Postgres(t))
	off := func() time.Duration {
		t.Helper()
		var by time.Duration
		if err := s.View(t.Context(), system, func(tx *store.Tx) error { by = time.Since(tx.Now()); return nil }); err != nil {
			t.Fatal(err)
		}
		return by.Abs()
	}
	if by := off(); by > time.Minute {
		t.Errorf("the server is of this computer, and off by %s", by)
	}
	s.SetServer(time.Now().Add(-time.Hour))
	if by := off(); by < 59*time.Minute {
		t.Errorf("a transaction goes by another clock than that of the server: off by %s", by)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.RunLease(ctx, store.Node{ID: uuid.New()}, func() {}) }()
	eventually(t, "the clock is read again", func() bool { return off() < time.Minute })
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// What was written by a clock that was set back while nobody ran waits for as long as it
// was to, from now on, and not until that clock's time has come.
func TestDueOfAWrongClock(t *testing.T) {
	s := storetest.Open(t, storetest.SQLite(t)) // PostgreSQL has a clock of its own
	now, year := store.Micros(time.Now()), store.Micros(time.Unix(365*24*3600, 0))
	minute := store.Micros(time.Unix(60, 0))
	at := map[string]int64{"soon": now + year, "later": now + year + 60*minute, "right": now + 2*year}
	done := make(chan uuid.UUID, 10)
	handlers := map[string]store.Handler{}
	ids := map[string]uuid.UUID{}
	for kind, at := range at {
		ids[kind] = uuid.New()
		written := now + year
		if kind == "right" {
			written = now
		}
		err := s.Update(t.Context(), system, func(tx *store.Tx) error {
			_, err := tx.Exec("INSERT INTO due (kind, id, at, tries, problem, written) VALUES ($1, $2, $3, 0, '', $4)", kind, ids[kind], at, written)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		handlers[kind] = store.Handler{Inside: func(_ context.Context, _ *store.Tx, id uuid.UUID) (time.Time, error) {
			done <- id
			return time.Time{}, nil
		}}
	}
	runDue(t, s, handlers)
	if id := receive(t, done); id != ids["soon"] {
		t.Errorf("%s was done", id)
	}
	later, _ := readDue(t, s, "later", ids["later"])
	if in := later.at - now; in < 59*minute || in > 61*minute {
		t.Errorf("what was to wait an hour waits %s", time.Duration(in)*time.Microsecond)
	}
	if right, _ := readDue(t, s, "right", ids["right"]); right.at != at["right"] {
		t.Errorf("what was to wait for two years waits %s", time.Duration(right.at-now)*time.Microsecond)
	}
}

// A console that starts a year after the last thing that was written takes nothing at
// once that was to wait, for its clock may be ahead; after a week it does.
func TestDueAfterLong(t *testing.T) {
	hour := store.Micros(time.Unix(3600, 0))
	for away, waits := range map[time.Duration]bool{365 * 24 * time.Hour: true, 7 * 24 * time.Hour: false} {
		s := storetest.Open(t, storetest.SQLite(t))
		now := store.Micros(time.Now())
		then := store.Micros(time.Now().Add(-away))
		soon, later, begun := uuid.New(), uuid.New(), uuid.New()
		for id, r := range map[uuid.UUID]struct{ at, written int64 }{soon: {then, then}, later: {then + hour, then}, begun: {now + hour, now}} {
			err := s.Update(t.Context(), system, func(tx *store.Tx) error {
				_, err := tx.Exec("INSERT INTO due (kind, id, at, tries, problem, written) VALUES ('one', $1, $2, 0, '', $3)", id, r.at, r.written)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		done := make(chan uuid.UUID, 10)
		runDue(t, s, map[string]store.Handler{"one": {Inside: func(_ context.Context, _ *store.Tx, id uuid.UUID) (time.Time, error) {
			done <- id
			return time.Time{}, nil
		}}})
		if id := receive(t, done); id != soon { // what was late already
			t.Errorf("after %s %s was done first", away, id)
		}
		if !waits {
			if id := receive(t, done); id != later {
				t.Errorf("after %s %s was done", away, id)
			}
			continue
		}
		for _, id := range []uuid.UUID{later, begun} {
			row, ok := readDue(t, s, "one", id)
			if in := row.at - now; !ok || in < hour*59/60 || in > hour*61/60 {
				t.Errorf("after %s what was to wait an hour waits %s", away, time.Duration(in)*time.Microsecond)
			}
		}
	}
}
