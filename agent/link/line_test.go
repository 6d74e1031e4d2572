package link

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/websocket"

	"github.com/deskside/deskside/agent/state"
	"github.com/deskside/deskside/protocol"
)

// ledger is what a console keeps of a machine's entries, by its rules: a mark and
// a digest for each epoch and class, and no effect at or below the mark.
type ledger struct {
	marks   map[uuid.UUID]map[protocol.Class]uint64
	digests map[uuid.UUID]map[protocol.Class][]byte
	taken   []string
}

func (b *ledger) welcome(epoch uuid.UUID) protocol.Welcome {
	return protocol.Welcome{Marks: b.marks[epoch], Digests: b.digests[epoch]}
}

func (b *ledger) take(t *testing.T, epoch uuid.UUID, entries []protocol.Entry) {
	t.Helper()
	if b.marks[epoch] == nil {
		b.marks[epoch], b.digests[epoch] = map[protocol.Class]uint64{}, map[protocol.Class][]byte{}
	}
	for _, e := range entries {
		if e.Number <= b.marks[epoch][e.Class] {
			continue
		}
		var text string
		if err := protocol.Unmarshal(e.Body, &text); err != nil {
			t.Fatal(err)
		}
		b.marks[epoch][e.Class], b.digests[epoch][e.Class] = e.Number, e.Digest()
		b.taken = append(b.taken, text)
	}
}

// machine is a state that can be set back to an image.
type machine struct {
	*testing.T
	dir string
	*state.State
}

func (m *machine) open() {
	m.Helper()
	s, err := state.Open(m.dir)
	if err != nil {
		m.Fatal(err)
	}
	m.State = s
	m.Cleanup(func() { s.Close() })
}

func (m *machine) image() []byte {
	m.Helper()
	m.Close()
	raw, err := os.ReadFile(filepath.Join(m.dir, "agent.db"))
	if err != nil {
		m.Fatal(err)
	}
	m.open()
	return raw
}

func (m *machine) setBack(image []byte) {
	m.Helper()
	m.Close()
	if err := os.WriteFile(filepath.Join(m.dir, "agent.db"), image, 0o600); err != nil {
		m.Fatal(err)
	}
	m.open()
}

func (m *machine) write(class protocol.Class, n int, what string) (texts []string) {
	m.Helper()
	err := m.Update(func(tx *state.Tx) error {
		for i := range n {
			text := fmt.Sprint(class, " ", what, " ", i)
			if _, err := tx.Append(class, text); err != nil {
				return err
			}
			texts = append(texts, text)
		}
		return nil
	})
	if err != nil {
		m.Fatal(err)
	}
	return texts
}

// connect says hello until no new epoch is needed, hands in all that waits and,
// unless the answer is lost, hears that it was taken.
func (m *machine) connect(b *ledger, answered bool) (epochs int) {
	m.Helper()
	l := &Line{state: m.State, log: slog.New(slog.DiscardHandler)}
	epoch := func() (id uuid.UUID) {
		m.View(func(tx *state.Tx) error { id = tx.Epoch(); return nil })
		return id
	}
	for {
		fresh, err := l.checkMarks(b.welcome(epoch()))
		if err != nil {
			m.Fatal(err)
		}
		if !fresh {
			break
		}
		if epochs++; epochs > 3 {
			m.Fatal("one new epoch after the other")
		}
	}
	var entries []protocol.Entry
	err := m.View(func(tx *state.Tx) (err error) {
		entries, err = tx.Pending(1<<20, nil, nil)
		return err
	})
	if err != nil {
		m.Fatal(err)
	}
	b.take(m.T, epoch(), entries)
	if answered {
		if err := m.Update(func(tx *state.Tx) error { return tx.Acknowledge(protocol.Ack{Marks: b.marks[epoch()]}) }); err != nil {
			m.Fatal(err)
		}
	}
	return epochs
}

// TestSetBack: a machine that was set back loses nothing of what it writes after
// it, whether that is less or more than what it lost, and tells nothing twice.
func TestSetBack(t *testing.T) {
	for _, after := range []int{0, 1, 3, 4, 5, 20} {
		t.Run(fmt.Sprint(after, " after 4 lost"), func(t *testing.T) {
			m := &machine{T: t, dir: t.TempDir()}
			m.open()
			if err := m.Update((*state.Tx).NewEpoch); err != nil {
				t.Fatal(err)
			}
			b := &ledger{marks: map[uuid.UUID]map[protocol.Class]uint64{}, digests: map[uuid.UUID]map[protocol.Class][]byte{}}
			want := m.write(protocol.ClassJournal, 10, "first")
			m.connect(b, true)
			want = append(want, m.write(protocol.ClassChange, 2, "of which the answer was lost")...)
			if n := m.connect(b, false); n != 0 {
				t.Errorf("%d new epochs of a machine that was not set back", n)
			}
			image := m.image()
			m.connect(b, true)
			want = append(want, m.write(protocol.ClassJournal, 4, "not in the image")...)
			m.connect(b, true)
			m.setBack(image)
			want = append(want, m.write(protocol.ClassJournal, after, "after the image")...)
			if n := m.connect(b, true); n != 1 {
				t.Errorf("%d new epochs", n)
			}
			want = append(want, m.write(protocol.ClassJournal, 2, "later")...)
			if n := m.connect(b, true); n != 0 {
				t.Errorf("%d new epochs later", n)
			}
			if !slices.Equal(b.taken, want) {
				t.Errorf("taken: %q\nwant: %q", b.taken, want)
			}
		})
	}
}

// TestUnknownIsNoDifference: without a digest at either end nothing is concluded.
func TestUnknownIsNoDifference(t *testing.T) {
	m := &machine{T: t, dir: t.TempDir()}
	m.open()
	m.write(protocol.ClassChange, 5, "x")
	l := &Line{state: m.State, log: slog.New(slog.DiscardHandler)}
	for name, w := range map[string]protocol.Welcome{
		"an older console": {Marks: map[protocol.Class]uint64{protocol.ClassChange: 2}},
		"no such class":    {Marks: map[protocol.Class]uint64{99: 5, protocol.ClassFacts: 5}, Digests: map[protocol.Class][]byte{99: {1}, protocol.ClassFacts: {1}}},
		"long forgotten":   {Marks: map[protocol.Class]uint64{protocol.ClassChange: 1}, Digests: map[protocol.Class][]byte{protocol.ClassChange: {1}}},
	} {
		if name == "long forgotten" {
			if err := m.Update(func(tx *state.Tx) error {
				return tx.Acknowledge(protocol.Ack{Marks: map[protocol.Class]uint64{protocol.ClassChange: 3}})
			}); err != nil {
				t.Fatal(err)
			}
		}
		if fresh, err := l.checkMarks(w); fresh || err != nil {
			t.Errorf("%s: new epoch %t, %v", name, fresh, err)
		}
	}
}

// TestRenewAfter: a line ends before the certificate of the stamp does, by the
// console's clock.
func TestRenewAfter(t *testing.T) {
	clock := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	for life, want := range map[time.Duration]time.Duration{90 * 24 * time.Hour: 90*24*time.Hour - time.Hour, time.Hour: 30 * time.Minute} {
		got := renewAfter(protocol.StampKey{Expires: clock.Add(life).UnixMicro()}, protocol.Welcome{Clock: clock.UnixMicro()})
		if got != want {
			t.Errorf("with %s left the line lives %s, want %s", life, got, want)
		}
	}
}

// TestBeatFirst: a beat does not wait for the output of scripts that waits already.
func TestBeatFirst(t *testing.T) {
	came := make(chan protocol.Kind, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		up := websocket.Upgrader{}
		ws, err := up.Upgrade(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer ws.Close()
		m, err := (&conn{ws: ws}).read(protocol.MaxFrame)
		if err != nil {
			t.Error(err)
		}
		came <- m.Kind
	}))
	defer server.Close()
	ws, response, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(server.URL, "http"), nil)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	defer ws.Close()
	m := &machine{T: t, dir: t.TempDir()}
	m.open()
	l := New(state.Identity{}, 0, m.State, nil, Handlers{}, slog.New(slog.DiscardHandler))
	l.setUp(true)
	for range 100 {
		l.Send(protocol.KindOutput, protocol.Output{Data: make([]byte, 1000)})
	}
	if !l.Send(protocol.KindBeat, protocol.Beat{}) {
		t.Fatal("there is no room for a beat")
	}
	ctx, stop := context.WithCancel(t.Context())
	written := make(chan error, 1)
	go func() { written <- l.write(ctx, &conn{ws: ws}, nil) }()
	if kind := <-came; kind != protocol.KindBeat {
		t.Errorf("the first is %s", kind)
	}
	stop()
	<-written
}

// TestKeepShort: of what is sent to somebody who does not read, little waits where no
// beat can overtake it.
func TestKeepShort(t *testing.T) {
	over := make(chan struct{})
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		up := websocket.Upgrader{}
		ws, err := up.Upgrade(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		<-over
		ws.Close()
	}))
	defer server.Close()
	defer close(over)
	dialer := websocket.Dialer{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	ws, response, err := dialer.Dial("wss"+strings.TrimPrefix(server.URL, "https"), nil)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	defer ws.Close()
	c := &conn{ws: ws}
	if err := c.keepShort(); err != nil {
		t.Fatal(err)
	}
	sent, piece := 0, make([]byte, 16<<10)
	if err := ws.SetWriteDeadline(time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	for ws.WriteMessage(websocket.BinaryMessage, piece) == nil {
		sent += len(piece)
	}
	if sent > 1<<20 {
		t.Errorf("%d bytes wait on their way", sent)
	}
}
