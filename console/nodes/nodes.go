package nodes

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"golang.org/x/time/rate"
)

// Options say which node this is and how it reaches the others.
type Options struct {
	// Self is the id of this node, a new one each time it starts.
	Self uuid.UUID

	// URL is the NATS server that the nodes share, nats://... or tls://...;
	// empty for a console that is alone, which needs none.
	URL string

	// Secret is the same on all nodes and known to nobody else: at least 32
	// bytes.
	Secret []byte

	// Transport carries forwarded requests. It decides whom a node believes
	// to be another (the certificates of an https:// address). Nil means no
	// proxy and the certificates that the system trusts.
	Transport http.RoundTripper

	// Log receives what goes wrong. Nil means slog.Default().
	Log *slog.Logger
}

// Nodes is this node's connection to the others. It is safe for concurrent
// use.
type Nodes struct {
	self      uuid.UUID
	own       map[string]*queue // what this node tells itself, by kind
	conn      *nats.Conn        // to the others; nil for a node that is alone
	closed    chan struct{}     // when conn has ended all its work
	hintKey   []byte
	forward   forwarder
	missed    chan struct{} // some hints may have been lost
	log       *slog.Logger
	sometimes rate.Sometimes // for lines that a stranger could cause
}

const leastSecret = 32

// Open connects to the other nodes. It does not wait for a server that cannot
// be reached: the console works without hints, only slower, and the connection
// is made as soon as it can be.
func Open(o Options) (*Nodes, error) {
	if len(o.Secret) < leastSecret {
		return nil, fmt.Errorf("connecting to other nodes: the secret has %d bytes, at least %d are needed", len(o.Secret), leastSecret)
	}
	n := &Nodes{self: o.Self, own: map[string]*queue{}, closed: make(chan struct{}), missed: make(chan struct{}, 1), log: o.Log,
		hintKey: derive(o.Secret, "hints"), sometimes: rate.Sometimes{First: 1, Interval: time.Minute}}
	if n.log == nil {
		n.log = slog.Default()
	}
	n.forward = newForwarder(o.Self, derive(o.Secret, "forwarding"), o.Transport, n.log)
	for kind := range subjects {
		n.own[kind] = &queue{wake: make(chan struct{}, 1)}
	}
	if o.URL == "" {
		return n, nil
	}
	conn, err := nats.Connect(o.URL,
		nats.NoEcho(), // what it says itself it hears at once
		nats.Name("deskside-console "+o.Self.String()),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(500*time.Millisecond),
		nats.ReconnectBufSize(-1), // a hint that waited is worth nothing
		nats.RetryOnFailedConnect(true),
		nats.IgnoreAuthErrorAbort(), // who is not let in for a while asks again
		nats.ConnectHandler(func(*nats.Conn) { n.mayHaveMissed() }),
		nats.ReconnectHandler(func(*nats.Conn) {
			n.log.Info("connected to the other nodes again")
			n.mayHaveMissed()
		}),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				n.log.Warn("the connection to the other nodes broke; everything is slower until it is back", "error", err)
			}
		}),
		nats.ReconnectErrHandler(func(_ *nats.Conn, err error) {
			n.sometimes.Do(func() { n.log.Warn("the other nodes cannot be reached", "error", err) })
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			n.sometimes.Do(func() { n.log.Warn("hints were lost", "error", err) })
			n.mayHaveMissed()
		}),
		nats.ClosedHandler(func(*nats.Conn) { close(n.closed) }),
	)
	if err != nil {
		return nil, fmt.Errorf("connecting to other nodes: %w", err)
	}
	n.conn = conn
	return n, nil
}

// Close ends the connection. Run ends it too.
func (n *Nodes) Close() {
	if n.conn != nil {
		n.conn.Close()
		<-n.closed
	}
}

// Run hands the hints that arrive to the handlers until ctx ends: those of a kind in one
// goroutine for what this node says, and in one for what others do.
func (n *Nodes) Run(ctx context.Context, h Handlers) error {
	defer n.Close()
	ctx, cancel := context.WithCancel(ctx)
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	for kind, fn := range n.takers(h) {
		group.Go(func() { n.own[kind].run(ctx, func(subject string, body []byte) { n.take(subject, fn, body) }) })
		if n.conn != nil {
			if err := n.subscribe(kind, fn); err != nil {
				return fmt.Errorf("listening to other nodes: %w", err)
			}
		}
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-n.missed:
			if h.Lost != nil {
				h.Lost()
			}
		}
	}
}

// mayHaveMissed makes Run say so, once for many.
func (n *Nodes) mayHaveMissed() {
	select {
	case n.missed <- struct{}{}:
	default:
	}
}

// derive makes a key for one purpose from the shared secret.
func derive(secret []byte, purpose string) []byte {
	m := hmac.New(sha256.New, secret)
	m.Write([]byte("deskside/nodes/1/" + purpose))
	return m.Sum(nil)
}
