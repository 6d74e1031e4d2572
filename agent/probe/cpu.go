package probe

import (
	"context"
	"runtime"

	"github.com/shirou/gopsutil/v3/cpu"
	"github.com/shirou/gopsutil/v3/load"

	"github.com/deskside/deskside/protocol/expression"
)

// cpuProbe reads how busy all cores together were since the round before.
type cpuProbe struct {
	busy, total float64 // seconds, since the machine was started
}

func (p *cpuProbe) read(ctx context.Context) (result, error) {
	all, err := cpu.TimesWithContext(ctx, false)
	if err != nil {
		return result{}, err
	}
	if len(all) == 0 {
		return result{}, errNothing
	}
	t := all[0]
	busy := t.User + t.System + t.Nice + t.Irq + t.Softirq + t.Steal
	total := busy + t.Idle + t.Iowait
	var used expression.Reading
	if p.total > 0 && total > p.total {
		// Kernels let single counters go back a little.
		used = expression.Known(min(1, max(0, (busy-p.busy)/(total-p.total))))
	}
	p.busy, p.total = busy, total
	return result{apply: func(m *expression.Machine) { m.CPU.Used = used }}, nil
}

// readLoad reads the load averages, which Windows does not have.
func readLoad(ctx context.Context) (result, error) {
	if runtime.GOOS == "windows" {
		return result{}, nil
	}
	l, err := load.AvgWithContext(ctx)
	if err != nil {
		return result{}, err
	}
	return result{apply: func(m *expression.Machine) {
		m.CPU.Load1m, m.CPU.Load5m, m.CPU.Load15m = known(l.Load1), known(l.Load5), known(l.Load15)
	}}, nil
}
