package fleet

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

// Codes with which an enrolment is refused; they travel to the machine.
const (
	codeTokenWrong   = "token_wrong"
	codeTokenSpent   = "token_spent"
	codeTokenExpired = "token_expired"
)

// Enrolment is a token that lets machines in.
type Enrolment struct {
	ID        model.ID
	Secret    []byte // only here, at birth
	Uses      int
	ExpiresAt time.Time
}

// NewEnrolment makes a token for so many machines.
func (f *Fleet) NewEnrolment(ctx context.Context, scope store.Scope, organisation model.ID, uses int, life time.Duration) (Enrolment, error) {
	if uses < 1 || uses > 10_000 {
		return Enrolment{}, model.Problemf(model.CodeInvalid, "uses", "A token is for 1 to 10000 computers, not %d.", uses)
	}
	if life < time.Minute || life > 90*24*time.Hour {
		return Enrolment{}, model.Problemf(model.CodeInvalid, "expires_in_seconds", "A token lives 1 minute to 90 days, not %s.", life)
	}
	secret := make([]byte, 16)
	rand.Read(secret)
	e := Enrolment{ID: model.NewID(), Secret: secret, Uses: uses}
	err := f.store.Update(ctx, scope, func(tx *store.Tx) error {
		e.ExpiresAt = tx.Now().Add(life)
		_, err := tx.Exec(`INSERT INTO enrolment (id, organisation_id, secret_hash, uses, used, expires_at, created_at, created_by, version)
			VALUES ($1, $2, $3, $4, 0, $5, $6, $7, 1)`,
			e.ID, organisation, hashOf(secret), int64(uses), store.Micros(e.ExpiresAt), store.Micros(tx.Now()), scope.Actor.ID)
		if err != nil {
			return err
		}
		return tx.Audit(store.Entry{Organisation: organisation, Action: "enrolment.create", Result: "done",
			Subjects: []store.Subject{{Kind: "enrolment", ID: e.ID}}, Detail: map[string]any{"uses": uses}})
	})
	return e, err
}

func hashOf(secret []byte) []byte {
	sum := sha256.Sum256(secret)
	return sum[:]
}

// Enrol gives a newcomer a name. Counting the token and making the machine are
// one transaction, so a token for one lets in one.
func (f *Fleet) Enrol(ctx context.Context, n model.Newcomer) (model.Machine, error) {
	m := model.Machine{
		Organisation: n.Organisation, Name: nameOf(n.Name), Key: n.Key, OS: n.OS, AgentVersion: n.Agent,
		Reason: model.OfflineUnknown, Health: model.HealthUnknown, Version: 1,
	}
	scope := store.Scope{Actor: store.Actor{Kind: "machine", Name: m.Name, Address: n.Address}, Organisations: []model.ID{n.Organisation}}
	var theirs int // whether there is such an organisation
	err := f.store.Update(ctx, scope, func(tx *store.Tx) error {
		m.ID = model.NewID()
		if err := tx.QueryRow("SELECT count(*) FROM organisation WHERE id = $1", n.Organisation).Scan(&theirs); err != nil {
			return fmt.Errorf("look for the organisation of a machine: %w", err)
		}
		if err := useToken(tx, n.Secret); err != nil {
			return err
		}
		m.EnrolledAt, m.LastSeen, m.Since = tx.Now(), tx.Now(), tx.Now()
		if err := insertMachine(tx, m); err != nil {
			return err
		}
		tx.Changed(m.Organisation, ChangedMachine, m.ID)
		return tx.Audit(store.Entry{Organisation: m.Organisation, Action: "machine.enrol", Result: "done",
			Subjects: []store.Subject{{Kind: "machine", ID: m.ID}}})
	})
	var problem *model.Problem
	if errors.As(err, &problem) && theirs > 0 {
		f.auditRefusal(ctx, scope, n.Organisation, problem)
	}
	if err != nil {
		return model.Machine{}, fmt.Errorf("enrol a machine: %w", err)
	}
	return m, nil
}

func useToken(tx *store.Tx, secret []byte) error {
	var id model.ID
	var uses, used, expires int64
	err := tx.QueryRow("SELECT id, uses, used, expires_at FROM enrolment WHERE secret_hash = $1 AND {wall}", hashOf(secret)).
		Scan(&id, &uses, &used, &expires)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return model.Problemf(codeTokenWrong, "", "This enrolment token is not one of this console's. Ask for a new one.")
	case err != nil:
		return err
	case used >= uses:
		return model.Problemf(codeTokenSpent, "", "This enrolment token has been used up. Ask for a new one.")
	case store.Micros(tx.Now()) >= expires:
		return model.Problemf(codeTokenExpired, "", "This enrolment token expired at %s. Ask for a new one.",
			store.Time(expires).Format(time.RFC3339))
	}
	_, err = tx.Exec("UPDATE enrolment SET used = used + 1, version = version + 1 WHERE id = $1 AND {wall}", id)
	return err
}

// nameOf makes what a machine calls itself into a name that can be shown.
func nameOf(name string) string {
	name = strings.Join(strings.Fields(name), " ")
	if name == "" {
		return "unnamed"
	}
	if r := []rune(name); len(r) > 64 {
		return string(r[:64])
	}
	return name
}
