package app

import (
	"testing"
	"time"
)

// Machines that uploaded at the same moment do not upload together again, and each
// does it once in every interval.
func TestTurn(t *testing.T) {
	const every = 15 * time.Minute
	came := time.Date(2026, 11, 22, 9, 3, 11, 0, time.UTC)
	at := map[time.Time]int{}
	for i := range 256 {
		spread := time.Duration(i) * every / 256
		if !turn(time.Time{}, every, spread).IsZero() {
			t.Fatal("the first time is not at once")
		}
		next := turn(came, every, spread)
		if wait := next.Sub(came); wait <= 0 || wait > every {
			t.Fatalf("machine %d waits %s", i, wait)
		}
		for late := range 3 { // a round is up to some seconds late, and that does not add up
			if again := turn(next.Add(time.Duration(late)*5*time.Second), every, spread); again != next.Add(every) {
				t.Fatalf("machine %d uploads at %s, then at %s", i, next, again)
			}
		}
		at[next]++
	}
	for when, n := range at {
		if n > 1 {
			t.Errorf("%d of 256 upload at %s", n, when)
		}
	}
}
