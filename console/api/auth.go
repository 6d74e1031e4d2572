package api

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

// caller is who asks.
type caller struct {
	person       model.ID
	name         string
	role         model.Role
	organisation model.ID
	scope        store.Scope
	token        bool // by an API token, not by a person at a browser
	secret       string
}

func (c caller) actor() model.Actor {
	return model.Actor{Kind: model.ByTechnician, ID: c.person, Name: c.name}
}

func (c caller) may(right string) bool {
	return right == "" || slices.Contains(c.role.Rights(), model.Right(right))
}

type callerKey struct{}
type requestKey struct{}

func callerOf(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}

// wire is what an operation may need of the connection itself.
type wire struct {
	w http.ResponseWriter
	r *http.Request
}

func wireOf(ctx context.Context) wire {
	x, _ := ctx.Value(requestKey{}).(wire)
	return x
}

func addressOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// cookieName differs for each listener: browsers share the cookies of a name
// among its ports. origin is the listener as the browser knows it.
func cookieName(origin, what string) string {
	if strings.HasPrefix(origin, "https://") {
		return "__Host-" + what
	}
	_, port, err := net.SplitHostPort(strings.TrimPrefix(origin, "http://"))
	if err != nil {
		port = "80"
	}
	return what + "-" + port
}

const (
	signInCookie = "deskside"
	helpCookie   = "deskside-help"
)

func (a *API) setCookie(w http.ResponseWriter, r *http.Request, what, secret string, seconds int) {
	http.SetCookie(w, &http.Cookie{Name: cookieName(a.rooms.Origin(r), what), Value: secret, Path: "/", MaxAge: seconds,
		HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteStrictMode})
}

func (a *API) cookie(r *http.Request, what string) string {
	c, err := r.Cookie(cookieName(a.rooms.Origin(r), what))
	if err != nil {
		return ""
	}
	return c.Value
}

// identify finds out who asks.
func (a *API) identify(r *http.Request) (caller, error) {
	var p model.Person
	var err error
	c := caller{}
	if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		c.token, c.secret = true, bearer
		p, err = a.rooms.Account.Bearer(r.Context(), bearer)
	} else if secret := a.cookie(r, signInCookie); secret != "" {
		c.secret = secret
		p, err = a.rooms.Account.SignedIn(r.Context(), secret)
	} else {
		err = errSignIn
	}
	if err != nil {
		return c, err
	}
	kind := "person"
	if c.token {
		kind = "token"
	}
	c.person, c.name, c.role, c.organisation = p.ID, p.Display, p.Role, p.Organisation
	c.scope = store.Scope{Actor: store.Actor{Kind: kind, ID: p.ID, Name: p.Display, Address: addressOf(r)},
		Organisations: []model.ID{p.Organisation}}
	return c, nil
}

// still tells whether who asked once is still let in, and with the same role. As
// long as the database does not say no, they are.
func (a *API) still(ctx context.Context, c caller) bool {
	p, err := a.rooms.Account.Holder(ctx, c.secret)
	var known *model.Problem
	return (err == nil && p.Role == c.role) || (err != nil && !errors.As(err, &known))
}

var errSignIn = &Problem{Type: "about:blank", Title: "Unauthorized", Status: http.StatusUnauthorized, Code: "sign_in", Detail: "Please sign in."}

// authenticate stands before every operation.
func (a *API) authenticate(ctx huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	right, _ := ctx.Operation().Metadata["right"].(string)
	ctx = huma.WithValue(ctx, requestKey{}, wire{w, r})
	if unsafe(r.Method) && !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ") && !a.ownOrigin(r) {
		writeProblem(w, http.StatusForbidden, "origin", "A change must come from the console's own pages, or with a token.")
		return
	}
	if right == open {
		next(ctx)
		return
	}
	c, err := a.identify(r)
	if err != nil {
		var known *model.Problem
		if errors.As(err, &known) {
			err = errSignIn
		}
		a.writeError(w, err)
		return
	}
	if !c.may(right) {
		a.refused(r.Context(), c, right)
		writeProblem(w, http.StatusForbidden, "forbidden", "This needs the right "+right+".")
		return
	}
	next(huma.WithValue(ctx, callerKey{}, c))
}

// refused writes into the audit that somebody tried what they may not.
func (a *API) refused(ctx context.Context, c caller, right string) {
	err := a.rooms.Store.Update(ctx, c.scope, func(tx *store.Tx) error {
		return tx.Audit(store.Entry{Organisation: c.organisation, Action: "right.refused", Result: "refused", Detail: map[string]any{"right": right}})
	})
	if err != nil {
		a.rooms.Log.Error("cannot write a refusal into the audit", "error", err)
	}
}

// allowed is authenticate for handlers that are not operations.
func (a *API) allowed(w http.ResponseWriter, r *http.Request, right string) (caller, bool) {
	c, err := a.identify(r)
	if err != nil {
		var known *model.Problem
		if errors.As(err, &known) {
			err = errSignIn
		}
		a.writeError(w, err)
		return c, false
	}
	if !c.may(right) {
		a.refused(r.Context(), c, right)
		writeProblem(w, http.StatusForbidden, "forbidden", "This needs the right "+right+".")
		return c, false
	}
	return c, true
}

func unsafe(method string) bool {
	return method != http.MethodGet && method != http.MethodHead && method != http.MethodOptions
}

// ownOrigin tells whether a request comes from a page of this very listener.
func (a *API) ownOrigin(r *http.Request) bool { return r.Header.Get("Origin") == a.rooms.Origin(r) }

// sameOrigin guards WebSockets: a browser sends cookies with them to anybody's
// page, and always says which page it is. A program with a token has no page.
func (a *API) sameOrigin(w http.ResponseWriter, r *http.Request) bool {
	if a.ownOrigin(r) || (r.Header.Get("Origin") == "" && r.Header.Get("Authorization") != "") {
		return true
	}
	writeProblem(w, http.StatusForbidden, "origin", "This socket is for the console's own pages.")
	return false
}
