// Package desk keeps tickets: human work, in ITIL's terms. A ticket is opened
// by a person, by a technician who takes a call, or by alerts; it has one
// timeline, in which every step stands with who did it and, when nobody did,
// with the reason.
//
// Alerts are not tickets. Package health decides when an alert needs a person
// and calls [OpenFor]; what makes many alerts one ticket is here: later alerts
// of the same machine and family join for a while, a condition that comes back
// reopens its ticket, and many machines with one check are one ticket.
//
// A ticket that no person has touched resolves by itself when its condition has
// cleared, and says so. A person's word always brings it back.
//
// The functions with a Tx are for other packages' transactions; the methods of
// Desk are acts of people and have transactions of their own.
package desk

import (
	"log/slog"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

// ChangedTicket is the kind of change that pages hear of.
const ChangedTicket = "ticket"

// KindIndex is the due row of a ticket that is to be found by other words.
const KindIndex = "desk.index"

// Desk is the tickets of all organisations.
type Desk struct {
	store *store.Store
	log   *slog.Logger
}

// New makes a Desk.
func New(s *store.Store, log *slog.Logger) *Desk { return &Desk{store: s, log: log} }

var errNoTicket = model.Problemf(model.CodeNotFound, "", "There is no such ticket, or you may not see it.")
