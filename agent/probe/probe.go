// Package probe reads this machine: one file a probe, filling an
// [expression.Machine].
//
// A [Prober] runs its probes one after the other. Each has its own time limit
// and fails by itself: what cannot be read stays unknown, and Unreadable says
// why. A probe that hangs, as on a network drive that went away, is left alone
// until it answers; the others go on.
//
// Without rights the probes read what they may. What the policy's collect does
// not let out is never read; see [Collect].
//
// Probes come in two speeds. Vitals, processes and the fill of filesystems are
// read in every round (15 s); the rest, which changes seldom and costs more,
// only in a slow round, every few minutes. In between its last reading stands.
package probe

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/shirou/gopsutil/v3/common"

	"github.com/deskside/deskside/protocol/expression"
)

// Collect says what of the personal and private fields may be read. What is
// false is unknown to every expression, as if the machine did not have it.
type Collect struct {
	People       bool // names of who is signed in, and owners of processes
	Processes    bool // the list of processes; their number is always read
	CommandLines bool
}

// Options of a Prober.
type Options struct {
	Collect Collect
	Root    string // where proc, sys, etc and run are looked for on Linux; "" is /
}

// A Prober reads the machine again and again. It is for one goroutine.
type Prober struct {
	options Options
	probes  []*probe
	now     func() time.Time

	booted   expression.Time    // kept by readOS
	last     expression.Machine // what the probes read last
	services *services
}

// probe is one probe of a Prober.
type probe struct {
	section string // of the machine, or a field of one: what is unknown when it fails
	slow    bool
	limit   time.Duration
	read    func(context.Context) (result, error)

	pending chan outcome // of a reading that has not answered in time
	missing []expression.Unreadable
}

// result is what a reading found: how to put it into a machine, and what it
// could not find.
type result struct {
	apply   func(*expression.Machine)
	missing []expression.Unreadable
}

type outcome struct {
	result result
	err    error
}

// New returns a Prober. Its first round has no rates: they need two.
func New(o Options) *Prober {
	p := &Prober{options: o, now: time.Now}
	p.services = newServices(p.path)
	clock := func() time.Time { return p.now() }
	const short, long = 2 * time.Second, 10 * time.Second
	p.probes = []*probe{
		{section: expression.SectionOS, slow: true, limit: long, read: p.readOS},
		{section: expression.SectionHardware, slow: true, limit: long, read: p.readHardware},
		{section: expression.SectionNetwork, slow: true, limit: short, read: p.readInterfaces},
		{section: expression.SectionPeople, slow: true, limit: short, read: p.readPeople},
		{section: expression.SectionServices, limit: short, read: p.services.read},
		{section: "cpu.used", limit: short, read: (&cpuProbe{}).read},
		{section: "cpu.load_1m", limit: short, read: readLoad},
		{section: "memory", limit: short, read: readMemory},
		{section: expression.SectionFilesystems, limit: short, read: newFilesystems(p.path).read},
		{section: "disks", limit: short, read: newDisks(p.path, clock).read},
		{section: "network_io", limit: short, read: (&trafficProbe{clock: clock}).read},
		{section: "uptime_seconds", limit: short, read: readUptime},
		{section: expression.SectionProcesses, limit: long, read: newProcesses(p.path, o.Collect, clock).read},
	}
	return p
}

// path returns where a file of the system is, given from the root.
func (p *Prober) path(name string) string { return p.options.Root + name }

// Watch names the services whose state is read in every round, not only in
// slow ones.
func (p *Prober) Watch(services []string) { p.services.watch(services) }

// Close ends the connections that probes keep. The Prober is of no use then.
func (p *Prober) Close() { p.services.close() }

// Round reads what changes, and in a slow round the rest, too; the first round
// should be slow. The machine that it returns is not changed afterwards.
func (p *Prober) Round(ctx context.Context, slow bool) *expression.Machine {
	if p.options.Root != "" {
		ctx = context.WithValue(ctx, common.EnvKey, common.EnvMap{
			common.HostProcEnvKey: p.path("/proc"), common.HostSysEnvKey: p.path("/sys"), common.HostEtcEnvKey: p.path("/etc"),
			common.HostRunEnvKey: p.path("/run"), common.HostVarEnvKey: p.path("/var"), common.HostDevEnvKey: p.path("/dev"),
		})
	}
	p.services.setSlow(slow)
	m := p.last
	for _, probe := range p.probes {
		if probe.slow && !slow {
			continue
		}
		r := probe.run(ctx)
		if r.apply != nil {
			r.apply(&m)
		}
		probe.missing = r.missing
	}
	m.ObservedAt = expression.TimeOf(p.now())
	m.Unreadable = []expression.Unreadable{}
	for _, probe := range p.probes {
		m.Unreadable = append(m.Unreadable, probe.missing...)
	}
	p.last = m
	out := m
	return &out
}

// run reads within the limit. When the probe fails, apply takes what it read
// before out of the machine: an old reading must not pass for a new one.
func (b *probe) run(ctx context.Context) result {
	if b.pending != nil {
		select {
		case <-b.pending: // an answer to another round
			b.pending = nil
		default:
			return b.failed("has not answered since an earlier round")
		}
	}
	ctx, cancel := context.WithTimeout(ctx, b.limit)
	defer cancel()
	answer := make(chan outcome, 1)
	go func() {
		r, err := b.read(ctx)
		answer <- outcome{r, err}
	}()
	timer := time.NewTimer(b.limit + 100*time.Millisecond)
	defer timer.Stop()
	select {
	case o := <-answer:
		if o.err != nil {
			return b.failed(o.err.Error())
		}
		return o.result
	case <-timer.C:
		b.pending = answer
		return b.failed(fmt.Sprintf("did not answer within %s", b.limit))
	}
}

func (b *probe) failed(why string) result {
	return result{
		apply:   func(m *expression.Machine) { forget(m, b.section) },
		missing: []expression.Unreadable{{What: b.section, Why: expression.CleanText(why)}},
	}
}

// forget makes a section, or the fields that one probe reads, unknown.
func forget(m *expression.Machine, section string) {
	switch section {
	case expression.SectionOS:
		m.OS = nil
	case expression.SectionHardware:
		m.Hardware = nil
	case expression.SectionNetwork:
		m.Network = nil
	case expression.SectionPeople:
		m.People = nil
	case expression.SectionServices:
		m.Services = nil
	case expression.SectionFilesystems:
		m.Filesystems = nil
	case expression.SectionProcesses:
		m.Processes, m.ProcessCount = nil, expression.Reading{}
	case "cpu.used":
		m.CPU.Used = expression.Reading{}
	case "cpu.load_1m":
		m.CPU.Load1m, m.CPU.Load5m, m.CPU.Load15m = expression.Reading{}, expression.Reading{}, expression.Reading{}
	case "memory":
		m.Memory, m.Swap = expression.Memory{}, expression.Memory{}
	case "disks":
		m.Disks = nil
	case "network_io":
		m.NetworkIO = nil
	case "uptime_seconds":
		m.UptimeSeconds = expression.Reading{}
	}
}

// known and clean are short for what every probe says.
func known[T int | int32 | int64 | uint64 | float64](v T) expression.Reading {
	return expression.Known(float64(v))
}

func clean(s string) expression.Text { return expression.Text(expression.CleanText(s)) }

// keep returns the first n of a list, with a note when there are more.
func keep[T any](list []T, n int, what string) ([]T, []expression.Unreadable) {
	if len(list) <= n {
		return list, nil
	}
	return slices.Clip(list[:n]), []expression.Unreadable{{What: what, Why: fmt.Sprintf("there are %d; the first %d are listed", len(list), n)}}
}

// held is the answer of a probe whose section the policy keeps back.
func held(section string) (result, error) {
	return result{}, fmt.Errorf("the policy of this machine does not let %s out", section)
}
