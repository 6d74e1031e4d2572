package store_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/console/store/storetest"
	"github.com/google/uuid"
)

// A console that is killed with -9 while it writes has lost nothing that it
// acknowledged. The child is this test program itself; it prints each id after
// Update returned.
func TestKilled(t *testing.T) {
	if data, database := os.Getenv("KILL_DATA"), os.Getenv("KILL_DATABASE"); data != "" || database != "" {
		writeUntilKilled(t, store.Options{Data: data, Database: database})
		return
	}
	storetest.EachOptions(t, func(t *testing.T, o store.Options) {
		random := rand.New(rand.NewPCG(1, 2))
		acknowledged := map[uuid.UUID]bool{}
		for range 5 {
			cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$")
			cmd.Env = append(os.Environ(), "KILL_DATA="+o.Data, "KILL_DATABASE="+o.Database)
			cmd.Stderr = os.Stderr
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(out)
			for n := 50 + random.IntN(200); n > 0 && lines.Scan(); n-- {
				acknowledged[uuid.MustParse(lines.Text())] = true
			}
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			for lines.Scan() { // what was said before the end
				acknowledged[uuid.MustParse(lines.Text())] = true
			}
			cmd.Wait()
		}
		s := storetest.Open(t, o)
		view(t, s, func(tx *store.Tx) error {
			ids, err := store.Collect(tx, func(r *store.Rows) (id uuid.UUID, err error) { return id, r.Scan(&id) }, "SELECT id FROM due")
			for _, id := range ids {
				delete(acknowledged, id)
			}
			if len(ids) < 250 {
				t.Errorf("only %d rows were written", len(ids))
			}
			return err
		})
		if len(acknowledged) > 0 {
			t.Errorf("%d acknowledged rows are lost", len(acknowledged))
		}
	})
}

func writeUntilKilled(t *testing.T, o store.Options) {
	s, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				id := uuid.New()
				if err := s.Update(context.Background(), system, func(tx *store.Tx) error { return tx.Due("k", id, tx.Now()) }); err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				fmt.Println(id) // unbuffered: one write
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

// The PostgreSQL server crashes and comes back: ErrUnavailable meanwhile, for
// transactions that run and for new ones, and everything works afterwards.
func TestServerGone(t *testing.T) {
	c, err := storetest.StartCluster()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s := storetest.Open(t, store.Options{Database: c.URL})
	due := func(tx *store.Tx) error { return tx.Due("k", uuid.New(), tx.Now()) }
	update(t, s, due)

	err = s.Update(t.Context(), system, func(tx *store.Tx) error {
		if err := due(tx); err != nil {
			return err
		}
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
		return due(tx)
	})
	if !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("a transaction that was running: %v", err)
	}
	if err := s.Update(t.Context(), system, due); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("a new one: %v", err)
	}
	if err := s.Ping(t.Context()); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("reading: %v", err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the store works again", func() bool { return s.Update(t.Context(), system, due) == nil })
	if n := count(t, s, "due"); n < 1 {
		t.Errorf("%d rows", n)
	}

	// It goes away between the last statement and the commit.
	err = s.Update(t.Context(), system, func(tx *store.Tx) error {
		if err := due(tx); err != nil {
			return err
		}
		return c.Stop()
	})
	if !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("at the commit: %v", err)
	}
}

// Nobody can hold a lock for ever: a transaction that waits too long for one is
// told that the database is unavailable, and one whose context ends stops.
func TestContextBoundsWaiting(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		id := uuid.New()
		update(t, s, func(tx *store.Tx) error { return tx.Due("k", id, tx.Now()) })
		if s.Engine() != "postgres" {
			return // the one writer of SQLite never waits inside a transaction
		}
		holding, release := make(chan struct{}), make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() {
			update(t, s, func(tx *store.Tx) error {
				err := tx.Due("k", id, tx.Now())
				close(holding)
				<-release
				return err
			})
		})
		<-holding
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		err := s.Update(ctx, system, func(tx *store.Tx) error { return tx.Due("k", id, tx.Now()) })
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		close(release)
		wg.Wait()
	})
}

// TestSynchronous: what is committed is on the server's disk, whatever the server,
// the database or the address say.
func TestSynchronous(t *testing.T) {
	o := storetest.Postgres(t)
	for _, more := range []string{"", "synchronous_commit=off"} {
		url := o.Database
		if more != "" {
			join := "?"
			if strings.Contains(url, "?") {
				join = "&"
			}
			url += join + more
		}
		s := storetest.Open(t, store.Options{Database: url})
		var got string
		err := s.View(t.Context(), store.System("test"), func(tx *store.Tx) error {
			return tx.QueryRow("SHOW synchronous_commit").Scan(&got)
		})
		if err != nil || got != "on" {
			t.Errorf("with %q: %s, %v", more, got, err)
		}
	}
}
