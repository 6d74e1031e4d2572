package store

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
)

// A node that is killed says nothing: it is gone when others have seen its lease
// unchanged so often. What a lease says, and how long looks could not be taken, says
// nothing: clocks differ and are set, and a database that is away is away for all.
func TestNodeIsGone(t *testing.T) { synctest.Test(t, nodeIsGone) }

func nodeIsGone(t *testing.T) {
	s, err := Open(t.Context(), Options{Data: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	killed, wrong := uuid.New(), uuid.New()
	clock := int64(1)
	rows := func(query string, args ...any) int64 { t.Helper(); return number(t, s, query, args...) }
	exec := func(query string, args ...any) { t.Helper(); run(t, s, query, args...) }
	for _, id := range []uuid.UUID{killed, wrong} {
		exec("INSERT INTO node (id, address, started, lease) VALUES ($1, '', 0, 7)", id)
	}
	first, second, away := watch{node: Node{ID: uuid.New()}}, watch{node: Node{ID: uuid.New()}}, watch{node: Node{ID: uuid.New()}}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for look := range leaseLooks {
		if n := rows("SELECT count(*) FROM node WHERE id = $1", killed); n != 1 {
			t.Fatalf("gone after %d looks", look)
		}
		for range leaseLooks { // of looks that come at once one counts
			for _, w := range []*watch{&first, &second} {
				if _, err := w.renew(t.Context(), s); err != nil {
					t.Fatal(err)
				}
			}
		}
		time.Sleep(leaseEvery)
		clock = -clock * 31_557_600_000_000 // years back, and ahead
		exec("UPDATE node SET lease = $1 WHERE id = $2", clock, wrong)
	}
	if n := rows("SELECT count(*) FROM node WHERE id = $1", killed); n != 0 {
		t.Error("never gone")
	}
	exec("INSERT INTO node (id, address, started, lease) VALUES ($1, '', 0, 7)", killed)
	for range leaseLooks - 1 {
		if _, err := away.renew(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		time.Sleep(leaseEvery)
	}
	if _, err := away.renew(ended, s); err == nil {
		t.Fatal("a look succeeded that could not")
	}
	if _, err := away.renew(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if n := rows("SELECT count(*) FROM node WHERE id = $1", killed); n != 1 {
		t.Error("gone by looks with one between them that failed")
	}
	exec("DELETE FROM node WHERE id IN ($1, $2)", killed, away.node.ID)
	away.unsure = true // whether it could be written down again
	for i, want := range []bool{true, false} {
		exec("INSERT INTO node (id, address, started, lease) VALUES ($1, '', 0, 7) ON CONFLICT (id) DO NOTHING", away.node.ID)
		if back, err := away.renew(t.Context(), s); err != nil || back != want {
			t.Errorf("renewal %d of one that may have been found gone: back %v, %v", i, back, err)
		}
	}
	exec("DELETE FROM node WHERE id = $1", away.node.ID)
	if n := rows("SELECT count(*) FROM due WHERE kind = $1", NodeLapsed); n != 1 {
		t.Errorf("%d nodes lapsed, not one", n)
	}
	if n := rows("SELECT count(*) FROM node"); n != 3 {
		t.Errorf("%d nodes are alive, not 3", n)
	}
}

// A clock that is set takes with it what was to happen later, but not what was written
// since; one that is set back again leaves everything as it was.
func TestDueGoesWithTheClock(t *testing.T) {
	s, _ := openSQLiteStore(t)
	if err := s.keepTime(t.Context()); err != nil { // the first look
		t.Fatal(err)
	}
	began := time.Now()
	near := func(a, b int64) bool { return max(a-b, b-a) < 10_000 }
	write := func(kind string, at, written time.Time) {
		t.Helper()
		run(t, s, "INSERT INTO due (kind, id, at, tries, problem, written) VALUES ($1, $2, $3, 0, '', $4)", kind, uuid.New(), Micros(at), Micros(written))
	}
	at := func(kind string) int64 { t.Helper(); return number(t, s, "SELECT at FROM due WHERE kind = $1", kind) }
	for _, step := range []time.Duration{time.Hour, -time.Hour, 365 * 24 * time.Hour, -365 * 24 * time.Hour} {
		kind := step.String()
		set := began.Add(step)
		write("old "+kind, began.Add(time.Minute), began.Add(-3*time.Minute))
		write("new "+kind, set.Add(time.Minute), set)
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		look := func(ctx context.Context, by time.Duration) error {
			s.clock.shown = s.clock.shown.Add(-by) // as if the clock had been set since
			return s.keepTime(ctx)
		}
		// The rows of a clock that goes on by itself are where that clock is now.
		if err := s.moveDue(t.Context(), set.Add(-time.Second), set, step); err != nil {
			t.Fatal(err)
		}
		if got, want := at("old "+kind), Micros(began.Add(step+time.Minute)); !near(got, want) {
			t.Errorf("%s: what waited is due at %s, not at %s", kind, Time(got), Time(want))
		}
		if got, want := at("new "+kind), Micros(set.Add(time.Minute)); !near(got, want) {
			t.Errorf("%s: what was written since is due at %s, not at %s", kind, Time(got), Time(want))
		}
		before := at("old " + kind)
		if err := look(ended, step); err == nil {
			t.Error("it was written by a context that had ended")
		}
		if err := look(t.Context(), 0); err != nil { // it is still owed
			t.Fatal(err)
		}
		if got := at("old " + kind); !near(got, before+step.Microseconds()) {
			t.Errorf("%s: what could not be moved was not moved later, or twice: %s", kind, Time(got).Sub(Time(before)))
		}
		run(t, s, "DELETE FROM due")

		// So does the time that machines have to come back, unless it was given since.
		run(t, s, "UPDATE presence SET last = $1, settles = $2", Micros(began.Add(-5*time.Second)), Micros(began.Add(time.Minute)))
		for range 2 {
			if err := s.moveDue(t.Context(), set.Add(-time.Minute), set, step); err != nil {
				t.Fatal(err)
			}
			if got, want := number(t, s, "SELECT settles FROM presence"), Micros(began.Add(step+time.Minute)); !near(got, want) {
				t.Errorf("%s: machines have time until %s, not until %s", kind, Time(got), Time(want))
			}
		}
	}
}

// Nothing is taken by a clock that was set ahead before the rows have gone with it.
func TestNothingIsTakenBefore(t *testing.T) {
	s, _ := openSQLiteStore(t)
	if err := s.keepTime(t.Context()); err != nil {
		t.Fatal(err)
	}
	id := uuid.New()
	if err := s.Update(t.Context(), System("test"), func(tx *Tx) error { return tx.Due("k", id, tx.Now().Add(time.Minute)) }); err != nil {
		t.Fatal(err)
	}
	look := func() (found bool) {
		t.Helper()
		found, _, err := s.tryDue(t.Context(), []string{"k"}, func() {}, func(context.Context, string, func()) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	// An hour later by the clock, which was set: the row was written by one that showed less.
	run(t, s, "UPDATE due SET at = at - $1, written = written - $1", time.Hour.Microseconds())
	s.clock.shown = s.clock.shown.Add(-time.Hour)
	if look() {
		t.Error("what is due in a minute was taken")
	}
	run(t, s, "UPDATE due SET at = at - $1", time.Hour.Microseconds())
	if !look() {
		t.Error("what is due is not taken")
	}
}

func number(t *testing.T, s *Store, query string, args ...any) (n int64) {
	t.Helper()
	if err := s.View(t.Context(), System("test"), func(tx *Tx) error { return tx.QueryRow(query, args...).Scan(&n) }); err != nil {
		t.Fatal(err)
	}
	return n
}

func run(t *testing.T, s *Store, query string, args ...any) {
	t.Helper()
	if err := s.Update(t.Context(), System("test"), func(tx *Tx) error { _, err := tx.Exec(query, args...); return err }); err != nil {
		t.Fatal(err)
	}
}

// TestNobodyReachesTheDatabase: nodes that run and cannot write are not there for the
// machines. The first one that can again gives them time, and one that starts counts
// every moment.
func TestNobodyReachesTheDatabase(t *testing.T) {
	s, err := Open(t.Context(), Options{Data: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, c := range []struct {
		what    string
		first   bool
		last    time.Duration // since any node wrote
		before  time.Duration // that machines had left
		settles time.Duration
	}{
		{what: "all is well", last: leaseEvery},
		{what: "a little late", last: 9 * time.Second},
		{what: "away for 30 s", last: 30 * time.Second, settles: time.Minute},
		{what: "away for a minute and a half", last: 90 * time.Second, settles: longestBack},
		{what: "away for hours", last: time.Hour, settles: longestBack},
		{what: "a start after a moment", first: true, last: 9 * time.Second, settles: 18 * time.Second},
		{what: "a start beside another", first: true, last: time.Second},
		{what: "a start while they still have time", first: true, last: 9 * time.Second, before: time.Minute, settles: time.Minute},
		{what: "clocks of nodes that are a little apart", last: -time.Second},
		{what: "the clock was set back", last: -time.Hour, settles: longestBack},
		{what: "it was set back after they were given time", last: 9 * time.Second, before: time.Hour},
	} {
		last, before := Micros(time.Now().Add(-c.last)), int64(0)
		if c.before > 0 {
			before = Micros(time.Now().Add(c.before))
		}
		run(t, s, "UPDATE presence SET last = $1, settles = $2", last, before)
		if err := s.present(t.Context(), c.first); err != nil {
			t.Fatal(err)
		}
		left := time.Duration(0)
		if at := number(t, s, "SELECT settles FROM presence"); at > 0 {
			left = time.Until(Time(at)).Round(time.Second)
		}
		if (left - c.settles).Abs() > 2*time.Second {
			t.Errorf("%s: machines have %v, want %v", c.what, left, c.settles)
		}
	}
	// A database from before: there are machines, and nobody knows who was there.
	run(t, s, "DROP TABLE presence")
	run(t, s, "DELETE FROM schema_file WHERE name = '0308_presence'")
	run(t, s, `INSERT INTO machine (id, organisation_id, name, name_fold, name_sort, key, epoch, online, node, since, reason, last_seen, enrolled_at,
		revoked, about, checks_hash, settings_hash, health, health_rank, open_alerts, version)
		VALUES ($1, $1, '', '', $2, $2, $1, FALSE, $1, 0, '', 0, 0, FALSE, $2, $2, $2, '', 0, 0, 1)`, uuid.New(), []byte{})
	if err := s.migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if last := number(t, s, "SELECT last FROM presence"); last != 1 {
		t.Errorf("where machines are somebody was there before, not: %d", last)
	}
}

// TestGivenUp: a node that cannot renew its lease for long drops what it holds, once, if
// there are others; one that is alone is missed by nobody.
func TestGivenUp(t *testing.T) {
	s, err := Open(t.Context(), Options{Data: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	w := watch{node: Node{ID: uuid.New()}}
	renew := func() {
		t.Helper()
		if _, err := w.renew(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	renew()
	w.up -= time.Hour
	if w.givenUp() {
		t.Error("it is alone")
	}
	run(t, s, "INSERT INTO node (id, address, started, lease) VALUES ($1, '', 0, 7)", uuid.New())
	for range 2 {
		renew()
		if w.up -= leaseCut / 2; w.givenUp() {
			t.Error("others still wait")
		}
		if w.up -= leaseCut; !w.givenUp() || w.givenUp() {
			t.Error("others have found it gone, which is told once")
		}
	}
}
