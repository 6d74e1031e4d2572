package fleet

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/protocol/expression"
)

// A group's rule meets machines in two ways. A new rule walks over all of them,
// [KindGroup], some at a time. A machine whose facts changed meets all rules,
// [KindRegroup]. Both begin after what caused them was committed. What a rule says
// is computed without holding anybody up, and written only where rule and facts
// are still what was read; whose facts are others by then meets the rules once
// more. It is written even if nothing is different, so that of two who write at
// once one collides and looks again.

const (
	groupStep    = 100                    // machines a walk takes at one time
	regroupAfter = 10 * time.Second       // a machine changes many facts at once, and a hostile one without end
	examineTime  = 500 * time.Millisecond // for all rules over one machine; further ones do not know
	leftFor      = time.Minute            // longer than any transaction: what still wrote for something that is gone has ended
)

// Verdicts of a rule.
const (
	groupIn      = "in"
	groupOut     = "out"
	groupUnknown = "unknown"
)

// Judge is the handler of KindGroup: the rule meets the next machines.
func (f *Fleet) Judge(ctx context.Context, id model.ID) (time.Time, error) {
	s, err := f.walk(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return time.Time{}, f.store.Update(ctx, store.System("group"), func(tx *store.Tx) error { return forgetVerdicts(tx, id) })
	}
	if err != nil {
		return time.Time{}, err
	}
	return f.walked(ctx, s)
}

// A step is what the rule of a group says of the machines after the last that it
// had met.
type step struct {
	group   model.Group
	reached model.ID
	found   []finding
}

// walk computes the next step of a group.
func (f *Fleet) walk(ctx context.Context, id model.ID) (s step, err error) {
	err = f.store.View(ctx, store.System("group"), func(tx *store.Tx) error {
		var err error
		if s.group, err = GetGroup(tx, id); err != nil {
			return err
		}
		if s.reached, err = reached(tx, id); err != nil {
			return err
		}
		machines, err := store.CollectIDs(tx,
			"SELECT id FROM machine WHERE organisation_id = $1 AND revoked = $2 AND id > $3 AND {wall} ORDER BY id LIMIT $4",
			s.group.Organisation, false, s.reached, int64(groupStep))
		if err != nil {
			return fmt.Errorf("list the machines a group has to meet: %w", err)
		}
		s.found, err = f.examine(tx, []model.Group{s.group}, machines)
		return err
	})
	return s, err
}

// walked writes a step down, and tells when the next is due: never after the last.
func (f *Fleet) walked(ctx context.Context, s step) (next time.Time, err error) {
	id := s.group.ID
	err = f.store.Update(ctx, store.System("group"), func(tx *store.Tx) error {
		next = time.Time{}
		now, err := GetGroup(tx, id)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		at, err := reached(tx, id)
		if err != nil {
			return err
		}
		if now.Rule != s.group.Rule || at != s.reached { // it began from the start, or another is ahead
			next = tx.Now()
			return nil
		}
		if _, err := f.record(tx, []model.Group{s.group}, s.found); err != nil {
			return err
		}
		more := len(s.found) == groupStep
		if more {
			next, at = tx.Now(), s.found[len(s.found)-1].machine
		}
		_, err = tx.Exec("UPDATE fleet_group SET judging = $1, reached = $2 WHERE id = $3 AND {wall}", more, at, id)
		if err != nil {
			return fmt.Errorf("write how far a group is: %w", err)
		}
		tx.Changed(s.group.Organisation, ChangedGroup, id)
		return nil
	})
	return next, err
}

// reached is the last machine that the rule of a group has met.
func reached(tx *store.Tx, group model.ID) (machine model.ID, err error) {
	if err := tx.QueryRow("SELECT reached FROM fleet_group WHERE id = $1 AND {wall}", group).Scan(&machine); err != nil {
		return machine, fmt.Errorf("read how far a group is: %w", err)
	}
	return machine, nil
}

// Regroup is the handler of KindRegroup: a machine meets the rules of all groups.
func (f *Fleet) Regroup(ctx context.Context, machine model.ID) (time.Time, error) {
	var groups []model.Group
	var found []finding
	var revoked bool
	err := f.store.View(ctx, store.System("group"), func(tx *store.Tx) error {
		m, err := get(tx, machine)
		if err != nil {
			return err
		}
		revoked = m.Revoked
		groups, err = store.Collect(tx, scanGroup, "SELECT "+groupColumns+" FROM fleet_group g WHERE g.organisation_id = $1 AND {wall g}", m.Organisation)
		if err != nil || revoked || len(groups) == 0 {
			return err
		}
		found, err = f.examine(tx, groups, []model.ID{machine})
		return err
	})
	switch {
	case errors.Is(err, store.ErrNotFound):
		return time.Time{}, nil
	case err != nil || len(groups) == 0:
		return time.Time{}, err
	}
	again := time.Time{}
	err = f.store.Update(ctx, store.System("group"), func(tx *store.Tx) error {
		again = time.Time{}
		if revoked {
			_, err := tx.Exec("DELETE FROM group_machine WHERE machine_id = $1 AND {wall}", machine)
			return err
		}
		whole, err := f.record(tx, groups, found)
		if !whole {
			again = tx.Now().Add(regroupAfter)
		}
		return err
	})
	return again, err
}

// A finding is what rules say of a machine, in the order of the groups, by facts
// with a stamp.
type finding struct {
	machine  model.ID
	facts    string
	verdicts []string
}

// examine computes what the rules of groups say of machines.
func (f *Fleet) examine(tx *store.Tx, groups []model.Group, machines []model.ID) ([]finding, error) {
	rules := make([]*expression.Program, len(groups))
	for i, g := range groups {
		var err error
		if rules[i], err = compileRule(g.Rule); err != nil { // an older version of the language took it
			f.log.Error("the rule of a group is none any more", "group", g.ID, "error", err)
		}
	}
	sections := sectionsOf(rules)
	found := make([]finding, 0, len(machines))
	for _, machine := range machines {
		facts, _, err := Facts(tx, machine, sections...)
		if err != nil {
			return nil, err
		}
		one := finding{machine: machine}
		if one.facts, err = stamp(tx, machine); err != nil {
			return nil, err
		}
		began := time.Now()
		for _, rule := range rules {
			said := groupUnknown
			if time.Since(began) < examineTime {
				said = verdict(rule, &facts)
			}
			one.verdicts = append(one.verdicts, said)
		}
		found = append(found, one)
	}
	return found, nil
}

// sectionsOf are the sections of facts that rules read.
func sectionsOf(rules []*expression.Program) []string {
	read := map[string]bool{}
	for _, rule := range rules {
		if rule != nil {
			for _, name := range rule.Sections() {
				read[name] = true
			}
		}
	}
	sections := []string{}
	for _, name := range expression.Sections() {
		if read[name] {
			sections = append(sections, name)
		}
	}
	return sections
}

// stamp tells the facts of a machine from others.
func stamp(tx *store.Tx, machine model.ID) (string, error) {
	parts, err := store.Collect(tx, func(r *store.Rows) (string, error) {
		var name string
		var read int64
		var hash []byte
		err := r.Scan(&name, &read, &hash)
		return fmt.Sprintf("%s %d %x", name, read, hash), err
	}, "SELECT name, read_at, hash FROM fact_section WHERE machine_id = $1 AND {wall} ORDER BY name", machine)
	if err != nil {
		return "", fmt.Errorf("read how new facts are: %w", err)
	}
	return strings.Join(parts, "\n"), nil
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

// record writes down what was found where rule and facts are still the same; it is
// not whole where facts are others.
func (f *Fleet) record(tx *store.Tx, groups []model.Group, found []finding) (whole bool, err error) {
	whole = true
	same := make([]bool, len(groups))
	for i, g := range groups {
		now, err := GetGroup(tx, g.ID)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return false, err
		}
		same[i] = err == nil && now.Rule == g.Rule
	}
	var rows [][]any
	for _, one := range found {
		facts, err := stamp(tx, one.machine)
		if err != nil {
			return false, err
		}
		if facts != one.facts {
			whole = false
			continue // with its new facts it meets the rules once more
		}
		for i, g := range groups {
			if same[i] {
				rows = append(rows, []any{g.ID, one.machine, g.Organisation, one.verdicts[i]})
			}
		}
		if len(groups) > 0 {
			tx.Changed(groups[0].Organisation, ChangedMachine, one.machine)
		}
	}
	_, err = tx.Insert("INSERT INTO group_machine (group_id, machine_id, organisation_id, verdict)", rows,
		"ON CONFLICT (group_id, machine_id) DO UPDATE SET verdict = excluded.verdict")
	if err != nil {
		return false, fmt.Errorf("keep who is in a group: %w", err)
	}
	return whole, nil
}
