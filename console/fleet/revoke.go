package fleet

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

// codeRevoked travels to the machine.
const codeRevoked = "revoked"

var errRevoked = model.Problemf(codeRevoked, "", "This computer was taken off the console.")

// Revoke expels the machine with an id or a name: its key is refused from now on.
// Its line, its sessions and its runs end by a row of [KindRevoked]. To expel one
// twice changes nothing. seen is the version at which somebody decided it, or nil:
// one that is another by now is store.ErrConflict.
func (f *Fleet) Revoke(ctx context.Context, scope store.Scope, word string, seen *int64) (model.Machine, error) {
	var m model.Machine
	err := f.store.Update(ctx, scope, func(tx *store.Tx) error {
		var err error
		if m, err = find(tx, word); err != nil || m.Revoked {
			return err
		}
		if seen != nil && *seen != m.Version {
			return store.ErrConflict
		}
		was := m
		m.Revoked = true
		if m.Online {
			m.Disconnected(m.Node, m.Since, model.OfflineUnknown, tx.Now())
		}
		if err := updateMachine(tx, was, m); err != nil {
			return err
		}
		if err := errors.Join(tx.NotDue(KindLost, m.ID), tx.NotDue(KindOrphan, m.ID)); err != nil {
			return err
		}
		for _, kind := range []string{KindGone, KindRevoked} {
			if err := tx.Due(kind, m.ID, tx.Now()); err != nil {
				return err
			}
		}
		if err := tx.Due(KindRegroup, m.ID, tx.Now().Add(leftFor)); err != nil {
			return err
		}
		tx.Changed(m.Organisation, ChangedMachine, m.ID)
		return tx.Audit(store.Entry{Organisation: m.Organisation, Action: "machine.revoke", Result: "done",
			Subjects: []store.Subject{{Kind: "machine", ID: m.ID}}})
	})
	return m, err
}

// Acting is the machine with the id for who acts on it, held until the transaction
// ends: of that and its expulsion one waits, or runs again and sees what the other
// did. One that was expelled is a problem.
func Acting(tx *store.Tx, id model.ID) (model.Machine, error) {
	if err := tx.Hold("machine", id); err != nil && !errors.Is(err, store.ErrNotFound) {
		return model.Machine{}, fmt.Errorf("take hold of a machine: %w", err)
	}
	m, err := get(tx, id)
	if err == nil && m.Revoked {
		err = expelled(m)
	}
	return m, err
}

func expelled(m model.Machine) error {
	return model.Problemf(model.CodeState, "machine_id", "%s was taken off the console.", m.Name)
}

// find is the machine with an id, or the one with a name that is not expelled.
func find(tx *store.Tx, word string) (model.Machine, error) {
	if id, err := uuid.Parse(word); err == nil {
		return get(tx, id)
	}
	list, err := store.Collect(tx, scanMachine, "SELECT "+machineColumns+` FROM machine m
		WHERE m.name_fold = $1 AND m.revoked = $2 AND {wall m} LIMIT 2`, store.Fold(word), false)
	if err != nil {
		return model.Machine{}, fmt.Errorf("find a machine by its name: %w", err)
	}
	switch len(list) {
	case 0:
		return model.Machine{}, errNoMachine
	case 1:
		return list[0], nil
	}
	return model.Machine{}, model.Problemf(model.CodeConflict, "name", "More than one computer is called %q; give its id.", word)
}
