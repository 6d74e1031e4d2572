package main

import (
	"fmt"
	"html"
	"strings"

	"github.com/deskside/deskside/tools/internal/page"
)

const (
	wide, high   = 430, 170 // of one curve with its words
	plot, tall   = 380, 110 // of the curve alone
	left, top    = 40, 36
	acrossCurves = 2
)

// drawing draws each thing as a curve from 0, the line through it, and the warm-up in
// grey; the database over what was done, not over time.
func (r report) drawing() string {
	var s strings.Builder
	curves := len(things) + 1
	rows := (curves + acrossCurves - 1) / acrossCurves
	fmt.Fprintf(&s, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="system-ui, sans-serif" font-size="12">`+"\n", wide*acrossCurves, high*rows)
	s.WriteString(`<style>text{fill:#2b2f36}.m{fill:none;stroke:#5d7fb8;stroke-width:1.5}.d{fill:#5d7fb8}.x{stroke:#b4462f}.w{fill:#888;opacity:.15}line{stroke:#2b2f36}@media (prefers-color-scheme: dark){text{fill:#d8dbe2}line{stroke:#d8dbe2}}</style>` + "\n")
	minute := func(p point) float64 { return p.Minute }
	for i, k := range things {
		r.curve(&s, i, k.what, k.unit, fmt.Sprintf("%.0f min", r.Points[len(r.Points)-1].Minute), minute, k.of, r.Verdicts[i])
	}
	end := r.Points[len(r.Points)-1]
	r.curve(&s, len(things), "the database, by what was done", "MiB", page.Thousands(end.Acts)+" acts", func(p point) float64 { return float64(p.Acts) },
		func(p point) float64 { return p.Database / mib }, r.Verdicts[len(things)])
	s.WriteString("</svg>\n")
	return s.String()
}

func (r report) curve(s *strings.Builder, place int, what, unit, last string, x, y func(point) float64, v verdict) {
	most, long := 0.0, x(r.Points[len(r.Points)-1])
	for _, p := range r.Points {
		most = max(most, y(p))
	}
	most *= 1.1
	at := func(p point) (float64, float64) { return left + plot*x(p)/long, top + tall - tall*y(p)/most }
	var path, dots strings.Builder
	for i, p := range r.Points {
		px, py := at(p)
		word := "L"
		if i == 0 {
			word = "M"
		}
		fmt.Fprintf(&path, "%s%.1f %.1f", word, px, py)
		fmt.Fprintf(&dots, `<circle class="d" cx="%.1f" cy="%.1f" r="1.8"/>`, px, py)
	}
	end := r.Points[len(r.Points)-1]
	class := ""
	if v.grows() {
		class = ` class="x"`
	}
	fmt.Fprintf(s, `<g transform="translate(%d,%d)"><text x="%d" y="%d" font-weight="600">%s: %s</text>`, place%acrossCurves*wide, place/acrossCurves*high,
		left, top-14, html.EscapeString(what), strings.TrimSpace(page.Short(y(end))+" "+unit))
	warm, _ := at(settled(r.Points)[0])
	fmt.Fprintf(s, `<rect class="w" x="%d" y="%d" width="%.1f" height="%d"/>`, left, top, warm-left, tall)
	fmt.Fprintf(s, `<line x1="%d" y1="%d" x2="%d" y2="%d"/><path class="m" d="%s"/>%s`, left, top+tall, left+plot, top+tall, path.String(), dots.String())
	if place < len(things) && !v.Untold { // the line through the points
		points := settled(r.Points)
		first, final := points[0].Minute/60, points[len(points)-1].Minute/60
		middle := 0.0
		for _, p := range points {
			middle += p.Minute / 60 / float64(len(points))
		}
		on := func(hour float64) float64 { return top + tall - tall*(v.Trend.Mean+v.Trend.Hourly*(hour-middle))/most }
		fmt.Fprintf(s, `<line%s x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke-dasharray="4 3"/>`, class,
			left+plot*first*60/long, on(first), left+plot*final*60/long, on(final))
	}
	fmt.Fprintf(s, `<text x="%d" y="%d" text-anchor="end">0</text><text x="%d" y="%d" text-anchor="end">%s</text><text x="%d" y="%d" text-anchor="end">%s</text></g>`+"\n",
		left-4, top+tall+4, left-4, top+10, page.Short(most/1.1), left+plot, top+tall+16, last)
}
