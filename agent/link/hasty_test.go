package link

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/deskside/deskside/protocol"
)

// TestHasty: where lines that are quiet end early, one after the other, the agent
// beats more often; not for one such end, nor for lines that lived long, were busy
// when they ended, or on which the console had died.
func TestHasty(t *testing.T) {
	const beat = 30 * time.Second
	synctest.Test(t, func(t *testing.T) {
		type end struct{ lived, quiet time.Duration }
		early := end{40 * time.Second, 20 * time.Second}
		for name, c := range map[string]struct {
			ends []end
			want time.Duration
		}{
			"none":                {nil, beat},
			"one":                 {[]end{early}, beat},
			"two":                 {[]end{early, early}, hastyBeat},
			"for ever":            {[]end{early, early, {time.Hour, time.Second}}, hastyBeat},
			"not in a row":        {[]end{early, {time.Hour, 20 * time.Second}, early}, beat},
			"of long lives":       {[]end{{time.Hour, 20 * time.Second}, {time.Hour, 20 * time.Second}}, beat},
			"busy":                {[]end{{40 * time.Second, time.Second}, {40 * time.Second, time.Second}}, beat},
			"the console's fault": {[]end{{45 * time.Second, protocol.Silence(beat)}, {45 * time.Second, protocol.Silence(beat)}}, beat},
		} {
			l := &Line{}
			l.SetBeat(beat)
			for _, e := range c.ends {
				time.Sleep(e.lived)
				l.ended(time.Now().Add(-e.lived), time.Now().Add(-e.quiet))
			}
			if got := l.Beat(beat); got != c.want {
				t.Errorf("%s: a beat each %s, want %s", name, got, c.want)
			}
			if got := l.Beat(time.Second); got != time.Second {
				t.Errorf("%s: %s where a second is asked for", name, got)
			}
		}
	})
}
