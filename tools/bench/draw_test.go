package main

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// full is a book in which each row has a figure, so far from its goal.
func full(share float64) *book {
	b := &book{entries: map[string]entry{}}
	for _, m := range measurements {
		for _, r := range m.rows {
			v := r.goal * share
			if r.floor {
				v = r.goal / share
			}
			e := entry{Row: r.name, Ours: v}
			if r.ratio {
				e.Ours, e.Theirs = v*49_990, 49_990
			}
			b.put(e)
		}
	}
	return b
}

// drawn is what stands in a drawing.
type drawn struct {
	wide, high float64
	texts      []string
	marks      int // bars, dots and diamonds
}

// look reads a drawing and holds all that has a place to it: nothing is cut off.
func look(t *testing.T, drawing string) (out drawn) {
	t.Helper()
	const letter = 6.6 // how wide one is at most on average
	number := func(e xml.StartElement, name string) float64 {
		for _, a := range e.Attr {
			if a.Name.Local == name {
				v, _ := strconv.ParseFloat(a.Value, 64)
				return v
			}
		}
		return 0
	}
	word := func(e xml.StartElement, name string) string {
		i := slices.IndexFunc(e.Attr, func(a xml.Attr) bool { return a.Name.Local == name })
		if i < 0 {
			return ""
		}
		return e.Attr[i].Value
	}
	var at xml.StartElement
	for d := xml.NewDecoder(strings.NewReader(drawing)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v in %s", err, drawing)
		}
		switch token := token.(type) {
		case xml.StartElement:
			at = token.Copy()
			if at.Name.Local == "svg" {
				fmt.Sscanf(word(at, "viewBox"), "0 0 %f %f", &out.wide, &out.high)
			}
			if class := word(at, "class"); class == "m" || class == "x" || word(at, "stroke-width") == "2" {
				out.marks++
			}
			x, y := number(at, "x")+number(at, "width"), number(at, "y")+number(at, "height")
			if x > out.wide || y > out.high || max(number(at, "cx"), number(at, "x2")) > out.wide || max(number(at, "cy"), number(at, "y2")) > out.high {
				t.Errorf("%s %v is beyond %.0f x %.0f", at.Name.Local, at.Attr, out.wide, out.high)
			}
		case xml.CharData:
			text := string(token)
			if at.Name.Local != "text" || strings.TrimSpace(text) == "" {
				continue
			}
			out.texts = append(out.texts, text)
			from, to := number(at, "x"), number(at, "x")+letter*float64(len(text))
			switch wide := to - from; word(at, "text-anchor") {
			case "end":
				from, to = from-wide, from
			case "middle":
				from, to = from-wide/2, to-wide/2
			}
			if from < 0 || to > out.wide {
				t.Errorf("%q stands from %.0f to %.0f of %.0f", text, from, to, out.wide)
			}
		}
	}
	return out
}

// TestBars: each row has a bar and its words, however far from its goal it is, and
// one that misses says so.
func TestBars(t *testing.T) {
	for _, share := range []float64{0.01, 1, 1.39, 1.41, 3, 50} {
		got := look(t, full(share).drawing(measurements))
		if got.marks != len(names()) {
			t.Errorf("at %v x the goal: %d bars of %d rows", share, got.marks, len(names()))
		}
		missed := 0
		for _, text := range got.texts {
			if strings.HasSuffix(text, ", missed") {
				missed++
			}
		}
		if want := len(names()); share <= 1 && missed > 0 || share > 1 && missed != want {
			t.Errorf("at %v x the goal %d rows of %d say that they miss it", share, missed, want)
		}
		for _, name := range names() {
			if !slices.Contains(got.texts, name) {
				t.Errorf("%s is not named", name)
			}
		}
	}
}

// TestPanels: rows of one panel stand in it together, and what has no points is not
// drawn.
func TestPanels(t *testing.T) {
	all := []measurement{{"a", []row{{name: "one", growth: growth{"memory", "one node"}}, {name: "none", growth: growth{"memory", "none"}}, {name: "own", what: "speed", unit: "ms"}}, nil},
		{"b", []row{{name: "five", growth: growth{"memory", "five nodes"}}}, nil}}
	b := &book{entries: map[string]entry{}}
	if got := b.panels(all); got != nil {
		t.Errorf("an empty book has %v", got)
	}
	b.put(entry{Row: "one", Points: []point{{15_000, 80}, {1_000, 90}, {5_000, 85}}})
	b.put(entry{Row: "none"})
	b.put(entry{Row: "own", Points: []point{{1_000, 0}}})
	b.put(entry{Row: "five", Points: []point{{75_000, 84}}})
	panels := b.panels(all)
	want := []panel{
		{"memory", []series{{"one node", []point{{1_000, 90}, {5_000, 85}, {15_000, 80}}}, {"five nodes", []point{{75_000, 84}}}}},
		{"speed, ms", []series{{"one node", []point{{1_000, 0}}}}},
	}
	if diff := cmp.Diff(want, panels, cmp.AllowUnexported(panel{}, series{})); diff != "" {
		t.Fatalf("-want +got:\n%s", diff)
	}
	got := look(t, growthDrawing(panels))
	if got.marks != 5+2 { // and two that say what they are
		t.Errorf("%d marks", got.marks)
	}
	for _, text := range []string{"memory, over machines", "75,000", "80,000", "one node", "five nodes"} {
		if has := slices.Contains(got.texts, text); has != (text != "75,000") {
			t.Errorf("%q: %v", text, has)
		}
	}
	if strings.Contains(growthDrawing(panels), "NaN") {
		t.Error("something has no place")
	}
}

func TestTicks(t *testing.T) {
	for most, want := range map[float64][]float64{
		0: {0, 1}, 1: {0, 0.5, 1}, 110: {0, 50, 100, 150}, 1694: {0, 500, 1000, 1500, 2000}, 75_000: {0, 20_000, 40_000, 60_000, 80_000}, 0.034: {0, 0.01, 0.02, 0.03, 0.04},
	} {
		if diff := cmp.Diff(want, ticks(most, 4), cmpopts.EquateApprox(0, 1e-9)); diff != "" {
			t.Errorf("up to %v: -want +got:\n%s", most, diff)
		}
	}
}

func TestBenchmarks(t *testing.T) {
	got := benchmarks(`goos: linux
BenchmarkDayRecorded-2   	     228	   7301909 ns/op	         0.8238 B/sample	         2.392 hours
BenchmarkDay-2           	     284	   7759614 ns/op	  5105801 B/op
BenchmarkDay-2           	     284	   4759614 ns/op	  5105801 B/op
PASS
ok  	github.com/deskside/deskside/protocol/history	6.607s
`)
	want := map[string][]float64{"DayRecorded ns/op": {7301909}, "DayRecorded B/sample": {0.8238}, "DayRecorded hours": {2.392},
		"Day ns/op": {7759614, 4759614}, "Day B/op": {5105801, 5105801}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestWanted: a row's own name means that row, not all that have it in theirs.
func TestWanted(t *testing.T) {
	all := []measurement{{name: "ways", rows: []row{{name: "question"}, {name: "script"}}}, {name: "fleet", rows: []row{{name: "question-to-all"}}}, {name: "echo", rows: []row{{name: "echo-ssh"}}}}
	for name, want := range map[string]string{"": "ways fleet echo", "question": "ways", "question-": "fleet", "echo": "echo", "s": "ways fleet echo", "fleet": "fleet", "none": ""} {
		var got []string
		for _, m := range wanted(all, name) {
			got = append(got, m.name)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
