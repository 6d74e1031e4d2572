package store

import (
	"context"
	"fmt"

	"github.com/deskside/deskside/console/store/schema"
)

// migrate applies the files that are missing, all in one transaction.
func (s *Store) migrate(ctx context.Context) error {
	files, err := schema.Files(s.engine.name())
	if err != nil {
		return err
	}
	return s.Update(ctx, System("migration"), func(tx *Tx) error {
		first := "CREATE TABLE IF NOT EXISTS schema_file (name TEXT PRIMARY KEY, hash TEXT NOT NULL, at INTEGER NOT NULL) STRICT"
		if s.engine.name() == "postgres" {
			first = "LOCK TABLE schema_file IN EXCLUSIVE MODE" // unlike a query, before the snapshot is taken
		}
		if _, err := tx.exec(first); err != nil {
			return err
		}
		applied, err := appliedFiles(tx)
		if err != nil {
			return err
		}
		for _, f := range files {
			hash, ok := applied[f.Name]
			delete(applied, f.Name)
			if ok && hash != f.Hash {
				return fmt.Errorf("%s was applied with a different text", f.Name)
			}
			if ok {
				continue
			}
			if _, err := tx.exec(f.SQL); err != nil {
				return fmt.Errorf("%s: %w", f.Name, err)
			}
			if _, err := tx.exec("INSERT INTO schema_file (name, hash, at) VALUES ($1, $2, $3)", f.Name, f.Hash, Micros(tx.Now())); err != nil {
				return err
			}
		}
		for name := range applied {
			return fmt.Errorf("the database knows %s, which this program does not: it was used with a newer version", name)
		}
		return nil
	})
}

func appliedFiles(tx *Tx) (map[string]string, error) {
	rows, err := tx.query("SELECT name, hash FROM schema_file")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	applied := map[string]string{}
	for rows.Next() {
		var name, hash string
		if err := rows.Scan(&name, &hash); err != nil {
			return nil, err
		}
		applied[name] = hash
	}
	return applied, rows.Err()
}
