// Package link is the machine's end of the conversation: it dials the console,
// proves who is there at both ends, keeps the line alive, sends what waits in
// the outbox and hands in what comes to the gate and then to the app.
//
// The agent dials only the console it was enrolled with and believes only an
// identity key it learned then. Certificates are not looked at: both ends sign
// the exporter of this very TLS connection.
package link

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/websocket"

	"github.com/deskside/deskside/protocol"
)

// Path is where a console takes machines.
const Path = "/machine"

const helloTime = 20 * time.Second

// ErrOtherConsole means that whoever answered is not the console of this
// machine, or that something opens the TLS line in between.
var ErrOtherConsole = errors.New("whoever answered is not the console that this machine was enrolled with, or the line is opened on the way")

// Unreachable means that nobody answered; After is how long the console asked
// to be left alone, zero when it did not say.
type Unreachable struct {
	After time.Duration
	Err   error
}

func (u *Unreachable) Error() string { return "the console cannot be reached: " + u.Err.Error() }
func (u *Unreachable) Unwrap() error { return u.Err }

// Trust is whom a machine believes: the gate, or, while it enrols, the token.
type Trust interface {
	Consoles() [][]byte        // fingerprints of the identities of its consoles
	Trusted() protocol.Trusted // what it has of its organisation's trust
	Take(protocol.Trust) (protocol.Trusted, error)
}

// Me is what a machine says of itself in its hello.
type Me struct {
	Organisation uuid.UUID
	Machine      uuid.UUID
	Key          ed25519.PrivateKey
	Capabilities protocol.Capability
	Trust        Trust

	// Dial opens the TCP connection; nil is the usual way.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// conn is a connection on which both ends have proved themselves, as far as the
// agent can tell: the console's answer to the proof is still to come.
type conn struct {
	ws       *websocket.Conn
	hello    protocol.Hello
	identify protocol.Identify
	channel  []byte
	heard    time.Time // when the last message came; the reader's
}

// Buffers of a socket. What a line says goes in small pieces, for the console keeps
// room for the largest one of each of its machines; a session moves much.
const (
	smallBuffer = 1 << 10
	largeBuffer = 4 << 10
)

// dial connects and does the console's half of the hello.
func dial(ctx context.Context, console string, me Me, buffer int) (*conn, error) {
	address, err := socketURL(console)
	if err != nil {
		return nil, err
	}
	dialer := websocket.Dialer{
		HandshakeTimeout: helloTime,
		TLSClientConfig: &tls.Config{
			MinVersion: tls.VersionTLS13, InsecureSkipVerify: true, // the hello proves the console
		},
		NetDialContext:  me.Dial,
		Proxy:           http.ProxyFromEnvironment,
		ReadBufferSize:  buffer,
		WriteBufferSize: buffer,
	}
	ws, response, err := dialer.DialContext(ctx, address, nil)
	if err != nil {
		return nil, &Unreachable{After: retryAfter(response), Err: err}
	}
	c := &conn{ws: ws}
	if err := c.identifyConsole(me); err != nil {
		ws.Close()
		return nil, err
	}
	return c, nil
}

func socketURL(console string) (string, error) {
	u, err := url.Parse(console)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return "", fmt.Errorf("the console's address is https://host:port, not %q", console)
	}
	u.Scheme, u.Path = "wss", Path
	return u.String(), nil
}

func retryAfter(r *http.Response) time.Duration {
	if r == nil {
		return 0
	}
	seconds, err := strconv.Atoi(r.Header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, time.Hour)
}

func (c *conn) identifyConsole(me Me) error {
	tlsConn, ok := c.ws.NetConn().(*tls.Conn)
	if !ok {
		return errors.New("the line is not TLS")
	}
	state := tlsConn.ConnectionState()
	channel, err := state.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32)
	if err != nil {
		return fmt.Errorf("bind to the line: %w", err)
	}
	c.channel = channel
	c.ws.SetReadLimit(protocol.MaxHelloFrame)
	if err := c.ws.SetReadDeadline(time.Now().Add(helloTime)); err != nil {
		return fmt.Errorf("hello: %w", err)
	}
	c.hello = protocol.Hello{
		Version: protocol.Version, MinVersion: protocol.MinVersion, Capabilities: me.Capabilities,
		Organisation: me.Organisation, Machine: me.Machine,
		Key: me.Key.Public().(ed25519.PublicKey), Nonce: protocol.Nonce(),
		Trust: me.Trust.Trusted().Version,
	}
	if err := c.send(protocol.KindHello, c.hello); err != nil {
		return err
	}
	c.ws.SetReadLimit(protocol.MaxIdentify)
	if err := c.expect(protocol.KindIdentify, &c.identify); err != nil {
		return err
	}
	c.ws.SetReadLimit(protocol.MaxHelloFrame)
	return c.verifyConsole(me)
}

func (c *conn) verifyConsole(me Me) error {
	key := ed25519.PublicKey(c.identify.Identity)
	if len(key) != ed25519.PublicKeySize {
		return ErrOtherConsole
	}
	if !c.ours(me.Trust) {
		// A stranger may bring one thing: what the organisation has signed since, which may
		// say that it is its console now.
		if len(c.identify.Trust) == 0 {
			return ErrOtherConsole
		}
		if _, err := me.Trust.Take(protocol.Trust{Files: c.identify.Trust}); err != nil {
			return fmt.Errorf("%w: %w", ErrOtherConsole, err)
		}
		if !c.ours(me.Trust) {
			return ErrOtherConsole
		}
	}
	transcript, err := protocol.TranscriptOf(c.hello, c.identify, c.channel, protocol.RoleConsole)
	if err != nil {
		return fmt.Errorf("hello: %w", err)
	}
	if len(c.identify.Nonce) != 32 || !ed25519.Verify(key, transcript, c.identify.Signature) {
		return ErrOtherConsole
	}
	if err := c.identify.Stamp.Verify(key); err != nil {
		return fmt.Errorf("%w: %w", ErrOtherConsole, err)
	}
	return nil
}

// ours tells whether who answered is a console of this machine, as far as is known now.
func (c *conn) ours(t Trust) bool {
	fingerprint := protocol.Fingerprint(ed25519.PublicKey(c.identify.Identity))
	return slices.ContainsFunc(t.Consoles(), func(id []byte) bool { return slices.Equal(id, fingerprint) })
}

// sign is the machine's signature over the hello.
func (c *conn) sign(key ed25519.PrivateKey) ([]byte, error) {
	transcript, err := protocol.TranscriptOf(c.hello, c.identify, c.channel, protocol.RoleAgent)
	if err != nil {
		return nil, fmt.Errorf("hello: %w", err)
	}
	return ed25519.Sign(key, transcript), nil
}

func (c *conn) send(kind protocol.Kind, body any) error {
	frame, err := protocol.Encode(kind, body)
	if err != nil {
		return err
	}
	if err := c.ws.SetWriteDeadline(time.Now().Add(helloTime)); err != nil {
		return fmt.Errorf("send %s: %w", kind, err)
	}
	if err := c.ws.WriteMessage(websocket.BinaryMessage, frame); err != nil {
		return &Unreachable{Err: fmt.Errorf("send %s: %w", kind, err)}
	}
	return nil
}

// expect reads the next message, which must be of this kind; a refusal comes
// back as a protocol.Refused.
func (c *conn) expect(kind protocol.Kind, body any) error {
	m, err := c.read(protocol.MaxIdentify)
	if err != nil {
		return err
	}
	switch m.Kind {
	case kind:
		return protocol.Unmarshal(m.Body, body)
	case protocol.KindRefused:
		var r protocol.Refused
		if err := protocol.Unmarshal(m.Body, &r); err != nil {
			return err
		}
		return r
	}
	return fmt.Errorf("%w: %s where %s was due", protocol.ErrMalformed, m.Kind, kind)
}

func (c *conn) read(limit int) (protocol.Message, error) {
	kind, reader, err := c.ws.NextReader()
	if err != nil {
		return protocol.Message{}, &Unreachable{Err: err}
	}
	if kind != websocket.BinaryMessage {
		return protocol.Message{}, fmt.Errorf("%w: a frame of text", protocol.ErrMalformed)
	}
	frame, err := io.ReadAll(reader)
	if err != nil {
		return protocol.Message{}, &Unreachable{Err: err}
	}
	return protocol.Decode(frame, limit)
}

// lineBuffer is how many bytes of a line may wait in the system's own buffer: what
// waits there, nothing overtakes, and of four megabytes a slow line sends for a
// minute.
const lineBuffer = 64 << 10

// keepShort bounds what waits to be sent below us.
func (c *conn) keepShort() error {
	if line, ok := c.ws.NetConn().(*tls.Conn); ok {
		if below, ok := line.NetConn().(interface{ SetWriteBuffer(bytes int) error }); ok {
			return below.SetWriteBuffer(lineBuffer)
		}
	}
	return nil
}

func (c *conn) close() { c.ws.Close() }
