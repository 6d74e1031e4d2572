// Package account knows organisations, people and their rights, and how they
// prove who they are: a password, a link for one use, an API token, the cookie
// of a sign-in. The person at a machine proves it by a link that their own
// machine asked for, and gets a sign-in to the help page and nothing else.
//
// Every secret is 32 random bytes kept as a hash, but passwords: those are
// argon2id with 19 MiB and two passes, one at a time, so that a crowd at the
// door cannot take the memory of the console. Wrong names cost as much as wrong
// passwords. Failures are counted by name and address together, where an IPv6
// network of 64 bits is one address: nobody can lock somebody else out from afar.
// A name at which many have guessed from many addresses answers strangers later,
// and its person at once where they have signed in before. Who waits for a password
// to be hashed stands in a short queue, with few places for each address: a flood
// from one of them is turned away and delays the others by those places only.
package account

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

// ChangedPerson is the kind of change that pages hear of.
const ChangedPerson = "person"

// KindAge is the due row that forgets expired credentials.
const KindAge = "account.age"

// Accounts are the people of all organisations.
type Accounts struct {
	store *store.Store
	log   *slog.Logger

	hashing chan struct{} // one password at a time
	queue   queue         // of sign-ins that wait for it
	guard   guard
}

// New makes an Accounts.
func New(s *store.Store, log *slog.Logger) *Accounts {
	return &Accounts{store: s, log: log, hashing: make(chan struct{}, 1), queue: queue{from: map[string]int{}}, guard: newGuard()}
}

// DefaultName is the name of the first organisation.
const DefaultName = "Deskside"

// Default is the organisation of a console that has one; it makes it when there
// is none.
func (a *Accounts) Default(ctx context.Context) (model.Organisation, error) {
	var o model.Organisation
	err := a.store.Update(ctx, store.System("set-up"), func(tx *store.Tx) error {
		err := tx.QueryRow("SELECT id, name FROM organisation ORDER BY created_at, id LIMIT 1").Scan(&o.ID, &o.Name)
		if err == nil || !errors.Is(err, store.ErrNotFound) {
			return err
		}
		o = model.Organisation{ID: model.NewID(), Name: DefaultName}
		return insertOrganisation(tx, o)
	})
	return o, err
}

// NewOrganisation makes another organisation.
func (a *Accounts) NewOrganisation(ctx context.Context, name string) (model.Organisation, error) {
	o := model.Organisation{Name: name}
	err := a.store.Update(ctx, store.System("set-up"), func(tx *store.Tx) error {
		o.ID = model.NewID()
		return insertOrganisation(tx, o)
	})
	return o, err
}

func insertOrganisation(tx *store.Tx, o model.Organisation) error {
	_, err := tx.Exec("INSERT INTO organisation (id, name, created_at, version) VALUES ($1, $2, $3, 1)", o.ID, o.Name, store.Micros(tx.Now()))
	if err != nil {
		return fmt.Errorf("make an organisation: %w", err)
	}
	return nil
}

// OrganisationName is the name of an organisation.
func OrganisationName(tx *store.Tx, id model.ID) (string, error) {
	var name string
	err := tx.QueryRow("SELECT name FROM organisation WHERE id = $1", id).Scan(&name)
	return name, err
}

// Age is the handler of KindAge.
func (a *Accounts) Age(_ context.Context, tx *store.Tx, _ model.ID) (time.Time, error) {
	_, err := tx.Exec("DELETE FROM credential WHERE expires_at < $1 AND {wall}", store.Micros(tx.Now().Add(-24*time.Hour)))
	if err != nil {
		return time.Time{}, fmt.Errorf("forget expired credentials: %w", err)
	}
	return tx.Now().Add(time.Hour), nil
}
