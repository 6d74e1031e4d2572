package uptime

import (
	"testing"
	"time"
)

// TestNow: it goes on with the program. That it does so while the computer sleeps is
// seen where a test may say how long that was.
func TestNow(t *testing.T) {
	defer func(before time.Duration) { slept = before }(slept)
	first := Now()
	if first < 0 || first > time.Hour {
		t.Errorf("the program has run for %s", first)
	}
	if second := Now(); second < first {
		t.Errorf("%s after %s", second, first)
	}
	slept -= 3 * time.Hour // the computer slept so much more since
	if woken := Now(); woken-first < 3*time.Hour {
		t.Errorf("after three hours of sleep it has run for %s", woken)
	}
}
