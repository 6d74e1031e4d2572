package health

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/deskside/deskside/console/desk"
	"github.com/deskside/deskside/console/fleet"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/console/store/storetest"
)

var system = store.System("test")

// ward is the health of one organisation.
type ward struct {
	*Health
	t     *testing.T
	fleet *fleet.Fleet
	desk  *desk.Desk
	ours  model.ID
}

func each(t *testing.T, fn func(*testing.T, *ward)) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		log := slog.New(slog.DiscardHandler)
		fn(t, &ward{Health: New(s, log), t: t, fleet: fleet.New(s, log), desk: desk.New(s, log), ours: model.NewID()})
	})
}

func (w *ward) update(fn func(*store.Tx) error) {
	w.t.Helper()
	if err := w.store.Update(w.t.Context(), system, fn); err != nil {
		w.t.Fatal(err)
	}
}

func (w *ward) settings(change func(*model.Settings)) {
	w.t.Helper()
	w.update(func(tx *store.Tx) error {
		s, err := fleet.Settings(tx, w.ours)
		if err != nil {
			return err
		}
		change(&s)
		return fleet.SetSettings(tx, w.ours, s)
	})
}

func (w *ward) machine(name string) model.From {
	w.t.Helper()
	scope := store.Scope{Organisations: []model.ID{w.ours}}
	e, err := w.fleet.NewEnrolment(w.t.Context(), scope, w.ours, 1, time.Hour)
	if err != nil {
		w.t.Fatal(err)
	}
	key := model.NewID()
	m, err := w.fleet.Enrol(w.t.Context(), model.Newcomer{Organisation: w.ours, Secret: e.Secret, Key: key[:], Name: name, OS: model.OS{Family: "linux"}})
	if err != nil {
		w.t.Fatal(err)
	}
	from := model.From{Organisation: w.ours, Machine: m.ID}
	w.connect(from)
	return from
}

func (w *ward) connect(from model.From) time.Time {
	w.t.Helper()
	came, err := w.fleet.Connected(w.t.Context(), []model.Hello{{From: from, Node: model.NewID(), Name: "pc"}})
	if err != nil {
		w.t.Fatal(err)
	}
	return came[0].Since
}

func say(from model.From, check, instance string, state model.AlertState) model.Transition {
	return model.Transition{From: from, Episode: model.NewID(), Check: check, Instance: instance, State: state, Severity: model.SeverityWarning,
		StartedAt: time.Now(), ChangedAt: time.Now()}
}

func (w *ward) tell(list ...model.Transition) {
	w.t.Helper()
	w.update(func(tx *store.Tx) error { return w.TakeTransitions(tx, list) })
}

func (w *ward) fire(from model.From, check, instance string) {
	w.t.Helper()
	w.tell(say(from, check, instance, model.AlertFiring))
}

func (w *ward) clear(from model.From, check, instance string) {
	w.t.Helper()
	w.tell(say(from, check, instance, model.AlertResolved))
}

func (w *ward) alerts(q Query) (list []AlertOf) {
	w.t.Helper()
	q.Limit = 500
	w.update(func(tx *store.Tx) error { page, err := List(tx, q); list = page.Items; return err })
	return list
}

func (w *ward) tickets() (list []model.Ticket) {
	w.t.Helper()
	w.update(func(tx *store.Tx) error {
		page, err := desk.List(tx, desk.Query{Request: store.Request{Limit: 500, Sort: "number"}})
		list = page.Items
		return err
	})
	return list
}

// TestJudged: a machine that cannot judge all of its checks is worse than well, and
// better than one where something fires.
func TestJudged(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		pc := w.machine("pc")
		is := func(want model.Health) {
			t.Helper()
			w.update(func(tx *store.Tx) error {
				m, err := fleet.Get(tx, pc.Machine)
				if m.Health != want {
					t.Errorf("%s, want %s", m.Health, want)
				}
				return err
			})
		}
		w.Judged(t.Context(), pc, true)
		is(model.HealthUnknown)
		w.fire(pc, "memory.pressure", "")
		is(model.HealthWarning)
		w.Judged(t.Context(), pc, false) // as a machine says that has both
		is(model.HealthWarning)
		w.Judged(t.Context(), pc, true)
		w.clear(pc, "memory.pressure", "")
		is(model.HealthUnknown)
		w.Judged(t.Context(), pc, false)
		is(model.HealthOK)
		w.Judged(t.Context(), model.From{Organisation: w.ours, Machine: model.NewID()}, true) // one that is not there
	})
}

// Ten repeats of one condition are one ticket; each is an alert of its own.
func TestTenRepeats(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		pc := w.machine("pc")
		for range 10 {
			w.fire(pc, "filesystem.full", "/")
			w.clear(pc, "filesystem.full", "/")
		}
		tickets := w.tickets()
		if len(tickets) != 1 || tickets[0].State != model.TicketResolved || tickets[0].Resolution == nil || tickets[0].Resolution.Kind != "condition_cleared" ||
			tickets[0].Resolution.Text == "" {
			t.Errorf("%d tickets, the first %+v", len(tickets), tickets[0])
		}
		if n := len(w.alerts(Query{State: "resolved"})); n != 10 {
			t.Errorf("%d alerts", n)
		}
		w.fire(pc, "filesystem.full", "/")
		if tickets := w.tickets(); len(tickets) != 1 || tickets[0].State != model.TicketNew {
			t.Errorf("when it comes back: %+v", tickets)
		}
	})
}

// Alerts of one machine and family join the ticket while its window is open.
func TestJoinWindow(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		pc, other := w.machine("pc"), w.machine("other")
		w.fire(pc, "filesystem.full", "/")
		w.fire(pc, "filesystem.full", "/home")
		if n := len(w.tickets()); n != 1 {
			t.Errorf("a second disk at once: %d tickets", n)
		}
		w.fire(other, "filesystem.full", "/")
		w.fire(pc, "process.cpu", "sh")
		if n := len(w.tickets()); n != 3 {
			t.Errorf("another machine and another family: %d tickets", n)
		}
		w.update(func(tx *store.Tx) error {
			_, err := tx.Exec("UPDATE ticket SET join_until = $1 WHERE {wall}", store.Micros(tx.Now()))
			return err
		})
		w.fire(pc, "filesystem.full", "/srv")
		if n := len(w.tickets()); n != 4 {
			t.Errorf("after the window: %d tickets", n)
		}
	})
}

// When many machines have one check at once, those beyond the limit are one
// ticket.
func TestStorm(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		w.settings(func(s *model.Settings) { s.StormMachines = 4 })
		var machines []model.From
		for i := range 12 {
			machines = append(machines, w.machine(fmt.Sprint("pc", i)))
			w.fire(machines[i], "service.stopped", "cups")
		}
		tickets := w.tickets()
		if len(tickets) != 4 || tickets[3].Kind != model.KindProblem {
			t.Fatalf("%d tickets, the last %+v", len(tickets), tickets[len(tickets)-1])
		}
		w.update(func(tx *store.Tx) error {
			list, err := desk.MachinesOf(tx, tickets[3].ID)
			if n := len(list[tickets[3].ID]); n != 9 {
				t.Errorf("%d machines in the storm's ticket", n)
			}
			page, tellErr := desk.Timeline(tx, tickets[3].ID, store.Request{})
			if len(page.Items) != 9 {
				t.Errorf("the timeline tells of %d of 9 machines", len(page.Items))
			}
			err = errors.Join(err, tellErr)
			return err
		})
		for i, m := range machines {
			w.clear(m, "service.stopped", "cups")
			if last := w.tickets()[3]; (last.State == model.TicketResolved) != (i == 11) {
				t.Errorf("after %d of 12 machines are well the storm's ticket is %s", i+1, last.State)
			}
		}
	})
}

// A ticket that a person has touched does not resolve by itself; it says that
// the condition is gone.
func TestTouched(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		pc := w.machine("pc")
		w.fire(pc, "process.cpu", "sh")
		ticket := w.tickets()[0]
		scope := store.Scope{Actor: store.Actor{Kind: "person", ID: model.NewID(), Name: "Anna"}, Organisations: []model.ID{w.ours}}
		if _, err := w.desk.Note(t.Context(), scope, ticket.ID, "I look at it."); err != nil {
			t.Fatal(err)
		}
		w.clear(pc, "process.cpu", "sh")
		if now := w.tickets()[0]; !now.Active() {
			t.Errorf("the touched ticket is %s", now.State)
		}
		cleared := 0
		w.update(func(tx *store.Tx) error {
			page, err := desk.Timeline(tx, ticket.ID, store.Request{})
			for _, i := range page.Items {
				if i.Kind == model.ItemAlert && i.Reason == "cleared" {
					cleared++
				}
			}
			return err
		})
		if cleared != 1 {
			t.Errorf("the timeline says %d times that it is gone", cleared)
		}
	})
}

// A ticket waits as long as the settings say before it resolves by itself; what
// comes back meanwhile keeps it.
func TestSettled(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		pc := w.machine("pc")
		w.settings(func(s *model.Settings) { s.AutoResolveAfter = time.Hour })
		settled := func(ticket model.ID) {
			w.update(func(tx *store.Tx) error { _, err := w.Settled(t.Context(), tx, ticket); return err })
		}
		w.fire(pc, "filesystem.full", "/")
		w.clear(pc, "filesystem.full", "/")
		ticket := w.tickets()[0]
		if !ticket.Active() {
			t.Fatalf("at once the ticket is %s", ticket.State)
		}
		w.fire(pc, "filesystem.full", "/")
		settled(ticket.ID)
		if now := w.tickets()[0]; !now.Active() {
			t.Errorf("with an open alert the ticket is %s", now.State)
		}
		w.clear(pc, "filesystem.full", "/")
		settled(ticket.ID)
		now := w.tickets()[0]
		if len(w.tickets()) != 1 || now.State != model.TicketResolved || now.Resolution.Kind != "condition_cleared" || now.Resolution.Text == "" {
			t.Errorf("in the end: %+v", now)
		}
	})
}

// Many machines that tell the same shared thing at once are one alert and one
// ticket.
func TestSharedThing(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		var machines []model.From
		for i := range 8 {
			machines = append(machines, w.machine(fmt.Sprint("pc", i)))
		}
		var group sync.WaitGroup
		for _, m := range machines {
			group.Go(func() {
				x := say(m, "printer.jammed", "lp0", model.AlertFiring)
				x.Thing = "printer 3rd floor"
				if err := w.store.Update(t.Context(), system, func(tx *store.Tx) error { return w.TakeTransitions(tx, []model.Transition{x}) }); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if n, m := len(w.alerts(Query{})), len(w.tickets()); n != 1 || m != 1 {
			t.Errorf("%d alerts, %d tickets", n, m)
		}
	})
}

// A silent machine makes its alerts unknown, never resolved; back again they
// fire until it says otherwise. Its own silence is an alert, and ends.
// Silence is told with its reason, in both languages. A machine that said goodbye is
// not silent: neither at once nor where it had been silent a moment before.
// A ticket that a person opens is about the alerts that were open on its machine
// then; they stay with the ticket that they opened.
// A ticket that is told its machine later is about what was open there until then.
// That a condition cleared and that its ticket is resolved are two things, and
// the timeline says them with two sentences.
func TestClearedIsNotResolved(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		pc := w.machine("pc")
		w.fire(pc, "filesystem.full", "/")
		w.clear(pc, "filesystem.full", "/")
		ticket := w.tickets()[0].ID
		w.update(func(tx *store.Tx) error {
			page, err := desk.Timeline(tx, ticket, store.Request{})
			if err != nil || len(page.Items) != 3 || page.Items[1].Reason != "cleared" || page.Items[2].Reason != "condition_cleared" {
				t.Fatalf("%+v %v", page.Items, err)
			}
			var words [2]struct{ Finding model.Words }
			for i, item := range page.Items[1:] {
				if err := json.Unmarshal(item.Data, &words[i]); err != nil {
					return err
				}
			}
			cleared, resolved := words[0].Finding, words[1].Finding
			if cleared.EN == resolved.EN || cleared.PL == resolved.PL || resolved.EN == resolved.PL || page.Items[1].Text == page.Items[2].Text {
				t.Errorf("%q and %q", cleared, resolved)
			}
			return nil
		})
	})
}

// Words tell the time as the clock shows it where the machine stands; a zone that
// is none is UTC.
func TestPlaceOfWords(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		pc := w.machine("pc")
		begun := time.Date(time.Now().Year(), time.January, 5, 7, 12, 0, 0, time.UTC)
		if time.Since(begun) > 30*24*time.Hour {
			begun = time.Now().UTC().Truncate(24 * time.Hour).Add(-24*time.Hour + 7*time.Hour + 12*time.Minute)
		}
		for zone, clock := range map[int]string{3600: "08:12", -5 * 3600: "02:12", 0: "07:12", 1 << 30: "07:12"} {
			on := say(pc, "service.stopped", fmt.Sprint(zone), model.AlertFiring)
			on.StartedAt, on.Zone, on.Texts = begun, zone, map[string]string{"service": "cups"}
			w.tell(on)
			for _, a := range w.alerts(Query{Check: "service.stopped"}) {
				if a.Instance == on.Instance && !strings.Contains(a.Finding.EN+a.Plain.EN, clock) {
					t.Errorf("zone %d: %q %q", zone, a.Finding.EN, a.Plain.EN)
				}
			}
		}
	})
}
