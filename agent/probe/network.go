package probe

import (
	"cmp"
	"context"
	"net"
	"slices"
	"strings"
	"time"

	psnet "github.com/shirou/gopsutil/v3/net"

	"github.com/deskside/deskside/protocol/expression"
)

const maxInterfaces = 32

// readInterfaces reads the network interfaces but loopback.
func (p *Prober) readInterfaces(context.Context) (result, error) {
	all, err := net.Interfaces()
	if err != nil {
		return result{}, err
	}
	list := []expression.Interface{}
	var missing []expression.Unreadable
	for _, i := range all {
		if i.Flags&net.FlagLoopback != 0 || internal(i.Name) {
			continue
		}
		n := expression.Interface{
			Name: clean(i.Name), MAC: expression.Text(i.HardwareAddr.String()), MTU: known(i.MTU),
			Up: expression.FlagOf(i.Flags&net.FlagUp != 0 && i.Flags&net.FlagRunning != 0), SpeedBits: p.lineSpeed(i.Name),
		}
		addresses, err := i.Addrs()
		if err != nil {
			missing = append(missing, expression.Unreadable{What: "network.addresses", Why: expression.CleanText(err.Error())})
		} else {
			n.Addresses = []string{}
			for _, a := range addresses {
				n.Addresses = append(n.Addresses, expression.CleanText(a.String()))
			}
		}
		list = append(list, n)
	}
	list, more := keep(list, maxInterfaces, expression.SectionNetwork)
	return result{func(m *expression.Machine) { m.Network = list }, append(missing, more...)}, nil
}

// internal reports whether an interface only joins containers to the machine.
func internal(name string) bool {
	return strings.HasPrefix(name, "veth") || strings.HasPrefix(name, "cali") || strings.HasPrefix(name, "isatap.")
}

// trafficProbe reads the traffic of the interfaces.
type trafficProbe struct {
	clock func() time.Time
	rates rates
}

func (p *trafficProbe) read(ctx context.Context) (result, error) {
	all, err := psnet.IOCountersWithContext(ctx, true)
	if err != nil {
		return result{}, err
	}
	now := make(map[string]counters, len(all))
	for _, c := range all {
		if c.Name != "lo" && !strings.HasPrefix(c.Name, "lo0") && !strings.HasPrefix(c.Name, "Loopback") && !internal(c.Name) {
			now[c.Name] = counters{c.BytesRecv, c.BytesSent}
		}
	}
	list := []expression.NetworkIO{}
	for name, v := range p.rates.of(now, p.clock()) {
		list = append(list, expression.NetworkIO{Name: clean(name), Receive: v[0], Transmit: v[1]})
	}
	slices.SortFunc(list, func(a, b expression.NetworkIO) int { return cmp.Compare(a.Name, b.Name) })
	list, missing := keep(list, maxInterfaces, "network_io")
	return result{func(m *expression.Machine) { m.NetworkIO = list }, missing}, nil
}
