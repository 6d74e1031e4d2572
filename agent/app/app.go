// Package app puts the rooms of the agent together: it opens the state and the
// gate, sets the calls between link, checks, repair and sessions once, runs
// everything under one group, and ends it in the reverse order. round.go is the
// walk of a sample.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/websocket"
	"golang.org/x/sync/errgroup"

	"github.com/deskside/deskside/agent/gate"
	"github.com/deskside/deskside/agent/link"
	"github.com/deskside/deskside/agent/probe"
	"github.com/deskside/deskside/agent/repair"
	"github.com/deskside/deskside/agent/session"
	"github.com/deskside/deskside/agent/state"
	"github.com/deskside/deskside/protocol"
	"github.com/deskside/deskside/protocol/expression"
)

// Version of this build; the Makefile sets it.
var Version = "dev"

// Options of a running agent.
type Options struct {
	State  string // folder of the machine's memory
	Policy string // policy file
	Log    *slog.Logger

	// SystemLog writes a line into the system's log; nil: there is none.
	SystemLog func(line string) error

	Pretend *Pretend // nil: this machine
}

// Agent is a running agent.
type Agent struct {
	options  Options
	state    *state.State
	id       state.Identity
	gate     *gate.Gate
	line     *link.Line
	runner   *repair.Runner
	sessions *session.Sessions
	rounds   *rounds
	help     *helpDesk
	context  context.Context // of Run: what the line starts lives so long
	mirror   *mirror         // nil: the journal is not mirrored
	life     life            // set by Run
	last     atomic.Pointer[expression.Machine]
	asks     chan gate.Admitted
}

// capabilities of this build on this system.
func capabilities() protocol.Capability {
	can := protocol.CanRun | protocol.CanAnswer | protocol.CanWatch | protocol.CanTerminal
	if repair.CanSandbox() {
		can |= protocol.CanDryRun
	}
	return can
}

// Open opens an enrolled agent.
func Open(o Options) (*Agent, error) {
	s, err := memory(o)
	if err != nil {
		return nil, err
	}
	a := &Agent{options: o, state: s, asks: make(chan gate.Admitted, 32)}
	if err := a.open(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return a, nil
}

func memory(o Options) (*state.State, error) {
	if o.Pretend != nil && o.Pretend.State != nil {
		return o.Pretend.State, nil
	}
	return state.Open(o.State)
}

func (a *Agent) open() error {
	err := a.state.View(func(tx *state.Tx) error {
		id, err := tx.Identity()
		a.id = id
		return err
	})
	if err != nil {
		return err
	}
	family := runtime.GOOS
	if a.options.Pretend != nil {
		family = a.options.Pretend.Family
	}
	eyes := gate.Eyes{Firing: a.firing, Listed: a.listed, Family: family}
	if a.gate, err = gate.Open(a.state, a.options.Policy, eyes); err != nil {
		return err
	}
	if problem := a.gate.Policy().Problem(); problem != "" {
		a.options.Log.Error("the policy cannot be trusted: everything but vitals is closed", "problem", problem)
	}
	if a.options.SystemLog != nil && a.gate.Policy().SystemLog {
		a.mirror = newMirror(a.state, a.options.SystemLog, a.options.Log)
	}
	a.line = link.New(a.id, capabilities(), a.state, a.gate, link.Handlers{
		Proof: a.proof, Welcome: a.welcome, Act: a.act, Refused: a.refused, HelpLink: func(l protocol.HelpLink) { a.help.answer(l) },
	}, a.options.Log)
	calls := repair.Calls{Send: a.line.Send, Kept: a.line.Wake, Verify: a.verify}
	if a.options.Pretend != nil {
		a.line.Through(a.options.Pretend.Dial)
		calls.Instead = a.options.Pretend.Repair
	}
	a.runner = repair.New(a.state, family, calls, a.options.Log)
	a.sessions = session.New(a.state, session.Calls{Dial: a.dialSession, Send: a.line.Send, Wake: a.line.Wake}, a.options.Log)
	a.help = newHelpDesk(a.line)
	if a.rounds, err = newRounds(a, a.reader()); err != nil {
		return err
	}
	return a.runner.Recover()
}

// answerLocal answers what is asked on the local socket.
func (a *Agent) answerLocal(ctx context.Context, who peer, ask string) (out localAnswer) {
	var err error
	switch {
	case ask == askHelp:
		out.URL, err = a.help.link(ctx, who)
	case !who.trusted:
		err = errors.New("only the administrator may ask this")
	case ask == askJournal:
		out.Text, err = readJournal(a.state)
	case ask == askPolicy:
		out.Profile = a.id.Profile
	default:
		err = errors.New("this agent does not know what is asked")
	}
	if err != nil {
		out.Error = err.Error()
	}
	return out
}

// reader reads this machine as far as its policy lets it, or a pretence.
func (a *Agent) reader() reader {
	if a.options.Pretend != nil {
		return newPretence(a.options.Pretend)
	}
	collect := a.gate.Policy().Collect
	return newReader(probe.New(probe.Options{Collect: probe.Collect{People: collect.People == "name",
		Processes: collect.Processes == "names", CommandLines: collect.CommandLines == "on"}}))
}

// Run works until ctx ends; the machine says goodbye with reason.
func (a *Agent) Run(ctx context.Context, reason string) error {
	defer a.state.Close()
	if a.mirror != nil { // to the last line, which is that of a session that ends
		defer a.mirror.start()()
	}
	a.line.Leave(reason)
	a.begin(ctx)
	outer := ctx
	group, ctx := errgroup.WithContext(ctx)
	a.context = ctx
	group.Go(func() error { return a.rounds.run(ctx) })
	group.Go(func() error { return a.line.Run(ctx) })
	group.Go(func() error { return a.runner.Run(ctx) })
	if a.options.Pretend == nil { // nobody sits at a machine that is not there, nor does it sleep
		group.Go(func() error { serveLocal(ctx, localPath(a.options.State), a.answerLocal, a.options.Log); return nil })
		group.Go(func() error { a.watchSleep(ctx); return nil })
		group.Go(func() error { a.settle(ctx); return nil })
	}
	group.Go(func() error { return a.answerAll(ctx) })
	group.Go(func() error { return a.tick(ctx) })
	err := group.Wait()
	a.sessions.Wait()
	if outer.Err() != nil {
		a.leave()
	}
	return err
}

// tick keeps the gate's time floor.
func (a *Agent) tick(ctx context.Context) error {
	ticker := time.NewTicker(time.Minute)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			if err := a.gate.Tick(); err != nil {
				a.options.Log.Error("cannot keep the time floor", "error", err)
			}
		}
	}
}

// proof is what the console wants to know before it says welcome.
func (a *Agent) proof() (protocol.Proof, error) {
	p := protocol.Proof{Agent: Version, Policy: a.gate.Policy().Told(), Trust: a.gate.Trusted(), Next: map[protocol.Class]uint64{}, Facts: map[string][]byte{}}
	p.Boot, p.Left = a.life.boot, a.life.left
	p.Name, p.OS = a.rounds.self()
	p.Checks, p.Settings = a.rounds.hashes()
	err := a.state.View(func(tx *state.Tx) error {
		p.Epoch = tx.Epoch()
		for _, class := range protocol.Classes() {
			if class.Log() {
				p.Next[class] = tx.Next(class)
			}
		}
		p.Head, _ = tx.Head()
		sections, err := tx.Sections()
		if err != nil {
			return err
		}
		for name, s := range sections {
			p.Facts[name] = s.Hash
		}
		runs, err := tx.OpenRuns()
		for _, r := range runs {
			p.Runs = append(p.Runs, r.ID)
		}
		return err
	})
	if err != nil {
		return p, fmt.Errorf("read what to tell the console: %w", err)
	}
	return p, nil
}

func (a *Agent) welcome(w protocol.Welcome) {
	a.options.Log.Info("connected", "console", a.id.Console, "machine", a.id.Machine)
	a.rounds.ask(request{wanted: w.Wanted})
	if a.options.Pretend != nil {
		a.options.Pretend.Online()
	}
}

// act does what the gate let in. It is called by the line's reader.
func (a *Agent) act(x gate.Admitted) {
	switch body := x.Body().(type) {
	case *protocol.Work:
		a.runner.Start(x)
	case *protocol.Cancel:
		a.runner.Cancel(body.Run, x.Issued())
	case *protocol.Ask:
		select {
		case a.asks <- x:
		default: // too many at once; whoever asked sees no answer
		}
	case *protocol.Watch:
		a.rounds.ask(request{watch: time.UnixMicro(body.Until)})
	case *protocol.Checks:
		a.rounds.ask(request{set: body.Set})
	case *protocol.OpenSession:
		a.sessions.Start(a.context, x)
	case *protocol.EndSession:
		a.sessions.End(body.Session)
	case *protocol.CheckNow:
		a.rounds.ask(request{now: true})
	case *protocol.Settings:
		a.rounds.ask(request{settings: body})
	}
	a.line.Wake() // the journal has a new line
}

func (a *Agent) refused(x *gate.Refusal) {
	switch x.Kind {
	case protocol.KindWork:
		a.runner.Refuse(x)
	case protocol.KindOpenSession:
		a.sessions.Refuse(x, a.challenge(x))
	case protocol.KindAsk:
		a.line.Send(protocol.KindAnswer, protocol.Answer{Question: x.ID, Error: x.Text})
	}
	a.line.Wake()
}

// dialSession opens a session's own socket, to the console this machine was
// enrolled with and to no other.
func (a *Agent) dialSession(ctx context.Context, id uuid.UUID, token []byte) (*websocket.Conn, error) {
	console, me := a.line.Console()
	return link.DialSession(ctx, console, me, id, token)
}

// firing tells the gate whether a check fires here now for an instance.
func (a *Agent) firing(check, instance string) bool { return a.rounds.firing(check, instance) }

// listed tells the gate what this machine lists for a closed value.
func (a *Agent) listed(what string) []string {
	m := a.last.Load()
	if m == nil {
		return nil
	}
	var out []string
	switch what {
	case "filesystems":
		for _, f := range m.Filesystems {
			out = append(out, string(f.Mount))
		}
	case "services":
		for _, s := range m.Services {
			out = append(out, string(s.Name))
		}
	}
	return out
}

// answerAll answers questions one at a time over the last reading.
func (a *Agent) answerAll(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case x := <-a.asks:
			a.line.Send(protocol.KindAnswer, a.answer(x))
		}
	}
}

func (a *Agent) answer(x gate.Admitted) protocol.Answer {
	out := protocol.Answer{Question: x.ID()}
	m := a.last.Load()
	if m == nil {
		out.Error = "This machine has not been read yet."
		return out
	}
	out.Age = time.Since(m.ObservedAt.Time()).Seconds()
	program, err := expression.Compile(expression.Use{Kind: expression.Question}, x.Body().(*protocol.Ask).Expression)
	if err != nil {
		out.Error = err.Error()
		return out
	}
	table, err := program.Answer(m)
	if err != nil {
		out.Error = err.Error()
		return out
	}
	if out.Table, err = protocol.Marshal(table); err != nil {
		out.Error = err.Error()
	}
	return out
}

func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "unnamed"
	}
	return name
}
