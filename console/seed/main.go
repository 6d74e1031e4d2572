// Command seed writes many machines and tickets into the database of a console
// that does not run, for looking at long lists. Every row is written by the
// rooms' own functions, as if machines had enrolled and people had called.
//
//	go run ./console/seed --data DIR --machines 20000 --tickets 20000
//
// --database names a PostgreSQL instead of the SQLite in the folder.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/deskside/deskside/console/account"
	"github.com/deskside/deskside/console/desk"
	"github.com/deskside/deskside/console/fleet"
	"github.com/deskside/deskside/console/health"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

// together is how many write at once: their commits are grouped.
const together = 64

func main() {
	data := flag.String("data", "", "folder of the console's database")
	database := flag.String("database", "", "PostgreSQL of the console, postgres://...")
	machines := flag.Int("machines", 20_000, "how many computers")
	tickets := flag.Int("tickets", 20_000, "how many tickets")
	flag.Parse()
	began := time.Now()
	if err := run(context.Background(), store.Options{Data: *data, Database: *database}, *machines, *tickets); err != nil {
		fmt.Fprintln(os.Stderr, "seed:", err)
		os.Exit(1)
	}
	fmt.Printf("%d computers and %d tickets in %s\n", *machines, *tickets, time.Since(began).Round(time.Second))
}

func run(ctx context.Context, o store.Options, machines, tickets int) (err error) {
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	o.Log = log
	s, err := store.Open(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	organisation, err := account.New(s, log).Default(ctx)
	if err != nil {
		return err
	}
	w := &writer{fleet: fleet.New(s, log), desk: desk.New(s, log), health: health.New(s, log), store: s, organisation: organisation.ID,
		node: model.NewID(), scope: store.System("seed").Within(organisation.ID), all: make([]desk.MachineRef, machines)}
	if err := w.enrol(ctx); err != nil {
		return err
	}
	return each(ctx, tickets, w.ticket)
}

// each calls do for 0 to n-1, many at once.
func each(ctx context.Context, n int, do func(ctx context.Context, i int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(together)
	for i := range n {
		group.Go(func() error { return do(ctx, i) })
	}
	return group.Wait()
}

type writer struct {
	fleet        *fleet.Fleet
	desk         *desk.Desk
	health       *health.Health
	store        *store.Store
	organisation model.ID
	node         model.ID
	scope        store.Scope
	all          []desk.MachineRef
}

// tokenUses is the most that one token lets in.
const tokenUses = 10_000

// enrol lets as many in at a time as write together, each lot by tokens of its own:
// the use of a token is a row for which PostgreSQL makes the others wait.
func (w *writer) enrol(ctx context.Context) error {
	return each(ctx, together, func(ctx context.Context, lane int) error {
		var secret []byte
		for n, i := 0, lane; i < len(w.all); n, i = n+1, i+together {
			if n%tokenUses == 0 {
				e, err := w.fleet.NewEnrolment(ctx, w.scope, w.organisation, tokenUses, time.Hour)
				if err != nil {
					return err
				}
				secret = e.Secret
			}
			if err := w.machine(ctx, i, secret); err != nil {
				return err
			}
		}
		return nil
	})
}

// machine enrols one computer, which says hello; each ninth is away since, and
// each twentieth has something the matter.
func (w *writer) machine(ctx context.Context, i int, secret []byte) error {
	key := make([]byte, 32)
	rand.Read(key)
	c := computer(i)
	m, err := w.fleet.Enrol(ctx, model.Newcomer{Organisation: w.organisation, Secret: secret, Key: key, Name: c.name, OS: c.os, Agent: c.agent})
	if err != nil {
		return err
	}
	w.all[i] = desk.MachineRef{ID: m.ID, Name: c.name}
	from := model.From{Organisation: w.organisation, Machine: m.ID, At: time.Now()}
	came, err := w.fleet.Connected(ctx, []model.Hello{{From: from, Node: w.node, Name: c.name, OS: c.os, Agent: c.agent, Protocol: 1,
		Policy: model.Policy{Profile: "standard", Terminal: "ask", Scripts: "on"}}})
	if err != nil {
		return err
	}
	err = w.store.Update(ctx, w.scope, func(tx *store.Tx) error {
		if (i+i/60)%20 != 3 { // of any system, in the long run
			_, err := w.health.Back(ctx, tx, m.ID)
			return err
		}
		t := trouble(i)
		t.From, t.Episode, t.StartedAt, t.ChangedAt = from, model.NewID(), from.At, from.At
		return w.health.TakeTransitions(tx, []model.Transition{t})
	})
	if err != nil {
		return err
	}
	if i%9 == 4 {
		return w.fleet.Disconnected(ctx, from, came[0].Since, away[i/9%len(away)], false)
	}
	return nil
}

// ticket is one call; each fourth is resolved, each seventh waits.
func (w *writer) ticket(ctx context.Context, i int) error {
	n := call(i)
	n.Organisation, n.Source = w.organisation, model.SourcePerson
	if len(w.all) > 0 && i%3 != 0 {
		n.Machines = []desk.MachineRef{w.all[i%len(w.all)]}
	}
	t, err := w.desk.Open(ctx, w.scope, n)
	if err != nil {
		return err
	}
	change := desk.Change{Version: t.Version}
	state, hold := model.TicketResolved, model.HoldRequester
	switch {
	case i%4 == 1:
		change.State, change.Resolution = &state, &model.Resolution{Kind: "person", Text: "Done."}
	case i%7 == 2:
		state = model.TicketOnHold
		change.State, change.Hold = &state, &hold
	default:
		return nil
	}
	_, err = w.desk.Change(ctx, w.scope, t.ID, change)
	return err
}
