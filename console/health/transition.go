package health

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/deskside/deskside/console/desk"
	"github.com/deskside/deskside/console/fleet"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

// Limits of what one machine may claim.
const (
	maxTickets  = 20   // open alerts that may open tickets; further ones join a ticket of their machine
	maxOpen     = 2000 // open alerts; beyond it older ones of the same check give way
	maxInstance = 512
)

// TakeTransitions moves alerts as machines tell, and tickets with them. That a
// machine is silent is nothing that it tells.
func (h *Health) TakeTransitions(tx *store.Tx, list []model.Transition) error {
	for _, t := range list {
		if t.Check == checkOffline {
			return model.Problemf(model.CodeRefused, "check", "a machine that tells of its own silence")
		}
	}
	return h.takeAll(tx, list)
}

func (h *Health) takeAll(tx *store.Tx, list []model.Transition) error {
	touched := map[model.ID]bool{}
	for _, t := range list {
		if err := h.take(tx, t); err != nil {
			return fmt.Errorf("transition of %s: %w", t.Check, err)
		}
		touched[t.Machine] = true
	}
	for machine := range touched {
		if err := refresh(tx, machine); err != nil {
			return err
		}
	}
	return nil
}

func (h *Health) take(tx *store.Tx, t model.Transition) error {
	if t.Check == "" || len(t.Check) > 128 || len(t.Instance) > maxInstance || len(t.Thing) > maxInstance {
		return model.Problemf(model.CodeInvalid, "check", "a transition without a check, or with names that are too long")
	}
	a := model.Alert{Organisation: t.Organisation, Machine: t.Machine, Check: t.Check, Instance: t.Instance,
		Thing: t.Thing, State: model.AlertFiring}
	key := openKey(&a)
	open, there, err := openOf(tx, t.Organisation, key)
	if err != nil {
		return err
	}
	if there && open.Machine != t.Machine {
		return nil // of a shared thing: the machine that told of it first says how it stands
	}
	switch t.State {
	case model.AlertFiring:
		if there {
			return h.again(tx, open, t)
		}
		return h.fire(tx, a, t)
	case model.AlertUnknown:
		if there {
			open.Lose(tx.Now())
			return write(tx, &open)
		}
		return nil
	case model.AlertResolved:
		if there {
			return h.resolve(tx, open, t)
		}
		return nil
	}
	return model.Problemf(model.CodeInvalid, "state", "an alert is firing, unknown or resolved, not %q", t.State)
}

func severityOf(s model.Severity) model.Severity {
	if s == model.SeverityCritical {
		return s
	}
	return model.SeverityWarning
}

// fire opens an alert and its ticket.
func (h *Health) fire(tx *store.Tx, a model.Alert, t model.Transition) error {
	machine, err := fleet.Get(tx, t.Machine)
	if err != nil || machine.Revoked { // it was expelled while this was on its way, and its alerts have ended
		return err
	}
	crowd, err := room(tx, a)
	if err != nil {
		return err
	}
	earlier, err := earlierTicket(tx, a)
	if err != nil {
		return err
	}
	a.ID, a.Episode, a.Severity, a.Count = model.NewID(), t.Episode, severityOf(t.Severity), 1
	a.Flapping, a.StartedAt, a.ChangedAt = t.Flapping, started(t, tx.Now()), tx.Now()
	if err := tell(&a, t); err != nil {
		return err
	}
	settings, err := fleet.Settings(tx, t.Organisation)
	if err != nil {
		return err
	}
	storm, err := storming(tx, a, settings)
	if err != nil {
		return err
	}
	a.Ticket, err = desk.OpenFor(tx, desk.ForAlert{
		Organisation: a.Organisation, Machine: desk.MachineRef{ID: machine.ID, Name: machine.Name}, Alert: a.ID,
		Family: familyOf(a.Check), Severity: a.Severity, Title: a.Title, Plain: a.Plain, Finding: a.Finding,
		JoinWindow: settings.JoinWindow, Earlier: earlier, Crowd: crowd, Storm: storm,
	})
	if err != nil {
		return err
	}
	if err := write(tx, &a); err != nil {
		return err
	}
	return forgetOldest(tx, a.Machine)
}

// started believes a machine's clock within thirty days back; orders and deadlines
// follow the moment of receipt anyway.
func started(t model.Transition, now time.Time) time.Time {
	if d := now.Sub(t.StartedAt); d < 0 || d > 30*24*time.Hour {
		return now
	}
	return t.StartedAt
}

// earlierTicket is the ticket of the last episode of the same condition.
func earlierTicket(tx *store.Tx, a model.Alert) (model.ID, error) {
	var ticket model.ID
	err := tx.QueryRow(`SELECT ticket_id FROM alert WHERE machine_id = $1 AND check_id = $2 AND instance = $3 AND thing = $4
		AND state = 'resolved' AND {wall} ORDER BY changed_at DESC LIMIT 1`, a.Machine, a.Check, a.Instance, a.Thing).Scan(&ticket)
	if errors.Is(err, store.ErrNotFound) {
		return model.ID{}, nil
	}
	return ticket, err
}

// storming tells whether so many machines have this check now that they are one
// ticket; it names what they share.
func storming(tx *store.Tx, a model.Alert, s model.Settings) (string, error) {
	var machines int
	err := tx.QueryRow(`SELECT count(DISTINCT machine_id) FROM alert WHERE organisation_id = $1 AND check_id = $2 AND state = 'firing'
		AND started_at > $3 AND machine_id <> $4 AND {wall}`,
		a.Organisation, a.Check, store.Micros(tx.Now().Add(-s.StormWindow)), a.Machine).Scan(&machines)
	if err != nil || machines+1 < s.StormMachines {
		return "", err
	}
	return a.Check, nil
}

// again is a firing alert that fires: worse, better, or told a second time.
func (h *Health) again(tx *store.Tx, a model.Alert, t model.Transition) error {
	was := a.Severity
	if err := a.Fire(severityOf(t.Severity), tx.Now()); err != nil {
		return err
	}
	a.Flapping, a.Episode = t.Flapping, t.Episode
	if err := tell(&a, t); err != nil {
		return err
	}
	if a.Severity != was && a.Ticket != (model.ID{}) {
		item := model.Item{Kind: model.ItemAlert, By: model.Actor{Kind: model.ByMachine, ID: a.Machine}, Text: a.Finding.EN,
			Reason: "severity", Data: alertData(a, "severity")}
		if err := desk.Said(tx, a.Ticket, item); err != nil {
			return err
		}
	}
	return write(tx, &a)
}

// resolve ends an alert, and its ticket when it was the last one of it.
func (h *Health) resolve(tx *store.Tx, a model.Alert, t model.Transition) error {
	machine, err := fleet.Get(tx, a.Machine)
	if err != nil {
		return err
	}
	why := model.EndCleared
	if machine.Revoked {
		why = model.EndExpelled
	}
	if err := a.Resolve(why, tx.Now()); err != nil {
		return err
	}
	if err := tellDone(&a, t); err != nil {
		return err
	}
	if err := write(tx, &a); err != nil {
		return err
	}
	if a.Ticket == (model.ID{}) {
		return nil
	}
	// Of two alerts of one ticket that resolve at once, one must see the other.
	// Both write into the ticket below, whatever they count: they collide there,
	// and one of them decides anew.
	var open int
	err = tx.QueryRow("SELECT count(*) FROM alert WHERE ticket_id = $1 AND open_key <> '' AND {wall}", a.Ticket).Scan(&open)
	if err != nil {
		return err
	}
	by := model.Actor{Kind: model.ByMachine, ID: a.Machine, Name: machine.Name}
	if why == model.EndExpelled {
		by = model.System
	}
	if open > 0 {
		return desk.Said(tx, a.Ticket, model.Item{Kind: model.ItemAlert, By: by,
			Text: a.Finding.EN, Reason: string(why), Data: alertData(a, string(why))})
	}
	if err := desk.ConditionEnded(tx, a.Ticket, a.ID, by, why, endedWords(a), a.Done); err != nil {
		return err
	}
	settings, err := fleet.Settings(tx, a.Organisation)
	if err != nil {
		return err
	}
	if settings.AutoResolveAfter > 0 {
		return tx.Due(KindSettled, a.Ticket, tx.Now().Add(settings.AutoResolveAfter))
	}
	return desk.Settle(tx, a.Ticket, why, endedWords(a), a.Done)
}

// Settled is the handler of KindSettled: what came back meanwhile settles when it
// is gone again.
func (h *Health) Settled(_ context.Context, tx *store.Tx, ticket model.ID) (time.Time, error) {
	list, err := query(tx, "a.ticket_id = $1", ticket)
	if err != nil || len(list) == 0 {
		return time.Time{}, err
	}
	last := list[0]
	for _, a := range list {
		if a.State != model.AlertResolved {
			return time.Time{}, nil
		}
		if a.ResolvedAt.After(last.ResolvedAt) {
			last = a
		}
	}
	return time.Time{}, desk.Settle(tx, ticket, last.End, endedWords(last), last.Done)
}

func alertData(a model.Alert, what string) []byte {
	raw, err := json.Marshal(map[string]any{"alert_id": a.ID, "severity": a.Severity, "title": a.Title,
		"finding": a.Finding, "plain": a.Plain, "machine_id": a.Machine, "what": what})
	if err != nil { // words and ids always encode
		return []byte("{}")
	}
	return raw
}

// refresh adds up what the alerts of a machine make of its health.
func refresh(tx *store.Tx, machine model.ID) error {
	var open, firing, critical int
	err := tx.QueryRow(`SELECT count(*), count(CASE WHEN state = 'firing' THEN 1 END),
		count(CASE WHEN state = 'firing' AND severity = 'critical' THEN 1 END)
		FROM alert WHERE `+openOfMachine, machine).Scan(&open, &firing, &critical)
	if err != nil {
		return fmt.Errorf("count the alerts of a machine: %w", err)
	}
	health := model.HealthOK
	switch {
	case critical > 0:
		health = model.HealthCritical
	case firing > 0:
		health = model.HealthWarning
	case open > 0:
		health = model.HealthUnknown
	}
	return fleet.SetHealth(tx, machine, health, open)
}

// Judged notes what the alerts of a machine cannot tell: that it cannot judge all of
// its checks.
func (h *Health) Judged(ctx context.Context, from model.From, blind bool) {
	err := h.store.Update(ctx, store.Machine(from.Organisation, from.Machine), func(tx *store.Tx) error {
		news, err := fleet.SetBlind(tx, from.Machine, blind)
		if err != nil || !news {
			return err
		}
		return refresh(tx, from.Machine)
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		h.log.Error("cannot write down how a machine is", "machine", from.Machine, "error", err)
	}
}

// Acknowledge says that somebody has seen an alert.
func (h *Health) Acknowledge(tx *store.Tx, id model.ID, version int64, who model.Actor, yes bool) (model.Alert, error) {
	a, err := Get(tx, id)
	if err != nil {
		return a, err
	}
	if a.Version != version {
		return a, store.ErrConflict
	}
	if err := a.Acknowledge(who, yes); err != nil {
		return a, err
	}
	if err := write(tx, &a); err != nil {
		return a, err
	}
	return a, tx.Audit(store.Entry{Organisation: a.Organisation, Action: "alert.acknowledge", Result: "done",
		Subjects: []store.Subject{{Kind: "alert", ID: a.ID}, {Kind: "machine", ID: a.Machine}}})
}
