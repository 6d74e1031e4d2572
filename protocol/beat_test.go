package protocol

import (
	"testing"
	"time"
)

// TestSilence: some beats may be lost on a slow network, and a machine that hangs is
// noticed within a minute at the usual beat.
func TestSilence(t *testing.T) {
	for beat, want := range map[time.Duration]time.Duration{
		time.Second: 10 * time.Second, 5 * time.Second: 15 * time.Second, 15 * time.Second: 30 * time.Second,
		30 * time.Second: 45 * time.Second, 5 * time.Minute: 5*time.Minute + 15*time.Second,
	} {
		if got := Silence(beat); got != want {
			t.Errorf("at a beat of %s: %s, want %s", beat, got, want)
		}
	}
}
