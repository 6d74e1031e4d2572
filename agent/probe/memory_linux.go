package probe

import (
	"context"

	"github.com/shirou/gopsutil/v3/mem"
)

// swapOf returns what /proc/meminfo has said already.
func swapOf(_ context.Context, v *mem.VirtualMemoryStat) (total, free uint64, err error) {
	return v.SwapTotal, v.SwapFree, nil
}
