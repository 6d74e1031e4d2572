package probe

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/deskside/deskside/protocol/expression"
)

const maxDisks = 32

// counters are bytes since the machine was started.
type counters struct{ in, out uint64 }

// rates makes bytes a second out of counters.
type rates struct {
	at   time.Time
	last map[string]counters
}

// of returns, for every name, the rates since the call before. A name that is
// new has none; neither has one whose counter went back, as after a device was
// taken out and put in again.
func (r *rates) of(now map[string]counters, at time.Time) map[string][2]expression.Reading {
	out := make(map[string][2]expression.Reading, len(now))
	elapsed := at.Sub(r.at).Seconds()
	for name, c := range now {
		var v [2]expression.Reading
		if before, ok := r.last[name]; ok && elapsed > 0 {
			if c.in >= before.in {
				v[0] = known(float64(c.in-before.in) / elapsed)
			}
			if c.out >= before.out {
				v[1] = known(float64(c.out-before.out) / elapsed)
			}
		}
		out[name] = v
	}
	r.at, r.last = at, now
	return out
}

// disks reads the traffic of whole disks.
type disks struct {
	path  func(string) string
	clock func() time.Time
	rates rates
}

func newDisks(path func(string) string, clock func() time.Time) *disks {
	return &disks{path: path, clock: clock}
}

func (p *disks) read(ctx context.Context) (result, error) {
	now, err := p.counters(ctx)
	if err != nil {
		return result{}, err
	}
	list := []expression.Disk{}
	for name, v := range p.rates.of(now, p.clock()) {
		list = append(list, expression.Disk{Device: clean(name), Read: v[0], Write: v[1]})
	}
	slices.SortFunc(list, func(a, b expression.Disk) int { return cmp.Compare(a.Device, b.Device) })
	list, missing := keep(list, maxDisks, "disks")
	return result{func(m *expression.Machine) { m.Disks = list }, missing}, nil
}
