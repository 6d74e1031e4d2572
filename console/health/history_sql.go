package health

import (
	"context"
	"fmt"
	"time"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/protocol/history"
)

// How long history is kept.
const (
	keepFine   = 14 * 24 * time.Hour
	keepCoarse = 400 * 24 * time.Hour
	ageEvery   = time.Hour
)

// TakeHistory keeps rows of vitals; of two with one start the higher revision
// holds.
func (h *Health) TakeHistory(tx *store.Tx, list []model.HistoryRow) error {
	for _, r := range list {
		if len(r.Payload) > history.MaxPayload {
			return fmt.Errorf("history row of %d bytes, at most %d are kept", len(r.Payload), history.MaxPayload)
		}
		_, err := tx.Exec(`INSERT INTO history (machine_id, organisation_id, resolution, start, revision, payload)
			VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (machine_id, resolution, start) DO UPDATE SET revision = excluded.revision, payload = excluded.payload
			WHERE excluded.revision >= history.revision`,
			r.Machine, r.Organisation, int64(r.Resolution), store.Micros(r.Start), int64(r.Revision), r.Payload)
		if err != nil {
			return fmt.Errorf("keep history: %w", err)
		}
	}
	return nil
}

// Rows are the rows of a machine that touch a span; coarse ones where fine ones
// are too many.
func Rows(tx *store.Tx, machine model.ID, from, to time.Time) ([]history.Row, error) {
	resolution, longest := history.Fine, time.Hour
	if to.Sub(from) > 8*24*time.Hour {
		resolution, longest = history.Coarse, 25*time.Hour
	}
	rows, err := store.Collect(tx, func(r *store.Rows) (history.Row, error) {
		row := history.Row{Resolution: resolution}
		var revision int64
		err := r.Scan(&row.Start, &revision, &row.Payload)
		row.Revision = uint32(revision)
		return row, err
	}, `SELECT start, revision, payload FROM history WHERE machine_id = $1 AND resolution = $2 AND start >= $3 AND start < $4 AND {wall}
		ORDER BY start`, machine, int64(resolution), store.Micros(from.Add(-longest)), store.Micros(to))
	if err != nil {
		return nil, fmt.Errorf("read history: %w", err)
	}
	return rows, nil
}

// Age is the handler of KindAge: it deletes history that is too old.
func (h *Health) Age(_ context.Context, tx *store.Tx, _ model.ID) (time.Time, error) {
	for _, k := range []struct {
		resolution history.Resolution
		keep       time.Duration
	}{{history.Fine, keepFine}, {history.Coarse, keepCoarse}} {
		_, err := tx.Exec("DELETE FROM history WHERE resolution = $1 AND start < $2 AND {wall}",
			int64(k.resolution), store.Micros(tx.Now().Add(-k.keep)))
		if err != nil {
			return time.Time{}, fmt.Errorf("delete old history: %w", err)
		}
	}
	return tx.Now().Add(ageEvery), nil
}
