package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/websocket"

	"github.com/deskside/deskside/console/fleet"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/session"
	"github.com/deskside/deskside/console/store"
)

// Session is a live connection to a machine.
type Session struct {
	ID          uuid.UUID  `json:"id"`
	Machine     uuid.UUID  `json:"machine_id"`
	MachineName string     `json:"machine_name"`
	Kind        string     `json:"kind" enum:"terminal"`
	State       string     `json:"state" enum:"opening,waiting_consent,open,refused,ended"`
	Refusal     *Refusal   `json:"refusal"`
	Reason      string     `json:"reason"`
	Ticket      *uuid.UUID `json:"ticket_id"`
	By          Who        `json:"by"`
	CreatedAt   time.Time  `json:"created_at"`
	OpenedAt    *time.Time `json:"opened_at"`
	EndedAt     *time.Time `json:"ended_at"`
	Ended       string     `json:"ended" doc:"why it ended"`
	Recording   *Recording `json:"recording"`
}

// Recording is what was shown in a session.
type Recording struct {
	Bytes   int64   `json:"bytes"`
	Seconds float64 `json:"seconds"`
}

func sessionOf(s session.SessionOf) Session {
	out := Session{ID: s.ID, Machine: s.Machine, MachineName: s.MachineName, Kind: s.Kind, State: string(s.State), Reason: s.Reason,
		Ticket: idOrNull(s.Ticket), By: someone(s.By), CreatedAt: s.CreatedAt, OpenedAt: timeOrNull(s.OpenedAt),
		EndedAt: timeOrNull(s.EndedAt), Ended: s.EndedText}
	if s.Refusal != "" {
		out.Refusal = &Refusal{Code: s.Refusal, Text: s.RefusalText}
	}
	if s.Session.Recording > 0 {
		out.Recording = &Recording{Bytes: s.Session.Recording, Seconds: s.EndedAt.Sub(s.OpenedAt).Seconds()}
	}
	return out
}

func (a *API) sessionNow(ctx context.Context, id model.ID) (Session, error) {
	var out Session
	err := a.view(ctx, func(tx *store.Tx) error {
		s, err := session.Get(tx, id)
		if err != nil {
			return err
		}
		m, err := fleet.Get(tx, s.Machine)
		out = sessionOf(session.SessionOf{Session: s, MachineName: m.Name})
		return err
	})
	return out, err
}

func (a *API) sessionRoutes() {
	type create struct {
		Body struct {
			Machine uuid.UUID  `json:"machine_id"`
			Kind    string     `json:"kind" enum:"terminal" default:"terminal" required:"false"`
			Columns int        `json:"columns" minimum:"1" maximum:"1000" default:"80" required:"false"`
			Rows    int        `json:"rows" minimum:"1" maximum:"500" default:"24" required:"false"`
			Reason  string     `json:"reason,omitempty" maxLength:"560"`
			Ticket  *uuid.UUID `json:"ticket_id,omitempty"`
		}
	}
	operation(a, http.MethodPost, "/sessions", "session.open", "Open a terminal on a machine", func(ctx context.Context, in *create) (*Answer[Session], error) {
		c := callerOf(ctx)
		credential, err := a.rooms.Account.Credential(ctx, c.secret)
		if err != nil {
			return nil, err
		}
		q := session.Request{Credential: credential, Organisation: c.organisation, Machine: in.Body.Machine, Kind: in.Body.Kind,
			Columns: in.Body.Columns, Rows: in.Body.Rows, Reason: in.Body.Reason}
		if in.Body.Ticket != nil {
			q.Ticket = *in.Body.Ticket
		}
		s, err := a.rooms.Sessions.Create(ctx, c.scope, q)
		if err != nil {
			return nil, err
		}
		return answer(a.sessionNow(ctx, s.ID))
	})
	type query struct {
		Listing
		Machine uuid.UUID `query:"machine_id"`
		Ticket  uuid.UUID `query:"ticket_id"`
	}
	operation(a, http.MethodGet, "/sessions", "machine.read", "List sessions", func(ctx context.Context, in *query) (*Answer[Page[Session]], error) {
		var page Page[Session]
		err := a.view(ctx, func(tx *store.Tx) error {
			list, err := session.List(tx, session.Query{Request: in.request(), Machine: in.Machine, Ticket: in.Ticket})
			page = pageOf(list, sessionOf)
			return err
		})
		return answer(page, err)
	})
	operation(a, http.MethodGet, "/sessions/{id}", "machine.read", "One session", func(ctx context.Context, in *ByID) (*Answer[Session], error) {
		return answer(a.sessionNow(ctx, in.ID))
	})
	operation(a, http.MethodPost, "/sessions/{id}/end", "session.open", "End a session", func(ctx context.Context, in *ByID) (*Answer[Session], error) {
		if _, err := a.rooms.Sessions.End(ctx, callerOf(ctx).scope, in.ID); err != nil {
			return nil, err
		}
		return answer(a.sessionNow(ctx, in.ID))
	})
}

// attachFor is how long a browser waits for the machine to dial in.
const attachFor = 35 * time.Second

// serveSocket is a browser that comes for a session. It waits for the machine;
// when another node has the session, the upgrade is forwarded there as it came.
func (a *API) serveSocket(w http.ResponseWriter, r *http.Request) {
	c, ok := a.allowed(w, r, "session.open")
	if !ok || !a.sameOrigin(w, r) {
		return
	}
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		writeProblem(w, http.StatusNotFound, "not_found", "There is no such session, or you may not see it.")
		return
	}
	s, err := a.waitOpen(r.Context(), c.scope, id)
	if err != nil {
		a.writeError(w, err)
		return
	}
	if s.By.ID != c.person {
		writeProblem(w, http.StatusForbidden, "forbidden", "This session was opened by "+s.By.Name+".")
		return
	}
	if s.Node != a.rooms.Node {
		a.rooms.Forward(w, r, s.Node)
		return
	}
	up := websocket.Upgrader{ReadBufferSize: 4 << 10, WriteBufferSize: 16 << 10, CheckOrigin: func(*http.Request) bool { return true }}
	ws, err := up.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	if !a.rooms.Sessions.Attach(id, ws) {
		ws.Close()
	}
}

// waitOpen waits until the machine has dialled in, or said no.
func (a *API) waitOpen(ctx context.Context, scope store.Scope, id model.ID) (model.Session, error) {
	ctx, cancel := context.WithTimeout(ctx, attachFor)
	defer cancel()
	for {
		var s model.Session
		err := a.rooms.Store.View(ctx, scope, func(tx *store.Tx) error {
			var err error
			s, err = session.Get(tx, id)
			return err
		})
		if err != nil {
			return s, err
		}
		switch s.State {
		case model.SessionOpen:
			return s, nil
		case model.SessionRefused:
			return s, &model.Problem{Code: s.Refusal, Text: s.RefusalText}
		case model.SessionEnded:
			return s, model.Problemf(model.CodeState, "", "This session has ended.")
		}
		select {
		case <-ctx.Done():
			return s, model.Problemf(model.CodeOffline, "", "The computer did not answer in time.")
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// serveRecording sends an asciicast.
func (a *API) serveRecording(w http.ResponseWriter, r *http.Request) {
	c, ok := a.allowed(w, r, "session.replay")
	if !ok {
		return
	}
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		writeProblem(w, http.StatusNotFound, "not_found", "There is no such session, or you may not see it.")
		return
	}
	err = a.rooms.Store.Update(r.Context(), c.scope, func(tx *store.Tx) error {
		s, err := session.Get(tx, id)
		if err != nil {
			return err
		}
		return tx.Audit(store.Entry{Organisation: s.Organisation, Action: "session.replay", Result: "done",
			Subjects: []store.Subject{{Kind: "session", ID: s.ID}, {Kind: "machine", ID: s.Machine}}})
	})
	if err != nil {
		a.writeError(w, err)
		return
	}
	blob, err := a.rooms.Store.OpenBlob(r.Context(), c.scope, id)
	if errors.Is(err, store.ErrNotFound) {
		writeProblem(w, http.StatusNotFound, "no_recording", "This session has no recording: it ended before it began.")
		return
	}
	if err != nil {
		a.writeError(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/x-asciicast")
	w.Header().Set("Content-Disposition", `attachment; filename="session-`+id.String()+`.cast"`)
	http.ServeContent(w, r, "", time.Time{}, blob)
}
