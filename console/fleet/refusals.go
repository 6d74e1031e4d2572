package fleet

import (
	"context"
	"sync"
	"time"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

// Whoever reaches the port of the machines can be refused as often as they like:
// a neighbourhood writes one audit row an hour into an organisation, and all of
// them so many.
const (
	refusalEvery = time.Hour
	mostRefusals = 1000 // neighbourhoods and organisations remembered at a node
)

// refusal is where enrolments are refused, and whom they were meant for.
type refusal struct {
	organisation  model.ID
	neighbourhood string
}

// refusals counts enrolments that were refused, for the audit rows.
type refusals struct {
	mu   sync.Mutex
	told map[refusal]*told
}

// told is when a refusal was last written, and how many were not since.
type told struct {
	at      time.Time
	omitted int
}

// due tells whether a refusal is to be written now, and how many of the same were
// not since the last one. Of those that find no room nothing is known.
func (r *refusals) due(which refusal, now time.Time) (write bool, omitted int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	last := r.told[which]
	if last == nil {
		if len(r.told) >= mostRefusals && !r.forget(now) {
			return false, 0
		}
		r.told[which] = &told{at: now}
		return true, 0
	}
	if now.Sub(last.at) < refusalEvery {
		last.omitted++
		return false, 0
	}
	omitted, last.at, last.omitted = last.omitted, now, 0
	return true, omitted
}

// forget makes room of what may be written again, and tells whether there is any.
func (r *refusals) forget(now time.Time) bool {
	for which, last := range r.told {
		if now.Sub(last.at) >= refusalEvery {
			delete(r.told, which)
		}
	}
	return len(r.told) < mostRefusals
}

// auditRefusal writes that an enrolment was refused, which only an organisation
// that exists has a book for.
func (f *Fleet) auditRefusal(ctx context.Context, scope store.Scope, organisation model.ID, p *model.Problem) {
	write, omitted := f.refusals.due(refusal{organisation, model.Neighbourhood(scope.Actor.Address)}, time.Now())
	if !write {
		return
	}
	detail := map[string]any{"code": p.Code}
	if omitted > 0 {
		detail["omitted"] = omitted
	}
	err := f.store.Update(ctx, scope, func(tx *store.Tx) error {
		return tx.Audit(store.Entry{Organisation: organisation, Action: "machine.enrol", Result: "refused", Detail: detail})
	})
	if err != nil {
		f.log.Error("cannot write the audit row of a refused enrolment", "error", err)
	}
}
