package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/console/desk"
	"github.com/deskside/deskside/console/fleet"
	"github.com/deskside/deskside/console/health"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

// Ticket is human work.
type Ticket struct {
	ID            uuid.UUID   `json:"id"`
	Number        string      `json:"number"`
	Kind          string      `json:"kind" enum:"incident,request,problem"`
	State         string      `json:"state" enum:"new,open,on_hold,resolved,closed"`
	HoldReason    *string     `json:"hold_reason" enum:"requester,vendor,change,problem,scheduled"`
	Title         string      `json:"title"`
	Titles        *Words      `json:"titles" doc:"the title in both languages, while it is the one that Deskside gave"`
	Says          *string     `json:"says" doc:"the person's own words"`
	Plain         *Words      `json:"plain"`
	Priority      int         `json:"priority" minimum:"1" maximum:"5"`
	Impact        int         `json:"impact" minimum:"1" maximum:"4"`
	Urgency       int         `json:"urgency" minimum:"1" maximum:"3"`
	Source        string      `json:"source" enum:"alert,person,api"`
	CanWork       *string     `json:"can_work" enum:"no,with_difficulty,yes"`
	Requester     *Who        `json:"requester"`
	Language      *string     `json:"requester_language" enum:"en,pl" doc:"in which the requester reads, where we know"`
	Assignee      *Who        `json:"assignee"`
	MachineIDs    []uuid.UUID `json:"machine_ids" nullable:"false"`
	Machines      []Ref       `json:"machines" nullable:"false"`
	AlertIDs      []uuid.UUID `json:"alert_ids" nullable:"false"`
	CreatedAt     time.Time   `json:"created_at"`
	UpdatedAt     time.Time   `json:"updated_at"`
	ResolvedAt    *time.Time  `json:"resolved_at"`
	Resolution    *Resolution `json:"resolution"`
	LastMessageBy *string     `json:"last_message_by" enum:"person,technician"`
	Version       int64       `json:"version"`
}

// Ref names something.
type Ref struct {
	ID   uuid.UUID `json:"id"`
	Name string    `json:"name"`
}

// Resolution says how a ticket ended.
type Resolution struct {
	Kind  string `json:"kind" enum:"condition_cleared,expelled,script,person"`
	Text  string `json:"text"`
	Plain *Words `json:"plain"`
}

// TicketCounts are the numbers in the side bar.
type TicketCounts struct {
	Mine       int `json:"mine" doc:"assigned to the caller and new or open"`
	Unassigned int `json:"unassigned" doc:"assigned to nobody and new or open"`
	New        int `json:"new"`
	Open       int `json:"open"`
	OnHold     int `json:"on_hold"`
}

// ticketsOf shapes tickets with their machines and alerts.
func ticketsOf(tx *store.Tx, list []model.Ticket) ([]Ticket, error) {
	ids := make([]model.ID, 0, len(list))
	for _, t := range list {
		ids = append(ids, t.ID)
	}
	machines, err := desk.MachinesOf(tx, ids...)
	if err != nil {
		return nil, err
	}
	out := make([]Ticket, 0, len(list))
	for _, t := range list {
		alerts, err := health.OfTicket(tx, t.ID)
		if err != nil {
			return nil, err
		}
		out = append(out, ticketOf(t, machines[t.ID], alerts))
	}
	return out, nil
}

func ticketOf(t model.Ticket, machines []desk.MachineRef, alerts []model.Alert) Ticket {
	out := Ticket{
		ID: t.ID, Number: t.NumberWord(), Kind: t.Kind, State: string(t.State), HoldReason: textOrNull(t.Hold), Title: t.Title,
		Says: textOrNull(t.Says), Plain: wordsOrNull(t.Plain), Priority: t.Priority, Impact: t.Impact, Urgency: t.Urgency,
		Source: t.Source, CanWork: textOrNull(t.CanWork), Requester: whoOf(t.Requester), Language: textOrNull(t.Language), Assignee: whoOf(t.Assignee),
		MachineIDs: []uuid.UUID{}, Machines: []Ref{}, AlertIDs: []uuid.UUID{}, CreatedAt: t.CreatedAt, UpdatedAt: t.UpdatedAt,
		ResolvedAt: timeOrNull(t.ResolvedAt), LastMessageBy: textOrNull(t.LastWord), Version: t.Version,
	}
	for _, m := range machines {
		out.MachineIDs = append(out.MachineIDs, m.ID)
		out.Machines = append(out.Machines, Ref(m))
	}
	for _, a := range alerts {
		out.AlertIDs = append(out.AlertIDs, a.ID)
		if rest, given := strings.CutPrefix(t.Title, a.Title.EN); given && t.Source == model.SourceAlert && out.Titles == nil {
			out.Titles = &Words{EN: t.Title, PL: a.Title.PL + strings.Replace(rest, ": many computers", ": wiele komputerów", 1)}
		}
	}
	if r := t.Resolution; r != nil {
		out.Resolution = &Resolution{Kind: r.Kind, Text: r.Text, Plain: wordsOrNull(r.Plain)}
	}
	return out
}

// ticketNow reads and shapes one ticket.
func (a *API) ticketNow(ctx context.Context, id model.ID) (Ticket, error) {
	var out Ticket
	err := a.view(ctx, func(tx *store.Tx) error {
		t, err := desk.Get(tx, id)
		if err != nil {
			return err
		}
		list, err := ticketsOf(tx, []model.Ticket{t})
		if err == nil {
			out = list[0]
		}
		return err
	})
	return out, err
}

type ticketQuery struct {
	Listing
	Q         string    `query:"q" maxLength:"200"`
	State     []string  `query:"state" enum:"new,open,on_hold,resolved,closed"`
	Assignee  string    `query:"assignee_id" doc:"an id, me or none"`
	Machine   uuid.UUID `query:"machine_id"`
	Requester uuid.UUID `query:"requester_id"`
	Source    string    `query:"source" enum:"alert,person,api"`
	Priority  int       `query:"priority" minimum:"1" maximum:"5"`
}

func (a *API) ticketRoutes() {
	operation(a, http.MethodGet, "/tickets", "ticket.read", "List tickets", func(ctx context.Context, in *ticketQuery) (*Answer[Page[Ticket]], error) {
		q := desk.Query{Request: in.request(), Text: in.Q, States: in.State, Machine: in.Machine, Requester: in.Requester,
			Source: in.Source, Priority: in.Priority}
		if in.Assignee != "" {
			id, err := assigneeOf(in.Assignee, callerOf(ctx).person)
			if err != nil {
				return nil, err
			}
			q.Assignee = &id
		}
		var page Page[Ticket]
		err := a.view(ctx, func(tx *store.Tx) error {
			list, err := desk.List(tx, q)
			if err != nil {
				return err
			}
			page = pageOf(list, func(model.Ticket) Ticket { return Ticket{} })
			page.Items, err = ticketsOf(tx, list.Items)
			return err
		})
		return answer(page, err)
	})
	operation(a, http.MethodGet, "/tickets/counts", "ticket.read", "Count active tickets", func(ctx context.Context, _ *struct{}) (*Answer[TicketCounts], error) {
		var c desk.Counts
		err := a.view(ctx, func(tx *store.Tx) error {
			var err error
			c, err = desk.Count(tx, callerOf(ctx).person)
			return err
		})
		return answer(TicketCounts(c), err)
	})
	operation(a, http.MethodGet, "/tickets/{id}", "ticket.read", "One ticket", func(ctx context.Context, in *ByID) (*Answer[Ticket], error) {
		return answer(a.ticketNow(ctx, in.ID))
	})
	operation(a, http.MethodPost, "/tickets", "ticket.write", "Open a ticket", a.openTicket)
	operation(a, http.MethodPatch, "/tickets/{id}", "ticket.write", "Change a ticket", a.changeTicket)
}

func assigneeOf(word string, me model.ID) (model.ID, error) {
	switch word {
	case "me":
		return me, nil
	case "none":
		return model.ID{}, nil
	}
	id, err := uuid.Parse(word)
	if err != nil {
		return id, model.Problemf(model.CodeInvalid, "assignee_id", "assignee_id is an id, me or none, not %q.", word)
	}
	return id, nil
}

type newTicket struct {
	Body struct {
		Title     string     `json:"title,omitempty" maxLength:"300"`
		Says      string     `json:"says,omitempty" maxLength:"20000"`
		Machine   *uuid.UUID `json:"machine_id,omitempty"`
		Requester string     `json:"requester_name,omitempty" maxLength:"200"`
		CanWork   string     `json:"can_work,omitempty" enum:"no,with_difficulty,yes"`
		Kind      string     `json:"kind,omitempty" enum:"incident,request,problem"`
	}
}

func (a *API) openTicket(ctx context.Context, in *newTicket) (*Answer[Ticket], error) {
	c := callerOf(ctx)
	n := desk.NewTicket{Organisation: c.organisation, Kind: in.Body.Kind, Title: in.Body.Title, Says: in.Body.Says,
		Source: model.SourcePerson, CanWork: model.CanWork(in.Body.CanWork)}
	if c.token {
		n.Source = model.SourceAPI
	}
	if in.Body.Requester != "" {
		n.Requester = model.Actor{Kind: model.ByPerson, Name: in.Body.Requester}
	}
	if in.Body.Machine != nil {
		err := a.view(ctx, func(tx *store.Tx) error {
			m, err := fleet.Get(tx, *in.Body.Machine)
			n.Machines = []desk.MachineRef{{ID: m.ID, Name: m.Name}}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	t, err := a.rooms.Desk.Open(ctx, c.scope, n)
	if err != nil {
		return nil, err
	}
	return answer(a.ticketNow(ctx, t.ID))
}

type ticketChange struct {
	ID   uuid.UUID `path:"id"`
	Body struct {
		Version    int64               `json:"version"`
		State      *string             `json:"state,omitempty" enum:"new,open,on_hold,resolved,closed"`
		HoldReason *string             `json:"hold_reason,omitempty" enum:"requester,vendor,change,problem,scheduled"`
		Assignee   Nullable[uuid.UUID] `json:"assignee_id,omitempty"`
		Priority   *int                `json:"priority,omitempty" minimum:"1" maximum:"5"`
		Impact     *int                `json:"impact,omitempty" minimum:"1" maximum:"4"`
		Urgency    *int                `json:"urgency,omitempty" minimum:"1" maximum:"3"`
		Title      *string             `json:"title,omitempty" maxLength:"300"`
		Kind       *string             `json:"kind,omitempty" enum:"incident,request,problem"`
		Machines   []uuid.UUID         `json:"machine_ids,omitempty" maxItems:"50" nullable:"false" doc:"all that the ticket is about from now on; empty: none"`
		Resolution *struct {
			Text  string `json:"text" maxLength:"20000"`
			Plain *Words `json:"plain,omitempty"`
		} `json:"resolution,omitempty"`
	}
}

func (a *API) changeTicket(ctx context.Context, in *ticketChange) (*Answer[Ticket], error) {
	b := in.Body
	change := desk.Change{Version: b.Version, Priority: b.Priority, Impact: b.Impact, Urgency: b.Urgency, Title: b.Title, Kind: b.Kind}
	if b.State != nil {
		state := model.TicketState(*b.State)
		change.State = &state
	}
	if b.HoldReason != nil {
		hold := model.HoldReason(*b.HoldReason)
		change.Hold = &hold
	}
	if b.Assignee.Set {
		who := model.Actor{}
		if !b.Assignee.Null {
			person, err := a.actorOf(ctx, b.Assignee.Value)
			if err != nil {
				return nil, err
			}
			who = person
		}
		change.Assignee = &who
	}
	if b.Resolution != nil {
		how := model.Resolution{Kind: "person", Text: b.Resolution.Text}
		if b.Resolution.Plain != nil {
			how.Plain = *b.Resolution.Plain
		}
		change.Resolution = &how
	}
	if b.Machines != nil {
		machines, err := a.machinesFor(ctx, in.ID, b.Machines)
		if err != nil {
			return nil, err
		}
		change.Machines = &machines
	}
	_, err := a.rooms.Desk.Change(ctx, callerOf(ctx).scope, in.ID, change)
	if errors.Is(err, store.ErrConflict) {
		now, nowErr := a.ticketNow(ctx, in.ID)
		if nowErr != nil {
			return nil, nowErr
		}
		return nil, &conflictError{current: now}
	}
	if err != nil {
		return nil, err
	}
	return answer(a.ticketNow(ctx, in.ID))
}

// machinesFor names the machines that a ticket is to be about.
func (a *API) machinesFor(ctx context.Context, ticket model.ID, ids []uuid.UUID) ([]desk.MachineRef, error) {
	list := make([]desk.MachineRef, 0, len(ids))
	err := a.view(ctx, func(tx *store.Tx) error {
		list = list[:0]
		if _, err := desk.Get(tx, ticket); err != nil {
			return err
		}
		for _, id := range ids {
			m, err := fleet.Get(tx, id)
			if errors.Is(err, store.ErrNotFound) {
				return model.Problemf(model.CodeInvalid, "machine_ids", "There is no computer %s, or you may not see it.", id)
			}
			if err != nil {
				return err
			}
			list = append(list, desk.MachineRef{ID: m.ID, Name: m.Name})
		}
		return nil
	})
	return list, err
}
