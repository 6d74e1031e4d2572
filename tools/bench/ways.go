package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"time"

	"github.com/deskside/deskside/tools/internal/page"
)

const (
	warmUp  = 50  // not counted
	counted = 500 // of which a quantile is taken
)

// ways measures how long one machine takes to answer a program that asks for the
// outcome and waits until it is there.
func ways(ctx context.Context) (_ map[string]figure, err error) {
	w, err := newWorld(ctx, "")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	_, machine, err := w.Agent()
	if err != nil {
		return nil, err
	}
	question := func() error {
		var q struct{ ID string }
		err := w.Call(http.MethodPost, "/questions", map[string]any{"expression": "memory.used", "machine_ids": []string{machine}}, &q)
		var answers struct{ Items []any }
		if err == nil {
			err = w.Call(http.MethodGet, "/questions/"+q.ID+"/answers?wait=20", nil, &answers)
		}
		if err == nil && len(answers.Items) == 0 {
			err = errors.New("the machine has not answered")
		}
		return err
	}
	script := func() error {
		var r struct{ ID, State string }
		err := w.Call(http.MethodPost, "/runs", map[string]any{"script": trivial, "machine_id": machine, "dry_run": true, "parameters": map[string]string{"MOUNT": nothing}}, &r)
		if err == nil {
			err = w.Call(http.MethodGet, "/runs/"+r.ID+"?wait=20", nil, &r)
		}
		if err == nil && r.State != "succeeded" {
			err = fmt.Errorf("the script has %s", r.State)
		}
		return err
	}
	out := map[string]figure{}
	for name, act := range map[string]func() error{"question": question, "script": script} {
		took, err := timed(act)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out[name] = figure{ours: quantile(took, 0.5), note: fmt.Sprintf("p99 %s ms", page.Short(quantile(took, 0.99)))}
	}
	byHand, err := timed(func() error {
		cmd := exec.CommandContext(ctx, "/bin/sh", "scripts/"+trivial+"/run.sh")
		cmd.Env = []string{"PATH=/usr/bin:/bin", "DESKSIDE_DRY_RUN=1", "DESKSIDE_P_MOUNT=" + nothing}
		return cmd.Run()
	})
	if err != nil {
		return nil, fmt.Errorf("%s by hand: %w", trivial, err)
	}
	s := out["script"]
	s.note = fmt.Sprintf("a dry run of %s on %s, which takes %s ms by hand; %s", trivial, nothing, page.Short(quantile(byHand, 0.5)), s.note)
	out["script"] = s
	return out, nil
}

// trivial is the script that does the least where there is nothing to clean: it looks
// at a few folders, and starts one program.
const (
	trivial = "free-disk-space"
	nothing = "/dev/shm" // where it looks
)

// timed calls act many times and tells how many milliseconds each took.
func timed(act func() error) ([]float64, error) {
	var took []float64
	for i := range warmUp + counted {
		began := time.Now()
		if err := act(); err != nil {
			return nil, err
		}
		if i >= warmUp {
			took = append(took, time.Since(began).Seconds()*1000)
		}
	}
	return took, nil
}
