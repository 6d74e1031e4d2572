package model

import "time"

// RunState is where a run stands.
type RunState string

const (
	RunQueued    RunState = "queued"
	RunSent      RunState = "sent"
	RunRunning   RunState = "running"
	RunSucceeded RunState = "succeeded"
	RunFailed    RunState = "failed"
	RunTimedOut  RunState = "timed_out"
	RunRefused   RunState = "refused"
	RunCancelled RunState = "cancelled"
	RunExpired   RunState = "expired"
	RunLost      RunState = "lost"
)

// Run is one script on one machine.
type Run struct {
	ID            ID
	Organisation  ID
	Script        string
	ScriptVersion int
	ScriptHash    []byte
	Machine       ID
	Ticket        ID
	DryRun        bool
	Parameters    map[string]string
	State         RunState
	Refusal       string
	RefusalText   string
	ExitCode      *int
	Duration      time.Duration
	By            Actor
	RequestedAt   time.Time
	SentAt        time.Time
	StartedAt     time.Time
	FinishedAt    time.Time
	ExpiresAt     time.Time
	OutputBytes   int64
	OutputCut     bool
	Values        map[string]string
	VerifyCheck   string
	Instance      string
	Verdict       string // verified, still_failing, not_run
	Cancelling    bool
	Version       int64
}

// Done tells whether the run has ended.
func (r *Run) Done() bool {
	switch r.State {
	case RunQueued, RunSent, RunRunning:
		return false
	}
	return true
}

// Send records that the machine is told now. Telling it again changes nothing.
func (r *Run) Send(at time.Time) error {
	if r.Done() {
		return Problemf(CodeState, "state", "This run has ended: %s.", r.State)
	}
	if r.State == RunQueued {
		r.State, r.SentAt = RunSent, at
	}
	return nil
}

// Begin records that the script runs.
func (r *Run) Begin(at time.Time) error {
	if r.Done() {
		return Problemf(CodeState, "state", "This run has ended: %s.", r.State)
	}
	r.State, r.StartedAt = RunRunning, at
	return nil
}

// Mistaken tells whether an end that the console assumed, because it had heard
// nothing, gives way to the one that the machine tells. No other end does.
func (r *Run) Mistaken(told RunState) bool {
	switch told {
	case RunExpired:
		return false
	case RunLost: // it began, and its machine knows no more
		return r.State == RunExpired
	}
	return r.State == RunExpired || r.State == RunLost
}

// End records the outcome; a run ends once, but for an end that was mistaken.
func (r *Run) End(state RunState, at time.Time) error {
	if r.Done() && !r.Mistaken(state) {
		return Problemf(CodeState, "state", "This run has ended: %s.", r.State)
	}
	switch state {
	case RunSucceeded, RunFailed, RunTimedOut, RunRefused, RunCancelled, RunExpired, RunLost:
	default:
		return Problemf(CodeInvalid, "state", "A run does not end as %q.", state)
	}
	r.State, r.FinishedAt = state, at
	if !r.StartedAt.IsZero() && at.After(r.StartedAt) {
		r.Duration = at.Sub(r.StartedAt)
	}
	return nil
}

// Cancel asks for an end. A run that no machine knows of ends here; for one
// that was sent, the machine has the last word.
func (r *Run) Cancel(at time.Time) error {
	if r.Done() {
		return Problemf(CodeState, "state", "This run has ended: %s.", r.State)
	}
	if r.State == RunQueued {
		r.State, r.FinishedAt = RunCancelled, at
		return nil
	}
	r.Cancelling = true
	return nil
}
