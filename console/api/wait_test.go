package api

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/console/store"
)

// TestUntil: a look that fails is an error, one that takes longer than the wait is not,
// and who waits does not look all the time.
func TestUntil(t *testing.T) {
	thing := Changed{"thing", uuid.New()}
	const wait = 900 * time.Millisecond // so short that nobody is asked whether they are let in
	until := func(a *API, read func(context.Context) (bool, error)) error {
		return a.until(context.Background(), Waiting{Wait: wait.Seconds()}, thing, read)
	}
	change := func(a *API) { a.Changed([]store.Change{{Kind: thing.Kind, ID: thing.ID}}) }
	t.Run("fails", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			a, looks := &API{live: newLive()}, 0
			err := until(a, func(context.Context) (bool, error) {
				if looks++; looks == 1 {
					change(a)
					return false, nil
				}
				time.Sleep(2 * wait) // an engine that does not hear of the end
				return false, store.ErrUnavailable
			})
			if !errors.Is(err, store.ErrUnavailable) || looks != 2 {
				t.Errorf("%v after %d looks", err, looks)
			}
		})
	})
	t.Run("hangs", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			a, looks, began := &API{live: newLive()}, 0, time.Now()
			err := until(a, func(ctx context.Context) (bool, error) {
				if looks++; looks == 1 {
					change(a)
					return false, nil
				}
				<-ctx.Done()
				return false, ctx.Err()
			})
			if took := time.Since(began); err != nil || took != wait {
				t.Errorf("%v after %s", err, took)
			}
		})
	})
	t.Run("calm", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			a, looks := &API{live: newLive()}, 0
			err := until(a, func(context.Context) (bool, error) {
				looks++
				change(a)
				time.Sleep(10 * time.Millisecond)
				return false, nil
			})
			if most := int(wait / (40 * time.Millisecond)); err != nil || looks < most/2 || looks > most+2 {
				t.Errorf("%v, %d looks of 10 ms in %s", err, looks, wait)
			}
		})
	})
	t.Run("too many", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			a := &API{live: newLive()}
			ctx, leave := context.WithCancel(t.Context())
			for range waiters {
				go a.until(ctx, Waiting{Wait: 30}, thing, func(context.Context) (bool, error) { return false, nil })
			}
			synctest.Wait()
			var no *Problem
			if err := until(a, nil); !errors.As(err, &no) || no.Code != "too_many" {
				t.Errorf("one more: %v", err)
			}
			leave()
			synctest.Wait()
			if len(a.live.waiting)+len(a.live.listeners) != 0 {
				t.Errorf("they left, and there are %d of %d", len(a.live.listeners), len(a.live.waiting))
			}
			if err := until(a, func(context.Context) (bool, error) { return true, nil }); err != nil {
				t.Errorf("and now: %v", err)
			}
		})
	})
}
