package health

import (
	"fmt"
	"sync"
	"testing"

	"github.com/deskside/deskside/console/fleet"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

// Of two alerts of one ticket that resolve at once, one sees that it was the
// last.
func TestTwoResolveAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		for round := range 10 {
			pc := w.machine(fmt.Sprint("pc", round))
			w.fire(pc, "filesystem.full", "/")
			w.fire(pc, "filesystem.full", "/home")
			var group sync.WaitGroup
			for _, disk := range []string{"/", "/home"} {
				group.Go(func() {
					err := w.store.Update(t.Context(), system, func(tx *store.Tx) error {
						return w.TakeTransitions(tx, []model.Transition{say(pc, "filesystem.full", disk, model.AlertResolved)})
					})
					if err != nil {
						t.Error(err)
					}
				})
			}
			group.Wait()
			tickets := w.tickets()
			if len(tickets) != round+1 || tickets[round].State != model.TicketResolved {
				t.Fatalf("round %d: %d tickets, the last %s", round, len(tickets), tickets[len(tickets)-1].State)
			}
			w.update(func(tx *store.Tx) error {
				m, err := fleet.Get(tx, pc.Machine)
				if m.Health != model.HealthOK || m.OpenAlerts != 0 {
					t.Errorf("round %d: the machine is %s with %d alerts", round, m.Health, m.OpenAlerts)
				}
				return err
			})
		}
	})
}

// The same where they are of two machines, which have nothing in common but the
// ticket.
func TestTwoMachinesResolveAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		w.settings(func(s *model.Settings) { s.StormMachines = 2 })
		w.fire(w.machine("the first, which keeps its own ticket"), "filesystem.full", "/")
		for round := range 10 {
			machines := []model.From{w.machine(fmt.Sprint("a", round)), w.machine(fmt.Sprint("b", round))}
			for _, m := range machines {
				w.fire(m, "filesystem.full", "/")
			}
			var group sync.WaitGroup
			for _, m := range machines {
				group.Go(func() {
					err := w.store.Update(t.Context(), system, func(tx *store.Tx) error {
						return w.TakeTransitions(tx, []model.Transition{say(m, "filesystem.full", "/", model.AlertResolved)})
					})
					if err != nil {
						t.Error(err)
					}
				})
			}
			group.Wait()
			for _, ticket := range w.tickets() {
				if ticket.Kind == model.KindProblem && ticket.State != model.TicketResolved {
					t.Fatalf("round %d: the ticket of both is %s", round, ticket.State)
				}
			}
		}
	})
}
