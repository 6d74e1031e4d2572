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

	Untold bool `json:"untold,omitempty"` // it was to fill for as long as the run took: beyond Most it leaks, and below that is not told from it
}

// grows: a line that rises by less than it is uncertain may as well be level.
func (v verdict) grows() bool { return v.Grew > max(v.Most, v.Doubt) }

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
	if v.Untold {
		return fmt.Sprintf("%-22s %-8s  grew by %.4g %s, of %.4g, while it was to fill; a leak is told from %.4g", v.Name, v.word(), v.Grew, v.Unit, v.Trend.Mean, v.Most)
	}
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
// for an alert, and with each of the hour, by the clock, of which it writes down the
// history: that row then begins anew. So it is held against itself whole hours before.
const (
	agentFills = 16
	agentAgain = 60
)

// gross is by how much more of it machines may keep in the last third of the settled
// points than in the first, in a run that ends before it can be held against itself. What
// fills made it a seventh more in a run of 84 minutes, wherever that would have ended.
const gross = 0.25

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
// is full: as many times that while before as the run is long, so that a long one tells a
// slow leak.
func (k kept) judgeAgain(all []point) verdict {
	points := settled(all)
	v := verdict{Name: k.name, Unit: k.unit}
	v.Trend.Mean = k.mean(points)
	full := slices.IndexFunc(all, func(p point) bool { return p.Minute >= k.fills && p.whole() })
	if full < 0 {
		return k.judgeGross(v, points)
	}
	from, end := all[full].Minute, all[len(all)-1].Minute
	long := k.again * max(1, math.Floor((end-from)/k.again)-1) // one less: a whole one is held against another
	var more []float64
	for _, now := range all {
		at := now.Minute - long
		if at < from {
			continue
		}
		// Between two points, for a row fills by as much as a bound in some minutes.
		after := slices.IndexFunc(all, func(p point) bool { return p.Minute >= at })
		b := all[after]
		a := all[max(after-1, 0)]
		then := k.of(b) - (b.Minute-at)*(k.of(b)-k.of(a))/max(b.Minute-a.Minute, 1e-9)
		if math.Abs(now.PastHour-a.PastHour) < 30 && math.Abs(now.PastHour-b.PastHour) < 30 { // or a row has begun anew meanwhile
			more = append(more, k.of(now)-then)
		}
	}
	if len(more) < 3 {
		return k.judgeGross(v, points)
	}
	var mean, off float64
	n := float64(len(more))
	for _, d := range more {
		mean += d / n
	}
	for _, d := range more {
		off += (d - mean) * (d - mean)
	}
	v.Trend.Hourly, v.Trend.Uncertain = mean*60/long, 2*math.Sqrt(off/(n-1)/n)*60/long
	hours := (end - from) / 60
	v.Grew, v.Doubt, v.Most = v.Trend.Hourly*hours, v.Trend.Uncertain*hours, k.most+k.share*v.Trend.Mean
	return v
}

// judgeGross holds the last third against the first: what fills is not told from a leak,
// but for one that is larger than all that fills.
func (k kept) judgeGross(v verdict, points []point) verdict {
	third := len(points) / 3
	first, last := k.mean(points[:third]), k.mean(points[len(points)-third:])
	v.Untold, v.Grew, v.Most = true, last-first, gross*first
	return v
}

func (k kept) mean(points []point) (mean float64) {
	for _, p := range points {
		mean += k.of(p) / float64(len(points))
	}
	return mean
}

// whole tells whether the machines were there for all of the hour until then, or all but a
// moment: their row is as long as it will be at that minute of each later hour.
func (p point) whole() bool { return p.PastHour <= p.Minute+2 }

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
