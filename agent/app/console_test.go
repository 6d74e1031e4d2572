package app

import (
	"context"
	"crypto/ed25519"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/websocket"

	"github.com/deskside/deskside/agent/state"
	"github.com/deskside/deskside/protocol"
)

// desk is the console's end of a machine's line, as far as the welcome; what comes
// after it is the test's.
type desk struct {
	*testing.T
	url      string
	identity ed25519.PrivateKey
	lines    chan *far

	ahead time.Duration // of the clock of this console; set before a machine comes
	good  time.Duration // how long the certificate of its stamp is good, by that clock
}

// far is one line after its welcome.
type far struct {
	*websocket.Conn
	hello protocol.Hello
	proof protocol.Proof
}

func newDesk(t *testing.T) *desk {
	d := &desk{T: t, identity: ed25519.NewKeyFromSeed(slices.Repeat([]byte{1}, 32)), lines: make(chan *far, 8), good: time.Hour}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := d.greet(w, r); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	d.url = server.URL
	return d
}

func (d *desk) greet(w http.ResponseWriter, r *http.Request) error {
	channel, err := r.TLS.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32)
	if err != nil {
		return err
	}
	ws, err := new(websocket.Upgrader).Upgrade(w, r, nil)
	if err != nil {
		return err
	}
	f := &far{Conn: ws}
	if err := f.take(protocol.KindHello, &f.hello); err != nil {
		return err
	}
	now := time.Now().Add(d.ahead)
	stamp, err := protocol.CertifyStamp(d.identity, d.identity.Public().(ed25519.PublicKey), now.Add(-2*time.Hour), now.Add(d.good))
	if err != nil {
		return err
	}
	id := protocol.Identify{Version: protocol.Version, Nonce: protocol.Nonce(), Identity: d.identity.Public().(ed25519.PublicKey), Stamp: stamp}
	transcript, err := protocol.TranscriptOf(f.hello, id, channel, protocol.RoleConsole)
	if err != nil {
		return err
	}
	id.Signature = ed25519.Sign(d.identity, transcript)
	if err := f.put(protocol.KindIdentify, id); err != nil {
		return err
	}
	if err := f.take(protocol.KindProof, &f.proof); err != nil {
		return err
	}
	if err := f.put(protocol.KindWelcome, protocol.Welcome{Machine: f.hello.Machine, Clock: now.UnixMicro()}); err != nil {
		return err
	}
	d.lines <- f
	return nil
}

func (f *far) put(kind protocol.Kind, body any) error {
	frame, err := protocol.Encode(kind, body)
	return errors.Join(err, f.WriteMessage(websocket.BinaryMessage, frame))
}

func (f *far) next() (protocol.Message, error) {
	if err := f.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return protocol.Message{}, err
	}
	_, frame, err := f.ReadMessage()
	if err != nil {
		return protocol.Message{}, err
	}
	return protocol.Decode(frame, protocol.MaxFrame)
}

func (f *far) take(kind protocol.Kind, body any) error {
	m, err := f.next()
	if err != nil {
		return err
	}
	if m.Kind != kind {
		return errors.New(m.Kind.String() + " where " + kind.String() + " was due")
	}
	return protocol.Unmarshal(m.Body, body)
}

// goodbye reads the line until the machine says why it leaves, or to its end.
func (f *far) goodbye() string {
	for {
		m, err := f.next()
		if err != nil {
			return "none"
		}
		var g protocol.Goodbye
		if m.Kind == protocol.KindGoodbye && protocol.Unmarshal(m.Body, &g) == nil {
			return g.Reason
		}
	}
}

// line is the next line of the machine.
func (d *desk) line() *far {
	d.Helper()
	select {
	case f := <-d.lines:
		d.Cleanup(func() { f.Close() })
		return f
	case <-time.After(20 * time.Second):
		d.Fatal("the machine does not come")
		panic("not reached")
	}
}

// machine is an agent that knows this console, and its folder.
func (d *desk) machine() string {
	d.Helper()
	dir := short(d.T)
	s, err := state.Open(dir)
	if err != nil {
		d.Fatal(err)
	}
	id := state.Identity{Machine: uuid.New(), Organisation: uuid.New(), Name: "LAP-1", Key: ed25519.NewKeyFromSeed(slices.Repeat([]byte{2}, 32)),
		Profile: "trial", Console: d.url, Identities: [][]byte{protocol.Fingerprint(d.identity.Public().(ed25519.PublicKey))}}
	if err := errors.Join(s.Update(func(tx *state.Tx) error { return tx.SetIdentity(id) }), s.Close()); err != nil {
		d.Fatal(err)
	}
	return dir
}

// run runs the agent whose folder that is, until stop.
func (d *desk) run(dir string) (stop func()) {
	d.Helper()
	a, err := Open(Options{State: dir, Policy: filepath.Join(dir, "none"), Log: slog.New(slog.NewTextHandler(d.Output(), nil))})
	if err != nil {
		d.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(d.Context()))
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx, protocol.GoodbyeStopped) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			d.Error(err)
		}
	})
	d.Cleanup(stop)
	return stop
}
