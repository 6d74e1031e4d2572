package nodes

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

var secret = bytes.Repeat([]byte("k"), 32)

// natsServer starts a server on the loopback interface; port -1 is any.
func natsServer(t *testing.T, port int) *server.Server {
	t.Helper()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: port, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("the NATS server did not start")
	}
	t.Cleanup(func() { stop(s) })
	return s
}

func stop(s *server.Server) {
	s.Shutdown()
	s.WaitForShutdown()
}

// A heard is what a node's handlers were called with.
type heard struct {
	what chan string
	lost atomic.Int32
}

// node opens a node whose handlers write down what they hear, and waits until
// it listens.
func node(t *testing.T, o Options) (*Nodes, *heard) {
	t.Helper()
	if o.Self == uuid.Nil {
		o.Self = uuid.New()
	}
	if o.Secret == nil {
		o.Secret = secret
	}
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	n, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	h := &heard{what: make(chan string, 10_000)}
	run(t, n, Handlers{
		Work:  func(m uuid.UUID) { h.what <- "work " + m.String() },
		Asked: func(q uuid.UUID) { h.what <- "asked " + q.String() },
		Watch: func(m uuid.UUID, until time.Time) { h.what <- fmt.Sprint("watch ", m, until.UnixMicro()) },
		Check: func(m, p uuid.UUID, name string) { h.what <- fmt.Sprint("check ", m, p, name) },
		Changed: func(c []Change) {
			for _, c := range c {
				h.what <- fmt.Sprint("changed ", c.Organisation, c.Kind, c.ID)
			}
		},
		Live: func(o, m uuid.UUID, p []byte) { h.what <- fmt.Sprint("live ", o, m, string(p)) },
		Lost: func() { h.lost.Add(1) },
	})
	return n, h
}

// run runs a node until the test ends.
func run(t *testing.T, n *Nodes, h Handlers) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx, h) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	want := len(n.takers(h))
	eventually(t, "the node listens", func() bool {
		heard := 0
		for _, q := range n.own {
			q.mu.Lock()
			if q.heard {
				heard++
			}
			q.mu.Unlock()
		}
		return heard == want && (n.conn == nil || n.conn.NumSubscriptions() == want)
	})
	if n.conn != nil && n.conn.IsConnected() {
		if err := n.conn.Flush(); err != nil { // the server knows, too
			t.Fatal(err)
		}
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(15 * time.Second)
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("not within 15 seconds: %s", what)
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// next returns so many things that were heard, sorted: kinds travel on their own.
func (h *heard) next(t *testing.T, n int) []string {
	t.Helper()
	var all []string
	for range n {
		select {
		case s := <-h.what:
			all = append(all, s)
		case <-time.After(10 * time.Second):
			t.Fatalf("heard only %q", all)
		}
	}
	slices.Sort(all)
	return all
}

// silent checks that nothing else was heard. Hints of one kind keep their
// order, so one of each kind flushes what came before.
func (h *heard) silent(t *testing.T, from *Nodes) {
	t.Helper()
	last := say(from)
	if got := h.next(t, len(last)); !slices.Equal(got, last) {
		t.Errorf("heard %q, want %q", got, last)
	}
}

// say gives one hint of every kind and returns what should be heard.
func say(n *Nodes) []string {
	m, o, id := uuid.New(), uuid.New(), uuid.New()
	until := time.Now().Add(15 * time.Second)
	n.Work(m)
	n.Asked(id)
	n.Watch(m, until)
	n.Check(m, id, "Żaneta")
	n.Changed([]Change{{o, "ticket", id}})
	if err := n.Live(o, m, []byte("payload")); err != nil {
		panic(err)
	}
	want := []string{"work " + m.String(), "asked " + id.String(), fmt.Sprint("watch ", m, until.UnixMicro()), fmt.Sprint("check ", m, id, "Żaneta"), fmt.Sprint("changed ", o, "ticket", id), fmt.Sprint("live ", o, m, "payload")}
	slices.Sort(want)
	return want
}

// Alone, a node hears its own hints, and needs nobody else for it.
func TestAlone(t *testing.T) {
	n, h := node(t, Options{})
	if got, want := say(n), h.next(t, 6); !slices.Equal(got, want) {
		t.Errorf("heard %q, want %q", want, got)
	}
	other, heardOther := node(t, Options{}) // another process on the same computer
	say(n)
	h.next(t, 6)
	heardOther.silent(t, other)
}

func TestTwoNodes(t *testing.T) {
	s := natsServer(t, -1)
	a, hearA := node(t, Options{URL: s.ClientURL()})
	b, hearB := node(t, Options{URL: s.ClientURL()})
	for _, n := range []*Nodes{a, b} {
		want := say(n)
		for _, h := range []*heard{hearA, hearB} {
			if got := h.next(t, 6); !slices.Equal(got, want) {
				t.Errorf("heard %q, want %q", got, want)
			}
		}
	}
	hearA.silent(t, a) // each thing once, also at home
	hearB.next(t, 6)
}

func TestManyChanges(t *testing.T) {
	n, err := Open(Options{Self: uuid.New(), Secret: secret})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	left := map[Change]bool{}
	messages := 0
	run(t, n, Handlers{Changed: func(list []Change) {
		mu.Lock()
		defer mu.Unlock()
		messages++
		for _, c := range list {
			if c.Organisation != list[0].Organisation || !left[c] {
				t.Errorf("%v was not said, or of two organisations at once", c)
			}
			delete(left, c)
		}
	}})
	var list []Change
	organisations := []uuid.UUID{uuid.New(), uuid.New(), uuid.New()}
	mu.Lock()
	for i := range 5000 {
		c := Change{organisations[i%3], []string{"machine", "", "kind"}[i%3], uuid.New()}
		left[c] = true
		list = append(list, c)
	}
	mu.Unlock()
	n.Changed(list)
	n.Changed(nil)
	eventually(t, "all changes are heard", func() bool { mu.Lock(); defer mu.Unlock(); return len(left) == 0 })
	if messages != 6 {
		t.Errorf("%d messages", messages)
	}
}

func TestLiveSize(t *testing.T) {
	n, h := node(t, Options{})
	if err := n.Live(uuid.Nil, uuid.Nil, make([]byte, mostLive+1)); err != ErrLiveSize {
		t.Errorf("got %v", err)
	}
	if err := n.Live(uuid.Nil, uuid.Nil, make([]byte, mostLive)); err != nil {
		t.Error(err)
	}
	if got := h.next(t, 1)[0]; len(got) < mostLive {
		t.Errorf("%d bytes arrived", len(got))
	}
}

// Whoever reaches the NATS server without the secret changes nothing.
func TestForgedHints(t *testing.T) {
	s := natsServer(t, -1)
	n, h := node(t, Options{URL: s.ClientURL()})
	stranger, hearStranger := node(t, Options{URL: s.ClientURL(), Secret: bytes.Repeat([]byte("x"), 32)})

	want := say(n) // not understood by the stranger
	if got := h.next(t, 6); !slices.Equal(got, want) {
		t.Errorf("heard %q, want %q", got, want)
	}
	want = say(stranger) // believed by itself only
	if got := hearStranger.next(t, 6); !slices.Equal(got, want) {
		t.Errorf("heard %q, want %q", got, want)
	}

	conn, err := nats.Connect(s.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	machine := uuid.New()
	raw := func(subject string, at time.Time, body []byte) []byte {
		m := append(be64(at), body...)
		return append(n.mac(subject, m), m...)
	}
	send := func(subject string, data []byte) {
		if err := conn.Publish(subject, data); err != nil {
			t.Error(err)
		}
	}
	for _, subject := range []string{"work", "watch", "changed." + machine.String(), "live." + machine.String()} {
		for _, data := range [][]byte{nil, []byte("x"), machine[:], make([]byte, 200)} {
			send(subject, data)
		}
		// A node's own, but old, of the future, of another subject, or cut.
		body := append(machine[:], be64(time.Now())...)
		send(subject, raw(subject, time.Now().Add(-oldest-time.Minute), body))
		send(subject, raw(subject, time.Now().Add(oldest+time.Minute), body))
		send(subject, raw("other", time.Now(), body))
		send(subject, raw(subject, time.Now(), machine[:3]))
	}
	send("work", raw("work", time.Now(), append(machine[:], 0)))
	send("watch", raw("watch", time.Now(), machine[:]))
	send("changed.*.x", raw("changed.*.x", time.Now(), nil))
	send("changed.nonsense", raw("changed.nonsense", time.Now(), nil))
	send("live.nonsense", raw("live.nonsense", time.Now(), machine[:]))
	send("changed."+machine.String(), raw("changed."+machine.String(), time.Now(), append(machine[:], 200, 'x')))
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	h.silent(t, n)
	hearStranger.silent(t, stranger)
}

func be64(t time.Time) []byte {
	u := uint64(t.UnixMicro())
	b := make([]byte, 8)
	for i := range b {
		b[i] = byte(u >> (56 - 8*i))
	}
	return b
}

// The server goes away and comes back: hints are lost meanwhile, nobody waits
// for it, and afterwards the node is told and works again.
func TestServerGone(t *testing.T) {
	s := natsServer(t, -1)
	port := s.Addr().(*net.TCPAddr).Port
	a, hearA := node(t, Options{URL: s.ClientURL()})
	b, hearB := node(t, Options{URL: s.ClientURL()})
	say(a)
	hearA.next(t, 6)
	hearB.next(t, 6)
	before := hearA.lost.Load()

	stop(s)
	eventually(t, "both nodes notice", func() bool { return !a.conn.IsConnected() && !b.conn.IsConnected() })
	began := time.Now()
	for range 100 {
		say(a)
		hearA.next(t, 6) // what it says itself it hears all the same
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("600 hints to nowhere took %v", took)
	}

	natsServer(t, port)
	eventually(t, "both nodes are back and say that they missed something", func() bool {
		return a.conn.IsConnected() && b.conn.IsConnected() && hearA.lost.Load() > before && hearB.lost.Load() > 0
	})
	if err := errors.Join(a.conn.Flush(), b.conn.Flush()); err != nil {
		t.Fatal(err)
	}
	want := say(b)
	if got := hearA.next(t, 6); !slices.Equal(got, want) {
		t.Errorf("heard %q, want %q", got, want)
	}
}

// A console starts although the server is not there yet.
func TestServerLate(t *testing.T) {
	s := natsServer(t, -1)
	port, address := s.Addr().(*net.TCPAddr).Port, s.ClientURL()
	stop(s)
	n, h := node(t, Options{URL: address})
	say(n)
	h.next(t, 6)
	natsServer(t, port)
	eventually(t, "the node is connected and was told", func() bool { return n.conn.IsConnected() && h.lost.Load() > 0 })
	h.silent(t, n)
}

// A handler that hangs loses hints; it never holds up whoever gives them.
func TestHandlerHangs(t *testing.T) {
	n, err := Open(Options{Self: uuid.New(), Secret: secret, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	release := make(chan struct{})
	var lost atomic.Int32
	var works atomic.Int32
	run(t, n, Handlers{
		Live: func(_, _ uuid.UUID, _ []byte) { <-release },
		Work: func(uuid.UUID) { works.Add(1) },
		Lost: func() { lost.Add(1) },
	})
	t.Cleanup(func() { close(release) }) // before run's, which waits for the handler
	payload := make([]byte, mostLive)
	began := time.Now()
	for range 300 { // 150 MiB
		if err := n.Live(uuid.Nil, uuid.Nil, payload); err != nil {
			t.Fatal(err)
		}
	}
	n.Work(uuid.Nil)
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("giving 300 hints took %v", took)
	}
	eventually(t, "the node is told, and other hints arrive", func() bool { return lost.Load() > 1 && works.Load() == 1 })
}

func TestOpenRefuses(t *testing.T) {
	for _, o := range []Options{{Secret: secret[1:]}, {Secret: nil}, {Secret: secret, URL: "nats://%zz"}} {
		if n, err := Open(o); err == nil {
			n.Close()
			t.Errorf("%+v was accepted", o)
		}
	}
}
