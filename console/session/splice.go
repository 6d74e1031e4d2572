package session

import (
	"context"
	"crypto/hmac"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/protocol/stream"
)

const (
	writeTime = 30 * time.Second
	pingEvery = 25 * time.Second
	// machineSilence is how long a machine may say nothing: two of our pings it has
	// not answered by then. Where it only hangs, or its line does, nothing else ends.
	machineSilence = 2 * pingEvery
)

// splice is one session at the node that owns it: the machine's socket, the
// browser's, and the recording.
type splice struct {
	row      model.Session
	machine  *websocket.Conn
	silence  time.Duration // machineSilence
	writes   sync.Mutex    // of frames to the machine
	recorder *recorder
	browsers browsers
	done     chan struct{}
	came     chan *websocket.Conn // a browser

	once   sync.Once
	text   string
	closer *model.Actor // who closed it; nil when the machine need not be told
}

// end ends a splice whose machine is done, or hears of it with all its other
// connections; the first reason holds.
func (l *splice) end(text string) {
	l.once.Do(func() {
		l.text = text
		close(l.done)
	})
}

// close ends a splice from the console's side: the machine is to be told, since
// its agent may not notice that a socket is gone.
func (l *splice) close(by model.Actor, text string) {
	l.once.Do(func() {
		l.text, l.closer = text, &by
		close(l.done)
	})
}

// errToken is all a machine learns of a token that does not fit.
var errToken = model.Problemf("bad_proof", "", "This session is not open to this machine.")

// Arrive takes the socket of a machine that dials in for a session. It owns ws
// from here on and returns at once.
func (s *Sessions) Arrive(ctx context.Context, from model.From, id model.ID, token []byte, ws *websocket.Conn) error {
	if !hmac.Equal(token, s.token(id)) {
		return errToken
	}
	s.coming.RLock()
	defer s.coming.RUnlock()
	var row model.Session
	err := s.store.Update(ctx, store.Machine(from.Organisation, from.Machine), func(tx *store.Tx) error {
		var err error
		if row, err = Get(tx, id); err != nil {
			return err
		}
		if row.Machine != from.Machine {
			return errToken
		}
		if err := row.Open(tx.Now()); err != nil { // the token works once
			return err
		}
		row.Node = s.node
		return s.moved(tx, &row)
	})
	if err != nil {
		return err
	}
	l := &splice{row: row, machine: ws, silence: s.silence, done: make(chan struct{}), came: make(chan *websocket.Conn)}
	l.recorder = newRecorder(s.store, row, s.log)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		ws.Close()
		return nil
	}
	s.live[id] = l
	s.wait.Go(func() { s.serve(l) })
	s.wake(id) // it may have ended before it was here
	return nil
}

// Attach hands a browser's socket over to a session of this node. false means that
// the session is not here.
func (s *Sessions) Attach(id model.ID, ws *websocket.Conn) bool {
	l := s.get(id)
	if l == nil { // who asks may have read of a machine that is just dialling in
		s.coming.Lock()
		l = s.get(id)
		s.coming.Unlock()
	}
	if l == nil {
		return false
	}
	select {
	case l.came <- ws:
	case <-l.done:
		ws.Close()
	}
	return true
}

func (s *Sessions) get(id model.ID) *splice {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.live[id]
}

// serve is the life of a splice. A browser that comes second takes the place of
// the first: the same person on another page. One that is lost is waited for, as
// long as for the first to come; one that says that it leaves is not.
func (s *Sessions) serve(l *splice) {
	defer s.finish(l)
	var group sync.WaitGroup
	defer group.Wait()
	group.Go(l.fromMachine)
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	wait := func(why string) *time.Timer {
		return s.later(attachTime, func() { l.close(model.System, why) })
	}
	alone := wait("no page came to show it")
	defer func() { alone.Stop() }()
	type lost struct {
		browser *browser
		left    bool
	}
	gone := make(chan lost)
	var now *browser
	show := func(b *browser, code int) {
		l.browsers.show(b)
		if now != nil {
			now.leave(code)
		}
		now = b
	}
	for {
		select {
		case <-l.done:
			l.machine.Close()
			if now != nil {
				now.leave(websocket.CloseNormalClosure)
			}
			return
		case ws := <-l.came:
			alone.Stop()
			b := newBrowser(ws)
			show(b, closeTaken)
			group.Go(func() { l.browsers.write(b) })
			group.Go(func() {
				left := l.fromBrowser(b)
				select {
				case gone <- lost{b, left}:
				case <-l.done:
				}
			})
		case one := <-gone:
			if one.browser != now {
				continue // another has its place
			}
			if one.left {
				l.close(l.row.By, "the page was closed")
				continue
			}
			show(nil, websocket.CloseNormalClosure)
			alone = wait("its page was lost and did not come back")
		case <-ping.C:
			if l.machine.WriteControl(websocket.PingMessage, nil, time.Now().Add(writeTime)) != nil {
				l.end("the computer's connection ended")
			}
		}
	}
}

// finish writes down that a session is over.
func (s *Sessions) finish(l *splice) {
	l.end("the connection ended")
	l.machine.Close()
	size := l.recorder.close()
	closing := false
	ended := func() bool {
		return s.change(context.Background(), store.Machine(l.row.Organisation, l.row.Machine), l.row.ID,
			func(tx *store.Tx, row *model.Session) error {
				row.Recording = size
				if row.Over() {
					if row.EndedText == "" { // the machine was faster to say so, and had no more to say
						row.EndedText = l.text
					}
					return update(tx, row)
				}
				if l.closer == nil {
					return row.End(l.text, tx.Now())
				}
				err := row.Close(*l.closer, l.text, tx.Now())
				closing = row.Closing
				return err
			})
	}
	for !ended() { // the database is away; it would be open for ever
		select {
		case <-s.over: // the next node to see this one gone ends it
		case <-time.After(againAfter):
			continue
		}
		break
	}
	if closing {
		s.hint(l.row.Machine)
	}
	s.mu.Lock()
	delete(s.live, l.row.ID)
	s.mu.Unlock()
}

// fromMachine takes the frames of the machine. Output that no browser has
// acknowledged is kept, which the machine's window bounds: while there is no
// browser it fills, and the program in the terminal waits.
func (l *splice) fromMachine() {
	l.machine.SetReadLimit(stream.MaxFrame)
	alive := func() error { return l.machine.SetReadDeadline(time.Now().Add(l.silence)) }
	l.machine.SetPongHandler(func(string) error { return alive() })
	for {
		err := alive()
		kind, message := 0, []byte(nil)
		if err == nil {
			kind, message, err = l.machine.ReadMessage()
		}
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			l.close(model.System, "the computer does not answer")
			return
		}
		if err != nil {
			l.end("the computer's connection ended")
			return
		}
		if kind != websocket.BinaryMessage {
			continue
		}
		f, err := stream.Parse(message)
		if err != nil {
			l.close(model.System, "the computer sent something that is not a session")
			return
		}
		switch f.Kind {
		case stream.Output:
			if !l.browsers.output(f) { // first, for somebody waits
				l.close(model.System, "the computer sent more than its window")
				return
			}
			l.recorder.output(f.Payload)
		case stream.Exit:
			l.browsers.other(f)
			l.end("the shell ended")
			return
		case stream.Ack, stream.Notice:
			l.browsers.other(f)
		}
	}
}

// fromBrowser hands frames of the browser on to the machine, those kinds only
// that a browser may send. It is true when the browser said that it leaves, and
// false when it was lost.
func (l *splice) fromBrowser(b *browser) (left bool) {
	for {
		if b.ws.SetReadDeadline(time.Now().Add(3*pingEvery)) != nil {
			return false
		}
		kind, message, err := b.ws.ReadMessage()
		if err != nil {
			return websocket.IsCloseError(err, websocket.CloseNormalClosure, websocket.CloseGoingAway)
		}
		if kind != websocket.BinaryMessage {
			continue
		}
		f, err := stream.Parse(message)
		if err != nil {
			return false
		}
		switch f.Kind {
		case stream.Resize:
			l.recorder.resize(f.Size())
		case stream.Ack:
			l.browsers.acked(f)
		case stream.Input:
		default:
			continue
		}
		if !l.hand(b, f, message) {
			return false
		}
	}
}

// hand hands a frame of b to the machine, unless another browser has b's place:
// what that one was told to be typed must stay true.
func (l *splice) hand(b *browser, f stream.Frame, message []byte) bool {
	l.writes.Lock()
	defer l.writes.Unlock()
	if !l.browsers.types(b, f) {
		return false
	}
	if l.machine.SetWriteDeadline(time.Now().Add(writeTime)) != nil ||
		l.machine.WriteMessage(websocket.BinaryMessage, message) != nil {
		l.end("the computer's connection ended")
		return false
	}
	return true
}
