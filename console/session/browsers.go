package session

import (
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/deskside/deskside/protocol/stream"
)

const (
	lastTime   = 5 * time.Second // for a browser to take what is left when its part is over
	maxNotices = 16              // that wait for a browser
	closeTaken = 4000            // to a browser: another page shows the session now
)

// browsers is what stands between a machine and the browser that shows it: the
// output that none has acknowledged, for the one that comes or comes back, and
// how much was typed. The output is bounded by the machine's window: what goes
// beyond it is refused.
type browsers struct {
	mu      sync.Mutex
	now     *browser
	kept    []byte   // output that is not acknowledged, at most stream.Window
	at      uint64   // offset of its first byte
	typed   uint64   // bytes of input that the machine was handed
	heard   uint64   // bytes of input that the machine acknowledged
	notices [][]byte // frames that no browser was sent
	exit    []byte   // the frame that says how the shell ended
}

// browser is one browser's socket. Only write writes to it.
type browser struct {
	ws   *websocket.Conn
	wake chan struct{} // there is something to write
	left chan int      // the code to close it with

	// Of what is to be written, under the lock of browsers.
	greeted, exited bool
	sent            uint64 // bytes of output
	heard           uint64
}

func newBrowser(ws *websocket.Conn) *browser {
	ws.SetReadLimit(stream.MaxFrame)
	ws.SetPongHandler(func(string) error { return ws.SetReadDeadline(time.Now().Add(3 * pingEvery)) })
	return &browser{ws: ws, wake: make(chan struct{}, 1), left: make(chan int, 1)}
}

// show makes b the browser that shows the session, nil none.
func (s *browsers) show(b *browser) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = b
	s.wake()
}

func (s *browsers) wake() {
	if s.now == nil {
		return
	}
	select {
	case s.now.wake <- struct{}{}:
	default:
	}
}

// output keeps what the machine shows. It is false when the machine does not wait
// for a browser to acknowledge, or leaves a hole.
func (s *browsers) output(f stream.Frame) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.Offset != s.at+uint64(len(s.kept)) || len(s.kept)+len(f.Payload) > stream.Window {
		return false
	}
	s.kept = append(s.kept, f.Payload...)
	s.wake()
	return true
}

// other takes a frame of the machine that is no output.
func (s *browsers) other(f stream.Frame) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch f.Kind {
	case stream.Ack:
		s.heard = max(s.heard, f.Offset)
	case stream.Exit:
		s.exit = f.Bytes()
	case stream.Notice:
		if len(s.notices) < maxNotices {
			s.notices = append(s.notices, f.Bytes())
		}
	}
	s.wake()
}

// acked forgets the output that a browser acknowledges.
func (s *browsers) acked(f stream.Frame) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.Offset <= s.at {
		return
	}
	gone := min(f.Offset-s.at, uint64(len(s.kept)))
	s.kept, s.at = s.kept[gone:], s.at+gone
	if len(s.kept) == 0 {
		s.kept = nil
	}
}

// types counts what b is about to hand to the machine. It is false when another
// browser has taken its place.
func (s *browsers) types(b *browser, f stream.Frame) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.Kind == stream.Input && s.now == b {
		s.typed = max(s.typed, f.Offset+uint64(len(f.Payload)))
	}
	return s.now == b
}

// next is the next message for b, nil when there is none. The first one tells it
// how much was typed: what it typed beyond that was lost, and a page that is new
// counts from there. Output begins with what nobody acknowledged; a browser that
// came back drops what it has.
func (s *browsers) next(b *browser) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now != b {
		return nil
	}
	if !b.greeted {
		b.greeted = true
		return stream.Frame{Kind: stream.Ack, Offset: s.typed}.Bytes()
	}
	if s.heard > b.heard {
		b.heard = s.heard
		return stream.Frame{Kind: stream.Ack, Offset: s.heard}.Bytes()
	}
	if len(s.notices) > 0 {
		m := s.notices[0]
		s.notices = s.notices[1:]
		return m
	}
	b.sent = max(b.sent, s.at)
	if rest := s.kept[b.sent-s.at:]; len(rest) > 0 {
		f := stream.Frame{Kind: stream.Output, Offset: b.sent, Payload: rest[:min(len(rest), stream.MaxPayload)]}
		b.sent += uint64(len(f.Payload))
		return f.Bytes()
	}
	if s.exit != nil && !b.exited {
		b.exited = true
		return s.exit
	}
	return nil
}

// write writes to b what there is for it until it is left or its socket ends.
// Then the socket is closed.
func (s *browsers) write(b *browser) {
	defer b.ws.Close()
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	for {
		select {
		case code := <-b.left:
			if s.over() { // how the shell ended is still to be shown
				s.flush(b)
			}
			b.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""), time.Now().Add(time.Second))
			return
		case <-b.wake:
			if !s.flush(b) {
				return
			}
		case <-ping.C:
			if b.ws.WriteControl(websocket.PingMessage, nil, time.Now().Add(writeTime)) != nil {
				return
			}
		}
	}
}

func (s *browsers) over() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.exit != nil
}

func (s *browsers) flush(b *browser) bool {
	for m := s.next(b); m != nil; m = s.next(b) {
		if b.ws.SetWriteDeadline(time.Now().Add(writeTime)) != nil || b.ws.WriteMessage(websocket.BinaryMessage, m) != nil {
			return false
		}
	}
	return true
}

// leave ends b's part, once. A browser that does not read is not waited for.
func (b *browser) leave(code int) {
	b.left <- code
	time.AfterFunc(lastTime, func() { b.ws.Close() })
}
