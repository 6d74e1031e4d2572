package probe

import (
	"context"
	"os"
	"runtime"
	"strings"

	"github.com/shirou/gopsutil/v3/host"

	"github.com/deskside/deskside/protocol/expression"
)

// readOS reads what runs here. The name as people know it is read per system.
func (p *Prober) readOS(ctx context.Context) (result, error) {
	o := &expression.OS{Family: expression.Text(runtime.GOOS), Arch: expression.Text(runtime.GOARCH)}
	var missing []expression.Unreadable
	if name, err := os.Hostname(); err == nil {
		o.Hostname = clean(name)
	} else {
		missing = append(missing, expression.Unreadable{What: "os.hostname", Why: expression.CleanText(err.Error())})
	}
	if kernel, err := host.KernelVersionWithContext(ctx); err == nil {
		kernel, _, _ = strings.Cut(kernel, " Build") // as Windows has it twice
		o.Kernel = clean(kernel)
	}
	o.BootedAt = p.bootedAt(ctx)
	// The system works it out from the clock, which is nudged all the time.
	if d := o.BootedAt - p.booted; d > -5e6 && d < 5e6 {
		o.BootedAt = p.booted
	}
	p.booted = o.BootedAt
	if o.BootedAt == 0 {
		missing = append(missing, expression.Unreadable{What: "os.booted_at", Why: "the system does not say when it was started"})
	}
	if err := p.nameOS(ctx, o); err != nil {
		missing = append(missing, expression.Unreadable{What: "os.name", Why: expression.CleanText(err.Error())})
	}
	return result{func(m *expression.Machine) { m.OS = o }, missing}, nil
}
