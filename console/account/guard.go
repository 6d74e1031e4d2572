package account

import (
	"context"
	"sync"
	"time"
)

const (
	freeTries = 5 // of one name in one neighbourhood, before they wait
	maxWait   = 5 * time.Minute
	maxTries  = 10_000 // rows of each table

	freeGuesses  = 20 // of one name by strangers, wherever they are, before they are delayed
	maxDelay     = 10 * time.Second
	guessesQuiet = 15 * time.Minute // after which a name counts anew
)

// caller is who signs in: a name, folded, in a neighbourhood.
type caller struct{ name, neighbourhood string }

// try counts failures.
type try struct {
	failed int
	until  time.Time
	last   time.Time
}

// guard slows down those who guess. Each table forgets its oldest row when it is
// full, and all of them when the node ends.
type guard struct {
	mu      sync.Mutex
	tries   map[caller]*try // of a name in a neighbourhood
	guesses map[string]*try // of a name by strangers
	known   map[caller]*try // where a person has signed in: there they are no stranger
}

func newGuard() guard {
	return guard{tries: map[caller]*try{}, guesses: map[string]*try{}, known: map[caller]*try{}}
}

// row is the row of a key, and makes it when there is none.
func row[K comparable](table map[K]*try, key K) *try {
	t := table[key]
	if t != nil {
		return t
	}
	if len(table) >= maxTries {
		var oldest K
		var last time.Time
		for key, t := range table {
			if last.IsZero() || t.last.Before(last) {
				oldest, last = key, t.last
			}
		}
		delete(table, oldest)
	}
	t = &try{}
	table[key] = t
	return t
}

// wait delays a stranger at whose name very many have guessed, from wherever it
// was. It is a delay and no door: who has many addresses gains little by them, and
// the person gets in from everywhere, and at once where they have been.
func (g *guard) wait(ctx context.Context, who caller) error {
	delay := g.delay(who, time.Now())
	if delay == 0 {
		return nil
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func (g *guard) delay(who caller, now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := g.guesses[who.name]
	if t == nil || g.known[who] != nil || now.Sub(t.last) > guessesQuiet {
		return 0
	}
	return min(max(0, time.Duration(t.failed-freeGuesses)*time.Second), maxDelay)
}

// attempt counts a try before it is made, so that many at once are counted too.
// It fails when this name may not be tried from this neighbourhood now.
func (g *guard) attempt(who caller, now time.Time) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := row(g.tries, who)
	if now.Before(t.until) {
		return errSlow
	}
	t.failed++
	if t.failed >= freeTries {
		t.until = now.Add(min(time.Duration(t.failed-freeTries+1)*15*time.Second, maxWait))
	}
	t.last = now
	return nil
}

// failed counts a try that was wrong, of a name that there is or not.
func (g *guard) failed(who caller, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.known[who] != nil {
		return
	}
	t := row(g.guesses, who.name)
	if now.Sub(t.last) > guessesQuiet {
		t.failed = 0
	}
	t.failed++
	t.last = now
}

// succeeded forgets the failures of a name in a neighbourhood, and knows it there.
func (g *guard) succeeded(who caller, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.tries, who)
	row(g.known, who).last = now
}
