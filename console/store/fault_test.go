package store

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
)

// These tests reach into SQLite; the others are in package store_test.

func openSQLiteStore(t *testing.T) (*Store, string) {
	t.Helper()
	dir := t.TempDir()
	s, err := Open(t.Context(), Options{Data: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, dir
}

func put(s *Store, id uuid.UUID, n int) error {
	return s.Update(context.Background(), System("test"), func(tx *Tx) error {
		_, err := tx.AppendBlob(uuid.Nil, id, make([]byte, n))
		return err
	})
}

// Another process holds the lock for longer than anybody wants to wait: all who
// stand in line are told at the same time, and it works again afterwards.
func TestLocked(t *testing.T) {
	t.Parallel()
	s, dir := openSQLiteStore(t)
	other, err := sql.Open("sqlite", filepath.Join(dir, File))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	conn, err := other.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := put(s, uuid.New(), 1); !errors.Is(err, ErrUnavailable) {
				t.Errorf("while locked: %v", err)
			}
		})
	}
	wg.Wait()
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("eight callers waited %v: one after the other", took)
	}
	if err := s.Ping(t.Context()); !errors.Is(err, ErrUnavailable) {
		t.Errorf("a ping while locked: %v", err)
	}
	if err := s.View(t.Context(), System("test"), func(tx *Tx) error {
		_, _, err := tx.Setting(uuid.New(), "x")
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		return err
	}); err != nil {
		t.Errorf("reading while locked: %v", err)
	}
	if _, err := conn.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if err := put(s, uuid.New(), 1); err != nil {
		t.Errorf("after the lock is gone: %v", err)
	}
}

// The disk is full in the middle of a group: SQLite rolls everything back, so
// everybody in the group is told, nobody's change is half there, and it works
// again when there is room.
func TestFull(t *testing.T) {
	s, _ := openSQLiteStore(t)
	w := &s.engine.(*sqlite).writer
	limit := func(pages int) { // of this connection and those that follow it
		w.mu.Lock()
		defer w.mu.Unlock()
		open := func(ctx context.Context) (*sqliteConn, error) {
			c, err := newSQLiteConn(ctx, s.engine.(*sqlite).writeDB)
			if err == nil {
				_, err = c.ExecContext(ctx, "PRAGMA max_page_count = "+strconv.Itoa(pages))
			}
			return c, err
		}
		if w.conn != nil {
			w.drop()
		}
		w.open = open
	}
	limit(200) // 800 KiB
	var wg sync.WaitGroup
	var mu sync.Mutex
	kept := map[uuid.UUID]bool{}
	refused := 0
	for i := range 30 {
		wg.Go(func() {
			id, size := uuid.New(), 100
			if i%10 == 0 {
				size = 2 << 20
			}
			err := put(s, id, size)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				kept[id] = true
			} else {
				refused++
				if !errors.Is(err, ErrUnavailable) {
					t.Errorf("got %v", err)
				}
			}
		})
	}
	wg.Wait()
	if refused < 3 {
		t.Errorf("%d were refused", refused)
	}
	// Those that shared a commit with one that did not fit may all be among the
	// refused; one that comes alone and fits is kept.
	alone := uuid.New()
	if err := put(s, alone, 100); err != nil {
		t.Errorf("what fits, alone: %v", err)
	}
	kept[alone] = true
	if err := s.View(t.Context(), System("test"), func(tx *Tx) error {
		ids, err := Collect(tx, func(r *Rows) (id uuid.UUID, err error) { return id, r.Scan(&id) }, "SELECT DISTINCT id FROM blob_part")
		for _, id := range ids {
			if !kept[id] {
				t.Errorf("%v was refused and is there", id)
			}
			delete(kept, id)
		}
		for id := range kept {
			t.Errorf("%v was kept and is not there", id)
		}
		return err
	}); err != nil {
		t.Error(err)
	}
	limit(100_000)
	if err := put(s, uuid.New(), 2<<20); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

func TestClosed(t *testing.T) {
	s, _ := openSQLiteStore(t)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := put(s, uuid.New(), 1); !errors.Is(err, ErrUnavailable) {
		t.Errorf("after Close: %v", err)
	}
}

// Only FULL makes SQLite call fsync at every commit in write-ahead mode. A kill
// does not show the difference, a power cut would.
func TestSynchronous(t *testing.T) {
	s, _ := openSQLiteStore(t)
	if err := s.Update(t.Context(), System("test"), func(tx *Tx) error {
		var level int
		var mode string
		if err := tx.QueryRow("PRAGMA synchronous").Scan(&level); err != nil {
			return err
		}
		if err := tx.QueryRow("PRAGMA journal_mode").Scan(&mode); err != nil {
			return err
		}
		if level != 2 || mode != "wal" {
			t.Errorf("synchronous %d, journal %s", level, mode)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// Callers who wait at the same time share a commit; one who comes alone does
// not wait for others.
func TestGrouped(t *testing.T) {
	s, _ := openSQLiteStore(t)
	w := &s.engine.(*sqlite).writer
	began := make(chan struct{})
	release := make(chan struct{})
	var wg sync.WaitGroup
	groups := map[*group]int{}
	wg.Go(func() {
		if err := s.Update(t.Context(), System("test"), func(tx *Tx) error {
			close(began)
			<-release
			return nil
		}); err != nil {
			t.Error(err)
		}
	})
	<-began
	for range 20 {
		wg.Go(func() {
			if err := s.Update(t.Context(), System("test"), func(tx *Tx) error {
				groups[w.group]++ // one at a time: this is the turn
				return tx.Due("k", uuid.New(), tx.Now())
			}); err != nil {
				t.Error(err)
			}
		})
	}
	for w.waiting.Load() < 20 {
		runtime.Gosched()
	}
	close(release)
	wg.Wait()
	if len(groups) > 2 {
		t.Errorf("20 callers needed %d commits: %v", len(groups), groups)
	}
}

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
	rows := func(query string, args ...any) (n int) {
		t.Helper()
		if err := s.View(t.Context(), System("test"), func(tx *Tx) error { return tx.QueryRow(query, args...).Scan(&n) }); err != nil {
			t.Fatal(err)
		}
		return n
	}
	exec := func(query string, args ...any) {
		t.Helper()
		if err := s.Update(t.Context(), System("test"), func(tx *Tx) error { _, err := tx.Exec(query, args...); return err }); err != nil {
			t.Fatal(err)
		}
	}
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
	s, err := Open(t.Context(), Options{Data: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.keepTime(t.Context()); err != nil { // the first look
		t.Fatal(err)
	}
	began := time.Now()
	near := func(a, b int64) bool { return max(a-b, b-a) < 10_000 }
	write := func(kind string, at, written time.Time) {
		t.Helper()
		if err := s.Update(t.Context(), System("test"), func(tx *Tx) error {
			_, err := tx.Exec("INSERT INTO due (kind, id, at, tries, problem, written) VALUES ($1, $2, $3, 0, '', $4)", kind, uuid.New(), Micros(at), Micros(written))
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	at := func(kind string) (at int64) {
		t.Helper()
		if err := s.View(t.Context(), System("test"), func(tx *Tx) error {
			return tx.QueryRow("SELECT at FROM due WHERE kind = $1", kind).Scan(&at)
		}); err != nil {
			t.Fatal(err)
		}
		return at
	}
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
		if err := s.Update(t.Context(), System("test"), func(tx *Tx) error { _, err := tx.Exec("DELETE FROM due"); return err }); err != nil {
			t.Fatal(err)
		}
	}
}
