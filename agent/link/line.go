package link

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/deskside/deskside/agent/gate"
	"github.com/deskside/deskside/agent/state"
	"github.com/deskside/deskside/protocol"
)

// Handlers are the calls out of a line. They are called one at a time, from the
// line's reader, so they must not wait for anything slow.
type Handlers struct {
	// Proof fills in what the console wants to know before it says welcome.
	Proof func() (protocol.Proof, error)
	// Welcome is called for each accepted connection.
	Welcome func(protocol.Welcome)
	// Act does what the gate let in.
	Act func(gate.Admitted)
	// Refused hears what the gate turned away.
	Refused func(*gate.Refusal)
	// HelpLink answers an earlier request for a help link.
	HelpLink func(protocol.HelpLink)
}

// Line is the long-lived connection of a machine to its console. Make it with
// [New], then [Line.Run] it; the other methods may be called from anywhere, at
// any time.
type Line struct {
	console  string
	me       Me
	state    *state.State
	gate     *gate.Gate
	handlers Handlers
	log      *slog.Logger

	wake  chan struct{} // the outbox has something
	out   chan []byte   // volatile frames
	beats chan []byte   // and those that none of them may hold up

	woken chan struct{} // the machine is awake again

	mu     sync.Mutex
	up     bool
	silent time.Duration // no answer for so long means that the line is dead
	ahead  time.Duration // by how much the console's clock is ahead, less whole paces
	ends   int           // quiet lines that ended early, one after the other
	leave  string        // reason of the goodbye when Run's context ends
	asleep bool
	now    *connection // nil: none is there or on its way
}

// New makes a line for an enrolled machine.
func New(id state.Identity, capabilities protocol.Capability, s *state.State, g *gate.Gate, h Handlers, log *slog.Logger) *Line {
	return &Line{
		console: id.Console,
		me: Me{Organisation: id.Organisation, Machine: id.Machine, Key: id.Private(),
			Trust: g, Capabilities: capabilities},
		state: s, gate: g, handlers: h, log: log, silent: protocol.Silence(protocol.UsualBeat),
		wake: make(chan struct{}, 1), woken: make(chan struct{}, 1), out: make(chan []byte, 256),
		beats: make(chan []byte, 1),
	}
}

// Through sets how the line and sessions dial. Call it before Run.
func (l *Line) Through(dial func(ctx context.Context, network, address string) (net.Conn, error)) {
	l.me.Dial = dial
}

// Console is the address of the console, and Me who the machine says it is; a
// session dials with them.
func (l *Line) Console() (string, Me) { return l.console, l.me }

// Wake says that the outbox has something to send.
func (l *Line) Wake() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Send puts a volatile message on the line. It never waits: without a line, or
// when the line is too slow, the message is lost and Send says false.
func (l *Line) Send(kind protocol.Kind, body any) bool {
	if !l.Up() {
		return false
	}
	frame, err := protocol.Encode(kind, body)
	if err != nil {
		l.log.Error("cannot encode a message", "kind", kind, "error", err)
		return false
	}
	to := l.out
	if kind == protocol.KindBeat {
		to = l.beats
	}
	select {
	case to <- frame:
		return true
	default:
		return false
	}
}

// Up tells whether the console has welcomed us.
func (l *Line) Up() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.up
}

// SetBeat sets how often the agent beats, which decides for how long a line may be
// silent.
func (l *Line) SetBeat(beat time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.silent = protocol.Silence(beat)
}

const (
	quietLine = 10 * time.Second // what ends after so long without a message may have ended for that
	hastyBeat = 15 * time.Second // on a network that ends what is quiet
	hastyEnds = 2                // such ends of lines, one after the other, make a network hasty
)

// Beat is how often to beat where the console wants one every beat: more often, if
// something on the way, a proxy perhaps, ends lines that are quiet for less.
func (l *Line) Beat(beat time.Duration) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ends >= hastyEnds {
		return min(beat, hastyBeat)
	}
	return beat
}

// Pace is how close together machines do what they do each round. A console that holds
// thousands of them wakes four times a second for all, rather than for each: waking is
// most of what a beat costs it.
const Pace = 250 * time.Millisecond

// Align moves a moment to the nearest one at which the machines of the console do their
// rounds, by its clock, as far as that is known. It is away by less than half of [Pace].
func (l *Line) Align(t time.Time) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	theirs := t.Add(l.ahead)
	return t.Add(theirs.Round(Pace).Sub(theirs))
}

// setClock learns the clock of the console from what has just come.
func (l *Line) setClock(clock int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ahead = time.Until(time.UnixMicro(clock)) % Pace
}

// ended learns from the end of a line what the network on the way is like.
func (l *Line) ended(began, heard time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	quiet := time.Since(heard)
	switch short := time.Since(began) < 2*l.silent; {
	case l.ends >= hastyEnds: // it is, for as long as this agent runs
	case short && quiet >= quietLine && quiet < l.silent:
		l.ends++
	default:
		l.ends = 0
	}
}

// Leave makes the line say goodbye when Run's context ends, and at no other time:
// a line that broke, or that the console does not answer, was not left.
func (l *Line) Leave(reason string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.leave = reason
}

// Run keeps the line up until ctx ends.
func (l *Line) Run(ctx context.Context) error {
	var pause backoff
	for {
		welcomed, err := l.connect(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if welcomed {
			pause.reset()
		}
		wait := pause.wait(askedWait(err))
		l.log.Info("no line to the console", "error", err, "again_in", wait.Round(time.Millisecond))
		if l.rest(ctx, wait) {
			pause.reset()
		}
		if ctx.Err() != nil {
			return nil
		}
	}
}

func askedWait(err error) time.Duration {
	var unreachable *Unreachable
	if errors.As(err, &unreachable) {
		return unreachable.After
	}
	var refused protocol.Refused
	if errors.As(err, &refused) {
		switch refused.Code {
		case protocol.CodeUnknownKey, protocol.CodeRevoked:
			return time.Hour
		}
		return time.Duration(refused.RetryAfter) * time.Second
	}
	return 0
}

// once is one connection, from dialling to its end.
func (l *Line) once(ctx context.Context) (welcomed bool, err error) {
	c, err := dial(ctx, l.console, l.me, smallBuffer)
	if err != nil {
		return false, err
	}
	defer c.close()
	if err := c.keepShort(); err != nil {
		return false, &Unreachable{Err: err}
	}
	welcome, err := l.prove(c)
	if err != nil {
		return false, err
	}
	clock := time.UnixMicro(welcome.Clock)
	if c.identify.Stamp.Ended(clock) {
		return false, fmt.Errorf("the console's stamp key was good until %s, and by the console's clock it is %s",
			time.UnixMicro(c.identify.Stamp.Expires).UTC().Format(time.RFC3339), clock.UTC().Format(time.RFC3339))
	}
	l.gate.Line(c.identify.Stamp, clock)
	fresh, err := l.checkMarks(welcome)
	if err != nil || fresh {
		return true, err // a new epoch says hello again
	}
	began := time.Now()
	c.heard = began
	err = l.serve(ctx, c, welcome)
	if ctx.Err() == nil {
		l.ended(began, c.heard)
	}
	return true, err
}

func (l *Line) prove(c *conn) (protocol.Welcome, error) {
	var welcome protocol.Welcome
	proof, err := l.handlers.Proof()
	if err != nil {
		return welcome, err
	}
	proof.Purpose, proof.Clock = protocol.ForMachine, time.Now().UnixMicro()
	if proof.Signature, err = c.sign(l.me.Key); err != nil {
		return welcome, err
	}
	if err := c.send(protocol.KindProof, proof); err != nil {
		return welcome, err
	}
	return welcome, c.expect(protocol.KindWelcome, &welcome)
}

// checkMarks compares what the console has with what this machine has given: a
// machine that was set back to an older image starts a new epoch. Where it has
// written more since than it lost, its numbers are above the marks, but the
// entries at them are others. An entry that this machine does not know any more
// is no difference.
func (l *Line) checkMarks(w protocol.Welcome) (fresh bool, err error) {
	err = l.state.Update(func(tx *state.Tx) error {
		fresh = false
		same := map[protocol.Class]uint64{} // marks at which both ends have the same entry
		for class, mark := range w.Marks {
			if !class.Log() {
				continue
			}
			own, told := tx.Digest(class, mark), w.Digests[class]
			switch known := len(own) > 0 && len(told) > 0; {
			case tx.Next(class) <= mark, known && !bytes.Equal(own, told):
				fresh = true
			case known:
				same[class] = mark
			}
		}
		if !fresh {
			return tx.Acknowledge(protocol.Ack{Marks: w.Marks})
		}
		if err := tx.Acknowledge(protocol.Ack{Marks: same}); err != nil {
			return err
		}
		return tx.NewEpoch()
	})
	if fresh && err == nil {
		l.log.Warn("this machine was set back to an older image; its outbox starts a new epoch")
	}
	return fresh, err
}

// serve is the life of the line after its welcome. When stay ends the machine says
// goodbye; a line that ends by itself says none.
func (l *Line) serve(stay context.Context, c *conn, welcome protocol.Welcome) error {
	ctx, cancel := context.WithCancel(stay)
	defer cancel()
	l.drain()
	l.setUp(true)
	defer l.setUp(false)
	l.setClock(welcome.Clock)
	l.handlers.Welcome(welcome)
	c.ws.SetReadLimit(protocol.MaxFrame)
	renew := time.AfterFunc(renewAfter(c.identify.Stamp, welcome), c.close)
	defer renew.Stop()

	acks := make(chan protocol.Ack, 64)
	written := make(chan error, 1)
	go func() {
		err := l.write(ctx, c, acks)
		cancel()
		if err == nil && stay.Err() != nil {
			err = l.goodbye(c)
		}
		if err != nil {
			c.close() // ends the reader
		} else { // the console hangs up when it has read the goodbye
			time.AfterFunc(leaveTime, c.close)
		}
		written <- err
	}()
	err := l.read(ctx, c, acks)
	cancel()
	if werr := <-written; werr != nil {
		return werr
	}
	return err
}

// renewAfter is how long a line lives: with its certificate the console's stamp
// would end, and the next hello brings a new one.
func renewAfter(stamp protocol.StampKey, welcome protocol.Welcome) time.Duration {
	good := time.UnixMicro(stamp.Expires).Sub(time.UnixMicro(welcome.Clock))
	return good - min(time.Hour, good/2)
}

// leaveTime is how long the console has to hang up after a goodbye. Hanging up
// first, with something from the console still unread, would be a reset of the
// connection, in which the goodbye is lost.
const leaveTime = 2 * time.Second

func (l *Line) setUp(up bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.up = up
}

// drain forgets volatile frames of an earlier connection.
func (l *Line) drain() {
	for {
		select {
		case <-l.out:
		case <-l.beats:
		default:
			return
		}
	}
}

func (l *Line) deadline() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Now().Add(l.silent)
}

func (l *Line) read(ctx context.Context, c *conn, acks chan<- protocol.Ack) error {
	for {
		if err := c.ws.SetReadDeadline(l.deadline()); err != nil {
			return &Unreachable{Err: err}
		}
		m, err := c.read(protocol.MaxFrame)
		if err != nil {
			return err
		}
		c.heard = time.Now()
		if err := l.take(ctx, c, m, acks); err != nil {
			return err
		}
	}
}

func (l *Line) take(ctx context.Context, c *conn, m protocol.Message, acks chan<- protocol.Ack) error {
	switch m.Kind {
	case protocol.KindAck:
		var ack protocol.Ack
		if err := protocol.Unmarshal(m.Body, &ack); err != nil {
			return err
		}
		select {
		case acks <- ack:
		case <-ctx.Done():
		}
	case protocol.KindBeatAnswer:
		var a protocol.BeatAnswer
		if err := protocol.Unmarshal(m.Body, &a); err != nil {
			return err
		}
		l.setClock(a.Clock)
	case protocol.KindStamped:
		return l.takeStamped(m)
	case protocol.KindTrust:
		return l.takeTrust(c, m)
	case protocol.KindHelpLink:
		var link protocol.HelpLink
		if err := protocol.Unmarshal(m.Body, &link); err != nil {
			return err
		}
		l.handlers.HelpLink(link)
	case protocol.KindRefused:
		var r protocol.Refused
		if err := protocol.Unmarshal(m.Body, &r); err != nil {
			return err
		}
		return r
	}
	return nil // or a kind of a newer console
}

// takeTrust hands in what the organisation has signed since, and tells what holds now. A
// console that is no longer the organisation's is left.
func (l *Line) takeTrust(c *conn, m protocol.Message) error {
	var t protocol.Trust
	if err := protocol.Unmarshal(m.Body, &t); err != nil {
		return err
	}
	told, err := l.gate.Take(t)
	if err != nil {
		l.log.Warn("what the organisation is said to have signed does not hold", "reason", err)
	}
	if !c.ours(l.gate) {
		return fmt.Errorf("%w: the organisation's trust file does not name it", ErrOtherConsole)
	}
	l.Send(protocol.KindTrusted, told)
	return nil
}

func (l *Line) takeStamped(m protocol.Message) error {
	var s protocol.Stamped
	if err := protocol.Unmarshal(m.Body, &s); err != nil {
		return err
	}
	admitted, err := l.gate.Admit(s)
	var refusal *gate.Refusal
	switch {
	case errors.As(err, &refusal):
		l.log.Warn("refused", "kind", refusal.Kind, "code", refusal.Code, "reason", refusal.Text)
		l.handlers.Refused(refusal)
	case err != nil: // the machine's memory fails: nothing is done, the console asks again
		l.log.Error("cannot judge an order", "error", err)
	default:
		l.handlers.Act(admitted)
	}
	return nil
}
