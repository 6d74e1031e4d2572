package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/console/desk"
	"github.com/deskside/deskside/console/fleet"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

// Item is one entry of a timeline.
type Item struct {
	ID     uuid.UUID      `json:"id"`
	At     time.Time      `json:"at"`
	Kind   string         `json:"kind" enum:"message,note,alert,run,session,state"`
	By     *Who           `json:"by"`
	Text   string         `json:"text"`
	Reason string         `json:"reason"`
	Data   map[string]any `json:"data"`
}

func itemOf(i model.Item) Item {
	out := Item{ID: i.ID, At: i.At, Kind: string(i.Kind), By: whoOf(i.By), Text: i.Text, Reason: i.Reason, Data: map[string]any{}}
	if len(i.Data) > 0 {
		if err := json.Unmarshal(i.Data, &out.Data); err != nil {
			out.Data = map[string]any{}
		}
	}
	return out
}

// Found is what a search finds: five of each kind.
type Found struct {
	People   []Ref     `json:"people" nullable:"false"`
	Machines []Machine `json:"machines" nullable:"false"`
	Tickets  []Ticket  `json:"tickets" nullable:"false"`
}

func (a *API) timelineRoutes() {
	type query struct {
		ByID
		Listing
	}
	operation(a, http.MethodGet, "/tickets/{id}/timeline", "ticket.read", "What happened to a ticket, oldest first", func(ctx context.Context, in *query) (*Answer[Page[Item]], error) {
		var page Page[Item]
		err := a.view(ctx, func(tx *store.Tx) error {
			if _, err := desk.Get(tx, in.ID); err != nil {
				return err
			}
			list, err := desk.Timeline(tx, in.ID, in.request())
			page = pageOf(list, itemOf)
			return err
		})
		return answer(page, err)
	})
	type message struct {
		ByID
		Body struct {
			Text string `json:"text" minLength:"1" maxLength:"20000"`
			Wait bool   `json:"wait,omitempty" doc:"put the ticket on hold for the answer"`
		}
	}
	operation(a, http.MethodPost, "/tickets/{id}/messages", "ticket.write", "Write to the person", func(ctx context.Context, in *message) (*Answer[Item], error) {
		i, err := a.rooms.Desk.Reply(ctx, callerOf(ctx).scope, in.ID, in.Body.Text, in.Body.Wait)
		return answer(itemOf(i), err)
	})
	type note struct {
		ByID
		Body struct {
			Text string `json:"text" minLength:"1" maxLength:"20000"`
		}
	}
	operation(a, http.MethodPost, "/tickets/{id}/notes", "ticket.write", "Write to colleagues", func(ctx context.Context, in *note) (*Answer[Item], error) {
		i, err := a.rooms.Desk.Note(ctx, callerOf(ctx).scope, in.ID, in.Body.Text)
		return answer(itemOf(i), err)
	})
	type search struct {
		Q string `query:"q" required:"true" minLength:"1" maxLength:"200"`
	}
	operation(a, http.MethodGet, "/search", "machine.read", "Find people, machines and tickets", func(ctx context.Context, in *search) (*Answer[Found], error) {
		out := Found{People: []Ref{}, Machines: []Machine{}, Tickets: []Ticket{}}
		people, err := a.findPeople(ctx, in.Q, 5)
		if err != nil {
			return nil, err
		}
		out.People = append(out.People, people...)
		err = a.view(ctx, func(tx *store.Tx) error {
			five := store.Request{Limit: 5}
			machines, err := fleet.List(tx, fleet.Query{Request: five, Text: in.Q})
			if err != nil {
				return err
			}
			if out.Machines, err = machinesOf(tx, machines.Items); err != nil {
				return err
			}
			tickets, err := desk.List(tx, desk.Query{Request: five, Text: in.Q})
			if err != nil {
				return err
			}
			out.Tickets, err = ticketsOf(tx, tickets.Items)
			return err
		})
		return answer(out, err)
	})
}
