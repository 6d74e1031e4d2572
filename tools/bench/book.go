package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/deskside/deskside/tools/internal/page"
)

const (
	bookFile  = "docs/benchmarks.json"
	drawFile  = "docs/benchmarks.svg"
	growFile  = "docs/growth.svg"
	tableFile = "BENCHMARKS.md"
	tableFrom = "<!-- table: make bench -->\n"
	growFrom  = "<!-- growth: make bench -->\n"
	placeTo   = "<!-- end -->\n"
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
	Points  []point `json:"points,omitempty"` // the same with other numbers of machines
}

// A point is the figure of a row with so many machines.
type point struct {
	Machines int     `json:"machines"`
	Value    float64 `json:"value"` // in the unit of its row's growth, or of the row
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
		return word + page.Short(r.goal) + " x"
	}
	return word + page.Short(r.goal) + " " + r.unit
}

// figure is what was measured, in words.
func (e entry) figure(r row) string {
	if !r.ratio {
		return page.Short(e.Ours) + " " + r.unit
	}
	return fmt.Sprintf("%s x (%s against %s %s)", page.Short(e.Ours/e.Theirs), page.Short(e.Ours), page.Short(e.Theirs), r.unit)
}

func (e entry) line(r row) string {
	word := "met"
	if !e.met(r) {
		word = "MISSED"
	}
	return fmt.Sprintf("%-15s %s; goal %s: %s", r.name, e.figure(r), r.target(), word)
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

// write writes the book, the table and the drawings.
func (b *book) write() error {
	var list []entry
	for _, m := range measurements {
		for _, r := range m.rows {
			if e, ok := b.entries[r.name]; ok {
				list = append(list, e)
			}
		}
	}
	raw, err := json.MarshalIndent(list, "", "\t")
	if err != nil {
		return err
	}
	old, err := os.ReadFile(tableFile)
	if err != nil {
		return err
	}
	grown := ""
	if panels := b.panels(measurements); len(panels) > 0 {
		grown = "\nWhat each machine costs, over how many there are. A flat line means that twice as many cost twice as much:\n\n![Cost of a machine over machines](" + growFile + ")\n\n"
		if err := os.WriteFile(growFile, []byte(growthDrawing(panels)), 0o644); err != nil {
			return err
		}
	}
	text, err := page.Replaced(string(old), tableFrom, placeTo, b.table(measurements))
	if err == nil {
		text, err = page.Replaced(text, growFrom, placeTo, grown)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", tableFile, err)
	}
	return errors.Join(os.WriteFile(bookFile, append(raw, '\n'), 0o644), os.WriteFile(tableFile, []byte(text), 0o644),
		os.WriteFile(drawFile, []byte(b.drawing(measurements)), 0o644))
}

// table has a line for each row, also for one that was never measured.
func (b *book) table(measured []measurement) string {
	var s strings.Builder
	s.WriteString("\n| what | goal | figure | | commit, date | command |\n|---|---|---|---|---|---|\n")
	for _, m := range measured {
		for _, r := range m.rows {
			goal := r.target()
			if r.ratio {
				goal += " " + r.other
			}
			e, ok := b.entries[r.name]
			if !ok {
				fmt.Fprintf(&s, "| %s | %s | | not measured | | `make bench BENCH=%s` |\n", r.what, goal, r.name)
				continue
			}
			word := "met"
			if !e.met(r) {
				word = "**missed**"
			}
			if e.Note != "" {
				word += "; " + e.Note
			}
			fmt.Fprintf(&s, "| %s | %s | %s | %s | `%s`, %s | `make bench BENCH=%s` |\n", r.what, goal, e.figure(r), word, e.Commit, e.Date, r.name)
		}
	}
	s.WriteString("\n")
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
