package link

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// TestRest: between two attempts to connect a machine waits out its time, and all
// of its sleep; one that wakes waits for nothing more.
func TestRest(t *testing.T) {
	for name, c := range map[string]struct {
		wait, sleeps, wakes time.Duration // from when to when it sleeps; 0: it does not
		want                time.Duration
		woken               bool
	}{
		"awake":                     {wait: time.Minute, want: time.Minute},
		"asleep for long":           {wait: time.Minute, sleeps: 1, wakes: 8 * time.Hour, want: 8 * time.Hour, woken: true},
		"asleep while it waits":     {wait: time.Hour, sleeps: time.Minute, wakes: 2 * time.Minute, want: 2 * time.Minute, woken: true},
		"asleep as the time is out": {wait: time.Minute, sleeps: time.Minute - 1, wakes: time.Hour, want: time.Hour, woken: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := &Line{woken: make(chan struct{}, 1)}
				l.Awake() // is nothing to a machine that does not sleep
				if c.sleeps > 0 {
					time.AfterFunc(c.sleeps, func() { l.Sleep(t.Context()) })
					time.AfterFunc(c.wakes, l.Awake)
				}
				began := time.Now()
				if woken := l.rest(t.Context(), c.wait); woken != c.woken || time.Since(began) != c.want {
					t.Errorf("woken %t after %s", woken, time.Since(began))
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				if l.rest(ctx, time.Hour); time.Since(began) != c.want+time.Second {
					t.Errorf("the next one took until %s", time.Since(began))
				}
			})
		})
	}
}
