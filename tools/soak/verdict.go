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
}

// agentFills is how many minutes an agent has more to keep with each, as evidence for an
// alert: those of a quarter of an hour.
const agentFills = 16

// What the console has resident moves with the moments at which memory goes back to the
// system, and what is in use does not: there a leak is seen earlier. Goroutines and
// descriptors are counted when the same lines are open each time; what may differ are
// connections to the database and of whoever asks, and work that begins by itself.
var things = []kept{
	{"console, resident", "MiB", "memory of the console", func(p point) float64 { return p.Resident / mib }, 0.05, 0, 0},
	{"console, heap", "MiB", "of it in use", func(p point) float64 { return p.Heap / mib }, 0.02, 0, 0},
	{"console, goroutines", "", "goroutines of the console", func(p point) float64 { return p.Goroutines }, 0, 10, 0},
	{"console, descriptors", "", "descriptors of the console", func(p point) float64 { return p.Descriptors }, 0, 10, 0},
	{"machines, own", "MiB", "own memory of the pretend workstations", func(p point) float64 { return p.CrowdOwn / mib }, 0.05, 0, agentFills},
	{"machines, heap", "MiB", "of it in use", func(p point) float64 { return p.CrowdHeap / mib }, 0.02, 0, agentFills},
	{"machines, goroutines", "", "goroutines of the pretend workstations", func(p point) float64 { return p.CrowdGoroutines }, 0.005, 10, 0},
	{"machines, descriptors", "", "descriptors of the pretend workstations", func(p point) float64 { return p.CrowdDescriptors }, 0, 10, 0},
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
		out = append(out, k.judge(points))
	}
	return append(out, keptOfActs(points)), nil
}

// judge looks at the points at which it is full; where those are too few, at all.
func (k kept) judge(points []point) verdict {
	full := slices.DeleteFunc(slices.Clone(points), func(p point) bool { return p.Minute < k.fills })
	untold := len(full) < 3
	if untold {
		full = points
	}
	var hours, values []float64
	for _, p := range full {
		hours, values = append(hours, p.Minute/60), append(values, k.of(p))
	}
	t, span := trendOf(hours, values), hours[len(hours)-1]-hours[0]
	return verdict{Name: k.name, Unit: k.unit, Trend: t, Grew: t.Hourly * span, Doubt: t.Uncertain * span, Most: k.most + k.share*t.Mean, Untold: untold}
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
