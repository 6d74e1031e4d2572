package stream

import (
	"encoding/binary"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of a frame and of a direction.
const (
	MaxPayload = 64 << 10 // bytes
	MaxFrame   = MaxPayload + header
	Window     = 1 << 20   // bytes on their way without an acknowledgement
	AckEvery   = 128 << 10 // bytes consumed before a Receiver wants to say so
	MaxNotice  = 2 << 10   // bytes
	MaxSide    = 1000      // columns or rows

	header    = 9
	maxOffset = 1 << 53 // what a browser can count
)

// Kind is the first byte of a frame.
type Kind uint8

// The kinds of frames.
const (
	Output Kind = 1
	Input  Kind = 2
	Resize Kind = 3
	Ack    Kind = 4
	Exit   Kind = 5
	Notice Kind = 6
)

func (k Kind) String() string {
	if int(k) < len(kinds) && k > 0 {
		return kinds[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

var kinds = [...]string{"", "output", "input", "resize", "ack", "exit", "notice"}

// A Frame is one message.
type Frame struct {
	Kind    Kind
	Offset  uint64
	Payload []byte
}

// Parse reads one message. The payload is a part of it, not a copy. A kind
// that is not known is no error: skip it. What a known kind carries is
// checked, so that Size and Code of a parsed frame are right.
func Parse(message []byte) (Frame, error) {
	if len(message) < header {
		return Frame{}, fmt.Errorf("session frame has %d bytes, at least %d are needed", len(message), header)
	}
	if len(message) > MaxFrame {
		return Frame{}, fmt.Errorf("session frame has %d bytes, at most %d are allowed", len(message), MaxFrame)
	}
	f := Frame{Kind(message[0]), binary.BigEndian.Uint64(message[1:header]), message[header:]}
	if f.Offset > maxOffset-MaxPayload {
		return Frame{}, fmt.Errorf("%s frame has the offset %d, which no session reaches", f.Kind, f.Offset)
	}
	n, ok := len(f.Payload), true
	switch f.Kind {
	case Output, Input:
		ok = n > 0
	case Resize:
		c, r := 0, 0
		if n == 4 {
			c, r = f.Size()
		}
		ok = c >= 1 && c <= MaxSide && r >= 1 && r <= MaxSide
	case Ack:
		ok = n == 0
	case Exit:
		ok = n == 4
	case Notice:
		ok = n > 0 && n <= MaxNotice && utf8.Valid(f.Payload)
	}
	if !ok {
		return Frame{}, fmt.Errorf("%s frame has a payload of %d bytes that it must not have", f.Kind, n)
	}
	return f, nil
}

// Append appends the message of f to dst.
func Append(dst []byte, f Frame) []byte {
	dst = append(dst, byte(f.Kind))
	dst = binary.BigEndian.AppendUint64(dst, f.Offset)
	return append(dst, f.Payload...)
}

// Bytes returns the message of f.
func (f Frame) Bytes() []byte { return Append(make([]byte, 0, header+len(f.Payload)), f) }

// Size returns what a parsed Resize frame asks for, from 1 to MaxSide.
func (f Frame) Size() (columns, rows int) {
	return int(binary.BigEndian.Uint16(f.Payload)), int(binary.BigEndian.Uint16(f.Payload[2:]))
}

// Code returns the exit code of a parsed Exit frame.
func (f Frame) Code() uint32 { return binary.BigEndian.Uint32(f.Payload) }

// ResizeTo returns a Resize frame. Sides are brought into 1 to MaxSide.
func ResizeTo(columns, rows int) Frame {
	side := func(n int) uint16 { return uint16(min(max(n, 1), MaxSide)) }
	p := binary.BigEndian.AppendUint16(nil, side(columns))
	return Frame{Kind: Resize, Payload: binary.BigEndian.AppendUint16(p, side(rows))}
}

// ExitWith returns the Exit frame that ends an output of that many bytes.
func ExitWith(code uint32, output uint64) Frame {
	return Frame{Exit, output, binary.BigEndian.AppendUint32(nil, code)}
}

// NoticeOf returns a Notice frame. The text is made valid, without control
// characters but line breaks, and cut at MaxNotice; an empty text becomes "-".
func NoticeOf(text string) Frame {
	text = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) && r != '\n' {
			return -1
		}
		return r
	}, text)
	if len(text) > MaxNotice {
		text = strings.ToValidUTF8(text[:MaxNotice], "")
	}
	if text == "" {
		text = "-"
	}
	return Frame{Kind: Notice, Payload: []byte(text)}
}
