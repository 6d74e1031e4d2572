package report

import (
	"bufio"
	"cmp"
	"io"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/deskside/deskside/agent/check"
	"github.com/deskside/deskside/protocol/catalogue"
	"github.com/deskside/deskside/protocol/expression"
)

// Style is how a report looks.
type Style struct {
	Lang   string // "en" or "pl"
	Colour bool   // with the colours of a terminal
	Width  int    // columns; 0 is 80
}

// WriteText writes the report for a person.
func WriteText(w io.Writer, r Report, s Style) error {
	p := &page{w: bufio.NewWriter(w), Style: s, r: r}
	if p.Width == 0 {
		p.Width = 80
	}
	p.Width = min(max(p.Width, 50), 110)
	p.head()
	p.findings()
	p.checks()
	p.vitals()
	p.facts()
	p.unread()
	p.print("\n")
	return p.w.Flush()
}

// page is a report on its way out. An error of the writer stays in w and comes
// out at Flush.
type page struct {
	w *bufio.Writer
	Style
	r Report
}

const margin = "  "

func (p *page) print(s string) { p.w.WriteString(s) }

// paint puts s in a colour: of a health, "dim" or "bold".
func (p *page) paint(colour, s string) string {
	code := map[string]string{"critical": "1;31", "warning": "1;33", "ok": "32", "unknown": "35", "dim": "2", "bold": "1"}[colour]
	if !p.Colour || code == "" || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// icon is the sign of a health; the word always stands beside it.
func icon(health string) string {
	return map[string]string{"critical": "✖", "warning": "▲", "ok": "✓", "unknown": "?"}[health]
}

func (p *page) say(name string, args map[string]catalogue.Argument) string {
	return say(p.Lang, name, args)
}

// head names the computer and says the one thing that matters.
func (p *page) head() {
	name := "Deskside"
	if o := p.r.Machine.OS; o != nil && o.Hostname != "" {
		name += " · " + string(o.Hostname)
	}
	at := catalogue.Clock(p.Lang, p.r.Now, p.r.Now.AddDate(0, 0, 1)) // with the day
	p.print("\n" + margin + p.paint("bold", name) + gap(p.Width, margin+name, at) + p.paint("dim", at) + "\n\n")
	n := 0
	for _, v := range p.r.Verdicts {
		for _, f := range v.Findings {
			if f.Level == check.Warning || f.Level == check.Critical {
				n++
			}
		}
	}
	health := p.r.Health()
	line := p.say("ok", nil)
	switch {
	case n > 0:
		line = p.say("found", count(p.Lang, n))
	case health == "unknown":
		line = p.say("ok but", nil)
	}
	p.print(margin + p.paint(health, icon(health)+" "+line) + "\n")
}

// gap returns the spaces between a text on the left and one on the right.
func gap(width int, left, right string) string {
	return strings.Repeat(" ", max(2, width-utf8.RuneCountInString(left)-utf8.RuneCountInString(right)))
}

// findings tells what is the matter: for the person, then for the technician.
func (p *page) findings() {
	type row struct {
		v check.Verdict
		f check.Finding
	}
	var rows []row
	for _, v := range p.r.Verdicts {
		for _, f := range v.Findings {
			if f.Level == check.Warning || f.Level == check.Critical {
				rows = append(rows, row{v, f})
			}
		}
	}
	slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(b.f.Level, a.f.Level) })
	for _, row := range rows {
		t := p.r.told(p.Lang, row.v, row.f)
		health := healthOf(row.f.Level)
		label := icon(health) + " " + p.say("health "+health, nil)
		p.print("\n")
		p.hang(label, health, 14, t.Plain, "bold")
		if t.Finding != "" {
			p.hang("", "", 14, t.Finding, "dim")
		}
		if row.v.Check.For > 0 {
			p.hang("", "", 14, p.say("now", with("span", catalogue.Span(p.Lang, time.Duration(row.v.Check.For)))), "dim")
		}
		if len(t.Next) > 0 {
			p.hang("", "", 14, t.Next[0], "next")
		}
	}
}

// checks lists what every check says, one line each.
func (p *page) checks() {
	p.section("checks")
	for _, v := range p.r.Verdicts {
		label := words("check "+v.Check.ID, p.Lang)
		if label == "check "+v.Check.ID {
			label = title(v.Check, p.Lang)
		}
		columns := 2 + utf8.RuneCountInString(label)
		label = p.paint(v.Health, icon(v.Health)+" ") + label
		if v.Health != "unknown" {
			p.row(label, columns, 24, p.saysNow(v))
			continue
		}
		for _, line := range wrap(p.saysNow(v), p.Width-28) {
			p.row(label, columns, 24, line)
			label, columns = "", 0
		}
	}
}

// saysNow is the short line of one check.
func (p *page) saysNow(v check.Verdict) string {
	switch {
	case v.Broken != "":
		return p.say("broken", with("why", v.Broken))
	case v.Health == "unknown":
		why := v.Findings[0].Unknown
		name, because, told := strings.Cut(why, ": ")
		if !told {
			return p.say("health unknown", nil)
		}
		return p.say("health unknown", nil) + " – " + what(p.Lang, name) + ": " + reason(p.Lang, because)
	case len(v.Findings) > 0:
		n := 0
		for _, f := range v.Findings {
			if f.Level == check.Warning || f.Level == check.Critical {
				n++
			}
		}
		return p.paint(v.Health, p.say("health "+v.Health, nil)) + " – " + p.say("findings", count(p.Lang, n))
	case v.Rows == 0:
		return p.paint("dim", p.say("none", nil))
	case v.Most == nil:
		return p.say("rows", count(p.Lang, v.Rows))
	}
	n, _ := v.Most.Value.Float()
	value := catalogue.FormatNumber(p.Lang, "", n)
	switch {
	case v.Check.ID == "process.cpu":
		c := count(p.Lang, 0)
		c["n"] = catalogue.Argument{Text: catalogue.FormatNumber(p.Lang, "cores", n), Number: math.Round(n*10) / 10}
		value = p.say("cores", c)
	case strings.HasPrefix(v.Check.ID, "filesystem."), v.Check.ID == "memory.pressure":
		value = catalogue.FormatNumber(p.Lang, "percent", n)
	}
	name := cmp.Or(v.Most.Texts["program"], v.Most.Instance)
	if name == "" || n == 0 {
		return value
	}
	return value + "  " + p.paint("dim", name)
}

// vitals draws what changes.
func (p *page) vitals() {
	m := p.r.Machine
	p.section("vitals")
	load := ""
	if l, known := m.CPU.Load1m.Get(); known {
		n := func(v float64) string { return catalogue.FormatNumber(p.Lang, "", v) }
		load = p.say("load", with("a", n(l), "b", n(m.CPU.Load5m.Or(0)), "c", n(m.CPU.Load15m.Or(0))))
	}
	p.gauge(p.say("processor", nil), m.CPU.Used, load)
	p.gauge(p.say("memory", nil), m.Memory.Used, p.of("of", m.Memory.UsedBytes, m.Memory.TotalBytes, m.Memory.AvailableBytes))
	if total, known := m.Swap.TotalBytes.Get(); known && total == 0 {
		p.row(p.say("swap", nil), utf8.RuneCountInString(p.say("swap", nil)), 18, p.paint("dim", p.say("no swap", nil)))
	} else {
		p.gauge(p.say("swap", nil), m.Swap.Used, p.of("of", m.Swap.UsedBytes, m.Swap.TotalBytes, m.Swap.AvailableBytes))
	}
	for _, f := range m.Filesystems {
		if f.Kind != "image" {
			p.gauge(string(f.Mount), f.Used, p.of("free", f.UsedBytes, f.SizeBytes, f.AvailableBytes))
		}
	}
	for _, d := range m.Disks {
		p.traffic("disk", string(d.Device), d.Read, d.Write)
	}
	for _, n := range m.NetworkIO {
		p.traffic("net", string(n.Name), n.Receive, n.Transmit)
	}
}

// gauge draws a ratio as a bar with its number. The bar's colour is the
// terminal's own: colour means health, and that is for the checks to say.
func (p *page) gauge(label string, r expression.Reading, note string) {
	const cells = 20
	v, known := r.Get()
	bar := strings.Repeat("·", cells)
	number := p.say("unknown", nil)
	if known {
		n := min(cells, max(0, int(v*cells+0.5)))
		if n == 0 && v > 0 {
			n = 1
		}
		bar = strings.Repeat("█", n) + strings.Repeat("░", cells-n)
		number = catalogue.FormatNumber(p.Lang, "count", v*100) + "%"
	}
	label = cut(label, 17)
	p.row(label, utf8.RuneCountInString(label), 18, bar+" "+strings.Repeat(" ", max(0, 7-utf8.RuneCountInString(number)))+join("  ", number, p.paint("dim", note)))
}

func (p *page) of(form string, a, b, c expression.Reading) string {
	text := func(r expression.Reading) string {
		v, known := r.Get()
		if !known {
			return p.say("unknown", nil)
		}
		return catalogue.Bytes(p.Lang, v)
	}
	if _, known := b.Get(); !known {
		return ""
	}
	return p.say(form, with("a", text(a), "b", text(b), "c", text(c)))
}

func (p *page) traffic(kind, name string, in, out expression.Reading) {
	a, known1 := in.Get()
	b, known2 := out.Get()
	text := p.say("unknown", nil)
	if known1 && known2 {
		text = p.say(kind+" io", with("a", catalogue.Bytes(p.Lang, a), "b", catalogue.Bytes(p.Lang, b)))
	}
	label := cut(p.say(kind, with("name", name)), 17)
	p.row(label, utf8.RuneCountInString(label), 18, text)
}

// cut shortens a label to n characters.
func cut(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

func (p *page) section(name string) {
	p.print("\n" + margin + p.paint("bold", p.say(name, nil)) + "\n")
}

// row prints a label of that many columns and a text beside it.
func (p *page) row(label string, columns, at int, text string) {
	p.print(strings.TrimRight(margin+margin+label+strings.Repeat(" ", max(1, at-columns))+text, " ") + "\n")
}

// hang prints a label and a text that is wrapped beside it. The next step has
// an arrow for a label.
func (p *page) hang(label, colour string, at int, text, textColour string) {
	next := textColour == "next"
	if next {
		at += 2
	}
	for i, line := range wrap(text, p.Width-len(margin)-at) {
		if next && i == 0 {
			p.print(margin + strings.Repeat(" ", at-2) + "→ " + line + "\n")
			continue
		}
		if i == 0 {
			p.print(margin + p.paint(colour, label) + strings.Repeat(" ", max(1, at-utf8.RuneCountInString(label))))
		} else {
			p.print(margin + strings.Repeat(" ", at))
		}
		p.print(p.paint(textColour, line) + "\n")
	}
}

// wrap breaks a text at spaces, never at no-break spaces.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Split(text, " ") {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width:
			lines = append(lines, line)
			line = word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}

// unread tells what is missing, and why.
func (p *page) unread() {
	if len(p.r.Machine.Unreadable) == 0 {
		return
	}
	p.section("unread")
	for _, u := range p.r.Machine.Unreadable {
		label := what(p.Lang, u.What)
		for i, line := range wrap(reason(p.Lang, u.Why), p.Width-22) {
			if i > 0 {
				label = ""
			}
			p.row(label, utf8.RuneCountInString(label), 18, p.paint("dim", line))
		}
	}
}
