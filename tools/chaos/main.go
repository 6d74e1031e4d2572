// Command chaos breaks what Deskside is made of, on purpose, and holds what is left
// against what must never happen.
//
//	make chaos                    200 rounds over all scenes; as root
//	make chaos ROUNDS=20          fewer
//	make chaos SEED=7 SCENE=two   the same again: a seed decides what happens, and when
//
// In a round pretend workstations fall ill, scripts are asked for, notes written into
// a ticket and questions asked, and terminals are held on real agents, while consoles,
// database, message server, workstations, agents or the network between them are
// killed, frozen, cut off or slowed (disturb.go). Before some rounds the workstations
// are set back to an older image of their disk, or some of them are there twice
// (folder.go). Then everything is let be, and the promises of promise.go have to hold.
// The first one that is broken ends the run and leaves the folder of the world, with
// the logs.
//
// The scenes:
//
//	patient    SQLite, and machines beat as seldom as by default: one round of two
//	           minutes, with an agent that hangs, a network that ends idle connections
//	           and one of 64 KiB a second under large outputs (patience.go)
//	sqlite     one console
//	full       one console; its disk and that of the workstations get full: they are
//	           mounted for that, which needs root
//	postgres   one console on PostgreSQL
//	two        two consoles on one PostgreSQL and one message server
//	clock      one console; its clock and those of workstations and agents are set wrong
//	           by an hour or a year, either way, and right again (clock.go)
//	clocks     the same of two consoles, each for itself
//
// What is not broken here: a workstation is not set back while it is ill or a script
// waits for it: what it forgets then, nobody can know.
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A scene is what a world is made of.
type scene struct {
	name     string
	postgres bool
	nodes    int
	full     bool // data and state are on small disks of their own, which get full
	patient  bool // beats are as seldom as by default, and there is one round
	clocks   bool // the programs have clocks of their own
}

var scenes = []scene{
	{name: "patient", nodes: 1, patient: true}, {name: "sqlite", nodes: 1}, {name: "full", nodes: 1, full: true}, {name: "postgres", postgres: true, nodes: 1}, {name: "two", postgres: true, nodes: 2},
	{name: "clock", nodes: 1, clocks: true}, {name: "clocks", postgres: true, nodes: 2, clocks: true},
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == serveNATS {
		natsServer(os.Args[2])
		return
	}
	rounds := flag.Int("rounds", 200, "rounds in all, spread over the scenes")
	seed := flag.Uint64("seed", 1, "decides what happens in each round")
	only := flag.String("scene", "", "patient, sqlite, full, postgres, two, clock or clocks; all by default")
	machines := flag.Int("machines", 200, "pretend workstations")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *rounds, *seed, *only, *machines); err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, rounds int, seed uint64, only string, machines int) error {
	var played []scene
	for _, s := range scenes {
		if only == "" || s.name == only {
			played = append(played, s)
		}
	}
	if len(played) == 0 {
		return fmt.Errorf("no scene is called %q; there are patient, sqlite, full, postgres, two, clock and clocks", only)
	}
	if rounds < 1 {
		return fmt.Errorf("%d rounds: at least one is played", rounds)
	}
	total := 0
	for i, s := range played {
		n := (rounds - total) / (len(played) - i)
		if s.patient {
			n = min(1, rounds-total)
		}
		if n == 0 {
			fmt.Printf("%-8s no round is left for it\n", s.name)
			continue
		}
		fmt.Printf("%-8s %d rounds\n", s.name, n)
		if err := play(ctx, s, n, seed, machines); err != nil {
			return fmt.Errorf("scene %s: %w; again: make chaos SEED=%d SCENE=%s ROUNDS=%d", s.name, err, seed, s.name, n)
		}
		total += n
	}
	fmt.Printf("%d rounds, every promise held\n", total)
	return nil
}

func play(ctx context.Context, s scene, rounds int, seed uint64, machines int) error {
	w, err := newWorld(ctx, s, seed, machines)
	if err != nil {
		return err
	}
	held := false
	defer func() { w.close(!held) }()
	defer w.lookOut()()
	let := sync.OnceValue(w.hold())
	defer let()
	for n := range rounds {
		began := time.Now()
		// Each round has numbers of its own, so that what one does differently does
		// not change all that follow.
		r := &round{world: w, number: n, rand: rand.New(rand.NewPCG(seed, uint64(n)<<8|uint64(len(s.name))))}
		if err := r.play(); err != nil {
			return fmt.Errorf("round %d (%s): %w; logs in %s", n, strings.Join(r.did, ", "), err, w.dir)
		}
		fmt.Printf("%-8s %3d  %5.1f s  %s\n", s.name, n, time.Since(began).Seconds(), strings.Join(r.did, ", "))
	}
	for ticket := range w.notes {
		if err := (&round{world: w}).notesOf(ticket); err != nil {
			return fmt.Errorf("in the end: %w; logs in %s", err, w.dir)
		}
	}
	if err := let(); err != nil {
		return fmt.Errorf("in the end: %w; logs in %s", err, w.dir)
	}
	err = w.audit()
	held = err == nil
	return err
}
