package main

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
)

func TestTrend(t *testing.T) {
	x := []float64{0, 1, 2, 3, 4, 5}
	if got := trendOf(x, []float64{3, 5, 7, 9, 11, 13}); math.Abs(got.Hourly-2) > 1e-9 || got.Uncertain > 1e-6 || got.Mean != 8 {
		t.Errorf("a straight line: %+v", got)
	}
	if got := trendOf(x, []float64{7, 9, 7, 9, 7, 9}); math.Abs(got.Hourly) > got.Uncertain || got.Uncertain < 0.1 {
		t.Errorf("up and down: %+v", got)
	}
	// By hand: slope 0.5, what is left over 1.5 of 4 points, so 2*sqrt(1.5/2/5).
	if got := trendOf([]float64{0, 1, 2, 3}, []float64{0, 1, 0, 2}); math.Abs(got.Hourly-0.5) > 1e-9 || math.Abs(got.Uncertain-2*math.Sqrt(0.15)) > 1e-9 {
		t.Errorf("four points: %+v", got)
	}
}

// steady are the points of a run of a hundred minutes in which everything stays, after a
// warm-up, but for what moves by itself.
func steady() []point {
	all := make([]point, 21)
	for i := range all {
		swing := []float64{1, -0.6, 0.2, -1, 0.7, -0.2}[i%6]
		all[i] = point{Minute: 0.4 + 5*float64(i), Resident: (250 + 6*swing) * mib, Heap: (40 + 0.2*swing) * mib, Goroutines: 2060 + 2*swing,
			Descriptors: 2030, CrowdOwn: 600 * mib, CrowdHeap: (300 + 2*swing) * mib, CrowdGoroutines: 13200 + 9*swing, CrowdDescriptors: 1910, Database: float64(10*mib + i*mib), Acts: 1500 * (i + 1)}
		if i < 6 {
			all[i].Resident *= 0.5 + float64(i)/14
		}
	}
	return all
}

// TestJudge: what leaks is found, and nothing else.
func TestJudge(t *testing.T) {
	for name, tc := range map[string]struct {
		leak  func(i int, p *point)
		grows string
	}{
		"nothing":                           {func(int, *point) {}, ""},
		"a goroutine of each of ten lines":  {func(i int, p *point) { p.Goroutines += float64(10 * i) }, "console, goroutines"},
		"a descriptor of each cycle":        {func(i int, p *point) { p.Descriptors += float64(i) }, "console, descriptors"},
		"a KiB of each of 200 questions":    {func(i int, p *point) { p.Heap += float64(i * 200 << 10) }, "console, heap"},
		"a twentieth of what is resident":   {func(i int, p *point) { p.Resident += float64(i) * 1.5 * mib }, "console, resident"},
		"what the machines remember":        {func(i int, p *point) { p.CrowdHeap += float64(i) * mib }, "machines, heap"},
		"what they have beside it":          {func(i int, p *point) { p.CrowdOwn += float64(i) * 3 * mib }, "machines, own"},
		"a goroutine of each machine":       {func(i int, p *point) { p.CrowdGoroutines += float64(i) * 100 }, "machines, goroutines"},
		"evidence, until it is full":        {func(_ int, p *point) { p.CrowdHeap += min(p.Minute, 15) * 3 * mib }, ""},
		"history, which begins anew":        {func(_ int, p *point) { p.CrowdHeap += math.Mod(p.Minute, 60) * mib }, ""},
		"more in each hour's end":           {func(_ int, p *point) { p.CrowdHeap += math.Mod(p.Minute, 60) * p.Minute / 90 * mib }, "machines, heap"},
		"a run that ends before it is":      {func(i int, p *point) { p.CrowdHeap += float64(i) * 3 * mib; p.Minute /= 3 }, ""},
		"a socket at a machine":             {func(i int, p *point) { p.CrowdDescriptors += float64(i) }, "machines, descriptors"},
		"rows that nobody deletes":          {func(i int, p *point) { p.Database += float64(i*i) * mib / 20 }, "database, of an act"},
		"a database that grows by its acts": {func(i int, p *point) { p.Database += float64(i) * 5 * mib }, ""},
		"a warm-up that takes its time":     {func(i int, p *point) { p.Heap -= float64(max(0, 7-i)) * mib }, ""},
		"one point that stands out at a time": {func(i int, p *point) {
			if i == 12 {
				p.Goroutines += 200
			}
		}, ""},
		"one that stands out in the end": {func(i int, p *point) {
			if i == 20 {
				p.Goroutines += 200
			}
		}, ""},
	} {
		all := steady()
		for i := range all {
			tc.leak(i, &all[i])
		}
		verdicts, err := judge(all)
		if err != nil {
			t.Fatal(err)
		}
		var grows []string
		for _, v := range verdicts {
			if v.grows() {
				grows = append(grows, v.Name)
			}
		}
		if got := strings.Join(grows, "; "); got != tc.grows {
			t.Errorf("%s: %q grows, not %q: %v", name, got, tc.grows, verdicts)
		}
	}
	for want, v := range map[string]verdict{
		"flat":     {Grew: 1, Doubt: 1, Most: 2},
		"not told": {Grew: 1, Doubt: 1.5, Most: 2},
		"grows":    {Grew: 3, Doubt: 1, Most: 2},
	} {
		if v.Untold = true; (v.word() == "not told") == (want == "grows") {
			t.Errorf("%+v: %s of what was still to fill", v, v.word())
		}
		v.Untold = false
		if got := v.word(); got != want {
			t.Errorf("%+v: %s, want %s", v, got, want)
		}
	}
	if _, err := judge(steady()[:4]); err != nil {
		t.Errorf("four points: %v", err)
	}
	if _, err := judge(steady()[:3]); err == nil {
		t.Error("two points after the warm-up are judged")
	}
}

// filled are the points of a run whose machines keep what they do keep: evidence for a
// quarter of an hour, and a row of history, which begins anew with each hour of the clock,
// in steps of what a list grows by. It begins so many minutes after a whole hour.
func filled(minutes, past float64) (all []point) {
	for at := 0.5; at <= 1.01*minutes; at += 1.003 * max(0.5, minutes/288) { // a cycle takes a moment longer
		p := point{Minute: at, PastHour: math.Mod(at+past, 60), Acts: int(1e6 * at), Database: at * mib}
		row := min(p.PastHour, at)
		swing := []float64{1, -0.6, 0.2, -1, 0.7, -0.2}[len(all)%6]
		p.CrowdHeap = (230 + 3*min(at, 15) + 0.9*row + swing) * mib
		if row > 30 {
			p.CrowdHeap += 20 * mib
		}
		p.CrowdOwn = p.CrowdHeap + (350+3*swing)*mib
		all = append(all, p)
	}
	return all
}

// TestFilled: what machines keep is no leak, however long the run is and whenever it
// begins; and a leak is found, in a short run if it is gross, in a long one if it is slow.
func TestFilled(t *testing.T) {
	of := func(all []point, leak func(minute float64) float64) map[string]verdict { // leak in MiB
		t.Helper()
		for i := range all {
			all[i].CrowdHeap += leak(all[i].Minute) * mib
			all[i].CrowdOwn += leak(all[i].Minute) * mib
		}
		verdicts, err := judge(all)
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]verdict{}
		for _, v := range verdicts {
			out[v.Name] = v
		}
		return out
	}
	none := func(float64) float64 { return 0 }
	for _, past := range []float64{0, 1, 5, 20, 30, 45, 58} {
		for _, minutes := range []float64{2, 5, 10, 20, 40, 60, 75, 84, 100, 130, 240, 1440} {
			got := of(filled(minutes, past), none)
			for _, name := range []string{"machines, heap", "machines, own"} {
				word := "flat"
				if full := max(agentFills, math.Mod(60-past, 60)); past > 2 && full+agentAgain+2 > minutes || minutes < 80 {
					word = "not told"
				}
				if v := got[name]; v.word() != word {
					t.Errorf("%g minutes from %g past the hour, %s, not: %v", minutes, past, word, v)
				}
			}
		}
	}
	for name, tc := range map[string]struct {
		minutes, past float64
		hourly        float64 // MiB
		grows, own    bool
	}{
		"4 % in each hour of a day":           {1440, 0, 12, true, true},
		"4 % in each hour of a day, from :40": {1440, 40, 12, true, true},
		"0.3 % in each hour of a day":         {1440, 30, 1, true, false},
		"4 % in each hour of three":           {180, 0, 12, true, false},
		"what 84 minutes may grow by":         {84, 0, 3, false, false},
		"a KiB of each machine a second":      {10, 0, 2000 * 60 * 60 / 1024, true, true},
		"that in two minutes":                 {2, 0, 2000 * 60 * 60 / 1024, true, false},
		"a MiB an hour in ten minutes":        {10, 0, 1, false, false},
	} {
		got := of(filled(tc.minutes, tc.past), func(minute float64) float64 { return tc.hourly * minute / 60 })
		if heap, own := got["machines, heap"], got["machines, own"]; heap.grows() != tc.grows || own.grows() != tc.own {
			t.Errorf("%s: %v; %v", name, heap, own)
		}
	}
	got := of(filled(1440, 0), func(minute float64) float64 { return minute/120 + 6*math.Sin(minute) })["machines, heap"]
	if !got.grows() {
		t.Errorf("half a MiB an hour over a day, in what moves by twelve: %v", got)
	}
	// By hand: 22 whole hours lie between what is compared, and 23.6 were judged.
	got = of(filled(1440, 0), func(minute float64) float64 { return minute / 60 })["machines, heap"]
	if math.Abs(got.Trend.Hourly-1) > 0.1 || math.Abs(got.Grew-23.6) > 2 || got.Doubt > 3 {
		t.Errorf("a MiB an hour over a day: %v", got)
	}
	r := report{Points: filled(10, 0)}
	var err error
	if r.Verdicts, err = judge(r.Points); err != nil {
		t.Fatal(err)
	}
	if text := r.text(); !strings.Contains(text, "MiB, while it was to fill | a leak from ") {
		t.Errorf("the page of a short run says %s", text)
	}
	if lines := strings.Count(r.drawing(), "stroke-dasharray"); lines != len(things)-2 {
		t.Errorf("%d lines are drawn through what was to fill, and all else", lines)
	}
}

// TestReport: the page names each thing, and the drawing is one that a browser reads.
func TestReport(t *testing.T) {
	r := report{Commit: "abc", Minutes: 10, Machines: 2000, Database: "sqlite", Points: steady(), Done: map[string]int{"tickets": 1234}, Rows: map[string]int{"ticket": 1234}}
	for i := range r.Points {
		r.Points[i].Goroutines += float64(10 * i)
	}
	var err error
	if r.Verdicts, err = judge(r.Points); err != nil {
		t.Fatal(err)
	}
	text := r.text()
	for _, v := range r.Verdicts {
		if !strings.Contains(text, "| "+v.Name+" |") {
			t.Errorf("the page does not name %s", v.Name)
		}
	}
	if strings.Count(text, "**grows**") != 1 || !strings.Contains(text, "1,234 tickets") || !strings.Contains(text, "1,234 `ticket`") || !strings.Contains(text, "docs/soak-sqlite.svg") {
		t.Errorf("the page says %s", text)
	}
	curves := 0
	for d := xml.NewDecoder(strings.NewReader(r.drawing())); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "path" {
			curves++
		}
	}
	if curves != len(things)+1 {
		t.Errorf("%d curves are drawn", curves)
	}
}
