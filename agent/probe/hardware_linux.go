package probe

import (
	"bufio"
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/shirou/gopsutil/v3/host"

	"github.com/deskside/deskside/protocol/expression"
)

// describe reads the firmware's tables through sysfs. The serial number is for
// root only.
func (p *Prober) describe(ctx context.Context, h *expression.Hardware) []expression.Unreadable {
	var missing []expression.Unreadable
	dmi := func(name string) (expression.Text, error) {
		b, err := os.ReadFile(p.path("/sys/class/dmi/id/" + name))
		s := strings.TrimSpace(string(b))
		if slices.Contains([]string{"To Be Filled By O.E.M.", "System Product Name", "System manufacturer", "Default string", "Not Specified", "None", "0"}, s) {
			return "", err
		}
		return clean(s), err
	}
	var err error
	if h.Vendor, err = dmi("sys_vendor"); err != nil {
		missing = append(missing, expression.Unreadable{What: "hardware.vendor", Why: "the firmware does not say who made this computer"})
	}
	h.Model, _ = dmi("product_name")
	if v, _ := dmi("product_version"); h.Vendor == "LENOVO" && v != "" {
		h.Model = v + " (" + h.Model + ")" // its product_name is an order number
	}
	if h.Serial, err = dmi("product_serial"); errors.Is(err, fs.ErrPermission) {
		missing = append(missing, expression.Unreadable{What: "hardware.serial", Why: "only root may read it"})
	}
	h.CPUModel = p.cpuModel()
	if system, role, err := host.VirtualizationWithContext(ctx); err == nil && role == "guest" {
		h.Virtual = clean(system)
	}
	return missing
}

// cpuModel reads the first model name of /proc/cpuinfo, which ARM lacks.
func (p *Prober) cpuModel() expression.Text {
	f, err := os.Open(p.path("/proc/cpuinfo"))
	if err != nil {
		return ""
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if k, v, ok := strings.Cut(s.Text(), ":"); ok && strings.TrimSpace(k) == "model name" {
			return clean(strings.Join(strings.Fields(v), " "))
		}
	}
	return ""
}
