package fleet

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/protocol/expression"
)

// A group's rule meets machines in two ways. A new rule walks over all of them,
// [KindGroup], some at a time. A machine whose facts changed meets all rules,
// [KindRegroup]. Both begin after what caused them was committed, and both write
// the row of (group, machine) even if nothing is different: so of a new rule and
// new facts that come at once, whoever writes second has seen both, or collides
// and looks again.

const groupStep = 250 // machines a walk takes in one transaction

// Verdicts of a rule.
const (
	groupIn      = "in"
	groupOut     = "out"
	groupUnknown = "unknown"
)

// Judge is the handler of KindGroup: the rule meets the next machines.
func (f *Fleet) Judge(_ context.Context, tx *store.Tx, id model.ID) (time.Time, error) {
	g, err := GetGroup(tx, id)
	if errors.Is(err, store.ErrNotFound) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, err
	}
	machines, err := store.Collect(tx, func(r *store.Rows) (id model.ID, err error) { return id, r.Scan(&id) },
		`SELECT m.id FROM machine m JOIN fleet_group g ON g.id = $1 WHERE m.organisation_id = $2 AND m.revoked = $3 AND m.id > g.reached
			AND {wall m} ORDER BY m.id LIMIT $4`, id, g.Organisation, false, int64(groupStep))
	if err != nil {
		return time.Time{}, fmt.Errorf("list the machines a group has to meet: %w", err)
	}
	var rows [][]any
	for _, machine := range machines {
		verdicts, err := f.verdicts(tx, machine, []model.Group{g})
		if err != nil {
			return time.Time{}, err
		}
		rows = append(rows, verdicts...)
	}
	if err := keepVerdicts(tx, rows); err != nil {
		return time.Time{}, err
	}
	more := len(machines) == groupStep
	set, args := "judging = $1", []any{more, id}
	if more {
		set, args = "judging = $1, reached = $3", append(args, machines[len(machines)-1])
	}
	if _, err := tx.Exec("UPDATE fleet_group SET "+set+" WHERE id = $2 AND {wall}", args...); err != nil {
		return time.Time{}, fmt.Errorf("write how far a group is: %w", err)
	}
	tx.Changed(g.Organisation, ChangedGroup, id)
	if more {
		return tx.Now(), nil
	}
	return time.Time{}, nil
}

// Regroup is the handler of KindRegroup: a machine meets the rules of all groups.
func (f *Fleet) Regroup(_ context.Context, tx *store.Tx, machine model.ID) (time.Time, error) {
	m, err := get(tx, machine)
	if errors.Is(err, store.ErrNotFound) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, err
	}
	if m.Revoked {
		_, err := tx.Exec("DELETE FROM group_machine WHERE machine_id = $1 AND {wall}", machine)
		return time.Time{}, err
	}
	groups, err := store.Collect(tx, scanGroup, "SELECT "+groupColumns+" FROM fleet_group g WHERE g.organisation_id = $1 AND {wall g}", m.Organisation)
	if err != nil || len(groups) == 0 {
		return time.Time{}, err
	}
	rows, err := f.verdicts(tx, machine, groups)
	if err != nil {
		return time.Time{}, err
	}
	tx.Changed(m.Organisation, ChangedMachine, machine)
	return time.Time{}, keepVerdicts(tx, rows)
}

// verdicts are the rows of what rules say of a machine.
func (f *Fleet) verdicts(tx *store.Tx, machine model.ID, groups []model.Group) ([][]any, error) {
	rules := make([]*expression.Program, len(groups))
	read := map[string]bool{}
	for i, g := range groups {
		var err error
		if rules[i], err = compileRule(g.Rule); err != nil { // an older version of the language took it
			f.log.Error("the rule of a group is none any more", "group", g.ID, "error", err)
			continue
		}
		for _, name := range rules[i].Sections() {
			read[name] = true
		}
	}
	facts, _, err := Facts(tx, machine, slices.Sorted(maps.Keys(read))...)
	if err != nil {
		return nil, err
	}
	rows := make([][]any, 0, len(groups))
	for i, g := range groups {
		rows = append(rows, []any{g.ID, machine, g.Organisation, verdict(rules[i], &facts)})
	}
	return rows, nil
}

// verdict is what a rule says of facts; nil, and one that takes too long, do not
// know.
func verdict(rule *expression.Program, facts *expression.Machine) string {
	if rule == nil {
		return groupUnknown
	}
	holds, err := rule.Evaluate(expression.Scope{Machine: facts})
	switch yes, known := holds.Bool(); {
	case err != nil || !known:
		return groupUnknown
	case yes:
		return groupIn
	}
	return groupOut
}

func keepVerdicts(tx *store.Tx, rows [][]any) error {
	_, err := tx.Insert("INSERT INTO group_machine (group_id, machine_id, organisation_id, verdict)", rows,
		"ON CONFLICT (group_id, machine_id) DO UPDATE SET verdict = excluded.verdict")
	if err != nil {
		return fmt.Errorf("keep who is in a group: %w", err)
	}
	return nil
}
