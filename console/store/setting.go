package store

import (
	"fmt"

	"github.com/google/uuid"
)

// Setting returns the JSON document kept under a key, and its version.
// ErrNotFound means that nobody has set it.
func (tx *Tx) Setting(organisation uuid.UUID, key string) (value []byte, version int64, err error) {
	if !tx.scope.Reaches(organisation) {
		return nil, 0, ErrNotFound
	}
	err = tx.queryRow("SELECT value, version FROM setting WHERE organisation_id = $1 AND key = $2", organisation, key).Scan(&value, &version)
	return value, version, err
}

// SetSetting keeps a document in place of the version the caller has read, 0
// if there was none. It returns ErrConflict when that is not the version there.
func (tx *Tx) SetSetting(organisation uuid.UUID, key string, version int64, value []byte) error {
	if !tx.scope.Reaches(organisation) {
		return ErrNotFound
	}
	var n int64
	var err error
	if version == 0 {
		n, err = tx.exec(`INSERT INTO setting (organisation_id, key, value, version) VALUES ($1, $2, $3, 1)
			ON CONFLICT (organisation_id, key) DO NOTHING`, organisation, key, value)
	} else {
		n, err = tx.exec(`UPDATE setting SET value = $3, version = version + 1
			WHERE organisation_id = $1 AND key = $2 AND version = $4`, organisation, key, value, version)
	}
	if err == nil && n == 0 {
		return fmt.Errorf("setting %s: %w", key, ErrConflict)
	}
	return err
}
