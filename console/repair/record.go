package repair

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

// Pending are the runs that a machine is still to be told, and to be cancelled.
func (r *Repair) Pending(tx *store.Tx, from model.From) ([]model.Act, error) {
	var acts []model.Act
	runs, err := query(tx, "r.machine_id = $1 AND r.state IN ('queued', 'sent', 'running')", from.Machine)
	if err != nil {
		return nil, err
	}
	for _, run := range runs {
		a := model.Act{ID: run.ID, Machine: from, Expires: run.ExpiresAt}
		switch {
		case run.Cancelling:
			a.ID, a.Expires = model.DerivedID(run.ID, "cancel"), tx.Now().Add(time.Hour)
			a.Body = &model.CancelRun{Run: run.ID, By: run.By}
		case run.State != model.RunRunning: // a line tells each run once; of those before nobody knows what arrived
			a.Body = &model.Work{Script: run.Script, Version: run.ScriptVersion, Hash: run.ScriptHash,
				Parameters: run.Parameters, DryRun: run.DryRun, By: run.By, Verify: run.VerifyCheck, Instance: run.Instance}
		default:
			continue
		}
		acts = append(acts, a)
	}
	return acts, nil
}

// Waiting are the machines, or those among them, with runs that are not over.
func (r *Repair) Waiting(tx *store.Tx, _ model.ID, among []model.ID) ([]model.ID, error) {
	return store.CollectAmong(tx, "SELECT DISTINCT machine_id FROM run WHERE state IN ('queued', 'sent', 'running') AND {wall}", "machine_id", among)
}

// Send writes down that a machine is told a run; only then is it told. So a run
// that somebody cancels is either one that no machine knows of, or one that its
// machine is asked to end. It is false where the run has ended meanwhile, or
// nothing could be written.
func (r *Repair) Send(ctx context.Context, a model.Act) bool {
	if _, ok := a.Body.(*model.Work); !ok {
		return true
	}
	return r.move(ctx, a.Machine, a.ID, func(run *model.Run, now time.Time) error { return run.Send(now) })
}

// Taken writes down that a script begins.
func (r *Repair) Taken(ctx context.Context, from model.From, id model.ID, _ time.Time) {
	r.move(ctx, from, id, func(run *model.Run, now time.Time) error { return run.Begin(now) })
}

// move changes a run that has not ended; it is false for one that has.
func (r *Repair) move(ctx context.Context, from model.From, id model.ID, how func(*model.Run, time.Time) error) (moved bool) {
	err := r.store.Update(ctx, store.Machine(from.Organisation, from.Machine), func(tx *store.Tx) error {
		moved = false
		run, err := Get(tx, id)
		if err != nil {
			return err
		}
		if run.Machine != from.Machine || run.Done() {
			return nil
		}
		if err := how(&run, tx.Now()); err != nil {
			return err
		}
		moved = true
		return update(tx, &run)
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		r.log.Error("cannot write down how a run stands", "run", id, "error", err)
	}
	return moved && err == nil
}

// Output keeps a piece of a running script's output. Pieces may be lost, and none
// comes before one that is kept; the result brings the beginning and the end.
func (r *Repair) Output(ctx context.Context, o model.Output) {
	if !fits(o) {
		return
	}
	err := r.store.Update(ctx, store.Machine(o.From.Organisation, o.From.Machine), func(tx *store.Tx) error {
		run, err := Get(tx, o.Run)
		if err != nil {
			return err
		}
		if run.Machine != o.Machine || run.Done() || o.Offset < run.OutputBytes {
			return nil
		}
		if more, err := room(tx, run.ID); err != nil || !more {
			return err
		}
		if err := keepOutput(tx, run, o.Offset, o.Data); err != nil {
			return err
		}
		run.OutputBytes = o.Offset + int64(len(o.Data))
		return update(tx, &run)
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		r.log.Error("cannot keep the output of a run", "run", o.Run, "error", err)
	}
}

// TakeResults ends runs as their machines tell. A result of another machine's
// run is refused; one of a run that has ended is a no-op, but where the console
// only assumed that it had.
func (r *Repair) TakeResults(tx *store.Tx, list []model.Result) error {
	for _, res := range list {
		if err := r.record(tx, res); err != nil {
			return fmt.Errorf("result of a run: %w", err)
		}
	}
	return nil
}

func (r *Repair) record(tx *store.Tx, res model.Result) error {
	run, err := Get(tx, res.Run)
	if err != nil {
		return err
	}
	if run.Machine != res.Machine {
		return model.Problemf(model.CodeRefused, "run", "a result for another machine's run")
	}
	res = bounded(res)
	what := "ended"
	if run.Done() {
		if !run.Mistaken(res.State) {
			return nil
		}
		what = "corrected"
	}
	was := run.State
	if !res.StartedAt.IsZero() {
		if run.StartedAt.IsZero() {
			run.StartedAt = tx.Now()
		}
		if d := res.EndedAt.Sub(res.StartedAt); d >= 0 && d < 48*time.Hour {
			run.Duration = d
		}
	}
	duration := run.Duration
	if err := run.End(res.State, tx.Now()); err != nil {
		return err
	}
	run.Duration = duration
	run.Refusal, run.RefusalText = res.Refusal, res.Text
	run.ExitCode, run.Values, run.Verdict = res.ExitCode, res.Values, res.Verdict
	run.OutputBytes, run.OutputCut = res.Bytes, res.Cut
	if run.Verdict == "" && !run.DryRun && run.VerifyCheck != "" {
		run.Verdict = "not_run"
	}
	if err := replaceOutput(tx, run, res); err != nil {
		return err
	}
	if err := update(tx, &run); err != nil {
		return err
	}
	if err := tx.NotDue(KindExpire, run.ID); err != nil {
		return err
	}
	if err := tx.Audit(store.Entry{Organisation: run.Organisation, Action: "run.end", Result: string(run.State),
		Subjects: []store.Subject{{Kind: "run", ID: run.ID}, {Kind: "machine", ID: run.Machine}},
		Detail:   map[string]any{"refusal": run.Refusal, "verdict": run.Verdict, "was": string(was), "dry_run": run.DryRun}}); err != nil {
		return err
	}
	if run.Ticket == (model.ID{}) {
		return nil
	}
	return say(tx, run, what)
}
