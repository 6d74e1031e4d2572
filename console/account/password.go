package account

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

const (
	minPassword = 10
	maxPassword = 256

	argonTime   = 2
	argonMemory = 19 << 10 // KiB
	argonKey    = 32
	saltBytes   = 16
)

func checkPassword(p string) error {
	if len([]rune(p)) < minPassword || len(p) > maxPassword {
		return model.Problemf(model.CodeInvalid, "password", "A password has %d characters or more, and at most %d bytes.", minPassword, maxPassword)
	}
	return nil
}

// hash is version 1, costs, salt, key.
func (a *Accounts) hash(password string) []byte {
	salt := make([]byte, saltBytes)
	rand.Read(salt)
	out := []byte{1}
	out = binary.BigEndian.AppendUint32(out, argonTime)
	out = binary.BigEndian.AppendUint32(out, argonMemory)
	out = append(out, salt...)
	return append(out, a.key(password, salt, argonTime, argonMemory)...)
}

func (a *Accounts) key(password string, salt []byte, time, memory uint32) []byte {
	a.hashing <- struct{}{}
	defer func() { <-a.hashing }()
	return argon2.IDKey([]byte(password), salt, time, memory, 1, argonKey)
}

const hashBytes = 1 + 4 + 4 + saltBytes + argonKey

// matches costs the same for a hash that is not there.
func (a *Accounts) matches(hash []byte, password string) bool {
	known := len(hash) == hashBytes && hash[0] == 1
	if !known {
		hash = make([]byte, hashBytes)
		binary.BigEndian.PutUint32(hash[1:], argonTime)
		binary.BigEndian.PutUint32(hash[5:], argonMemory)
	}
	time, memory := binary.BigEndian.Uint32(hash[1:]), binary.BigEndian.Uint32(hash[5:])
	got := a.key(password, hash[9:9+saltBytes], time, memory)
	return subtle.ConstantTimeCompare(got, hash[9+saltBytes:]) == 1 && known
}

var (
	errSignIn = model.Problemf("sign_in_failed", "", "The name or the password is not right.")
	errBusy   = model.Problemf("too_many", "", "Too many sign-ins at this moment. Please try again in a few seconds.")
	errSlow   = model.Problemf("too_many", "", "Too many attempts. Please wait a minute and try again.")
)

// SignIn checks a name and a password and begins a sign-in.
func (a *Accounts) SignIn(ctx context.Context, name, password, address string) (model.Person, string, error) {
	who := caller{store.Fold(name), model.Neighbourhood(address)}
	if err := a.guard.wait(ctx, who); err != nil {
		return model.Person{}, "", err
	}
	leave, err := a.queue.enter(who.neighbourhood)
	if err != nil {
		return model.Person{}, "", err
	}
	defer leave()
	if err := a.guard.attempt(who, time.Now()); err != nil {
		return model.Person{}, "", err
	}
	var p model.Person
	var hash []byte
	found := false
	if len(password) <= maxPassword && len(name) <= 64 {
		err := a.store.View(ctx, store.System("sign-in"), func(tx *store.Tx) error {
			rows, err := store.Collect(tx, func(r *store.Rows) (model.Person, error) { return scanWith(r, &hash) },
				"SELECT "+personColumns+", p.password FROM person p WHERE p.name_fold = $1 AND {wall p}", store.Fold(name))
			if len(rows) > 0 {
				p, found = rows[0], true
			}
			return err
		})
		if err != nil {
			return p, "", err
		}
	}
	ok := a.matches(hash, password) && found && !p.Disabled
	if !ok {
		a.guard.failed(who, time.Now())
		return model.Person{}, "", errors.Join(errSignIn, a.auditFailure(ctx, p, address))
	}
	a.guard.succeeded(who, time.Now())
	secret, err := a.begin(ctx, p, address)
	return p, secret, err
}

// auditFailure writes a failed sign-in of somebody who exists into their
// organisation's audit.
func (a *Accounts) auditFailure(ctx context.Context, p model.Person, address string) error {
	if p.ID == (model.ID{}) {
		return nil
	}
	scope := store.Scope{Actor: store.Actor{Kind: "person", ID: p.ID, Name: p.Name, Address: address}, Organisations: []model.ID{p.Organisation}}
	return a.store.Update(ctx, scope, func(tx *store.Tx) error {
		return tx.Audit(store.Entry{Organisation: p.Organisation, Action: "person.sign_in", Result: "refused",
			Subjects: []store.Subject{{Kind: "person", ID: p.ID}}})
	})
}
