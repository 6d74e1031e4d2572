package health

import (
	"strings"
	"testing"
	"time"

	"github.com/deskside/deskside/console/desk"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

func TestSilence(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		pc := w.machine("pc")
		w.fire(pc, "process.cpu", "sh")
		ticket := w.tickets()[0].ID
		handle := func(fn func(tx *store.Tx) error) { t.Helper(); w.update(fn) }
		gone := func() {
			t.Helper()
			handle(func(tx *store.Tx) error { _, err := w.fleet.Lost(t.Context(), tx, pc.Machine); return err })
			handle(func(tx *store.Tx) error { _, err := w.Gone(t.Context(), tx, pc.Machine); return err })
		}
		back := func() {
			t.Helper()
			w.connect(pc)
			handle(func(tx *store.Tx) error { _, err := w.Back(t.Context(), tx, pc.Machine); return err })
		}
		state := func(check string) (list []model.AlertState) {
			t.Helper()
			for _, a := range w.alerts(Query{Check: check}) {
				list = append(list, a.State)
			}
			return list
		}
		gone()
		if s := state("process.cpu"); len(s) != 1 || s[0] != model.AlertUnknown {
			t.Errorf("of the silent machine: %v", s)
		}
		if now := w.tickets()[0]; !now.Active() {
			t.Errorf("silence made the ticket %s", now.State)
		}
		back()
		if s := state("process.cpu"); len(s) != 1 || s[0] != model.AlertFiring {
			t.Errorf("back again: %v", s)
		}
		w.tell(say(pc, "process.cpu", "sh", model.AlertUnknown)) // it says so itself
		gone()
		back()
		if s := state("process.cpu"); len(s) != 1 || s[0] != model.AlertUnknown {
			t.Errorf("what the machine itself cannot tell, when it is back: %v", s)
		}
		w.fire(pc, "process.cpu", "sh")
		gone()
		handle(func(tx *store.Tx) error { _, err := w.Silent(t.Context(), tx, pc.Machine); return err })
		handle(func(tx *store.Tx) error { _, err := w.Silent(t.Context(), tx, pc.Machine); return err })
		if s := state("machine.offline"); len(s) != 1 || s[0] != model.AlertFiring {
			t.Errorf("its silence: %v", s)
		}
		back()
		if s := state("machine.offline"); len(s) != 1 || s[0] != model.AlertResolved {
			t.Errorf("its silence when it is back: %v", s)
		}
		handle(func(tx *store.Tx) error { _, err := w.Silent(t.Context(), tx, pc.Machine); return err }) // too late
		if s := state("machine.offline"); len(s) != 1 {
			t.Errorf("a silence that is over: %v", s)
		}
		w.clear(pc, "process.cpu", "sh")
		handle(func(tx *store.Tx) error {
			now, err := desk.Get(tx, ticket)
			if now.State != model.TicketResolved {
				t.Errorf("in the end the ticket is %s", now.State)
			}
			return err
		})
	})
}

func TestSilenceSaysWhy(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		offline := func(pc model.From, since time.Time, reason model.OfflineReason) (list []AlertOf) {
			t.Helper()
			if err := w.fleet.Disconnected(t.Context(), pc, since, reason, false); err != nil {
				t.Fatal(err)
			}
			w.gone()
			var planned int
			w.update(func(tx *store.Tx) error {
				return tx.QueryRow("SELECT count(*) FROM due WHERE kind = $1 AND id = $2", KindSilent, pc.Machine).Scan(&planned)
			})
			if silent := reason == model.OfflineCrashed; (planned == 1) != silent {
				t.Errorf("%s: %d rows wait to tell of its silence", reason, planned)
			}
			w.update(func(tx *store.Tx) error { _, err := w.Silent(t.Context(), tx, pc.Machine); return err })
			return w.alerts(Query{Machine: pc.Machine})
		}
		for _, reason := range []model.OfflineReason{model.OfflineAsleep, model.OfflineShutDown, model.OfflineUpdating, model.OfflineUnknown} {
			pc := w.machine(string(reason))
			if list := offline(pc, w.connect(pc), reason); len(list) != 0 {
				t.Errorf("%s: %s", reason, list[0].Finding.EN)
			}
		}
		crashed := w.machine("crashed")
		list := offline(crashed, w.connect(crashed), model.OfflineCrashed)
		if len(list) != 1 || !strings.Contains(list[0].Finding.EN, ": agent ended unexpectedly.") || !strings.Contains(list[0].Finding.PL, ": agent zakończył się nieoczekiwanie.") {
			t.Errorf("crashed: %+v", list)
		}
		lost := w.machine("lost")
		w.update(func(tx *store.Tx) error { _, err := w.fleet.Lost(t.Context(), tx, lost.Machine); return err })
		w.gone()
		w.update(func(tx *store.Tx) error { _, err := w.Silent(t.Context(), tx, lost.Machine); return err })
		list = w.alerts(Query{Machine: lost.Machine})
		if len(list) != 1 || !strings.Contains(list[0].Finding.EN, ": connection lost.") || !strings.Contains(list[0].Finding.PL, ": utracone połączenie.") {
			t.Errorf("lost: %+v", list)
		}
		back := w.machine("back")
		w.update(func(tx *store.Tx) error { _, err := w.fleet.Lost(t.Context(), tx, back.Machine); return err })
		w.gone()
		since := w.connect(back) // and leaves before anything else is done about it
		if err := w.fleet.Disconnected(t.Context(), back, since, model.OfflineShutDown, false); err != nil {
			t.Fatal(err)
		}
		w.update(func(tx *store.Tx) error { _, err := w.Back(t.Context(), tx, back.Machine); return err })
		w.gone()
		w.update(func(tx *store.Tx) error { _, err := w.Silent(t.Context(), tx, back.Machine); return err })
		if list := w.alerts(Query{Machine: back.Machine}); len(list) != 0 {
			t.Errorf("it shut down after a short cut: %s", list[0].Finding.EN)
		}
	})
}
