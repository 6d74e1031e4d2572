// Package repair has scripts run on machines: it knows the catalogue, writes a
// run as a row, and takes its output and its result.
//
// A run is a row with a state, so that nothing depends on a line being up when
// somebody clicks: queued until the machine was told, sent until it says that
// the script began, running until it says how it ended. Telling a machine a
// second time does no harm, because an agent starts no run twice; a second
// result does none either. A machine that does not come before the run expires
// does not get it.
//
// The result, the verdict of the check that was to be cured, and the ticket's
// timeline are one transaction.
package repair

import (
	"log/slog"
	"time"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

// ChangedRun is the kind of change that pages hear of.
const ChangedRun = "run"

// KindExpire is the kind of due row that ends runs nobody fetched.
const KindExpire = "repair.expire"

const runLife = 20 * time.Hour // shorter than what an agent allows

// Repair is the runs of all organisations.
type Repair struct {
	store *store.Store
	log   *slog.Logger
	hint  func(machine model.ID) // that a machine has work
}

// New makes a Repair; hint tells the nodes that a machine has work.
func New(s *store.Store, hint func(model.ID), log *slog.Logger) *Repair {
	return &Repair{store: s, hint: hint, log: log}
}

var errNoRun = model.Problemf(model.CodeNotFound, "", "There is no such run, or you may not see it.")
