package app_test

import (
	"cmp"
	"crypto/ed25519"
	"crypto/tls"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/websocket"

	"github.com/deskside/deskside/agent/link"
	"github.com/deskside/deskside/agent/state"
	"github.com/deskside/deskside/protocol"
)

// wire is a machine's end of a connection, spoken by hand: it can lie.
type wire struct {
	t        *testing.T
	ws       *websocket.Conn
	hello    protocol.Hello
	identify protocol.Identify
	channel  []byte
}

// enrolled is a machine with a name, without a program.
func (n *node) enrolled(name string) state.Identity {
	n.w.t.Helper()
	id, _, err := link.Enrol(n.w.t.Context(), link.Enrolment{Console: n.ready.URL, Token: must(protocol.ParseToken(n.enrolment(1))),
		Name: name, OS: protocol.OS{Family: "linux"}, Agent: "test", Profile: "trial"})
	if err != nil {
		n.w.t.Fatal(err)
	}
	return id
}

// dial opens a connection without saying anything.
func (n *node) dial(t *testing.T) *wire { return n.dialAs(t, "") }

// dialAs does so by another name of the console.
func (n *node) dialAs(t *testing.T, host string) *wire {
	t.Helper()
	header := http.Header{}
	if host != "" {
		header.Set("Host", host)
	}
	dialer := websocket.Dialer{HandshakeTimeout: 10 * time.Second, TLSClientConfig: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13}}
	ws, _, err := dialer.Dial(strings.Replace(n.ready.URL, "https://", "wss://", 1)+link.Path, header)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ws.Close() })
	state := ws.NetConn().(*tls.Conn).ConnectionState()
	return &wire{t: t, ws: ws, channel: must(state.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32))}
}

func helloAs(id state.Identity) protocol.Hello {
	return protocol.Hello{Version: protocol.Version, MinVersion: protocol.MinVersion, Organisation: id.Organisation, Machine: id.Machine,
		Key: id.Private().Public().(ed25519.PublicKey), Nonce: protocol.Nonce()}
}

// greet says a hello and reads the console's half.
func (w *wire) greet(h protocol.Hello) *wire {
	w.t.Helper()
	w.hello = h
	w.say(protocol.KindHello, h)
	m := w.hear()
	if m.Kind != protocol.KindIdentify {
		w.t.Fatalf("after the hello: %s %x", m.Kind, m.Body)
	}
	w.read(m, &w.identify)
	return w
}

// prove proves a key and returns what the console says to it.
func (w *wire) prove(key ed25519.PrivateKey, p protocol.Proof) protocol.Message {
	w.t.Helper()
	transcript := must(protocol.TranscriptOf(w.hello, w.identify, w.channel, protocol.RoleAgent))
	p.Signature, p.Purpose = ed25519.Sign(key, transcript), cmp.Or(p.Purpose, protocol.ForMachine)
	w.say(protocol.KindProof, p)
	return w.hear()
}

// line opens a line that the console has welcomed.
func (n *node) line(t *testing.T, id state.Identity, epoch uuid.UUID) *wire {
	t.Helper()
	return n.welcomed(t, n.dial(t), id, epoch)
}

// welcomed makes a connection a line.
func (n *node) welcomed(t *testing.T, w *wire, id state.Identity, epoch uuid.UUID) *wire {
	t.Helper()
	w.greet(helloAs(id))
	m := w.prove(id.Private(), protocol.Proof{Epoch: epoch, Name: id.Name, OS: protocol.OS{Family: "linux"}, Clock: time.Now().UnixMicro()})
	if m.Kind != protocol.KindWelcome {
		t.Fatalf("the console says %s %x", m.Kind, m.Body)
	}
	return w
}

func (w *wire) say(kind protocol.Kind, body any) {
	w.t.Helper()
	w.raw(websocket.BinaryMessage, must(protocol.Encode(kind, body)))
}

func (w *wire) raw(kind int, frame []byte) {
	w.t.Helper()
	if err := w.ws.WriteMessage(kind, frame); err != nil {
		w.t.Fatal(err)
	}
}

// next is the next message, or an error when the console hung up.
func (w *wire) next() (protocol.Message, error) {
	if err := w.ws.SetReadDeadline(time.Now().Add(15 * time.Second)); err != nil {
		return protocol.Message{}, err
	}
	_, r, err := w.ws.NextReader()
	if err != nil {
		return protocol.Message{}, err
	}
	frame, err := io.ReadAll(r)
	if err != nil {
		return protocol.Message{}, err
	}
	return protocol.Decode(frame, protocol.MaxFrame)
}

func (w *wire) hear() protocol.Message {
	w.t.Helper()
	m, err := w.next()
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

// until skips what is not of a kind.
func (w *wire) until(kind protocol.Kind, body any) {
	w.t.Helper()
	for {
		if m := w.hear(); m.Kind == kind {
			w.read(m, body)
			return
		}
	}
}

func (w *wire) read(m protocol.Message, body any) {
	w.t.Helper()
	if err := protocol.Unmarshal(m.Body, body); err != nil {
		w.t.Fatal(err)
	}
}

// refused reads until a refusal and returns its code; "" when the console hung
// up without one.
func (w *wire) refused() protocol.Refused {
	w.t.Helper()
	for {
		m, err := w.next()
		if err != nil {
			return protocol.Refused{}
		}
		if m.Kind == protocol.KindRefused {
			var r protocol.Refused
			w.read(m, &r)
			return r
		}
	}
}

// alive tells whether the console still answers on the line.
func (w *wire) alive() bool {
	w.t.Helper()
	if frame := must(protocol.Encode(protocol.KindBeat, protocol.Beat{At: time.Now().UnixMicro(), Health: "ok"})); w.ws.WriteMessage(websocket.BinaryMessage, frame) != nil {
		return false
	}
	for {
		m, err := w.next()
		if err != nil {
			return false
		}
		if m.Kind == protocol.KindBeatAnswer {
			return true
		}
	}
}

// tell sends entries and waits until the console has them.
func (w *wire) tell(entries ...protocol.Entry) protocol.Ack {
	w.t.Helper()
	w.say(protocol.KindBatch, protocol.Batch{Entries: entries})
	all := protocol.Ack{Marks: map[protocol.Class]uint64{}, States: map[string]uint64{}}
	missing := func() bool {
		for _, e := range entries {
			if e.Class.Log() && all.Marks[e.Class] < e.Number || !e.Class.Log() && all.States[state.StateName(e.Class, e.Key)] != e.Revision {
				return true
			}
		}
		return false
	}
	for missing() {
		var ack protocol.Ack
		w.until(protocol.KindAck, &ack)
		for class, n := range ack.Marks {
			all.Marks[class] = max(all.Marks[class], n)
		}
		for name, n := range ack.States {
			all.States[name] = n
		}
	}
	return all
}

func logEntry(class protocol.Class, number uint64, body any) protocol.Entry {
	return protocol.Entry{Class: class, Number: number, Body: must(protocol.Marshal(body))}
}

func changeOf(item string) protocol.Change {
	return protocol.Change{Section: "services", Item: item, After: "x", At: time.Now().UnixMicro()}
}
