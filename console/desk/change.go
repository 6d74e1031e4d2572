package desk

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

// Change is what a technician changes; a nil field stays.
type Change struct {
	Version    int64
	State      *model.TicketState
	Hold       *model.HoldReason
	Assignee   *model.Actor // a zero actor is nobody
	Priority   *int
	Impact     *int
	Urgency    *int
	Title      *string
	Kind       *string
	Resolution *model.Resolution
	Machines   *[]MachineRef // all that the ticket is about from now on
}

// Change changes a ticket that still has the version the technician saw.
func (d *Desk) Change(ctx context.Context, scope store.Scope, id model.ID, c Change) (model.Ticket, error) {
	var t model.Ticket
	err := d.store.Update(ctx, scope, func(tx *store.Tx) error {
		var err error
		if t, err = Get(tx, id); err != nil {
			return err
		}
		if t.Version != c.Version {
			return store.ErrConflict
		}
		title := t.Title
		items, err := c.apply(&t, actorOf(scope), tx.Now())
		if err != nil {
			return err
		}
		if c.Machines != nil {
			told, err := setMachines(tx, t, *c.Machines, actorOf(scope))
			if err != nil {
				return err
			}
			items = append(items, told...)
		}
		t.Touched = true
		if err := update(tx, &t); err != nil {
			return err
		}
		if t.Title != title {
			if err := index(tx, t); err != nil {
				return err
			}
		}
		for _, i := range items {
			if err := add(tx, t, i); err != nil {
				return err
			}
		}
		return audit(tx, t, "ticket.change")
	})
	return t, err
}

// apply changes t and returns what the timeline says of it.
func (c Change) apply(t *model.Ticket, by model.Actor, now time.Time) ([]model.Item, error) {
	var items []model.Item
	say := func(data_ map[string]any, text string) {
		items = append(items, model.Item{Kind: model.ItemState, By: by, Text: text, Data: data(data_)})
	}
	if c.Title != nil {
		if err := t.Rename(*c.Title); err != nil {
			return nil, err
		}
	}
	if c.Kind != nil {
		switch *c.Kind {
		case model.KindIncident, model.KindRequest, model.KindProblem:
			t.Kind = *c.Kind
		default:
			return nil, model.Problemf(model.CodeInvalid, "kind", "A ticket is an incident, a request or a problem, not %q.", *c.Kind)
		}
	}
	if c.Impact != nil || c.Urgency != nil {
		impact, urgency := t.Impact, t.Urgency
		if c.Impact != nil {
			impact = *c.Impact
		}
		if c.Urgency != nil {
			urgency = *c.Urgency
		}
		if err := t.Rate(impact, urgency); err != nil {
			return nil, err
		}
		say(map[string]any{"what": "priority", "to": t.Priority}, "")
	}
	if c.Priority != nil && *c.Priority != t.Priority {
		if err := t.SetPriority(*c.Priority); err != nil {
			return nil, err
		}
		say(map[string]any{"what": "priority", "to": t.Priority}, "")
	}
	if c.Assignee != nil && c.Assignee.ID != t.Assignee.ID {
		if err := t.Assign(*c.Assignee); err != nil {
			return nil, err
		}
		say(map[string]any{"what": "assignee", "to": c.Assignee.Name}, "")
	}
	if c.State != nil {
		from := t.State
		if err := c.move(t, now); err != nil {
			return nil, err
		}
		if t.State != from || t.State == model.TicketOnHold {
			detail := map[string]any{"what": "state", "from": from, "to": t.State, "hold_reason": t.Hold}
			text := ""
			if t.Resolution != nil {
				text = t.Resolution.Text
			}
			say(detail, text)
		}
		if word := farewell(t); t.State != from && word != "" {
			items = append(items, model.Item{Kind: model.ItemMessage, By: by, Text: word})
			t.Answered(false)
		}
	}
	return items, nil
}

// farewell is what the person reads when their ticket is resolved, in their
// language; nothing where nobody asked or nothing is said.
func farewell(t *model.Ticket) string {
	if t.State != model.TicketResolved || t.Resolution == nil || t.Requester.Name == "" {
		return ""
	}
	return strings.TrimSpace(cmp.Or(t.Resolution.Plain.In(t.Language), t.Resolution.Plain.EN, t.Resolution.Plain.PL))
}

func (c Change) move(t *model.Ticket, now time.Time) error {
	switch *c.State {
	case t.State:
		if t.State != model.TicketOnHold {
			return nil
		}
		fallthrough
	case model.TicketOnHold:
		reason := model.HoldRequester
		if c.Hold != nil {
			reason = *c.Hold
		}
		return t.Wait(reason)
	case model.TicketOpen:
		return t.Start()
	case model.TicketResolved:
		how := model.Resolution{Kind: "person"}
		if c.Resolution != nil {
			how.Text, how.Plain = strings.TrimSpace(c.Resolution.Text), c.Resolution.Plain
		}
		if len(how.Text) > maxText {
			return model.Problemf(model.CodeInvalid, "resolution.text", "At most %d bytes.", maxText)
		}
		return t.Resolve(how, now)
	case model.TicketClosed:
		return t.Close()
	case model.TicketNew:
		return model.Problemf(model.CodeState, "state", "A ticket is new once; it can be opened again.")
	}
	return model.Problemf(model.CodeInvalid, "state", "A ticket is new, open, on_hold, resolved or closed, not %q.", *c.State)
}

// Reply writes to the person; wait puts the ticket on hold for the answer.
func (d *Desk) Reply(ctx context.Context, scope store.Scope, id model.ID, text string, wait bool) (model.Item, error) {
	return d.say(ctx, scope, id, model.ItemMessage, actorOf(scope), text, func(tx *store.Tx, t *model.Ticket) error {
		t.Answered(false)
		if _, err := take(tx, t, actorOf(scope)); err != nil {
			return err
		}
		if t.State == model.TicketNew {
			t.State = model.TicketOpen
		}
		if wait && t.Active() {
			return t.Wait(model.HoldRequester)
		}
		return nil
	})
}

// Note writes to colleagues; the person never sees it.
func (d *Desk) Note(ctx context.Context, scope store.Scope, id model.ID, text string) (model.Item, error) {
	return d.say(ctx, scope, id, model.ItemNote, actorOf(scope), text, func(*store.Tx, *model.Ticket) error { return nil })
}

// Hear writes what the person says; it brings a ticket back that waited for
// them or was resolved.
func (d *Desk) Hear(ctx context.Context, scope store.Scope, id model.ID, who model.Actor, text string) (model.Item, error) {
	return d.say(ctx, scope, id, model.ItemMessage, who, text, func(_ *store.Tx, t *model.Ticket) error {
		if t.State == model.TicketClosed {
			return model.Problemf(model.CodeState, "text", "This ticket is closed. Please write a new one.")
		}
		t.Answered(true)
		return nil
	})
}

// Works is the person's word that all is well: a resolved ticket is closed. Said
// twice, it changes nothing.
func (d *Desk) Works(ctx context.Context, scope store.Scope, id model.ID, who model.Actor) error {
	return d.store.Update(ctx, scope, func(tx *store.Tx) error {
		t, err := Get(tx, id)
		if err != nil || t.State == model.TicketClosed {
			return err
		}
		if err := t.Close(); err != nil {
			return err
		}
		t.Touched = true
		if err := update(tx, &t); err != nil {
			return err
		}
		if err := add(tx, t, model.Item{Kind: model.ItemState, By: who, Reason: "works",
			Data: data(map[string]any{"what": "state", "from": model.TicketResolved, "to": t.State})}); err != nil {
			return err
		}
		return audit(tx, t, "ticket.works")
	})
}

// Took makes who acts on a ticket that nobody has the one who has it.
func Took(tx *store.Tx, id model.ID, who model.Actor) error {
	t, err := Get(tx, id)
	if err != nil {
		return err
	}
	if took, err := take(tx, &t, who); err != nil || !took {
		return err
	}
	return update(tx, &t)
}

// take gives a ticket that nobody has to the technician who acts on it, and says so.
func take(tx *store.Tx, t *model.Ticket, who model.Actor) (took bool, err error) {
	if t.Assignee.ID != (model.ID{}) || who.Kind != model.ByTechnician || who.ID == (model.ID{}) || !t.Active() {
		return false, nil
	}
	if err := t.Assign(who); err != nil {
		return false, err
	}
	return true, add(tx, *t, model.Item{Kind: model.ItemState, By: who, Data: data(map[string]any{"what": "assignee", "to": who.Name})})
}

func (d *Desk) say(ctx context.Context, scope store.Scope, id model.ID, kind model.ItemKind, by model.Actor, text string,
	change func(*store.Tx, *model.Ticket) error) (model.Item, error) {
	text = strings.TrimSpace(text)
	if text == "" || len(text) > maxText {
		return model.Item{}, model.Problemf(model.CodeInvalid, "text", "A text has 1 to %d bytes.", maxText)
	}
	item := model.Item{Kind: kind, By: by, Text: text}
	err := d.store.Update(ctx, scope, func(tx *store.Tx) error {
		t, err := Get(tx, id)
		if err != nil {
			return err
		}
		if err := change(tx, &t); err != nil {
			return err
		}
		t.Touched = true
		if err := update(tx, &t); err != nil {
			return err
		}
		item.ID, item.Ticket, item.At = model.NewID(), id, tx.Now()
		if err := add(tx, t, item); err != nil {
			return err
		}
		return audit(tx, t, "ticket."+string(kind))
	})
	return item, err
}

// ConditionEnded says in the timeline of a ticket that its last alert resolved, and
// why. The caller has made sure that no alert of the ticket is open.
func ConditionEnded(tx *store.Tx, id model.ID, alert model.ID, by model.Actor, why model.AlertEnd, text, plain model.Words) error {
	t, err := Get(tx, id)
	if err != nil {
		return err
	}
	item := model.Item{Kind: model.ItemAlert, By: by, Text: text.EN, Reason: string(why),
		Data: data(map[string]any{"alert_id": alert, "what": why, "finding": text, "plain": plain})}
	if err := add(tx, t, item); err != nil {
		return err
	}
	return update(tx, &t)
}

// Settle resolves a ticket by itself of which nothing is left, unless a person has
// touched it. why is how its last alert ended.
func Settle(tx *store.Tx, id model.ID, why model.AlertEnd, text, plain model.Words) error {
	t, err := Get(tx, id)
	if err != nil || t.Touched || !t.Active() {
		return err
	}
	how := model.Resolution{Kind: "condition_cleared", Text: text.EN, Plain: plain}
	if why == model.EndExpelled {
		how.Kind = string(why)
	}
	if err := t.Resolve(how, tx.Now()); err != nil {
		return err
	}
	if err := update(tx, &t); err != nil {
		return err
	}
	return add(tx, t, model.Item{Kind: model.ItemState, By: model.System, Text: settled.EN, Reason: how.Kind,
		Data: data(map[string]any{"what": "state", "from": "new", "to": model.TicketResolved, "finding": settled})})
}

// settled is said of the ticket; why its condition ended is said of the alert, in a
// line of its own.
var settled = model.Words{EN: "The ticket is resolved, since nothing of it is left.", PL: "Zgłoszenie jest rozwiązane, bo nic w nim nie zostało do zrobienia."}

// Said writes an item of a machine or of Deskside into a timeline: a run, a
// session, an alert that got worse.
func Said(tx *store.Tx, ticket model.ID, item model.Item) error {
	t, err := Get(tx, ticket)
	if err != nil {
		return err
	}
	if item.By.Kind == model.ByTechnician && !t.Touched {
		t.Touched = true
	}
	if err := update(tx, &t); err != nil {
		return err
	}
	return add(tx, t, item)
}
