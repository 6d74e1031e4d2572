package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/deskside/deskside/tools/internal/api"
)

// patient is how many times in a row an act may fail. A computer that has much else to do,
// or stands still for a minute, is not what is looked for here.
const patient = 3

// churn does all of it at once until a moment, each as often as it says.
func (s *soak) churn(until time.Time) error {
	ctx, stop := context.WithDeadline(s.Ctx, until)
	defer stop()
	group, ctx := errgroup.WithContext(ctx)
	again := func(name string, pause time.Duration, do func() error) {
		group.Go(func() error {
			for failed := 0; ctx.Err() == nil; {
				err := do()
				failed++
				switch {
				case err == nil:
					failed = 0
				case failed == patient || s.Ctx.Err() != nil:
					return fmt.Errorf("%s: %w", name, err)
				default:
					fmt.Printf("            %s: %v\n", name, err)
					s.done.add("acts that failed", 1)
				}
				select {
				case <-ctx.Done():
				case <-time.After(pause):
				}
			}
			return s.Ctx.Err()
		})
	}
	again("faults", 12*time.Second, func() error { return s.faults(ctx) })
	again("restarts", 15*time.Second, s.restart)
	again("questions to all", max(10*time.Second, time.Until(until)/2), s.askAll)
	again("questions", 100*time.Millisecond, s.askOne)
	again("scripts", time.Second, s.script)
	again("tickets", time.Second, s.ticket)
	again("sign-ins", time.Second, s.signIn)
	again("lists", 500*time.Millisecond, s.lists)
	again("terminals", 500*time.Millisecond, s.terminal)
	for range 8 {
		again("pages", 200*time.Millisecond, s.page)
	}
	return group.Wait()
}

// faults cuts a tenth of the machines off, lets them come back and all that were ill be
// well, and makes a fiftieth ill, each time others. They are well by the next time.
func (s *soak) faults(ctx context.Context) error {
	cut, ill := s.steady.Machines/10, s.steady.Machines/50
	if err := s.steady.Order("offline", cut, s.turns*cut%s.steady.Machines); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
	case <-time.After(4 * time.Second):
	}
	if err := s.steady.Order("clear", 0, 0); err != nil {
		return err
	}
	err := s.steady.Order("filesystem", ill, s.turns*ill%s.steady.Machines)
	s.turns++
	s.done.add("machines cut off and back", cut)
	s.done.add("machines ill and well", ill)
	return err
}

// restart ends a process of machines, one time without a word.
func (s *soak) restart() error {
	end := s.End
	if s.turns%2 == 0 {
		end = s.Kill
	}
	s.done.add("machines started again", s.restless.Machines)
	return errors.Join(end(s.restless.Cmd), s.restless.Start())
}

func (s *soak) askAll() error {
	var q struct{ Asked int }
	err := s.Call(http.MethodPost, "/questions", map[string]any{"expression": "memory.used"}, &q)
	s.done.add("answers to questions", q.Asked)
	return err
}

func (s *soak) askOne() error {
	s.done.add("answers to questions", 1)
	return s.Call(http.MethodPost, "/questions", map[string]any{"expression": "memory.used", "machine_ids": []string{one(s.ids)}}, nil)
}

// script asks for one that changes nothing. A machine that is away for the moment
// refuses nothing: the console says that it is not there.
func (s *soak) script() error {
	s.done.add("scripts", 1)
	return away(s.Call(http.MethodPost, "/runs", map[string]any{"script": "free-disk-space", "machine_id": one(s.linux), "dry_run": true,
		"parameters": map[string]string{"MOUNT": "/"}}, nil))
}

// ticket opens one, writes into it and resolves it.
func (s *soak) ticket() error {
	var t struct {
		ID      string
		Version int64
	}
	if err := s.Call(http.MethodPost, "/tickets", map[string]any{"title": "The printer is silent", "machine_id": one(s.ids)}, &t); err != nil {
		return err
	}
	if err := s.Call(http.MethodPost, "/tickets/"+t.ID+"/notes", map[string]any{"text": "Asked for the model."}, nil); err != nil {
		return err
	}
	if err := s.Call(http.MethodGet, "/tickets/"+t.ID, nil, &t); err != nil {
		return err
	}
	s.done.add("tickets", 1)
	return s.Call(http.MethodPatch, "/tickets/"+t.ID, map[string]any{"version": t.Version, "state": "resolved",
		"resolution": map[string]any{"text": "It was switched off."}}, nil)
}

func one(list []string) string { return list[rand.IntN(len(list))] }

// away is nil where a machine was not there.
func away(err error) error {
	var no *api.Refused
	if errors.As(err, &no) && no.Status == http.StatusConflict {
		return nil
	}
	return err
}
