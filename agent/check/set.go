package check

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/protocol/catalogue"
	"github.com/deskside/deskside/protocol/expression"
)

// A Transition is what the console hears of.
type Transition struct {
	Episode   uuid.UUID // the same from firing to resolved
	Check     string
	Instance  string
	State     string // firing, unknown, resolved
	Severity  string // warning, critical
	Values    map[string]float64
	Texts     map[string]string
	StartedAt int64 // UTC microseconds
	At        int64
	Flapping  bool
	Broken    string // the check cannot be evaluated, and why; then there is no episode
	Reason    string // of a resolution: cleared, gone, disabled
}

// A Set is the checks of this machine with what is known of them. It is for
// one goroutine.
type Set struct {
	set    catalogue.Set
	checks []*compiled
	states map[key]State
	aside  map[string]string // checks that are not evaluated, and why
	doing  func(check string)
}

type key struct{ check, instance string }

type compiled struct {
	def    catalogue.Check
	prog   *catalogue.Compiled
	rules  Rules
	next   int64  // when it is due
	broken string // why it could not be evaluated last time
	blind  bool   // its list could not be read last time
}

// New compiles a resolved set. doing, if it is not nil, is called with the id
// of each check before it is evaluated and with "" afterwards: a caller that
// writes it down learns which check the agent died in, and can set it aside at
// the next start. The error is a *catalogue.Invalid.
func New(set catalogue.Set, doing func(check string)) (*Set, error) {
	s := &Set{states: map[key]State{}, aside: map[string]string{}, doing: doing}
	if s.doing == nil {
		s.doing = func(string) {}
	}
	if err := s.compile(set); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Set) compile(set catalogue.Set) error {
	var checks []*compiled
	for _, c := range set.Checks {
		if !c.Enabled || c.Judged != catalogue.JudgedByMachine {
			continue
		}
		p, err := c.Compile()
		if err != nil {
			return err
		}
		checks = append(checks, &compiled{
			def: c, prog: p,
			rules: Rules{For: time.Duration(c.For), KeepFiringFor: time.Duration(c.KeepFiringFor), Interval: time.Duration(c.Interval), WarnsToo: c.Warning != ""},
		})
	}
	s.set, s.checks = set, checks
	return nil
}

// Hasten makes every check due, whatever its interval.
func (s *Set) Hasten() {
	for _, c := range s.checks {
		c.next = 0
	}
}

// Replace takes another set and keeps what is known of the checks that both
// have. An alert of a check that is not judged any more resolves. After an
// error everything is as it was.
func (s *Set) Replace(set catalogue.Set, at time.Time) ([]Transition, error) {
	if err := s.compile(set); err != nil {
		return nil, err
	}
	var out []Transition
	for k, st := range s.states {
		if slices.ContainsFunc(s.checks, func(c *compiled) bool { return c.def.ID == k.check }) {
			continue
		}
		if st.Firing() {
			out = append(out, Transition{
				Episode: st.Episode, Check: k.check, Instance: k.instance, State: "resolved", Severity: severity(st.Level),
				StartedAt: st.StartedAt, At: at.UnixMicro(), Reason: "disabled",
			})
		}
		delete(s.states, k)
	}
	order(out)
	return out, nil
}

// SetAside keeps a check from being evaluated until it is taken back with an
// empty reason. Its alerts become unknown, as for every check that is broken.
func (s *Set) SetAside(check, why string) {
	if why == "" {
		delete(s.aside, check)
		return
	}
	s.aside[check] = why
}

// Evaluate judges the checks that are due and returns what changed, in the
// order of the set, then by instance.
func (s *Set) Evaluate(m *expression.Machine, at time.Time) []Transition {
	now := at.UnixMicro()
	var out []Transition
	for _, c := range s.checks {
		// A round that comes a little early counts as due; a clock that was set
		// back does not stop a check.
		slack := c.rules.Interval.Microseconds() / 10
		if now < c.next-slack && c.next-now <= 2*c.rules.Interval.Microseconds() {
			continue
		}
		c.next = now + c.rules.Interval.Microseconds()
		out = append(out, s.judge(c, m, now)...)
	}
	return out
}

// Fresh judges one check now, whatever its interval, without noting anything:
// what the verify check after a repair asks. An instance "" means the worst. It is
// Gone where there is nothing of that name to be judged; of an alert that has not
// cleared yet, it is what the alert says, also where its limit is no longer reached.
func (s *Set) Fresh(check, instance string, m *expression.Machine) (Level, map[string]float64, error) {
	i := slices.IndexFunc(s.checks, func(c *compiled) bool { return c.def.ID == check })
	if i < 0 {
		return Unknown, nil, fmt.Errorf("check %s is not judged on this machine", check)
	}
	seen, known, err := s.read(s.checks[i], m)
	if err != nil || !known {
		return Unknown, nil, err
	}
	worst, values := Gone, map[string]float64(nil)
	for _, r := range seen {
		if instance != "" && !s.checks[i].about(r.instance(), instance) {
			continue
		}
		if st := s.states[key{check, r.instance()}]; r.level == Holding && st.Firing() {
			r.level = st.Level
		}
		if worst == Gone || rank(r.level) > rank(worst) {
			worst = r.level
			values, _ = s.details(s.checks[i], m, r)
		}
	}
	return worst, values, nil
}

// about tells whether an instance of the check is what a machine calls name.
func (c *compiled) about(instance, name string) bool {
	switch c.def.Each {
	case "watched", "services": // watched as cups.service, repaired as cups
		return expression.SameService(instance, name)
	}
	return instance == name
}

// rank orders levels from fine to bad.
func rank(l Level) int {
	return [...]int{Clear: 1, Holding: 2, Unknown: 3, Warning: 4, Critical: 5, Gone: 0}[l]
}

// Health returns the worst of all checks: ok, warning, critical or unknown. A
// check that is broken or set aside, or a reading that stays unknown, makes it
// unknown, unless something fires.
func (s *Set) Health() string {
	health := "ok"
	interval := map[string]time.Duration{}
	for _, c := range s.checks {
		interval[c.def.ID] = c.rules.Interval
		if c.broken != "" || c.blind {
			health = "unknown"
		}
	}
	worst := Clear
	for k, st := range s.states {
		switch {
		case st.Firing() && !st.Lost:
			worst = max(worst, st.Level)
		case held(st.UnknownSince, st.LastAt, 2*interval[k.check]):
			// Not at once: a process that has just begun has no rate yet.
			health = "unknown"
		}
	}
	if worst != Clear {
		return severity(worst)
	}
	return health
}

func severity(l Level) string {
	if l == Critical {
		return "critical"
	}
	return "warning"
}

// judge evaluates one check for all its rows.
func (s *Set) judge(c *compiled, m *expression.Machine, now int64) []Transition {
	seen, known, err := s.read(c, m)
	var out []Transition
	c.blind = !known
	broken := ""
	if err != nil {
		broken = err.Error()
	}
	if broken != c.broken {
		c.broken = broken
		if broken != "" {
			out = append(out, Transition{Check: c.def.ID, State: "unknown", Severity: "warning", At: now, Broken: broken})
		}
	}
	have := false // states of this check
	for k := range s.states {
		have = have || k.check == c.def.ID
	}
	var moved []Transition
	done := map[string]bool{}
	for _, r := range seen {
		if !have && (r.level == Clear || r.level == Holding) {
			continue
		}
		instance := r.instance()
		done[instance] = true
		if t, ok := s.step(c, m, instance, r, now); ok {
			moved = append(moved, t)
		}
	}
	if have {
		gone := reading{level: Gone}
		if err != nil || !known {
			gone.level = Unknown
		}
		for k := range s.states {
			if k.check == c.def.ID && !done[k.instance] {
				if t, ok := s.step(c, m, k.instance, gone, now); ok {
					moved = append(moved, t)
				}
			}
		}
	}
	order(moved)
	return append(out, moved...)
}

func order(list []Transition) {
	slices.SortFunc(list, func(a, b Transition) int {
		return cmp.Or(cmp.Compare(a.Check, b.Check), cmp.Compare(a.Instance, b.Instance))
	})
}

// step moves the state of one instance.
func (s *Set) step(c *compiled, m *expression.Machine, instance string, r reading, now int64) (Transition, bool) {
	k := key{c.def.ID, instance}
	before := s.states[k]
	if !before.Firing() && (r.level == Warning || r.level == Critical) && s.held(c, instance) {
		r.level = Holding
	}
	after, event := Judge(c.rules, before, r.level, now, uuid.Nil)
	if event == Fired {
		after.Episode = newEpisode()
	}
	if after.idle() && after.UnknownSince == 0 {
		delete(s.states, k)
	} else {
		s.states[k] = after
	}
	if event == Nothing {
		return Transition{}, false
	}
	t := Transition{
		Episode: after.Episode, Check: c.def.ID, Instance: instance, State: "firing", Severity: severity(after.Level),
		StartedAt: after.StartedAt, At: now, Flapping: after.Flapping(),
	}
	t.Values, t.Texts = s.details(c, m, r)
	switch event {
	case Lost:
		t.State = "unknown"
	case Resolved:
		t.Episode, t.Severity, t.StartedAt = before.Episode, severity(before.Level), before.StartedAt
		t.State, t.Reason = "resolved", "cleared"
		if r.level == Gone {
			t.Reason = "gone"
		}
	}
	return t, true
}

// held reports whether an alert that this check depends on fires for the same
// instance, or for the machine.
func (s *Set) held(c *compiled, instance string) bool {
	for _, on := range c.def.DependsOn {
		if s.states[key{on, instance}].Firing() || s.states[key{on, ""}].Firing() {
			return true
		}
	}
	return false
}

// newEpisode returns a UUIDv7. Without randomness nothing of the agent works.
func newEpisode() uuid.UUID { return uuid.Must(uuid.NewV7()) }
