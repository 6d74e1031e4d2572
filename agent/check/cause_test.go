package check

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/deskside/deskside/protocol/expression"
)

// TestCauses: by the catalogue's own times, for the very instance, and of
// services only those that the machine itself starts.
func TestCauses(t *testing.T) {
	c, err := NewCauses()
	if err != nil {
		t.Fatal(err)
	}
	watched := []string{"cups.service", "sshd", "backup", "nobody", "twin"}
	m := machine()
	state := func(name, state, start expression.Text) {
		i := slices.IndexFunc(m.Services, func(s expression.Service) bool { return s.Name == name })
		if i < 0 {
			i, m.Services = len(m.Services), append(m.Services, expression.Service{Name: name})
		}
		m.Services[i].State, m.Services[i].Start = state, start
	}
	now := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	after := func(name string, d time.Duration, want ...Cause) {
		t.Helper()
		for end := now.Add(d); now.Before(end); {
			now = now.Add(5 * time.Second)
			c.Judge(m, watched, now)
		}
		got := slices.SortedFunc(maps.Keys(c.Firing()), func(a, b Cause) int { return strings.Compare(a.Instance, b.Instance) })
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
	cups := Cause{"service.stopped", "cups"}
	state("sshd", "running", "auto")
	state("unwatched", "failed", "auto")
	state("backup", "stopped", "disabled")
	state("twin", "stopped", "manual") // an expression that asks for Twin finds this one
	state("Twin", "running", "auto")
	after("all is well", time.Minute)
	state("cups", "stopped", "auto")
	after("not for long enough", 30*time.Second)
	after("long enough", 15*time.Second, cups)
	state("sshd", "failed", "auto")
	after("another one is bad, too, but not for long", 20*time.Second, cups)
	after("both", 25*time.Second, cups, Cause{"service.stopped", "sshd"})
	state("sshd", "failed", "manual")
	after("the machine does not start it any more", 15*time.Second, cups)
	state("cups", "running", "auto")
	after("it runs: at once no cause", 15*time.Second)
	state("cups", "failed", "auto")
	after("again, but not for long", 30*time.Second)
	after("and now for long", 15*time.Second, cups)
	now = now.Add(time.Hour)
	after("nobody looked for an hour", 15*time.Second)
	after("bad since", 30*time.Second, cups)
	services := m.Services
	m.Services = nil
	after("it cannot be seen", 15*time.Second)
	m.Services = services
	after("seen again: meanwhile it may have been well", 30*time.Second)
	after("bad for long enough again", 15*time.Second, cups)
	watched = nil
	after("nobody watches it", 2*time.Minute)
	m.Filesystems[1].Used = known(0.9)
	after("a disk", 45*time.Second)
	after("a disk, for a minute", 30*time.Second, Cause{"filesystem.full", "/home"})
	m.Filesystems[1].Used = expression.Reading{}
	after("how full it is cannot be read", 15*time.Second)
	m.Filesystems[1].Used = known(0.9)
	after("read again: meanwhile it may have been well", 45*time.Second)
	after("full at each reading for a minute again", 30*time.Second, Cause{"filesystem.full", "/home"})
	m.Filesystems[1].Used = known(0.82)
	after("neither full nor clear", 15*time.Second)
}
