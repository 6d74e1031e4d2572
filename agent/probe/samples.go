package probe

import (
	"slices"

	"github.com/deskside/deskside/protocol/expression"
	"github.com/deskside/deskside/protocol/history"
)

// Samples appends the vitals of m that have a history to dst. What is unknown
// has no sample. Images and shares are left out: the one never changes, the
// other is not this machine's.
func Samples(dst []history.Sample, m *expression.Machine) []history.Sample {
	add := func(metric uint16, instance expression.Text, r expression.Reading) {
		if v, known := r.Get(); known {
			dst = append(dst, history.Sample{Metric: metric, Instance: string(instance), Value: v})
		}
	}
	add(history.CPUUtilization, "", m.CPU.Used)
	add(history.LoadAverage1m, "", m.CPU.Load1m)
	add(history.MemoryUtilization, "", m.Memory.Used)
	add(history.MemoryUsage, "", m.Memory.UsedBytes)
	add(history.PagingUtilization, "", m.Swap.Used)
	add(history.ProcessCount, "", m.ProcessCount)
	for _, f := range m.Filesystems {
		if f.Kind == "image" || f.Kind == "network" {
			continue
		}
		add(history.FilesystemUtilization, f.Mount, f.Used)
		add(history.FilesystemUsage, f.Mount, f.UsedBytes)
		add(history.InodesUtilization, f.Mount, f.InodesUsedRatio)
	}
	for _, d := range m.Disks {
		add(history.DiskRead, d.Device, d.Read)
		add(history.DiskWrite, d.Device, d.Write)
	}
	for _, n := range m.NetworkIO {
		add(history.NetworkReceive, n.Name, n.Receive)
		add(history.NetworkTransmit, n.Name, n.Transmit)
	}
	return dst
}

// Top returns the n processes that use the most, by "cpu" or "memory". What is
// unknown of a process counts as nothing here.
func Top(m *expression.Machine, by string, n int) []expression.Process {
	use := func(p expression.Process) float64 {
		if by == "memory" {
			return p.RSSBytes.Or(0)
		}
		return p.CPU.Or(0)
	}
	list := slices.Clone(m.Processes)
	slices.SortStableFunc(list, func(a, b expression.Process) int {
		switch x, y := use(a), use(b); {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	return list[:min(n, len(list))]
}
