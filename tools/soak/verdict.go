package main

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// A verdict is how one thing went between warm-up and end.
type verdict struct {
	Name  string  `json:"name"`
	Unit  string  `json:"unit"`
	Trend trend   `json:"trend"`
	Grew  float64 `json:"grew"`    // by the line, from warm-up to end
	Doubt float64 `json:"doubt"`   // two standard errors of that
	Most  float64 `json:"at_most"` // that it may have grown by and be flat

	Untold bool `json:"untold,omitempty"` // it was to fill for longer than the run took
}

// grows: a line that rises by less than it is uncertain may as well be level.
func (v verdict) grows() bool { return !v.Untold && v.Grew > max(v.Most, v.Doubt) }

// word says flat only where the line is sure of it: in a short run it may not be.
func (v verdict) word() string {
	switch {
	case v.grows():
		return "grows"
	case v.Untold || v.Grew+v.Doubt > v.Most:
		return "not told"
	}
	return "flat"
}

func (v verdict) String() string {
	return fmt.Sprintf("%-22s %-8s  grew by %.4g ± %.2g %s, of %.4g, where %.4g is flat; %+.4g ± %.2g an hour",
		v.Name, v.word(), v.Grew, v.Doubt, v.Unit, v.Trend.Mean, v.Most, v.Trend.Hourly, v.Trend.Uncertain)
}

// A kept is one thing that is to stay flat.
type kept struct {
	name, unit, what string
	of               func(point) float64
	share, most      float64 // of its mean, or so many
	fills            float64 // minutes in which it is to grow
	again            float64 // minutes after which it has grown as far as before and falls back; 0: it does not
}

// An agent has more to keep with each minute of the first quarter of an hour, as evidence
// for an alert, and with each of the hour of which it writes down the history: that row
// then begins anew. So it is held against itself an hour before.
const (
	agentFills = 16
	agentAgain = 60
)

// What the console has resident moves with the moments at which memory goes back to the
// system, and what is in use does not: there a leak is seen earlier. Goroutines and
// descriptors are counted when the same lines are open each time; what may differ are
// connections to the database and of whoever asks, and work that begins by itself.
var things = []kept{
	{"console, resident", "MiB", "memory of the console", func(p point) float64 { return p.Resident / mib }, 0.05, 0, 0, 0},
	{"console, heap", "MiB", "of it in use", func(p point) float64 { return p.Heap / mib }, 0.02, 0, 0, 0},
	{"console, goroutines", "", "goroutines of the console", func(p point) float64 { return p.Goroutines }, 0, 10, 0, 0},
	{"console, descriptors", "", "descriptors of the console", func(p point) float64 { return p.Descriptors }, 0, 10, 0, 0},
	{"machines, own", "MiB", "own memory of the pretend workstations", func(p point) float64 { return p.CrowdOwn / mib }, 0.05, 0, agentFills, agentAgain},
	{"machines, heap", "MiB", "of it in use", func(p point) float64 { return p.CrowdHeap / mib }, 0.02, 0, agentFills, agentAgain},
	{"machines, goroutines", "", "goroutines of the pretend workstations", func(p point) float64 { return p.CrowdGoroutines }, 0.005, 10, 0, 0},
	{"machines, descriptors", "", "descriptors of the pretend workstations", func(p point) float64 { return p.CrowdDescriptors }, 0, 10, 0, 0},
}

// dearer is how much more the database may keep of an act in the second half.
const dearer = 0.2

// settled are the points after the warm-up.
func settled(all []point) []point { return all[len(all)/3:] }

// judge looks at the points after the warm-up.
func judge(all []point) ([]verdict, error) {
	points := settled(all)
	if len(points) < 3 {
		return nil, errors.New("too short: there are no three points after the warm-up")
	}
	var out []verdict
	for _, k := range things {
		if k.again > 0 {
			out = append(out, k.judgeAgain(all))
			continue
		}
		out = append(out, k.judge(points))
	}
	return append(out, keptOfActs(points)), nil
}

// judge looks at the line through the points.
func (k kept) judge(points []point) verdict {
	var hours, values []float64
	for _, p := range points {
		hours, values = append(hours, p.Minute/60), append(values, k.of(p))
	}
	t, span := trendOf(hours, values), hours[len(hours)-1]-hours[0]
	return verdict{Name: k.name, Unit: k.unit, Trend: t, Grew: t.Hourly * span, Doubt: t.Uncertain * span, Most: k.most + k.share*t.Mean}
}

// judgeAgain holds what comes back after a while against what it was then, from when it
// is full. A run that has no three such points cannot tell.
func (k kept) judgeAgain(points []point) verdict {
	var more []float64
	var t trend
	for _, now := range points {
		t.Mean += k.of(now) / float64(len(points))
		then := now.Minute - k.again
		if i := slices.IndexFunc(points, func(p point) bool { return p.Minute >= then }); then >= k.fills && i >= 0 {
			more = append(more, k.of(now)-k.of(points[i]))
		}
	}
	v := verdict{Name: k.name, Unit: k.unit, Trend: t, Most: k.most + k.share*t.Mean, Untold: len(more) < 3}
	if v.Untold {
		return v
	}
	var off float64
	for _, d := range more {
		v.Grew += d / float64(len(more))
	}
	for _, d := range more {
		off += (d - v.Grew) * (d - v.Grew)
	}
	n := float64(len(more))
	v.Doubt = 2 * math.Sqrt(off/(n-1)/n)
	v.Trend.Hourly, v.Trend.Uncertain = v.Grew*60/k.again, v.Doubt*60/k.again
	return v
}

// keptOfActs holds what the database grew by for each act in the second half against
// the first.
func keptOfActs(points []point) verdict {
	half := len(points) / 2
	per := func(from, to point) float64 {
		return (to.Database - from.Database) / math.Max(1, float64(to.Acts-from.Acts))
	}
	first, second := per(points[0], points[half]), per(points[half], points[len(points)-1])
	hours := (points[len(points)-1].Minute - points[0].Minute) / 60
	return verdict{Name: "database, of an act", Unit: "bytes", Grew: second - first, Most: dearer * first,
		Trend: trend{Hourly: 2 * (second - first) / hours, Mean: (first + second) / 2}}
}
