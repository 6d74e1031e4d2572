package store_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/console/store/storetest"
	"github.com/google/uuid"
)

func TestWall(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a, b, c := uuid.New(), uuid.New(), uuid.New()
		for _, organisation := range []uuid.UUID{a, b, c} {
			update(t, s, func(tx *store.Tx) error { return tx.SetSetting(organisation, "k", 0, organisation[:]) })
		}
		both := store.Scope{Organisations: []uuid.UUID{a, b}}

		// How many rows each scope sees, with and without an alias, and among other parameters.
		for _, c := range []struct {
			name  string
			scope store.Scope
			want  int
		}{
			{"nobody", store.Scope{}, 0},
			{"one", system.Within(a), 1},
			{"two", both, 2},
			{"everywhere", system, 3},
		} {
			for _, query := range []string{
				"SELECT count(*) FROM setting WHERE key = $1 AND {wall} AND version = $2",
				"SELECT count(*) FROM setting s WHERE {wall s} AND s.key = $1 AND s.version = $2",
				"SELECT count(*) FROM setting s JOIN setting o ON o.organisation_id = s.organisation_id WHERE {wall s} AND {wall o} AND s.key = $1 AND o.version = $2",
			} {
				if err := s.View(t.Context(), c.scope, func(tx *store.Tx) error {
					var n int
					if err := tx.QueryRow(query, "k", 1).Scan(&n); err != nil {
						return err
					}
					if n != c.want {
						t.Errorf("%s sees %d rows, want %d (%s)", c.name, n, c.want, query)
					}
					return nil
				}); err != nil {
					t.Errorf("%s: %v (%s)", c.name, err, query)
				}
			}
		}

		// Forgetting is refused before the database hears of it.
		for _, query := range []string{
			"SELECT count(*) FROM setting",
			"SELECT count(*) FROM due d LEFT JOIN setting s ON s.version = d.tries",
			"UPDATE setting SET version = 7",
			"DELETE FROM setting",
			"INSERT INTO setting (organisation_id, key, value, version) SELECT organisation_id, 'x', value, 1 FROM setting",
		} {
			err := s.Update(t.Context(), system.Within(a), func(tx *store.Tx) error { _, err := tx.Exec(query); return err })
			if err == nil || !strings.Contains(err.Error(), "setting") || !strings.Contains(err.Error(), "store:") {
				t.Errorf("%s: %v", query, err)
			}
		}
		insert := func(organisation uuid.UUID) error {
			return s.Update(t.Context(), system.Within(a), func(tx *store.Tx) error {
				_, err := tx.Exec("INSERT INTO setting (organisation_id, key, value, version) VALUES ($1, 'y', $2, 1)", organisation, []byte("1"))
				return err
			})
		}
		if err := insert(b); err == nil {
			t.Error("a row was put into another organisation")
		}
		if err := insert(a); err != nil {
			t.Error(err)
		}

		// A write behind the wall does not reach the others.
		if err := s.Update(t.Context(), both, func(tx *store.Tx) error {
			n, err := tx.Exec("UPDATE setting SET version = version + 1 WHERE key = $1 AND {wall}", "k")
			if n != 2 {
				t.Errorf("%d rows changed, want 2", n)
			}
			return err
		}); err != nil {
			t.Error(err)
		}

		// The store's own calls keep to it too.
		blob := uuid.New()
		if err := s.Update(t.Context(), system.Within(a), func(tx *store.Tx) error { _, err := tx.AppendBlob(a, blob, []byte("x")); return err }); err != nil {
			t.Error(err)
		}
		if _, err := s.OpenBlob(t.Context(), system.Within(b), blob); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("another organisation's blob: %v", err)
		}
		if err := s.Update(t.Context(), system.Within(b), func(tx *store.Tx) error {
			_, err := tx.AppendBlob(a, uuid.New(), []byte("x"))
			return err
		}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a blob for another organisation: %v", err)
		}
		if err := s.Update(t.Context(), system.Within(b), func(tx *store.Tx) error { return tx.DeleteBlob(blob) }); err != nil {
			t.Error(err)
		}
		if _, err := s.OpenBlob(t.Context(), system.Within(a), blob); err != nil {
			t.Errorf("deleted from beyond the wall: %v", err)
		}
		if err := s.Update(t.Context(), system.Within(b), func(tx *store.Tx) error {
			return tx.Audit(store.Entry{Organisation: a, Action: "x"})
		}); err == nil {
			t.Error("an audit row for another organisation")
		}
	})
}
