package health

import (
	"errors"
	"testing"
	"time"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/protocol/history"
)

// hour packs an hour of one series, from a moment on.
func (w *ward) hour(from model.From, start time.Time, value float64) model.HistoryRow {
	w.t.Helper()
	var b history.Builder
	for i := range 60 {
		after := time.Duration(i) * time.Minute
		b.Append(history.Moment{Wall: start.Add(after), Mono: after, Boot: 1}, []history.Sample{{Metric: history.Metrics()[0].Number, Value: value}})
	}
	row, ok := b.Row()
	if !ok {
		w.t.Fatal("no row")
	}
	return model.HistoryRow{From: from, Resolution: uint8(row.Resolution), Start: time.UnixMicro(row.Start), Revision: row.Revision, Payload: row.Payload}
}

func (w *ward) keep(rows ...model.HistoryRow) error {
	return w.store.Update(w.t.Context(), system, func(tx *store.Tx) error { return w.TakeHistory(tx, rows) })
}

func (w *ward) rows(resolution history.Resolution) (n int) {
	w.t.Helper()
	w.update(func(tx *store.Tx) error {
		return tx.QueryRow("SELECT count(*) FROM history WHERE resolution = $1 AND {wall}", int64(resolution)).Scan(&n)
	})
	return n
}

// coarsen does what the due row of a machine does, until it is done.
func (w *ward) coarsen(from model.From) {
	w.t.Helper()
	for more := true; more; {
		w.update(func(tx *store.Tx) error {
			at, err := w.Coarsen(w.t.Context(), tx, from.Machine)
			more = !at.IsZero() && !at.After(tx.Now())
			return err
		})
	}
}

// A machine fills no more of the history than a machine can have: not by rows that
// begin at every moment, nor by large ones, nor by some from a time that is over
// or has not come.
func TestHistoryBounded(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		pc := w.machine("pc")
		now := time.Now().UTC().Truncate(time.Hour).Add(-time.Hour)
		row := w.hour(pc, now, 0.5)
		at := func(d time.Duration, size int) model.HistoryRow {
			r := row
			r.Start = now.Add(d)
			if size > 0 {
				r.Payload = make([]byte, size)
			}
			return r
		}
		for i := range 3 * hourRows {
			if err := w.keep(at(time.Duration(i)*time.Microsecond, 0)); err != nil {
				t.Fatal(err)
			}
		}
		if n := w.rows(history.Fine); n != hourRows {
			t.Errorf("%d rows of one hour", n)
		}
		for i := range 10 {
			if err := w.keep(at(-2*time.Hour+time.Duration(i)*time.Microsecond, hourBytes/4)); err != nil {
				t.Fatal(err)
			}
		}
		if n := w.rows(history.Fine); n != hourRows+4 {
			t.Errorf("%d large rows of one hour", n-hourRows)
		}
		for _, r := range []model.HistoryRow{at(-keepFine-26*time.Hour, 0), at(3*aheadMost, 0), at(-5*time.Hour, hourBytes+1)} {
			if err := w.keep(r); err != nil {
				t.Error(err)
			}
		}
		if n := w.rows(history.Fine); n != hourRows+4 {
			t.Errorf("%d rows more, which nobody needs", n-hourRows-4)
		}
		for what, r := range map[string]model.HistoryRow{"a resolution of its own": {From: pc, Resolution: 77, Start: now}, "one that the console makes": {From: pc, Resolution: 2, Start: now}} {
			if w.keep(r) == nil {
				t.Errorf("%s was taken", what)
			}
		}
		newer := row // the open row grows in its place, also where the hour is full
		newer.Revision++
		if err := w.keep(newer); err != nil || w.rows(history.Fine) != hourRows+4 {
			t.Errorf("a newer revision: %v", err)
		}
	})
}

// A day that is over is packed, is drawn in long spans, and stays when the fine
// rows go; a row that comes late is packed with it.
func TestCoarse(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		pc := w.machine("pc")
		now := time.Now().UTC()
		noon := now.Truncate(day).Add(-3*day + 12*time.Hour)
		if err := w.keep(w.hour(pc, noon, 0.25), w.hour(pc, noon.Add(-day), 0.5), w.hour(pc, noon.Add(-2*day), 0.5)); err != nil {
			t.Fatal(err)
		}
		w.coarsen(pc)
		if n := w.rows(history.Coarse); n != 3 {
			t.Errorf("%d days are packed", n)
		}
		points := func() (n int, last float64) {
			t.Helper()
			w.update(func(tx *store.Tx) error {
				n = 0
				rows, err := Rows(tx, pc.Machine, now.Add(-20*day), now)
				if err != nil {
					return err
				}
				lines, err := history.Thin(rows, now.Add(-20*day).UnixMicro(), now.UnixMicro(), int64(time.Hour/time.Microsecond), nil)
				for _, l := range lines {
					for _, p := range l.Points {
						if p.Count > 0 {
							n, last = n+1, p.Mean
						}
					}
				}
				return err
			})
			return n, last
		}
		before, last := points()
		if before < 3 || last != 0.25 {
			t.Errorf("%d points over twenty days, the last %v", before, last)
		}
		if err := w.keep(w.hour(pc, noon.Add(3*time.Hour), 0.75)); err != nil {
			t.Fatal(err)
		}
		if n := w.rows(history.Coarse); n != 2 {
			t.Errorf("%d days are packed, though one has a new row", n)
		}
		w.coarsen(pc)
		if after, last := points(); after <= before || last != 0.75 {
			t.Errorf("%d points with the late row, before %d; the last %v", after, before, last)
		}
		w.update(func(tx *store.Tx) error {
			_, err := tx.Exec("DELETE FROM history WHERE resolution = 1 AND {wall}")
			return err
		})
		if after, _ := points(); after <= before {
			t.Errorf("%d points when the fine rows are gone", after)
		}
	})
}

// Of a day that nothing can be read of nothing is drawn, and it is tried once.
func TestCoarseUnreadable(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		pc := w.machine("pc")
		start := time.Now().UTC().Truncate(day).Add(-2*day + time.Hour) // yesterday is packed in the night that may be now
		if err := w.keep(model.HistoryRow{From: pc, Resolution: 1, Start: start, Revision: 1, Payload: []byte("nonsense")}); err != nil {
			t.Fatal(err)
		}
		w.coarsen(pc)
		w.update(func(tx *store.Tx) error {
			rows, err := Rows(tx, pc.Machine, start.Add(-20*day), start.Add(day))
			for _, r := range rows {
				if len(r.Payload) == 0 {
					t.Errorf("a row without anything in it is drawn: %+v", r)
				}
			}
			days, _, daysErr := unpacked(tx, pc.Machine)
			if len(days) != 0 || daysErr != nil {
				t.Errorf("%d days left, %v", len(days), daysErr)
			}
			return err
		})
	})
}

// A day is packed in the machine's own moment of the night after; one that got a
// late row soon, whatever comes after it, and today's turn is not forgotten.
func TestCoarsePlan(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		pc := w.machine("pc")
		planned := func() (at time.Time) {
			t.Helper()
			w.update(func(tx *store.Tx) error {
				var micros int64
				err := tx.QueryRow("SELECT at FROM due WHERE kind = $1 AND id = $2", KindCoarse, pc.Machine).Scan(&micros)
				at = store.Time(micros)
				return err
			})
			return at
		}
		now := time.Now().UTC()
		today := now.Truncate(day)
		tonight := night(pc.Machine, now)
		if tonight.Before(today.Add(day+nightStart)) || tonight.After(today.Add(day+nightStart+nightLong)) || !night(pc.Machine, today).Equal(tonight) || !night(pc.Machine, today.Add(-1)).Equal(tonight.Add(-day)) {
			t.Errorf("the night of %v is %v", now, tonight)
		}
		if err := w.keep(w.hour(pc, today, 0.5)); err != nil {
			t.Fatal(err)
		}
		if at := planned(); !at.Equal(tonight) {
			t.Errorf("today is packed at %v, not %v", at, tonight)
		}
		if err := w.keep(w.hour(pc, today.Add(-3*day), 0.5), w.hour(pc, today.Add(time.Minute), 0.5)); err != nil {
			t.Fatal(err)
		}
		if at := planned(); at.Before(now) || at.After(now.Add(2*lateFor)) {
			t.Errorf("a late row is packed at %v", at)
		}
		w.update(func(tx *store.Tx) error {
			at, err := w.Coarsen(t.Context(), tx, pc.Machine)
			if !at.Equal(tonight) {
				t.Errorf("after it today's turn is at %v", at)
			}
			return err
		})
	})
}

// TestAgeBitByBit: of much that is too old a part goes at a time, until nothing is left;
// others can write in between.
func TestAgeBitByBit(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		from := w.machine("pc")
		old, n := time.Now().Add(-20*day), 2*ageAtOnce+1
		w.update(func(tx *store.Tx) error {
			rows := make([][]any, n)
			for i := range rows {
				rows[i] = []any{from.Machine, from.Organisation, int64(history.Fine), store.Micros(old) + int64(i), 1, []byte{1}}
			}
			_, err := tx.Insert("INSERT INTO history (machine_id, organisation_id, resolution, start, revision, payload)", append(rows,
				[]any{from.Machine, from.Organisation, int64(history.Fine), store.Micros(time.Now()), 1, []byte{1}}), "")
			return err
		})
		for _, left := range []int{n - ageAtOnce, n - 2*ageAtOnce, 0} {
			w.update(func(tx *store.Tx) error {
				next, err := w.Age(t.Context(), tx, model.ID{})
				if again := !next.After(tx.Now()); err == nil && again != (left > 0) {
					t.Errorf("%d are left, and the next time is in %v", left, next.Sub(tx.Now()))
				}
				var got int
				err = errors.Join(err, tx.QueryRow("SELECT count(*) FROM history WHERE start < $1 AND {wall}", store.Micros(old.Add(day))).Scan(&got))
				if got != left {
					t.Errorf("%d are left, want %d", got, left)
				}
				return err
			})
		}
	})
}

// TestAge: what is older than it is kept goes. A console whose clock is a year ahead
// believes it only as far as history goes.
func TestAge(t *testing.T) {
	for _, c := range []struct {
		name  string
		wrong time.Duration
	}{{"right", 0}, {"a year ahead", 365 * day}} {
		t.Run(c.name, func(t *testing.T) {
			each(t, func(t *testing.T, w *ward) {
				from := w.machine("pc")
				now := time.Now().Add(-c.wrong) // as it is for everybody else
				ages := map[time.Duration]bool{time.Hour: true, 12 * day: true, 17 * day: false}
				w.update(func(tx *store.Tx) error {
					for age := range ages {
						_, err := tx.Exec("INSERT INTO history (machine_id, organisation_id, resolution, start, revision, payload) VALUES ($1, $2, $3, $4, 1, $5)",
							from.Machine, from.Organisation, int64(history.Fine), store.Micros(now.Add(-age)), []byte{1})
						if err != nil {
							return err
						}
					}
					_, err := w.Age(t.Context(), tx, model.ID{})
					return err
				})
				for age, kept := range ages {
					var n int
					err := w.store.View(t.Context(), system, func(tx *store.Tx) error {
						return tx.QueryRow("SELECT count(*) FROM history WHERE start = $1 AND {wall}", store.Micros(now.Add(-age))).Scan(&n)
					})
					if err != nil {
						t.Fatal(err)
					}
					if n == 1 != kept {
						t.Errorf("history of %s ago: %d rows", age, n)
					}
				}
			})
		})
	}
}
