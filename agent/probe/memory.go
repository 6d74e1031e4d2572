package probe

import (
	"context"
	"errors"

	"github.com/shirou/gopsutil/v3/host"
	"github.com/shirou/gopsutil/v3/mem"

	"github.com/deskside/deskside/protocol/expression"
)

var errNothing = errors.New("the system answered with nothing")

// readMemory reads main memory and swap. Used is what programs cannot get
// without pushing something out, which is not what is free of caches.
func readMemory(ctx context.Context) (result, error) {
	v, err := mem.VirtualMemoryWithContext(ctx)
	if err != nil {
		return result{}, err
	}
	if v.Total == 0 {
		return result{}, errNothing
	}
	memory := expression.Memory{
		TotalBytes: known(v.Total), AvailableBytes: known(v.Available), UsedBytes: known(v.Total - min(v.Available, v.Total)),
	}
	memory.Used = expression.Ratio(memory.UsedBytes, memory.TotalBytes)

	var missing []expression.Unreadable
	total, free, err := swapOf(ctx, v)
	if err != nil {
		missing = append(missing, expression.Unreadable{What: "swap", Why: expression.CleanText(err.Error())})
		return result{func(m *expression.Machine) { m.Memory, m.Swap = memory, expression.Memory{} }, missing}, nil
	}
	swap := expression.Memory{TotalBytes: known(total), AvailableBytes: known(free), UsedBytes: known(total - min(free, total))}
	swap.Used = expression.Ratio(swap.UsedBytes, swap.TotalBytes) // unknown without swap
	return result{func(m *expression.Machine) { m.Memory, m.Swap = memory, swap }, missing}, nil
}

func readUptime(ctx context.Context) (result, error) {
	s, err := host.UptimeWithContext(ctx)
	if err != nil {
		return result{}, err
	}
	return result{apply: func(m *expression.Machine) { m.UptimeSeconds = known(s) }}, nil
}
