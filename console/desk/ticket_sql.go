package desk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

const ticketColumns = `t.id, t.organisation_id, t.number, t.kind, t.state, t.hold, t.title, t.says, t.plain_en, t.plain_pl,
	t.priority, t.impact, t.urgency, t.source, t.can_work, t.requester_kind, t.requester_id, t.requester_name, t.requester_language,
	t.assignee_id, t.assignee_name, t.family, t.join_until, t.touched, t.created_at, t.updated_at, t.resolved_at,
	t.resolution, t.last_word, t.version`

func scanTicket(r *store.Rows) (model.Ticket, error) {
	var t model.Ticket
	var state, hold, work, requester string
	var join, created, updated, resolved int64
	var resolution []byte
	err := r.Scan(&t.ID, &t.Organisation, &t.Number, &t.Kind, &state, &hold, &t.Title, &t.Says, &t.Plain.EN, &t.Plain.PL,
		&t.Priority, &t.Impact, &t.Urgency, &t.Source, &work, &requester, &t.Requester.ID, &t.Requester.Name, &t.Language,
		&t.Assignee.ID, &t.Assignee.Name, &t.Family, &join, &t.Touched, &created, &updated, &resolved,
		&resolution, &t.LastWord, &t.Version)
	if err != nil {
		return t, err
	}
	t.State, t.Hold, t.CanWork = model.TicketState(state), model.HoldReason(hold), model.CanWork(work)
	t.Requester.Kind = model.ActorKind(requester)
	if t.Assignee.ID != (model.ID{}) {
		t.Assignee.Kind = model.ByTechnician
	}
	t.JoinUntil, t.CreatedAt = store.Time(join), store.Time(created)
	t.UpdatedAt, t.ResolvedAt = store.Time(updated), store.Time(resolved)
	if len(resolution) > 0 {
		t.Resolution = new(model.Resolution)
		if err := json.Unmarshal(resolution, t.Resolution); err != nil {
			return t, fmt.Errorf("read ticket %s: %w", t.ID, err)
		}
	}
	return t, nil
}

// Get is the ticket with the id, or a problem with the code not_found.
func Get(tx *store.Tx, id model.ID) (model.Ticket, error) {
	list, err := store.Collect(tx, scanTicket, "SELECT "+ticketColumns+" FROM ticket t WHERE t.id = $1 AND {wall t}", id)
	if err != nil {
		return model.Ticket{}, fmt.Errorf("read a ticket: %w", err)
	}
	if len(list) == 0 {
		return model.Ticket{}, errors.Join(errNoTicket, store.ErrNotFound)
	}
	return list[0], nil
}

func insert(tx *store.Tx, t *model.Ticket, machines []MachineRef) error {
	return insertAs(tx, t, machines, "")
}

func insertAs(tx *store.Tx, t *model.Ticket, machines []MachineRef, dedupe string) error {
	err := tx.QueryRow(`INSERT INTO ticket_number (organisation_id, last) VALUES ($1, 1)
		ON CONFLICT (organisation_id) DO UPDATE SET last = ticket_number.last + 1 RETURNING last`, t.Organisation).Scan(&t.Number)
	if err != nil {
		return fmt.Errorf("number a ticket: %w", err)
	}
	t.CreatedAt, t.UpdatedAt = tx.Now(), tx.Now()
	resolution, err := resolutionOf(t)
	if err != nil {
		return err
	}
	var first model.ID
	if len(machines) > 0 {
		first = machines[0].ID
	}
	_, err = tx.Exec(`INSERT INTO ticket (id, organisation_id, number, kind, state, hold, title, says, plain_en, plain_pl, priority,
		impact, urgency, source, can_work, requester_kind, requester_id, requester_name, assignee_id, assignee_name, family,
		machine_id, join_until, dedupe, touched, created_at, updated_at, resolved_at, resolution, last_word, requester_language, version)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24,
		$25, $26, $27, $28, $29, $30, $31, $32)`,
		t.ID, t.Organisation, t.Number, t.Kind, string(t.State), string(t.Hold), t.Title, t.Says, t.Plain.EN, t.Plain.PL,
		int64(t.Priority), int64(t.Impact), int64(t.Urgency), t.Source, string(t.CanWork), string(t.Requester.Kind),
		t.Requester.ID, t.Requester.Name, t.Assignee.ID, t.Assignee.Name, t.Family, first, store.Micros(t.JoinUntil), dedupe,
		t.Touched, store.Micros(t.CreatedAt), store.Micros(t.UpdatedAt), store.Micros(t.ResolvedAt), resolution, t.LastWord, t.Language, t.Version)
	if err != nil {
		return fmt.Errorf("write a ticket: %w", err)
	}
	for _, m := range machines {
		if _, err := addMachine(tx, *t, m); err != nil {
			return err
		}
	}
	tx.Changed(t.Organisation, ChangedTicket, t.ID)
	return index(tx, *t)
}

// update writes t and raises its version, in t as well. Whoever gives it other words
// or other machines calls index.
func update(tx *store.Tx, t *model.Ticket) error {
	t.UpdatedAt = tx.Now()
	resolution, err := resolutionOf(t)
	if err != nil {
		return err
	}
	keep := "dedupe"
	if !t.Active() {
		keep = "''" // a finished storm makes room for the next one
	}
	_, err = tx.Exec(`UPDATE ticket SET kind = $1, state = $2, hold = $3, title = $4, priority = $5, impact = $6, urgency = $7,
		assignee_id = $8, assignee_name = $9, touched = $10, updated_at = $11, resolved_at = $12, resolution = $13,
		last_word = $14, dedupe = `+keep+`, version = version + 1 WHERE id = $15 AND {wall}`,
		t.Kind, string(t.State), string(t.Hold), t.Title, int64(t.Priority), int64(t.Impact), int64(t.Urgency),
		t.Assignee.ID, t.Assignee.Name, t.Touched, store.Micros(t.UpdatedAt), store.Micros(t.ResolvedAt), resolution,
		t.LastWord, t.ID)
	if err != nil {
		return fmt.Errorf("write a ticket: %w", err)
	}
	t.Version++
	tx.Changed(t.Organisation, ChangedTicket, t.ID)
	return nil
}

func resolutionOf(t *model.Ticket) ([]byte, error) {
	if t.Resolution == nil {
		return []byte{}, nil
	}
	return json.Marshal(t.Resolution)
}

// Of what machines and Deskside wrote into one timeline the newest lines are kept:
// what comes and goes may do so for ever. What people wrote stays.
const (
	toldMost    = 2000
	forgetEvery = 100 // changes of a ticket
)

func forgetOldest(tx *store.Tx, t model.Ticket) error {
	if t.Version%forgetEvery != 0 {
		return nil
	}
	_, err := tx.Exec(`DELETE FROM ticket_item WHERE ticket_id = $1 AND by_kind IN ('machine', 'system') AND id <= (SELECT id FROM ticket_item
		WHERE ticket_id = $1 AND by_kind IN ('machine', 'system') AND {wall} ORDER BY id DESC LIMIT 1 OFFSET $2) AND {wall}`, t.ID, int64(toldMost))
	if err != nil {
		return fmt.Errorf("delete the oldest lines of a timeline: %w", err)
	}
	return nil
}

// add writes an item into the timeline.
func add(tx *store.Tx, t model.Ticket, i model.Item) error {
	if err := forgetOldest(tx, t); err != nil {
		return err
	}
	if i.ID == (model.ID{}) {
		i.ID = model.NewID()
	}
	if i.Data == nil {
		i.Data = []byte("{}")
	}
	_, err := tx.Exec(`INSERT INTO ticket_item (id, organisation_id, ticket_id, at, kind, by_kind, by_id, by_name, text, reason, data)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`, i.ID, t.Organisation, t.ID, store.Micros(tx.Now()), string(i.Kind),
		string(i.By.Kind), i.By.ID, i.By.Name, i.Text, i.Reason, i.Data)
	if err != nil {
		return fmt.Errorf("write into a timeline: %w", err)
	}
	if i.Kind == model.ItemMessage || i.Kind == model.ItemNote {
		return index(tx, t)
	}
	return nil
}

// Index is the handler of KindIndex.
func (d *Desk) Index(_ context.Context, tx *store.Tx, id model.ID) (time.Time, error) {
	t, err := Get(tx, id)
	if errors.Is(err, store.ErrNotFound) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, err
	}
	return time.Time{}, index(tx, t)
}

// index keeps the words by which a ticket is found.
func index(tx *store.Tx, t model.Ticket) error {
	texts := []string{t.NumberWord(), fmt.Sprint(t.Number), t.Title, t.Says, t.Plain.EN, t.Plain.PL, t.Requester.Name}
	machines, err := MachinesOf(tx, t.ID)
	if err != nil {
		return err
	}
	for _, m := range machines[t.ID] {
		texts = append(texts, m.Name)
	}
	said, err := store.Collect(tx, func(r *store.Rows) (string, error) {
		var s string
		return s, r.Scan(&s)
	}, "SELECT text FROM ticket_item WHERE ticket_id = $1 AND kind IN ('message', 'note') AND {wall} ORDER BY at DESC LIMIT 200", t.ID)
	if err != nil {
		return fmt.Errorf("read what was said: %w", err)
	}
	return tx.Index(t.Organisation, ChangedTicket, t.ID, t.CreatedAt, append(texts, said...)...)
}

func data(v map[string]any) []byte {
	raw, err := json.Marshal(v)
	if err != nil { // words, ids and numbers always encode
		return []byte("{}")
	}
	return raw
}

func actorOf(scope store.Scope) model.Actor {
	kind := model.ByTechnician
	switch scope.Actor.Kind {
	case "requester":
		kind = model.ByPerson
	case "machine":
		kind = model.ByMachine
	case "system":
		kind = model.BySystem
	}
	return model.Actor{Kind: kind, ID: scope.Actor.ID, Name: scope.Actor.Name}
}

func audit(tx *store.Tx, t model.Ticket, action string) error {
	return tx.Audit(store.Entry{Organisation: t.Organisation, Action: action, Result: "done",
		Subjects: []store.Subject{{Kind: "ticket", ID: t.ID}}})
}
