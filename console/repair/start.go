package repair

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/deskside/deskside/console/desk"
	"github.com/deskside/deskside/console/fleet"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/scripts"
)

// Request is a run that somebody wants.
type Request struct {
	Organisation model.ID
	Script       string
	Machine      model.ID
	Ticket       model.ID // zero for none
	Parameters   map[string]string
	DryRun       bool
	Cures        string // the check that fires and is to be verified; empty for the script's own
	Key          string // idempotency key; empty for none
}

// Start writes a run down and hints at its machine. The same key with the same
// request is the same run; with another request it is a conflict.
func (r *Repair) Start(ctx context.Context, scope store.Scope, q Request) (model.Run, error) {
	s, ok := scripts.Lookup(q.Script)
	if !ok {
		return model.Run{}, model.Problemf(model.CodeInvalid, "script", "There is no script %q.", q.Script)
	}
	values, err := s.Values(q.Parameters, nil)
	var wrong *scripts.ValueError
	if errors.As(err, &wrong) {
		return model.Run{}, model.Problemf(model.CodeInvalid, "parameters."+wrong.Name, "%s", wrong.Text)
	}
	if err != nil {
		return model.Run{}, err
	}
	if len(q.Key) > 200 {
		return model.Run{}, model.Problemf(model.CodeInvalid, "Idempotency-Key", "A key has at most 200 bytes.")
	}
	run := model.Run{
		Organisation: q.Organisation, Script: s.ID, ScriptVersion: s.Version, ScriptHash: s.Hash(), Machine: q.Machine,
		Ticket: q.Ticket, DryRun: q.DryRun, Parameters: values, State: model.RunQueued, VerifyCheck: cmp.Or(q.Cures, s.Verify),
		Instance: values[s.Subject], By: model.Actor{Kind: model.ByTechnician, ID: scope.Actor.ID, Name: scope.Actor.Name}, Version: 1,
	}
	hash := requestHash(q)
	fresh := true
	err = r.store.Update(ctx, scope, func(tx *store.Tx) error {
		fresh = true
		if q.Key != "" {
			old, same, found, err := earlier(tx, scope.Actor.ID, q, hash)
			if err != nil {
				return err
			}
			if found && !same {
				return model.Problemf(model.CodeConflict, "Idempotency-Key", "This key was used for another request.")
			}
			if found {
				run, fresh = old, false
				return nil
			}
		}
		return r.write(tx, &run, s, q, hash)
	})
	if err != nil {
		return model.Run{}, err
	}
	if fresh {
		r.hint(run.Machine)
	}
	return run, nil
}

func (r *Repair) write(tx *store.Tx, run *model.Run, s scripts.Script, q Request, hash []byte) error {
	m, err := fleet.Acting(tx, q.Machine)
	if err != nil {
		return err
	}
	if _, _, runs := s.File(m.OS.Family); !runs {
		return model.Problemf(model.CodeInvalid, "script", "%q does not run on %s.", s.ID, m.OS.Family)
	}
	run.ID = model.NewID()
	run.RequestedAt, run.ExpiresAt = tx.Now(), tx.Now().Add(runLife)
	if err := insert(tx, run, q.Key, hash); err != nil {
		return err
	}
	if err := tx.Due(KindExpire, run.ID, run.ExpiresAt); err != nil {
		return err
	}
	if run.Ticket != (model.ID{}) {
		if err := desk.Took(tx, run.Ticket, run.By); err != nil {
			return err
		}
		if err := say(tx, *run, "requested"); err != nil {
			return err
		}
	}
	return tx.Audit(store.Entry{Organisation: run.Organisation, Action: "run.start", Result: "done",
		Subjects: []store.Subject{{Kind: "run", ID: run.ID}, {Kind: "machine", ID: run.Machine}},
		Detail:   map[string]any{"script": run.Script, "version": run.ScriptVersion, "dry_run": run.DryRun}})
}

func requestHash(q Request) []byte {
	raw, err := json.Marshal(struct {
		S    string
		M, T model.ID
		P    map[string]string
		D    bool
	}{q.Script, q.Machine, q.Ticket, q.Parameters, q.DryRun})
	if err != nil { // strings and ids always encode
		return nil
	}
	sum := sha256.Sum256(raw)
	return sum[:]
}

func earlier(tx *store.Tx, by model.ID, q Request, hash []byte) (run model.Run, same, found bool, err error) {
	var id model.ID
	var was []byte
	err = tx.QueryRow(`SELECT id, request_hash FROM run WHERE organisation_id = $1 AND by_id = $2 AND idempotency = $3 AND {wall}`,
		q.Organisation, by, q.Key).Scan(&id, &was)
	if errors.Is(err, store.ErrNotFound) {
		return run, false, false, nil
	}
	if err != nil {
		return run, false, false, fmt.Errorf("find an earlier run: %w", err)
	}
	run, err = Get(tx, id)
	return run, bytes.Equal(was, hash), true, err
}

// say writes into the run's ticket what became of it.
func say(tx *store.Tx, run model.Run, what string) error {
	s, _ := scripts.Lookup(run.Script)
	detail := map[string]any{"what": what, "run_id": run.ID, "script": run.Script, "title": s.Title, "dry_run": run.DryRun,
		"state": run.State, "exit_code": run.ExitCode, "duration_seconds": run.Duration.Seconds(), "machine_id": run.Machine,
		"verdict": run.Verdict, "check": run.VerifyCheck, "refusal": run.Refusal, "refusal_text": run.RefusalText, "result": run.Values}
	raw, err := json.Marshal(detail)
	if err != nil {
		return err
	}
	return desk.Said(tx, run.Ticket, model.Item{Kind: model.ItemRun, By: run.By, Text: s.Title.EN, Reason: what, Data: raw})
}

// Cancel asks for the end of a run.
func (r *Repair) Cancel(ctx context.Context, scope store.Scope, id model.ID) (model.Run, error) {
	var run model.Run
	err := r.store.Update(ctx, scope, func(tx *store.Tx) error {
		var err error
		if run, err = Get(tx, id); err != nil {
			return err
		}
		return cancel(tx, &run)
	})
	if err == nil {
		r.hint(run.Machine)
	}
	return run, err
}

func cancel(tx *store.Tx, run *model.Run) error {
	if err := run.Cancel(tx.Now()); err != nil {
		return err
	}
	if err := update(tx, run); err != nil {
		return err
	}
	return tx.Audit(store.Entry{Organisation: run.Organisation, Action: "run.cancel", Result: "done",
		Subjects: []store.Subject{{Kind: "run", ID: run.ID}, {Kind: "machine", ID: run.Machine}}})
}

// EndMachine ends the runs of a machine that was expelled: one that it was never
// told of is cancelled, and of the others nobody will hear how they end.
func (r *Repair) EndMachine(ctx context.Context, scope store.Scope, machine model.ID) error {
	return r.store.Update(ctx, scope, func(tx *store.Tx) error {
		runs, err := query(tx, "r.machine_id = $1 AND r.state IN ('queued', 'sent', 'running')", machine)
		for i := range runs {
			state := model.RunLost
			if runs[i].State == model.RunQueued {
				state = model.RunCancelled
			}
			runs[i].Refusal = model.CodeRevoked
			err = errors.Join(err, r.end(tx, &runs[i], state))
		}
		return err
	})
}

// EndPerson cancels the runs that wait for their machines, of a person who may start
// none any more. What runs already comes to its end: half a repair is worse than one
// too many.
func (r *Repair) EndPerson(ctx context.Context, scope store.Scope, person model.ID) error {
	var runs []model.Run
	err := r.store.Update(ctx, scope, func(tx *store.Tx) error {
		var err error
		runs, err = query(tx, "r.by_id = $1 AND r.state IN ('queued', 'sent')", person)
		runs = slices.DeleteFunc(runs, func(run model.Run) bool { return run.Cancelling })
		for i := range runs {
			runs[i].Refusal = model.CodeRefused
			err = errors.Join(err, cancel(tx, &runs[i]))
			if runs[i].Done() { // of the others their machines tell how they end
				err = errors.Join(err, tell(tx, runs[i]))
			}
		}
		return err
	})
	if err == nil {
		for _, run := range runs {
			r.hint(run.Machine)
		}
	}
	return err
}

// Expire is the handler of KindExpire.
func (r *Repair) Expire(_ context.Context, tx *store.Tx, id model.ID) (time.Time, error) {
	run, err := Get(tx, id)
	if errors.Is(err, store.ErrNotFound) || (err == nil && run.Done()) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, err
	}
	state := model.RunExpired
	if run.State == model.RunRunning {
		state = model.RunLost // it began and nothing was heard since
	}
	return time.Time{}, r.end(tx, &run, state)
}

// end writes down how the console gave a run up.
func (r *Repair) end(tx *store.Tx, run *model.Run, state model.RunState) error {
	if err := run.End(state, tx.Now()); err != nil {
		return err
	}
	if err := update(tx, run); err != nil {
		return err
	}
	return errors.Join(tell(tx, *run), tx.Audit(store.Entry{Organisation: run.Organisation, Action: "run.end", Result: string(run.State),
		Subjects: []store.Subject{{Kind: "run", ID: run.ID}, {Kind: "machine", ID: run.Machine}},
		Detail:   map[string]any{"refusal": run.Refusal}}))
}

// tell writes into the ticket of a run, if it has one, that it has ended.
func tell(tx *store.Tx, run model.Run) error {
	if run.Ticket == (model.ID{}) {
		return nil
	}
	return say(tx, run, "ended")
}
