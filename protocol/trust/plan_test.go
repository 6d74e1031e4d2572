package trust

import (
	"slices"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"
)

// Each machine of a plan is in it at its own place, in its own wave, and nowhere else; no
// other machine is.
func TestPlaces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		machines := make([]uuid.UUID, rapid.IntRange(1, 70).Draw(t, "machines"))
		for i := range machines {
			machines[i] = uuid.New()
		}
		tree := must(TreeOf(machines))
		first := rapid.IntRange(1, len(machines)).Draw(t, "first wave")
		p := &Plan{Script: script, Risk: Safe, Root: tree.Root(), Waves: []Wave{{Machines: uint32(first)}}}
		if rest := len(machines) - first; rest > 0 {
			p.Waves = append(p.Waves, Wave{Machines: uint32(rest), After: 60})
		}
		if err := p.check(); err != nil {
			t.Fatal(err)
		}
		stranger := uuid.New()
		for i, m := range machines {
			at := tree.Place(i)
			wave, err := p.Wave(m, at)
			if want := min(1, i/first); err != nil || wave != want {
				t.Fatalf("machine %d of %d is in wave %d (%v), want %d", i, len(machines), wave, err, want)
			}
			if _, err := p.Wave(stranger, at); err == nil {
				t.Fatalf("a stranger is in the plan at %d", i)
			}
			if j := (i + 1) % len(machines); j != i {
				if _, err := p.Wave(m, tree.Place(j)); err == nil {
					t.Fatalf("machine %d is also at %d", i, j)
				}
				moved := Place{Number: uint32(j), Path: at.Path}
				if _, err := p.Wave(m, moved); err == nil {
					t.Fatalf("machine %d passes for number %d", i, j)
				}
			}
			for _, wrong := range []Place{
				{Number: at.Number, Path: append(slices.Clone(at.Path), make([]byte, 32))},
				{Number: at.Number + uint32(len(machines)), Path: at.Path},
			} {
				if _, err := p.Wave(m, wrong); err == nil {
					t.Fatalf("machine %d is in the plan at %+v", i, wrong)
				}
			}
		}
	})
	if _, err := TreeOf(nil); err == nil {
		t.Error("a plan for nobody")
	}
	if _, err := TreeOf([]uuid.UUID{{1}, {1}}); err == nil {
		t.Error("a machine twice")
	}
}
