package store_test

import (
	"errors"
	"testing"

	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/console/store/storetest"
	"github.com/google/uuid"
)

func TestSmoke(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		org := uuid.New()
		err := s.Update(t.Context(), store.System("x").Within(org), func(tx *store.Tx) error {
			_, err := tx.Exec("INSERT INTO setting (organisation_id, key, value, version) VALUES ($1, $2, $3, $4)", org, "k", []byte("{}"), 1)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		err = s.View(t.Context(), store.System("x").Within(org), func(tx *store.Tx) error {
			var id uuid.UUID
			var key string
			var value []byte
			if err := tx.QueryRow("SELECT organisation_id, key, value FROM setting WHERE key = $1 AND {wall}", "k").Scan(&id, &key, &value); err != nil {
				return err
			}
			if id != org || key != "k" || string(value) != "{}" {
				t.Error(id, key, value)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		err = s.View(t.Context(), store.System("x").Within(uuid.New()), func(tx *store.Tx) error {
			var id uuid.UUID
			return tx.QueryRow("SELECT organisation_id FROM setting WHERE key = $1 AND {wall}", "k").Scan(&id)
		})
		if !errors.Is(err, store.ErrNotFound) {
			t.Fatal(err)
		}
	})
}
