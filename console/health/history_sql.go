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

// What one machine may fill. An hour of 40 series takes about 14 KiB, and a clock
// that is set, or an agent that starts again, begins another row.
const (
	hourRows  = 60
	hourBytes = 256 << 10
	aheadMost = 24 * time.Hour // of a clock that is wrong
)

// TakeHistory keeps rows of vitals; of two with one start the higher revision
// holds. A row that is older than what is kept, that comes from the future, or
// that is more than an hour may have, is dropped.
func (h *Health) TakeHistory(tx *store.Tx, list []model.HistoryRow) error {
	for _, r := range list {
		if len(r.Payload) > history.MaxPayload || r.Resolution != uint8(history.Fine) {
			return fmt.Errorf("a history row of resolution %d and %d bytes; machines tell resolution %d, and at most %d bytes",
				r.Resolution, len(r.Payload), history.Fine, history.MaxPayload)
		}
		now := tx.Now()
		if r.Start.Before(fineFrom(now)) || r.Start.After(now.Add(aheadMost)) {
			continue
		}
		if room, err := hasRoom(tx, r); err != nil || !room {
			if err != nil {
				return err
			}
			continue
		}
		_, err := tx.Exec(`INSERT INTO history (machine_id, organisation_id, resolution, start, revision, payload)
			VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (machine_id, resolution, start) DO UPDATE SET revision = excluded.revision, payload = excluded.payload
			WHERE excluded.revision >= history.revision`,
			r.Machine, r.Organisation, int64(history.Fine), store.Micros(r.Start), int64(r.Revision), r.Payload)
		if err != nil {
			return fmt.Errorf("keep history: %w", err)
		}
		if err := planCoarse(tx, r); err != nil {
			return err
		}
	}
	return nil
}

// fineFrom is the beginning of the oldest day of which fine rows are taken. They are
// kept a day longer: a day that a late row has packed anew is still whole then.
func fineFrom(now time.Time) time.Time { return now.UTC().Add(-keepFine).Truncate(day) }

// hasRoom tells whether the clock hour of a row has room for it beside its others.
func hasRoom(tx *store.Tx, r model.HistoryRow) (bool, error) {
	hour := r.Start.Truncate(time.Hour)
	var rows, bytes int64
	err := tx.QueryRow(`SELECT count(*), CAST(COALESCE(SUM(length(payload)), 0) AS BIGINT) FROM history
		WHERE machine_id = $1 AND resolution = $2 AND start >= $3 AND start < $4 AND start <> $5 AND {wall}`,
		r.Machine, int64(history.Fine), store.Micros(hour), store.Micros(hour.Add(time.Hour)), store.Micros(r.Start)).Scan(&rows, &bytes)
	if err != nil {
		return false, fmt.Errorf("look for room for history: %w", err)
	}
	return rows < hourRows && bytes+int64(len(r.Payload)) <= hourBytes, nil
}

// fineSpan is what is drawn of fine rows; a longer span of coarse ones.
const fineSpan = 8 * 24 * time.Hour

// Rows are the rows of a machine that touch a span; coarse ones where fine ones
// are too many.
func Rows(tx *store.Tx, machine model.ID, from, to time.Time) ([]history.Row, error) {
	if to.Sub(from) <= fineSpan {
		return rowsOf(tx, machine, history.Fine, from.Add(-time.Hour), to)
	}
	rows, err := rowsOf(tx, machine, history.Coarse, from.Add(-day), to)
	if err != nil {
		return nil, err
	}
	// Today has no coarse row yet, nor has yesterday in its first hours.
	recent := to.Truncate(day).Add(-day)
	if from.After(recent) {
		recent = from
	}
	fine, err := rowsOf(tx, machine, history.Fine, recent, to)
	if err != nil {
		return nil, err
	}
	packed := map[int64]bool{}
	for _, r := range rows {
		packed[r.Start] = true
	}
	for _, r := range fine {
		if !packed[history.Day(time.UnixMicro(r.Start))] {
			rows = append(rows, r)
		}
	}
	return rows, nil
}

func rowsOf(tx *store.Tx, machine model.ID, resolution history.Resolution, from, to time.Time) ([]history.Row, error) {
	rows, err := store.Collect(tx, func(r *store.Rows) (history.Row, error) {
		row := history.Row{Resolution: resolution}
		var revision int64
		err := r.Scan(&row.Start, &revision, &row.Payload)
		row.Revision = uint32(revision)
		return row, err
	}, `SELECT start, revision, payload FROM history WHERE machine_id = $1 AND resolution = $2 AND start >= $3 AND start < $4
		AND length(payload) > 0 AND {wall} ORDER BY start`, machine, int64(resolution), store.Micros(from), store.Micros(to))
	if err != nil {
		return nil, fmt.Errorf("read history: %w", err)
	}
	return rows, nil
}

// ageAtOnce is how many rows of history are deleted in one transaction: a day of 15,000
// machines is some gigabytes, and nobody else could write meanwhile.
const ageAtOnce = 500

// Age is the handler of KindAge: it deletes history that is too old. How late it is,
// it believes only as far as history goes: a console whose clock is a year ahead for a
// minute would have none left.
func (h *Health) Age(_ context.Context, tx *store.Tx, _ model.ID) (time.Time, error) {
	var newest int64
	if err := tx.QueryRow("SELECT COALESCE(MAX(start), 0) FROM history WHERE resolution = $1 AND {wall}", int64(history.Fine)).Scan(&newest); err != nil {
		return time.Time{}, fmt.Errorf("look for the newest history: %w", err)
	}
	now := tx.Now()
	if latest := store.Time(newest).Add(day); latest.Before(now) {
		now = latest
	}
	for _, k := range []struct {
		resolution history.Resolution
		from       time.Time
	}{{history.Fine, fineFrom(now).Add(-day)}, {history.Coarse, now.Add(-keepCoarse)}} {
		n, err := tx.Exec(`DELETE FROM history WHERE (machine_id, resolution, start) IN (SELECT machine_id, resolution, start FROM history
			WHERE resolution = $1 AND start < $2 AND {wall} ORDER BY start LIMIT $3) AND {wall}`, int64(k.resolution), store.Micros(k.from), ageAtOnce)
		if err != nil {
			return time.Time{}, fmt.Errorf("delete old history: %w", err)
		}
		if n == ageAtOnce {
			return tx.Now(), nil // there may be more; who waits to write comes first
		}
	}
	return tx.Now().Add(ageEvery), nil
}
