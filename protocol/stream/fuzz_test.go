package stream

import (
	"bytes"
	"testing"

	"github.com/deskside/deskside/protocol/fuzztest"
)

// FuzzParse: a frame is refused, or is the message again when it is written; what it
// says can be asked of it, and both ends can go on with it whatever it is.
func FuzzParse(f *testing.F) {
	for _, frame := range []Frame{{Output, 1, []byte("zażółć \x1b[31mgęślą\x1b[0m")}, {Input, 10, []byte("ls\r")}, {Input, 20, []byte("gap")},
		ResizeTo(80, 24), {Kind: Ack, Offset: 7}, {Kind: Ack, Offset: 1 << 30}, ExitWith(1, 2), NoticeOf("ą"), {Kind: 99, Payload: []byte("of tomorrow")}} {
		f.Add(frame.Bytes())
	}
	f.Add(Frame{Input, 0, make([]byte, 2*header)}.Bytes())
	f.Fuzz(func(t *testing.T, message []byte) {
		var frame Frame
		var err error
		fuzztest.Spends(t, 0, func() { frame, err = Parse(message) }) // a frame holds the message, and copies nothing
		if err != nil {
			return
		}
		if !bytes.Equal(frame.Bytes(), message) {
			t.Fatal("another message comes back")
		}
		switch frame.Kind {
		case Resize:
			if c, r := frame.Size(); c < 1 || r < 1 || c > MaxSide || r > MaxSide {
				t.Fatal(c, r)
			}
		case Exit:
			frame.Code()
		}
		for _, kind := range []Kind{Output, Input} {
			r := NewReceiver(kind, 10)
			before := r.Offset()
			p, err := r.Take(frame)
			if err == nil && (len(p) > len(frame.Payload) || r.Offset() != before+uint64(len(p))) {
				t.Fatalf("%d bytes came out of a frame of %d, and byte %d is next", len(p), len(frame.Payload), r.Offset())
			}
			if err != nil && r.Offset() != before {
				t.Fatalf("a frame that is refused moves the offset to %d", r.Offset())
			}
		}
		if frame.Kind == Ack {
			s := NewSender(Output, 10)
			if err := s.Acked(frame); err == nil && (s.Room() < 1 || s.Room() > MaxPayload) {
				t.Fatalf("after an acknowledgement of %d there is room for %d", frame.Offset, s.Room())
			}
		}
	})
}
