package account

import (
	"context"
	"fmt"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

// Kinds of due rows of people.
const (
	KindChanged = "account.changed" // for others: what a person, a token or a sign-in may do no longer ends where it is held
	KindExpires = "account.expires" // a sign-in or a token has come to its end
)

// Change is what somebody who manages people changes; a nil field stays.
type Change struct {
	Version  int64
	Role     *model.Role
	Disabled *bool
}

var errLastAdmin = model.Problemf(model.CodeState, "", "This is the last administrator. Make somebody else one first.")

// Change changes a person who still has the version that was seen. The sign-ins,
// links and tokens of a disabled person end with the change.
func (a *Accounts) Change(ctx context.Context, scope store.Scope, id model.ID, c Change) (model.Person, error) {
	var p model.Person
	err := a.store.Update(ctx, scope, func(tx *store.Tx) error {
		var err error
		if p, err = Person(tx, id); err != nil {
			return err
		}
		if p.Version != c.Version {
			return store.ErrConflict
		}
		was := p
		if c.Role != nil {
			if err := p.SetRole(*c.Role); err != nil {
				return err
			}
		}
		if c.Disabled != nil {
			p.Disabled = *c.Disabled
		}
		if administers(was) && !administers(p) {
			if err := another(tx, p); err != nil {
				return err
			}
		}
		return changed(tx, was, &p)
	})
	return p, err
}

func administers(p model.Person) bool { return p.Role == model.RoleAdmin && !p.Disabled }

// another makes sure that somebody else administers the organisation. Two who
// look at once collide at its row.
func another(tx *store.Tx, p model.Person) error {
	if _, err := tx.Bump("organisation", p.Organisation); err != nil {
		return fmt.Errorf("take hold of an organisation: %w", err)
	}
	var n int
	err := tx.QueryRow("SELECT count(*) FROM person WHERE organisation_id = $1 AND role = $2 AND disabled = $3 AND id <> $4 AND {wall}",
		p.Organisation, string(model.RoleAdmin), false, p.ID).Scan(&n)
	if err != nil {
		return fmt.Errorf("count administrators: %w", err)
	}
	if n == 0 {
		return errLastAdmin
	}
	return nil
}

// changed writes p, with what follows from the difference to what was.
func changed(tx *store.Tx, was model.Person, p *model.Person) error {
	_, err := tx.Exec("UPDATE person SET role = $1, disabled = $2, version = version + 1 WHERE id = $3 AND {wall}", string(p.Role), p.Disabled, p.ID)
	if err != nil {
		return fmt.Errorf("write a person: %w", err)
	}
	p.Version++
	if p.Disabled || was.Disabled { // enabled again, nothing from before works
		if _, err := tx.Exec("DELETE FROM credential WHERE person_id = $1 AND {wall}", p.ID); err != nil {
			return fmt.Errorf("end the sign-ins of a person: %w", err)
		}
	}
	if err := tx.Due(KindChanged, p.ID, tx.Now()); err != nil {
		return err
	}
	action := "person.change"
	switch {
	case p.Disabled && !was.Disabled:
		action = "person.disable"
	case was.Disabled && !p.Disabled:
		action = "person.enable"
	}
	return tx.Audit(store.Entry{Organisation: p.Organisation, Action: action, Result: "done",
		Subjects: []store.Subject{{Kind: "person", ID: p.ID}},
		Detail:   map[string]any{"role": string(p.Role), "was": string(was.Role)}})
}
