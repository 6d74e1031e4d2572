package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/console/fleet"
	"github.com/deskside/deskside/console/health"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/protocol/catalogue"
)

// Alert is a check that fires on a machine.
type Alert struct {
	ID             uuid.UUID          `json:"id"`
	Machine        uuid.UUID          `json:"machine_id"`
	MachineName    string             `json:"machine_name"`
	Check          string             `json:"check"`
	Instance       string             `json:"instance"`
	Severity       string             `json:"severity" enum:"warning,critical"`
	State          string             `json:"state" enum:"firing,unknown,resolved"`
	Flapping       bool               `json:"flapping"`
	Silenced       bool               `json:"silenced"`
	AcknowledgedBy *Who               `json:"acknowledged_by"`
	Count          int                `json:"count"`
	StartedAt      time.Time          `json:"started_at"`
	ChangedAt      time.Time          `json:"changed_at"`
	ResolvedAt     *time.Time         `json:"resolved_at"`
	Values         map[string]float64 `json:"values" doc:"of a resolved alert: what was read when it was over"`
	Title          Words              `json:"title"`
	Finding        Words              `json:"finding"`
	Plain          Words              `json:"plain"`
	Done           *Words             `json:"done" doc:"of a resolved alert: how it is since; the words above are of the time when it fired"`
	Evidence       Evidence           `json:"evidence"`
	Cures          []string           `json:"cures" nullable:"false"`
	Ticket         *uuid.UUID         `json:"ticket_id"`
	Version        int64              `json:"version"`
}

// Evidence is what the machine saw when the check fired.
type Evidence struct {
	Vitals    []Series           `json:"vitals" nullable:"false"`
	Processes []model.TopProcess `json:"processes" nullable:"false"`
	Limit     *float64           `json:"limit"`
}

func alertOf(a health.AlertOf) Alert {
	out := Alert{
		ID: a.ID, Machine: a.Machine, MachineName: a.MachineName, Check: a.Check, Instance: a.Instance,
		Severity: string(a.Severity), State: string(a.State), Flapping: a.Flapping, Silenced: a.Silenced, Count: a.Count,
		StartedAt: a.StartedAt, ChangedAt: a.ChangedAt, ResolvedAt: timeOrNull(a.ResolvedAt), Values: a.Values,
		Title: a.Title, Finding: a.Finding, Plain: a.Plain, Cures: []string{}, Ticket: idOrNull(a.Ticket), Version: a.Version,
		AcknowledgedBy: whoOf(model.Actor{Kind: model.ByTechnician, ID: a.AckedBy, Name: a.AckedName}),
		Evidence:       Evidence{Vitals: []Series{}, Processes: []model.TopProcess{}},
	}
	if !a.Open() {
		out.Done = wordsOrNull(a.Done)
	}
	if out.Values == nil {
		out.Values = map[string]float64{}
	}
	if c, ok := catalogue.Find(a.Check); ok {
		out.Cures = append(out.Cures, c.Cures...)
	}
	var kept Evidence
	if len(a.Evidence) > 0 && json.Unmarshal(a.Evidence, &kept) == nil {
		out.Evidence.Limit = kept.Limit
		out.Evidence.Vitals = append(out.Evidence.Vitals, kept.Vitals...)
		out.Evidence.Processes = append(out.Evidence.Processes, kept.Processes...)
	}
	return out
}

func (a *API) named(tx *store.Tx, x model.Alert) (Alert, error) {
	m, err := fleet.Get(tx, x.Machine)
	return alertOf(health.AlertOf{Alert: x, MachineName: m.Name}), err
}

func (a *API) alertRoutes() {
	type query struct {
		Listing
		Machine  uuid.UUID `query:"machine_id"`
		Ticket   uuid.UUID `query:"ticket_id"`
		State    string    `query:"state" enum:"firing,unknown,resolved,open" doc:"open: firing or unknown"`
		Severity string    `query:"severity" enum:"warning,critical"`
		Check    string    `query:"check" maxLength:"128"`
	}
	operation(a, http.MethodGet, "/alerts", "machine.read", "List alerts", func(ctx context.Context, in *query) (*Answer[Page[Alert]], error) {
		q := health.Query{Request: in.request(), Machine: in.Machine, Ticket: in.Ticket, State: in.State, Severity: in.Severity, Check: in.Check}
		if q.State == "open" {
			q.State, q.Open = "", true
		}
		var page Page[Alert]
		err := a.view(ctx, func(tx *store.Tx) error {
			list, err := health.List(tx, q)
			page = pageOf(list, alertOf)
			return err
		})
		return answer(page, err)
	})
	operation(a, http.MethodGet, "/alerts/{id}", "machine.read", "One alert", func(ctx context.Context, in *ByID) (*Answer[Alert], error) {
		var out Alert
		err := a.view(ctx, func(tx *store.Tx) error {
			x, err := health.Get(tx, in.ID)
			if err != nil {
				return err
			}
			out, err = a.named(tx, x)
			return err
		})
		return answer(out, err)
	})
	type change struct {
		ID   uuid.UUID `path:"id"`
		Body struct {
			Version      int64 `json:"version"`
			Acknowledged bool  `json:"acknowledged"`
		}
	}
	operation(a, http.MethodPatch, "/alerts/{id}", "ticket.write", "Acknowledge an alert", func(ctx context.Context, in *change) (*Answer[Alert], error) {
		var out Alert
		who := callerOf(ctx).actor()
		err := a.update(ctx, func(tx *store.Tx) error {
			x, err := a.rooms.Health.Acknowledge(tx, in.ID, in.Body.Version, who, in.Body.Acknowledged)
			if err != nil && !errors.Is(err, store.ErrConflict) {
				return err
			}
			shaped, nameErr := a.named(tx, x)
			if nameErr != nil {
				return nameErr
			}
			out = shaped
			if err != nil {
				return &conflictError{current: shaped}
			}
			return nil
		})
		return answer(out, err)
	})
}
