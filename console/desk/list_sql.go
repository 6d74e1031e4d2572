package desk

import (
	"fmt"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

// Query says which tickets a list shows; empty fields show all.
type Query struct {
	store.Request
	Text      string
	States    []string
	Assignee  *model.ID // the zero id is nobody
	Machine   model.ID
	Requester model.ID
	Source    string
	Priority  int
}

// waits is 1 for a ticket that waits for somebody else: its turn comes after all
// others. The index ticket_turn has it letter by letter.
const waits = "(CASE t.state WHEN 'on_hold' THEN 1 ELSE 0 END)"

// List reads a page of tickets.
func List(tx *store.Tx, q Query) (store.Page[model.Ticket], error) {
	l := store.List{
		Columns: ticketColumns, From: "ticket t", Key: "t.id", Wall: "t",
		Sorts: map[string][]store.Order{
			"turn":       {{Column: waits, Kind: store.Int}, {Column: "t.priority", Kind: store.Int}, {Column: "t.created_at", Kind: store.Int}},
			"priority":   {{Column: "t.priority", Kind: store.Int}, {Column: "t.created_at", Kind: store.Int}},
			"created_at": {{Column: "t.created_at", Kind: store.Int}},
			"updated_at": {{Column: "t.updated_at", Kind: store.Int}},
			"number":     {{Column: "t.number", Kind: store.Int}},
		},
		Sort: "-updated_at",
	}
	if len(q.States) > 0 {
		store.In(&l, "t.state", q.States)
	}
	if q.Assignee != nil {
		l.Where("t.assignee_id = ?", *q.Assignee)
	}
	if q.Machine != (model.ID{}) {
		l.Where("t.id IN (SELECT ticket_id FROM ticket_machine WHERE machine_id = ?)", q.Machine)
	}
	if q.Requester != (model.ID{}) {
		l.Where("t.requester_id = ?", q.Requester)
	}
	if q.Source != "" {
		l.Where("t.source = ?", q.Source)
	}
	if q.Priority != 0 {
		l.Where("t.priority = ?", int64(q.Priority))
	}
	l.Matching(ChangedTicket, q.Text)
	return store.ReadPage(tx, &l, q.Request, scanTicket)
}

// Counts are the numbers in the side bar and on the views of the queue. Mine and
// Unassigned are what somebody can go on with: new and open ones, as those views
// list them. What is on hold is counted in OnHold alone.
type Counts struct{ Mine, Unassigned, New, Open, OnHold int }

// Count counts active tickets.
func Count(tx *store.Tx, me model.ID) (Counts, error) {
	var c Counts
	rows, err := tx.Query(`SELECT state, CASE WHEN assignee_id = $1 THEN 1 WHEN assignee_id = $2 THEN 2 ELSE 0 END AS whose, count(*)
		FROM ticket WHERE state IN ('new', 'open', 'on_hold') AND {wall} GROUP BY 1, 2`, me, model.ID{})
	if err != nil {
		return c, fmt.Errorf("count tickets: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var state string
		var whose, n int
		if err := rows.Scan(&state, &whose, &n); err != nil {
			return c, err
		}
		held := model.TicketState(state) == model.TicketOnHold
		switch {
		case held:
		case whose == 1:
			c.Mine += n
		case whose == 2:
			c.Unassigned += n
		}
		switch model.TicketState(state) {
		case model.TicketNew:
			c.New += n
		case model.TicketOpen:
			c.Open += n
		case model.TicketOnHold:
			c.OnHold += n
		}
	}
	return c, rows.Err()
}

// Timeline reads a page of what happened to a ticket, oldest first. kinds
// limits it, for the person's page to messages.
func Timeline(tx *store.Tx, ticket model.ID, r store.Request, kinds ...string) (store.Page[model.Item], error) {
	l := store.List{
		Columns: "i.id, i.ticket_id, i.at, i.kind, i.by_kind, i.by_id, i.by_name, i.text, i.reason, i.data",
		From:    "ticket_item i", Key: "i.id", Wall: "i",
		Sorts: map[string][]store.Order{"at": {{Column: "i.at", Kind: store.Int}}}, Sort: "at",
	}
	l.Where("i.ticket_id = ?", ticket)
	if len(kinds) > 0 {
		store.In(&l, "i.kind", kinds)
	}
	return store.ReadPage(tx, &l, r, func(rows *store.Rows) (model.Item, error) {
		var i model.Item
		var at int64
		var kind, by string
		err := rows.Scan(&i.ID, &i.Ticket, &at, &kind, &by, &i.By.ID, &i.By.Name, &i.Text, &i.Reason, &i.Data)
		i.At, i.Kind, i.By.Kind = store.Time(at), model.ItemKind(kind), model.ActorKind(by)
		return i, err
	})
}
