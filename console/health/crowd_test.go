package health

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/deskside/deskside/console/fleet"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

// A machine that claims too much is refused, not believed.
func TestBounds(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		pc := w.machine("pc")
		long := say(pc, "x", string(make([]byte, maxInstance+1)), model.AlertFiring)
		many, named, silent := say(pc, "x", "", model.AlertFiring), say(pc, "x", "", model.AlertFiring), say(pc, checkOffline, "", model.AlertResolved)
		named.Values = map[string]float64{strings.Repeat("x", maxName+1): 1}
		many.Values = map[string]float64{}
		for i := range maxDetails + 1 {
			many.Values[fmt.Sprint(i)] = 1
		}
		for _, x := range []model.Transition{long, many, named, silent, say(pc, "", "x", model.AlertFiring), say(pc, "x", "x", "burning")} {
			err := w.store.Update(t.Context(), system, func(tx *store.Tx) error { return w.TakeTransitions(tx, []model.Transition{x}) })
			if p := (*model.Problem)(nil); !errors.As(err, &p) {
				t.Errorf("%.40q %q: %v", x.Check, x.State, err)
			}
		}
	})
}

// However many alerts a machine has, one more is kept: beyond a crowd it joins a
// ticket that somebody works on, and the machine's silence has its own.
func TestCrowd(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		pc := w.machine("pc")
		for i := range maxTickets {
			w.fire(pc, fmt.Sprint("custom.", i), "x")
		}
		full := say(pc, "filesystem.full", "/", model.AlertFiring)
		full.Severity = model.SeverityCritical
		w.tell(full)
		alerts := w.alerts(Query{Check: "filesystem.full", Open: true})
		tickets := w.tickets()
		if len(alerts) != 1 || len(tickets) != maxTickets {
			t.Fatalf("one alert more: %d of it, %d tickets", len(alerts), len(tickets))
		}
		if last := tickets[len(tickets)-1]; alerts[0].Ticket != last.ID || last.Urgency != 1 {
			t.Errorf("it joined %s, the newest is %+v", alerts[0].Ticket, last)
		}
		w.update(func(tx *store.Tx) error {
			m, err := fleet.Get(tx, pc.Machine)
			if m.OpenAlerts != maxTickets+1 || m.Health != model.HealthCritical {
				t.Errorf("the machine is %s with %d alerts", m.Health, m.OpenAlerts)
			}
			worst, err2 := Worst(tx, []model.ID{pc.Machine})
			if worst[pc.Machine].Check != "filesystem.full" {
				t.Errorf("the worst is %s", worst[pc.Machine].Check)
			}
			return errors.Join(err, err2)
		})
		w.update(func(tx *store.Tx) error { // nobody works on any of them any more
			_, err := tx.Exec("UPDATE ticket SET state = 'closed' WHERE {wall}")
			return err
		})
		w.fire(pc, "memory.pressure", "")
		if n := len(w.tickets()); n != maxTickets+1 {
			t.Errorf("an alert that nobody would see: %d tickets", n)
		}
		w.update(func(tx *store.Tx) error { _, err := w.fleet.Lost(t.Context(), tx, pc.Machine); return err })
		w.update(func(tx *store.Tx) error { _, err := w.Silent(t.Context(), tx, pc.Machine); return err })
		if n := len(w.tickets()); n != maxTickets+2 {
			t.Errorf("with the machine's silence: %d tickets", n)
		}
	})
}

// At the end of all room the oldest warning of the same check gives way, and
// nothing of another check.
func TestGiveWay(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		pc := w.machine("pc")
		w.fire(pc, "filesystem.full", "/")
		start := time.Now().Add(time.Hour) // the disk's alert is older than all of these
		w.update(func(tx *store.Tx) error {
			for i := range maxOpen - 1 {
				a := model.Alert{ID: model.NewID(), Organisation: w.ours, Machine: pc.Machine, Check: "process.cpu", Instance: fmt.Sprint(i),
					State: model.AlertFiring, Severity: model.SeverityWarning, StartedAt: start.Add(time.Duration(i) * time.Second)}
				if i == 0 {
					a.Severity = model.SeverityCritical
				}
				if err := write(tx, &a); err != nil {
					return err
				}
			}
			return nil
		})
		w.fire(pc, "process.cpu", "one more")
		open := map[string]model.AlertState{}
		w.update(func(tx *store.Tx) error {
			list, err := query(tx, "a.machine_id = $1", pc.Machine)
			for _, a := range list {
				open[a.Check+" "+a.Instance] = a.State
			}
			return err
		})
		for name, want := range map[string]model.AlertState{"process.cpu one more": model.AlertFiring, "process.cpu 0": model.AlertFiring,
			"process.cpu 1": model.AlertResolved, "process.cpu 2": model.AlertFiring, "filesystem.full /": model.AlertFiring} {
			if open[name] != want {
				t.Errorf("%s is %q, not %s", name, open[name], want)
			}
		}
		w.fire(pc, "service.stopped", "cups")
		if n := len(w.alerts(Query{Check: "service.stopped", Open: true})); n != 1 {
			t.Errorf("%d alerts of a check that had none", n)
		}
		err := w.store.Update(t.Context(), system, func(tx *store.Tx) error {
			return w.TakeTransitions(tx, []model.Transition{say(pc, "nobody.knows", "x", model.AlertFiring)})
		})
		if p := (*model.Problem)(nil); !errors.As(err, &p) {
			t.Errorf("a name that no check has: %v", err)
		}
	})
}

// A machine whose alerts come and go has no more tickets than one whose alerts
// stay, and not more and more rows.
func TestComeAndGo(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		pc := w.machine("pc")
		for i := range maxTickets + 5 {
			check := fmt.Sprint("custom.", i)
			w.fire(pc, check, "x")
			w.clear(pc, check, "x")
		}
		tickets := w.tickets()
		if len(tickets) != maxTickets {
			t.Errorf("%d tickets", len(tickets))
		}
		w.fire(pc, "filesystem.full", "/")
		if now := w.tickets(); len(now) != maxTickets || !now[len(now)-1].Active() {
			t.Errorf("what stays has no ticket that anybody works on: %d tickets", len(now))
		}
		w.update(func(tx *store.Tx) error {
			_, err := tx.Exec("UPDATE alert SET changed_at = changed_at - $1 WHERE {wall}", crowdFor.Microseconds())
			return err
		})
		w.fire(pc, "memory.pressure", "")
		if n := len(w.tickets()); n != maxTickets+1 {
			t.Errorf("an hour later: %d tickets", n)
		}
		w.update(func(tx *store.Tx) error {
			for i := range keptResolved + 10 {
				a := model.Alert{ID: model.NewID(), Organisation: w.ours, Machine: pc.Machine, Check: "old", State: model.AlertResolved,
					ChangedAt: time.Now().Add(time.Duration(i-100_000) * time.Second)}
				if err := write(tx, &a); err != nil {
					return err
				}
			}
			return nil
		})
		w.fire(pc, "process.cpu", "sh")
		w.update(func(tx *store.Tx) error {
			var resolved, firing int
			err := tx.QueryRow("SELECT count(CASE WHEN state = 'resolved' THEN 1 END), count(CASE WHEN state = 'firing' THEN 1 END) FROM alert WHERE machine_id = $1", pc.Machine).Scan(&resolved, &firing)
			if resolved != keptResolved || firing != 3 {
				t.Errorf("%d resolved alerts are kept, %d fire", resolved, firing)
			}
			return err
		})
	})
}

// A shared thing is as the machine says that told of it first, and no other.
func TestThingOfAnother(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		one, two := w.machine("one"), w.machine("two")
		tell := func(who model.From, state model.AlertState) {
			x := say(who, "printer.jammed", "lp0", state)
			x.Thing = "printer 3rd floor"
			w.tell(x)
		}
		tell(one, model.AlertFiring)
		for _, state := range []model.AlertState{model.AlertFiring, model.AlertUnknown, model.AlertResolved} {
			tell(two, state)
			if list := w.alerts(Query{Open: true}); len(list) != 1 || list[0].Machine != one.Machine || list[0].Count != 1 || list[0].State != model.AlertFiring {
				t.Errorf("another machine says %s: %+v", state, list)
			}
		}
		tell(one, model.AlertResolved)
		if list := w.alerts(Query{Open: true}); len(list) != 0 {
			t.Errorf("it does not end: %+v", list)
		}
	})
}
