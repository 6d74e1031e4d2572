package model

import (
	"fmt"
	"strings"
	"time"
)

// TicketState is where a ticket stands.
type TicketState string

const (
	TicketNew      TicketState = "new"
	TicketOpen     TicketState = "open"
	TicketOnHold   TicketState = "on_hold"
	TicketResolved TicketState = "resolved"
	TicketClosed   TicketState = "closed"
)

// TicketStates lists them in the order of a ticket's life.
func TicketStates() []TicketState {
	return []TicketState{TicketNew, TicketOpen, TicketOnHold, TicketResolved, TicketClosed}
}

// HoldReason says for whom a ticket waits.
type HoldReason string

const (
	HoldRequester HoldReason = "requester"
	HoldVendor    HoldReason = "vendor"
	HoldChange    HoldReason = "change"
	HoldProblem   HoldReason = "problem"
	HoldScheduled HoldReason = "scheduled"
)

var holdReasons = []HoldReason{HoldRequester, HoldVendor, HoldChange, HoldProblem, HoldScheduled}

// Kinds of a ticket.
const (
	KindIncident = "incident"
	KindRequest  = "request"
	KindProblem  = "problem"
)

// Sources of a ticket.
const (
	SourceAlert  = "alert"
	SourcePerson = "person"
	SourceAPI    = "api"
)

// CanWork is the person's own answer; it sets the urgency.
type CanWork string

const (
	WorkUnknown    CanWork = ""
	WorkNo         CanWork = "no"
	WorkDifficulty CanWork = "with_difficulty"
	WorkYes        CanWork = "yes"
)

// Urgency is 1 (cannot work) to 3 (can work); not asked is 2.
func (c CanWork) Urgency() int {
	switch c {
	case WorkNo:
		return 1
	case WorkYes:
		return 3
	}
	return 2
}

// Ticket is human work.
type Ticket struct {
	ID           ID
	Organisation ID
	Number       int64
	Kind         string
	State        TicketState
	Hold         HoldReason
	Title        string
	Says         string // the person's own words, kept for ever
	Plain        Words
	Priority     int // 1 to 5
	Impact       int // 1 whole organisation, 2 site, 3 team, 4 one person
	Urgency      int // 1 to 3
	Source       string
	CanWork      CanWork
	Requester    Actor
	Language     string // of the requester: en, pl, or empty when nobody knows
	Assignee     Actor
	Family       string // of the check that opened it: later alerts of the family join
	JoinUntil    time.Time
	Touched      bool // a person did something to it: it is not resolved by itself
	CreatedAt    time.Time
	UpdatedAt    time.Time
	ResolvedAt   time.Time
	Resolution   *Resolution
	LastWord     string // person, technician or empty
	Version      int64
}

// Resolution says how a ticket ended.
type Resolution struct {
	Kind  string // condition_cleared, expelled, script, person
	Text  string
	Plain Words
}

// NumberWord is the number as people say it.
func (t *Ticket) NumberWord() string { return fmt.Sprintf("DS-%06d", t.Number) }

// Active tells whether somebody still has to do something.
func (t *Ticket) Active() bool {
	return t.State == TicketNew || t.State == TicketOpen || t.State == TicketOnHold
}

// priorities is ITIL's table: impact 1 to 4 down, urgency 1 to 3 across. One
// person who cannot work is P3, who can work with difficulty P4.
var priorities = [4][3]int{{1, 2, 3}, {2, 3, 4}, {2, 3, 4}, {3, 4, 5}}

// Rate sets impact and urgency and with them the priority.
func (t *Ticket) Rate(impact, urgency int) error {
	if impact < 1 || impact > 4 {
		return Problemf(CodeInvalid, "impact", "Impact is 1 (whole organisation) to 4 (one person), not %d.", impact)
	}
	if urgency < 1 || urgency > 3 {
		return Problemf(CodeInvalid, "urgency", "Urgency is 1 (cannot work) to 3 (can work), not %d.", urgency)
	}
	t.Impact, t.Urgency, t.Priority = impact, urgency, priorities[impact-1][urgency-1]
	return nil
}

// SetPriority overrides what impact and urgency say.
func (t *Ticket) SetPriority(p int) error {
	if p < 1 || p > 5 {
		return Problemf(CodeInvalid, "priority", "Priority is 1 (critical) to 5 (planned), not %d.", p)
	}
	t.Priority = p
	return nil
}

// Rename gives the ticket another title; what the person said stays.
func (t *Ticket) Rename(title string) error {
	title = strings.TrimSpace(title)
	if title == "" || len(title) > 300 {
		return Problemf(CodeInvalid, "title", "A title has 1 to 300 bytes, not %d.", len(title))
	}
	t.Title = title
	return nil
}

// Assign gives the ticket to somebody, or to nobody. A new ticket that somebody
// leads is open.
func (t *Ticket) Assign(who Actor) error {
	if t.State == TicketClosed {
		return Problemf(CodeState, "assignee_id", "A closed ticket is not assigned; reopen it first.")
	}
	t.Assignee = who
	if t.State == TicketNew && who.ID != (ID{}) {
		t.State = TicketOpen
	}
	return nil
}

// Start opens a new, held, resolved or closed ticket.
func (t *Ticket) Start() error {
	if t.State == TicketOpen {
		return Problemf(CodeState, "state", "This ticket is open already.")
	}
	t.State, t.Hold, t.Resolution, t.ResolvedAt = TicketOpen, "", nil, time.Time{}
	return nil
}

// Wait puts the ticket on hold for a reason.
func (t *Ticket) Wait(reason HoldReason) error {
	if !t.Active() {
		return Problemf(CodeState, "state", "A %s ticket cannot be put on hold; reopen it first.", t.State)
	}
	for _, r := range holdReasons {
		if r == reason {
			t.State, t.Hold = TicketOnHold, reason
			return nil
		}
	}
	return Problemf(CodeInvalid, "hold_reason",
		"A ticket waits for: requester, vendor, change, problem or scheduled; not %q.", reason)
}

// Resolve ends the work.
func (t *Ticket) Resolve(how Resolution, at time.Time) error {
	if !t.Active() {
		return Problemf(CodeState, "state", "This ticket is %s already.", t.State)
	}
	t.State, t.Hold, t.Resolution, t.ResolvedAt = TicketResolved, "", &how, at
	return nil
}

// Close ends a resolved ticket for good.
func (t *Ticket) Close() error {
	if t.State != TicketResolved {
		return Problemf(CodeState, "state", "Only a resolved ticket can be closed; this one is %s.", t.State)
	}
	t.State = TicketClosed
	return nil
}

// Answered records whose word was last. A person's word brings a ticket that
// waited for them, or was resolved, back to open.
func (t *Ticket) Answered(byPerson bool) {
	if !byPerson {
		t.LastWord = "technician"
		return
	}
	t.LastWord = "person"
	if t.State == TicketResolved || (t.State == TicketOnHold && t.Hold == HoldRequester) {
		t.State, t.Hold, t.Resolution, t.ResolvedAt = TicketOpen, "", nil, time.Time{}
	}
}

// ItemKind is what an item of a timeline is.
type ItemKind string

const (
	ItemMessage ItemKind = "message" // to or from the person
	ItemNote    ItemKind = "note"    // among technicians
	ItemAlert   ItemKind = "alert"
	ItemRun     ItemKind = "run"
	ItemSession ItemKind = "session"
	ItemState   ItemKind = "state"
)

// Item is one entry of a ticket's timeline.
type Item struct {
	ID     ID
	Ticket ID
	At     time.Time
	Kind   ItemKind
	By     Actor
	Text   string
	Reason string
	Data   []byte // JSON
}
