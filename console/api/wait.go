package api

import (
	"context"
	"time"
)

const (
	waitMost  = 30 * time.Second
	waitAgain = 2 * time.Second // between two looks, in case a hint was lost
	waitSure  = time.Second     // who was let in so lately is not asked again
)

// Waiting is a request that may wait until what it asks for has ended.
type Waiting struct {
	Wait float64 `query:"wait" minimum:"0" maximum:"30" doc:"seconds to wait for the end, if it has not ended yet; what stands there then is answered"`
}

// until reads a thing until it has ended, at once and whenever it changes, for as long
// as the request wants to wait. Who waits has to be let in still when it is over.
func (a *API) until(ctx context.Context, w Waiting, thing Changed, read func() (ended bool, err error)) error {
	var changed <-chan struct{}
	if w.Wait > 0 { // before looking, so that nothing is missed in between
		heard, leave := a.live.listen(thing)
		defer leave()
		changed = heard
	}
	began := time.Now()
	ended, err := read()
	if ended || err != nil || w.Wait == 0 {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, min(waitMost, time.Duration(w.Wait*float64(time.Second))))
	defer cancel()
	again := time.NewTicker(waitAgain)
	defer again.Stop()
	for !ended && err == nil {
		select {
		case <-changed:
		case <-again.C:
		case <-a.live.over:
			return nil
		case <-ctx.Done():
			return nil
		}
		if time.Since(began) > waitSure && !a.still(ctx, callerOf(ctx)) {
			return errSignIn
		}
		if ended, err = read(); ctx.Err() != nil {
			return nil
		}
	}
	return err
}

// listen hears when a thing changes; what changes several times before anybody looks
// is heard once.
func (l *live) listen(thing Changed) (heard <-chan struct{}, leave func()) {
	ch := make(chan struct{}, 1)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.listeners[thing] == nil {
		l.listeners[thing] = map[chan struct{}]bool{}
	}
	l.listeners[thing][ch] = true
	return ch, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
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
