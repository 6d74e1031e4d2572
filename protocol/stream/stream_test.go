package stream

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestGolden pins the bytes: the browser has its own reader.
func TestGolden(t *testing.T) {
	for _, tc := range []struct {
		frame Frame
		want  string
	}{
		{Frame{Output, 258, []byte("zażółć")}, "010000000000000102" + hex.EncodeToString([]byte("zażółć"))},
		{Frame{Input, 0, []byte{3}}, "02000000000000000003"},
		{ResizeTo(120, 40), "03000000000000000000780028"},
		{Frame{Kind: Ack, Offset: 131072}, "040000000000020000"},
		{ExitWith(130, 5), "05000000000000000500000082"},
		{NoticeOf("Hej\x1b[2J"), "060000000000000000" + hex.EncodeToString([]byte("Hej[2J"))},
	} {
		if got := hex.EncodeToString(tc.frame.Bytes()); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.frame.Kind, got, tc.want)
		}
		back, err := Parse(tc.frame.Bytes())
		if err != nil {
			t.Errorf("%s: %v", tc.frame.Kind, err)
		}
		if diff := cmp.Diff(tc.frame, back, cmp.Comparer(bytes.Equal)); diff != "" {
			t.Errorf("%s: %s", tc.frame.Kind, diff)
		}
	}
	if c, r := ResizeTo(0, 1<<20).Size(); c != 1 || r != MaxSide {
		t.Errorf("%d x %d", c, r)
	}
	if n := NoticeOf(strings.Repeat("ż", MaxNotice)); len(n.Payload) > MaxNotice {
		t.Errorf("a notice of %d bytes", len(n.Payload))
	}
	if f, err := Parse(append([]byte{77}, make([]byte, 20)...)); err != nil || f.Kind.String() != "kind 77" {
		t.Errorf("an unknown kind: %v, %v", f, err)
	}
}

func TestParseRefuses(t *testing.T) {
	h := func(kind byte, payload ...byte) []byte {
		return append([]byte{kind, 0, 0, 0, 0, 0, 0, 0, 0}, payload...)
	}
	for name, m := range map[string][]byte{
		"empty":           nil,
		"short":           h(1)[:8],
		"long":            h(1, make([]byte, MaxPayload+1)...),
		"empty output":    h(1),
		"offset":          {1, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 1},
		"resize short":    h(3, 0, 80),
		"resize to 0":     h(3, 0, 0, 0, 24),
		"resize too wide": h(3, 0xff, 0xff, 0, 24),
		"ack with data":   h(4, 1),
		"exit short":      h(5, 1),
		"notice not UTF":  h(6, 0xff),
		"notice long":     h(6, bytes.Repeat([]byte{'a'}, MaxNotice+1)...),
	} {
		if f, err := Parse(m); err == nil {
			t.Errorf("%s: parsed as %v", name, f)
		}
	}
}

// TestDirection: whatever is written at one end comes out at the other, in
// order, once, with no more than a window on its way.
func TestDirection(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := rapid.Uint64Range(0, 1<<40).Draw(t, "start")
		s, r := NewSender(Output, start), NewReceiver(Output, start)
		var sent, got [][]byte
		var inFlight []Frame
		var n byte
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			switch rapid.IntRange(0, 2).Draw(t, "step") {
			case 0: // send as much as there is room for
				if s.Room() == 0 {
					continue
				}
				p := bytes.Repeat([]byte{n}, rapid.IntRange(1, s.Room()).Draw(t, "bytes"))
				n++
				f, err := s.Next(p)
				if err != nil {
					t.Fatal(err)
				}
				sent, inFlight = append(sent, p), append(inFlight, f)
			case 1: // arrive
				if len(inFlight) == 0 {
					continue
				}
				f, err := Parse(inFlight[0].Bytes())
				if err != nil {
					t.Fatal(err)
				}
				if !rapid.Bool().Draw(t, "repeat") {
					inFlight = inFlight[1:]
				}
				p, err := r.Take(f)
				if err != nil {
					t.Fatal(err)
				}
				if p != nil {
					got = append(got, p)
				}
			case 2: // acknowledge
				if f, due := r.Ack(); due {
					if err := s.Acked(f); err != nil {
						t.Fatal(err)
					}
				}
			}
			if s.Offset()-r.acked > Window {
				t.Fatalf("%d bytes on their way", s.Offset()-r.acked)
			}
		}
		if want := bytes.Join(sent, nil)[:r.Offset()-start]; !bytes.Equal(bytes.Join(got, nil), want) {
			t.Fatal("other bytes came out")
		}
	})
}

func TestDirectionRefuses(t *testing.T) {
	r := NewReceiver(Output, 100)
	for name, f := range map[string]Frame{
		"another kind": {Input, 100, []byte("a")},
		"a gap":        {Output, 101, []byte("a")},
	} {
		if _, err := r.Take(f); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if p, err := r.Take(Frame{Output, 98, []byte("abcd")}); err != nil || string(p) != "cd" {
		t.Errorf("an overlap gives %q, %v", p, err)
	}
	if p, err := r.Take(Frame{Output, 98, []byte("abcd")}); err != nil || p != nil {
		t.Errorf("a repeat gives %q, %v", p, err)
	}
	var err error
	for i := 0; err == nil && i < 100; i++ { // a sender that does not wait
		_, err = r.Take(Frame{Output, r.Offset(), make([]byte, MaxPayload)})
	}
	if err == nil || r.Offset() > 100+Window+4 {
		t.Errorf("%d bytes without an acknowledgement, %v", r.Offset(), err)
	}
	s := NewSender(Input, 0)
	if _, err := s.Next(nil); err == nil {
		t.Error("an empty frame is sent")
	}
	if _, err := s.Next(make([]byte, MaxPayload+1)); err == nil {
		t.Error("a frame that is too long is sent")
	}
	for s.Room() > 0 {
		if _, err := s.Next(make([]byte, s.Room())); err != nil {
			t.Fatal(err)
		}
	}
	if s.Offset() != Window {
		t.Errorf("%d bytes sent without an acknowledgement, want %d", s.Offset(), Window)
	}
	if err := s.Acked(Frame{Kind: Ack, Offset: Window + 1}); err == nil {
		t.Error("bytes that were not sent are acknowledged")
	}
	if err := s.Acked(Frame{Kind: Ack, Offset: 10}); err != nil || s.Room() != 10 {
		t.Errorf("room %d, %v", s.Room(), err)
	}
	if err := s.Acked(Frame{Kind: Ack, Offset: 5}); err != nil || s.Room() != 10 {
		t.Errorf("after an old acknowledgement: room %d, %v", s.Room(), err)
	}
}
