package store

import (
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Changed notes that a thing looks different when this transaction is
// committed. Say it once or often, the thing is named once.
func (tx *Tx) Changed(organisation uuid.UUID, kind string, id uuid.UUID) {
	c := Change{Organisation: organisation, Kind: kind, ID: id}
	if !slices.Contains(tx.changes, c) {
		tx.changes = append(tx.changes, c)
	}
}

// Due writes that (kind, id) becomes due at a time: the handler of that kind
// (see RunDue) is called then, or at once if the time has come. There is one
// row for each (kind, id); a new time replaces the old one and clears its
// problem.
func (tx *Tx) Due(kind string, id uuid.UUID, at time.Time) error {
	return tx.DueAll(kind, []uuid.UUID{id}, at)
}

// DueAll is Due of many, with few statements. No id is there twice.
func (tx *Tx) DueAll(kind string, ids []uuid.UUID, at time.Time) error {
	rows := make([][]any, len(ids))
	for i, id := range ids {
		rows[i] = []any{kind, id, Micros(at), 0, "", Micros(tx.now)}
	}
	tx.dued = true
	_, err := tx.Insert("INSERT INTO due (kind, id, at, tries, problem, written)", rows,
		"ON CONFLICT (kind, id) DO UPDATE SET at = excluded.at, tries = 0, problem = '', written = excluded.written")
	return err
}

// DueBy is Due for what must not be put off by what comes again and again: a row
// that becomes due earlier stays.
func (tx *Tx) DueBy(kind string, id uuid.UUID, at time.Time) error {
	tx.dued = true
	_, err := tx.exec(`INSERT INTO due (kind, id, at, tries, problem, written) VALUES ($1, $2, $3, 0, '', $4)
		ON CONFLICT (kind, id) DO UPDATE SET at = CASE WHEN due.at < excluded.at THEN due.at ELSE excluded.at END,
			written = CASE WHEN due.at < excluded.at THEN due.written ELSE excluded.written END`, kind, id, Micros(at), Micros(tx.now))
	return err
}

// NotDue removes the rows of (kind, id), if there are any.
func (tx *Tx) NotDue(kind string, ids ...uuid.UUID) error {
	return some("DELETE FROM due WHERE kind = $1 AND id IN {ids}", ids, []any{kind}, func(query string, args []any) error {
		_, err := tx.exec(query, args...)
		return err
	})
}

// Bump adds one to the version of a row and returns the new version, or
// ErrNotFound. It is how a transaction takes hold of a parent before it
// decides over its children: of two who bump the same row one waits, or runs
// again.
func (tx *Tx) Bump(table string, id uuid.UUID) (version int64, err error) {
	query, err := tx.touch(table, "version + 1")
	if err != nil {
		return 0, tx.fail(err)
	}
	err = tx.QueryRow(query+" RETURNING version", id).Scan(&version)
	return version, err
}

// Hold takes hold of a row as Bump does and leaves it as it is, or returns
// ErrNotFound: for who decides by what the row says and changes nothing of it.
func (tx *Tx) Hold(table string, id uuid.UUID) error {
	query, err := tx.touch(table, "version")
	if err != nil {
		return tx.fail(err)
	}
	n, err := tx.Exec(query, id)
	if err == nil && n == 0 {
		return ErrNotFound
	}
	return err
}

func (tx *Tx) touch(table, version string) (string, error) {
	if tx.store.wall == nil {
		return "", errors.New("store: a row is touched before the tables were read")
	}
	behind, err := tx.store.wall.behind(table)
	if err != nil {
		return "", err
	}
	query := "UPDATE " + table + " SET version = " + version + " WHERE id = $1"
	if behind {
		query += " AND {wall}"
	}
	return query, nil
}
