package stream

import "fmt"

// A Sender counts the bytes of one direction at the end that sends them.
type Sender struct {
	kind  Kind
	next  uint64 // offset of the next byte
	acked uint64
}

// NewSender returns a Sender of Output or Input whose first byte has that
// offset: 0, but when a session goes on over a new socket.
func NewSender(kind Kind, offset uint64) *Sender { return &Sender{kind, offset, offset} }

// Room returns how many bytes may be sent now, at most MaxPayload. At 0, wait
// for an acknowledgement and do not read from the source.
func (s *Sender) Room() int {
	return int(min(Window-(s.next-s.acked), MaxPayload))
}

// Next returns the frame for p, which must not be empty nor longer than Room.
// The frame holds p itself.
func (s *Sender) Next(p []byte) (Frame, error) {
	if len(p) == 0 || len(p) > s.Room() {
		return Frame{}, fmt.Errorf("%d bytes of %s at once, from 1 to %d are allowed now", len(p), s.kind, s.Room())
	}
	f := Frame{s.kind, s.next, p}
	s.next += uint64(len(p))
	return f, nil
}

// Acked takes an Ack frame. One that is older than another is of no effect;
// one for bytes that were never sent is an error: end the session.
func (s *Sender) Acked(f Frame) error {
	if f.Offset > s.next {
		return fmt.Errorf("%s is acknowledged to byte %d, but only %d were sent", s.kind, f.Offset, s.next)
	}
	s.acked = max(s.acked, f.Offset)
	return nil
}

// Offset returns the offset of the next byte: how many were sent.
func (s *Sender) Offset() uint64 { return s.next }

// A Receiver checks the offsets of one direction at the end that reads them.
type Receiver struct {
	kind  Kind
	next  uint64
	acked uint64
}

// NewReceiver returns a Receiver of Output or Input that expects that offset.
func NewReceiver(kind Kind, offset uint64) *Receiver { return &Receiver{kind, offset, offset} }

// Take returns the bytes of a frame that are new: all of them, or fewer when
// the sender repeats itself after a reconnect. A gap, and more than Window
// bytes ahead of the last acknowledgement, is an error: end the session.
func (r *Receiver) Take(f Frame) ([]byte, error) {
	if f.Kind != r.kind {
		return nil, fmt.Errorf("%s frame where %s is expected", f.Kind, r.kind)
	}
	if f.Offset > r.next {
		return nil, fmt.Errorf("%s jumps from byte %d to %d", r.kind, r.next, f.Offset)
	}
	end := f.Offset + uint64(len(f.Payload))
	if end <= r.next {
		return nil, nil
	}
	if end-r.acked > Window {
		return nil, fmt.Errorf("%s is more than %d bytes ahead of the acknowledgement", r.kind, Window)
	}
	fresh := f.Payload[r.next-f.Offset:]
	r.next = end
	return fresh, nil
}

// Ack returns the frame that acknowledges all bytes taken, once AckEvery of
// them have come since the last. Ask for it when the bytes are consumed, not
// when they arrive.
func (r *Receiver) Ack() (f Frame, due bool) {
	if r.next-r.acked < AckEvery {
		return Frame{}, false
	}
	r.acked = r.next
	return Frame{Kind: Ack, Offset: r.next}, true
}

// Consumed returns the frame that acknowledges n more of the bytes taken, however
// few: for a direction in which little travels and each byte is waited for.
func (r *Receiver) Consumed(n int) Frame {
	r.acked = min(r.acked+uint64(n), r.next)
	return Frame{Kind: Ack, Offset: r.acked}
}

// Offset returns how many bytes were taken.
func (r *Receiver) Offset() uint64 { return r.next }
