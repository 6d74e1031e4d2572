package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/deskside/deskside/tools/internal/page"
)

const pageFile = "BENCHMARKS.md"

// file is where points and drawing are kept: the newest run of each database.
func (r report) file(ending string) string { return "docs/soak-" + r.Database + ending }

// A report is one run.
type report struct {
	Commit   string         `json:"commit"`
	Date     string         `json:"date"`
	Machine  string         `json:"machine"`
	Minutes  int            `json:"minutes"`
	Machines int            `json:"machines"`
	Database string         `json:"database"`
	Verdicts []verdict      `json:"verdicts"`
	Done     map[string]int `json:"done"`
	Rows     map[string]int `json:"rows"` // that the database has of it in the end
	Points   []point        `json:"points"`
}

// write writes the points, the drawing and the part of the page.
func (r report) write() error {
	raw, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	old, err := os.ReadFile(pageFile)
	if err != nil {
		return err
	}
	from, to := fmt.Sprintf("<!-- soak: make soak DATABASE=%s -->\n", r.Database), fmt.Sprintf("<!-- end of soak %s -->\n", r.Database)
	text, err := page.Replaced(string(old), from, to, r.text())
	if err != nil {
		return fmt.Errorf("%s: %w", pageFile, err)
	}
	return errors.Join(os.MkdirAll("docs", 0o755), os.WriteFile(r.file(".json"), append(raw, '\n'), 0o644),
		os.WriteFile(r.file(".svg"), []byte(r.drawing()), 0o644),
		os.WriteFile(pageFile, []byte(text), 0o644))
}

// text is what the page says.
func (r report) text() string {
	var s strings.Builder
	points := settled(r.Points)
	database := "SQLite"
	if r.Database == "postgres" {
		database = "PostgreSQL"
	}
	fmt.Fprintf(&s, "\n![What a console on %s held, over time](%s)\n", database, r.file(".svg"))
	fmt.Fprintf(&s, "\n`%s`, %s, `make soak MINUTES=%d DATABASE=%s`: %s pretend workstations and one real agent, %s; %s. The line goes through the %d points from minute %.0f to minute %.0f.\n\n",
		r.Commit, r.Date, r.Minutes, r.Database, page.Thousands(r.Machines), database, r.Machine, len(points), points[0].Minute, points[len(points)-1].Minute)
	s.WriteString("| what | about | grew meanwhile by | is flat up to | | an hour |\n|---|---|---|---|---|---|\n")
	for _, v := range r.Verdicts {
		word := v.word()
		if v.grows() {
			word = "**grows**"
		}
		unit := strings.TrimSuffix(" "+v.Unit, " ")
		if v.Untold {
			fmt.Fprintf(&s, "| %s | %s%s | %s%s, while it was to fill | a leak from %s%s | %s | |\n", v.Name, page.Short(v.Trend.Mean), unit,
				page.Short(v.Grew), unit, page.Short(v.Most), unit, word)
			continue
		}
		fmt.Fprintf(&s, "| %s | %s%s | %s ± %s%s | %s%s | %s | %s ± %s%s |\n", v.Name, page.Short(v.Trend.Mean), unit, page.Short(v.Grew), page.Short(v.Doubt), unit,
			page.Short(v.Most), unit, word, page.Short(v.Trend.Hourly), page.Short(v.Trend.Uncertain), unit)
	}
	var did, rows []string
	for _, what := range slices.Sorted(maps.Keys(r.Done)) {
		did = append(did, page.Thousands(r.Done[what])+" "+what)
	}
	for _, table := range slices.Sorted(maps.Keys(r.Rows)) {
		rows = append(rows, page.Thousands(r.Rows[table])+" `"+table+"`")
	}
	fmt.Fprintf(&s, "\nDone meanwhile: %s. The database has in the end: %s.\n\n", strings.Join(did, ", "), strings.Join(rows, ", "))
	return s.String()
}
