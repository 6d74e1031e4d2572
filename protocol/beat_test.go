package protocol

import (
	"bytes"
	"math"
	"testing"
	"time"

	"github.com/deskside/deskside/protocol/fuzztest"
)

// TestBeatOf: what is read without Decode is what Decode reads, and an answer is what
// Encode writes.
func TestBeatOf(t *testing.T) {
	now := time.Now().UnixMicro()
	for _, b := range []Beat{{At: now, Health: "ok"}, {At: now, Health: "warning"}, {At: now, Health: "critical"}, {At: math.MaxInt64, Health: "unknown"}} {
		frame, err := Encode(KindBeat, b)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := BeatOf(frame)
		if !ok || got.At != b.At || got.Health != b.Health || got.Head != nil {
			t.Errorf("%+v is read as %+v, %t", b, got, ok)
		}
	}
	for _, b := range []Beat{{At: now}, {At: now, Health: "fine"}, {At: now, Health: "ok\x00"}, {At: 5, Health: "ok"}, {At: -now, Health: "ok"}, {At: now, Health: "ok", Head: []byte{1}}} {
		frame, err := Encode(KindBeat, b)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := BeatOf(frame); ok {
			t.Errorf("%+v is read as %+v", b, got)
		}
	}
	answer, err := Encode(KindBeatAnswer, BeatAnswer{Clock: now})
	if err != nil || !bytes.Equal(answer, AnswerBeat(now)) {
		t.Errorf("%x, want %x (%v)", AnswerBeat(now), answer, err)
	}
}

// FuzzBeat: there is no frame that is read as a beat, and not so by Decode.
func FuzzBeat(f *testing.F) {
	for _, health := range []string{"ok", "unknown", "fine"} {
		frame, err := Encode(KindBeat, Beat{At: time.Now().UnixMicro(), Health: health})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(frame)
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		var b Beat
		var ok bool
		fuzztest.Spends(t, len(frame), func() { b, ok = BeatOf(frame) })
		if !ok {
			return
		}
		m, err := Decode(frame, MaxFrame)
		var want Beat
		if err == nil {
			err = Unmarshal(m.Body, &want)
		}
		if err != nil || m.Kind != KindBeat || want.At != b.At || want.Health != b.Health || want.Head != nil {
			t.Errorf("%x is read as %+v, and as %s %+v (%v)", frame, b, m.Kind, want, err)
		}
	})
}

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
