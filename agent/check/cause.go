package check

import (
	"slices"
	"strings"
	"time"

	"github.com/deskside/deskside/protocol/catalogue"
	"github.com/deskside/deskside/protocol/expression"
)

// A Cause is a check of the catalogue that fires, and for what.
type Cause struct{ Check, Instance string }

// Causes judges the catalogue's own checks beside whatever set the console made
// for this machine: its own thresholds and its own times, none of them switched
// off. What the console may tune, it could also bend until something fires; what
// fires here may be repaired on its word alone. Nothing is kept over a restart:
// what began before it has to last anew. It is for one goroutine.
type Causes struct{ set *Set }

// NewCauses compiles the catalogue.
func NewCauses() (*Causes, error) {
	own, err := catalogue.Resolve(catalogue.Builtin())
	if err != nil {
		return nil, err
	}
	set, err := New(own, nil)
	if err != nil {
		return nil, err
	}
	return &Causes{set}, nil
}

// Judge takes a reading. Of the services that the console watches only those
// count that this machine starts by itself: that somebody watches a service is
// no reason to run it.
func (c *Causes) Judge(m *expression.Machine, watched []string, at time.Time) {
	c.set.set.Watched = wanted(m, watched)
	c.set.Evaluate(m, at)
	for k, st := range c.set.states {
		if st.UnknownSince != 0 { // between two bad readings it may have been well
			st.WarnSince, st.CriticalFrom = 0, 0
			c.set.states[k] = st
		}
	}
}

// Firing returns what is wrong at the last reading, and was at each one for at
// least the catalogue's For.
func (c *Causes) Firing() map[Cause]bool {
	out := map[Cause]bool{}
	for _, one := range c.set.checks {
		for k, st := range c.set.states {
			if k.check == one.def.ID && st.Firing() && !st.Lost && st.UnknownSince == 0 && held(st.WarnSince, st.LastAt, one.rules.For) {
				out[Cause{k.check, k.instance}] = true
			}
		}
	}
	return out
}

// wanted are the watched services that are started with the machine, as the
// machine itself names them. Of two names that differ in case only the first
// counts, which is the one that an expression finds.
func wanted(m *expression.Machine, watched []string) []string {
	var out []string
	seen := map[string]bool{}
	for _, s := range m.Services {
		name, folded := string(s.Name), strings.ToLower(string(s.Name))
		if !seen[folded] && s.Start == "auto" && slices.ContainsFunc(watched, func(w string) bool {
			return expression.SameService(name, w)
		}) {
			out = append(out, name)
		}
		seen[folded] = true
	}
	return out
}
