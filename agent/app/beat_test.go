package app

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/deskside/deskside/agent/link"
)

// TestBeats: rounds keep the pace of the console, a little late each on a busy machine,
// and there is a beat as often as there is to be: one that came a round later would let
// the line be taken for dead.
func TestBeats(t *testing.T) {
	for _, beat := range []time.Duration{2 * time.Second, 15 * time.Second, 30 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			r := &rounds{agent: &Agent{line: &link.Line{}}, beat: beat}
			time.Sleep(137 * time.Millisecond) // beside the pace
			r.beaten = time.Now()
			next := r.next(r.beaten)
			beats := 0
			for i := range 400 {
				late := time.Duration(i*i%90) * time.Millisecond
				time.Sleep(time.Until(next) + late)
				now := time.Now()
				if r.beatIsDue(now) {
					if gap := now.Sub(r.beaten); gap < beat-early || gap > beat+link.Pace+90*time.Millisecond {
						t.Errorf("a beat after %s, where there is to be one each %s", gap, beat)
					}
					r.beaten = now
					beats++
				}
				next = r.next(now)
			}
			if beats < 100 {
				t.Errorf("%d beats", beats)
			}
		})
	}
}
