// Package health answers, at the console, what package check judges on the
// machines: it keeps the catalogue of checks and what organisations changed in
// it, the alerts, and the history of vitals.
//
// # Alerts
//
// A machine tells transitions, not samples. An alert is one row from firing to
// resolved; there is one open alert for each organisation, machine, check and
// instance, or, where the check is about a shared thing, for each organisation,
// check and thing. Whether an alert needs a person is decided in the
// transaction that moves it: package desk opens the ticket, lets it join one,
// or resolves an untouched one when the last of its alerts is gone.
//
// A machine that is silent makes its alerts unknown, never resolved. Those of one
// that was expelled end with it: nobody will tell of them any more.
//
// # History
//
// Rows of vitals are kept as they came and read only to draw; a row with a
// higher revision replaces the one before. Age deletes them.
package health

import (
	"log/slog"
	"sync"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

// Kinds of changes that pages hear of.
const (
	ChangedAlert = "alert"
	ChangedCheck = "check"
)

// Kinds of due rows that health handles.
const (
	KindAge     = "health.age"     // delete old history; one row for the console
	KindSilent  = "health.silent"  // a machine has been offline for the check's time
	KindCoarse  = "health.coarse"  // days of a machine that are over are to be packed
	KindSettled = "health.settled" // a ticket's condition has been gone for the time that the settings say
)

// Health is the checks, alerts and history of all organisations.
type Health struct {
	store *store.Store
	log   *slog.Logger
	sets  sync.Map // of resolved, by organisation
}

// New makes a Health.
func New(s *store.Store, log *slog.Logger) *Health { return &Health{store: s, log: log} }

var errNoAlert = model.Problemf(model.CodeNotFound, "", "There is no such alert, or you may not see it.")
