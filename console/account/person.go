package account

import (
	"context"
	"errors"
	"fmt"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

const personColumns = "p.id, p.organisation_id, p.name, p.display, p.role, p.language, p.theme, p.disabled, p.created_at, p.version"

func scanPerson(r *store.Rows) (model.Person, error) { return scanWith(r) }

func scanWith(r *store.Rows, more ...any) (model.Person, error) {
	var p model.Person
	var role string
	var created int64
	columns := []any{&p.ID, &p.Organisation, &p.Name, &p.Display, &role, &p.Language, &p.Theme, &p.Disabled, &created, &p.Version}
	err := r.Scan(append(columns, more...)...)
	p.Role, p.CreatedAt = model.Role(role), store.Time(created)
	return p, err
}

// Add makes a person with a password; the password may be empty for somebody
// who signs in by links only.
func (a *Accounts) Add(ctx context.Context, scope store.Scope, organisation model.ID, name string, role model.Role, password string) (model.Person, error) {
	p := model.Person{Organisation: organisation, Name: name, Display: name, Role: role, Language: "en", Theme: "auto", Version: 1}
	if err := errors.Join(model.CheckName(name), model.CheckRole(role)); err != nil {
		return p, err
	}
	hashed := []byte{}
	if password != "" {
		if err := checkPassword(password); err != nil {
			return p, err
		}
		hashed = a.hash(password)
	}
	err := a.store.Update(ctx, scope, func(tx *store.Tx) error {
		p.ID, p.CreatedAt = model.NewID(), tx.Now()
		n, err := tx.Exec(`INSERT INTO person (id, organisation_id, name, name_fold, name_sort, display, role, language, theme, disabled, password, created_at, version)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1) ON CONFLICT (name_fold) DO NOTHING`,
			p.ID, organisation, p.Name, store.Fold(p.Name), store.SortKey(p.Name), p.Display, string(p.Role), p.Language, p.Theme,
			false, hashed, store.Micros(p.CreatedAt))
		if err != nil {
			return fmt.Errorf("add a person: %w", err)
		}
		if n == 0 {
			return model.Problemf(model.CodeConflict, "name", "There is somebody called %q already.", name)
		}
		tx.Changed(organisation, ChangedPerson, p.ID)
		return tx.Audit(store.Entry{Organisation: organisation, Action: "person.add", Result: "done",
			Subjects: []store.Subject{{Kind: "person", ID: p.ID}}, Detail: map[string]any{"role": string(role)}})
	})
	return p, err
}

var errNoPerson = model.Problemf(model.CodeNotFound, "", "There is no such person, or you may not see them.")

// Person is the person with the id, behind the wall of the transaction.
func Person(tx *store.Tx, id model.ID) (model.Person, error) {
	list, err := store.Collect(tx, scanPerson, "SELECT "+personColumns+" FROM person p WHERE p.id = $1 AND {wall p}", id)
	if err != nil {
		return model.Person{}, fmt.Errorf("read a person: %w", err)
	}
	if len(list) == 0 {
		return model.Person{}, errors.Join(errNoPerson, store.ErrNotFound)
	}
	return list[0], nil
}

// Named is the person with the name, behind the wall of the transaction.
func Named(tx *store.Tx, name string) (model.Person, error) {
	list, err := store.Collect(tx, scanPerson, "SELECT "+personColumns+" FROM person p WHERE p.name_fold = $1 AND {wall p}", store.Fold(name))
	if err != nil {
		return model.Person{}, fmt.Errorf("read a person: %w", err)
	}
	if len(list) == 0 {
		return model.Person{}, errors.Join(model.Problemf(model.CodeNotFound, "name", "There is nobody called %q.", name), store.ErrNotFound)
	}
	return list[0], nil
}

// Which says which people a list shows.
type Which string

const (
	Active   Which = "active"
	Disabled Which = "disabled"
	All      Which = "all"
)

// People lists people of the transaction's organisations whose name begins with
// a text, by name; an empty text lists all.
func People(tx *store.Tx, which Which, text string, r store.Request) (store.Page[model.Person], error) {
	l := store.List{Columns: personColumns, From: "person p", Key: "p.id", Wall: "p",
		Sorts: map[string][]store.Order{"name": {{Column: "p.name_sort", Kind: store.Bytes}}}, Sort: "name"}
	if which != All {
		l.Where("p.disabled = ?", which == Disabled)
	}
	if fold := store.Fold(text); fold != "" {
		// The fold holds no wildcard that a person could have typed: it is
		// compared as a range, from its beginning.
		l.Where("p.name_fold >= ? AND p.name_fold < ?", fold, fold+"\U0010FFFF")
	}
	return store.ReadPage(tx, &l, r, scanPerson)
}

// Prefer keeps a person's own choices; nil fields stay.
func (a *Accounts) Prefer(ctx context.Context, scope store.Scope, id model.ID, language, theme, display *string) (model.Person, error) {
	var p model.Person
	err := a.store.Update(ctx, scope, func(tx *store.Tx) error {
		var err error
		if p, err = Person(tx, id); err != nil {
			return err
		}
		if language != nil {
			if err := p.SetLanguage(*language); err != nil {
				return err
			}
		}
		if theme != nil {
			if err := p.SetTheme(*theme); err != nil {
				return err
			}
		}
		if display != nil {
			if err := model.CheckName(*display); err != nil {
				return err
			}
			p.Display = *display
		}
		_, err = tx.Exec("UPDATE person SET language = $1, theme = $2, display = $3, version = version + 1 WHERE id = $4 AND {wall}",
			p.Language, p.Theme, p.Display, id)
		if err != nil {
			return fmt.Errorf("keep a person's choices: %w", err)
		}
		tx.Changed(p.Organisation, ChangedPerson, id)
		return tx.Audit(store.Entry{Organisation: p.Organisation, Action: "person.prefer", Result: "done",
			Subjects: []store.Subject{{Kind: "person", ID: id}}})
	})
	return p, err
}
