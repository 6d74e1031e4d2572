package health

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/deskside/deskside/console/fleet"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/protocol/history"
)

// Of a day that is over a coarse row is made, which stays when the fine ones go. A
// row that comes late, as from a notebook that was away, has its day packed anew.
const (
	day        = 24 * time.Hour
	lateFor    = time.Minute // after a late row: others come with it
	nightStart = time.Hour   // after midnight (UTC), when the last rows of a day are here
	nightLong  = 4 * time.Hour
	daysAtOnce = 2 // in one transaction
)

// planCoarse has the days of a row packed when they can be.
func planCoarse(tx *store.Tx, r model.HistoryRow) error {
	if at := night(r.Machine, r.Start); tx.Now().Before(at) {
		return tx.DueBy(KindCoarse, r.Machine, at)
	}
	_, err := tx.Exec("DELETE FROM history WHERE machine_id = $1 AND resolution = $2 AND start = $3 AND {wall}",
		r.Machine, int64(history.Coarse), history.Day(r.Start))
	if err != nil {
		return fmt.Errorf("forget a packed day: %w", err)
	}
	return tx.DueBy(KindCoarse, r.Machine, tx.Now().Add(lateFor))
}

// night is when the day of a moment is packed. Machines do not come all at once:
// each has its own moment of the night after.
func night(machine model.ID, at time.Time) time.Time {
	spread := time.Duration(machine[15])<<8 | time.Duration(machine[14])
	return at.UTC().Truncate(day).Add(day + nightStart + (nightLong * spread >> 16).Truncate(time.Second))
}

// Coarsen is the handler of KindCoarse.
func (h *Health) Coarsen(_ context.Context, tx *store.Tx, machine model.ID) (time.Time, error) {
	m, err := fleet.Get(tx, machine)
	if errors.Is(err, store.ErrNotFound) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, err
	}
	days, newest, err := unpacked(tx, machine)
	if err != nil {
		return time.Time{}, err
	}
	for i, start := range days {
		if at := night(machine, time.UnixMicro(start)); tx.Now().Before(at) {
			return at, nil
		}
		if i == daysAtOnce {
			return tx.Now(), nil
		}
		from := time.UnixMicro(start)
		fine, err := rowsOf(tx, machine, history.Fine, from, from.Add(day))
		if err != nil {
			return time.Time{}, err
		}
		row, _, unread := history.Coarsen(start, 1, fine)
		if unread != nil { // the others are packed
			h.log.Warn("history of a machine cannot be read", "machine", machine, "day", from.UTC().Format(time.DateOnly), "error", unread)
		}
		// A day of which nothing can be read has an empty row, or it would be tried for ever.
		_, err = tx.Exec(`INSERT INTO history (machine_id, organisation_id, resolution, start, revision, payload) VALUES ($1, $2, $3, $4, 1, $5)
			ON CONFLICT (machine_id, resolution, start) DO UPDATE SET payload = excluded.payload`,
			machine, m.Organisation, int64(history.Coarse), start, append([]byte{}, row.Payload...))
		if err != nil {
			return time.Time{}, fmt.Errorf("keep a packed day: %w", err)
		}
	}
	if newest == history.Day(tx.Now()) {
		return night(machine, tx.Now()), nil
	}
	return time.Time{}, nil
}

// unpacked are the days before today that have fine rows and no coarse one, the
// oldest first, and the newest day that has any.
func unpacked(tx *store.Tx, machine model.ID) (days []int64, newest int64, err error) {
	type row struct{ resolution, start int64 }
	list, err := store.Collect(tx, func(r *store.Rows) (row, error) {
		var x row
		return x, r.Scan(&x.resolution, &x.start)
	}, "SELECT resolution, start FROM history WHERE machine_id = $1 AND start >= $2 AND {wall} ORDER BY resolution DESC, start",
		machine, store.Micros(tx.Now().Add(-keepFine-2*day)))
	if err != nil {
		return nil, 0, fmt.Errorf("list days of history: %w", err)
	}
	today := history.Day(tx.Now())
	seen := map[int64]bool{}
	for _, r := range list { // coarse rows come first
		start := history.Day(time.UnixMicro(r.start))
		if !seen[start] && r.resolution == int64(history.Fine) && start < today {
			days = append(days, start)
		}
		seen[start] = true
		newest = max(newest, start)
	}
	return days, newest, nil
}
