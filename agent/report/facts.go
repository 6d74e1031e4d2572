package report

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/deskside/deskside/protocol/catalogue"
	"github.com/deskside/deskside/protocol/expression"
)

// facts tells what the machine is and has. A line that is not known is left
// out: what could not be read stands at the end.
func (p *page) facts() {
	m := p.r.Machine
	_, up := m.UptimeSeconds.Get()
	if _, counted := m.ProcessCount.Get(); m.OS == nil && m.Hardware == nil && m.People == nil && m.Network == nil && m.Services == nil && !up && !counted {
		return
	}
	p.section("facts")
	if o := m.OS; o != nil {
		kernel := ""
		if o.Kernel != "" {
			kernel = p.say("kernel", with("v", string(o.Kernel)))
		}
		p.fact("system", join(", ", string(o.Name), kernel, string(o.Arch)))
	}
	if h := m.Hardware; h != nil {
		virtual, serial, cores, memory := "", "", "", ""
		if h.Virtual != "" {
			virtual = p.say("virtual", with("v", string(h.Virtual)))
		}
		if h.Serial != "" {
			serial = p.say("serial", with("v", string(h.Serial)))
		}
		if n, known := h.Cores.Get(); known {
			cores = p.say("cores", count(p.Lang, int(n)))
		}
		if n, known := h.MemoryBytes.Get(); known {
			memory = catalogue.Bytes(p.Lang, n)
		}
		p.fact("model", join(", ", join(" ", string(h.Vendor), string(h.Model)), serial, virtual))
		p.fact("processor", join(", ", string(h.CPUModel), cores))
		p.fact("memory", memory)
	}
	if up, known := m.UptimeSeconds.Get(); known {
		since := ""
		if m.OS != nil && m.OS.BootedAt != 0 {
			since = p.say("since", with("at", catalogue.Clock(p.Lang, p.local(m.OS.BootedAt), p.r.Now)))
		}
		p.fact("up", join(", ", catalogue.Span(p.Lang, time.Duration(up)*time.Second), since))
	}
	p.people()
	p.network()
	if m.Services != nil {
		failed := []string{}
		for _, s := range m.Services {
			if s.State == "failed" {
				failed = append(failed, string(s.Name))
			}
		}
		args := count(p.Lang, len(m.Services))
		args["f"] = count(p.Lang, len(failed))["n"]
		p.fact("services", p.say("services n", args))
		p.more(failed)
	}
	p.processes()
}

func (p *page) local(t expression.Time) time.Time { return t.Time().In(p.r.Now.Location()) }

func (p *page) people() {
	m := p.r.Machine
	if m.People == nil {
		return
	}
	if len(m.People) == 0 {
		p.fact("people", p.say("nobody", nil))
	}
	for i, one := range m.People {
		since := ""
		if one.Since != 0 {
			since = p.say("since", with("at", catalogue.Clock(p.Lang, p.local(one.Since), p.r.Now)))
		}
		label := "people"
		if i > 0 {
			label = ""
		}
		p.fact(label, join(", ", string(one.Name), string(one.Terminal), since))
	}
}

func (p *page) network() {
	label := "network"
	for _, n := range p.r.Machine.Network {
		up, known := n.Up.Get()
		n.Addresses = slices.DeleteFunc(slices.Clone(n.Addresses), func(a string) bool {
			return strings.HasPrefix(a, "fe80:") // every line has one, and it tells nothing
		})
		if known && !up && len(n.Addresses) == 0 {
			continue
		}
		state, speed := "", ""
		if known && !up {
			state = p.say("down", nil)
		}
		if bits, known := n.SpeedBits.Get(); known {
			speed = catalogue.FormatNumber(p.Lang, "", bits/1e9) + "\u00a0Gb/s"
		}
		p.fact(label, join(", ", join("  ", append([]string{string(n.Name)}, n.Addresses...)...), speed, state))
		label = ""
	}
}

// processes names the few that use the most.
func (p *page) processes() {
	m := p.r.Machine
	n, known := m.ProcessCount.Get()
	if !known {
		return
	}
	p.fact("processes", p.say("processes n", count(p.Lang, int(n))))
	top := func(heading string, use func(expression.Process) float64, least float64, text func(float64) string) {
		list := slices.Clone(m.Processes)
		slices.SortStableFunc(list, func(a, b expression.Process) int { return cmp.Compare(use(b), use(a)) })
		var names []string
		for _, one := range list[:min(3, len(list))] {
			if v := use(one); v >= least {
				names = append(names, string(one.Name)+" "+text(v))
			}
		}
		if len(names) > 0 {
			p.more([]string{p.say(heading, nil) + ": " + strings.Join(names, " · ")})
		}
	}
	top("busiest", func(o expression.Process) float64 { return o.CPU.Or(0) }, 0.05, func(v float64) string {
		return catalogue.FormatNumber(p.Lang, "percent", v)
	})
	top("largest", func(o expression.Process) float64 { return o.RSSBytes.Or(0) }, 1, func(v float64) string {
		return catalogue.Bytes(p.Lang, v)
	})
}

// fact prints one line, wrapped; an empty text prints nothing.
func (p *page) fact(name, text string) {
	if text == "" {
		return
	}
	label := ""
	if name != "" {
		label = p.say(name, nil)
	}
	for _, line := range wrap(text, p.Width-22) {
		p.row(p.paint("dim", label), utf8.RuneCountInString(label), 18, line)
		label = ""
	}
}

// more prints what belongs to the line above.
func (p *page) more(items []string) {
	if len(items) == 0 {
		return
	}
	for _, line := range wrap(strings.Join(items, ", "), p.Width-22) {
		p.row("", 0, 18, p.paint("dim", line))
	}
}

// join joins the parts that are not empty.
func join(separator string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), separator)
}
