// Package app puts the rooms of the console together: it opens what is long
// lived in one straight line, sets the handlers between rooms once, runs
// everything under one group, and takes it down by name in the reverse order.
package app

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/sync/errgroup"

	"github.com/deskside/deskside/console/account"
	"github.com/deskside/deskside/console/api"
	"github.com/deskside/deskside/console/desk"
	"github.com/deskside/deskside/console/fleet"
	"github.com/deskside/deskside/console/health"
	"github.com/deskside/deskside/console/link"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/nodes"
	"github.com/deskside/deskside/console/repair"
	"github.com/deskside/deskside/console/session"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/protocol"
)

// Version of this build; the Makefile sets it.
var Version = "dev"

// Options of a console.
type Options struct {
	Data     string // folder of SQLite and of the keys
	Database string // URL of PostgreSQL; empty for SQLite
	NATS     string // URL of the NATS server that all nodes share; empty for a console that is alone
	Keys     string // folder of the keys; empty for keys below Data
	Listen   string // host:port of the TLS listener
	HTTP     string // loopback host:port of the plain one; empty for none
	Public   string // https address machines are told; empty for that of Listen, or of this host
	Node     string // https://host:port by which other nodes reach this one; empty for that of Listen, or the one toward NATS
	Trial    bool
	Log      *slog.Logger
}

// Console is one running node.
type Console struct {
	options Options
	id      model.ID // of this run of this node
	keys    keys
	store   *store.Store
	nodes   *nodes.Nodes

	account  *account.Accounts
	fleet    *fleet.Fleet
	desk     *desk.Desk
	health   *health.Health
	repair   *repair.Repair
	sessions *session.Sessions
	lines    *link.Lines
	api      *api.API

	named   sync.Map // whether a trust file names this console, by organisation and version
	work    *worklist
	asked   chan model.ID // questions that wait to be sent
	secure  net.Listener
	doorway *doorway // around it
	plain   net.Listener
	down    []step
}

// step is one part of the way down.
type step struct {
	name string
	do   func() error
}

// Ready is what a console says on standard output when it can be used.
type Ready struct {
	Ready bool   `json:"ready"`
	URL   string `json:"url"`
	HTTP  string `json:"http,omitempty"`
	Pin   string `json:"pin"`
}

// ErrPortTaken means that a listener's address is in use, and ErrDataTaken that another
// console runs on the same folder.
var (
	ErrPortTaken = errors.New("the address is in use")
	ErrDataTaken = errors.New("another console runs on it")
)

// Open opens a console; Run runs it, Close takes it down.
func Open(ctx context.Context, o Options) (c *Console, err error) {
	c = &Console{options: o, id: model.NewID(), work: newWorklist(), asked: make(chan model.ID, mostAsked)}
	defer func() {
		if err != nil {
			c.Close()
			c = nil
		}
	}()
	if err = c.takeData(); err != nil {
		return c, err
	}
	if c.keys, err = loadKeys(keysDir(o)); err != nil {
		return c, err
	}
	if c.store, err = store.Open(ctx, store.Options{Data: o.Data, Database: o.Database, Log: o.Log}); err != nil {
		return c, err
	}
	c.last("store", c.store.Close)
	if err = c.listen(); err != nil {
		return c, err
	}
	if err = c.openNodes(); err != nil {
		return c, err
	}
	if err = c.openRooms(ctx); err != nil {
		return c, err
	}
	return c, nil
}

// takeData makes this the one console of a folder with a database: two would both do what
// is due, and each would know half of the lines. The system lets go of what a console
// held that was killed. Commands beside it are not kept out.
func (c *Console) takeData() error {
	if c.options.Database != "" {
		return nil
	}
	if err := os.MkdirAll(c.options.Data, 0o700); err != nil {
		return fmt.Errorf("%w: make the folder of the data: %w", ErrConfiguration, err)
	}
	lock := flock.New(filepath.Join(c.options.Data, "console.lock"), flock.SetPermissions(0o600))
	switch taken, err := lock.TryLock(); {
	case err != nil:
		return lockError(c.options.Data, err)
	case !taken:
		return fmt.Errorf("the data in %s: %w", c.options.Data, ErrDataTaken)
	}
	c.last("lock of the data", lock.Close)
	return nil
}

// lockError says what to do where a file system has no locks: many that are shared over
// a network have none.
func lockError(data string, err error) error {
	if errors.Is(err, syscall.ENOLCK) || errors.Is(err, errors.ErrUnsupported) {
		return fmt.Errorf("%w: the file system of %s cannot lock files (%w), and nothing else keeps a second console off the data; put the folder on a local disk, or use PostgreSQL with --database", ErrConfiguration, data, err)
	}
	return fmt.Errorf("take the folder of the data: %w", err)
}

func keysDir(o Options) string {
	if o.Keys != "" {
		return o.Keys
	}
	return filepath.Join(o.Data, "keys")
}

func (c *Console) last(name string, do func() error) { c.down = append(c.down, step{name, do}) }

// Close takes the console down, last opened first.
func (c *Console) Close() error {
	var all error
	for i := len(c.down) - 1; i >= 0; i-- {
		if err := c.down[i].do(); err != nil {
			all = errors.Join(all, fmt.Errorf("close %s: %w", c.down[i].name, err))
		}
	}
	c.down = nil
	return all
}

func (c *Console) openRooms(ctx context.Context) error {
	o, log := c.options, c.options.Log
	c.account = account.New(c.store, log)
	c.fleet = fleet.New(c.store, log)
	c.desk = desk.New(c.store, log)
	c.health = health.New(c.store, log)
	c.repair = repair.New(c.store, c.hint, log)
	c.sessions = session.New(c.store, c.id, c.keys.rest, c.hint, log)
	c.lines = link.New(c.store, c.keys.forLink(), c.id, log)
	c.lines.SetHandlers(c.handlers())
	c.api = api.New(api.Rooms{
		Store: c.store, Account: c.account, Fleet: c.fleet, Desk: c.desk, Health: c.health, Repair: c.repair, Sessions: c.sessions,
		Node: c.id, Version: Version, Started: time.Now(), Trial: o.Trial, Log: log,
		Asked: c.nodes.Asked, Watch: c.nodes.Watch, Check: c.nodes.Check, Identity: c.keys.fingerprint(), Token: c.token, Command: c.command, Forward: c.forward, Origin: origin, Settings: c.settingsChanged, Lines: c.linesOf,
	})
	c.store.OnChanged(c.changed)
	if _, err := c.account.Default(ctx); err != nil {
		return err
	}
	return c.store.Update(ctx, store.System("start"), func(tx *store.Tx) error {
		var err error
		for _, kind := range []string{health.KindAge, account.KindAge, link.KindAge} {
			// Those that are there stay as they are: they tell when this console last ran.
			err = errors.Join(err, tx.DueBy(kind, model.ID{}, tx.Now().Add(time.Hour)))
		}
		return err
	})
}

// handlers are the calls of the machines' lines into the rooms.
func (c *Console) handlers() link.Handlers {
	return link.Handlers{
		Known: c.doorway.known, Machine: c.fleet.Machine, Enrol: c.fleet.Enrol, Connected: c.fleet.Connected, Disconnected: c.fleet.Disconnected, Held: c.fleet.Held,
		Transitions: c.health.TakeTransitions, Results: c.repair.TakeResults, Changes: c.fleet.TakeChanges, Losses: c.fleet.TakeLosses,
		Journal: c.fleet.TakeJournal, Sections: c.fleet.TakeSections, History: c.health.TakeHistory,
		Judged: c.health.Judged, Live: c.publishLive, Answers: c.fleet.TakeAnswers,
		Output:  func(o model.Output) { c.repair.Output(context.Background(), o) },
		Taken:   c.repair.Taken,
		Trusted: c.fleet.Trusted, Trust: c.trust, Names: c.names,
		Opened:  c.sessions.Opened,
		Ended:   c.sessions.Ended,
		Help:    c.helpLink,
		Session: c.sessions.Arrive,
		Pending: []func(*store.Tx, model.From) ([]model.Act, error){
			c.pendingTrust, c.health.PendingSet, c.pendingTuning, c.sessions.Pending, c.repair.Pending, c.fleet.PendingQuestions},
		Waiting: []func(*store.Tx, model.ID, []model.ID) ([]model.ID, error){
			c.waitingForTrust, c.health.Waiting, c.waitingForTuning, c.sessions.Waiting, c.repair.Waiting, c.fleet.Waiting},
		Send: c.repair.Send,
		Sent: func(ctx context.Context, a model.Act) {
			c.health.SetSent(ctx, a)
			c.tuningSent(ctx, a)
			c.trustSent(ctx, a)
			c.sessions.Sent(ctx, a)
		},
	}
}

// Ready tells where the console is.
func (c *Console) Ready() Ready {
	return Ready{Ready: true, URL: c.public(), HTTP: c.plainURL(), Pin: "sha256/" + base64.StdEncoding.EncodeToString(c.keys.fingerprint())}
}

// Run works until ctx ends or something that must not end does.
func (c *Console) Run(ctx context.Context) error {
	servers, err := c.servers()
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return c.nodes.Run(ctx, c.hints()) })
	group.Go(func() error { return c.lease(ctx) })
	group.Go(func() error { return c.lines.Run(ctx) })
	group.Go(func() error { return c.sessions.Run(ctx) })
	group.Go(func() error { return c.store.RunDue(ctx, c.later()) })
	group.Go(func() error { return c.store.RunSeal(ctx, c.keys.audit) })
	for range 8 {
		group.Go(func() error { return c.flush(ctx) })
	}
	group.Go(func() error { return c.ask(ctx) })
	group.Go(func() error { giveBack(ctx); return nil })
	for _, server := range servers {
		group.Go(func() error {
			if err := server.Serve(); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		})
		group.Go(func() error {
			<-ctx.Done()
			c.api.CloseLive()
			bounded, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			return ignore(server.Shutdown(bounded), context.DeadlineExceeded)
		})
	}
	return group.Wait()
}

func ignore(err, what error) error {
	if errors.Is(err, what) {
		return nil
	}
	return err
}

// flush sends machines of this node what they are to do.
func (c *Console) flush(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-c.work.ready:
			if machine, ok := c.work.next(); ok {
				c.lines.Flush(ctx, machine)
			}
		}
	}
}

// ask sends the machines of this node what they are asked.
func (c *Console) ask(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case question := <-c.asked:
			acts, err := c.fleet.PendingOf(ctx, question, c.id)
			if err != nil {
				c.options.Log.Error("a question goes out late", "question", question, "error", err)
				continue // the scan of all lines finds it
			}
			c.lines.Tell(ctx, acts)
		}
	}
}

// hint tells all nodes that a machine has work. A hint may be lost.
func (c *Console) hint(machine model.ID) { c.nodes.Work(machine) }

// take is a hint that arrived here.
func (c *Console) take(machine model.ID) {
	if _, ok := c.lines.Holds(machine); ok {
		c.work.add(machine)
	}
}

// mostAsked is how many questions may wait to go out. One more waits for the scan of all
// lines, by which time it may have ended.
const mostAsked = 4096

// takeQuestion is a hint that arrived here.
func (c *Console) takeQuestion(question model.ID) {
	select {
	case c.asked <- question:
	default: // the scan of all lines finds it
	}
}

// settingsChanged has every machine of an organisation looked at for new checks
// and settings.
func (c *Console) settingsChanged(organisation model.ID) {
	for _, from := range c.lines.Machines() {
		if from.Organisation == organisation {
			c.take(from.Machine)
		}
	}
}

// linesOf tells how many machines of an organisation are connected here.
func (c *Console) linesOf(organisation model.ID) (n int) {
	for _, from := range c.lines.Machines() {
		if from.Organisation == organisation {
			n++
		}
	}
	return n
}

// token is an enrolment token as people copy it.
func (c *Console) token(ctx context.Context, secret []byte, organisation model.ID) (string, error) {
	root, err := c.root(ctx, organisation)
	return protocol.Token{Secret: secret, Organisation: organisation, Identities: [][]byte{c.keys.fingerprint()}, Root: root}.String(), err
}

func (c *Console) command(token string) string {
	return "sudo deskside-agent enroll --console " + c.public() + " --token " + token + " && sudo deskside-agent install && sudo deskside-agent start"
}

// maxAsker is how many bytes of a person's name, and of their account, a machine
// may tell.
const maxAsker = 256

func (c *Console) helpLink(ctx context.Context, from model.From, a model.Asker) (string, error) {
	m, err := c.fleet.Machine(ctx, from.Machine)
	if err != nil {
		return "", err
	}
	secret, err := c.account.NewHelpLink(ctx, account.Guest{Organisation: m.Organisation, Machine: m.ID, MachineName: m.Name,
		Account: model.Cut(a.Account, maxAsker), Name: model.Cut(a.Name, maxAsker)})
	if err != nil {
		return "", err
	}
	return c.helpURL(a) + "/help?link=" + secret, nil
}

func digest(b []byte) []byte {
	sum := sha256.Sum256(b)
	return sum[:]
}
