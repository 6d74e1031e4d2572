package link

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deskside/deskside/protocol"
)

// TestAlign: whatever the clocks of machine and console say, a moment is moved to one
// that is a whole number of paces by the console's clock, and never far.
func TestAlign(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &Line{}
		for _, ahead := range []time.Duration{0, 100 * time.Millisecond, -130 * time.Millisecond, 5*time.Hour + 77*time.Millisecond, -400*24*time.Hour - time.Microsecond} {
			body, err := protocol.Marshal(protocol.BeatAnswer{Clock: time.Now().Add(ahead).UnixMicro()})
			if err != nil {
				t.Fatal(err)
			}
			if err := l.take(t.Context(), nil, protocol.Message{Kind: protocol.KindBeatAnswer, Body: body}, nil); err != nil {
				t.Fatal(err)
			}
			for range 50 {
				time.Sleep(37 * time.Millisecond)
				got := l.Align(time.Now())
				if by := time.Until(got); by < -Pace/2 || by > Pace/2 {
					t.Errorf("%s ahead: moved by %s", ahead, by)
				}
				if over := got.Add(ahead).UnixMicro() % Pace.Microseconds(); over != 0 {
					t.Errorf("%s ahead: %d us beside the console's pace", ahead, over)
				}
				if again := l.Align(got); !again.Equal(got) {
					t.Errorf("%s ahead: moved twice, by %s", ahead, again.Sub(got))
				}
			}
		}
		for _, clock := range []int64{math.MinInt64, -1, math.MaxInt64} {
			l.setClock(clock)
			if by := time.Until(l.Align(time.Now())); by < -Pace/2 || by > Pace/2 {
				t.Errorf("the console's clock says %d: moved by %s", clock, by)
			}
		}
	})
}
