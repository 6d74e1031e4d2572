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
