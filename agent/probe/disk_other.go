//go:build !linux

package probe

import (
	"context"

	"github.com/shirou/gopsutil/v3/disk"
)

func (p *disks) counters(ctx context.Context) (map[string]counters, error) {
	all, err := disk.IOCountersWithContext(ctx)
	if err != nil {
		return nil, err
	}
	out := make(map[string]counters, len(all))
	for name, c := range all {
		out[name] = counters{c.ReadBytes, c.WriteBytes}
	}
	return out, nil
}
