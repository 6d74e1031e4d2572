package store_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/console/store/storetest"
	"github.com/google/uuid"
)

func TestLease(t *testing.T) {
	o := storetest.SQLite(t)
	synctest.Test(t, func(t *testing.T) {
		s, err := store.Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		pass := func(d time.Duration) { time.Sleep(d); synctest.Wait() }
		node := store.Node{ID: uuid.New(), Address: "127.0.0.1:1", Started: time.Now().UTC()}
		var lost atomic.Int32
		start := func(n store.Node) (stop func()) {
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error)
			go func() { done <- s.RunLease(ctx, n, func() { lost.Add(1) }) }()
			return func() {
				cancel()
				if err := <-done; err != nil {
					t.Error(err)
				}
			}
		}
		var lapsed atomic.Int32
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			done <- s.RunDue(ctx, map[string]store.Handler{store.NodeLapsed: {Inside: func(ctx context.Context, tx *store.Tx, id uuid.UUID) (time.Time, error) {
				if id == node.ID {
					lapsed.Add(1)
				}
				return time.Time{}, nil
			}}})
		}()
		alive := func() bool {
			err := s.View(t.Context(), system, func(tx *store.Tx) error {
				n, err := tx.Node(node.ID)
				if err == nil && (n.Address != node.Address || !n.Started.Equal(node.Started.Truncate(time.Microsecond))) {
					t.Errorf("%+v", n)
				}
				return err
			})
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				t.Error(err)
			}
			return err == nil
		}
		other := start(store.Node{ID: uuid.New()})

		// It lives as long as it renews.
		stop := start(node)
		pass(10 * time.Minute)
		if lapsed.Load() != 0 || !alive() {
			t.Errorf("lapsed %d times, alive %v", lapsed.Load(), alive())
		}

		// A clean stop gives the lease back: what it held is free at once.
		stop()
		pass(time.Second)
		if lapsed.Load() != 1 || alive() {
			t.Errorf("after a clean stop it lapsed %d times; alive %v", lapsed.Load(), alive())
		}

		// Somebody else found it gone while it could not renew; it is back.
		stop = start(node)
		pass(time.Second)
		if err := s.Update(t.Context(), system, func(tx *store.Tx) error {
			_, err := tx.Exec("DELETE FROM node WHERE id = $1", node.ID)
			return err
		}); err != nil {
			t.Error(err)
		}
		pass(10 * time.Second)
		if lost.Load() != 1 || !alive() {
			t.Errorf("told %d times that it was lost; alive %v", lost.Load(), alive())
		}
		stop()
		other()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// TestSettles: after no node was there machines have the time to come back: twice as long
// as that was, but not for ever. A node that is there counts for all.
func TestSettles(t *testing.T) {
	o := storetest.SQLite(t)
	synctest.Test(t, func(t *testing.T) {
		s, err := store.Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		pass := func(d time.Duration) { time.Sleep(d); synctest.Wait() }
		start := func() (stop func()) {
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error)
			go func() { done <- s.RunLease(ctx, store.Node{ID: uuid.New()}, func() {}) }()
			synctest.Wait()
			return func() {
				cancel()
				if err := <-done; err != nil {
					t.Error(err)
				}
			}
		}
		want := func(what string, left time.Duration) {
			t.Helper()
			err := s.View(t.Context(), system, func(tx *store.Tx) error {
				at, err := tx.Settles()
				if got := at.Sub(tx.Now()); err == nil && at.IsZero() != (left == 0) || !at.IsZero() && (got > left || got < left-time.Second) {
					t.Errorf("%s: asked again in %v, want %v", what, got, left)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		}
		set := func(query string, args ...any) {
			t.Helper()
			if err := s.Update(t.Context(), system, func(tx *store.Tx) error { _, err := tx.Exec(query, args...); return err }); err != nil {
				t.Error(err)
			}
		}
		want("there never was one", 0)
		stop := start()
		want("the first", 0)
		pass(time.Hour)
		want("it has been there all the time", 0)

		stop()
		pass(8 * time.Second)
		stop = start()
		want("it was away for a moment", 16*time.Second)
		pass(20 * time.Second)

		stop()
		pass(30 * time.Second)
		want("nobody has said yet that he is back", 5*time.Second)
		stop = start()
		want("back after 30 s", time.Minute)
		pass(59 * time.Second)
		want("a minute is not over", time.Second)
		pass(2 * time.Second)
		want("a minute is over", 0)

		stop()
		pass(10 * time.Hour)
		stop = start()
		want("back after hours", 2*time.Minute)
		pass(time.Minute)
		other := start()
		want("another one comes", time.Minute)
		pass(time.Hour)
		stop()
		pass(time.Minute)
		stop = start()
		pass(10 * time.Second)
		want("the other one was there", 0)
		other()

		// A console that starts again after the database was away for an hour, before it
		// could write: what it knew is not lost.
		set("UPDATE presence SET last = last - 3600000000")
		stop()
		stop = start()
		want("the database was away", 2*time.Minute)
		pass(time.Hour)

		// While nobody ran it was set back: nobody knows for how long.
		stop()
		set("UPDATE presence SET last = last + 3600000000")
		pass(time.Minute)
		stop = start()
		want("back, earlier than it left", 2*time.Minute)
		stop()
	})
}

// TestPresentBeside: a node that is frozen while it says that it is there keeps no other
// waiting.
func TestPresentBeside(t *testing.T) {
	s := storetest.Open(t, storetest.Postgres(t))
	update(t, s, func(tx *store.Tx) error {
		if _, err := tx.Exec("UPDATE presence SET last = 1"); err != nil {
			return err
		}
		soon, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		return s.Present(soon)
	})
	if err := s.Present(t.Context()); err != nil {
		t.Error(err)
	}
	var last int64
	update(t, s, func(tx *store.Tx) error { return tx.QueryRow("SELECT last FROM presence").Scan(&last) })
	if time.Since(store.Time(last)) > time.Minute {
		t.Errorf("nobody was there since %s", store.Time(last))
	}
}
