package main

import (
	"fmt"
	"html"
	"math"
	"slices"
	"strings"

	"github.com/deskside/deskside/tools/internal/page"
)

// growth says in which panel of the drawing of growth a row's points stand, and what
// they are of. Rows that name the same panel are held against each other there. The
// points of a row without one have a panel of their own.
type growth struct{ panel, of string }

// What is drawn of a machine, and the unit of the points there.
const (
	memoryGrowth = "resident for each idle machine, KiB"
	loginGrowth  = "processor time of a login, us"
	idleGrowth   = "processor time of an idle minute of a machine, us"
)

// A panel is one graph: cost over machines. Its first series is what the others are
// held against.
type panel struct {
	title  string
	series []series
}

type series struct {
	of     string
	points []point
}

// panels are what there is to draw, in the order of rows.
func (b *book) panels(all []measurement) []panel {
	var out []panel
	for _, m := range all {
		for _, r := range m.rows {
			e := b.entries[r.name]
			if len(e.Points) == 0 {
				continue
			}
			g := r.growth
			if g.panel == "" {
				g = growth{r.what + ", " + r.unit, "one node"}
			}
			i := slices.IndexFunc(out, func(p panel) bool { return p.title == g.panel })
			if i < 0 {
				i, out = len(out), append(out, panel{title: g.panel})
			}
			points := slices.SortedFunc(slices.Values(e.Points), func(a, b point) int { return a.Machines - b.Machines })
			out[i].series = append(out[i].series, series{g.of, points})
		}
	}
	return out
}

const (
	panelWide, panelHigh = 290, 210 // of the axes and what stands at them
	panelsAside          = 3
)

// growthDrawing draws panels, and below them what each mark is.
func growthDrawing(panels []panel) string {
	var marks []string
	for _, p := range panels {
		for _, s := range p.series {
			if !slices.Contains(marks, s.of) {
				marks = append(marks, s.of)
			}
		}
	}
	high := (len(panels) + panelsAside - 1) / panelsAside * (panelHigh + 20)
	var s strings.Builder
	canvas(&s, min(len(panels), panelsAside)*panelWide+20, high+24*len(marks))
	for i, p := range panels {
		p.draw(&s, i%panelsAside*panelWide, i/panelsAside*(panelHigh+20), marks)
	}
	for i, of := range marks {
		y := float64(high + 24*i + 8)
		s.WriteString(mark(i, 24, y) + fmt.Sprintf(`<text x="40" y="%.0f">%s</text>`+"\n", y+4, html.EscapeString(of)))
	}
	s.WriteString("</svg>\n")
	return s.String()
}

// mark is a dot for the first series, a hollow diamond for the second, and so on.
func mark(i int, x, y float64) string {
	switch i % 3 {
	case 0:
		return fmt.Sprintf(`<circle class="m" cx="%.1f" cy="%.1f" r="4"/>`, x, y)
	case 1:
		return fmt.Sprintf(`<path class="w" fill="none" stroke-width="2" d="M%.1f %.1fl5 5l-5 5l-5 -5z"/>`, x, y-5)
	}
	return fmt.Sprintf(`<path class="w" fill="none" stroke-width="2" d="M%.1f %.1fh8v8h-8z"/>`, x-4, y-4)
}

// draw draws a panel with its upper left corner there. Both axes begin at 0, so that
// what looks flat is flat.
func (p panel) draw(s *strings.Builder, x0, y0 int, marks []string) {
	left, right, top, bottom := float64(x0+56), float64(x0+panelWide-14), float64(y0+52), float64(y0+panelHigh-18)
	most := point{}
	for _, line := range p.series {
		for _, at := range line.points {
			most.Machines, most.Value = max(most.Machines, at.Machines), max(most.Value, at.Value)
		}
	}
	across, up := ticks(float64(most.Machines), 4), ticks(most.Value*1.1, 4)
	x := func(machines float64) float64 { return left + (right-left)*machines/across[len(across)-1] }
	y := func(value float64) float64 { return bottom - (bottom-top)*value/up[len(up)-1] }
	for i, line := range wrapped(p.title+", over machines", 44) {
		fmt.Fprintf(s, `<text x="%d" y="%d">%s</text>`, x0+20, y0+14+16*i, html.EscapeString(line))
	}
	for _, v := range up {
		fmt.Fprintf(s, `<line class="faint" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/><text class="quiet" x="%.1f" y="%.1f" text-anchor="end">%s</text>`,
			left, y(v), right, y(v), left-6, y(v)+4, tick(v))
	}
	for _, m := range across {
		fmt.Fprintf(s, `<text class="quiet" x="%.1f" y="%.1f" text-anchor="middle">%s</text>`, x(m), bottom+18, tick(m))
	}
	fmt.Fprintf(s, `<line class="axis" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`+"\n", left, bottom, right, bottom)
	for _, line := range p.series {
		i := slices.Index(marks, line.of)
		var path, dots strings.Builder
		for j, at := range line.points {
			px, py := x(float64(at.Machines)), y(at.Value)
			fmt.Fprintf(&path, "%c%.1f %.1f", "ML"[min(j, 1)], px, py)
			fmt.Fprintf(&dots, `<g><title>%s: %s with %s machines</title>%s</g>`, html.EscapeString(line.of), page.Short(at.Value), page.Thousands(at.Machines), mark(i, px, py))
		}
		dash := ""
		if i > 0 {
			dash = ` stroke-dasharray="4 3"`
		}
		fmt.Fprintf(s, `<path class="w" fill="none"%s d="%s"/>%s`+"\n", dash, path.String(), dots.String())
	}
}

// ticks are round numbers from 0 to at least most, some n of them.
func ticks(most float64, n int) []float64 {
	if most <= 0 {
		return []float64{0, 1}
	}
	step := math.Pow(10, math.Floor(math.Log10(most/float64(n))))
	for _, by := range []float64{1, 2, 5, 10} {
		if by*step*float64(n) >= most {
			step *= by
			break
		}
	}
	out := []float64{0}
	for out[len(out)-1] < most {
		out = append(out, float64(len(out))*step)
	}
	return out
}

func tick(v float64) string {
	if v >= 1000 {
		return page.Thousands(int(v))
	}
	return page.Short(v)
}

// wrapped are lines of a text, each of so many letters at most where words allow.
func wrapped(text string, letters int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > letters {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	return append(lines, line)
}
