package probe

import (
	"context"

	"github.com/shirou/gopsutil/v3/mem"
)

func swapOf(ctx context.Context, _ *mem.VirtualMemoryStat) (total, free uint64, err error) {
	s, err := mem.SwapMemoryWithContext(ctx)
	if err != nil {
		return 0, 0, err
	}
	return s.Total, s.Free, nil
}
