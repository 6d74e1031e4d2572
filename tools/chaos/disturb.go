package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"syscall"
	"time"
)

// A disturbance breaks something and mends it again.
type disturbance struct {
	name string
	fits func(*world) bool
	do   func(*world, *rand.Rand) error
}

func always(w *world) bool       { return !w.scene.patient }
func onPostgres(w *world) bool   { return w.postgres != nil && always(w) }
func onNATS(w *world) bool       { return w.nats != nil }
func ofNodes(w *world) bool      { return len(w.nodes) > 1 }
func onSmallDisks(w *world) bool { return w.scene.full }
func patient(w *world) bool      { return w.scene.patient }
func clocks(w *world) bool       { return w.scene.clocks }

// up to d, but long enough to be felt.
func some(r *rand.Rand, d time.Duration) time.Duration {
	return d/10 + time.Duration(r.Int64N(int64(d*9/10)))
}

func (w *world) anyConsole(r *rand.Rand) *process { return w.consoles[r.IntN(len(w.consoles))] }

// anyWay is one of those from the other consoles to one.
func (w *world) anyWay(r *rand.Rand) *proxy { return w.nodes[r.IntN(len(w.nodes))] }

func (w *world) anyAgent(r *rand.Rand) *process { return w.agents[r.IntN(len(w.agents))] }

var disturbances = []disturbance{
	{"console killed", always, func(w *world, r *rand.Rand) error { return again(w.anyConsole(r), some(r, 2*time.Second)) }},
	{"console frozen", always, func(w *world, r *rand.Rand) error { return w.anyConsole(r).freeze(some(r, 5*time.Second)) }},
	{"workstations killed", always, func(w *world, r *rand.Rand) error {
		w.hands.Lock()
		defer w.hands.Unlock()
		w.killed = true
		return again(w.machines, some(r, time.Second))
	}},
	{"workstations frozen", always, func(w *world, r *rand.Rand) error {
		w.hands.Lock()
		defer w.hands.Unlock()
		return w.machines.freeze(some(r, 5*time.Second))
	}},
	{"agent killed", always, func(w *world, r *rand.Rand) error { return again(w.anyAgent(r), some(r, 2*time.Second)) }},
	{"agent frozen", always, func(w *world, r *rand.Rand) error { return w.anyAgent(r).freeze(some(r, 5*time.Second)) }},
	{"network cut", always, func(w *world, r *rand.Rand) error { return w.network.during(cut, some(r, 4*time.Second)) }},
	{"network stuck", always, func(w *world, r *rand.Rand) error { return w.network.during(stuck, some(r, 8*time.Second)) }},
	{"console left behind", always, func(w *world, r *rand.Rand) error { return w.leaveBehind(w.anyConsole(r), r) }},
	{"network slow", always, func(w *world, r *rand.Rand) error { return w.network.during(slow, some(r, 5*time.Second)) }},
	{"database killed", onPostgres, func(w *world, r *rand.Rand) error {
		err := w.postgres.Stop()
		time.Sleep(some(r, 3*time.Second))
		return errors.Join(err, w.postgres.Start())
	}},
	{"database frozen", onPostgres, func(w *world, r *rand.Rand) error {
		err := w.postgres.Signal(syscall.SIGSTOP)
		time.Sleep(some(r, 5*time.Second))
		return errors.Join(err, w.postgres.Signal(syscall.SIGCONT))
	}},
	{"way to the database cut", onPostgres, func(w *world, r *rand.Rand) error { return w.between[0].during(cut, some(r, 4*time.Second)) }},
	{"way to the database stuck", onPostgres, func(w *world, r *rand.Rand) error { return w.between[0].during(stuck, some(r, 5*time.Second)) }},
	{"way to the database slow", onPostgres, func(w *world, r *rand.Rand) error { return w.between[0].during(slow, some(r, 4*time.Second)) }},
	{"console's disk full", onSmallDisks, func(w *world, r *rand.Rand) error { return w.fill("data", some(r, 5*time.Second)) }},
	{"workstations' disk full", onSmallDisks, func(w *world, r *rand.Rand) error { return w.fillUp(some(r, 5*time.Second)) }},
	{"console's clock wrong", clocks, func(w *world, r *rand.Rand) error {
		return errors.Join(w.wrongFor(w.anyConsole(r), r, some(r, 5*time.Second)), w.newToken())
	}},
	{"workstations' clock wrong", clocks, func(w *world, r *rand.Rand) error {
		w.hands.Lock()
		defer w.hands.Unlock()
		w.killed = true
		return w.wrongFor(w.machines, r, some(r, 5*time.Second))
	}},
	{"agent's clock wrong", clocks, func(w *world, r *rand.Rand) error { return w.wrongFor(w.anyAgent(r), r, some(r, 5*time.Second)) }},
	{"a minute of patience", patient, func(w *world, _ *rand.Rand) error { return w.patience() }},
	{"messages killed", onNATS, func(w *world, r *rand.Rand) error { return again(w.nats, some(r, 2*time.Second)) }},
	{"messages frozen", onNATS, func(w *world, r *rand.Rand) error { return w.nats.freeze(some(r, 4*time.Second)) }},
	{"way to the messages cut", onNATS, func(w *world, r *rand.Rand) error { return w.between[1].during(cut, some(r, 4*time.Second)) }},
	{"way to the messages stuck", onNATS, func(w *world, r *rand.Rand) error { return w.between[1].during(stuck, some(r, 5*time.Second)) }},
	{"way to the messages slow", onNATS, func(w *world, r *rand.Rand) error { return w.between[1].during(slow, some(r, 5*time.Second)) }},
	{"way between consoles cut", ofNodes, func(w *world, r *rand.Rand) error { return w.anyWay(r).during(cut, some(r, 4*time.Second)) }},
	{"way between consoles stuck", ofNodes, func(w *world, r *rand.Rand) error { return w.anyWay(r).during(stuck, some(r, 8*time.Second)) }},
	{"way between consoles slow", ofNodes, func(w *world, r *rand.Rand) error { return w.anyWay(r).during(slow, some(r, 5*time.Second)) }},
	{"all consoles killed", func(w *world) bool { return len(w.consoles) > 1 }, func(w *world, r *rand.Rand) error {
		var err error
		for _, c := range w.consoles {
			err = errors.Join(err, c.kill())
		}
		time.Sleep(some(r, time.Second))
		for _, c := range w.consoles {
			err = errors.Join(err, c.start())
		}
		return err
	}},
}

// leaveBehind freezes a console and cuts all lines meanwhile: what it had been told
// and had not read yet is told again on other lines before it wakes, or while it does.
func (w *world) leaveBehind(p *process, r *rand.Rand) error {
	if err := p.signal(syscall.SIGSTOP); err != nil {
		return err
	}
	time.Sleep(some(r, 1500*time.Millisecond))
	w.network.set(cut)
	w.network.set(fine)
	time.Sleep(some(r, 4*time.Second))
	return p.signal(syscall.SIGCONT)
}

// again kills a program and starts it again after a while.
func again(p *process, after time.Duration) error {
	err := p.kill()
	time.Sleep(after)
	if err := errors.Join(err, p.start()); err != nil {
		return fmt.Errorf("%s does not come back: %w", p.name, err)
	}
	return nil
}

func (p *proxy) during(m mode, d time.Duration) error {
	p.set(m)
	time.Sleep(d)
	p.set(fine)
	return nil
}
