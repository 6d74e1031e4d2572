package check

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"
)

const second = int64(time.Second / time.Microsecond)

var letters = map[byte]Level{'.': Clear, '-': Holding, 'w': Warning, 'c': Critical, '?': Unknown, 'x': Gone}

var events = [...]byte{Nothing: ' ', Fired: 'F', Raised: 'R', Eased: 'E', Lost: 'L', Found: 'B', Resolved: 'O'}

// play judges one letter a second and returns one letter for each event.
func play(r Rules, levels string) (string, State) {
	var s State
	var out strings.Builder
	for i, l := range []byte(levels) {
		var e Event
		s, e = Judge(r, s, letters[l], int64(i+1)*second, uuid.UUID{1})
		out.WriteByte(events[e])
	}
	return out.String(), s
}

func TestJudge(t *testing.T) {
	at := func(d int) time.Duration { return time.Duration(d) * time.Second }
	for _, tc := range []struct {
		name       string
		fire, keep int
		levels     string
		want       string
	}{
		{"fires at once with for 0", 0, 0, "..w", "  F"},
		{"fires after for", 3, 0, "..wwww", "     F"},
		{"not before", 3, 0, "..www.www.", ""},
		{"resolves at once with keep 0", 0, 0, "w.", "FO"},
		{"resolves after keep", 0, 3, "w....", "F   O"},
		{"a look back starts keep anew", 0, 3, "w...w....", "F       O"},
		{"critical at once", 0, 0, "c.", "FO"},
		{"warning, then critical", 2, 0, "wwwccc.", "  F  RO"},
		{"critical for all of for", 2, 0, "ccc.", "  FO"},
		{"half critical fires as warning", 2, 0, "wcccw.", "  FREO"},
		{"eases after keep", 0, 2, "cwwww", "F  E "},
		{"eases into holding", 0, 2, "c----", "F  E "},
		{"holding goes on", 0, 0, "w-----", "F"},
		{"holding begins nothing", 0, 0, "-----", ""},
		{"holding ends a wait", 2, 0, "ww-ww-", ""},
		{"holding stops keep", 0, 2, "w..-...", "F     O"},
		{"unknown begins nothing", 0, 0, "????", ""},
		{"unknown never resolves", 0, 3, "w" + strings.Repeat("?", 50), "F   L"},
		{"unknown in between keeps waiting", 3, 0, "ww?ww", "   F"},
		{"unknown does not fire", 2, 0, "ww???", ""},
		{"unknown stops keep", 0, 2, "w..?...", "F     O"},
		{"a short gap is not told", 0, 3, "w??w", "F"},
		{"lost and found", 0, 2, "w???w", "F  LB"},
		{"lost, then clear", 0, 2, "w???...", "F  L  O"},
		{"lost, clear and bad again", 0, 2, "w???.w", "F  L B"},
		{"lost and found as critical", 0, 2, "w???c", "F  LR"},
		{"gone resolves", 0, 0, "wx", "FO"},
		{"gone resolves after keep", 0, 2, "wxxx", "F  O"},
		{"gone begins nothing", 0, 0, "xxx", ""},
		{"comes again", 0, 0, "w.w.w.", "FOFOFO"},
	} {
		r := Rules{For: at(tc.fire), KeepFiringFor: at(tc.keep), Interval: time.Second, WarnsToo: true}
		got, s := play(r, tc.levels)
		if strings.TrimRight(got, " ") != strings.TrimRight(tc.want, " ") {
			t.Errorf("%s: %s gives %q, want %q", tc.name, tc.levels, got, tc.want)
		}
		if s.Firing() != (s.Episode != uuid.UUID{}) {
			t.Errorf("%s: firing %v with episode %v", tc.name, s.Firing(), s.Episode)
		}
	}
	// Without a warning threshold nothing is a warning.
	got, s := play(Rules{Interval: time.Second}, "c-")
	if got != "F " || s.Level != Critical {
		t.Errorf("critical only: %q, level %d", got, s.Level)
	}
}

func TestStartedAtIsWhenItBegan(t *testing.T) {
	_, s := play(Rules{For: 3 * time.Second, Interval: time.Second, WarnsToo: true}, "..wwwwww")
	if s.StartedAt != 3*second {
		t.Errorf("started at %d s, want 3", s.StartedAt/second)
	}
}

// TestTimeThatPassedUnobserved: sleep, a stopped agent and a clock that is set
// are no time in which a reading was bad, or clear.
func TestTimeThatPassedUnobserved(t *testing.T) {
	r := Rules{For: time.Minute, KeepFiringFor: time.Minute, Interval: 15 * time.Second, WarnsToo: true}
	for name, jump := range map[string]int64{"slept for 8 hours": 8 * 3600 * second, "clock set back": -3600 * second, "clock set back a little": -second} {
		s, _ := Judge(r, State{}, Warning, 1e6*second, uuid.UUID{1})
		if s, e := Judge(r, s, Warning, 1e6*second+jump, uuid.UUID{1}); e != Nothing || s.Firing() {
			t.Errorf("%s: fires", name)
		}
		firing := State{Episode: uuid.UUID{1}, Level: Warning, StartedAt: 1, LastAt: 1e6 * second, ClearSince: 1e6 * second}
		if s, e := Judge(r, firing, Clear, 1e6*second+jump, uuid.UUID{1}); e != Nothing || !s.Firing() {
			t.Errorf("%s: resolves", name)
		}
		if s, e := Judge(r, State{Episode: uuid.UUID{1}, Level: Warning, LastAt: 1e6 * second, UnknownSince: 1e6 * second}, Unknown, 1e6*second+jump, uuid.UUID{1}); e != Nothing || s.Lost {
			t.Errorf("%s: is lost", name)
		}
	}
}

func TestFlapping(t *testing.T) {
	r := Rules{Interval: time.Second, WarnsToo: true}
	got, s := play(r, strings.Repeat("w.", 10))
	if got != strings.Repeat("FO", 10) || !s.Flapping() {
		t.Errorf("%q, flapping %v", got, s.Flapping())
	}
	s, _ = Judge(r, s, Clear, s.LastAt+flapWindow+second, uuid.UUID{})
	if s.Flapping() || !s.idle() {
		t.Errorf("half an hour later: %+v", s)
	}
}

// TestJudgeHolds plays random days and holds what must always be so.
func TestJudgeHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := Rules{
			For:           time.Duration(rapid.IntRange(0, 5).Draw(t, "for")) * time.Second,
			KeepFiringFor: time.Duration(rapid.IntRange(0, 5).Draw(t, "keep")) * time.Second,
			Interval:      time.Second, WarnsToo: rapid.Bool().Draw(t, "warns"),
		}
		levels := rapid.SliceOfN(rapid.SampledFrom([]Level{Clear, Clear, Holding, Warning, Critical, Critical, Unknown, Gone}), 1, 80).Draw(t, "levels")
		var s State
		at := 1000 * second
		for _, l := range levels {
			if !r.WarnsToo && l == Warning {
				l = Holding
			}
			at += second * rapid.SampledFrom([]int64{1, 1, 1, 1, 2, 60, -30}).Draw(t, "step")
			before := s
			var e Event
			s, e = Judge(r, s, l, at, uuid.UUID{9})
			bad := l == Warning || l == Critical
			switch {
			case e == Fired && (before.Firing() || !bad):
				t.Fatalf("fired on %d after %+v", l, before)
			case e == Resolved && (!before.Firing() || s.Firing() || l != Clear && l != Gone):
				t.Fatalf("resolved on %d after %+v", l, before)
			case e == Lost && l != Unknown, e == Found && l == Unknown:
				t.Fatalf("event %d on %d", e, l)
			case l == Unknown && before.Firing() && !s.Firing():
				t.Fatal("unknown resolved")
			case e == Nothing && before.Firing() != s.Firing():
				t.Fatal("changed without an event")
			case before.Firing() && s.Firing() && (before.Episode != s.Episode || before.StartedAt != s.StartedAt):
				t.Fatal("another episode without an end")
			case s.Firing() && !r.WarnsToo && s.Level != Critical:
				t.Fatal("a warning without a warning threshold")
			case e == Fired && s.StartedAt > at:
				t.Fatal("began in the future")
			case len(s.Fires) > 2*flapCount:
				t.Fatal("the book of fires grows")
			}
		}
		// The same again gives the same: it is a pure function.
		a, x := Judge(r, s, Warning, at+second, uuid.UUID{3})
		b, y := Judge(r, s, Warning, at+second, uuid.UUID{3})
		if fmt.Sprint(a, x) != fmt.Sprint(b, y) {
			t.Fatal("not a pure function")
		}
	})
}
