package main

import (
	"fmt"
	"html"
	"strings"
)

// style is for a page of either colour. Colour is never all that tells something.
const style = `<style>text{fill:#2b2f36}.m{fill:#5d7fb8}.x{fill:#c4593f}.w{stroke:#5d7fb8}.faint{stroke:#2b2f36;stroke-opacity:.2}` +
	`.axis{stroke:#2b2f36}.quiet{fill-opacity:.75}@media(prefers-color-scheme:dark){text{fill:#d8dbe2}.faint,.axis{stroke:#d8dbe2}}</style>` + "\n"

func canvas(s *strings.Builder, wide, high int) {
	fmt.Fprintf(s, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="system-ui, sans-serif" font-size="12">`+"\n%s", wide, high, style)
}

// drawing draws each figure as a bar beside its goal. Rows of one measurement stand
// together; a bar that would be too long is broken.
func (b *book) drawing(all []measurement) string {
	const (
		wide, high, gap = 880, 22, 10
		left, goal      = 150, 300 // where bars begin, and how long they are at the goal
		most            = 420      // how long a bar is at most
		words           = left + most + 16
		top             = 26
	)
	var bars strings.Builder
	y := top
	for _, m := range all {
		drawn := false
		for _, r := range m.rows {
			e, ok := b.entries[r.name]
			if !ok {
				continue
			}
			drawn = true
			class, word := "m", ""
			if !e.met(r) {
				class, word = "x", ", missed"
			}
			fmt.Fprintf(&bars, `<g><title>%s; goal %s</title><text x="%d" y="%d" text-anchor="end">%s</text>`,
				html.EscapeString(r.what), html.EscapeString(r.target()), left-8, y+12, html.EscapeString(r.name))
			if length := e.share(r) * goal; length <= most {
				fmt.Fprintf(&bars, `<rect class="%s" x="%d" y="%d" width="%.1f" height="14" rx="2"/>`, class, left, y+1, length)
			} else {
				fmt.Fprintf(&bars, `<path class="%s" d="M%d %dh%dl-5 14h-%dzm%d 0h14v14h-19z"/>`, class, left, y+1, most-20, most-25, most-14)
			}
			fmt.Fprintf(&bars, `<text x="%d" y="%d">%s</text></g>`+"\n", words, y+12, html.EscapeString(e.figure(r)+word))
			y += high
		}
		if drawn {
			y += gap
		}
	}
	var s strings.Builder
	canvas(&s, wide, y+4)
	s.WriteString(bars.String())
	fmt.Fprintf(&s, `<line class="axis" x1="%d" y1="%d" x2="%d" y2="%d" stroke-dasharray="3 3"/><text x="%d" y="14" text-anchor="middle">the goal</text></svg>`+"\n",
		left+goal, top-6, left+goal, y-4, left+goal)
	return s.String()
}
