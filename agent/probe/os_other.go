//go:build !linux

package probe

import (
	"context"
	"runtime"
	"strconv"
	"strings"

	"github.com/shirou/gopsutil/v3/host"

	"github.com/deskside/deskside/protocol/expression"
)

func (p *Prober) nameOS(ctx context.Context, o *expression.OS) error {
	platform, _, version, err := host.PlatformInformationWithContext(ctx)
	if err != nil {
		return err
	}
	// Windows says "10.0.19045.3086 Build 19045.3086".
	version, _, _ = strings.Cut(version, " Build")
	o.Version = clean(version)
	if runtime.GOOS == "darwin" {
		o.ID, o.Name = "macos", clean("macOS "+version)
		return nil
	}
	o.ID, o.Name = "windows", clean(platform)
	return nil
}

func (p *Prober) bootedAt(ctx context.Context) expression.Time {
	at, err := host.BootTimeWithContext(ctx)
	if err != nil {
		return 0
	}
	return expression.Time(at * 1_000_000)
}

// Boot names this start of the system by its moment, in seconds since 1970, which
// the system works out from the clock: give or take what the clock was set since.
// Empty where the system does not say.
func Boot(ctx context.Context) string {
	at, err := host.BootTimeWithContext(ctx)
	if err != nil || at == 0 {
		return ""
	}
	return strconv.FormatUint(at, 10)
}
