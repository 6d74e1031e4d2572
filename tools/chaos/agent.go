package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"regexp"
	"sync"
	"time"
)

// terminals is how many real agents there are, with a terminal held on each.
const terminals = 3

// employ starts real agents.
func (w *world) employ(token string) error {
	for i := range terminals {
		dir := w.path(fmt.Sprintf("agent%d", i+1))
		out, err := exec.CommandContext(w.ctx, "bin/deskside-agent", "enroll", "--console", "https://"+w.network.address(), "--token", token,
			"--profile", "trial", "--state", dir).Output()
		if err != nil {
			return fmt.Errorf("deskside-agent enroll: %w", err)
		}
		id := enrolledAs.FindString(string(out))
		p, err := w.withClock(&process{name: fmt.Sprintf("agent%d", i+1), dir: w.dir, mute: true, env: []string{"SHELL=/bin/sh"}, args: []string{w.program("deskside-agent"), "run", "--state", dir,
			"--policy", dir + "/policy.yaml", "--log-level", "warn"}})
		if err == nil {
			err = p.start()
		}
		if err != nil {
			return err
		}
		w.agents = append(w.agents, p)
		w.holders = append(w.holders, &holder{w: w, machine: id, rand: rand.New(rand.NewPCG(w.seed, uint64(i)))})
	}
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if away, err := w.away(); err != nil || len(away) == 0 {
			return err
		}
	}
	return errors.New("the real agents do not come")
}

var enrolledAs = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// hold holds terminals until the function that it returns is called; that one waits
// until no row says that a session lives, and no shell is left.
func (w *world) hold() func() error {
	ctx, stop := context.WithCancel(w.ctx)
	var group sync.WaitGroup
	for _, h := range w.holders {
		group.Go(func() {
			if err := h.run(ctx); err != nil {
				w.mu.Lock()
				defer w.mu.Unlock()
				w.blunder = errors.Join(w.blunder, err)
			}
		})
	}
	return func() error {
		stop()
		group.Wait()
		sessions, numbers := 0, 0
		for _, h := range w.holders {
			sessions, numbers = sessions+h.sessions, numbers+h.numbers
		}
		fmt.Printf("         %d terminals were held, and showed %d numbers, each once and in order\n", sessions, numbers)
		return w.let()
	}
}
