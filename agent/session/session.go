// Package session opens doors that the gate let open: terminals. Each session
// has a socket of its own to the console, so that a flood of output cannot delay
// a beat, and ends with the program in it, with the socket, or when told.
//
// What passes in both directions is hashed as it passes here, piece by piece, and
// the hash stands in the machine's journal: it is of what this machine itself saw,
// for whoever has all of that to compare. The console's recording is less, because
// what is typed is never recorded, so the hash does not vouch for it.
package session

import (
	"context"
	"fmt"
	"hash"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/websocket"

	"github.com/deskside/deskside/agent/gate"
	"github.com/deskside/deskside/agent/state"
	"github.com/deskside/deskside/protocol"
)

// Calls are the calls out of this package.
type Calls struct {
	// Dial opens the session's own socket.
	Dial func(ctx context.Context, session uuid.UUID, token []byte) (*websocket.Conn, error)
	// Send puts a volatile message on the machine's line.
	Send func(protocol.Kind, any) bool
	// Wake says that the journal has a new line to send.
	Wake func()
}

// Sessions are the open doors of this machine.
type Sessions struct {
	state *state.State
	calls Calls
	log   *slog.Logger

	mu   sync.Mutex
	open map[uuid.UUID]context.CancelFunc
	wait sync.WaitGroup
}

// New makes the sessions of a machine.
func New(s *state.State, calls Calls, log *slog.Logger) *Sessions {
	return &Sessions{state: s, calls: calls, log: log, open: map[uuid.UUID]context.CancelFunc{}}
}

// Start opens an admitted session; it returns at once. The session ends with
// ctx at the latest.
func (s *Sessions) Start(ctx context.Context, a gate.Admitted) {
	ask := a.Body().(*protocol.OpenSession)
	s.mu.Lock()
	most := a.Policy().Limits.Sessions
	if len(s.open) >= most {
		s.mu.Unlock()
		s.calls.Send(protocol.KindOpened, protocol.Opened{Session: a.ID(), Refusal: protocol.CodeLimit,
			Text: fmt.Sprintf("This machine holds %d sessions at most at one time.", most)})
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	s.open[a.ID()] = cancel
	s.mu.Unlock()
	s.wait.Go(func() {
		defer s.forget(a.ID(), cancel)
		s.serve(ctx, a.ID(), ask)
	})
}

// Refuse tells the console that the gate said no, with the challenge where what is
// missing is a technician's proof.
func (s *Sessions) Refuse(x *gate.Refusal, c *protocol.Challenge) {
	s.calls.Send(protocol.KindOpened, protocol.Opened{Session: x.ID, Refusal: x.Code, Text: x.Text, Challenge: c})
}

// End closes a session.
func (s *Sessions) End(id uuid.UUID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if cancel, ok := s.open[id]; ok {
		cancel()
	}
}

// Wait waits until all sessions have ended.
func (s *Sessions) Wait() { s.wait.Wait() }

func (s *Sessions) forget(id uuid.UUID, cancel context.CancelFunc) {
	cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, id)
}

func (s *Sessions) serve(ctx context.Context, id uuid.UUID, ask *protocol.OpenSession) {
	ended := protocol.Ended{Session: id}
	dial, cancel := context.WithTimeout(ctx, 20*time.Second)
	ws, err := s.calls.Dial(dial, id, ask.Token)
	cancel()
	if err != nil {
		ended.Text = "The session's own connection could not be made: " + err.Error()
		s.finish(ended)
		return
	}
	defer ws.Close()
	t := newTerminal(ws)
	code, err := t.run(ctx, ask.Columns, ask.Rows)
	ended.Code, ended.Digest = code, t.sum()
	if err != nil {
		ended.Text = err.Error()
		t.notice(err.Error())
	}
	s.finish(ended)
}

// finish tells the console, and writes the hash of what passed into the journal.
func (s *Sessions) finish(e protocol.Ended) {
	s.calls.Send(protocol.KindEnded, e)
	err := s.state.Update(func(tx *state.Tx) error {
		return tx.Journal(protocol.JournalEntry{At: time.Now().UnixMicro(), Kind: protocol.KindOpenSession.String(),
			Act: "ended", ID: e.Session, Text: fmt.Sprintf("sha256 %x %s", e.Digest, e.Text)})
	})
	if err != nil {
		s.log.Error("cannot write the end of a session into the journal", "session", e.Session, "error", err)
	}
	s.calls.Wake()
}

// tally hashes both directions, each piece with its direction and length, so
// that nothing can be moved from one to the other.
func tally(h hash.Hash, direction byte, p []byte) {
	var head [9]byte
	head[0] = direction
	for i := range 8 {
		head[1+i] = byte(uint64(len(p)) >> (56 - 8*i))
	}
	h.Write(head[:])
	h.Write(p)
}
