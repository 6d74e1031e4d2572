package probe

import (
	"context"
	"strings"

	"golang.org/x/sys/windows/registry"

	"github.com/deskside/deskside/protocol/expression"
)

// describe reads what Windows noted of the firmware at the start. WMI knows
// more, and can hang.
func (p *Prober) describe(_ context.Context, h *expression.Hardware) []expression.Unreadable {
	get := func(path, name string) expression.Text {
		k, err := registry.OpenKey(registry.LOCAL_MACHINE, path, registry.QUERY_VALUE)
		if err != nil {
			return ""
		}
		defer k.Close()
		s, _, err := k.GetStringValue(name)
		if err != nil {
			return ""
		}
		return clean(strings.Join(strings.Fields(s), " "))
	}
	const bios = `HARDWARE\DESCRIPTION\System\BIOS`
	h.Vendor, h.Model = get(bios, "SystemManufacturer"), get(bios, "SystemProductName")
	h.CPUModel = get(`HARDWARE\DESCRIPTION\System\CentralProcessor\0`, "ProcessorNameString")
	if h.Vendor == "" {
		return []expression.Unreadable{{What: "hardware.vendor", Why: "the registry does not say who made this computer"}}
	}
	return nil
}
