package link

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"net/http"
	"time"

	"github.com/gorilla/websocket"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/protocol"
)

const capabilities = protocol.CanRun | protocol.CanAnswer | protocol.CanWatch | protocol.CanTerminal

// ServeHTTP takes a machine. It returns after the upgrade: an idle line costs
// one goroutine and its buffers.
func (l *Lines) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.TLS == nil {
		http.Error(w, "machines speak TLS", http.StatusUpgradeRequired)
		return
	}
	channel, err := r.TLS.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32)
	if err != nil {
		http.Error(w, "machines speak TLS 1.3", http.StatusUpgradeRequired)
		return
	}
	if !l.enter() {
		w.Header().Set("Retry-After", "5")
		http.Error(w, "this console is going down", http.StatusServiceUnavailable)
		return
	}
	ws, err := l.upgrader.Upgrade(w, r, nil)
	if err != nil {
		l.wait.Done()
		return
	}
	g := &greeting{ws: ws, channel: channel, address: r.RemoteAddr, host: r.Host}
	go func() {
		defer l.wait.Done()
		l.greet(g)
	}()
}

func (l *Lines) enter() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.wait.Add(1)
	return true
}

// Drop closes every line; the machines come back at once.
func (l *Lines) Drop() {
	l.mu.Lock()
	lines := make([]*line, 0, len(l.lines))
	for _, c := range l.lines {
		lines = append(lines, c)
	}
	l.mu.Unlock()
	for _, c := range lines {
		c.close()
	}
}

func (l *Lines) closeAll() {
	l.mu.Lock()
	l.closed = true
	close(l.down)
	l.mu.Unlock()
	l.Drop()
}

// greeting is a hello in progress.
type greeting struct {
	ws      *websocket.Conn
	hello   protocol.Hello
	id      protocol.Identify
	channel []byte
	address string // from which it comes
	host    string // that was dialled
}

// greet does the hello and then whatever the connection is for.
func (l *Lines) greet(g *greeting) {
	ctx, ws := context.Background(), g.ws
	if err := l.hello(ctx, g); err != nil {
		refuse(ws, err)
		return
	}
	m, err := readFrame(ws, protocol.MaxHelloFrame)
	if err != nil {
		ws.Close()
		return
	}
	switch m.Kind {
	case protocol.KindEnrol:
		err = l.enrol(ctx, g, m)
	case protocol.KindProof:
		err = l.prove(ctx, g, m)
	default:
		err = protocol.Refused{Code: protocol.CodeMalformed, Text: "A proof or an enrolment was due."}
	}
	if err != nil {
		refuse(ws, err)
	}
}

func (l *Lines) hello(ctx context.Context, g *greeting) error {
	g.ws.SetReadLimit(protocol.MaxHelloFrame)
	if err := g.ws.SetReadDeadline(time.Now().Add(helloTime)); err != nil {
		return err
	}
	m, err := readFrame(g.ws, protocol.MaxHelloFrame)
	if err != nil {
		return err
	}
	if m.Kind != protocol.KindHello {
		return protocol.Refused{Code: protocol.CodeBadHello, Text: "A connection begins with a hello."}
	}
	if err := protocol.Unmarshal(m.Body, &g.hello); err != nil {
		return protocol.Refused{Code: protocol.CodeBadHello, Text: "The hello cannot be read."}
	}
	if err := g.hello.Check(); err != nil {
		return err
	}
	stamp, err := l.certificate.get(l.store.Now())
	if err != nil {
		return err
	}
	g.id = protocol.Identify{
		Version: protocol.Version, Capabilities: capabilities, Nonce: protocol.Nonce(),
		Identity: l.keys.Identity.Public().(ed25519.PublicKey), Stamp: stamp,
	}
	if g.id.Trust, err = l.introduce(ctx, g.hello); err != nil {
		return err
	}
	transcript, err := protocol.TranscriptOf(g.hello, g.id, g.channel, protocol.RoleConsole)
	if err != nil {
		return err
	}
	g.id.Signature = ed25519.Sign(l.keys.Identity, transcript)
	return write(g.ws, protocol.KindIdentify, g.id)
}

// introduce is what a machine is shown whose trust file does not name this console: the
// files since, by which it is the organisation's. Nobody has proven anything yet, so they
// are shown only to who knows a machine's key; they name people.
func (l *Lines) introduce(ctx context.Context, h protocol.Hello) ([][]byte, error) {
	if h.Trust == 0 {
		return nil, nil
	}
	named, err := l.handlers.Names(ctx, h.Organisation, h.Trust)
	if named || err != nil {
		return nil, err
	}
	machine, err := l.handlers.Machine(ctx, h.Machine)
	var problem *model.Problem
	if errors.As(err, &problem) || err == nil && (machine.Organisation != h.Organisation || !bytes.Equal(machine.Key, h.Key)) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	files, err := l.handlers.Trust(ctx, h.Organisation, h.Trust)
	return fitting(files), err
}

// proven checks a signature of the machine over this hello.
func (g *greeting) proven(key, signature []byte) bool {
	transcript, err := protocol.TranscriptOf(g.hello, g.id, g.channel, protocol.RoleAgent)
	return err == nil && len(key) == ed25519.PublicKeySize && ed25519.Verify(key, transcript, signature)
}

func (l *Lines) enrol(ctx context.Context, g *greeting, m protocol.Message) error {
	var e protocol.Enrol
	if err := protocol.Unmarshal(m.Body, &e); err != nil {
		return protocol.Refused{Code: protocol.CodeMalformed, Text: "The enrolment cannot be read."}
	}
	if !g.proven(g.hello.Key, e.Signature) {
		return protocol.Refused{Code: protocol.CodeBadProof, Text: "The machine did not prove that the new key is its own."}
	}
	machine, err := l.handlers.Enrol(ctx, model.Newcomer{
		Organisation: g.hello.Organisation, Secret: e.Secret, Key: g.hello.Key, Name: e.Name, OS: osOf(e.OS),
		Agent: e.Agent, Address: g.address, Hardware: e.Hardware,
	})
	if err != nil {
		return err
	}
	files, err := l.handlers.Trust(ctx, machine.Organisation, 0)
	if err != nil {
		return err
	}
	err = write(g.ws, protocol.KindEnrolled, protocol.Enrolled{
		Machine: machine.ID, Organisation: machine.Organisation, Name: machine.Name, Trust: fitting(files)})
	g.ws.Close()
	return err
}

var errUnknownKey = protocol.Refused{Code: protocol.CodeUnknownKey,
	Text: "This console does not know the machine. It was removed, or it was enrolled somewhere else."}

var errRevoked = protocol.Refused{Code: protocol.CodeRevoked, Text: "This machine was taken off the console."}

func (l *Lines) prove(ctx context.Context, g *greeting, m protocol.Message) error {
	var p protocol.Proof
	if err := protocol.Unmarshal(m.Body, &p); err != nil {
		return protocol.Refused{Code: protocol.CodeMalformed, Text: "The proof cannot be read."}
	}
	machine, err := l.handlers.Machine(ctx, g.hello.Machine)
	var problem *model.Problem
	if errors.As(err, &problem) || (err == nil && machine.Organisation != g.hello.Organisation) {
		return errUnknownKey
	}
	if err != nil {
		return err
	}
	// The key is the one we know, not the one in the hello: a machine that
	// gives another one's id signs with the wrong key.
	if string(machine.Key) != string(g.hello.Key) || !g.proven(machine.Key, p.Signature) {
		return protocol.Refused{Code: protocol.CodeBadProof, Text: "The machine is not the one it says it is."}
	}
	if machine.Revoked {
		return errRevoked
	}
	l.handlers.Known(g.address)
	from := model.From{Organisation: machine.Organisation, Machine: machine.ID, At: l.store.Now()}
	if p.Purpose == protocol.ForSession {
		return l.session(ctx, g, from, p)
	}
	return l.serve(ctx, g, from, p)
}

func (l *Lines) session(ctx context.Context, g *greeting, from model.From, p protocol.Proof) error {
	welcome := protocol.Welcome{Machine: from.Machine, Clock: l.store.Now().UnixMicro(), Node: l.node}
	if err := write(g.ws, protocol.KindWelcome, welcome); err != nil {
		return err
	}
	if err := errors.Join(g.ws.SetReadDeadline(time.Time{}), g.ws.SetWriteDeadline(time.Time{})); err != nil {
		return err
	}
	return l.handlers.Session(ctx, from, p.Session, p.Token, g.ws)
}

// serve begins the line of a machine.
func (l *Lines) serve(ctx context.Context, g *greeting, from model.From, p protocol.Proof) error {
	c := &line{lines: l, ws: g.ws, from: from, address: g.address, host: g.host, epoch: p.Epoch, told: map[model.ID]bool{}}
	a, err := l.begin(c, helloOf(from, l.node, g.hello, p))
	if err != nil {
		refuse(c.ws, err)
		l.giveUp(ctx, a)
		return nil
	}
	l.welcome(ctx, a)
	since := a.Since
	// The hello went deep. The life of the line has a stack of its own, which stays
	// small, and keeps nothing of the greeting.
	l.wait.Go(func() { l.live(ctx, c, since) })
	return nil
}

// giveUp ends a line that was not welcomed. It may be written down all the same: what
// failed was read after that. Where not even that is known, Held finds it.
func (l *Lines) giveUp(ctx context.Context, a *arrival) {
	if a.Since.IsZero() {
		l.forget(a.line)
		return
	}
	l.leave(ctx, a.line, a.Since)
}

// welcome says welcome, and what there is for the machine to do.
func (l *Lines) welcome(ctx context.Context, a *arrival) {
	c := a.line
	c.setBeat(a.Beat)
	c.blind = a.Blind
	c.put(protocol.KindWelcome, protocol.Welcome{Machine: c.from.Machine, Clock: l.store.Now().UnixMicro(), Marks: a.marks, Digests: a.digests,
		Wanted: a.Wanted, Node: l.node})
	if a.waiting || c.wasHinted() {
		l.flush(ctx, c)
	}
}

// live reads the line to its end, and writes that down.
func (l *Lines) live(ctx context.Context, c *line, since time.Time) {
	err := c.loop(ctx)
	var refused protocol.Refused
	if errors.As(err, &refused) {
		c.put(protocol.KindRefused, refused)
	}
	c.hangUp()
	l.leave(ctx, c, since)
}

const (
	leaveFirst = time.Second // how long after a failure the end of a line is written again
	leaveMost  = time.Minute
)

// leave writes down that a line which began at since has ended, unless a newer
// one took its place. What the database does not take is tried again: the machine
// would be online for ever. For one that came back meanwhile it has no effect. A
// console that goes down gives up all its machines by its lease.
func (l *Lines) leave(ctx context.Context, c *line, since time.Time) {
	if !l.forget(c) {
		return
	}
	for wait := leaveFirst; !l.goingDown(); wait = min(2*wait, leaveMost) {
		err := l.handlers.Disconnected(ctx, c.from, since, c.reason(), c.silent)
		if err == nil {
			return
		}
		l.log.Error("cannot write down that a line ended", "machine", c.from.Machine, "error", err)
		if !errors.Is(err, store.ErrUnavailable) {
			return
		}
		select {
		case <-l.down:
		case <-time.After(wait):
		}
	}
}

func (l *Lines) goingDown() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed
}

// replace makes c the line of its machine. The newer one wins: the older is
// told so and does not come back at once, so the two do not fight.
func (l *Lines) replace(c *line) {
	l.mu.Lock()
	old := l.lines[c.from.Machine]
	l.lines[c.from.Machine] = c
	closed := l.closed
	l.mu.Unlock()
	if old != nil {
		old.giveWay()
	}
	if closed {
		c.close()
	}
}

// giveWay ends a line for a newer one of its machine.
func (c *line) giveWay() {
	c.put(protocol.KindRefused, protocol.Refused{Code: protocol.CodeNewerLine, RetryAfter: 300,
		Text: "Another connection with the key of this machine has taken over."})
	time.AfterFunc(time.Second, c.close)
}

// forget removes c, if it is still the line of its machine.
func (l *Lines) forget(c *line) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lines[c.from.Machine] != c {
		return false
	}
	delete(l.lines, c.from.Machine)
	return true
}

// SetBeat tells how often a machine beats, so that its silence is noticed.
func (l *Lines) SetBeat(machine model.ID, beat time.Duration) {
	if c := l.get(machine); c != nil {
		c.setBeat(beat)
	}
}

func write(ws *websocket.Conn, kind protocol.Kind, body any) error {
	frame, err := protocol.Encode(kind, body)
	if err != nil {
		return err
	}
	if err := ws.SetWriteDeadline(time.Now().Add(helloTime)); err != nil {
		return err
	}
	return ws.WriteMessage(websocket.BinaryMessage, frame)
}

// refuse says why not, as far as it may be said, and hangs up.
func refuse(ws *websocket.Conn, err error) {
	defer ws.Close()
	var refused protocol.Refused
	var problem *model.Problem
	switch {
	case errors.As(err, &refused):
	case errors.As(err, &problem):
		refused = protocol.Refused{Code: problem.Code, Text: problem.Text}
	case errors.Is(err, store.ErrUnavailable):
		refused = protocol.Refused{Code: protocol.CodeBusy, Text: "The console's database cannot be reached.", RetryAfter: 10}
	case errors.Is(err, protocol.ErrMalformed), errors.Is(err, protocol.ErrTooLarge):
		refused = protocol.Refused{Code: protocol.CodeMalformed, Text: err.Error()}
	default:
		refused = protocol.Refused{Code: protocol.CodeBusy, Text: "The console cannot take the machine now.", RetryAfter: 30}
	}
	if write(ws, protocol.KindRefused, refused) == nil {
		ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.ClosePolicyViolation, refused.Code), time.Now().Add(time.Second))
	}
}
