package app

import (
	"testing"
	"time"
)

// TestClockOfTheConsole: a machine whose clock is wrong by a year comes all the same;
// it is by the console's that the certificate of a stamp comes to its end.
func TestClockOfTheConsole(t *testing.T) {
	for name, c := range map[string]struct {
		ahead, good time.Duration
		comes       bool
	}{
		"the machine's is a year ahead":  {-365 * 24 * time.Hour, time.Hour, true},
		"the machine's is a year behind": {365 * 24 * time.Hour, time.Hour, true},
		"a certificate of an hour ago":   {0, -time.Hour, false},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.ahead, d.good = c.ahead, c.good
			d.run(d.machine())
			_, err := d.line().next()
			if comes := err == nil; comes != c.comes {
				t.Errorf("says something after the welcome: %t, want %t (%v)", comes, c.comes, err)
			}
		})
	}
}
