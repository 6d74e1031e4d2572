package store_test

import (
	"context"
	"errors"
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
		const grace = 30 * time.Second
		pass := func(d time.Duration) { time.Sleep(d); synctest.Wait() }
		node := store.Node{ID: uuid.New(), Address: "127.0.0.1:1", Started: time.Now().UTC()}
		lost := 0
		start := func() (stop func()) {
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error)
			go func() { done <- s.RunLease(ctx, node, grace, func() { lost++ }) }()
			return func() {
				cancel()
				if err := <-done; err != nil {
					t.Error(err)
				}
			}
		}
		var lapsed []uuid.UUID
		var at time.Time
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			done <- s.RunDue(ctx, map[string]store.Handler{store.NodeLapsed: {Inside: func(ctx context.Context, tx *store.Tx, id uuid.UUID) (time.Time, error) {
				gone, err := tx.Lapsed(id)
				if gone {
					lapsed, at = append(lapsed, id), time.Now()
				}
				return time.Time{}, err
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

		// It lives as long as it renews.
		stop := start()
		pass(10 * time.Minute)
		if len(lapsed) != 0 || !alive() {
			t.Errorf("lapsed %v, alive %v", lapsed, alive())
		}

		// A clean stop gives the lease back: dead at once, lapsed after the grace.
		stop()
		if alive() {
			t.Error("alive after a clean stop")
		}
		stopped := time.Now()
		pass(grace - 2*time.Second)
		if len(lapsed) != 0 {
			t.Error("lapsed before the grace was over")
		}
		pass(4 * time.Second)
		if len(lapsed) != 1 || at.Sub(stopped) < grace || at.Sub(stopped) > grace+2*time.Second {
			t.Errorf("lapsed %v, %v after the stop", lapsed, at.Sub(stopped))
		}

		// Somebody else found it lapsed while it could not renew; it is back.
		stop = start()
		pass(time.Second)
		if err := s.Update(t.Context(), system, func(tx *store.Tx) error {
			_, err := tx.Exec("DELETE FROM node WHERE id = $1", node.ID)
			return err
		}); err != nil {
			t.Error(err)
		}
		pass(10 * time.Second)
		if lost != 1 || !alive() {
			t.Errorf("told %d times that it was lost; alive %v", lost, alive())
		}
		stop()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestLapsed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		node := store.Node{ID: uuid.New(), Started: time.Now()}
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // it renews once, and ends
		if err := s.RunLease(ctx, node, 50*time.Millisecond, nil); err != nil {
			t.Fatal(err)
		}
		lapsed := make(chan uuid.UUID, 1)
		runDue(t, s, map[string]store.Handler{store.NodeLapsed: {Inside: func(ctx context.Context, tx *store.Tx, id uuid.UUID) (time.Time, error) {
			gone, err := tx.Lapsed(id)
			if err == nil && gone {
				lapsed <- id
			}
			return time.Time{}, err
		}}})
		if got := receive(t, lapsed); got != node.ID {
			t.Errorf("%v lapsed", got)
		}
		eventually(t, "the node is gone", func() bool { return count(t, s, "node") == 0 })
	})
}
