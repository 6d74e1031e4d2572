package desk

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

// NewTicket is what is known when a person opens one.
type NewTicket struct {
	Organisation model.ID
	Kind         string
	Title        string
	Says         string
	Source       string
	CanWork      model.CanWork
	Requester    model.Actor
	Language     string // of the requester: en, pl, or empty
	Machines     []MachineRef
}

// Limits of what people write.
const (
	maxTitle = 300
	maxText  = 20_000
)

// Open opens a ticket for a person; the opening words stay for ever.
func (d *Desk) Open(ctx context.Context, scope store.Scope, n NewTicket) (model.Ticket, error) {
	t, err := n.ticket()
	if err != nil {
		return t, err
	}
	err = d.store.Update(ctx, scope, func(tx *store.Tx) error {
		t.ID = model.NewID()
		if err := insert(tx, &t, n.Machines); err != nil {
			return err
		}
		if t.Says != "" {
			by := t.Requester
			if by.Name == "" {
				by = actorOf(scope)
			}
			if err := add(tx, t, model.Item{Kind: model.ItemMessage, By: by, Text: t.Says}); err != nil {
				return err
			}
		}
		return audit(tx, t, "ticket.open")
	})
	return t, err
}

func (n NewTicket) ticket() (model.Ticket, error) {
	says := strings.TrimSpace(n.Says)
	title := strings.TrimSpace(n.Title)
	if title == "" {
		title = firstWords(says)
	}
	if title == "" {
		return model.Ticket{}, model.Problemf(model.CodeInvalid, "says", "Say in a few words what is wrong.")
	}
	if len(title) > maxTitle || len(says) > maxText {
		return model.Ticket{}, model.Problemf(model.CodeInvalid, "says", "At most %d bytes of title and %d of text.", maxTitle, maxText)
	}
	t := model.Ticket{
		Organisation: n.Organisation, Kind: n.Kind, State: model.TicketNew, Title: title, Says: says,
		Source: n.Source, CanWork: n.CanWork, Requester: n.Requester, Language: n.Language, Touched: true, Version: 1,
	}
	switch n.Kind {
	case "":
		t.Kind = model.KindIncident
	case model.KindIncident, model.KindRequest, model.KindProblem:
	default:
		return t, model.Problemf(model.CodeInvalid, "kind", "A ticket is an incident, a request or a problem, not %q.", n.Kind)
	}
	switch n.CanWork {
	case model.WorkUnknown, model.WorkNo, model.WorkDifficulty, model.WorkYes:
	default:
		return t, model.Problemf(model.CodeInvalid, "can_work", "can_work is no, with_difficulty or yes, not %q.", n.CanWork)
	}
	if says != "" {
		t.LastWord = "person"
	}
	return t, t.Rate(4, n.CanWork.Urgency())
}

// firstWords makes a title of what somebody said.
func firstWords(says string) string {
	line, _, _ := strings.Cut(says, "\n")
	line = strings.TrimSpace(line)
	r := []rune(line)
	if len(r) <= 80 {
		return line
	}
	cut := string(r[:80])
	if i := strings.LastIndexByte(cut, ' '); i > 40 {
		cut = cut[:i]
	}
	return cut + "…"
}

// ForAlert is what health knows of an alert that needs a person.
type ForAlert struct {
	Organisation model.ID
	Machine      MachineRef
	Alert        model.ID
	Family       string
	Severity     model.Severity
	Title        model.Words
	Plain        model.Words
	Finding      model.Words
	JoinWindow   time.Duration
	Earlier      model.ID   // the ticket of the last episode of this very condition, if there was one
	Crowd        []model.ID // tickets of the machine's alerts, the newest first; set when there are so many that none is to be opened
	Storm        string     // set when many machines have it: what they share
}

// earlierFor is how long a resolved ticket is brought back by its condition.
const earlierFor = 24 * time.Hour

// OpenFor finds or opens the ticket for an alert and says in its timeline why.
func OpenFor(tx *store.Tx, a ForAlert) (model.ID, error) {
	if a.Storm != "" {
		return openStorm(tx, a)
	}
	t, found, err := joinable(tx, a)
	if err != nil {
		return model.ID{}, err
	}
	if found {
		return t.ID, joinTicket(tx, t, a)
	}
	t = model.Ticket{
		ID: model.NewID(), Organisation: a.Organisation, Kind: model.KindIncident, State: model.TicketNew,
		Title: a.Title.EN + ": " + a.Machine.Name, Plain: a.Plain, Source: model.SourceAlert,
		Family: a.Family, JoinUntil: tx.Now().Add(a.JoinWindow), Version: 1,
	}
	if err := t.Rate(4, urgencyOf(a.Severity)); err != nil {
		return t.ID, err
	}
	if err := insert(tx, &t, []MachineRef{a.Machine}); err != nil {
		return t.ID, err
	}
	return t.ID, add(tx, t, alertItem(a, "opened"))
}

func urgencyOf(s model.Severity) int {
	if s == model.SeverityCritical {
		return 1
	}
	return 2
}

func alertItem(a ForAlert, what string) model.Item {
	return model.Item{Kind: model.ItemAlert, By: model.Actor{Kind: model.ByMachine, ID: a.Machine.ID, Name: a.Machine.Name},
		Text: a.Finding.EN, Reason: what, Data: data(map[string]any{"alert_id": a.Alert, "severity": a.Severity,
			"title": a.Title, "finding": a.Finding, "plain": a.Plain, "machine_id": a.Machine.ID, "what": what})}
}

// joinable is the ticket an alert belongs to: one of the same machine and
// family that is young enough, or the one its condition had before, or where the
// machine has a crowd of alerts one of theirs that somebody still works on, or
// else the newest that resolved a while ago.
func joinable(tx *store.Tx, a ForAlert) (model.Ticket, bool, error) {
	list, err := store.Collect(tx, scanTicket, "SELECT "+ticketColumns+` FROM ticket t
		WHERE t.machine_id = $1 AND t.family = $2 AND t.state IN ('new', 'open', 'on_hold') AND t.join_until > $3 AND {wall t}
		ORDER BY t.created_at DESC LIMIT 1`, a.Machine.ID, a.Family, store.Micros(tx.Now()))
	if err != nil {
		return model.Ticket{}, false, fmt.Errorf("find a ticket to join: %w", err)
	}
	if len(list) > 0 {
		return list[0], true, nil
	}
	if a.Earlier != (model.ID{}) {
		t, err := Get(tx, a.Earlier)
		if err == nil && (t.Active() || (t.State == model.TicketResolved && tx.Now().Sub(t.ResolvedAt) < earlierFor)) {
			return t, true, nil
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return t, false, err
		}
	}
	var back *model.Ticket
	for _, id := range a.Crowd {
		t, err := Get(tx, id)
		if err == nil && t.Active() {
			return t, true, nil
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return t, false, err
		}
		if err == nil && back == nil && t.State == model.TicketResolved && tx.Now().Sub(t.ResolvedAt) < earlierFor {
			back = &t
		}
	}
	if back != nil {
		return *back, true, nil
	}
	return model.Ticket{}, false, nil
}

func joinTicket(tx *store.Tx, t model.Ticket, a ForAlert) error {
	what := "joined"
	if t.State == model.TicketResolved {
		if err := t.Start(); err != nil {
			return err
		}
		t.State = model.TicketNew
		if t.Assignee.ID != (model.ID{}) {
			t.State = model.TicketOpen
		}
		what = "came back"
	}
	if u := urgencyOf(a.Severity); u < t.Urgency && !t.Touched {
		if err := t.Rate(t.Impact, u); err != nil {
			return err
		}
	}
	added, err := addMachine(tx, t, a.Machine)
	if err != nil {
		return err
	}
	if err := update(tx, &t); err != nil {
		return err
	}
	if added {
		if err := index(tx, t); err != nil {
			return err
		}
	}
	return add(tx, t, alertItem(a, what))
}

// stormTold is how many machines of a storm are told one by one; beyond, each so
// many-eth: a timeline of thousands of lines tells nobody anything.
const stormTold = 50

// indexAfter is how long those beyond wait until their ticket is found by their
// names: its words are those of all its machines.
const indexAfter = 10 * time.Second

// openStorm finds or opens the one ticket for something that many machines have.
func openStorm(tx *store.Tx, a ForAlert) (model.ID, error) {
	dedupe := "storm:" + a.Storm
	find := func() ([]model.Ticket, error) {
		return store.Collect(tx, scanTicket, "SELECT "+ticketColumns+" FROM ticket t WHERE t.organisation_id = $1 AND t.dedupe = $2 AND {wall t}",
			a.Organisation, dedupe)
	}
	list, err := find()
	if err != nil {
		return model.ID{}, fmt.Errorf("find the ticket of a storm: %w", err)
	}
	if len(list) == 0 {
		t := model.Ticket{
			ID: model.NewID(), Organisation: a.Organisation, Kind: model.KindProblem, State: model.TicketNew,
			Title: a.Title.EN + ": many computers", Plain: a.Plain, Source: model.SourceAlert, Family: a.Family, Version: 1,
		}
		if err := t.Rate(2, 1); err != nil {
			return t.ID, err
		}
		if err := insertAs(tx, &t, []MachineRef{a.Machine}, dedupe); err != nil {
			return t.ID, err
		}
		return t.ID, add(tx, t, alertItem(a, "storm"))
	}
	t := list[0]
	added, err := addMachine(tx, t, a.Machine)
	if err != nil {
		return t.ID, err
	}
	if err := update(tx, &t); err != nil {
		return t.ID, err
	}
	var n int
	if err := tx.QueryRow("SELECT count(*) FROM ticket_machine WHERE ticket_id = $1 AND {wall}", t.ID).Scan(&n); err != nil {
		return t.ID, fmt.Errorf("count the machines of a ticket: %w", err)
	}
	switch {
	case added && n <= stormTold:
		err = index(tx, t)
	case added:
		err = tx.DueBy(KindIndex, t.ID, tx.Now().Add(indexAfter))
	}
	if err != nil {
		return t.ID, err
	}
	if n > stormTold && n%stormTold != 0 {
		return t.ID, nil
	}
	return t.ID, add(tx, t, alertItem(a, "joined"))
}
