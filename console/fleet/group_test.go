package fleet

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/protocol/expression"
)

// group makes a group and lets its rule meet the machines.
func (y *yard) group(name, rule string) (g model.Group) {
	y.t.Helper()
	y.update(func(tx *store.Tx) (err error) { g, err = NewGroup(tx, y.ours, name, rule); return err })
	y.judge(g.ID)
	return g
}

// judge does what the due row of a group does, until it is done.
func (y *yard) judge(id model.ID) (rounds int) {
	y.t.Helper()
	for {
		rounds++
		at, err := y.Judge(y.t.Context(), id)
		if err != nil {
			y.t.Fatal(err)
		}
		if at.IsZero() {
			return rounds
		}
	}
}

func (y *yard) regroup(machine model.ID) {
	y.t.Helper()
	if _, err := y.Regroup(y.t.Context(), machine); err != nil {
		y.t.Fatal(err)
	}
}

func (y *yard) members(id model.ID) (m Members) {
	y.t.Helper()
	y.update(func(tx *store.Tx) error {
		all, err := CountMembers(tx, []model.Group{{ID: id}})
		m = all[id]
		return err
	})
	return m
}

// cores is a section of facts as an agent sends it.
func (y *yard) cores(from model.From, n float64) model.Section {
	y.t.Helper()
	facts := expression.Machine{Hardware: &expression.Hardware{Cores: expression.Known(n)}}
	body, hash, ok := facts.Section(expression.SectionHardware)
	if !ok {
		y.t.Fatal("no section")
	}
	return model.Section{From: from, Name: expression.SectionHardware, Hash: hash[:], Read: time.Now(), Body: body}
}

func (y *yard) tell(s model.Section) {
	y.t.Helper()
	y.update(func(tx *store.Tx) error { return y.TakeSections(tx, []model.Section{s}) })
}

// A rule picks the machines for which it holds, says of which it does not know,
// and follows facts and itself when they change.
func TestGroup(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		node := model.NewID()
		big, _ := y.machine(node)
		small, _ := y.machine(node)
		y.machine(node) // tells no facts
		y.tell(y.cores(big, 8))
		y.tell(y.cores(small, 2))

		g := y.group("big", "hardware.cores >= 4")
		if got := y.members(g.ID); got != (Members{In: 1, Unknown: 1, Judged: 3}) {
			t.Errorf("a new rule: %+v", got)
		}
		y.tell(y.cores(small, 16))
		if y.due(KindRegroup, small.Machine).IsZero() {
			t.Fatal("new facts do not meet the rules")
		}
		y.regroup(small.Machine)
		if got := y.members(g.ID); got.In != 2 {
			t.Errorf("after new facts: %+v", got)
		}
		var page store.Page[model.Machine]
		y.update(func(tx *store.Tx) (err error) { page, err = List(tx, Query{Group: g.ID}); return err })
		if len(page.Items) != 2 || page.Total != 2 {
			t.Errorf("the list of a group has %d of %d machines", len(page.Items), page.Total)
		}

		rule := "hardware.cores < 4"
		y.update(func(tx *store.Tx) error {
			_, err := ChangeGroup(tx, g.ID, GroupChange{Version: 1, Rule: &rule})
			return err
		})
		if got := y.members(g.ID); got.Judged != 0 || y.due(KindGroup, g.ID).IsZero() {
			t.Errorf("with a new rule: %+v", got)
		}
		_, err := y.Ask(t.Context(), store.Scope{Organisations: []model.ID{y.ours}}, y.ours, "memory.used", Audience{Group: g.ID})
		if code(err) != model.CodeState {
			t.Errorf("asking half a group: %v", err)
		}
		y.judge(g.ID)
		if got := y.members(g.ID); got != (Members{In: 0, Unknown: 1, Judged: 3}) {
			t.Errorf("the new rule: %+v", got)
		}

		back := "hardware.cores >= 4"
		y.update(func(tx *store.Tx) error {
			_, err := ChangeGroup(tx, g.ID, GroupChange{Version: 2, Rule: &back})
			return err
		})
		y.judge(g.ID)
		if err := y.store.Update(t.Context(), system, func(tx *store.Tx) error {
			_, err := tx.Exec("UPDATE machine SET online = $1 WHERE id = $2", false, small.Machine)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		q, err := y.Ask(t.Context(), store.Scope{Organisations: []model.ID{y.ours}}, y.ours, "memory.used", Audience{Group: g.ID})
		if err != nil || q.Asked != 1 || len(q.Offline) != 1 || q.Offline[0] != small.Machine {
			t.Errorf("asking a group: %v %v", q, err)
		}

		if _, err := y.Revoke(t.Context(), system, big.Machine.String(), nil); err != nil {
			t.Fatal(err)
		}
		if got := y.members(g.ID); got.Judged != 2 || y.due(KindRegroup, big.Machine).IsZero() {
			t.Errorf("a machine that was expelled is still there: %+v", got)
		}
		y.update(func(tx *store.Tx) error { _, err := DeleteGroup(tx, g.ID, -1); return err })
		y.update(func(tx *store.Tx) error { // somebody who had begun before writes a row
			_, err := tx.Exec("INSERT INTO group_machine (group_id, machine_id, organisation_id, verdict) VALUES ($1, $2, $3, 'in')", g.ID, small.Machine, y.ours)
			return err
		})
		if y.due(KindGroup, g.ID).IsZero() {
			t.Fatal("nobody will look after the group that was deleted")
		}
		y.judge(g.ID)
		y.regroup(big.Machine)
		if n := y.verdicts(); n != 0 {
			t.Errorf("a group that was deleted left %d rows", n)
		}
	})
}

// A rule walks over many machines some at a time, and leaves out none.
func TestGroupWalk(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		const many = 2*groupStep + 3
		y.update(func(tx *store.Tx) error {
			for range many {
				err := insertMachine(tx, model.Machine{ID: model.NewID(), Organisation: y.ours, Name: "pc", Key: []byte{1}, Health: model.HealthOK, Version: 1})
				if err != nil {
					return err
				}
			}
			return nil
		})
		var g model.Group
		y.update(func(tx *store.Tx) (err error) { g, err = NewGroup(tx, y.ours, "all", "true"); return err })
		if rounds := y.judge(g.ID); rounds != 3 {
			t.Errorf("%d rounds", rounds)
		}
		y.update(func(tx *store.Tx) (err error) { g, err = GetGroup(tx, g.ID); return err })
		if got := y.members(g.ID); got.In != many || g.Judging {
			t.Errorf("%+v of %d, still judging: %v", got, many, g.Judging)
		}
	})
}

// verdicts counts the rows of all groups.
func (y *yard) verdicts() (n int) {
	y.t.Helper()
	y.update(func(tx *store.Tx) error {
		return tx.QueryRow("SELECT count(*) FROM group_machine WHERE {wall}").Scan(&n)
	})
	return n
}

// What was computed from facts, or by a rule, that are others by now is not written.
func TestGroupOvertaken(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		from, _ := y.machine(model.NewID())
		y.tell(y.cores(from, 8))
		g := y.group("big", "hardware.cores >= 4")
		compute := func() (found []finding) {
			t.Helper()
			y.update(func(tx *store.Tx) (err error) {
				found, err = y.examine(tx, []model.Group{g}, []model.ID{from.Machine})
				return err
			})
			return found
		}
		write := func(found []finding) {
			t.Helper()
			y.update(func(tx *store.Tx) error { _, err := y.record(tx, []model.Group{g}, found); return err })
		}
		old := compute()
		y.tell(y.cores(from, 2))
		y.regroup(from.Machine)
		write(old)
		if got := y.members(g.ID); got.In != 0 || got.Judged != 1 {
			t.Errorf("by facts that are over: %+v", got)
		}
		old, rule := compute(), "hardware.cores < 4"
		y.update(func(tx *store.Tx) error {
			_, err := ChangeGroup(tx, g.ID, GroupChange{Version: 1, Rule: &rule})
			return err
		})
		y.judge(g.ID)
		write(old)
		if got := y.members(g.ID); got.In != 1 {
			t.Errorf("by a rule that is over: %+v", got)
		}
	})
}

// A rule that is changed, and changed back, while a step is on its way walks from
// the start: the step would leave out the machines before it.
func TestGroupRuleThereAndBack(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		y.update(func(tx *store.Tx) error {
			for range groupStep + 1 {
				err := insertMachine(tx, model.Machine{ID: model.NewID(), Organisation: y.ours, Name: "pc", Key: []byte{1}, Health: model.HealthOK, Version: 1})
				if err != nil {
					return err
				}
			}
			return nil
		})
		var g model.Group
		y.update(func(tx *store.Tx) (err error) { g, err = NewGroup(tx, y.ours, "all", "true"); return err })
		if _, err := y.Judge(t.Context(), g.ID); err != nil {
			t.Fatal(err)
		}
		last, err := y.walk(t.Context(), g.ID)
		if err != nil || len(last.found) != 1 {
			t.Fatalf("%d machines in the second step: %v", len(last.found), err)
		}
		for version, rule := range []string{"false", "true"} {
			y.update(func(tx *store.Tx) error {
				_, err := ChangeGroup(tx, g.ID, GroupChange{Version: int64(version + 1), Rule: &rule})
				return err
			})
		}
		if next, err := y.walked(t.Context(), last); err != nil || next.IsZero() {
			t.Errorf("the step of before is the last one: %v", err)
		}
		y.judge(g.ID)
		if got := y.members(g.ID); got.In != groupStep+1 {
			t.Errorf("%+v of %d", got, groupStep+1)
		}
	})
}

// Facts that come again and again do not put off the moment in which they meet the
// rules.
func TestRegroupIsNotPutOff(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		from, _ := y.machine(model.NewID())
		y.tell(y.cores(from, 2))
		first := y.due(KindRegroup, from.Machine)
		y.tell(y.cores(from, 4))
		if again := y.due(KindRegroup, from.Machine); !again.Equal(first) {
			t.Errorf("put off from %v to %v", first, again)
		}
	})
}

// Of new facts and a new rule that are written down at once neither is lost: on
// PostgreSQL both have begun before the other ends.
func TestGroupCollides(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		from, _ := y.machine(model.NewID())
		y.tell(y.cores(from, 8))
		g := y.group("big", "hardware.cores >= 4")
		var old []finding
		y.update(func(tx *store.Tx) (err error) {
			old, err = y.examine(tx, []model.Group{g}, []model.ID{from.Machine})
			return err
		})
		overtaken, runs := make(chan error, 1), 0
		y.update(func(tx *store.Tx) error {
			if _, err := GetGroup(tx, g.ID); err != nil { // its snapshot begins
				return err
			}
			if runs++; runs == 1 {
				go func() {
					err := y.store.Update(t.Context(), system, func(tx *store.Tx) error {
						return y.TakeSections(tx, []model.Section{y.cores(from, 2)})
					})
					if err == nil {
						_, err = y.Regroup(t.Context(), from.Machine)
					}
					overtaken <- err
				}()
				if y.store.Engine() == "postgres" { // on SQLite the other waits for the writer
					err := <-overtaken
					overtaken <- err
				}
			}
			_, err := y.record(tx, []model.Group{g}, old)
			return err
		})
		if err := <-overtaken; err != nil {
			t.Fatal(err)
		}
		if got := y.members(g.ID); got.In != 0 || got.Judged != 1 {
			t.Errorf("the group stayed behind the facts: %+v", got)
		}
	})
}

// A machine with many facts and many long rules holds nobody up: what is not known
// after a while is unknown.
func TestGroupTakesItsTime(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		from, _ := y.machine(model.NewID())
		facts := expression.Machine{}
		for i := range 8000 {
			facts.Services = append(facts.Services, expression.Service{Name: expression.Text(fmt.Sprint("service", i)), State: "running"})
		}
		body, _, ok := facts.Section(expression.SectionServices)
		if !ok {
			t.Fatal("no section")
		}
		y.tell(model.Section{From: from, Name: expression.SectionServices, Body: body})
		rule := strings.Repeat(`.name == "nobody" or `, 30) + "false"
		groups := slices.Repeat([]model.Group{{Organisation: y.ours, Rule: "any(services, " + rule + ")"}}, mostGroups)
		y.update(func(tx *store.Tx) error {
			found, err := y.examine(tx, groups, []model.ID{from.Machine})
			if err != nil {
				return err
			}
			if v := found[0].verdicts; len(v) != mostGroups || v[0] != groupOut || v[mostGroups-1] != groupUnknown {
				t.Errorf("%d verdicts, the first %s, the last %s", len(v), v[0], v[len(v)-1])
			}
			return nil
		})
	})
}

// A group has a name of its own, a rule that compiles over facts, and there are
// not more than can be computed.
func TestGroupRefused(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		y.group("Office", "true")
		for name, c := range map[string]struct{ name, rule, code string }{
			"the same name":   {"OFFICE", "true", model.CodeConflict},
			"no name":         {"", "true", model.CodeInvalid},
			"blanks":          {" a", "true", model.CodeInvalid},
			"lines":           {"a\nb", "true", model.CodeInvalid},
			"vitals":          {"a", "memory.used > 0.5", ""},
			"not a condition": {"a", "hardware.cores", ""},
		} {
			err := y.store.Update(t.Context(), system, func(tx *store.Tx) error {
				_, err := NewGroup(tx, y.ours, c.name, c.rule)
				return err
			})
			var source *expression.Error
			if c.code == "" && !errors.As(err, &source) || c.code != "" && code(err) != c.code {
				t.Errorf("%s: %v", name, err)
			}
		}
		other := y.group("Home", "true")
		for name, c := range map[string]GroupChange{
			"an old version": {Version: 7}, "a taken name": {Version: 1, Name: new("office")}, "vitals": {Version: 1, Rule: new("cpu.used > 1")},
		} {
			err := y.store.Update(t.Context(), system, func(tx *store.Tx) error { _, err := ChangeGroup(tx, other.ID, c); return err })
			if err == nil {
				t.Errorf("%s was taken", name)
			}
		}
		y.update(func(tx *store.Tx) error {
			for i := range mostGroups - 2 {
				if _, err := NewGroup(tx, y.ours, string(rune('a'+i%26))+model.NewID().String(), "true"); err != nil {
					return err
				}
			}
			return nil
		})
		err := y.store.Update(t.Context(), system, func(tx *store.Tx) error { _, err := NewGroup(tx, y.ours, "one more", "true"); return err })
		if code(err) != model.CodeState {
			t.Errorf("one more than there can be: %v", err)
		}
	})
}
