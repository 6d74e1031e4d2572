package store_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/console/store/storetest"
	"github.com/google/uuid"
)

// Sixteen writers read a number, add one and write it back, fifty times each.
// At the usual level of PostgreSQL 92 of the 800 survive.
func TestSixteenWriters(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		run(t, s, "CREATE TABLE counter (n BIGINT NOT NULL)", "INSERT INTO counter VALUES (0)")
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				for range 50 {
					if err := s.Update(t.Context(), system, func(tx *store.Tx) error {
						var n int64
						if err := tx.QueryRow("SELECT n FROM counter").Scan(&n); err != nil {
							return err
						}
						_, err := tx.Exec("UPDATE counter SET n = $1", n+1)
						return err
					}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		view(t, s, func(tx *store.Tx) error {
			var n int
			err := tx.QueryRow("SELECT n FROM counter").Scan(&n)
			if n != 800 {
				t.Errorf("%d of 800 increments were kept", n)
			}
			return err
		})
	})
}

// Two runs finish the last of a wave at the same time. Each marks its own run
// and asks whether any is left; without the bump of the parent neither would
// see the other's and the wave would be stuck.
func TestWaveFinishedByTwoAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		run(t, s, "CREATE TABLE wave (id UUID PRIMARY KEY, done BOOLEAN NOT NULL, version BIGINT NOT NULL)",
			"CREATE TABLE member (wave_id UUID NOT NULL, n BIGINT NOT NULL, done BOOLEAN NOT NULL)")
		for range 100 {
			wave := uuid.New()
			update(t, s, func(tx *store.Tx) error {
				if _, err := tx.Exec("INSERT INTO wave (id, done, version) VALUES ($1, $2, 1)", wave, false); err != nil {
					return err
				}
				_, err := tx.Exec("INSERT INTO member (wave_id, n, done) VALUES ($1, 0, $2), ($1, 1, $2)", wave, false)
				return err
			})
			var wg sync.WaitGroup
			var finished atomic.Int32
			for n := range 2 {
				wg.Go(func() {
					last := false
					if err := s.Update(t.Context(), system, func(tx *store.Tx) error {
						last = false
						if _, err := tx.Exec("UPDATE member SET done = $3 WHERE wave_id = $1 AND n = $2", wave, n, true); err != nil {
							return err
						}
						if _, err := tx.Bump("wave", wave); err != nil {
							return err
						}
						var left int
						if err := tx.QueryRow("SELECT count(*) FROM member WHERE wave_id = $1 AND NOT done", wave).Scan(&left); err != nil {
							return err
						}
						if last = left == 0; last {
							_, err := tx.Exec("UPDATE wave SET done = $2 WHERE id = $1", wave, true)
							return err
						}
						return nil
					}); err != nil {
						t.Error(err)
					}
					if last {
						finished.Add(1)
					}
				})
			}
			wg.Wait()
			if n := finished.Load(); n != 1 {
				t.Fatalf("the wave was finished %d times", n)
			}
		}
	})
}

// Of many who write together, those who fail get their own error and leave
// nothing; the others' changes stay.
func TestEachCallerGetsItsOwnError(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const callers = 100
		var wg sync.WaitGroup
		for i := range callers {
			wg.Go(func() {
				mine := fmt.Errorf("error %d", i)
				err := s.Update(t.Context(), system, func(tx *store.Tx) error {
					if err := tx.Due(fmt.Sprint(i), uuid.New(), tx.Now()); err != nil {
						return err
					}
					switch i % 4 {
					case 1:
						return mine
					case 2: // a constraint of the database
						_, err := tx.Exec("INSERT INTO due (kind, id, at, tries, problem) VALUES (NULL, NULL, 1, 0, '')")
						return err
					}
					return nil
				})
				switch i % 4 {
				case 1:
					if !errors.Is(err, mine) {
						t.Errorf("%d got %v", i, err)
					}
				case 2:
					if err == nil || errors.Is(err, store.ErrUnavailable) {
						t.Errorf("%d got %v", i, err)
					}
				default:
					if err != nil {
						t.Errorf("%d got %v", i, err)
					}
				}
			})
		}
		wg.Wait()
		if n := count(t, s, "due"); n != callers/2 {
			t.Errorf("%d rows, want %d", n, callers/2)
		}
	})
}

// Ids made by INSERT ... ON CONFLICT DO NOTHING RETURNING: of many who insert
// the same key exactly one gets a row back.
func TestOneInsertWins(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		run(t, s, "CREATE TABLE once (k BIGINT PRIMARY KEY)")
		for k := range 20 {
			var won atomic.Int32
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() {
					mine := false
					if err := s.Update(t.Context(), system, func(tx *store.Tx) error {
						var got int
						err := tx.QueryRow("INSERT INTO once (k) VALUES ($1) ON CONFLICT (k) DO NOTHING RETURNING k", k).Scan(&got)
						mine = err == nil
						if errors.Is(err, store.ErrNotFound) {
							return nil
						}
						return err
					}); err != nil {
						t.Error(err)
					}
					if mine {
						won.Add(1)
					}
				})
			}
			wg.Wait()
			if n := won.Load(); n != 1 {
				t.Errorf("key %d was inserted %d times", k, n)
			}
		}
	})
}
