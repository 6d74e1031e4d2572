package session

import (
	"context"
	"crypto/hmac"
	"errors"
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
)

// splice is one session at the node that owns it: the machine's socket, the
// browser's, and the recording.
type splice struct {
	row      model.Session
	machine  *websocket.Conn
	recorder *recorder
	done     chan struct{}
	came     chan *websocket.Conn // a browser

	once sync.Once
	text string
}

// end ends the splice; the first reason holds.
func (l *splice) end(text string) {
	l.once.Do(func() {
		l.text = text
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
	var row model.Session
	err := s.store.Update(ctx, machineScope(from), func(tx *store.Tx) error {
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
	l := &splice{row: row, machine: ws, done: make(chan struct{}), came: make(chan *websocket.Conn)}
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
	s.mu.Lock()
	l := s.live[id]
	s.mu.Unlock()
	if l == nil {
		return false
	}
	select {
	case l.came <- ws:
	case <-l.done:
	}
	return true
}

// serve is the life of a splice. A browser that comes second takes the place of
// the first: the same person on another page.
func (s *Sessions) serve(l *splice) {
	ctx := context.Background()
	defer func() {
		l.end("the connection ended")
		l.machine.Close()
		size := l.recorder.close()
		ended := func() bool {
			return s.change(ctx, machineScope(model.From{Organisation: l.row.Organisation, Machine: l.row.Machine}), l.row.ID,
				func(tx *store.Tx, row *model.Session) error {
					row.Recording = size
					if row.Over() {
						return update(tx, row)
					}
					return row.End(l.text, tx.Now())
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
		s.mu.Lock()
		delete(s.live, l.row.ID)
		s.mu.Unlock()
	}()
	browsers := &browsers{}
	defer browsers.set(nil)
	var group sync.WaitGroup
	defer group.Wait()
	group.Go(func() { l.fromMachine(browsers) })
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	alone := time.NewTimer(attachTime)
	defer alone.Stop()
	gone := make(chan *websocket.Conn)
	for {
		select {
		case <-l.done:
			browsers.set(nil)
			l.machine.Close()
			return
		case ws := <-l.came:
			alone.Stop()
			browsers.set(ws)
			group.Go(func() {
				browsers.flush()
				l.fromBrowser(ws)
				select {
				case gone <- ws:
				case <-l.done:
				}
			})
		case ws := <-gone:
			if browsers.is(ws) {
				l.end("the page was closed")
			}
		case <-alone.C:
			l.end("no page came to show it")
		case <-ping.C:
			deadline := time.Now().Add(writeTime)
			if l.machine.WriteControl(websocket.PingMessage, nil, deadline) != nil {
				l.end("the computer's connection ended")
			}
			browsers.ping(deadline)
		}
	}
}

// fromMachine hands frames of the machine on to the browser. While there is no
// browser output waits in the machine: nothing is acknowledged.
func (l *splice) fromMachine(b *browsers) {
	l.machine.SetReadLimit(stream.MaxFrame)
	for {
		kind, message, err := l.machine.ReadMessage()
		if err != nil {
			l.end("the computer's connection ended")
			return
		}
		if kind != websocket.BinaryMessage {
			continue
		}
		f, err := stream.Parse(message)
		if err != nil {
			l.end("the computer sent something that is not a session")
			return
		}
		switch f.Kind {
		case stream.Output:
			l.recorder.output(f.Payload)
		case stream.Exit, stream.Ack, stream.Notice:
		default:
			continue
		}
		if !b.send(message, max(1, len(f.Payload))) {
			l.end("the computer sent more than its window")
			return
		}
		if f.Kind == stream.Exit {
			l.end("the shell ended")
			return
		}
	}
}

// fromBrowser hands frames of the browser on to the machine, those kinds only
// that a browser may send.
func (l *splice) fromBrowser(ws *websocket.Conn) {
	ws.SetReadLimit(stream.MaxFrame)
	for {
		if ws.SetReadDeadline(time.Now().Add(3*pingEvery)) != nil {
			return
		}
		kind, message, err := ws.ReadMessage()
		if err != nil {
			return
		}
		if kind != websocket.BinaryMessage {
			continue
		}
		f, err := stream.Parse(message)
		if err != nil {
			return
		}
		switch f.Kind {
		case stream.Resize:
			l.recorder.resize(f.Size())
		case stream.Input, stream.Ack:
		default:
			continue
		}
		if l.machine.SetWriteDeadline(time.Now().Add(writeTime)) != nil ||
			l.machine.WriteMessage(websocket.BinaryMessage, message) != nil {
			l.end("the computer's connection ended")
			return
		}
	}
}

// browsers is the browser that shows the session now.
type browsers struct {
	mu    sync.Mutex
	ws    *websocket.Conn
	early [][]byte // what came before there was one
	size  int      // what early costs the machine's window
}

// maxEarly is what a machine may send before a browser acknowledges anything: its
// window of output, and one frame that says how the shell ended.
const maxEarly = stream.Window + stream.MaxPayload

func (b *browsers) set(ws *websocket.Conn) {
	b.mu.Lock()
	old := b.ws
	b.ws = ws
	b.mu.Unlock()
	if ws != nil {
		ws.SetPongHandler(func(string) error { return ws.SetReadDeadline(time.Now().Add(3 * pingEvery)) })
	}
	if old != nil {
		old.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), time.Now().Add(time.Second))
		old.Close()
	}
}

func (b *browsers) is(ws *websocket.Conn) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ws == ws
}

// send writes a frame, after what came before there was a browser. It is false
// when a machine does not wait for a browser to acknowledge.
func (b *browsers) send(message []byte, cost int) bool {
	b.mu.Lock()
	b.early, b.size = append(b.early, message), b.size+cost
	fits := b.size <= maxEarly
	b.mu.Unlock()
	b.flush()
	return fits
}

// flush writes what waits: a browser that comes sees at once what was shown.
func (b *browsers) flush() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ws == nil {
		return
	}
	for _, m := range b.early {
		if errors.Join(b.ws.SetWriteDeadline(time.Now().Add(writeTime)), b.ws.WriteMessage(websocket.BinaryMessage, m)) != nil {
			b.ws.Close()
			break
		}
	}
	b.early, b.size = nil, 0
}

func (b *browsers) ping(deadline time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ws != nil {
		b.ws.WriteControl(websocket.PingMessage, nil, deadline)
	}
}
