// Command simulate makes pretend workstations: each is a whole agent, with an
// enrolment, a key, a state file, a line and a gate of its own. Only its
// readings are made up, and what a repair script would do to them; no program is
// started here, and no door opens.
//
//	simulate --console https://127.0.0.1:8443 --token dse1_... --machines 200
//
// When all are online it writes one line to standard output:
//
//	{"online":200,"seconds":4.1}
//
// SIGTERM and SIGINT end it; each machine says goodbye. With --data the machines
// are kept, and come back as themselves the next time; without it they are
// forgotten, and the console shows them as offline.
//
// Faults are ordered with --fault KIND=COUNT@SECONDS, counted from the moment
// when all are online, or through --control:
//
//	curl -H 'Content-Type: application/json' -d '{"kind":"filesystem","count":12}' http://127.0.0.1:9000/fault
//
//	filesystem   the main filesystem fills up
//	cpu          a program keeps two cores busy
//	service      the print service fails
//	offline      the line is cut and cannot be made again
//	talk         a script writes four megabytes
//	clear        all is well again
//
// A count of 0 means all machines. "from" leaves so many out, of an order that is the
// same for each kind at all times. With --control each script that begins is one
// more line, so that whoever reads them knows of each, however this program ends:
//
//	{"began":"0197...","machine":"LAP-KRK-0001"}
//
// The token must be good for as many uses as
// there are machines.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/deskside/deskside/agent/app"
	"github.com/deskside/deskside/agent/gate"
	"github.com/deskside/deskside/agent/link"
	"github.com/deskside/deskside/agent/state"
	"github.com/deskside/deskside/protocol"
)

// maxMachines is what fits into one loopback network of source addresses, and
// into the memory of a large computer.
const maxMachines = 20_000

// pace makes a script of a pretend workstation last half a second.
const pace = 8 * time.Millisecond

// enrolling is how many machines enrol at one time.
const enrolling = 8

type options struct {
	console, token, data, control string
	machines, processes           int
	seed                          uint64
	faults                        orders
	out                           io.Writer
}

func main() {
	var o options
	flag.StringVar(&o.console, "console", "", "address of the console, https://host:port")
	flag.StringVar(&o.token, "token", "", "enrolment token, good for all machines")
	flag.IntVar(&o.machines, "machines", 10, "how many workstations")
	flag.Uint64Var(&o.seed, "seed", 1, "the same seed makes the same workstations")
	flag.IntVar(&o.processes, "processes", 0, "how many processes each has, at least the few that it always has")
	flag.StringVar(&o.data, "data", "", "folder that keeps the machines (default: a temporary one)")
	flag.StringVar(&o.control, "control", "", "loopback host:port on which faults are ordered")
	flag.Var(&o.faults, "fault", "KIND=COUNT@SECONDS; may be given more than once")
	flag.Parse()
	o.out = os.Stdout
	if os.Getenv("GOGC") == "" { // memory is worth less than the processor here, which the console needs beside us
		debug.SetGCPercent(200)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "simulate:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (err error) {
	if flag.NArg() > 0 || o.machines < 1 || o.machines > maxMachines || !strings.HasPrefix(o.console, "https://") {
		return fmt.Errorf("it needs --console https://host:port and --machines 1 to %d, and nothing else", maxMachines)
	}
	if o.data == "" {
		if o.data, err = os.MkdirTemp("", "deskside-simulate-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(o.data)) }()
	}
	memory, err := state.OpenShared(o.data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, memory.Close()) }()
	if err := os.WriteFile(filepath.Join(o.data, policyFile), []byte(policy), 0o600); err != nil {
		return err
	}
	s := &simulation{options: o, memory: memory, began: time.Now(), all: make(chan struct{}),
		log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))}
	programs := map[string][]string{} // by family: thousands of machines share their names
	for name, k := range kits {
		programs[name] = padded(k.programs, o.processes)
	}
	for i, p := range people(o.seed, o.machines) {
		m := newMachine(o.seed, i, p)
		m.programs = programs[m.family]
		m.pace = pace
		if o.control != "" {
			m.began = func(run uuid.UUID) { s.tell(map[string]string{"began": run.String(), "machine": m.name}) }
		}
		s.machines = append(s.machines, m)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.enrolAndRun(ctx, group) })
	group.Go(func() error { return s.report(ctx) })
	if o.control != "" {
		group.Go(func() error { return s.serve(ctx, o.control) })
	}
	return group.Wait()
}

// simulation is all machines of one run.
type simulation struct {
	options  options
	memory   *state.Shared
	machines []*machine
	log      *slog.Logger
	began    time.Time
	online   atomic.Int64 // that were online once
	saying   sync.Mutex
	all      chan struct{} // closed when all are online
}

// enrolAndRun starts every machine as soon as it has its name.
func (s *simulation) enrolAndRun(ctx context.Context, group *errgroup.Group) error {
	enrol, enrolCtx := errgroup.WithContext(ctx)
	enrol.SetLimit(enrolling)
	for _, m := range s.machines {
		enrol.Go(func() error {
			agent, err := s.open(enrolCtx, m)
			if enrolCtx.Err() != nil && err != nil {
				return nil // told to end meanwhile, or another machine has said why
			}
			if err != nil {
				return fmt.Errorf("%s: %w", m.name, err)
			}
			group.Go(func() error { return agent.Run(ctx, protocol.GoodbyeShutDown) })
			return nil
		})
	}
	return enrol.Wait()
}

// policy of a pretend workstation: no terminal, for the shell in it would be one
// of the computer that pretends.
const (
	policy     = "version: 1\nprofile: trial\nterminal: off\n"
	policyFile = "policy.yaml"
)

// open opens the agent of a machine, which enrols where it has no name yet.
func (s *simulation) open(ctx context.Context, m *machine) (*app.Agent, error) {
	memory, err := s.memory.State(m.name)
	if err != nil {
		return nil, err
	}
	if err := s.enrol(ctx, m, memory); err != nil {
		return nil, err
	}
	return app.Open(app.Options{Policy: filepath.Join(s.options.data, policyFile), Log: s.log.With("machine", m.name), Pretend: &app.Pretend{
		State: memory, Family: m.family, Read: m.read, Repair: m.repair, Dial: m.way.dial, Online: func() { s.isOnline(m) },
	}})
}

func (s *simulation) enrol(ctx context.Context, m *machine, memory *state.State) error {
	err := memory.View(func(tx *state.Tx) error { _, err := tx.Identity(); return err })
	if !errors.Is(err, state.ErrNotEnrolled) {
		return err
	}
	token, err := protocol.ParseToken(s.options.token)
	if err != nil {
		return err
	}
	id, chain, err := link.Enrol(ctx, link.Enrolment{Console: s.options.console, Token: token, Name: m.name, Agent: app.Version,
		OS: m.system(), Profile: "trial", Hardware: map[string]string{"machine-id": m.serial}, Dial: m.way.dial})
	if err != nil {
		return err
	}
	return memory.Update(func(tx *state.Tx) error { return gate.Enrol(tx, id, chain) })
}

func (s *simulation) isOnline(m *machine) {
	if m.welcomed.Swap(time.Now().UnixMicro()) == 0 && s.online.Add(1) == int64(len(s.machines)) {
		close(s.all)
	}
}

// tell writes one line to whoever reads us.
func (s *simulation) tell(v any) error {
	s.saying.Lock()
	defer s.saying.Unlock()
	return json.NewEncoder(s.options.out).Encode(v)
}

// report says when all are online, and does from then on what was ordered.
func (s *simulation) report(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-s.all:
	}
	err := s.tell(map[string]float64{
		"online": float64(len(s.machines)), "seconds": float64(time.Since(s.began).Round(time.Millisecond)) / float64(time.Second)})
	if err != nil {
		return err
	}
	return s.follow(ctx, time.Now())
}
