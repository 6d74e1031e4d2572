package app_test

import (
	"errors"
	"runtime/metrics"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/websocket"

	"github.com/deskside/deskside/agent/state"
	"github.com/deskside/deskside/console/account"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/protocol"
)

// elsewhere makes another organisation, with somebody who acts in it and a machine.
func (w *world) elsewhere(n *node) (*node, state.Identity) {
	w.t.Helper()
	own := *n
	w.tools(func(s *store.Store, a *account.Accounts, _ model.Organisation) {
		o := must(a.NewOrganisation(w.t.Context(), "Elsewhere"))
		p := must(a.Add(w.t.Context(), store.System("test"), o.ID, "elsewhere", model.RoleAdmin, ""))
		own.token = must(a.NewToken(w.t.Context(), store.System("test"), p))
	})
	return &own, own.enrolled("theirs")
}

// neighbour is a machine that works: it reads its line, answers what it is asked,
// and remembers what it is told to do.
type neighbour struct {
	id state.Identity
	x  *wire

	mu      sync.Mutex // of writing, and of what follows
	number  uint64
	episode uuid.UUID
	marks   map[protocol.Class]uint64
	beats   int
	orders  map[uuid.UUID]protocol.Order
	err     error
}

// neighbour enrols a machine that works until the test ends.
func (n *node) neighbour(t *testing.T, name string) *neighbour {
	t.Helper()
	m := &neighbour{id: n.enrolled(name), marks: map[protocol.Class]uint64{}, orders: map[uuid.UUID]protocol.Order{}}
	m.x = n.line(t, m.id, uuid.New())
	done := make(chan struct{})
	stop := make(chan struct{})
	go func() {
		defer close(done)
		m.listen()
	}()
	go func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Second):
				m.say(protocol.KindBeat, protocol.Beat{At: time.Now().UnixMicro(), Health: "ok"})
			}
		}
	}()
	t.Cleanup(func() {
		close(stop)
		m.x.ws.Close()
		<-done
	})
	return m
}

func (m *neighbour) listen() {
	err := m.x.ws.SetReadDeadline(time.Time{})
	for err == nil {
		var frame []byte
		if _, frame, err = m.x.ws.ReadMessage(); err == nil {
			var message protocol.Message
			if message, err = protocol.Decode(frame, protocol.MaxFrame); err == nil {
				err = m.take(message)
			}
		}
	}
	m.mu.Lock()
	m.err = err
	m.mu.Unlock()
}

func (m *neighbour) take(message protocol.Message) error {
	switch message.Kind {
	case protocol.KindAck:
		var ack protocol.Ack
		err := protocol.Unmarshal(message.Body, &ack)
		m.mu.Lock()
		defer m.mu.Unlock()
		for class, n := range ack.Marks {
			m.marks[class] = max(m.marks[class], n)
		}
		return err
	case protocol.KindBeatAnswer:
		m.mu.Lock()
		defer m.mu.Unlock()
		m.beats++
	case protocol.KindRefused:
		var r protocol.Refused
		return errors.Join(protocol.Unmarshal(message.Body, &r), r)
	case protocol.KindStamped:
		var s protocol.Stamped
		if err := protocol.Unmarshal(message.Body, &s); err != nil {
			return err
		}
		o, err := s.Open(m.x.identify.Stamp.Key)
		if err != nil {
			return err
		}
		m.mu.Lock()
		m.orders[o.ID] = o
		m.mu.Unlock()
		if o.Kind == protocol.KindAsk {
			m.say(protocol.KindAnswer, protocol.Answer{Question: o.ID, Table: []byte("\xa2\x01\x81\x65value\x02\x81\x81\x01")})
		}
	}
	return nil
}

func (m *neighbour) say(kind protocol.Kind, body any) {
	frame := must(protocol.Encode(kind, body))
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.x.ws.WriteMessage(websocket.BinaryMessage, frame); err != nil && m.err == nil {
		m.err = err
	}
}

func (m *neighbour) lost() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.err
}

func (m *neighbour) order(id uuid.UUID) (protocol.Order, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	o, ok := m.orders[id]
	return o, ok
}

// await waits for something that the line brings.
func (m *neighbour) await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(disturbed)
	for {
		m.mu.Lock()
		there, err := ok(), m.err
		m.mu.Unlock()
		if there {
			return
		}
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("the other machine waits for %s: %v", what, err)
		}
		<-time.After(2 * time.Millisecond)
	}
}

// beat says that it is alive, and waits for the answer.
func (m *neighbour) beat(t *testing.T) {
	t.Helper()
	m.mu.Lock()
	before := m.beats
	m.mu.Unlock()
	m.say(protocol.KindBeat, protocol.Beat{At: time.Now().UnixMicro(), Health: "ok"})
	m.await(t, "an answer to its beat", func() bool { return m.beats > before })
}

// fires tells a state of its one alert, and waits until the console has it.
func (m *neighbour) fires(t *testing.T, to string) uuid.UUID {
	t.Helper()
	m.mu.Lock()
	m.number++
	number := m.number
	if to == protocol.StateFiring {
		m.episode = uuid.New()
	}
	episode := m.episode
	m.mu.Unlock()
	m.say(protocol.KindBatch, protocol.Batch{Entries: []protocol.Entry{logEntry(protocol.ClassTransition, number, protocol.Transition{
		ID: episode, Check: "process.cpu", Instance: "firefox", State: to, Severity: "warning", StartedAt: time.Now().UnixMicro(),
		At: time.Now().UnixMicro(), Texts: map[string]string{"program": "firefox"}})}})
	m.await(t, "its alert to be taken", func() bool { return m.marks[protocol.ClassTransition] >= number })
	return episode
}

// newHeapSample reads how many bytes are allocated now.
func newHeapSample() func() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	return func() uint64 {
		metrics.Read(sample)
		return sample[0].Value.Uint64()
	}
}
