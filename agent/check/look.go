package check

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/fxamacker/cbor/v2"

	"github.com/deskside/deskside/protocol/catalogue"
	"github.com/deskside/deskside/protocol/expression"
)

// A Verdict is what one check says now, without regard to how long it has been
// so.
type Verdict struct {
	Check    catalogue.Check
	Health   string // ok, warning, critical, unknown
	Rows     int    // how many rows it is about
	Broken   string // why it could not be evaluated
	Findings []Finding
	Most     *Finding // the row with the largest value, when all are fine and values are numbers
}

// A Finding is one row that is not fine.
type Finding struct {
	Instance string
	Level    Level
	Value    expression.Value
	Values   map[string]float64
	Texts    map[string]string
	Unknown  string // what was unknown, and why
}

// Look says what every check finds now. It changes nothing.
func (s *Set) Look(m *expression.Machine) []Verdict {
	var out []Verdict
	for _, c := range s.checks {
		out = append(out, s.look(c, m))
	}
	return out
}

func (s *Set) look(c *compiled, m *expression.Machine) Verdict {
	v := Verdict{Check: c.def, Health: "ok"}
	seen, known, err := s.read(c, m)
	if err != nil {
		v.Health, v.Broken = "unknown", err.Error()
		return v
	}
	if !known {
		v.Health = "unknown"
		v.Findings = []Finding{{Level: Unknown, Unknown: because(m, c.def.Each)}}
		return v
	}
	v.Rows = len(seen)
	// A process that has just begun has no rate yet, and that is no fault.
	fresh := c.def.Each == expression.SectionProcesses && slices.ContainsFunc(seen, func(r reading) bool { return r.level != Unknown })
	most, top := reading{}, 0.0
	for _, r := range seen {
		if n, number := r.value.Float(); number && (!most.value.Known() || n > top) {
			most, top = r, n
		}
		if r.level == Clear || r.level == Holding || r.level == Unknown && fresh {
			continue
		}
		f := s.finding(c, m, r)
		if r.level == Unknown {
			f.Unknown = because(m, r.value.Because())
		}
		v.Findings = append(v.Findings, f)
	}
	slices.SortStableFunc(v.Findings, func(a, b Finding) int {
		x, _ := a.Value.Float()
		y, _ := b.Value.Float()
		return cmp.Or(cmp.Compare(rank(b.Level), rank(a.Level)), cmp.Compare(y, x), cmp.Compare(a.Instance, b.Instance))
	})
	if len(v.Findings) > 0 {
		switch v.Findings[0].Level {
		case Critical, Warning:
			v.Health = severity(v.Findings[0].Level)
		default:
			v.Health = "unknown"
		}
	} else if most.value.Known() {
		f := s.finding(c, m, most)
		v.Most = &f
	}
	return v
}

func (s *Set) finding(c *compiled, m *expression.Machine, r reading) Finding {
	f := Finding{Instance: r.instance(), Level: r.level, Value: r.value}
	f.Values, f.Texts = s.details(c, m, r)
	return f
}

func because(m *expression.Machine, what string) string {
	if why := m.Why(what); why != "" {
		return what + ": " + why
	}
	return what
}

// saved is one instance on disk.
type saved struct {
	Check    string `cbor:"1,keyasint"`
	Instance string `cbor:"2,keyasint,omitempty"`
	State    State  `cbor:"3,keyasint"`
}

// Save returns what is known, for Restore.
func (s *Set) Save() ([]byte, error) {
	list := make([]saved, 0, len(s.states))
	for k, st := range s.states {
		list = append(list, saved{k.check, k.instance, st})
	}
	slices.SortFunc(list, func(a, b saved) int {
		return cmp.Or(cmp.Compare(a.Check, b.Check), cmp.Compare(a.Instance, b.Instance))
	})
	return cbor.Marshal(list)
}

// Restore takes what Save returned. What belongs to a check that is not judged
// any more resolves with the next Replace; call Restore before it.
func (s *Set) Restore(b []byte) error {
	var list []saved
	if err := cbor.Unmarshal(b, &list); err != nil {
		return fmt.Errorf("saved states of checks: %w", err)
	}
	for _, e := range list {
		s.states[key{e.Check, e.Instance}] = e.State
	}
	return nil
}
