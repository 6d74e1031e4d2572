package health

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

const alertColumns = `a.id, a.organisation_id, a.machine_id, a.check_id, a.instance, a.thing, a.episode, a.state, a.severity,
	a.flapping, a.silenced, a.acked_by, a.acked_name, a.count, a.started_at, a.changed_at, a.resolved_at, a.said,
	a.evidence, a.ticket_id, a.version`

// said is what an alert tells and SQL never asks.
type said struct {
	Values  map[string]float64 `json:"values"`
	Texts   map[string]string  `json:"texts"`
	Title   model.Words        `json:"title"`
	Finding model.Words        `json:"finding"`
	Plain   model.Words        `json:"plain"`
	Done    model.Words        `json:"done"`
	Broken  string             `json:"broken"`
	End     model.AlertEnd     `json:"end"`
	Silent  bool               `json:"silent"`
	Zone    int                `json:"zone"`
}

func scanAlert(r *store.Rows) (model.Alert, error) { return scanWith(r) }

// scanWith reads the columns of an alert and whatever stands behind them.
func scanWith(r *store.Rows, more ...any) (model.Alert, error) {
	var a model.Alert
	var state, severity string
	var started, changed, resolved int64
	var raw []byte
	columns := []any{&a.ID, &a.Organisation, &a.Machine, &a.Check, &a.Instance, &a.Thing, &a.Episode, &state, &severity,
		&a.Flapping, &a.Silenced, &a.AckedBy, &a.AckedName, &a.Count, &started, &changed, &resolved, &raw,
		&a.Evidence, &a.Ticket, &a.Version}
	if err := r.Scan(append(columns, more...)...); err != nil {
		return a, err
	}
	var s said
	if err := json.Unmarshal(raw, &s); err != nil {
		return a, fmt.Errorf("read alert %s: %w", a.ID, err)
	}
	a.State, a.Severity = model.AlertState(state), model.Severity(severity)
	a.StartedAt, a.ChangedAt, a.ResolvedAt = store.Time(started), store.Time(changed), store.Time(resolved)
	a.Values, a.Texts, a.Title, a.Finding = s.Values, s.Texts, s.Title, s.Finding
	a.Plain, a.Done, a.Broken, a.End, a.Silent, a.Zone = s.Plain, s.Done, s.Broken, s.End, s.Silent, s.Zone
	return a, nil
}

// openKey is what there may be one open alert of.
func openKey(a *model.Alert) string {
	if !a.Open() {
		return ""
	}
	if a.Thing != "" {
		return "thing|" + a.Check + "|" + a.Thing
	}
	return a.Machine.String() + "|" + a.Check + "|" + a.Instance
}

// write inserts or updates an alert and raises its version.
func write(tx *store.Tx, a *model.Alert) error {
	raw, err := json.Marshal(said{a.Values, a.Texts, a.Title, a.Finding, a.Plain, a.Done, a.Broken, a.End, a.Silent, a.Zone})
	if err != nil {
		return fmt.Errorf("write an alert: %w", err)
	}
	if a.Evidence == nil {
		a.Evidence = []byte{}
	}
	a.Version++
	_, err = tx.Exec(`INSERT INTO alert (id, organisation_id, machine_id, check_id, instance, thing, open_key, episode, state,
		severity, flapping, silenced, acked_by, acked_name, count, started_at, changed_at, resolved_at, said, evidence, ticket_id, version)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)
		ON CONFLICT (id) DO UPDATE SET open_key = excluded.open_key, episode = excluded.episode, state = excluded.state,
		severity = excluded.severity, flapping = excluded.flapping, silenced = excluded.silenced, acked_by = excluded.acked_by,
		acked_name = excluded.acked_name, count = excluded.count, changed_at = excluded.changed_at, resolved_at = excluded.resolved_at,
		said = excluded.said, evidence = excluded.evidence, ticket_id = excluded.ticket_id, version = excluded.version`,
		a.ID, a.Organisation, a.Machine, a.Check, a.Instance, a.Thing, openKey(a), a.Episode, string(a.State),
		string(a.Severity), a.Flapping, a.Silenced, a.AckedBy, a.AckedName, int64(a.Count), store.Micros(a.StartedAt),
		store.Micros(a.ChangedAt), store.Micros(a.ResolvedAt), raw, a.Evidence, a.Ticket, a.Version)
	if err != nil {
		return fmt.Errorf("write an alert: %w", err)
	}
	tx.Changed(a.Organisation, ChangedAlert, a.ID)
	return nil
}

func query(tx *store.Tx, where string, args ...any) ([]model.Alert, error) {
	list, err := store.Collect(tx, scanAlert, "SELECT "+alertColumns+" FROM alert a WHERE "+where+" AND {wall a}", args...)
	if err != nil {
		return nil, fmt.Errorf("read alerts: %w", err)
	}
	return list, nil
}

// Conditions of what is open. Their indexes have open alerts only, and are not used
// where a statement does not say that it asks for no other.
const (
	openByKey     = "a.organisation_id = $1 AND a.open_key = $2 AND a.open_key <> ''"
	openOfMachine = "machine_id = $1 AND open_key <> '' AND {wall}"
)

// openOf is the open alert of a key.
func openOf(tx *store.Tx, organisation model.ID, key string) (model.Alert, bool, error) {
	list, err := query(tx, openByKey, organisation, key)
	if err != nil || len(list) == 0 {
		return model.Alert{}, false, err
	}
	return list[0], true, nil
}

// Get is the alert with the id, or a problem with the code not_found.
func Get(tx *store.Tx, id model.ID) (model.Alert, error) {
	list, err := query(tx, "a.id = $1", id)
	if err != nil {
		return model.Alert{}, err
	}
	if len(list) == 0 {
		return model.Alert{}, errors.Join(errNoAlert, store.ErrNotFound)
	}
	return list[0], nil
}

// ofTicket are the ids of the alerts that a ticket, named twice, is about: those
// that opened or joined it, and in one that a person opened those that were open
// then on its machines. The latter belong to a ticket of their own as well, and
// to that one alone when they resolve.
func ofTicket(one, two string) string {
	return `SELECT o.id FROM alert o WHERE o.ticket_id = ` + one + ` UNION
		SELECT n.id FROM ticket t JOIN ticket_machine m ON m.ticket_id = t.id
		JOIN alert n ON n.machine_id = m.machine_id AND n.organisation_id = t.organisation_id
		WHERE t.id = ` + two + ` AND t.source <> 'alert'
		AND n.started_at <= CASE WHEN m.added_at > t.created_at THEN m.added_at ELSE t.created_at END
		AND (n.state <> 'resolved' OR n.changed_at > t.created_at)`
}

// OfTicket are the alerts that a ticket is about, oldest first.
func OfTicket(tx *store.Tx, ticket model.ID) ([]model.Alert, error) {
	list, err := store.Collect(tx, scanAlert, "SELECT "+alertColumns+" FROM alert a WHERE a.id IN ("+ofTicket("$1", "$2")+
		") AND {wall a} ORDER BY a.started_at, a.id", ticket, ticket)
	if err != nil {
		return nil, fmt.Errorf("read the alerts of a ticket: %w", err)
	}
	return list, nil
}

// Query says which alerts a list shows; empty fields show all.
type Query struct {
	store.Request
	Machine, Ticket        model.ID
	State, Severity, Check string
	Open                   bool
}

// AlertOf is an alert with the name of its machine.
type AlertOf struct {
	model.Alert
	MachineName string
}

// List reads a page of alerts, the newest change first.
func List(tx *store.Tx, q Query) (store.Page[AlertOf], error) {
	l := store.List{
		Columns: alertColumns + ", m.name", From: "alert a JOIN machine m ON m.id = a.machine_id", Key: "a.id", Wall: "a",
		Sorts: map[string][]store.Order{
			"changed_at": {{Column: "a.changed_at", Kind: store.Int}},
			"started_at": {{Column: "a.started_at", Kind: store.Int}},
		},
		Sort: "-changed_at",
	}
	for _, f := range []struct {
		column, value string
	}{{"a.state", q.State}, {"a.severity", q.Severity}, {"a.check_id", q.Check}} {
		if f.value != "" {
			l.Where(f.column+" = ?", f.value)
		}
	}
	if q.Machine != (model.ID{}) {
		l.Where("a.machine_id = ?", q.Machine)
	}
	if q.Ticket != (model.ID{}) {
		l.Where("a.id IN ("+ofTicket("?", "?")+")", q.Ticket, q.Ticket)
	}
	if q.Open {
		l.Where("a.state <> 'resolved'")
	}
	return store.ReadPage(tx, &l, q.Request, scanNamed)
}

func scanNamed(r *store.Rows) (AlertOf, error) {
	var out AlertOf
	var err error
	out.Alert, err = scanWith(r, &out.MachineName)
	return out, err
}

// Worst are the worst open alerts of machines, one for each: critical before
// warning before unknown, and of equals the oldest.
func Worst(tx *store.Tx, machines []model.ID) (map[model.ID]model.Alert, error) {
	out := map[model.ID]model.Alert{}
	for _, id := range machines {
		list, err := store.Collect(tx, scanAlert, "SELECT "+alertColumns+` FROM alert a WHERE a.machine_id = $1 AND a.open_key <> '' AND {wall a}
			ORDER BY CASE WHEN a.state = 'unknown' THEN 2 WHEN a.severity = 'critical' THEN 0 ELSE 1 END, a.started_at LIMIT 1`, id)
		if err != nil {
			return nil, fmt.Errorf("read the worst alert of a machine: %w", err)
		}
		for _, a := range list {
			out[id] = a
		}
	}
	return out, nil
}
