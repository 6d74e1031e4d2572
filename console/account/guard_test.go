package account

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func TestAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuard()
		x := caller{"x", "192.0.2.1"}
		for range freeTries {
			if err := g.attempt(x, time.Now()); err != nil {
				t.Fatal(err)
			}
		}
		for _, wait := range []time.Duration{15, 30, 45, 60} {
			time.Sleep(wait*time.Second - time.Millisecond)
			if g.attempt(x, time.Now()) == nil {
				t.Errorf("tried within %d s", wait)
			}
			time.Sleep(time.Millisecond)
			if err := g.attempt(x, time.Now()); err != nil {
				t.Errorf("after %d s: %v", wait, err)
			}
		}
		g.succeeded(x, time.Now())
		for range freeTries {
			if err := g.attempt(x, time.Now()); err != nil {
				t.Errorf("after a success: %v", err)
			}
		}
	})
}

// What is remembered is bounded: the oldest goes, and no more than it.
func TestForgetsTheOldest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuard()
		first, second := caller{"first", ""}, caller{"second", ""}
		for _, who := range []caller{first, second} {
			for range freeTries {
				if err := g.attempt(who, time.Now()); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(time.Millisecond)
		}
		for i := range maxTries - 1 {
			who := caller{fmt.Sprint(i), ""}
			if err := g.attempt(who, time.Now()); err != nil {
				t.Fatal(err)
			}
			g.failed(who, time.Now())
			g.succeeded(caller{"known", fmt.Sprint(i)}, time.Now())
		}
		if len(g.tries) != maxTries || len(g.guesses) > maxTries || len(g.known) > maxTries {
			t.Errorf("%d tries, %d guesses and %d places are remembered", len(g.tries), len(g.guesses), len(g.known))
		}
		if g.tries[first] != nil || g.attempt(second, time.Now()) == nil {
			t.Error("not the oldest alone is forgotten")
		}
	})
}

// A name at which strangers guess from everywhere answers strangers late and never
// less than that; where its person has signed in it answers at once.
func TestStrangersWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuard()
		at := func(i int) caller { return caller{"anna", fmt.Sprintf("2001:db8:0:%x::/64", i)} }
		waits := func(who caller) time.Duration {
			t.Helper()
			began := time.Now()
			if err := g.wait(t.Context(), who); err != nil {
				t.Fatal(err)
			}
			return time.Since(began)
		}
		home := caller{"anna", "192.0.2.1"}
		g.succeeded(home, time.Now())
		for i := range freeGuesses {
			if d := waits(at(i)); d != 0 {
				t.Fatalf("guess %d waits %s", i, d)
			}
			g.failed(at(i), time.Now())
		}
		for i := range 1000 {
			if d, want := waits(at(i)), min(time.Duration(i)*time.Second, maxDelay); d != want {
				t.Fatalf("guess %d beyond waits %s, not %s", i, d, want)
			}
			g.failed(at(i), time.Now())
			if err := g.attempt(at(10_000+i), time.Now()); err != nil {
				t.Fatalf("a stranger is locked out: %v", err)
			}
		}
		if d := waits(home); d != 0 {
			t.Errorf("where she has signed in she waits %s", d)
		}
		if d := waits(caller{"ben", at(1).neighbourhood}); d != 0 {
			t.Errorf("another name waits %s", d)
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if err := g.wait(gone, at(1)); !errors.Is(err, context.Canceled) {
			t.Errorf("who has gone still waits: %v", err)
		}
		time.Sleep(guessesQuiet + time.Second)
		if d := waits(at(1)); d != 0 {
			t.Errorf("when nobody has guessed for long a stranger waits %s", d)
		}
		g.failed(at(1), time.Now())
		if d := waits(at(1)); d != 0 {
			t.Errorf("and counts anew, not %s", d)
		}
		for range 2 * freeGuesses {
			g.failed(home, time.Now())
		}
		if d := waits(at(1)); d != 0 {
			t.Errorf("what she mistypes at home delays her elsewhere by %s", d)
		}
	})
}

// A sign-in goes by it.
func TestStrangersSignIn(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		if _, _, err := h.SignIn(t.Context(), "Anna", password, "192.0.2.1"); err != nil {
			t.Fatal(err)
		}
		for i := range freeGuesses + 1 {
			h.guard.failed(caller{"anna", fmt.Sprint(i)}, time.Now())
		}
		began := time.Now()
		if _, _, err := h.SignIn(t.Context(), "Anna", password, "192.0.2.2"); err != nil || time.Since(began) < time.Second {
			t.Errorf("from elsewhere after %s: %v", time.Since(began), err)
		}
		for i := range 1000 {
			h.guard.failed(caller{"anna", fmt.Sprint(i)}, time.Now())
		}
		began = time.Now()
		if _, _, err := h.SignIn(t.Context(), "ANNA", password, "192.0.2.1"); err != nil || time.Since(began) > maxDelay/2 {
			t.Errorf("where she has signed in, after %s: %v", time.Since(began), err)
		}
	})
}
