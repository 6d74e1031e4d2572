package health

import (
	"fmt"
	"testing"

	"github.com/deskside/deskside/console/desk"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

func TestAsked(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		pc, other := w.machine("pc"), w.machine("other")
		w.fire(pc, "process.cpu", "before")
		w.clear(pc, "process.cpu", "before")
		w.fire(pc, "filesystem.full", "/")
		w.fire(pc, "process.cpu", "sh")
		w.fire(other, "filesystem.full", "/")
		opened := w.tickets()
		scope := store.Scope{Actor: store.Actor{Kind: "requester", ID: model.NewID(), Name: "Anna"}, Organisations: []model.ID{w.ours}}
		ask, err := w.desk.Open(t.Context(), scope, desk.NewTicket{Organisation: w.ours, Says: "It is slow.", Source: model.SourcePerson,
			Machines: []desk.MachineRef{{ID: pc.Machine, Name: "pc"}}})
		if err != nil {
			t.Fatal(err)
		}
		w.fire(pc, "memory.pressure", "after")
		names := func(ticket model.ID) (all string) {
			t.Helper()
			listed := map[model.ID]bool{}
			for _, a := range w.alerts(Query{Ticket: ticket}) {
				listed[a.ID] = true
			}
			w.update(func(tx *store.Tx) error {
				all = ""
				list, err := OfTicket(tx, ticket)
				for _, a := range list {
					all += a.Check + " " + a.Instance + ", "
					if !listed[a.ID] {
						t.Errorf("the list of alerts leaves out %s", a.Check)
					}
				}
				if len(list) != len(listed) {
					t.Errorf("%d alerts, and %d in the list", len(list), len(listed))
				}
				return err
			})
			return all
		}
		const want = "filesystem.full /, process.cpu sh, "
		if got := names(ask.ID); got != want {
			t.Errorf("the ticket is about %s not %s", got, want)
		}
		w.clear(pc, "filesystem.full", "/")
		w.clear(pc, "process.cpu", "sh")
		if got := names(ask.ID); got != want {
			t.Errorf("when they are gone it is about %s", got)
		}
		now := w.tickets()
		for i, was := range opened {
			if was.Requester.ID != (model.ID{}) || was.ID == opened[len(opened)-1].ID {
				continue // the last one is of the other machine
			}
			if now[i].State != model.TicketResolved {
				t.Errorf("the ticket that an alert opened is %s", now[i].State)
			}
		}
		if asked := now[len(opened)]; asked.ID != ask.ID || asked.State != model.TicketNew {
			t.Errorf("the person's ticket is %s", asked.State)
		}
	})
}

func TestAskedWithoutMachine(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		pc := w.machine("pc")
		w.fire(pc, "process.cpu", "before")
		w.clear(pc, "process.cpu", "before")
		w.fire(pc, "filesystem.full", "/")
		scope := store.Scope{Actor: store.Actor{Kind: "person", ID: model.NewID(), Name: "Anna"}, Organisations: []model.ID{w.ours}}
		call, err := w.desk.Open(t.Context(), scope, desk.NewTicket{Organisation: w.ours, Says: "It is slow.", Source: model.SourcePerson})
		if err != nil {
			t.Fatal(err)
		}
		w.fire(pc, "process.cpu", "sh")
		about := func(want ...string) {
			t.Helper()
			var got []string
			w.update(func(tx *store.Tx) error {
				got = nil
				list, err := OfTicket(tx, call.ID)
				for _, a := range list {
					got = append(got, a.Instance)
				}
				return err
			})
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("the ticket is about %v, not %v", got, want)
			}
		}
		about()
		told := desk.Change{Version: call.Version, Machines: &[]desk.MachineRef{{ID: pc.Machine, Name: "pc"}}}
		if call, err = w.desk.Change(t.Context(), scope, call.ID, told); err != nil {
			t.Fatal(err)
		}
		w.fire(pc, "memory.pressure", "after")
		about("/", "sh")
		if _, err := w.desk.Change(t.Context(), scope, call.ID, desk.Change{Version: call.Version, Machines: &[]desk.MachineRef{}}); err != nil {
			t.Fatal(err)
		}
		about()
	})
}
