package probe

import (
	"context"

	"golang.org/x/sys/unix"

	"github.com/deskside/deskside/protocol/expression"
)

func (p *Prober) describe(_ context.Context, h *expression.Hardware) []expression.Unreadable {
	h.Vendor = "Apple"
	if s, err := unix.Sysctl("hw.model"); err == nil {
		h.Model = clean(s)
	}
	if s, err := unix.Sysctl("machdep.cpu.brand_string"); err == nil {
		h.CPUModel = clean(s)
	}
	return nil
}
