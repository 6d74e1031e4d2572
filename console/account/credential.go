package account

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

// Kinds of credentials.
const (
	signIn = "sign_in"
	token  = "token"
	link   = "link"
	help   = "help"
	helpIn = "help_in"
)

// How long they live.
const (
	signInLife = 12 * time.Hour // and as long again with each day it is used
	tokenLife  = 90 * 24 * time.Hour
	linkLife   = 10 * time.Minute
	helpInLife = 14 * 24 * time.Hour
)

// TokenPrefix begins every API token, so that it is recognised where it does
// not belong.
const TokenPrefix = "dsk_"

func newSecret() string {
	b := make([]byte, 32)
	rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

func hashOf(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// credential is who a secret stands for.
type credential struct {
	id, organisation, person, machine model.ID
	machineName, personName, language string
	account                           string // at the machine
	expires                           time.Time
}

func insertCredential(tx *store.Tx, kind, secret string, c credential) error {
	id := model.NewID()
	_, err := tx.Exec(`INSERT INTO credential (id, organisation_id, kind, hash, person_id, machine_id, machine_name, person_name, account, language, created_at, expires_at, used_at, version)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, 1)`, id, c.organisation, kind, hashOf(secret), c.person,
		c.machine, c.machineName, c.personName, c.account, c.language, store.Micros(tx.Now()), store.Micros(c.expires))
	if err != nil {
		return fmt.Errorf("keep a %s: %w", kind, err)
	}
	if kind == signIn || kind == token {
		return tx.Due(KindExpires, id, c.expires)
	}
	return nil
}

// Expires is the handler of KindExpires: what was opened with a sign-in or a token
// ends with it. One that was used since lives on; one that was ended is gone.
func (a *Accounts) Expires(_ context.Context, tx *store.Tx, id model.ID) (time.Time, error) {
	var person model.ID
	var expires int64
	err := tx.QueryRow("SELECT person_id, expires_at FROM credential WHERE id = $1 AND {wall}", id).Scan(&person, &expires)
	if errors.Is(err, store.ErrNotFound) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("read a credential: %w", err)
	}
	if end := store.Time(expires); tx.Now().Before(end) {
		return end, nil
	}
	return time.Time{}, tx.Due(KindChanged, person, tx.Now())
}

// find is the living credential of a secret.
func find(tx *store.Tx, kind, secret string) (credential, error) {
	var c credential
	var expires int64
	err := tx.QueryRow(`SELECT id, organisation_id, person_id, machine_id, machine_name, person_name, account, language, expires_at FROM credential
		WHERE hash = $1 AND kind = $2 AND expires_at > $3 AND {wall}`, hashOf(secret), kind, store.Micros(tx.Now())).
		Scan(&c.id, &c.organisation, &c.person, &c.machine, &c.machineName, &c.personName, &c.account, &c.language, &expires)
	c.expires = store.Time(expires)
	return c, err
}

// spend uses a credential up. Of two who spend one at once, one wins: they
// collide at its row, and the other runs again and does not find it.
func spend(tx *store.Tx, kind, secret string) (credential, error) {
	c, err := find(tx, kind, secret)
	if err != nil {
		return c, err
	}
	_, err = tx.Exec("DELETE FROM credential WHERE id = $1 AND {wall}", c.id)
	return c, err
}

// begin begins a sign-in and returns the secret of its cookie.
func (a *Accounts) begin(ctx context.Context, p model.Person, address string) (string, error) {
	secret := newSecret()
	scope := store.Scope{Actor: store.Actor{Kind: "person", ID: p.ID, Name: p.Name, Address: address}, Organisations: []model.ID{p.Organisation}}
	err := a.store.Update(ctx, scope, func(tx *store.Tx) error {
		c := credential{organisation: p.Organisation, person: p.ID, expires: tx.Now().Add(signInLife)}
		if err := insertCredential(tx, signIn, secret, c); err != nil {
			return err
		}
		return tx.Audit(store.Entry{Organisation: p.Organisation, Action: "person.sign_in", Result: "done",
			Subjects: []store.Subject{{Kind: "person", ID: p.ID}}})
	})
	return secret, err
}

var errNobody = model.Problemf("sign_in", "", "Please sign in.")

// SignedIn is the person of a sign-in's cookie; using it keeps it alive.
func (a *Accounts) SignedIn(ctx context.Context, secret string) (model.Person, error) {
	p, c, err := a.holder(ctx, signIn, secret)
	if err == nil && time.Until(c.expires) < signInLife-time.Hour {
		err = a.store.Update(ctx, store.System("sign-in"), func(tx *store.Tx) error {
			_, err := tx.Exec("UPDATE credential SET expires_at = $1 WHERE id = $2 AND {wall}", store.Micros(tx.Now().Add(signInLife)), c.id)
			return err
		})
	}
	return p, err
}

// Bearer is the person of an API token.
func (a *Accounts) Bearer(ctx context.Context, secret string) (model.Person, error) {
	if !strings.HasPrefix(secret, TokenPrefix) {
		return model.Person{}, errNobody
	}
	p, _, err := a.holder(ctx, token, secret)
	return p, err
}

// Holder is the person of a cookie or an API token, for whoever was let in by it
// and is still there: looking does not keep a sign-in alive.
func (a *Accounts) Holder(ctx context.Context, secret string) (model.Person, error) {
	p, _, err := a.holder(ctx, kindOf(secret), secret)
	return p, err
}

// Credential is the id of the cookie or the API token that a person holds, by
// which what was opened with it is known.
func (a *Accounts) Credential(ctx context.Context, secret string) (model.ID, error) {
	_, c, err := a.holder(ctx, kindOf(secret), secret)
	return c.id, err
}

// Credentials are the ids of the living cookies and API tokens of a person.
func Credentials(tx *store.Tx, person model.ID) ([]model.ID, error) {
	list, err := store.CollectIDs(tx, "SELECT id FROM credential WHERE person_id = $1 AND kind IN ($2, $3) AND expires_at > $4 AND {wall}",
		person, signIn, token, store.Micros(tx.Now()))
	if err != nil {
		return nil, fmt.Errorf("read the sign-ins of a person: %w", err)
	}
	return list, nil
}

// Hold makes sure, until the transaction ends, that a person may do something and
// that the cookie or API token by which they do it is there. Of this and whatever
// takes one of them away one waits, or runs again and sees what the other did.
func Hold(tx *store.Tx, person, credential model.ID, right model.Right) error {
	if err := tx.Hold("person", person); err != nil {
		return fmt.Errorf("take hold of a person: %w", gone(err))
	}
	if err := tx.Hold("credential", credential); err != nil {
		return fmt.Errorf("take hold of a sign-in: %w", gone(err))
	}
	p, err := Person(tx, person)
	if err != nil {
		return err
	}
	if p.Disabled {
		return errNobody
	}
	if !p.May(right) {
		return model.Problemf(model.CodeRefused, "", "You may not do this any more.")
	}
	return nil
}

func gone(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return errNobody
	}
	return err
}

func kindOf(secret string) string {
	if strings.HasPrefix(secret, TokenPrefix) {
		return token
	}
	return signIn
}

func (a *Accounts) holder(ctx context.Context, kind, secret string) (p model.Person, c credential, err error) {
	err = a.store.View(ctx, store.System("sign-in"), func(tx *store.Tx) error {
		var err error
		if c, err = find(tx, kind, secret); err != nil {
			return err
		}
		p, err = Person(tx, c.person)
		return err
	})
	if errors.Is(err, store.ErrNotFound) || (err == nil && p.Disabled) {
		return p, c, errNobody
	}
	return p, c, err
}

// SignOut ends the sign-in of a cookie, and what was opened with it.
func (a *Accounts) SignOut(ctx context.Context, scope store.Scope, secret string) error {
	return a.store.Update(ctx, scope, func(tx *store.Tx) error {
		c, err := spend(tx, signIn, secret)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := tx.Due(KindChanged, c.person, tx.Now()); err != nil {
			return err
		}
		return tx.Audit(store.Entry{Organisation: c.organisation, Action: "person.sign_out", Result: "done",
			Subjects: []store.Subject{{Kind: "person", ID: c.person}}})
	})
}

// NewLink makes a link by which a person signs in once, within ten minutes.
func (a *Accounts) NewLink(ctx context.Context, scope store.Scope, p model.Person) (string, error) {
	secret := newSecret()
	err := a.store.Update(ctx, scope, func(tx *store.Tx) error {
		c := credential{organisation: p.Organisation, person: p.ID, expires: tx.Now().Add(linkLife)}
		if err := insertCredential(tx, link, secret, c); err != nil {
			return err
		}
		return tx.Audit(store.Entry{Organisation: p.Organisation, Action: "link.create", Result: "done",
			Subjects: []store.Subject{{Kind: "person", ID: p.ID}}})
	})
	return secret, err
}

var errLink = model.Problemf("link_invalid", "", "This link was used already, or it is older than ten minutes. Please ask for a new one.")

// FollowLink signs in by a link.
func (a *Accounts) FollowLink(ctx context.Context, secret, address string) (model.Person, string, error) {
	var p model.Person
	err := a.store.Update(ctx, store.System("sign-in"), func(tx *store.Tx) error {
		c, err := spend(tx, link, secret)
		if err != nil {
			return err
		}
		p, err = Person(tx, c.person)
		return err
	})
	if errors.Is(err, store.ErrNotFound) || (err == nil && p.Disabled) {
		return p, "", errLink
	}
	if err != nil {
		return p, "", err
	}
	cookie, err := a.begin(ctx, p, address)
	return p, cookie, err
}
