package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"
)

const (
	waitMost  = 30 * time.Second
	waitAgain = 2 * time.Second // between two looks, in case a hint was lost
	waitSure  = time.Second     // who was let in so lately is not asked again
	waitCalm  = 3               // times as long as a look took, nobody looks again
	waiters   = 100             // requests of one person that wait at the same time
)

// Waiting is a request that may wait until what it asks for has ended.
type Waiting struct {
	Wait float64 `query:"wait" minimum:"0" maximum:"30" doc:"seconds to wait for the end, if it has not ended yet; what stands there then is answered"`
}

// until reads a thing until it has ended, at once and whenever it changes, for as long
// as the request wants to wait. What was read last stands when the time is over, so read
// keeps it when it fails. Who waits has to be let in still when it is over.
func (a *API) until(ctx context.Context, w Waiting, thing Changed, read func(context.Context) (ended bool, err error)) error {
	if w.Wait == 0 {
		_, err := read(ctx)
		return err
	}
	c := callerOf(ctx)
	changed, leave := a.live.listen(thing, c.person) // before looking, so that nothing is missed in between
	if changed == nil {
		return newProblem(http.StatusTooManyRequests, "Too many of your requests wait already. Please ask without waiting.")
	}
	defer leave()
	began := time.Now()
	ended, err := read(ctx)
	if ended || err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(ctx, min(waitMost, time.Duration(w.Wait*float64(time.Second))))
	defer cancel()
	again := time.NewTicker(waitAgain)
	defer again.Stop()
	for {
		select {
		case <-changed:
		case <-again.C:
		case <-a.live.over:
			return nil
		case <-bounded.Done():
			return ctx.Err()
		}
		if bounded.Err() != nil { // it changed as the wait ended: of two that are ready, either is taken
			return ctx.Err()
		}
		if time.Since(began) > waitSure && !a.still(bounded, c) {
			return errSignIn
		}
		from := time.Now()
		ended, err = read(bounded)
		if errors.Is(err, context.DeadlineExceeded) && bounded.Err() != nil {
			return nil
		}
		if ended || err != nil {
			return err
		}
		// A question to thousands changes with each of them: whoever waits for it does
		// not keep the database busy meanwhile.
		select {
		case <-time.After(waitCalm * time.Since(from)):
		case <-a.live.over:
		case <-bounded.Done():
		}
	}
}

// listen hears when a thing changes; what changes several times before anybody looks
// is heard once. It hears nothing, and nothing is to be left, for a person of whom too
// many wait.
func (l *live) listen(thing Changed, person uuid.UUID) (heard <-chan struct{}, leave func()) {
	ch := make(chan struct{}, 1)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting[person] >= waiters {
		return nil, nil
	}
	l.waiting[person]++
	if l.listeners[thing] == nil {
		l.listeners[thing] = map[chan struct{}]bool{}
	}
	l.listeners[thing][ch] = true
	return ch, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.waiting[person]--; l.waiting[person] == 0 {
			delete(l.waiting, person)
		}
		delete(l.listeners[thing], ch)
		if len(l.listeners[thing]) == 0 {
			delete(l.listeners, thing)
		}
	}
}

// wake tells who waits for a thing that it changed; under mu.
func (l *live) wake(thing Changed) {
	for ch := range l.listeners[thing] {
		select {
		case ch <- struct{}{}:
		default: // it will look anyway
		}
	}
}
