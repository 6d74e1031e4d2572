package probe

import (
	"context"

	"github.com/shirou/gopsutil/v3/cpu"
	"github.com/shirou/gopsutil/v3/mem"

	"github.com/deskside/deskside/protocol/expression"
)

// readHardware reads what the computer is. Maker and model are read per system.
func (p *Prober) readHardware(ctx context.Context) (result, error) {
	h := &expression.Hardware{}
	var missing []expression.Unreadable
	if n, err := cpu.CountsWithContext(ctx, true); err == nil && n > 0 {
		h.Cores = known(n)
	} else {
		missing = append(missing, expression.Unreadable{What: "hardware.cores", Why: "the system does not say how many there are"})
	}
	if n, err := cpu.CountsWithContext(ctx, false); err == nil && n > 0 {
		h.PhysicalCores = known(n)
	}
	if v, err := mem.VirtualMemoryWithContext(ctx); err == nil && v.Total > 0 {
		h.MemoryBytes = known(v.Total)
	}
	missing = append(missing, p.describe(ctx, h)...)
	return result{func(m *expression.Machine) { m.Hardware = h }, missing}, nil
}
