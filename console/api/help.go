package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/console/account"
	"github.com/deskside/deskside/console/desk"
	"github.com/deskside/deskside/console/health"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

// HelpMe is who asks for help, and at which machine.
type HelpMe struct {
	Person   Named  `json:"person"`
	Machine  Named  `json:"machine"`
	Language string `json:"language" enum:"en,pl"`
}

// Named has a name and nothing more.
type Named struct {
	Name string `json:"name"`
}

// HelpPage is what the help page shows first.
type HelpPage struct {
	HelpMe
	Noticed []Noticed    `json:"noticed" nullable:"false"`
	Tickets []HelpTicket `json:"tickets" nullable:"false"`
}

// Noticed is something that we know already.
type Noticed struct {
	Plain Words `json:"plain"`
}

// HelpTicket is a ticket as its person sees it.
type HelpTicket struct {
	ID        uuid.UUID     `json:"id"`
	Number    string        `json:"number"`
	State     string        `json:"state" enum:"new,open,on_hold,resolved,closed"`
	Waiting   bool          `json:"waiting" doc:"we wait for the person"`
	Says      string        `json:"says"`
	CreatedAt time.Time     `json:"created_at"`
	UpdatedAt time.Time     `json:"updated_at"`
	Messages  []HelpMessage `json:"messages" nullable:"false" doc:"empty in lists"`

	Resolution *string `json:"resolution" doc:"what was done, in plain words and in the person's language"`
}

// HelpMessage is one message between the person and us.
type HelpMessage struct {
	At         time.Time `json:"at"`
	FromPerson bool      `json:"from_person"`
	By         string    `json:"by"`
	Text       string    `json:"text"`
}

func helpTicketOf(t model.Ticket, language string) HelpTicket {
	says := t.Says
	if says == "" {
		says = t.Plain.In(language)
	}
	var done *string
	if t.Resolution != nil {
		done = textOrNull(t.Resolution.Plain.In(language))
	}
	return HelpTicket{Resolution: done, Messages: []HelpMessage{}, ID: t.ID, Number: t.NumberWord(), State: string(t.State), Says: says, CreatedAt: t.CreatedAt, UpdatedAt: t.UpdatedAt,
		Waiting: t.State == model.TicketOnHold && t.Hold == model.HoldRequester}
}

// guest is the person of the help page's cookie.
func (a *API) guest(ctx context.Context) (account.Guest, store.Scope, error) {
	x := wireOf(ctx)
	secret := a.cookie(x.r, helpCookie)
	if secret == "" {
		return account.Guest{}, store.Scope{}, errSignIn
	}
	g, err := a.rooms.Account.Guest(ctx, secret)
	if err != nil {
		return g, store.Scope{}, err
	}
	who := g.Actor()
	return g, store.Scope{Actor: store.Actor{Kind: "requester", ID: who.ID, Name: who.Name, Address: addressOf(x.r)},
		Organisations: []model.ID{g.Organisation}}, nil
}

// own is a ticket of the guest; others do not exist for them.
func own(tx *store.Tx, g account.Guest, id model.ID) (model.Ticket, error) {
	t, err := desk.Get(tx, id)
	if err == nil && t.Requester.ID != g.Actor().ID {
		return t, model.Problemf(model.CodeNotFound, "", "There is nothing here, or you may not see it.")
	}
	return t, err
}

func (a *API) helpRoutes() {
	type helpLink struct {
		Body struct {
			Link     string `json:"link" maxLength:"200"`
			Language string `json:"language,omitempty" enum:"en,pl" doc:"of the browser, else en; what we say to the person is in it"`
		}
	}
	operation(a, http.MethodPost, "/help/sign-in", open, "The person at a machine follows their link", func(ctx context.Context, in *helpLink) (*Answer[HelpMe], error) {
		g, secret, err := a.rooms.Account.FollowHelpLink(ctx, in.Body.Link, cmp.Or(in.Body.Language, "en"))
		if err != nil {
			return nil, err
		}
		x := wireOf(ctx)
		a.setCookie(x.w, x.r, helpCookie, secret, 14*24*3600)
		return answer(helpMeOf(g), nil)
	})
	operation(a, http.MethodGet, "/help", open, "What the person at a machine sees", a.helpPage)
	type helpAsk struct {
		Body struct {
			Says    string `json:"says" minLength:"1" maxLength:"20000"`
			CanWork string `json:"can_work,omitempty" enum:"no,with_difficulty,yes"`
		}
	}
	operation(a, http.MethodPost, "/help/tickets", open, "The person asks for help", func(ctx context.Context, in *helpAsk) (*Answer[HelpTicket], error) {
		g, scope, err := a.guest(ctx)
		if err != nil {
			return nil, err
		}
		t, err := a.rooms.Desk.Open(ctx, scope, desk.NewTicket{Organisation: g.Organisation, Says: in.Body.Says, Source: model.SourcePerson,
			CanWork: model.CanWork(in.Body.CanWork), Requester: g.Actor(), Language: g.Language, Machines: []desk.MachineRef{{ID: g.Machine, Name: g.MachineName}}})
		return answer(helpTicketOf(t, g.Language), err)
	})
	operation(a, http.MethodGet, "/help/tickets/{id}", open, "One ticket of the person", a.helpTicket)
	type helpReply struct {
		ByID
		Body struct {
			Text string `json:"text" minLength:"1" maxLength:"20000"`
		}
	}
	operation(a, http.MethodPost, "/help/tickets/{id}/messages", open, "The person answers", func(ctx context.Context, in *helpReply) (*Answer[HelpTicket], error) {
		g, scope, err := a.guest(ctx)
		if err != nil {
			return nil, err
		}
		err = a.rooms.Store.View(ctx, scope, func(tx *store.Tx) error {
			_, err := own(tx, g, in.ID)
			return err
		})
		if err != nil {
			return nil, err
		}
		if _, err := a.rooms.Desk.Hear(ctx, scope, in.ID, g.Actor(), in.Body.Text); err != nil {
			return nil, err
		}
		return a.helpTicket(ctx, &in.ByID)
	})
	operation(a, http.MethodPost, "/help/tickets/{id}/works", open, "The person says that it works; the ticket is closed", a.helpWorks)
}

// helpWorks takes the person's word that it works.
func (a *API) helpWorks(ctx context.Context, in *ByID) (*Answer[HelpTicket], error) {
	g, scope, err := a.guest(ctx)
	if err != nil {
		return nil, err
	}
	err = a.rooms.Store.View(ctx, scope, func(tx *store.Tx) error {
		_, err := own(tx, g, in.ID)
		return err
	})
	if err == nil {
		err = a.rooms.Desk.Works(ctx, scope, in.ID, g.Actor())
	}
	if err != nil {
		return nil, err
	}
	return a.helpTicket(ctx, in)
}

func helpMeOf(g account.Guest) HelpMe {
	return HelpMe{Person: Named{g.Name}, Machine: Named{g.MachineName}, Language: g.Language}
}

func (a *API) helpPage(ctx context.Context, _ *struct{}) (*Answer[HelpPage], error) {
	g, scope, err := a.guest(ctx)
	if err != nil {
		return nil, err
	}
	out := HelpPage{HelpMe: helpMeOf(g)}
	err = a.rooms.Store.View(ctx, scope, func(tx *store.Tx) error {
		out.Noticed, out.Tickets = []Noticed{}, []HelpTicket{}
		alerts, err := health.List(tx, health.Query{Request: store.Request{Limit: 5}, Machine: g.Machine, State: "firing"})
		if err != nil {
			return err
		}
		for _, x := range alerts.Items {
			out.Noticed = append(out.Noticed, Noticed{x.Plain})
		}
		tickets, err := desk.List(tx, desk.Query{Request: store.Request{Limit: 20, Sort: "-created_at"}, Requester: g.Actor().ID})
		for _, t := range tickets.Items {
			out.Tickets = append(out.Tickets, helpTicketOf(t, g.Language))
		}
		return err
	})
	return answer(out, err)
}

func (a *API) helpTicket(ctx context.Context, in *ByID) (*Answer[HelpTicket], error) {
	g, scope, err := a.guest(ctx)
	if err != nil {
		return nil, err
	}
	var out HelpTicket
	err = a.rooms.Store.View(ctx, scope, func(tx *store.Tx) error {
		t, err := own(tx, g, in.ID)
		if err != nil {
			return err
		}
		out = helpTicketOf(t, g.Language)
		out.Messages = []HelpMessage{}
		items, err := desk.Timeline(tx, in.ID, store.Request{Limit: 500, Sort: "-at"}, "message")
		for _, i := range slices.Backward(items.Items) {
			out.Messages = append(out.Messages, HelpMessage{At: i.At, FromPerson: i.By.Kind == model.ByPerson, By: i.By.Name, Text: i.Text})
		}
		return err
	})
	return answer(out, err)
}
