package store

import (
	"errors"
	"testing"

	"github.com/google/uuid"
)

func open(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.Context(), Options{Data: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestSmoke(t *testing.T) {
	s := open(t)
	org := uuid.New()
	err := s.Update(t.Context(), System("x").Within(org), func(tx *Tx) error {
		_, err := tx.Exec("INSERT INTO setting (organisation_id, key, value, version) VALUES ($1, $2, $3, $4)", org, "k", []byte("{}"), 1)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	err = s.View(t.Context(), System("x").Within(org), func(tx *Tx) error {
		var id uuid.UUID
		var key string
		if err := tx.QueryRow("SELECT organisation_id, key FROM setting WHERE key = $1 AND {wall}", "k").Scan(&id, &key); err != nil {
			return err
		}
		if id != org || key != "k" {
			t.Error(id, key)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	err = s.View(t.Context(), System("x").Within(uuid.New()), func(tx *Tx) error {
		var id uuid.UUID
		return tx.QueryRow("SELECT organisation_id FROM setting WHERE key = $1 AND {wall}", "k").Scan(&id)
	})
	if !errors.Is(err, ErrNotFound) {
		t.Fatal(err)
	}
}
