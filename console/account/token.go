package account

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

// NewToken makes an API token for a person; it is shown once, has the rights of
// its owner, and dies with the account.
func (a *Accounts) NewToken(ctx context.Context, scope store.Scope, p model.Person) (string, error) {
	secret := TokenPrefix + newSecret()
	err := a.store.Update(ctx, scope, func(tx *store.Tx) error {
		c := credential{organisation: p.Organisation, person: p.ID, expires: tx.Now().Add(tokenLife)}
		if err := insertCredential(tx, token, secret, c); err != nil {
			return err
		}
		return tx.Audit(store.Entry{Organisation: p.Organisation, Action: "token.create", Result: "done",
			Subjects: []store.Subject{{Kind: "person", ID: p.ID}}})
	})
	return secret, err
}

// Token is an API token without its secret, which nobody can tell any more.
type Token struct {
	ID        model.ID
	Person    model.ID
	Name      string // the person's, as it is shown
	CreatedAt time.Time
	ExpiresAt time.Time
}

// Tokens lists the living API tokens of a person, or of everybody for the zero
// id, the newest first.
func Tokens(tx *store.Tx, person model.ID, r store.Request) (store.Page[Token], error) {
	l := store.List{Columns: "c.id, c.person_id, p.display, c.created_at, c.expires_at",
		From: "credential c JOIN person p ON p.id = c.person_id", Key: "c.id", Wall: "c",
		Sorts: map[string][]store.Order{"created_at": {{Column: "c.created_at", Kind: store.Int}}}, Sort: "-created_at"}
	l.Where("c.kind = ?", token)
	l.Where("c.expires_at > ?", store.Micros(tx.Now()))
	if person != (model.ID{}) {
		l.Where("c.person_id = ?", person)
	}
	return store.ReadPage(tx, &l, r, func(rows *store.Rows) (Token, error) {
		var t Token
		var created, expires int64
		err := rows.Scan(&t.ID, &t.Person, &t.Name, &created, &expires)
		t.CreatedAt, t.ExpiresAt = store.Time(created), store.Time(expires)
		return t, err
	})
}

var errNoToken = model.Problemf(model.CodeNotFound, "", "There is no such token, or you may not see it.")

// Revoke ends an API token, and what was opened with it. With a person it must
// be theirs; the zero id is for who manages people.
func (a *Accounts) Revoke(ctx context.Context, scope store.Scope, id, person model.ID) error {
	return a.store.Update(ctx, scope, func(tx *store.Tx) error {
		var organisation, owner model.ID
		err := tx.QueryRow("SELECT organisation_id, person_id FROM credential WHERE id = $1 AND kind = $2 AND {wall}", id, token).Scan(&organisation, &owner)
		if errors.Is(err, store.ErrNotFound) || (err == nil && person != (model.ID{}) && owner != person) {
			return errNoToken
		}
		if err != nil {
			return fmt.Errorf("read a token: %w", err)
		}
		if _, err := tx.Exec("DELETE FROM credential WHERE id = $1 AND {wall}", id); err != nil {
			return fmt.Errorf("end a token: %w", err)
		}
		if err := tx.Due(KindChanged, owner, tx.Now()); err != nil {
			return err
		}
		return tx.Audit(store.Entry{Organisation: organisation, Action: "token.revoke", Result: "done",
			Subjects: []store.Subject{{Kind: "token", ID: id}, {Kind: "person", ID: owner}}})
	})
}
