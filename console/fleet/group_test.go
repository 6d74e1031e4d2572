package fleet

import (
	"errors"
	"testing"

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
		var more bool
		y.update(func(tx *store.Tx) error { at, err := y.Judge(y.t.Context(), tx, id); more = !at.IsZero(); return err })
		if !more {
			return rounds
		}
	}
}

func (y *yard) regroup(machine model.ID) {
	y.t.Helper()
	y.update(func(tx *store.Tx) error { _, err := y.Regroup(y.t.Context(), tx, machine); return err })
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
	body, _, ok := facts.Section(expression.SectionHardware)
	if !ok {
		y.t.Fatal("no section")
	}
	return model.Section{From: from, Name: expression.SectionHardware, Body: body}
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
		_, _, err := y.Ask(t.Context(), store.Scope{Organisations: []model.ID{y.ours}}, y.ours, "memory.used", Audience{Group: g.ID})
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
		q, hinted, err := y.Ask(t.Context(), store.Scope{Organisations: []model.ID{y.ours}}, y.ours, "memory.used", Audience{Group: g.ID})
		if err != nil || len(hinted) != 1 || hinted[0] != big.Machine || len(q.Offline) != 1 || q.Offline[0] != small.Machine {
			t.Errorf("asking a group: %v %v %v", q, hinted, err)
		}

		if _, err := y.Revoke(t.Context(), system, big.Machine.String()); err != nil {
			t.Fatal(err)
		}
		y.regroup(big.Machine)
		if got := y.members(g.ID); got.Judged != 2 {
			t.Errorf("a machine that was expelled is still there: %+v", got)
		}
		y.update(func(tx *store.Tx) error { _, err := DeleteGroup(tx, g.ID, -1); return err })
		if got := y.members(g.ID); got.Judged != 0 || !y.due(KindGroup, g.ID).IsZero() {
			t.Errorf("a group that was deleted left %+v", got)
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

// A rule that walks while facts change does not write down what the facts were:
// the walk has read the old ones when the new ones come, and writes last.
func TestGroupWalkMeetsNewFacts(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		from, _ := y.machine(model.NewID())
		y.tell(y.cores(from, 8))
		var g model.Group
		y.update(func(tx *store.Tx) (err error) {
			g, err = NewGroup(tx, y.ours, "big", "hardware.cores >= 4")
			return err
		})
		overtaken := make(chan error, 1)
		runs := 0
		y.update(func(tx *store.Tx) error {
			runs++
			facts, _, err := Facts(tx, from.Machine) // this run has seen the facts as they are
			if err != nil || facts.Hardware == nil {
				return errors.Join(err, errors.New("no facts"))
			}
			if runs == 1 {
				go func() {
					overtaken <- y.store.Update(t.Context(), system, func(tx *store.Tx) error {
						if err := y.TakeSections(tx, []model.Section{y.cores(from, 2)}); err != nil {
							return err
						}
						_, err := y.Regroup(t.Context(), tx, from.Machine)
						return err
					})
				}()
				if y.store.Engine() == "postgres" { // on SQLite the other waits for the writer
					if err := <-overtaken; err != nil {
						return err
					}
					overtaken <- nil
				}
			}
			_, err = y.Judge(t.Context(), tx, g.ID)
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
