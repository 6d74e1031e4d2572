package sign

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/protocol/trust"
)

var encoding = base64.RawURLEncoding

// Show writes all that a statement says. under is the trust file that holds, nil where it
// is not known: names of people come from it, and of a new trust file what is different.
func (d *Desk) Show(s *trust.Statement, under *trust.File) {
	p := page{d, under}
	switch b := s.Body.(type) {
	case *trust.File:
		p.title("trust", b.Version)
		p.file(b)
	case *trust.Approval:
		p.title("approval")
		for _, a := range b.Scripts {
			p.script(a.Script, a.Risk)
			p.line("author", p.person(a.Author))
			p.line("runs", d.say("runs n", strings.Join(a.Platforms, ", "), a.RunAs))
			for _, name := range slices.Sorted(maps.Keys(a.Values)) {
				p.line("value", name+" = "+strings.Join(a.Values[name], " | "))
			}
		}
		p.line("epoch", fmt.Sprint(b.Epoch))
	case *trust.Withdrawal:
		p.title("withdrawal", b.Number)
		for _, id := range b.Statements {
			p.line("takes back", id.String())
		}
		for _, hash := range b.Scripts {
			p.line("takes back", d.say("script")+" "+hex.EncodeToString(hash))
		}
	case *trust.Order:
		p.title("order")
		p.script(b.Script, "")
		p.values(b.Values, b.DryRun)
		for _, m := range b.Machines {
			p.line("machine", m.String())
		}
		if b.Ticket != 0 {
			p.line("ticket", fmt.Sprint(b.Ticket))
		}
	case *trust.Plan:
		p.title("plan")
		p.script(b.Script, b.Risk)
		p.values(b.Values, b.DryRun)
		p.line("machines", fmt.Sprint(b.Machines()))
		for i, w := range b.Waves {
			p.named(d.say("wave", i+1), d.say("wave n", w.Machines, time.Duration(w.After)*time.Second))
		}
		p.line("root of plan", hex.EncodeToString(b.Root))
	case *trust.Grant:
		p.title("grant")
		p.line("door", d.say("door n", b.Door, b.Account, b.Minutes))
		p.line("challenge", hex.EncodeToString(b.Challenge))
		if b.Ticket != 0 {
			p.line("ticket", fmt.Sprint(b.Ticket))
		}
	case *trust.Release:
		p.title("release", b.Number)
		p.line("version", b.Version)
		for _, x := range b.Builds {
			p.line("build", fmt.Sprintf("%s %s, %d B, %x", x.OS, x.Arch, x.Size, x.Hash))
		}
	}
	p.line("organisation", s.Organisation.String())
	p.line("holds", d.say("from to", moment(s.NotBefore), moment(s.Expires)))
	p.line("id", s.ID.String())
}

// page is where a statement is shown.
type page struct {
	*Desk
	under *trust.File
}

func (p page) title(id string, parts ...any) { fmt.Fprintf(p.Out, "\n%s\n\n", p.say(id, parts...)) }

func (p page) line(id, value string) { p.named(p.say(id), value) }

func (p page) named(name, value string) { fmt.Fprintf(p.Out, "  %-18s %s\n", name, value) }

// person is a name, where the trust file that holds knows one.
func (p page) person(id uuid.UUID) string {
	if p.under != nil {
		if who, known := p.under.Person(id); known {
			return who.Name
		}
	}
	return id.String()
}

func (p page) script(s trust.Script, risk trust.Risk) {
	p.line("script", strings.TrimSuffix(p.say("script n", s.ID, s.Version, risk), ", "))
	p.line("hash", hex.EncodeToString(s.Hash))
}

func (p page) values(values map[string]string, dry bool) {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		p.line("value", name+" = "+values[name])
	}
	if dry {
		p.line("runs", p.say("dry run"))
	}
}

// file shows a trust file, and what of it is not so in the one that holds.
func (p page) file(f *trust.File) {
	p.line("organisation", f.Name)
	mark := func(line string, was []string) string {
		if p.under != nil && !slices.Contains(was, line) {
			return line + "   <- " + p.say("new")
		}
		return line
	}
	var was []string
	if p.under != nil {
		was = linesOf(p, p.under)
	}
	now := linesOf(p, f)
	for _, line := range now {
		fmt.Fprintf(p.Out, "  %s\n", mark(line, was))
	}
	for _, line := range was {
		if !slices.Contains(now, line) {
			p.named(p.say("gone"), strings.Join(strings.Fields(line), " "))
		}
	}
}

// linesOf are the lines of a trust file that may differ from one version to the next.
func linesOf(p page, f *trust.File) []string {
	var lines []string
	add := func(id, value string) { lines = append(lines, fmt.Sprintf("%-18s %s", p.say(id), value)) }
	for _, who := range f.People {
		roles := make([]string, len(who.Roles))
		for i, r := range who.Roles {
			roles[i] = string(r)
		}
		add("person", fmt.Sprintf("%s: %s %s (%s)", who.Name, p.say("may"), strings.Join(roles, ", "), who.ID))
		for _, k := range who.Keys {
			id := k.ID()
			kind := string(k.Scheme)
			if k.HardwareBound() {
				kind += ", " + p.say("hardware")
			}
			add("key", fmt.Sprintf("%s: %s (%s) %x", who.Name, k.Name, kind, id[:8]))
		}
	}
	if f.OnePerson {
		add("needs", p.say("one person"))
	}
	add("needs", p.say("needs n", f.Needs.Root, f.Needs.Safe, f.Needs.Disruptive, f.Needs.Destructive, f.Needs.Release))
	for _, c := range f.Consoles {
		add("console", hex.EncodeToString(c))
	}
	add("epoch", fmt.Sprint(f.Epoch))
	return lines
}
