package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/console/account"
	"github.com/deskside/deskside/console/desk"
	"github.com/deskside/deskside/console/fleet"
	"github.com/deskside/deskside/console/health"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/repair"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/scripts"
)

// AuditRow is one thing that was done, or refused.
type AuditRow struct {
	ID       uuid.UUID      `json:"id"`
	At       time.Time      `json:"at"`
	Actor    Who            `json:"actor"`
	Action   string         `json:"action"`
	Subjects []AuditSubject `json:"subjects" nullable:"false"`
	Result   string         `json:"result"`
	Detail   map[string]any `json:"detail"`
	Number   int64          `json:"number" doc:"in the sealed chain; 0 until it is sealed, a second or so"`
}

// AuditSubject is what a row is about.
type AuditSubject struct {
	Kind string    `json:"kind"`
	ID   uuid.UUID `json:"id"`
	Name *Words    `json:"name" doc:"what it is called now, as a run by its script; null where it has no name, or is gone"`
}

func (a *API) auditRoutes() {
	type query struct {
		Listing
		Action string `query:"action" maxLength:"64"`
	}
	operation(a, http.MethodGet, "/audit", "audit.read", "Who did what", func(ctx context.Context, in *query) (*Answer[Page[AuditRow]], error) {
		var page Page[AuditRow]
		err := a.view(ctx, func(tx *store.Tx) error {
			list, err := store.ReadAudit(tx, store.AuditFilter{Action: in.Action}, in.request())
			if err != nil {
				return err
			}
			page = pageOf(list, auditRowOf)
			return nameSubjects(tx, page.Items)
		})
		return answer(page, err)
	})
}

// nameSubjects gives the subjects of rows the names that they have today: a row
// keeps no name, so that a person's can be erased.
func nameSubjects(tx *store.Tx, rows []AuditRow) error {
	known := map[AuditSubject]*Words{}
	for _, row := range rows {
		for i, s := range row.Subjects {
			name, there := known[s]
			if !there {
				var err error
				if name, err = nameOf(tx, s); err != nil {
					return err
				}
				known[s] = name
			}
			row.Subjects[i].Name = name
		}
	}
	return nil
}

// nameOf is the name of one subject, or nil.
func nameOf(tx *store.Tx, s AuditSubject) (*Words, error) {
	var name string
	var words Words
	var err error
	switch s.Kind {
	case "machine":
		var m model.Machine
		m, err = fleet.Get(tx, s.ID)
		name = m.Name
	case "ticket":
		var t model.Ticket
		t, err = desk.Get(tx, s.ID)
		name = t.NumberWord()
	case "person":
		var p model.Person
		p, err = account.Person(tx, s.ID)
		name = p.Display
	case "group":
		var g model.Group
		g, err = fleet.GetGroup(tx, s.ID)
		name = g.Name
	case "question":
		var q model.Question
		q, err = fleet.GetQuestion(tx, s.ID)
		name = q.Expression
	case "alert":
		var a model.Alert
		a, err = health.Get(tx, s.ID)
		words = a.Title
	case "run":
		var r model.Run
		r, err = repair.Get(tx, s.ID)
		name = r.Script
		if script, ok := scripts.Lookup(r.Script); ok {
			words = Words(script.Title)
		}
	default: // enrolments, sessions and tokens have none
		return nil, nil
	}
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	case words == Words{}:
		words = Words{EN: name, PL: name}
	}
	return &words, nil
}

func auditRowOf(r store.AuditRow) AuditRow {
	out := AuditRow{ID: r.ID, At: r.At, Actor: Who{Kind: r.Actor.Kind, ID: idOrNull(r.Actor.ID), Name: r.Actor.Name},
		Action: r.Action, Subjects: []AuditSubject{}, Result: r.Result, Detail: map[string]any{}, Number: r.Number}
	for _, s := range r.Subjects {
		out.Subjects = append(out.Subjects, AuditSubject{Kind: s.Kind, ID: s.ID})
	}
	if err := json.Unmarshal(r.Detail, &out.Detail); err != nil {
		out.Detail = map[string]any{}
	}
	return out
}
