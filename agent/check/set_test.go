package check

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"github.com/deskside/deskside/protocol/catalogue"
	"github.com/deskside/deskside/protocol/expression"
)

var known = expression.Known

func machine() *expression.Machine {
	return &expression.Machine{
		OS:       &expression.OS{Family: "linux"},
		Hardware: &expression.Hardware{Cores: known(8)},
		Filesystems: []expression.Filesystem{
			{Mount: "/", Type: "ext4", Kind: "local", Used: known(0.5), AvailableBytes: known(50e9), SizeBytes: known(100e9), Inodes: known(1000), InodesUsed: known(10), InodesUsedRatio: known(0.01)},
			{Mount: "/home", Type: "ext4", Kind: "local", Used: known(0.7), AvailableBytes: known(30e9), SizeBytes: known(100e9), Inodes: known(0), InodesUsedRatio: expression.Reading{}},
			{Mount: "/cd", Type: "iso9660", Kind: "image", Used: known(1)},
		},
		Services:  []expression.Service{{Name: "cups", DisplayName: "CUPS Scheduler", State: "running", Start: "auto"}, {Name: "other", State: "failed"}},
		Processes: []expression.Process{{PID: 1, Name: "init", CPU: known(0)}, {PID: 7, Name: "firefox", CPU: known(0.2), RSSBytes: known(2e9)}},
		Memory:    expression.Memory{Used: known(0.4), AvailableBytes: known(6e9), TotalBytes: known(10e9)},
	}
}

func d(v time.Duration) *catalogue.Duration { x := catalogue.Duration(v); return &x }

// fast is the catalogue with the times of the fast faults.
func fast(t *testing.T, watched ...string) catalogue.Set {
	t.Helper()
	l := catalogue.Layer{Watched: watched}
	for _, c := range catalogue.Builtin() {
		l.Overrides = append(l.Overrides, catalogue.Override{Check: c.ID, Interval: d(time.Second), For: d(2 * time.Second), KeepFiringFor: d(2 * time.Second)})
	}
	set, err := catalogue.Resolve(catalogue.Builtin(), l)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// clock plays seconds.
type clock struct {
	t   *testing.T
	set *Set
	now time.Time
}

func start(t *testing.T, set catalogue.Set) *clock {
	t.Helper()
	s, err := New(set, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &clock{t, s, time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)}
}

// run lets n seconds pass and returns what happened, as "second check instance state".
func (c *clock) run(n int, m *expression.Machine) (lines []string, all []Transition) {
	for i := range n {
		c.now = c.now.Add(time.Second)
		for _, tr := range c.set.Evaluate(m, c.now) {
			lines = append(lines, strings.TrimSpace(fmt.Sprint(i+1, " ", tr.Check, " ", tr.Instance, " ", tr.State, " ", tr.Severity, " ", tr.Reason)))
			all = append(all, tr)
		}
	}
	return lines, all
}

func (c *clock) want(n int, m *expression.Machine, want ...string) []Transition {
	c.t.Helper()
	got, all := c.run(n, m)
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		c.t.Errorf("-want +got:\n%s", diff)
	}
	return all
}

func TestDiskFillsAndIsCleared(t *testing.T) {
	c := start(t, fast(t))
	m := machine()
	c.want(5, m)
	if h := c.set.Health(); h != "ok" {
		t.Errorf("health %s", h)
	}
	m.Filesystems[1].Used, m.Filesystems[1].AvailableBytes = known(0.9), known(10e9)
	fired := c.want(5, m, "3 filesystem.full /home firing warning")[0]
	if h := c.set.Health(); h != "warning" {
		t.Errorf("health %s", h)
	}
	if diff := cmp.Diff(map[string]float64{"value": 0.9, "used": 0.9, "free": 10e9, "size": 100e9}, fired.Values); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{"mount": "/home", "type": "ext4", "family": "linux"}, fired.Texts); diff != "" {
		t.Error(diff)
	}
	if fired.At-fired.StartedAt != 2e6 || fired.Episode == (uuid.UUID{}) {
		t.Errorf("%+v", fired)
	}
	m.Filesystems[1].Used = known(0.97)
	c.want(5, m, "3 filesystem.full /home firing critical")
	if h := c.set.Health(); h != "critical" {
		t.Errorf("health %s", h)
	}
	m.Filesystems[1].Used = known(0.84) // not bad, not yet clear
	c.want(10, m, "3 filesystem.full /home firing warning")
	m.Filesystems[1].Used = known(0.5)
	over := c.want(5, m, "3 filesystem.full /home resolved warning cleared")[0]
	if over.Episode != fired.Episode || over.StartedAt != fired.StartedAt || over.Values["used"] != 0.5 {
		t.Errorf("%+v after %+v", over, fired)
	}
	if h := c.set.Health(); h != "ok" {
		t.Errorf("health %s", h)
	}
}

func TestUnknownAndGone(t *testing.T) {
	c := start(t, fast(t, "cups", "nope"))
	m := machine()
	m.Services[0].State = "failed"
	c.want(4, m, "3 service.stopped cups firing critical")
	m.Services = nil // cannot be read any more
	c.want(60, m, "3 service.stopped cups unknown critical")
	if h := c.set.Health(); h != "unknown" {
		t.Errorf("health %s", h)
	}
	m.Services = machine().Services
	c.want(5, m, "3 service.stopped cups resolved critical cleared")
	m.Services[0].State = "stopped"
	c.want(3, m, "3 service.stopped cups firing warning")
	m.Services = []expression.Service{} // uninstalled
	c.want(5, m, "3 service.stopped cups resolved warning gone")
	if h := c.set.Health(); h != "ok" {
		t.Errorf("health %s", h)
	}
}

func TestProcessesComeAndGo(t *testing.T) {
	c := start(t, fast(t))
	m := machine()
	c.want(3, m)
	m.Processes[1].CPU = known(1.5)
	m.Processes = append(m.Processes, expression.Process{PID: 9, Name: "born"}) // no rate yet
	fired := c.want(3, m, "3 process.cpu firefox:7 firing warning")
	if fired[0].Texts["program"] != "firefox" || fired[0].Values["cores"] != 1.5 || fired[0].Values["all"] != 8 || fired[0].Values["pid"] != 7 {
		t.Errorf("%+v", fired[0])
	}
	m.Processes = m.Processes[:1]
	c.want(5, m, "3 process.cpu firefox:7 resolved warning gone")
	if n := len(c.set.states); n != 1 { // the book of fires of one
		t.Errorf("%d states are kept", n)
	}
	m.Processes = nil
	c.want(5, m)
	if h := c.set.Health(); h != "unknown" {
		t.Errorf("health without processes is %s", h)
	}
}

func TestIntervals(t *testing.T) {
	set := fast(t)
	for i := range set.Checks {
		set.Checks[i].Interval = catalogue.Duration(15 * time.Second)
		set.Checks[i].For, set.Checks[i].KeepFiringFor = 0, 0
	}
	c := start(t, set)
	m := machine()
	c.want(1, m)
	m.Memory.Used = known(0.99)
	c.want(20, m, "14 memory.pressure  firing critical")
	m.Memory.Used = known(0.1)
	c.now = c.now.Add(-time.Hour) // a clock that is set back stops nothing
	c.want(20, m, "1 memory.pressure  resolved critical cleared")
	m.Memory.Used = known(0.99)
	c.want(2, m)
	c.set.Hasten() // somebody wants to know now
	c.want(1, m, "1 memory.pressure  firing critical")
}

func TestReplace(t *testing.T) {
	c := start(t, fast(t))
	m := machine()
	m.Memory.Used, m.Filesystems[0].Used = known(0.99), known(0.99)
	fired := c.want(3, m, "3 filesystem.full / firing critical", "3 memory.pressure  firing critical")
	off := false
	next, err := catalogue.Resolve(fast(t).Checks, catalogue.Layer{Overrides: []catalogue.Override{{Check: "memory.pressure", Enabled: &off}}})
	if err != nil {
		t.Fatal(err)
	}
	gone, err := c.set.Replace(next, c.now)
	if err != nil || len(gone) != 1 || gone[0].Reason != "disabled" || gone[0].Episode != fired[1].Episode || gone[0].State != "resolved" {
		t.Fatalf("%+v, %v", gone, err)
	}
	c.want(5, m) // the disk goes on firing, once
	m.Filesystems[0].Used = known(0.1)
	over := c.want(5, m, "3 filesystem.full / resolved critical cleared")
	if over[0].Episode != fired[0].Episode {
		t.Error("another episode")
	}
	bad := fast(t)
	bad.Checks[0].Warning = "nope"
	if _, err := c.set.Replace(bad, c.now); err == nil || c.set.set.Hash() != next.Hash() {
		t.Errorf("a bad set replaced a good one: %v", err)
	}
}

func TestSaveAndRestore(t *testing.T) {
	c := start(t, fast(t))
	m := machine()
	m.Memory.Used = known(0.99)
	fired := c.want(3, m, "3 memory.pressure  firing critical")
	b, err := c.set.Save()
	if err != nil {
		t.Fatal(err)
	}
	after := start(t, fast(t))
	after.now = c.now.Add(time.Hour)
	if err := after.set.Restore(b); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c.set.states, after.set.states, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	after.want(3, m)
	m.Memory.Used = known(0.2)
	over := after.want(4, m, "3 memory.pressure  resolved critical cleared")
	if over[0].Episode != fired[0].Episode {
		t.Error("another episode after a restart")
	}
	if after.set.Restore([]byte("<html>")) == nil {
		t.Error("anything is restored")
	}
}

func TestBrokenAndSetAside(t *testing.T) {
	set := fast(t)
	set.Checks = append(set.Checks, catalogue.Check{
		ID: "my.slow", Judged: catalogue.JudgedByMachine, Enabled: true, Interval: catalogue.MinInterval,
		Value: `count(processes, ` + strings.Repeat(".pid > 1 and ", 60) + `true)`, Warning: "> 1e9",
	})
	var doing []string
	s, err := New(set, func(id string) { doing = append(doing, id) })
	if err != nil {
		t.Fatal(err)
	}
	c := &clock{t, s, time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)}
	m := machine()
	m.Processes = make([]expression.Process, expression.MaxRows)
	m.Memory.Used = known(0.99)
	all := c.want(4, m, "1 my.slow  unknown warning", "3 memory.pressure  firing critical")
	if !strings.Contains(all[0].Broken, "too long") || all[0].Episode != (uuid.UUID{}) {
		t.Errorf("%+v", all[0])
	}
	i := slices.Index(doing, "my.slow")
	if i < 0 || doing[i+1] != "" || doing[len(doing)-1] != "" {
		t.Errorf("doing %v", doing)
	}
	s.SetAside("memory.pressure", "the agent ended while it was evaluated")
	aside := c.want(5, m, "1 memory.pressure  unknown warning", "3 memory.pressure  unknown critical")
	if aside[0].Broken == "" || aside[1].Broken != "" || s.Health() != "unknown" {
		t.Errorf("%+v, health %s", aside, s.Health())
	}
	s.SetAside("memory.pressure", "")
	c.want(1, m, "1 memory.pressure  firing critical")
	if _, err := New(catalogue.Set{Checks: []catalogue.Check{{ID: "x", Judged: "machine", Enabled: true, Value: "nope", Warning: "> 1"}}}, nil); err == nil {
		t.Error("a set that does not compile is taken")
	} else if bad := new(catalogue.Invalid); !errors.As(err, &bad) || bad.Field != "value" {
		t.Errorf("%v", err)
	}
}

func TestDependsOn(t *testing.T) {
	set := fast(t)
	for i := range set.Checks {
		if set.Checks[i].ID == "filesystem.inodes" {
			set.Checks[i].DependsOn = []string{"filesystem.full"}
		}
	}
	c := start(t, set)
	m := machine()
	m.Filesystems[0].Used, m.Filesystems[0].InodesUsedRatio = known(0.99), known(0.99)
	c.want(2, m)
	c.want(8, m, "1 filesystem.full / firing critical")
	m.Filesystems[0].Used = known(0.1)
	c.want(8, m, "3 filesystem.full / resolved critical cleared", "5 filesystem.inodes / firing critical")
}

func TestFresh(t *testing.T) {
	c := start(t, fast(t, "cups"))
	m := machine()
	m.Filesystems[1].Used = known(0.9)
	for _, tc := range []struct {
		check, instance string
		want            Level
	}{
		{"filesystem.full", "/", Clear}, {"filesystem.full", "/home", Warning}, {"filesystem.full", "", Warning}, {"filesystem.full", "/gone", Gone},
		{"service.stopped", "cups", Clear}, {"memory.pressure", "", Clear},
	} {
		got, values, err := c.set.Fresh(tc.check, tc.instance, m)
		if err != nil || got != tc.want {
			t.Errorf("%s %s: %d, %v, want %d", tc.check, tc.instance, got, err, tc.want)
		}
		if got == Warning && values["used"] != 0.9 {
			t.Errorf("%s %s: values %v", tc.check, tc.instance, values)
		}
	}
	services := start(t, fast(t, "Cups.service", "printing"))
	m.Services[slices.IndexFunc(m.Services, func(s expression.Service) bool { return s.Name == "cups" })].State = "failed"
	for name, want := range map[string]Level{"cups": Critical, "cups.service": Critical, "Cups.service": Critical, "unwatched": Gone} {
		if got, _, err := services.set.Fresh("service.stopped", name, m); got != want || err != nil {
			t.Errorf("%s: %d, %v", name, got, err)
		}
	}
	if _, _, err := c.set.Fresh("nope", "", m); err == nil {
		t.Error("a check that is not judged is fresh")
	}
	m.Filesystems = nil
	if got, _, _ := c.set.Fresh("filesystem.full", "/", m); got != Unknown {
		t.Errorf("without filesystems: %d", got)
	}
	if n := len(c.set.states); n != 0 {
		t.Errorf("a fresh look noted %d states", n)
	}
}

// TestFreshHolds: between the limit and where the alert clears, a look says what the
// alert says, and nothing is wrong where none fires.
func TestFreshHolds(t *testing.T) {
	c := start(t, fast(t))
	m := machine()
	m.Filesystems[0].Used, m.Filesystems[1].Used = known(0.9), known(0.83)
	c.want(8, m, "3 filesystem.full / firing warning")
	m.Filesystems[0].Used = known(0.83)
	c.want(2, m)
	for instance, want := range map[string]Level{"/": Warning, "/home": Holding} {
		if got, _, err := c.set.Fresh("filesystem.full", instance, m); got != want || err != nil {
			t.Errorf("%s: %d, %v, want %d", instance, got, err, want)
		}
	}
}

func TestLook(t *testing.T) {
	c := start(t, fast(t, "cups"))
	m := machine()
	m.Processes = append(m.Processes, expression.Process{PID: 9, Name: "born"})
	m.Filesystems[1].Used = known(0.9)
	m.Services, m.Unreadable = nil, []expression.Unreadable{{What: "services", Why: "no service manager runs here"}}
	got := map[string]string{}
	for _, v := range c.set.Look(m) {
		s := v.Health
		for _, f := range v.Findings {
			s += " " + f.Instance + " " + f.Value.String() + " " + f.Unknown
		}
		if v.Most != nil {
			s += " most " + v.Most.Instance + " " + v.Most.Value.String()
		}
		got[v.Check.ID] = s
	}
	if diff := cmp.Diff(map[string]string{
		"filesystem.full":   "warning /home 0.9 ",
		"filesystem.inodes": "ok most / 0.01",
		"memory.pressure":   "ok most  0.4",
		"process.cpu":       "ok most firefox:7 0.2",
		"service.stopped":   "unknown cups unknown services: no service manager runs here",
	}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func BenchmarkEvaluate(b *testing.B) {
	set, err := catalogue.Resolve(catalogue.Builtin(), catalogue.Layer{Watched: []string{"cups"}})
	if err != nil {
		b.Fatal(err)
	}
	s, err := New(set, nil)
	if err != nil {
		b.Fatal(err)
	}
	m := machine()
	for i := range 400 {
		m.Processes = append(m.Processes, expression.Process{PID: int64(i), Name: "p", CPU: known(0.1)})
	}
	at := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		at = at.Add(15 * time.Second)
		s.Evaluate(m, at)
	}
}
