// Package repair runs one script at a time, as the gate admitted it, under
// limits, and keeps what came out of it until the console has it.
//
// A run that the gate admitted is on the disk already: whatever happens from
// then on, it ends in exactly one result. A run that was open when the agent
// died is reported as lost and never started again. An order that was refused,
// and the cancelling of a run that never came, are answered as well, but not
// without bound; what was answered so is used up, and is not run when it comes
// again.
//
// The script is a child of a keeper, a second process of this program. The
// keeper adopts everything the script leaves behind; when the script ends, runs
// out of time, is cancelled or the agent dies, it ends all of it. In a dry run
// the keeper takes from itself and so from the script the right to write
// anything outside a folder of the run's own, where the kernel can (Landlock).
package repair

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/agent/gate"
	"github.com/deskside/deskside/agent/state"
	"github.com/deskside/deskside/protocol"
	"github.com/deskside/deskside/scripts"
)

// States of a result.
const (
	succeeded = "succeeded"
	failed    = "failed"
	timedOut  = "timed_out"
	refused   = "refused"
	cancelled = "cancelled"
	lost      = "lost"
)

// Calls are the calls out of a runner.
type Calls struct {
	// Send puts a volatile message on the line; false means that it is lost.
	Send func(protocol.Kind, any) bool
	// Kept is called when a result has been put into the outbox.
	Kept func()
	// Verify judges a check on a fresh reading.
	Verify func(ctx context.Context, check, instance string) protocol.Verdict
	// Instead, when it is set, does the work of a script on a machine that is not
	// there, and returns the exit code; see agent/simulate.
	Instead func(run uuid.UUID, script string, values map[string]string, dry bool, out io.Writer) int
}

// Runner runs scripts. Make it with [New]; [Runner.Run] works until its context
// ends.
type Runner struct {
	state  *state.State
	family string
	calls  Calls
	log    *slog.Logger
	queue  chan gate.Admitted

	mu      sync.Mutex
	current uuid.UUID
	stop    context.CancelFunc
	waiting map[uuid.UUID]bool // runs in the queue; true: cancelled
	unsaved []protocol.Result
}

// queued is how many admitted runs may wait for the one that runs.
const queued = 16

// New makes a runner for a system family.
func New(s *state.State, family string, calls Calls, log *slog.Logger) *Runner {
	return &Runner{state: s, family: family, calls: calls, log: log,
		queue: make(chan gate.Admitted, queued), waiting: map[uuid.UUID]bool{}}
}

// Recover reports runs that were open when the agent ended as lost. Call it
// once, before anything is admitted.
func (r *Runner) Recover() error {
	return r.state.Update(func(tx *state.Tx) error {
		open, err := tx.OpenRuns()
		if err != nil {
			return err
		}
		for _, run := range open {
			result := protocol.Result{Run: run.ID, State: lost, StartedAt: run.TakenAt, EndedAt: time.Now().UnixMicro(),
				Text: "The agent ended before the script was done. What it did is not known, so it is not run again."}
			if err := tx.FinishRun(result); err != nil {
				return err
			}
			if err := os.RemoveAll(r.folder(run.ID)); err != nil {
				return fmt.Errorf("remove the folder of a lost run: %w", err)
			}
		}
		return nil
	})
}

func (r *Runner) folder(id uuid.UUID) string {
	return filepath.Join(r.state.Dir(), "runs", id.String())
}

// Start queues an admitted run.
func (r *Runner) Start(a gate.Admitted) {
	r.mu.Lock()
	r.waiting[a.ID()] = false
	r.mu.Unlock()
	select {
	case r.queue <- a:
	default:
		r.finish(protocol.Result{Run: a.ID(), State: refused, Refusal: protocol.CodeBusy,
			Text: "Too many scripts wait on this machine."})
	}
}

// Refuse reports a run that the gate turned away, so that whoever asked for it
// sees why.
func (r *Runner) Refuse(x *gate.Refusal) {
	switch x.Code {
	case protocol.CodeSeen, protocol.CodeStamp, protocol.CodeWrongMachine:
		return // not a run of ours, or one that has its result already
	}
	r.spare(protocol.Result{Run: x.ID, State: refused, Refusal: x.Code, Text: x.Text}, x.Ends)
}

// mostSpared is how many results may wait before those of orders that never ran
// are left out: the gate has them in the journal, and whoever sends a million
// orders that are refused cannot fill the disk.
const mostSpared = 100

// spare keeps the result of an order that never ran, and in the same transaction
// uses its id up until its end: what the console was told did not run, does not
// run when the order comes again and the reason has passed. Where so many wait,
// where the id is used up already and where the disk is full, it does neither:
// the console has heard nothing, and may ask again.
func (r *Runner) spare(result protocol.Result, ends time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	err := r.state.Update(func(tx *state.Tx) error {
		if tx.Seen(result.Run) || tx.Waiting(protocol.ClassResult, mostSpared)+len(r.unsaved) >= mostSpared {
			return errNotSpared // and nothing is written
		}
		if err := tx.MarkSeen(result.Run, ends); err != nil {
			return err
		}
		return tx.FinishRun(result)
	})
	switch {
	case err == nil:
		r.calls.Kept()
	case !errors.Is(err, errNotSpared):
		r.log.Error("cannot answer an order that did not run", "run", result.Run, "error", err)
	}
}

var errNotSpared = errors.New("answered before, or too many wait")

// Cancel ends a run that waits or runs. Of one that this machine never heard of
// it says so, and never takes it up should it come after all; one that has ended
// has its result. issued is when it was cancelled, by the clock that also dated
// the run: the machine's own may be wrong today and right tomorrow.
func (r *Runner) Cancel(id uuid.UUID, issued time.Time) {
	if id == uuid.Nil { // no run has this id, and it stands for "none runs"
		return
	}
	if r.end(id) {
		return
	}
	r.spare(protocol.Result{Run: id, State: cancelled, Text: "This machine does not know the run: nothing of it runs here, and it will not be started."},
		issued.Add(longestOrder))
}

// longestOrder is how long an order to run a script may live.
const longestOrder = 24 * time.Hour

// end stops a run that waits or runs, and reports whether there is one.
func (r *Runner) end(id uuid.UUID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.current == id {
		r.stop()
		return true
	}
	_, waits := r.waiting[id]
	if waits {
		r.waiting[id] = true
	}
	return waits
}

// Run does one admitted run after the other until ctx ends.
func (r *Runner) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			r.save()
		case a := <-r.queue:
			if result, done := r.one(ctx, a); done {
				r.finish(result)
			}
		}
	}
}

// one runs a script; done is false when the agent ends meanwhile, so that the
// run is found open, and lost, at the next start.
func (r *Runner) one(ctx context.Context, a gate.Admitted) (protocol.Result, bool) {
	work := a.Body().(*protocol.Work)
	result := protocol.Result{Run: a.ID(), StartedAt: time.Now().UnixMicro()}
	script, ok := scripts.Lookup(work.Script)
	if !ok {
		result.State, result.Refusal, result.Text = refused, protocol.CodeNoScript, "The script is not there any more."
		return result, true
	}
	file, body, ok := script.File(r.family)
	if !ok {
		result.State, result.Refusal, result.Text = refused, protocol.CodePlatform, "The script does not run on this system."
		return result, true
	}
	return r.perform(ctx, result, job{script.ID, file, body, limit(script, work)}, work)
}

// perform runs a job and completes its result.
func (r *Runner) perform(ctx context.Context, result protocol.Result, j job, work *protocol.Work) (protocol.Result, bool) {
	running, stop := context.WithCancel(ctx)
	defer stop()
	if !r.begin(result.Run, stop) {
		result.State, result.Text = cancelled, "It was cancelled before it began."
		return result, true
	}
	defer r.begin(uuid.Nil, nil)
	r.calls.Send(protocol.KindTaken, protocol.Taken{Run: result.Run, At: result.StartedAt})

	out := newOutput(result.Run, r.calls.Send)
	var end ending
	var err error
	if r.calls.Instead != nil {
		end.code = r.calls.Instead(result.Run, j.script, work.Parameters, work.DryRun, out)
	} else {
		end, err = r.execute(running, result.Run, j, work, out)
	}
	result.EndedAt = time.Now().UnixMicro()
	out.close()
	result.Head, result.Tail, result.Bytes, result.Cut = out.kept()
	result.Values = out.values()
	if ctx.Err() != nil {
		return result, false
	}
	if err != nil {
		result.State, result.Text = failed, err.Error()
		return result, true
	}
	result.ExitCode, result.Sandboxed = &end.code, end.sandboxed
	switch {
	case end.timedOut:
		result.State, result.ExitCode = timedOut, nil
		result.Text = fmt.Sprintf("It did not end within %s and was stopped, with everything it had started.", j.timeout)
	case end.flooded:
		result.State, result.ExitCode = failed, nil
		result.Text = fmt.Sprintf("It wrote more than %d MiB and was stopped.", maxFlood>>20)
	case running.Err() != nil:
		result.State, result.ExitCode, result.Text = cancelled, nil, "It was cancelled."
	case end.code == 0:
		result.State = succeeded
	default:
		result.State = failed
	}
	if work.Verify != "" && !work.DryRun && result.State == succeeded {
		verdict := r.calls.Verify(ctx, work.Verify, work.Instance)
		result.Verify = &verdict
	}
	return result, ctx.Err() == nil
}

func (r *Runner) begin(id uuid.UUID, stop context.CancelFunc) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	stopped := r.waiting[id]
	delete(r.waiting, id)
	if stopped {
		return false
	}
	r.current, r.stop = id, stop
	return true
}

// finish keeps a result. Without space on the disk it stays in memory and is
// tried again every second: a result is never given up.
func (r *Runner) finish(result protocol.Result) {
	r.mu.Lock()
	delete(r.waiting, result.Run)
	r.unsaved = append(r.unsaved, result)
	r.mu.Unlock()
	r.save()
}

func (r *Runner) save() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.unsaved) > 0 {
		err := r.state.Update(func(tx *state.Tx) error { return tx.FinishRun(r.unsaved[0]) })
		if err != nil {
			r.log.Error("cannot keep the result of a run yet", "run", r.unsaved[0].Run, "error", err)
			return
		}
		r.unsaved = r.unsaved[1:]
		r.calls.Kept()
	}
}

func limit(s scripts.Script, w *protocol.Work) time.Duration {
	asked := time.Duration(w.Timeout) * time.Second
	if asked > 0 && asked < s.Timeout {
		return asked
	}
	return s.Timeout
}
