// Package fleet keeps the machines: how they enrol, whether they are there and
// why not, what they are, which belong together, and what is asked of all of
// them.
//
// # Presence
//
// A machine's row is written when its line begins and when it ends, and at no
// other time: a beat costs no write. A goodbye makes it offline at once, with
// its reason. A line that is lost makes it offline only when it does not come
// back within the organisation's offline_after, by a row that becomes due; so
// neither a short cut nor a restart of the console makes anybody offline. When
// a node's lease lapses, its machines are given the same time.
//
// A machine that was lost and comes back after another start of its system, though
// its agent was never ended, has restarted without being shut down; that is written
// among its changes.
//
// What else happens when a machine goes or comes back is for others: fleet
// writes a due row of [KindGone] or [KindBack] and they handle it.
package fleet

import (
	"log/slog"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

// Kinds of due rows that fleet handles itself.
const (
	KindLost        = "fleet.lost"     // a lost line did not come back in time
	KindOrphan      = "fleet.orphan"   // nor did one whose node is gone
	KindQuestionEnd = "fleet.question" // nobody answers any more; later: forget it
	KindGroup       = "fleet.group"    // a rule has machines to meet
	KindRegroup     = "fleet.regroup"  // a machine has rules to meet
)

// Kinds of due rows that fleet writes for others.
const (
	KindGone = "fleet.gone" // a machine is offline
	KindBack = "fleet.back" // a machine is online

	KindRevoked = "fleet.revoked" // a machine was expelled: what it holds is to end
)

// Kinds of changes that pages hear of.
const (
	ChangedMachine  = "machine"
	ChangedQuestion = "question"
	ChangedGroup    = "group"
)

// Fleet is the machines of all organisations.
type Fleet struct {
	store    *store.Store
	log      *slog.Logger
	refusals refusals
}

// New makes a Fleet.
func New(s *store.Store, log *slog.Logger) *Fleet {
	return &Fleet{store: s, log: log, refusals: refusals{told: map[refusal]*told{}}}
}

var errNoMachine = model.Problemf(model.CodeNotFound, "", "There is no such computer, or you may not see it.")

// settingsKey is where an organisation's settings are kept.
const settingsKey = "settings"
