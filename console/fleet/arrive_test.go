package fleet

import (
	"errors"
	"slices"
	"testing"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/protocol/expression"
)

// TestArrive: of machines that come together those that may are written down, each
// with what is its own, and the others are told why not.
func TestArrive(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		here := model.NewID()
		was, _ := y.machine(model.NewID())
		lost, since := y.machine(here)
		y.left(t.Context(), lost, since, model.OfflineNone)
		away, since := y.machine(here)
		y.left(t.Context(), away, since, model.OfflineAsleep)
		expelled, _ := y.machine(here)
		if _, err := y.Revoke(t.Context(), system, expelled.Machine.String(), nil); err != nil {
			t.Fatal(err)
		}
		y.update(func(tx *store.Tx) error { return tx.NotDue(KindBack, was.Machine, lost.Machine, away.Machine) })
		linux := expression.Machine{OS: &expression.OS{Family: "linux"}}
		body, _, known := linux.Section(expression.SectionOS)
		if !known {
			t.Fatal("it has no system")
		}
		y.update(func(tx *store.Tx) error {
			return y.TakeSections(tx, []model.Section{{From: was, Name: expression.SectionOS, Hash: []byte("old"), Body: body}})
		})
		strange := was
		strange.Organisation = model.NewID()
		nobody := model.From{Organisation: y.ours, Machine: model.NewID()}
		facts := map[string][]byte{"os": []byte("old"), "hardware": []byte("new"), "nonsense": []byte("new")}
		var hellos []model.Hello
		for _, from := range []model.From{was, lost, away, expelled, strange, nobody} {
			hellos = append(hellos, model.Hello{From: from, Node: here, Epoch: model.NewID(), Name: "pc-" + from.Machine.String()[30:], Facts: facts, Checks: []byte("c")})
		}
		came, err := y.Connected(t.Context(), hellos)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []error{nil, nil, nil, errRevoked, errNoMachine, errNoMachine} {
			if !errors.Is(came[i].Err, want) {
				t.Errorf("%d: %v, want %v", i, came[i].Err, want)
			}
		}
		for i, wanted := range [][]string{{"hardware"}, {"os", "hardware"}, {"os", "hardware"}} {
			h, a := hellos[i], came[i]
			m := y.get(h.From)
			if !m.Online || m.Node != here || m.Epoch != h.Epoch || m.Name != h.Name || !m.Since.Equal(a.Since) || a.Beat != model.DefaultSettings().Beat {
				t.Errorf("%d: %+v, told %+v", i, m, a)
			}
			if slices.Sort(wanted); !slices.Equal(slices.Sorted(slices.Values(a.Wanted)), wanted) {
				t.Errorf("%d: it is asked for %v, want %v", i, a.Wanted, wanted)
			}
			if !y.due(KindLost, m.ID).IsZero() {
				t.Errorf("%d: it is still to be called lost", i)
			}
			if back := y.due(KindBack, m.ID); back.IsZero() == (h.From == away) {
				t.Errorf("%d: it was away: %t, it is back at %v", i, h.From == away, back)
			}
		}
		if m := y.get(expelled); m.Name == hellos[3].Name {
			t.Errorf("who is expelled is written down: %+v", m)
		}
	})
}

// TestBehind: who has another hash than the newest of their organisation, of the
// machines that are online at a node.
func TestBehind(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		here, there := model.NewID(), model.NewID()
		newest, older := []byte("new"), []byte("old")
		has := func(node model.ID, hash []byte) model.ID {
			from, _ := y.machine(node)
			y.hello(model.Hello{From: from, Node: node, Name: "pc", Checks: hash, Settings: newest})
			return from.Machine
		}
		behind := has(here, older)
		upToDate := has(here, newest)
		has(there, older)
		y.update(func(tx *store.Tx) error {
			want := func(organisation model.ID) ([]byte, error) {
				if organisation != y.ours {
					t.Errorf("asked for the organisation %v", organisation)
				}
				return newest, nil
			}
			for name, c := range map[string]struct {
				hash  string
				among []model.ID
				want  []model.ID
			}{
				"checks":         {ChecksHash, nil, []model.ID{behind}},
				"settings":       {SettingsHash, nil, nil},
				"among some":     {ChecksHash, []model.ID{upToDate, behind}, []model.ID{behind}},
				"among the good": {ChecksHash, []model.ID{upToDate}, nil},
				"among nobody":   {ChecksHash, []model.ID{}, nil},
			} {
				got, err := Behind(tx, here, c.among, c.hash, want)
				if err != nil || !slices.Equal(got, c.want) {
					t.Errorf("%s: %v, want %v (%v)", name, got, c.want, err)
				}
			}
			return nil
		})
	})
}
