package store_test

import (
	"context"
	"encoding/json"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/console/store/storetest"
)

// Who looks for a due row in PostgreSQL is not held up by those that were done: the
// server lets an index forget a row only if the one who locked it and the one who
// deleted it are the same transaction, not one and its savepoint.
func TestDueDoneIsForgotten(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, storetest.Postgres(t))
	const rows = 6000
	update(t, s, func(tx *store.Tx) error {
		for range rows {
			if err := tx.Due("much", uuid.New(), tx.Now()); err != nil {
				return err
			}
		}
		return nil
	})
	ctx, stop := context.WithCancel(t.Context())
	var done atomic.Int64
	err := s.RunDue(ctx, map[string]store.Handler{"much": {Inside: func(context.Context, *store.Tx, uuid.UUID) (time.Time, error) {
		if done.Add(1) == rows {
			time.AfterFunc(time.Second, stop) // the last ones are committed
		}
		return time.Time{}, nil
	}}})
	if err != nil {
		t.Fatal(err)
	}
	look := func() (passed int) { // pages that a look reads
		update(t, s, func(tx *store.Tx) error {
			var raw []byte
			err := tx.QueryRow("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT id FROM due WHERE kind = 'much' ORDER BY at LIMIT 1 FOR UPDATE SKIP LOCKED").Scan(&raw)
			if err != nil {
				return err
			}
			var plan []struct {
				Plan struct {
					Hit  int `json:"Shared Hit Blocks"`
					Read int `json:"Shared Read Blocks"`
				}
			}
			err = json.Unmarshal(raw, &plan)
			passed = plan[0].Plan.Hit + plan[0].Plan.Read
			return err
		})
		return passed
	}
	look() // lets the index forget what it meets
	if n := look(); n > 10 {
		t.Errorf("after %d rows a look reads %d pages", rows, n)
	}
}
