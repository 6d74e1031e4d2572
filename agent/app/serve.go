package app

import (
	"context"
	"time"

	"github.com/deskside/deskside/agent/check"
	"github.com/deskside/deskside/agent/state"
	"github.com/deskside/deskside/protocol"
	"github.com/deskside/deskside/protocol/catalogue"
	"github.com/deskside/deskside/protocol/expression"
)

// serve does one request; true means that a round is due at once.
func (r *rounds) serve(ctx context.Context, q request) bool {
	switch {
	case q.verify != nil:
		q.verify.answer <- r.verify(ctx, *q.verify)
		return false
	case q.set != nil:
		r.replace(q.set)
		return true
	case q.settings != nil:
		r.retune(*q.settings)
		return true
	case len(q.wanted) > 0:
		r.tellWanted(q.wanted)
		return false
	case !q.watch.IsZero():
		first := !time.Now().Before(r.watched)
		if q.watch.After(r.watched) {
			r.watched = q.watch
		}
		if first { // the page wants to see what is now, not what was at the last upload
			r.saved, r.facts = time.Time{}, time.Time{}
		}
		return first
	}
	if q.now {
		r.set.Hasten()
	}
	return q.now
}

// replace takes another set of checks. Alerts of checks that are not judged any
// more resolve.
func (r *rounds) replace(raw []byte) {
	set, err := catalogue.DecodeSet(raw)
	if err != nil {
		r.agent.options.Log.Error("cannot use a set of checks", "error", err)
		return
	}
	transitions, err := r.set.Replace(set, time.Now())
	if err != nil {
		r.agent.options.Log.Error("cannot use a set of checks", "error", err)
		return
	}
	for _, t := range transitions {
		r.unsaved = append(r.unsaved, r.transition(t, &expression.Machine{}))
	}
	r.adopt(set)
	err = r.agent.state.Update(func(tx *state.Tx) error { return tx.SetBlob(blobChecks, raw) })
	if err != nil {
		r.agent.options.Log.Error("cannot keep a set of checks", "error", err)
	}
}

func (r *rounds) retune(s protocol.Settings) {
	r.tune(s)
	raw, err := protocol.Marshal(s)
	if err == nil {
		err = r.agent.state.Update(func(tx *state.Tx) error { return tx.SetBlob(blobSettings, raw) })
	}
	if err != nil {
		r.agent.options.Log.Error("cannot keep the settings", "error", err)
	}
}

// verify judges one check on a fresh reading.
func (r *rounds) verify(ctx context.Context, v verification) protocol.Verdict {
	verdict := protocol.Verdict{Check: v.check, Verdict: "not_run"}
	m := r.reader.round(ctx, true)
	r.agent.last.Store(m)
	level, values, err := r.set.Fresh(v.check, v.instance, m)
	if err != nil {
		r.agent.options.Log.Warn("cannot verify a repair", "check", v.check, "error", err)
		return verdict
	}
	verdict.Values = values
	switch level {
	case check.Warning, check.Critical:
		verdict.Verdict = "still_failing"
	case check.Clear, check.Holding:
		verdict.Verdict = "verified"
	case check.Unknown, check.Gone: // nobody looked at what was repaired
	}
	return verdict
}

// verify asks the loop for a check on a fresh reading, and waits.
func (a *Agent) verify(ctx context.Context, check, instance string) protocol.Verdict {
	v := &verification{check: check, instance: instance, answer: make(chan protocol.Verdict, 1)}
	none := protocol.Verdict{Check: check, Verdict: "not_run"}
	select {
	case a.rounds.requests <- request{verify: v}:
	case <-ctx.Done():
		return none
	}
	select {
	case verdict := <-v.answer:
		return verdict
	case <-ctx.Done():
		return none
	case <-time.After(time.Minute):
		return none
	}
}
