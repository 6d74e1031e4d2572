package probe

import (
	"context"
	"time"

	"github.com/shirou/gopsutil/v3/process"

	"github.com/deskside/deskside/protocol/expression"
)

// processes keeps a handle of gopsutil's for each process, so that what does
// not change (name, owner, command line) is asked for once.
type processes struct {
	collect Collect
	clock   func() time.Time
	seen    map[int32]*known32
	at      time.Time
}

type known32 struct {
	process *process.Process
	created int64 // milliseconds
	seconds float64
	fixed   expression.Process
	here    bool
}

func newProcesses(_ func(string) string, collect Collect, clock func() time.Time) *processes {
	return &processes{collect: collect, clock: clock, seen: map[int32]*known32{}}
}

func (p *processes) read(ctx context.Context) (result, error) {
	pids, err := process.PidsWithContext(ctx)
	if err != nil {
		return result{}, err
	}
	now := p.clock()
	elapsed := now.Sub(p.at).Seconds()
	first := p.at.IsZero()
	p.at = now
	for _, k := range p.seen {
		k.here = false
	}
	list := []expression.Process{}
	count, denied := 0, 0
	for _, pid := range pids {
		if pid == 0 { // what idles
			continue
		}
		count++
		k, fresh := p.meet(ctx, pid)
		k.here = true
		one := k.fixed
		if t, err := k.process.TimesWithContext(ctx); err == nil {
			seconds := t.User + t.System
			if !fresh && !first && elapsed > 0 && seconds >= k.seconds {
				one.CPU = known(((seconds) - k.seconds) / elapsed)
			}
			k.seconds = seconds
		} else {
			denied++
		}
		if mem, err := k.process.MemoryInfoWithContext(ctx); err == nil {
			one.RSSBytes = known(mem.RSS)
		}
		if len(list) < maxProcesses {
			list = append(list, one)
		}
	}
	for pid, k := range p.seen {
		if !k.here {
			delete(p.seen, pid)
		}
	}
	var missing []expression.Unreadable
	if denied > 0 {
		missing = append(missing, expression.Unreadable{What: "processes.cpu", Why: "this account may not see the times of all processes"})
	}
	if !p.collect.Processes {
		missing = append(missing, expression.Unreadable{What: "processes", Why: "the policy of this machine does not let them out"})
		list = nil
	}
	return result{func(m *expression.Machine) { m.Processes, m.ProcessCount = list, known(count) }, missing}, nil
}

// meet returns what is known of a process; fresh says that it is new.
func (p *processes) meet(ctx context.Context, pid int32) (k *known32, fresh bool) {
	one := &process.Process{Pid: pid}
	created, _ := one.CreateTimeWithContext(ctx)
	if k := p.seen[pid]; k != nil && k.created == created {
		return k, false
	}
	k = &known32{process: one, created: created, fixed: expression.Process{PID: int64(pid), StartedAt: expression.Time(created * 1000)}}
	if name, err := one.NameWithContext(ctx); err == nil {
		k.fixed.Name = clean(name)
	}
	if p.collect.People {
		if owner, err := one.UsernameWithContext(ctx); err == nil {
			k.fixed.Owner = clean(owner)
		}
	}
	if p.collect.CommandLines {
		if line, err := one.CmdlineWithContext(ctx); err == nil {
			k.fixed.CommandLine = clean(line)
		}
	}
	p.seen[pid] = k
	return k, true
}
