package health

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/deskside/deskside/console/fleet"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/protocol/catalogue"
)

// Set is the resolved set of an organisation: the catalogue with what the
// organisation changed laid over it.
func Set(tx *store.Tx, organisation model.ID) (catalogue.Set, error) {
	l, err := layer(tx, organisation)
	if err != nil {
		return catalogue.Set{}, err
	}
	return l.resolve()
}

// changes are what an organisation changed in the checks, as kept.
type changes struct {
	overrides [][]byte
	watched   []string
	left      []string // names of services that no check can take, kept before they were refused: nobody watches them
}

func layer(tx *store.Tx, organisation model.ID) (changes, error) {
	overrides, err := store.Collect(tx, func(r *store.Rows) (raw []byte, err error) { return raw, r.Scan(&raw) },
		"SELECT value FROM check_override WHERE organisation_id = $1 AND {wall} ORDER BY check_id", organisation)
	if err != nil {
		return changes{}, fmt.Errorf("read what was changed in the checks: %w", err)
	}
	settings, err := fleet.Settings(tx, organisation)
	l := changes{overrides: overrides}
	if settings.Watched != nil {
		l.watched = []string{} // none, which is not to say nothing
	}
	for _, name := range settings.Watched {
		if catalogue.CheckService(name) == nil {
			l.watched = append(l.watched, name)
		} else {
			l.left = append(l.left, name)
		}
	}
	return l, err
}

func (c changes) resolve() (catalogue.Set, error) {
	overrides := make([]catalogue.Override, len(c.overrides))
	for i, raw := range c.overrides {
		if err := json.Unmarshal(raw, &overrides[i]); err != nil {
			return catalogue.Set{}, fmt.Errorf("read what was changed in the checks: %w", err)
		}
	}
	return catalogue.Resolve(catalogue.Builtin(), catalogue.Layer{Overrides: overrides, Watched: c.watched})
}

// same tells whether nothing is different.
func (c changes) same(o changes) bool {
	return slices.EqualFunc(c.overrides, o.overrides, bytes.Equal) && slices.Equal(c.watched, o.watched) && slices.Equal(c.left, o.left)
}

// resolved is the set that follows from changes, as it goes to machines. Each
// machine that has work is asked whether it has the newest, so it is made once.
type resolved struct {
	changes
	hash, raw []byte
}

func (h *Health) encoded(tx *store.Tx, organisation model.ID) (resolved, error) {
	l, err := layer(tx, organisation)
	if err != nil {
		return resolved{}, err
	}
	if known, ok := h.sets.Load(organisation); ok && known.(resolved).same(l) {
		return known.(resolved), nil
	}
	set, err := l.resolve()
	if err != nil {
		return resolved{}, err
	}
	if len(l.left) > 0 {
		h.log.Warn("services are not watched: their names cannot be those of services", "organisation", organisation, "services", l.left)
	}
	hash := set.Hash()
	r := resolved{l, hash[:], set.Encode()}
	h.sets.Store(organisation, r)
	return r, nil
}

// PendingSet is the check set of a machine, when it has another one.
func (h *Health) PendingSet(tx *store.Tx, from model.From) ([]model.Act, error) {
	set, err := h.encoded(tx, from.Organisation)
	if err != nil {
		return nil, err
	}
	var has []byte
	if err := tx.QueryRow("SELECT checks_hash FROM machine WHERE id = $1 AND {wall}", from.Machine).Scan(&has); err != nil {
		return nil, err
	}
	if bytes.Equal(has, set.hash) {
		return nil, nil
	}
	return []model.Act{{ID: model.NewID(), Machine: from, Expires: tx.Now().Add(time.Hour), Body: &model.CheckSet{Hash: set.hash, Set: set.raw}}}, nil
}

// Waiting are the machines that a node holds, or those among them, which have another
// check set than the newest of their organisation.
func (h *Health) Waiting(tx *store.Tx, node model.ID, among []model.ID) ([]model.ID, error) {
	return fleet.Behind(tx, node, among, fleet.ChecksHash, func(organisation model.ID) ([]byte, error) {
		set, err := h.encoded(tx, organisation)
		return set.hash, err
	})
}

// SetSent writes down which set a machine was told.
func (h *Health) SetSent(ctx context.Context, a model.Act) {
	set, ok := a.Body.(*model.CheckSet)
	if !ok {
		return
	}
	scope := store.Machine(a.Machine.Organisation, a.Machine.Machine)
	err := h.store.Update(ctx, scope, func(tx *store.Tx) error {
		_, err := tx.Exec("UPDATE machine SET checks_hash = $1 WHERE id = $2 AND {wall}", set.Hash, a.Machine.Machine)
		return err
	})
	if err != nil {
		h.log.Error("cannot write down which checks a machine has", "machine", a.Machine.Machine, "error", err)
	}
}

// CheckOf is a check as an organisation has it.
type CheckOf struct {
	catalogue.Check
	Watched []string // services, for the check that watches them
	Version int64    // of the override; 0 when nothing was changed
}

// Checks lists the checks of an organisation.
func Checks(tx *store.Tx, organisation model.ID) ([]CheckOf, error) {
	set, err := Set(tx, organisation)
	if err != nil {
		return nil, err
	}
	versions := map[string]int64{}
	rows, err := tx.Query("SELECT check_id, version FROM check_override WHERE organisation_id = $1 AND {wall}", organisation)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var version int64
		if err := rows.Scan(&id, &version); err != nil {
			return nil, err
		}
		versions[id] = version
	}
	out := make([]CheckOf, 0, len(set.Checks))
	for _, c := range set.Checks {
		out = append(out, CheckOf{Check: c, Watched: set.Watched, Version: versions[c.ID]})
	}
	return out, rows.Err()
}

// Resolved is one check of an organisation, or a problem with the code
// not_found.
func Resolved(tx *store.Tx, organisation model.ID, id string) (CheckOf, error) {
	list, err := Checks(tx, organisation)
	if err != nil {
		return CheckOf{}, err
	}
	for _, c := range list {
		if c.ID == id {
			return c, nil
		}
	}
	return CheckOf{}, errors.Join(model.Problemf(model.CodeNotFound, "", "There is no check %q.", id), store.ErrNotFound)
}

// Override changes a check for an organisation, in place of the version that
// was read; fields that are nil stay as they were.
func (h *Health) Override(tx *store.Tx, organisation model.ID, version int64, o catalogue.Override) (CheckOf, error) {
	now, err := Resolved(tx, organisation, o.Check)
	if err != nil {
		return now, err
	}
	if now.Version != version {
		return now, store.ErrConflict
	}
	merged := o
	var raw []byte
	err = tx.QueryRow("SELECT value FROM check_override WHERE organisation_id = $1 AND check_id = $2 AND {wall}", organisation, o.Check).Scan(&raw)
	if err == nil {
		var old catalogue.Override
		if err := json.Unmarshal(raw, &old); err != nil {
			return now, fmt.Errorf("read what was changed in a check: %w", err)
		}
		merged = merge(old, o)
	} else if !errors.Is(err, store.ErrNotFound) {
		return now, err
	}
	if raw, err = json.Marshal(merged); err != nil {
		return now, err
	}
	_, err = tx.Exec(`INSERT INTO check_override (organisation_id, check_id, value, version) VALUES ($1, $2, $3, $4)
		ON CONFLICT (organisation_id, check_id) DO UPDATE SET value = excluded.value, version = excluded.version`,
		organisation, o.Check, raw, version+1)
	if err != nil {
		return now, fmt.Errorf("keep a change of a check: %w", err)
	}
	changed, err := Resolved(tx, organisation, o.Check)
	if err != nil {
		return now, err
	}
	tx.Changed(organisation, ChangedCheck, organisation)
	return changed, tx.Audit(store.Entry{Organisation: organisation, Action: "check.change", Result: "done",
		Detail: map[string]any{"check": o.Check}})
}

// merge lays new over old.
func merge(old, o catalogue.Override) catalogue.Override {
	pick(&old.Warning, o.Warning)
	pick(&old.Critical, o.Critical)
	pick(&old.Clear, o.Clear)
	pick(&old.For, o.For)
	pick(&old.KeepFiringFor, o.KeepFiringFor)
	pick(&old.Interval, o.Interval)
	pick(&old.Enabled, o.Enabled)
	return old
}

func pick[T any](into **T, value *T) {
	if value != nil {
		*into = value
	}
}
