package api

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"github.com/deskside/deskside/console/account"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

// Me is who is signed in.
type Me struct {
	ID           uuid.UUID `json:"id"`
	Name         string    `json:"name"`
	DisplayName  string    `json:"display_name"`
	Role         string    `json:"role" enum:"admin,technician,viewer"`
	Rights       []string  `json:"rights" nullable:"false"`
	Language     string    `json:"language" enum:"en,pl"`
	Theme        string    `json:"theme" enum:"auto,light,dark"`
	Organisation Ref       `json:"organisation"`
	Trial        bool      `json:"trial"`
	Version      string    `json:"version"`
}

func (a *API) meOf(ctx context.Context, p model.Person) (Me, error) {
	me := Me{ID: p.ID, Name: p.Name, DisplayName: p.Display, Role: string(p.Role), Rights: []string{}, Language: p.Language,
		Theme: p.Theme, Organisation: Ref{ID: p.Organisation}, Trial: a.rooms.Trial, Version: a.rooms.Version}
	for _, r := range p.Role.Rights() {
		me.Rights = append(me.Rights, string(r))
	}
	err := a.rooms.Store.View(ctx, store.Scope{Organisations: []model.ID{p.Organisation}}, func(tx *store.Tx) error {
		var err error
		me.Organisation.Name, err = account.OrganisationName(tx, p.Organisation)
		return err
	})
	return me, err
}

func (a *API) accountRoutes() {
	type password struct {
		Body struct {
			Name     string `json:"name" maxLength:"200"`
			Password string `json:"password" maxLength:"1000"`
		}
	}
	operation(a, http.MethodPost, "/sign-in", open, "Sign in with a password", func(ctx context.Context, in *password) (*Answer[Me], error) {
		x := wireOf(ctx)
		p, secret, err := a.rooms.Account.SignIn(ctx, in.Body.Name, in.Body.Password, addressOf(x.r))
		if err != nil {
			return nil, err
		}
		a.setCookie(x.w, x.r, signInCookie, secret, 0)
		return answer(a.meOf(ctx, p))
	})
	type link struct {
		Body struct {
			Link string `json:"link" maxLength:"200"`
		}
	}
	operation(a, http.MethodPost, "/sign-in/link", open, "Sign in with a link for one use", func(ctx context.Context, in *link) (*Answer[Me], error) {
		x := wireOf(ctx)
		p, secret, err := a.rooms.Account.FollowLink(ctx, in.Body.Link, addressOf(x.r))
		if err != nil {
			return nil, err
		}
		a.setCookie(x.w, x.r, signInCookie, secret, 0)
		return answer(a.meOf(ctx, p))
	})
	operation(a, http.MethodPost, "/sign-out", "", "Sign out", func(ctx context.Context, _ *struct{}) (*struct{}, error) {
		c, x := callerOf(ctx), wireOf(ctx)
		a.setCookie(x.w, x.r, signInCookie, "", -1)
		if c.token {
			return nil, nil
		}
		return nil, a.rooms.Account.SignOut(ctx, c.scope, c.secret)
	})
	operation(a, http.MethodGet, "/me", "", "Who is signed in", func(ctx context.Context, _ *struct{}) (*Answer[Me], error) {
		var p model.Person
		err := a.view(ctx, func(tx *store.Tx) error {
			var err error
			p, err = account.Person(tx, callerOf(ctx).person)
			return err
		})
		if err != nil {
			return nil, err
		}
		return answer(a.meOf(ctx, p))
	})
	type prefer struct {
		Body struct {
			Language    *string `json:"language,omitempty" enum:"en,pl"`
			Theme       *string `json:"theme,omitempty" enum:"auto,light,dark"`
			DisplayName *string `json:"display_name,omitempty" maxLength:"64"`
		}
	}
	operation(a, http.MethodPatch, "/me", "", "Change one's own choices", func(ctx context.Context, in *prefer) (*Answer[Me], error) {
		c := callerOf(ctx)
		p, err := a.rooms.Account.Prefer(ctx, c.scope, c.person, in.Body.Language, in.Body.Theme, in.Body.DisplayName)
		if err != nil {
			return nil, err
		}
		return answer(a.meOf(ctx, p))
	})
}
