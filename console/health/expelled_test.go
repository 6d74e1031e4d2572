package health

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/deskside/deskside/console/desk"
	"github.com/deskside/deskside/console/fleet"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/console/store/schema"
)

// expel expels a machine.
func (w *ward) expel(from model.From) {
	w.t.Helper()
	scope := store.Scope{Actor: store.Actor{Kind: "person", Name: "Anna"}, Organisations: []model.ID{w.ours}}
	if _, err := w.fleet.Revoke(w.t.Context(), scope, from.Machine.String(), nil); err != nil {
		w.t.Fatal(err)
	}
}

// gone handles the due rows by which health hears of machines that are gone, and
// tells how often it was called.
func (w *ward) gone() (calls int) {
	w.t.Helper()
	for {
		var due []model.ID
		w.update(func(tx *store.Tx) error {
			var err error
			due, err = store.Collect(tx, func(r *store.Rows) (id model.ID, err error) { return id, r.Scan(&id) },
				"SELECT id FROM due WHERE kind = $1", fleet.KindGone)
			return err
		})
		if len(due) == 0 {
			return calls
		}
		for _, id := range due {
			calls++
			w.update(func(tx *store.Tx) error {
				next, err := w.Gone(w.t.Context(), tx, id)
				if err == nil && next.IsZero() {
					err = tx.NotDue(fleet.KindGone, id)
				}
				return err
			})
		}
	}
}

func (w *ward) reasons(ticket model.ID) (list []string) {
	w.t.Helper()
	w.update(func(tx *store.Tx) error {
		page, err := desk.Timeline(tx, ticket, store.Request{})
		for _, i := range page.Items {
			list = append(list, string(i.By.Kind)+" "+i.Reason)
		}
		return err
	})
	return list
}

// The alerts of a machine that is expelled end with that, and say so: whatever
// they were, and with them the tickets that nobody has touched.
func TestExpelled(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		pc, other := w.machine("pc"), w.machine("other")
		w.settings(func(s *model.Settings) { s.StormMachines = 2 })
		w.fire(pc, "filesystem.full", "/")
		w.fire(pc, "filesystem.full", "/home")
		w.fire(pc, "process.cpu", "sh")
		w.fire(other, "process.cpu", "sh") // a storm, of one machine less than one
		w.fire(pc, "service.stopped", "cups")
		tickets := w.tickets()
		disk, storm, touched := tickets[0].ID, tickets[2].ID, tickets[3].ID
		anna := store.Scope{Actor: store.Actor{Kind: "person", ID: model.NewID(), Name: "Anna"}, Organisations: []model.ID{w.ours}}
		if _, err := w.desk.Note(t.Context(), anna, touched, "I look at it."); err != nil {
			t.Fatal(err)
		}
		w.update(func(tx *store.Tx) error { _, err := w.fleet.Lost(t.Context(), tx, pc.Machine); return err })
		w.gone()
		w.update(func(tx *store.Tx) error { _, err := w.Silent(t.Context(), tx, pc.Machine); return err })
		if n := len(w.alerts(Query{Machine: pc.Machine, Open: true})); n != 5 {
			t.Fatalf("%d alerts are open", n)
		}
		w.expel(pc)
		w.tell(say(pc, "memory.pressure", "", model.AlertFiring)) // it was on its way
		w.gone()
		for _, a := range w.alerts(Query{Machine: pc.Machine}) {
			if a.State != model.AlertResolved || a.End != model.EndExpelled || a.Check == "memory.pressure" ||
				!strings.Contains(a.Done.EN, "no longer in our care") || a.Done.Empty() {
				t.Errorf("%s is %s: %q, %+v", a.Check, a.State, a.End, a.Done)
			}
		}
		if list := w.alerts(Query{Machine: other.Machine}); len(list) != 1 || list[0].State != model.AlertFiring {
			t.Errorf("of the other machine: %+v", list)
		}
		for _, now := range w.tickets() {
			active := now.ID == storm || now.ID == touched
			if now.Active() != active {
				t.Errorf("ticket %d is %s", now.Number, now.State)
			}
			if !active && (now.Resolution == nil || now.Resolution.Kind != "expelled" || !strings.Contains(now.Resolution.Text, "taken off the console") || now.Resolution.Plain.Empty()) {
				t.Errorf("ticket %d resolved by %+v", now.Number, now.Resolution)
			}
		}
		want := "machine opened, machine joined, system expelled, system expelled, system expelled"
		if list := strings.Join(w.reasons(disk), ", "); list != want {
			t.Errorf("the ticket of the disks tells %s, want %s", list, want)
		}
		if list := w.reasons(touched); list[len(list)-1] != "system expelled" {
			t.Errorf("the ticket that somebody has: %q", list)
		}
		w.update(func(tx *store.Tx) error {
			m, err := fleet.Get(tx, pc.Machine)
			if m.OpenAlerts != 0 {
				t.Errorf("the machine has %d open alerts", m.OpenAlerts)
			}
			return err
		})
	})
}

// Very many alerts end in parts; where tickets wait before they resolve, they say
// the same in the end.
func TestManyExpelled(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		pc := w.machine("pc")
		w.settings(func(s *model.Settings) { s.AutoResolveAfter = time.Hour })
		var list []model.Transition
		for i := range 2*atOnce + 1 {
			list = append(list, say(pc, "service.stopped", fmt.Sprint(i), model.AlertFiring))
		}
		w.tell(list...)
		w.expel(pc)
		if calls := w.gone(); calls != 3 {
			t.Errorf("%d alerts end in %d parts", len(list), calls)
		}
		if n := len(w.alerts(Query{Open: true})); n != 0 {
			t.Errorf("%d alerts are open", n)
		}
		ticket := w.tickets()[0]
		w.update(func(tx *store.Tx) error { _, err := w.Settled(t.Context(), tx, ticket.ID); return err })
		if now := w.tickets()[0]; now.Resolution == nil || now.Resolution.Kind != "expelled" {
			t.Errorf("the ticket is %s: %+v", now.State, now.Resolution)
		}
	})
}

// Alerts of a machine that an older console expelled end when the database is
// brought up to date.
func TestExpelledBefore(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		pc := w.machine("pc")
		w.machine("stays")
		w.fire(pc, "process.cpu", "sh")
		w.expel(pc)
		w.update(func(tx *store.Tx) error { return tx.NotDue(fleet.KindGone, pc.Machine) })
		files, err := schema.Files("postgres") // it has no types: both take this text
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if f.Name == "0401_expelled" {
				w.update(func(tx *store.Tx) error {
					_, err := tx.Exec(strings.Replace(f.SQL, "WHERE revoked", "WHERE revoked AND {wall}", 1))
					return err
				})
			}
		}
		if calls := w.gone(); calls != 1 || len(w.alerts(Query{Open: true})) != 0 {
			t.Errorf("%d machines were looked at, %d alerts are open", calls, len(w.alerts(Query{Open: true})))
		}
	})
}
