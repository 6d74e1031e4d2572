package probe

import (
	"context"
	"errors"
	"os"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shirou/gopsutil/v3/disk"
	"go.uber.org/goleak"

	"github.com/deskside/deskside/protocol/expression"
	"github.com/deskside/deskside/protocol/history"
)

// TestThisMachine reads the machine that the test runs on.
func TestThisMachine(t *testing.T) {
	defer goleak.VerifyNone(t)
	p := New(Options{Collect: Collect{People: true, Processes: true}})
	defer p.Close()
	p.Round(context.Background(), true)
	burn := time.Now()
	for time.Since(burn) < 50*time.Millisecond { // so that there is something to measure
	}
	m := p.Round(context.Background(), false)
	if m.OS == nil || string(m.OS.Family) != runtime.GOOS || m.OS.Hostname == "" || m.OS.BootedAt == 0 {
		t.Errorf("os %+v", m.OS)
	}
	if m.Hardware == nil || m.Hardware.Cores.Or(0) < 1 || m.Hardware.MemoryBytes.Or(0) < 1e8 {
		t.Errorf("hardware %+v", m.Hardware)
	}
	if used, known := m.Memory.Used.Get(); !known || used <= 0 || used >= 1 {
		t.Errorf("memory %+v", m.Memory)
	}
	if len(m.Filesystems) == 0 || m.Filesystems[0].Used == (expression.Reading{}) {
		t.Errorf("filesystems %+v", m.Filesystems)
	}
	if m.UptimeSeconds.Or(0) <= 0 || m.ObservedAt == 0 {
		t.Errorf("up %s, observed at %d", m.UptimeSeconds, m.ObservedAt)
	}
	self := false
	for _, one := range m.Processes {
		if one.PID == int64(os.Getpid()) {
			self = one.Name != "" && one.Owner != "" && one.RSSBytes.Or(0) > 1e6 && one.CPU.Or(0) > 0 && one.StartedAt > 0
		}
	}
	if !self {
		t.Errorf("this process is not among %d, or without name, owner, memory, rate or start", len(m.Processes))
	}
	if m.Services == nil && m.Why("services") == "" {
		t.Error("services are unknown for no reason")
	}
	set := Samples(nil, m)
	if len(set) < 6 {
		t.Errorf("%d samples", len(set))
	}
}

// TestProbeThatHangs: it costs its limit once, and the others nothing.
func TestProbeThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var calls atomic.Int32
		p := &Prober{now: time.Now, services: newServices(func(s string) string { return s })}
		p.probes = []*probe{
			{section: "memory", limit: 2 * time.Second, read: func(context.Context) (result, error) {
				n := calls.Add(1)
				if n == 2 {
					<-release // deaf to its context
				}
				return result{apply: func(m *expression.Machine) { m.Memory.Used = known(n) }}, nil
			}},
			{section: "cpu.used", limit: 2 * time.Second, read: func(context.Context) (result, error) {
				return result{apply: func(m *expression.Machine) { m.CPU.Used = known(0.5) }}, nil
			}},
		}
		round := func(wantMemory expression.Reading, wantWhy string, wantAtMost time.Duration) {
			t.Helper()
			start := time.Now()
			m := p.Round(t.Context(), false)
			if took := time.Since(start); took > wantAtMost {
				t.Errorf("the round took %s", took)
			}
			if m.Memory.Used != wantMemory || m.CPU.Used != known(0.5) || m.Why("memory.used") != wantWhy {
				t.Errorf("memory %s, cpu %s, because %q", m.Memory.Used, m.CPU.Used, m.Why("memory.used"))
			}
		}
		round(known(1), "", 0)
		round(expression.Reading{}, "did not answer within 2s", 2200*time.Millisecond)
		round(expression.Reading{}, "has not answered since an earlier round", 0)
		if calls.Load() != 2 {
			t.Errorf("a probe that hangs was asked %d times", calls.Load())
		}
		close(release)
		synctest.Wait()
		round(known(3), "", 0)
	})
}

func TestShareThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var asked atomic.Int32
		p := newFilesystems(func(s string) string { return s })
		p.usage = func(context.Context, string) (*disk.UsageStat, error) {
			asked.Add(1)
			<-release
			return &disk.UsageStat{Total: 10}, nil
		}
		for i, want := range []time.Duration{time.Second, 0, 0} {
			start := time.Now()
			if _, err := p.ask(t.Context(), "/mnt/share", "network"); err == nil || time.Since(start) > want {
				t.Errorf("%d: after %s, %v", i, time.Since(start), err)
			}
		}
		if asked.Load() != 1 {
			t.Errorf("a share that hangs was asked %d times", asked.Load())
		}
		close(release)
		synctest.Wait()
		if u, err := p.ask(t.Context(), "/mnt/share", "network"); err != nil || u.Total != 10 {
			t.Errorf("%v, %v", u, err)
		}
	})
}

func TestRates(t *testing.T) {
	var r rates
	at := time.Unix(1000, 0)
	if v := r.of(map[string]counters{"a": {100, 100}}, at)["a"]; v[0] != (expression.Reading{}) {
		t.Errorf("the first rate is %s", v[0])
	}
	v := r.of(map[string]counters{"a": {1100, 50}, "b": {7, 7}}, at.Add(10*time.Second))
	if v["a"][0] != known(100) || v["a"][1] != (expression.Reading{}) || v["b"][0] != (expression.Reading{}) {
		t.Errorf("%v", v)
	}
	if v := r.of(map[string]counters{"a": {1100, 50}}, at.Add(10*time.Second))["a"]; v[0] != (expression.Reading{}) {
		t.Errorf("a rate over no time is %s", v[0])
	}
	if v := r.of(map[string]counters{"a": {1100, 150}}, at.Add(20*time.Second))["a"]; v[0] != known(0) || v[1] != known(10) {
		t.Errorf("%v", v)
	}
}

// TestMergeServices: a fast round asks for the watched services only, and the list
// that was handed out stays as it was.
func TestMergeServices(t *testing.T) {
	before := []expression.Service{{Name: "cups", State: "running", Start: "auto"}, {Name: "ssh", State: "running"}, {Name: "vpn", State: "running", Start: "auto"}}
	after := merge(before, []expression.Service{{Name: "CUPS", State: "failed"}, {Name: "vpn", State: "stopped", Start: "disabled"}, {Name: "nope"}, {Name: "new", State: "running"}})
	want := []expression.Service{{Name: "cups", State: "failed", Start: "auto"}, {Name: "ssh", State: "running"}, {Name: "vpn", State: "stopped", Start: "disabled"}, {Name: "new", State: "running"}}
	if diff := cmp.Diff(want, after); diff != "" {
		t.Error(diff)
	}
	if before[0].State != "running" {
		t.Error("the list that was handed out changed")
	}
}

func TestFailedProbeForgets(t *testing.T) {
	p := New(Options{})
	defer p.Close()
	full := func() *expression.Machine {
		one := known(1)
		return &expression.Machine{
			OS: &expression.OS{}, Hardware: &expression.Hardware{}, Filesystems: []expression.Filesystem{}, Network: []expression.Interface{}, People: []expression.Person{},
			Services: []expression.Service{}, Processes: []expression.Process{}, CPU: expression.CPU{Used: one, Load1m: one}, Memory: expression.Memory{Used: one}, Swap: expression.Memory{Used: one},
			Disks: []expression.Disk{}, NetworkIO: []expression.NetworkIO{}, UptimeSeconds: one, ProcessCount: one,
		}
	}
	for _, b := range p.probes {
		b.read = func(context.Context) (result, error) { return result{}, errors.New("broken\x1b") }
		r := b.run(t.Context())
		m := full()
		r.apply(m)
		if cmp.Equal(full(), m, cmp.AllowUnexported(expression.Reading{})) {
			t.Errorf("%s: what was read before stays", b.section)
		}
		if len(r.missing) != 1 || r.missing[0] != (expression.Unreadable{What: b.section, Why: "broken"}) {
			t.Errorf("%s: %v", b.section, r.missing)
		}
	}
}

func TestSamplesAndTop(t *testing.T) {
	m := &expression.Machine{
		CPU:         expression.CPU{Used: known(0)},
		Filesystems: []expression.Filesystem{{Mount: "/", Kind: "local", Used: known(0.5)}, {Mount: "/cd", Kind: "image", Used: known(1)}},
		Disks:       []expression.Disk{{Device: "sda", Read: known(5)}},
		Processes:   []expression.Process{{PID: 1}, {PID: 2, CPU: known(1)}, {PID: 3, CPU: known(2), RSSBytes: known(5)}, {PID: 4, RSSBytes: known(9)}},
	}
	want := []history.Sample{{Metric: history.CPUUtilization}, {Metric: history.FilesystemUtilization, Instance: "/", Value: 0.5}, {Metric: history.DiskRead, Instance: "sda", Value: 5}}
	if diff := cmp.Diff(want, Samples(nil, m)); diff != "" {
		t.Error(diff)
	}
	pids := func(by string) (out []int64) {
		for _, p := range Top(m, by, 2) {
			out = append(out, p.PID)
		}
		return out
	}
	if a, b := pids("cpu"), pids("memory"); !cmp.Equal(a, []int64{3, 2}) || !cmp.Equal(b, []int64{4, 3}) {
		t.Errorf("top %v and %v", a, b)
	}
}
