package desk

import (
	"fmt"
	"slices"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

// MachineRef is a machine as a ticket knows it.
type MachineRef struct {
	ID   model.ID
	Name string
}

// addMachine says that a ticket is about a machine from now on, and tells whether it
// was not before: then it is to be found by its name too, see [index].
func addMachine(tx *store.Tx, t model.Ticket, m MachineRef) (added bool, err error) {
	n, err := tx.Exec(`INSERT INTO ticket_machine (ticket_id, machine_id, organisation_id, name, added_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (ticket_id, machine_id) DO NOTHING`, t.ID, m.ID, t.Organisation, m.Name, store.Micros(tx.Now()))
	if err != nil {
		return false, fmt.Errorf("link a machine to a ticket: %w", err)
	}
	return n > 0, nil
}

// setMachines makes a ticket about these machines and no others, and returns what
// the timeline says of it: nothing where they are the same.
func setMachines(tx *store.Tx, t model.Ticket, machines []MachineRef, by model.Actor) ([]model.Item, error) {
	were, err := MachinesOf(tx, t.ID)
	if err != nil {
		return nil, err
	}
	added, removed := without(machines, were[t.ID]), without(were[t.ID], machines)
	if len(added)+len(removed) == 0 {
		return nil, nil
	}
	for _, m := range removed {
		if _, err := tx.Exec("DELETE FROM ticket_machine WHERE ticket_id = $1 AND machine_id = $2 AND {wall}", t.ID, m.ID); err != nil {
			return nil, fmt.Errorf("take a machine away from a ticket: %w", err)
		}
	}
	for _, m := range added {
		if _, err := addMachine(tx, t, m); err != nil {
			return nil, err
		}
	}
	// The machine whose later alerts join the ticket.
	var first model.ID
	if len(machines) > 0 {
		first = machines[0].ID
	}
	if _, err := tx.Exec("UPDATE ticket SET machine_id = $1 WHERE id = $2 AND {wall}", first, t.ID); err != nil {
		return nil, fmt.Errorf("name the machine of a ticket: %w", err)
	}
	return []model.Item{{Kind: model.ItemState, By: by,
		Data: data(map[string]any{"what": "machines", "added": namesOf(added), "removed": namesOf(removed)})}}, index(tx, t)
}

// without are those of list that are not in other, each once.
func without(list, other []MachineRef) []MachineRef {
	var out []MachineRef
	for _, m := range list {
		same := func(o MachineRef) bool { return o.ID == m.ID }
		if !slices.ContainsFunc(other, same) && !slices.ContainsFunc(out, same) {
			out = append(out, m)
		}
	}
	return out
}

func namesOf(list []MachineRef) []string {
	names := make([]string, 0, len(list))
	for _, m := range list {
		names = append(names, m.Name)
	}
	return names
}

// MachinesOf are the machines of tickets.
func MachinesOf(tx *store.Tx, tickets ...model.ID) (map[model.ID][]MachineRef, error) {
	out := map[model.ID][]MachineRef{}
	for _, id := range tickets {
		list, err := store.Collect(tx, func(r *store.Rows) (MachineRef, error) {
			var m MachineRef
			return m, r.Scan(&m.ID, &m.Name)
		}, "SELECT machine_id, name FROM ticket_machine WHERE ticket_id = $1 AND {wall} ORDER BY machine_id", id)
		if err != nil {
			return nil, fmt.Errorf("read the machines of a ticket: %w", err)
		}
		out[id] = list
	}
	return out, nil
}
