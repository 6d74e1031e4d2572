package fleet

import (
	"math"
	"testing"
	"time"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

// A goodbye makes a machine offline at once, with its reason; a line that breaks
// does not.
func TestDisconnected(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		node := model.NewID()
		for _, reason := range []model.OfflineReason{model.OfflineShutDown, model.OfflineAsleep, model.OfflineUpdating, model.OfflineUnknown} {
			from, since := y.machine(node)
			y.left(t.Context(), from, since, reason)
			if m := y.get(from); m.Online || m.Reason != reason {
				t.Errorf("after %s: %v %s", reason, m.Online, m.Reason)
			}
			if y.due(KindGone, from.Machine).IsZero() || !y.due(KindLost, from.Machine).IsZero() {
				t.Errorf("after %s nobody hears of it", reason)
			}
		}
		from, since := y.machine(node)
		y.left(t.Context(), from, since, model.OfflineNone)
		if m := y.get(from); !m.Online {
			t.Error("a line that broke made the machine offline at once")
		}
		left := time.Until(y.due(KindLost, from.Machine))
		if after := model.DefaultSettings().OfflineAfter; left > after || left < after-10*time.Second {
			t.Errorf("it has %v to come back, not %v", left, after)
		}
		if err := y.Disconnected(t.Context(), from, since, model.OfflineNone, true); err != nil {
			t.Fatal(err)
		}
		if left := time.Until(y.due(KindLost, from.Machine)); left > backTime || left < backTime/2 {
			t.Errorf("after its silence it has %v to come back", left)
		}
		s := model.DefaultSettings()
		s.OfflineAfter, s.Version = 2*time.Second, 0
		y.update(func(tx *store.Tx) error { return SetSettings(tx, y.ours, s) })
		if err := y.Disconnected(t.Context(), from, since, model.OfflineNone, true); err != nil {
			t.Fatal(err)
		}
		if left := time.Until(y.due(KindLost, from.Machine)); left > s.OfflineAfter {
			t.Errorf("who is silent has %v to come back, more than a line that broke", left)
		}
		y.lost(from)
		if m := y.get(from); m.Online || m.Reason != model.OfflineLinkLost {
			t.Errorf("after the time: %v %s", m.Online, m.Reason)
		}
		y.lost(from) // a second time does no harm
		y.connect(from, node)
		if m := y.get(from); !m.Online || m.Reason != model.OfflineNone {
			t.Errorf("back again: %v %s", m.Online, m.Reason)
		}
		if y.due(KindBack, from.Machine).IsZero() {
			t.Error("nobody hears that it is back")
		}
	})
}

// A line that is back in time was never gone; and an old line that is found
// broken after a newer one began, here or at another node, ends nothing.
func TestBackInTime(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		a, b := model.NewID(), model.NewID()
		for _, node := range []model.ID{a, b} {
			from, since := y.machine(a)
			seen := y.due(KindBack, from.Machine)
			y.left(t.Context(), from, since, model.OfflineNone)
			y.connect(from, node)
			if !y.due(KindLost, from.Machine).IsZero() || !y.due(KindBack, from.Machine).Equal(seen) {
				t.Error("it was back in time, and somebody hears of it")
			}
			y.left(t.Context(), from, since, model.OfflineNone)     // the old line, late
			y.left(t.Context(), from, since, model.OfflineShutDown) // or its goodbye
			if m := y.get(from); !m.Online || m.Node != node || !y.due(KindLost, from.Machine).IsZero() {
				t.Errorf("an old line ended the newer one: %+v", m)
			}
		}
	})
}

// The machines of a node that is gone have the same time to come back, those of
// other nodes do not notice.
func TestNodeLapsed(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		a, b := model.NewID(), model.NewID()
		mine, _ := y.machine(a)
		back, _ := y.machine(a)
		other, _ := y.machine(b)
		y.update(func(tx *store.Tx) error { return y.NodeLapsed(tx, a) })
		y.connect(back, b)
		if y.due(KindOrphan, mine.Machine).IsZero() || !y.due(KindOrphan, back.Machine).IsZero() || !y.due(KindOrphan, other.Machine).IsZero() {
			t.Error("who is lost and who is not")
		}
		orphan := func(from model.From) {
			t.Helper()
			y.update(func(tx *store.Tx) error { _, err := y.Orphan(t.Context(), tx, from.Machine); return err })
		}
		orphan(mine)
		orphan(mine) // a second time does no harm
		y.update(func(tx *store.Tx) error {
			_, err := tx.Exec("INSERT INTO node (id, address, started, lease) VALUES ($1, '', 0, $2)", b, store.Micros(time.Now().Add(time.Minute)))
			return err
		})
		orphan(back) // it came back in the very moment, and the row was left
		for from, online := range map[model.From]bool{mine: false, back: true, other: true} {
			if m := y.get(from); m.Online != online || (!online && m.Reason != model.OfflineLinkLost) {
				t.Errorf("%+v", m)
			}
		}
	})
}

// TestNobodyWasThere: while no console was there a machine could not come back; it is lost
// when it has had the time to.
func TestNobodyWasThere(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		a := model.NewID()
		lost, _ := y.machine(a)
		orphan, _ := y.machine(a)
		ask := func() (at [2]time.Time) {
			t.Helper()
			y.update(func(tx *store.Tx) (err error) {
				if at[0], err = y.Lost(t.Context(), tx, lost.Machine); err != nil {
					return err
				}
				at[1], err = y.Orphan(t.Context(), tx, orphan.Machine)
				return err
			})
			return at
		}
		until := time.Now().Add(time.Minute).Truncate(time.Microsecond).UTC()
		y.update(func(tx *store.Tx) error {
			_, err := tx.Exec("UPDATE presence SET last = $1, settles = $2", store.Micros(tx.Now()), store.Micros(until))
			return err
		})
		if at := ask(); !at[0].Equal(until) || !at[1].Equal(until) || !y.get(lost).Online || !y.get(orphan).Online {
			t.Errorf("asked again at %v, want %v; %+v, %+v", at, until, y.get(lost), y.get(orphan))
		}
		y.update(func(tx *store.Tx) error {
			_, err := tx.Exec("UPDATE presence SET last = $1, settles = $1", store.Micros(tx.Now()))
			return err
		})
		if at := ask(); !at[0].IsZero() || !at[1].IsZero() || y.get(lost).Online || y.get(orphan).Online {
			t.Errorf("asked again at %v; %+v, %+v", at, y.get(lost), y.get(orphan))
		}
	})
}

// TestHeld: who is written down as at a node whose lines it does not hold gets the time
// to come back, once; nobody else does, also not one that has come in the very moment.
func TestHeld(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		a, b := model.NewID(), model.NewID()
		held, _ := y.machine(a)
		lost, _ := y.machine(a)
		quick, _ := y.machine(a)
		again, _ := y.machine(a)
		other, _ := y.machine(b)
		asked := 0
		now := func() map[model.ID]bool {
			asked++
			return map[model.ID]bool{held.Machine: true}
		}
		come := func() map[model.ID]bool {
			if now(); asked == 2 {
				y.connect(again, a) // and its line is not in the list yet
			}
			if asked == 2 {
				return map[model.ID]bool{held.Machine: true, quick.Machine: true}
			}
			return map[model.ID]bool{held.Machine: true}
		}
		if elsewhere, err := y.Held(t.Context(), a, come); err != nil || len(elsewhere) != 0 {
			t.Fatal(elsewhere, err)
		}
		first := y.due(KindLost, lost.Machine)
		for name, from := range map[string]model.From{"held": held, "quick": quick, "again": again, "at another node": other} {
			if at := y.due(KindLost, from.Machine); !at.IsZero() {
				t.Errorf("%s is lost at %s", name, at)
			}
		}
		if in := time.Until(first); in < 50*time.Second || in > time.Minute {
			t.Errorf("it has %s to come back", in)
		}
		if elsewhere, err := y.Held(t.Context(), a, now); err != nil || len(elsewhere) != 0 {
			t.Fatal(elsewhere, err)
		}
		if second := y.due(KindLost, lost.Machine); !second.Equal(first) {
			t.Errorf("it was put off to %s", second)
		}
		asked = 0
		all := map[model.ID]bool{held.Machine: true, lost.Machine: true, quick.Machine: true, again.Machine: true}
		elsewhere, err := y.Held(t.Context(), a, func() map[model.ID]bool { asked++; return all })
		if err != nil || asked != 1 || len(elsewhere) != 0 {
			t.Errorf("all are held: %v, %v, asked %d times", elsewhere, err, asked)
		}
		all[other.Machine] = true
		elsewhere, err = y.Held(t.Context(), a, func() map[model.ID]bool { return all })
		if lives, ok := elsewhere[other.Machine]; err != nil || len(elsewhere) != 1 || !ok || lives {
			t.Errorf("one is at another node, that is gone: %v, %v", elsewhere, err)
		}
		y.update(func(tx *store.Tx) error {
			_, err := tx.Exec("INSERT INTO node (id, address, started, lease) VALUES ($1, '', 0, 0)", b)
			return err
		})
		if elsewhere, err = y.Held(t.Context(), a, func() map[model.ID]bool { return all }); err != nil || !elsewhere[other.Machine] {
			t.Errorf("one is at another node: %v, %v", elsewhere, err)
		}
		y.update(func(tx *store.Tx) error { return tx.Due(KindLost, other.Machine, time.Now().Add(time.Minute)) })
		if elsewhere, err = y.Held(t.Context(), a, func() map[model.ID]bool { return all }); err != nil || len(elsewhere) != 1 || elsewhere[other.Machine] {
			t.Errorf("one has left another node: %v, %v", elsewhere, err)
		}
		delete(all, other.Machine)
		y.lost(lost)
		if elsewhere, err = y.Held(t.Context(), a, func() map[model.ID]bool { return all }); err != nil || len(elsewhere) != 1 || elsewhere[lost.Machine] {
			t.Errorf("one is written down as offline: %v, %v", elsewhere, err)
		} else if _, told := elsewhere[lost.Machine]; !told {
			t.Error("nobody says that it is offline")
		}
	})
}

// Settings keep their bounds, say which, and are changed by one at a time.
// TestAhead: how far a clock is off is kept from each hello, if it is off by a minute.
func TestAhead(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		from, _ := y.machine(model.NewID())
		for off, want := range map[time.Duration]time.Duration{
			0: 0, 59 * time.Second: 0, -59 * time.Second: 0, time.Hour + 300*time.Millisecond: time.Hour, -365 * 24 * time.Hour: -365 * 24 * time.Hour,
		} {
			from.At = time.Now()
			y.hello(model.Hello{From: from, Node: model.NewID(), Name: "pc", Clock: from.At.Add(off)})
			if m := y.get(from); m.Ahead != want {
				t.Errorf("a clock that is off by %v: %v", off, m.Ahead)
			}
		}
		y.hello(model.Hello{From: from, Node: model.NewID(), Name: "pc"})
		if m := y.get(from); m.Ahead != 0 {
			t.Errorf("a hello without a clock: %v", m.Ahead)
		}
	})
}

// TestLosses: what machines lost is added up, to a bound, and changes nothing else.
func TestLosses(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		from, _ := y.machine(model.NewID())
		other, _ := y.machine(model.NewID())
		lose := func(n int64) {
			y.update(func(tx *store.Tx) error {
				nobody := model.From{Organisation: y.ours, Machine: model.NewID()}
				return y.TakeLosses(tx, []model.Loss{{From: from, Messages: n}, {From: nobody, Messages: 1}, {From: from, Messages: 1}})
			})
		}
		lose(2)
		lose(3)
		if m := y.get(from); m.Lost != 7 || time.Since(m.LostAt) > time.Minute || !m.Online {
			t.Errorf("%+v", m)
		}
		lose(math.MaxInt64)
		if m := y.get(from); m.Lost != mostLost {
			t.Errorf("%d, at most %d", m.Lost, int64(mostLost))
		}
		if m := y.get(other); m.Lost != 0 || !m.LostAt.IsZero() {
			t.Errorf("the other: %+v", m)
		}
	})
}

// TestCutOff: a machine that was lost and has started anew was not shut down, unless
// it or its agent says otherwise; only that is among its changes.
func TestCutOff(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		from, since := y.machine(model.NewID())
		node := model.NewID()
		hello := func(boot string, left bool) {
			t.Helper()
			since = y.hello(model.Hello{From: from, Node: node, Name: "pc", Boot: boot, Left: left})
		}
		lose := func() { y.left(t.Context(), from, since, model.OfflineNone); y.lost(from) }
		told := 0
		want := func(what string, more int) {
			t.Helper()
			told += more
			var section, item, after string
			n := 0
			y.update(func(tx *store.Tx) error {
				err := tx.QueryRow("SELECT count(*) FROM fact_change WHERE machine_id = $1 AND {wall}", from.Machine).Scan(&n)
				if err != nil || n == 0 {
					return err
				}
				return tx.QueryRow("SELECT section, item, new FROM fact_change WHERE machine_id = $1 AND {wall} ORDER BY at DESC LIMIT 1", from.Machine).Scan(&section, &item, &after)
			})
			if n != told || n > 0 && (section != "os" || item != "restarted" || after != "without being shut down") {
				t.Errorf("%s: %d changes, want %d; the newest is %q %q %q", what, n, told, section, item, after)
			}
		}
		lose()
		hello("one", false)
		want("told for the first time", 0)
		lose()
		hello("one", false)
		want("a lost line", 0)
		lose()
		hello("two", false)
		want("lost, and started anew", 1)
		y.left(t.Context(), from, since, model.OfflineNone)
		hello("three", false)
		want("back before it was missed", 1)
		lose()
		hello("four", true)
		want("shut down where no console heard it", 0)
		for _, reason := range []model.OfflineReason{model.OfflineShutDown, model.OfflineAsleep, model.OfflineUnknown} {
			y.left(t.Context(), from, since, reason)
			hello("after "+string(reason), false)
			want(string(reason), 0)
		}
		lose()
		hello("", false)
		want("does not tell", 0)
		lose()
		hello("five", false)
		want("tells again", 0)
	})
}
