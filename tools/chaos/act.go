package main

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/deskside/deskside/tools/internal/api"
)

// acts begins what people do while things go wrong: scripts on some machines, many
// on one, so that most of them wait there for a while, notes, a question, and more
// machines that fall ill.
func (r *round) acts() {
	for i := range 4 {
		r.beside(func() error { return r.run(i, r.linux[(r.number*7+i*13)%len(r.linux)]) })
	}
	queue := 6
	if r.scene.full {
		queue = 14
	}
	for i := range queue {
		r.beside(func() error { return r.run(4+i, r.linux[(r.number*11+5)%len(r.linux)]) })
	}
	r.beside(r.note)
	r.beside(r.question)
	later := some(r.rand, 3*time.Second)
	r.beside(func() error {
		time.Sleep(later)
		return r.fallIll(3)
	})
}

// newRun asks for a script that changes nothing.
type newRun struct {
	Script     string            `json:"script"`
	Machine    string            `json:"machine_id"`
	Parameters map[string]string `json:"parameters"`
	DryRun     bool              `json:"dry_run"`
	key        string
}

func (r *round) run(i int, machine string) error {
	key := fmt.Sprintf("%s-%d-%d", r.scene.name, r.number, i)
	var run struct{ ID string }
	err := r.insist("ask for a script", func() error {
		return r.call(http.MethodPost, "/runs", newRun{"free-disk-space", r.ids[machine], map[string]string{"MOUNT": "/"}, true, key}, &run)
	})
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.runs[run.ID] = true
	return nil
}

// open opens the ticket of this round.
func (r *round) open() error {
	var ticket struct{ ID string }
	title := fmt.Sprintf("round %d", r.number)
	if err := r.call(http.MethodPost, "/tickets", map[string]any{"title": title}, &ticket); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ticket = ticket.ID
	r.notes[r.ticket] = map[string]bool{}
	return nil
}

// note writes something down that may not be asked for again: who is not told that
// it was taken does not know.
func (r *round) note() error {
	for i := range 10 {
		text := fmt.Sprintf("note %d of round %d", i, r.number)
		err := r.call(http.MethodPost, "/tickets/"+r.ticket+"/notes", map[string]any{"text": text}, nil)
		r.mu.Lock()
		r.notes[r.ticket][text] = err == nil
		r.mu.Unlock()
		time.Sleep(200 * time.Millisecond)
	}
	return nil
}

// question asks all machines.
func (r *round) question() error {
	var q struct{ ID string }
	err := r.call(http.MethodPost, "/questions", map[string]any{"expression": "memory.used"}, &q)
	var no *api.Refused
	if errors.As(err, &no) && no.Status < 500 {
		return err
	}
	if err == nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.questions[q.ID] = true
	}
	return nil
}
