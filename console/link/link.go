// Package link is the console's end of the conversation with machines. It
// upgrades and greets, keeps the lines, collects what machines tell into few
// transactions, and sends what the console wants done. It alone knows the wire:
// everything it hands on is in the words of package model.
//
// # Who comes
//
// Machines that prove who they are while others are written down go into the next
// transaction together. Two lines of one machine are written in the order in which
// they took each other's place. With the welcome goes what waits for the machine; a
// hint that comes before is remembered until then.
//
// # What machines tell
//
// Durable messages that come while one transaction is written go into the next
// together, across machines: some thousand at most, and one batch of each line. The
// [Handlers] take them in that transaction, in which the marks move too; only after
// the commit is anything acknowledged. A message at or below its mark was committed
// before: it is acknowledged and has no effect. A message that makes the transaction
// fail for its content is tried alone and, if it fails again, kept as refused and
// acknowledged.
//
// # What machines are told
//
// [Lines.Flush] asks the sources for what is pending for a machine and sends
// it. Connecting runs the same function, so a machine that was away misses
// nothing; a lost hint costs delay only. Sending never waits: each line has a
// list of 64 messages or 256 KiB, beyond which it is closed and the rows are
// sent again when it is back.
package link

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"log/slog"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/protocol"
)

// Path is where machines connect.
const Path = "/machine"

// Keys with which the console proves itself.
type Keys struct {
	Identity ed25519.PrivateKey
	Stamp    ed25519.PrivateKey
}

// certificate vouches for the stamp key. A console may run for longer than one lives.
type certificate struct {
	keys Keys

	mu    sync.Mutex
	now   protocol.StampKey
	since time.Time
}

// renewStamp is after which time hellos get another certificate: a line ends some
// time before the one that it began with.
const renewStamp = time.Hour

func (c *certificate) get(now time.Time) (protocol.StampKey, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	// By the time of day, as the machines judge it: the clock of this console may have
	// been wrong, and then nobody would be let in for as long as it was not looked at.
	now = now.Round(0)
	if age := now.Sub(c.since); age >= 0 && age < renewStamp {
		return c.now, nil
	}
	fresh, err := protocol.CertifyStamp(c.keys.Identity, c.keys.Stamp.Public().(ed25519.PublicKey), now.Add(-time.Hour), now.Add(protocol.MaxStampLife-2*time.Hour))
	if err == nil {
		c.now, c.since = fresh, now
	}
	return fresh, err
}

// Handlers are the calls out of link; app sets them once. Those with a Tx run
// inside the transaction that moves the marks: they touch nothing but it.
type Handlers struct {
	// Known hears that the connection from an address has proven to be a machine's.
	Known func(address string)
	// Machine returns name, key and organisation of a machine, and whether it was
	// expelled, or a *model.Problem.
	Machine func(ctx context.Context, machine model.ID) (model.Machine, error)
	// Enrol gives a newcomer a name, or returns a *model.Problem with one of the token codes.
	Enrol func(ctx context.Context, n model.Newcomer) (model.Machine, error)

	// Trust are the trust files of an organisation that follow on a version.
	Trust func(ctx context.Context, organisation model.ID, after uint64) ([][]byte, error)
	// Names tells whether a trust file of an organisation names this console, or none.
	Names func(ctx context.Context, organisation model.ID, version uint64) (bool, error)

	// Connected writes down that lines begin, each of a machine of its own, and tells
	// what becomes of each.
	Connected func(ctx context.Context, hellos []model.Hello) ([]model.Arrival, error)
	// Disconnected hears of the end of a line; silent: nothing had come for too long.
	Disconnected func(ctx context.Context, from model.From, since time.Time, reason model.OfflineReason, silent bool) error
	// Held hears from time to time whose lines a node holds, and tells of those that are
	// written down at another one whether the line there lives: who is written down beside
	// them has left, and it could not be written.
	Held func(ctx context.Context, node model.ID, now func() map[model.ID]bool) (elsewhere map[model.ID]bool, err error)

	Transitions func(tx *store.Tx, list []model.Transition) error
	Results     func(tx *store.Tx, list []model.Result) error
	Changes     func(tx *store.Tx, list []model.Change) error
	Losses      func(tx *store.Tx, list []model.Loss) error // what machines had to give up
	Journal     func(tx *store.Tx, list []model.JournalLine) error
	Sections    func(tx *store.Tx, list []model.Section) error
	History     func(tx *store.Tx, list []model.HistoryRow) error

	// Answers takes what machines answered to questions, some hundred at most.
	Answers func(ctx context.Context, list []model.Answer)
	// Judged hears whether a machine cannot judge all of its checks, whenever that is
	// other than what is written down.
	Judged func(ctx context.Context, from model.From, blind bool)
	Live   func(model.Live)
	Output func(model.Output)
	Taken  func(ctx context.Context, from model.From, run model.ID, at time.Time)
	// Trusted hears what holds at a machine after it was brought a *model.Trust.
	Trusted func(ctx context.Context, from model.From, t model.Trusted)
	Opened  func(ctx context.Context, o model.Opened)
	Ended   func(ctx context.Context, from model.From, session model.ID, text string)
	Help    func(ctx context.Context, from model.From, a model.Asker) (url string, err error)

	// Session takes over the socket of a session after its hello; it owns ws.
	Session func(ctx context.Context, from model.From, session model.ID, token []byte, ws *websocket.Conn) error

	// Pending are the sources of what a machine is to do; each returns acts in
	// the order in which they are to be sent.
	Pending []func(tx *store.Tx, from model.From) ([]model.Act, error)
	// Waiting are the same sources asked for many machines, all that a node holds where
	// among is nil: which may have something to do. It may name others too.
	Waiting []func(tx *store.Tx, node model.ID, among []model.ID) ([]model.ID, error)
	// Send hears of each act before it is put on the line; false means that it is
	// not to be sent now.
	Send func(ctx context.Context, a model.Act) bool
	// Sent hears of each act that was put on the line.
	Sent func(ctx context.Context, a model.Act)
}

// Lines are the connections of this node.
type Lines struct {
	store    *store.Store
	keys     Keys
	node     model.ID
	handlers Handlers
	log      *slog.Logger

	certificate certificate
	upgrader    websocket.Upgrader
	arrivals    *arrivals
	commits     *collector
	answers     *answers

	turns [turns]sync.Mutex // held while a line begins, by machine

	mu     sync.Mutex
	lines  map[model.ID]*line
	closed bool
	down   chan struct{} // closed with it
	wait   sync.WaitGroup
}

// maxTold is how many acts a line remembers to have sent before it looks which of them
// are still pending. A line may live for months, and there are many.
const maxTold = 64

// turns is how many lines may begin at once.
const turns = 256

// New makes the lines of a node. Handlers may be completed until Run is called.
func New(s *store.Store, keys Keys, node model.ID, log *slog.Logger) *Lines {
	l := &Lines{store: s, keys: keys, node: node, log: log, certificate: certificate{keys: keys},
		lines: map[model.ID]*line{}, down: make(chan struct{})}
	l.upgrader = websocket.Upgrader{
		HandshakeTimeout: helloTime,
		ReadBufferSize:   1 << 10, WriteBufferSize: 1 << 10,
		WriteBufferPool: &sync.Pool{},
	}
	l.arrivals = newArrivals(l)
	l.commits = newCollector(l)
	l.answers = newAnswers(l)
	return l
}

// SetHandlers sets the calls out; call it once, before Run.
func (l *Lines) SetHandlers(h Handlers) { l.handlers = h }

// Run works until ctx ends, then closes every line and waits for it.
func (l *Lines) Run(ctx context.Context) error {
	var group sync.WaitGroup
	group.Go(func() { l.arrivals.run(ctx) })
	group.Go(func() { l.commits.run(ctx) })
	group.Go(func() { l.answers.run(ctx) })
	group.Go(func() { l.scan(ctx) })
	<-ctx.Done()
	l.closeAll()
	group.Wait()
	l.wait.Wait()
	return nil
}

// scanEvery is how often all lines are looked at for work that a lost hint hid, and
// for machines that are written down as here and are not.
const scanEvery = 30 * time.Second

func (l *Lines) scan(ctx context.Context) {
	tick := time.NewTicker(scanEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			l.FlushWaiting(ctx)
			l.tellHeld(ctx)
		}
	}
}

// FlushWaiting sends what is pending to every machine of this node that has
// something to do.
func (l *Lines) FlushWaiting(ctx context.Context) {
	var waiting map[model.ID]bool
	err := l.store.View(ctx, store.System("link"), func(tx *store.Tx) (err error) {
		waiting, err = l.whoWaits(tx, nil)
		return err
	})
	if err != nil {
		if ctx.Err() == nil {
			l.log.Error("cannot read which machines have something to do", "error", err)
		}
		return
	}
	for id := range waiting {
		if ctx.Err() != nil {
			return
		}
		l.Flush(ctx, id)
	}
}

// tellHeld looks for machines that left unheard, and for lines that have a newer one at
// another node: two copies of a machine would both be given what it is to do.
func (l *Lines) tellHeld(ctx context.Context) {
	before := l.begun() // what is read later of one of these was written after it began
	elsewhere, err := l.handlers.Held(ctx, l.node, l.held)
	if err != nil && ctx.Err() == nil {
		l.log.Error("cannot look for machines that left unheard", "error", err)
	}
	for id, lives := range elsewhere {
		switch c := before[id]; {
		case c == nil:
		case lives:
			c.giveWay()
		default: // what was written later was the end of an older line: the machine is to be written down anew
			c.close()
		}
	}
}

// begun are the lines that are written down: whoever was welcomed is.
func (l *Lines) begun() map[model.ID]*line {
	l.mu.Lock()
	defer l.mu.Unlock()
	begun := make(map[model.ID]*line, len(l.lines))
	for id, c := range l.lines {
		if c.wasWelcomed() {
			begun[id] = c
		}
	}
	return begun
}

func (l *Lines) held() map[model.ID]bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	held := make(map[model.ID]bool, len(l.lines))
	for id := range l.lines {
		held[id] = true
	}
	return held
}

// whoWaits asks the sources which machines may have something to do, of all that this
// node holds or among some.
func (l *Lines) whoWaits(tx *store.Tx, among []model.ID) (map[model.ID]bool, error) {
	waiting := map[model.ID]bool{}
	for _, source := range l.handlers.Waiting {
		machines, err := source(tx, l.node, among)
		if err != nil {
			return nil, err
		}
		for _, id := range machines {
			waiting[id] = true
		}
	}
	return waiting, nil
}

// Machines lists the machines whose lines this node holds.
func (l *Lines) Machines() []model.From {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := make([]model.From, 0, len(l.lines))
	for _, c := range l.lines {
		list = append(list, c.from)
	}
	return list
}

// Holds tells whether this node holds the machine's line, and who it is.
func (l *Lines) Holds(machine model.ID) (model.From, bool) {
	if c := l.get(machine); c != nil {
		return c.from, true
	}
	return model.From{}, false
}

func (l *Lines) get(machine model.ID) *line {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines[machine]
}

// Flush sends a machine what is pending for it, if this node holds its line. The
// line of one that was expelled ends here.
func (l *Lines) Flush(ctx context.Context, machine model.ID) {
	c := l.get(machine)
	if c == nil {
		return
	}
	if m, err := l.handlers.Machine(ctx, machine); err == nil && m.Revoked {
		c.put(protocol.KindRefused, errRevoked)
		c.hangUp()
		return
	}
	if !c.early() {
		l.flush(ctx, c)
	}
}

func (l *Lines) flush(ctx context.Context, c *line) {
	c.flushing.Lock()
	defer c.flushing.Unlock()
	acts := l.pending(ctx, c.from)
	still := make(map[model.ID]bool, len(acts))
	for _, a := range acts {
		if c.told[a.ID] {
			still[a.ID] = true
		}
	}
	c.told = still
	for _, a := range acts {
		if ctx.Err() != nil || !l.tell(ctx, c, a) {
			return // the console is going down, or the line takes no more
		}
	}
}

// Tell puts acts, each for a machine of its own, on the lines that this node holds,
// without asking the sources what else is pending.
func (l *Lines) Tell(ctx context.Context, acts []model.Act) {
	for _, a := range acts {
		if ctx.Err() != nil {
			return
		}
		if c := l.get(a.Machine.Machine); c != nil && !c.early() {
			c.flushing.Lock()
			full := len(c.told) >= maxTold
			if !full {
				l.tell(ctx, c, a)
			}
			c.flushing.Unlock()
			if full {
				l.flush(ctx, c) // which finds this act, too: its row was committed before
			}
		}
	}
}

// tell sends one act that this line was not told yet; false means that the line
// takes no more. Whoever calls holds c.flushing.
func (l *Lines) tell(ctx context.Context, c *line, a model.Act) bool {
	if c.told[a.ID] {
		return true // a row stays pending until the machine has answered
	}
	if l.handlers.Send != nil && !l.handlers.Send(ctx, a) {
		return true
	}
	if !l.send(c, a) {
		return false // the next line tells it
	}
	c.told[a.ID] = true
	if l.handlers.Sent != nil {
		l.handlers.Sent(ctx, a)
	}
	return true
}

// pending reads what a machine is to do, in one snapshot. Where one source cannot be
// read the others are, each for itself.
func (l *Lines) pending(ctx context.Context, from model.From) []model.Act {
	scope := store.Machine(from.Organisation, from.Machine)
	read := func(sources ...func(*store.Tx, model.From) ([]model.Act, error)) (all []model.Act, err error) {
		err = l.store.View(ctx, scope, func(tx *store.Tx) error {
			all = nil
			for _, source := range sources {
				acts, err := source(tx, from)
				if err != nil {
					return err
				}
				all = append(all, acts...)
			}
			return nil
		})
		return all, err
	}
	all, err := read(l.handlers.Pending...)
	if err == nil || ctx.Err() != nil {
		return all
	}
	all = nil
	for _, source := range l.handlers.Pending {
		acts, err := read(source)
		if err != nil && ctx.Err() == nil {
			l.log.Error("cannot read what is pending", "machine", from.Machine, "error", err)
		}
		all = append(all, acts...)
	}
	return all
}

// Send stamps one act and puts it on the machine's line; false means that this
// node does not hold it, or that it is full.
func (l *Lines) Send(a model.Act) bool {
	c := l.get(a.Machine.Machine)
	return c != nil && l.send(c, a)
}

func (l *Lines) send(c *line, a model.Act) bool {
	if _, ok := a.Body.(*model.Watch); ok && !c.watch() {
		return true
	}
	if t, ok := a.Body.(*model.Trust); ok {
		return c.put(protocol.KindTrust, protocol.Trust{Files: fitting(t.Files), Withdrawal: t.Withdrawal})
	}
	order, err := orderOf(a, l.store.Now())
	if err != nil {
		l.log.Error("cannot encode an act", "machine", a.Machine.Machine, "error", err)
		return false
	}
	stamped, err := protocol.Stamp(l.keys.Stamp, order)
	if err != nil {
		l.log.Error("cannot stamp an act", "machine", a.Machine.Machine, "error", err)
		return false
	}
	return c.put(protocol.KindStamped, stamped)
}

// fitting are as many trust files, of the first, as fit into one message; who takes them
// is told the rest by its next hello.
func fitting(files [][]byte) [][]byte {
	n := 0
	for i, file := range files {
		if n += len(file); n > protocol.MaxTrust {
			return files[:i]
		}
	}
	return files
}

// stripe spreads machines evenly.
func stripe(machine model.ID) uint32 {
	h := sha256.Sum256(machine[:])
	return binary.BigEndian.Uint32(h[:4])
}
