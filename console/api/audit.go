package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/console/store"
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
			page = pageOf(list, auditRowOf)
			return err
		})
		return answer(page, err)
	})
}

func auditRowOf(r store.AuditRow) AuditRow {
	out := AuditRow{ID: r.ID, At: r.At, Actor: Who{Kind: r.Actor.Kind, ID: idOrNull(r.Actor.ID), Name: r.Actor.Name},
		Action: r.Action, Subjects: []AuditSubject{}, Result: r.Result, Detail: map[string]any{}, Number: r.Number}
	for _, s := range r.Subjects {
		out.Subjects = append(out.Subjects, AuditSubject(s))
	}
	if err := json.Unmarshal(r.Detail, &out.Detail); err != nil {
		out.Detail = map[string]any{}
	}
	return out
}
