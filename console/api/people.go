package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/console/account"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

// Person is somebody with an account.
type Person struct {
	ID          uuid.UUID `json:"id"`
	Name        string    `json:"name"`
	DisplayName string    `json:"display_name"`
	Role        string    `json:"role" enum:"admin,technician,viewer"`
	Disabled    bool      `json:"disabled" doc:"cannot sign in"`
	CreatedAt   time.Time `json:"created_at"`
	Version     int64     `json:"version"`
}

// Token is an API token without its secret.
type Token struct {
	ID        uuid.UUID `json:"id"`
	Person    Ref       `json:"person"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

func personOf(p model.Person) Person {
	return Person{ID: p.ID, Name: p.Name, DisplayName: p.Display, Role: string(p.Role), Disabled: p.Disabled,
		CreatedAt: p.CreatedAt, Version: p.Version}
}

func (a *API) peopleRoutes() {
	type people struct {
		Listing
		Q     string `query:"q" maxLength:"200"`
		State string `query:"state" enum:"active,disabled,all" default:"active"`
	}
	operation(a, http.MethodGet, "/people", "ticket.read", "List people", func(ctx context.Context, in *people) (*Answer[Page[Person]], error) {
		var page Page[Person]
		err := a.view(ctx, func(tx *store.Tx) error {
			list, err := account.People(tx, account.Which(in.State), in.Q, in.request())
			page = pageOf(list, personOf)
			return err
		})
		return answer(page, err)
	})
	type personChange struct {
		ID   uuid.UUID `path:"id"`
		Body struct {
			Version  int64   `json:"version"`
			Disabled *bool   `json:"disabled,omitempty" doc:"true ends their sign-ins, tokens and sessions at once"`
			Role     *string `json:"role,omitempty" enum:"admin,technician,viewer"`
		}
	}
	operation(a, http.MethodPatch, "/people/{id}", "people.write", "Disable a person, or change their role", func(ctx context.Context, in *personChange) (*Answer[Person], error) {
		c := account.Change{Version: in.Body.Version, Disabled: in.Body.Disabled}
		if in.Body.Role != nil {
			role := model.Role(*in.Body.Role)
			c.Role = &role
		}
		p, err := a.rooms.Account.Change(ctx, callerOf(ctx).scope, in.ID, c)
		if errors.Is(err, store.ErrConflict) {
			err = &conflictError{current: personOf(p)}
		}
		return answer(personOf(p), err)
	})
	operation(a, http.MethodGet, "/tokens", "", "List one's own API tokens; everybody's for who manages people", func(ctx context.Context, in *Listing) (*Answer[Page[Token]], error) {
		var page Page[Token]
		err := a.view(ctx, func(tx *store.Tx) error {
			list, err := account.Tokens(tx, callerOf(ctx).ownOnly(), in.request())
			page = pageOf(list, func(t account.Token) Token {
				return Token{ID: t.ID, Person: Ref{ID: t.Person, Name: t.Name}, CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt}
			})
			return err
		})
		return answer(page, err)
	})
	operation(a, http.MethodDelete, "/tokens/{id}", "", "Revoke an API token", func(ctx context.Context, in *ByID) (*struct{}, error) {
		c := callerOf(ctx)
		return nil, a.rooms.Account.Revoke(ctx, c.scope, in.ID, c.ownOnly())
	})
}

// ownOnly is the caller, whose own things alone may be shown, or the zero id for
// who manages people.
func (c caller) ownOnly() model.ID {
	if c.may(string(model.PeopleWrite)) {
		return model.ID{}
	}
	return c.person
}

// actorOf is somebody of the caller's organisation, as the actor of a ticket.
func (a *API) actorOf(ctx context.Context, id model.ID) (model.Actor, error) {
	var p model.Person
	err := a.view(ctx, func(tx *store.Tx) error {
		var err error
		p, err = account.Person(tx, id)
		return err
	})
	return model.Actor{Kind: model.ByTechnician, ID: p.ID, Name: p.Display}, err
}

func (a *API) findPeople(ctx context.Context, text string, most int) ([]Ref, error) {
	var out []Ref
	err := a.view(ctx, func(tx *store.Tx) error {
		list, err := account.People(tx, account.Active, text, store.Request{Limit: most})
		out = nil
		for _, p := range list.Items {
			out = append(out, Ref{ID: p.ID, Name: p.Display})
		}
		return err
	})
	return out, err
}
