package probe

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"strings"

	"github.com/deskside/deskside/protocol/expression"
)

// nameOS reads /etc/os-release.
func (p *Prober) nameOS(_ context.Context, o *expression.OS) error {
	f, err := os.Open(p.path("/etc/os-release"))
	if err != nil {
		if f, err = os.Open(p.path("/usr/lib/os-release")); err != nil {
			return err
		}
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	for s.Scan() {
		k, v, _ := strings.Cut(s.Text(), "=")
		v = strings.Trim(v, `"'`)
		switch k {
		case "ID":
			o.ID = clean(v)
		case "PRETTY_NAME":
			o.Name = clean(v)
		case "VERSION_ID":
			o.Version = clean(v)
		}
	}
	return s.Err()
}

func (p *Prober) bootedAt(context.Context) expression.Time {
	return expression.Time(bootTime(p.path) * 1_000_000)
}

// bootTime reads the second at which the machine was started, or 0.
func bootTime(path func(string) string) int64 {
	b, err := os.ReadFile(path("/proc/stat"))
	if err != nil {
		return 0
	}
	_, rest, ok := bytes.Cut(b, []byte("\nbtime "))
	if !ok {
		return 0
	}
	v, _ := next(rest)
	return int64(v)
}

// Boot names this start of the system; empty where the system does not say.
func Boot(context.Context) string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}
