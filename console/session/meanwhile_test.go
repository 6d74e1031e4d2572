package session

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/deskside/deskside/console/account"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

// TestTakenMeanwhile: a session that is opened in the moment in which its machine
// is expelled, its person disabled or no technician any more, or their token
// revoked is not there afterwards, whichever of the two began first.
func TestTakenMeanwhile(t *testing.T) {
	taking := map[string]func(*room) error{
		"the machine is expelled": func(r *room) error {
			_, err := r.fleet.Revoke(r.t.Context(), r.scope, r.machine.Machine.String(), nil)
			return errors.Join(err, r.EndMachine(r.t.Context(), r.scope, r.machine.Machine, "expelled"))
		},
		"the person is disabled": func(r *room) error {
			yes := true
			return r.change(account.Change{Disabled: &yes})
		},
		"the person is a viewer": func(r *room) error {
			role := model.RoleViewer
			return r.change(account.Change{Role: &role})
		},
		"the token is revoked": func(r *room) error {
			err := r.people.Revoke(r.t.Context(), r.scope, r.signIn, model.ID{})
			return errors.Join(err, r.EndAll(r.t.Context(), r.scope, r.scope.Actor.ID, []model.ID{}, "revoked"))
		},
	}
	for what, take := range taking {
		t.Run(what, func(t *testing.T) {
			each(t, func(t *testing.T, r *room) {
				for _, made := range []bool{false, true} {
					r.as("Ben " + map[bool]string{false: "before", true: "after"}[made]) // and a machine of his own
					r.enrol()
					err := r.meanwhile(made, func() error { return take(r) })
					left := r.living()
					if len(left) > 0 {
						t.Errorf("made before it was taken: %t: it is still %s, %v", made, left[0].State, err)
					}
					if !made && r.postgres() && err == nil {
						t.Error("what was taken before was held")
					}
				}
			})
		})
	}
}

func (r *room) postgres() bool { return r.store.Engine() == "postgres" }

// change changes who acts, and does what follows from it.
func (r *room) change(c account.Change) error {
	person := r.scope.Actor.ID
	c.Version = 1
	_, err := r.people.Change(r.t.Context(), r.scope, person, c)
	return errors.Join(err, r.EndAll(r.t.Context(), r.scope, person, nil, "changed"))
}

func (r *room) living() (rows []model.Session) {
	r.t.Helper()
	err := r.store.View(r.t.Context(), r.scope, func(tx *store.Tx) (err error) {
		rows, err = query(tx, living)
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return rows
}

// meanwhile makes a session in a transaction that has begun, and has made it or
// not yet, when take runs. SQLite lets one write after the other: there take waits
// for the end of the transaction. PostgreSQL does not, unless the two touch the same
// row; then take waits as well, or the transaction is run again.
func (r *room) meanwhile(made bool, take func() error) error {
	r.t.Helper()
	taken := make(chan error, 1)
	first := true
	err := r.store.Update(r.t.Context(), r.scope, func(tx *store.Tx) error {
		q := r.request()
		row := model.Session{Organisation: q.Organisation, Machine: q.Machine, Kind: q.Kind, State: model.SessionOpening,
			By: model.Actor{Kind: model.ByTechnician, ID: r.scope.Actor.ID}, Credential: q.Credential, Columns: q.Columns, Rows: q.Rows, Version: 1}
		if _, err := query(tx, living); err != nil { // from here on it sees what is now
			return err
		}
		if made {
			if err := create(tx, &row); err != nil {
				return err
			}
		}
		if first {
			first = false
			go func() { taken <- take() }()
			if r.postgres() {
				r.finishedOrWaits(taken)
			}
		}
		if made {
			return nil
		}
		return create(tx, &row)
	})
	if err := <-taken; err != nil {
		r.t.Error(err)
	}
	return err
}

// finishedOrWaits returns when something has come into taken, which stays there,
// or when a transaction of this database waits for another.
func (r *room) finishedOrWaits(taken chan error) {
	r.t.Helper()
	db, err := sql.Open("pgx", r.database.Database)
	if err != nil {
		r.t.Fatal(err)
	}
	defer db.Close()
	for waiting := 0; len(taken) == 0 && waiting == 0; {
		if err := db.QueryRowContext(context.WithoutCancel(r.t.Context()), `SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&waiting); err != nil {
			r.t.Fatal(err)
		}
	}
}
