package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"os"
	"strconv"
	"strings"
	"time"
)

const (
	bookFile  = "docs/benchmarks.json"
	drawFile  = "docs/benchmarks.svg"
	tableFile = "BENCHMARKS.md"
	tableFrom = "<!-- table: make bench -->\n"
	tableTo   = "<!-- end -->\n"
)

// An entry is the newest figure of a row.
type entry struct {
	Row     string  `json:"row"`
	Ours    float64 `json:"ours"`
	Theirs  float64 `json:"theirs,omitempty"`
	Note    string  `json:"note,omitempty"`
	Commit  string  `json:"commit"`
	Date    string  `json:"date"`
	Machine string  `json:"machine"`
}

// share is how the entry stands to its goal: 1 is just met, less is better.
func (e entry) share(r row) float64 {
	v := e.Ours
	if r.ratio {
		v /= e.Theirs
	}
	if r.floor {
		return r.goal / v
	}
	return v / r.goal
}

func (e entry) met(r row) bool { return e.share(r) <= 1 }

func (r row) target() string {
	word := "at most "
	if r.floor {
		word = "at least "
	}
	if r.ratio {
		return word + short(r.goal) + " x"
	}
	return word + short(r.goal) + " " + r.unit
}

// figure is what was measured, in words.
func (e entry) figure(r row) string {
	if !r.ratio {
		return short(e.Ours) + " " + r.unit
	}
	return fmt.Sprintf("%s x (%s against %s %s)", short(e.Ours/e.Theirs), short(e.Ours), short(e.Theirs), r.unit)
}

func (e entry) line(r row) string {
	word := "met"
	if !e.met(r) {
		word = "MISSED"
	}
	return fmt.Sprintf("%-15s %s; goal %s: %s", r.name, e.figure(r), r.target(), word)
}

// short is a number with three digits that count.
func short(v float64) string {
	switch {
	case v >= 1000:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10:
		return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0")
	}
	return strings.TrimSuffix(strings.TrimSuffix(strconv.FormatFloat(v, 'f', 2, 64), "0"), ".0")
}

// A book has the newest entry of each row.
type book struct{ entries map[string]entry }

func openBook() (*book, error) {
	b := &book{entries: map[string]entry{}}
	raw, err := os.ReadFile(bookFile)
	if errors.Is(err, os.ErrNotExist) {
		return b, nil
	}
	if err != nil {
		return nil, err
	}
	var list []entry
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf("read %s: %w", bookFile, err)
	}
	for _, e := range list {
		b.put(e)
	}
	return b, nil
}

func (b *book) put(e entry) { b.entries[e.Row] = e }

// write writes the book, the table and the drawing.
func (b *book) write() error {
	var list []entry
	var rows []row
	for _, m := range measurements {
		for _, r := range m.rows {
			if e, ok := b.entries[r.name]; ok {
				list, rows = append(list, e), append(rows, r)
			}
		}
	}
	raw, err := json.MarshalIndent(list, "", "\t")
	if err != nil {
		return err
	}
	page, err := os.ReadFile(tableFile)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(page), tableFrom)
	_, after, ended := strings.Cut(rest, tableTo)
	if !ok || !ended {
		return fmt.Errorf("%s has no place for the table: %s ... %s", tableFile, tableFrom, tableTo)
	}
	return errors.Join(os.MkdirAll("docs", 0o755), os.WriteFile(bookFile, append(raw, '\n'), 0o644),
		os.WriteFile(tableFile, []byte(before+tableFrom+table(list, rows)+tableTo+after), 0o644),
		os.WriteFile(drawFile, []byte(drawing(list, rows)), 0o644))
}

func table(list []entry, rows []row) string {
	var s strings.Builder
	s.WriteString("\n| what | goal | figure | | commit, date | command |\n|---|---|---|---|---|---|\n")
	for i, e := range list {
		r := rows[i]
		word := "met"
		if !e.met(r) {
			word = "**missed**"
		}
		if e.Note != "" {
			word += "; " + e.Note
		}
		what, goal := r.what, r.target()
		if r.ratio {
			goal += " " + r.other
		}
		fmt.Fprintf(&s, "| %s | %s | %s | %s | `%s`, %s | `make bench BENCH=%s` |\n", what, goal, e.figure(r), word, e.Commit, e.Date, r.name)
	}
	s.WriteString("\n")
	return s.String()
}

// drawing draws each figure as a bar beside its goal.
func drawing(list []entry, rows []row) string {
	const high, left, wide, goal = 26, 430, 880, 300 // goal: from the left edge of the bars
	var s strings.Builder
	fmt.Fprintf(&s, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="system-ui, sans-serif" font-size="12">`+"\n", wide, high*len(list)+40)
	s.WriteString(`<style>text{fill:#2b2f36}.m{fill:#5d7fb8}.x{fill:#b4462f}line{stroke:#2b2f36}@media (prefers-color-scheme: dark){text{fill:#d8dbe2}line{stroke:#d8dbe2}}</style>` + "\n")
	for i, e := range list {
		r, y, class := rows[i], high*i+8, "m"
		if !e.met(r) {
			class = "x"
		}
		length := min(e.share(r)*goal, float64(wide-left-10))
		fmt.Fprintf(&s, `<text x="%d" y="%d" text-anchor="end">%s</text><rect class="%s" x="%d" y="%d" width="%.1f" height="14" rx="2"><title>%s</title></rect>`+"\n",
			left-8, y+12, html.EscapeString(r.name+": "+e.figure(r)), class, left, y+1, length, html.EscapeString(r.what+"; goal "+r.target()))
	}
	end := high*len(list) + 10
	fmt.Fprintf(&s, `<line x1="%d" y1="2" x2="%d" y2="%d" stroke-dasharray="3 3"/><text x="%d" y="%d" text-anchor="middle">the goal</text></svg>`+"\n",
		left+goal, left+goal, end, left+goal, end+18)
	return s.String()
}

// idle waits a while for a machine that only just did something, and refuses a
// busy one.
func idle(ctx context.Context) error {
	for range 18 {
		load, err := loadNow()
		if err != nil || load <= busy {
			return err
		}
		fmt.Fprintf(os.Stderr, "load %.2f; waiting for %.1f\n", load, busy)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Second):
		}
	}
	return fmt.Errorf("this machine is busy: its load stays over %.1f", busy)
}

func loadNow() (float64, error) {
	raw, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(string(raw), " ")
	return strconv.ParseFloat(first, 64)
}
