package history

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// A Point is what a series was in one step of a chart. With Count 0 nothing is
// known of that step: a gap, not a zero.
type Point struct {
	At             int64 // UTC microseconds: the begin of the step
	Min, Mean, Max float64
	Count          int
}

// A Line is one series of a chart.
type Line struct {
	Metric   uint16
	Instance string
	Points   []Point
}

// Bounds of a chart. Lines beyond MaxLines are left out, and so are rows when all
// before them cost more than MaxWork, in bytes and values: eight days of a machine
// with a hundred series cost a quarter of it.
const (
	MaxPoints = 2000
	MaxLines  = 256
	MaxWork   = 64 << 20
)

var errWork = errors.New("history of more rows than can be read at once")

// Thin makes lines out of rows, fine or coarse, in any order: from (included)
// to to (excluded) in steps, all in UTC microseconds. Each line has a point
// for every step. Only the metrics in the list are read; a nil list means all.
//
// Rows that overlap, as after a clock was set back, count together. A row that
// cannot be read is skipped, and the first such error is returned beside the
// lines of the others.
func Thin(rows []Row, from, to, step int64, metrics []uint16) ([]Line, error) {
	if step <= 0 || to <= from || (to-from+step-1)/step > MaxPoints {
		return nil, fmt.Errorf("a chart from %d to %d in steps of %d µs has no points or more than %d", from, to, step, MaxPoints)
	}
	n := int((to - from + step - 1) / step)
	var lines []*Line
	index := map[seriesKey]*Line{}
	var problem error
	work := 0
	for _, row := range rows {
		if row.Start >= to || row.Start+maxSpan*tenth < from {
			continue
		}
		if work > MaxWork {
			problem = errWork
			break
		}
		block, cost, err := unpack(row)
		work += cost
		if err != nil {
			if problem == nil {
				problem = err
			}
			continue
		}
		lo, _ := slices.BinarySearch(block.Times, from)
		hi, _ := slices.BinarySearch(block.Times, to)
		if lo == hi {
			continue
		}
		steps := make([]int32, hi-lo)
		for i, t := range block.Times[lo:hi] {
			steps[i] = int32((t - from) / step)
		}
		for _, s := range block.Series {
			if metrics != nil && !slices.Contains(metrics, s.Metric) {
				continue
			}
			k := seriesKey{s.Metric, s.Instance}
			line := index[k]
			if line == nil && len(lines) == MaxLines {
				continue
			}
			if line == nil {
				line = &Line{Metric: s.Metric, Instance: s.Instance, Points: make([]Point, n)}
				index[k] = line
				lines = append(lines, line)
			}
			line.add(steps, s, lo, hi)
		}
	}
	out := make([]Line, len(lines))
	for i, line := range lines {
		for j := range line.Points {
			p := &line.Points[j]
			p.At = from + int64(j)*step
			if p.Count > 0 {
				p.Mean /= float64(p.Count)
			}
		}
		out[i] = *line
	}
	slices.SortFunc(out, func(a, b Line) int {
		return compareColumns(&column{metric: a.Metric, instance: a.Instance}, &column{metric: b.Metric, instance: b.Instance})
	})
	return out, problem
}

// add counts samples lo to hi of a series into the points; Mean is a sum yet.
func (l *Line) add(steps []int32, s Series, lo, hi int) {
	low, high := s.Mean, s.Mean
	if s.Min != nil {
		low, high = s.Min, s.Max
	}
	for i, v := range s.Mean[lo:hi] {
		if math.IsNaN(v) {
			continue
		}
		p := &l.Points[steps[i]]
		if p.Count == 0 {
			p.Min, p.Max = low[lo+i], high[lo+i]
		} else {
			p.Min, p.Max = min(p.Min, low[lo+i]), max(p.Max, high[lo+i])
		}
		p.Mean += v
		p.Count++
	}
}

const (
	quarter = int64(15 * time.Minute / time.Microsecond)
	day     = int64(24 * time.Hour / time.Microsecond)
)

// Day returns the start of the UTC day of t, in microseconds: the start of its
// coarse row.
func Day(t time.Time) int64 {
	us := t.UnixMicro()
	return us - (us%day+day)%day
}

// Coarsen makes the coarse row of the day that begins at start out of the fine
// rows of that day. ok is false when they hold nothing. A fine row that cannot
// be read is skipped, and the error returned beside the row.
func Coarsen(start int64, revision uint32, fine []Row) (row Row, ok bool, err error) {
	lines, err := Thin(fine, start, start+day, quarter, nil)
	if len(lines) == 0 {
		return Row{}, false, err
	}
	lines = lines[:min(len(lines), MaxSeries)]
	var times []int64
	var used []int // which quarters hold anything
	for i := range lines[0].Points {
		for _, l := range lines {
			if l.Points[i].Count > 0 {
				times = append(times, int64(i)*quarter/tenth)
				used = append(used, i)
				break
			}
		}
	}
	columns := make([]*column, len(lines))
	for i, l := range lines {
		scale := MetricOf(l.Metric).scale
		c := &column{metric: l.Metric, instance: l.Instance, have: make([]bool, len(used)), mean: make([]int64, len(used)), low: make([]int64, len(used)), high: make([]int64, len(used))}
		for j, u := range used {
			p := l.Points[u]
			if p.Count == 0 {
				continue
			}
			mean, _ := scaled(p.Mean, scale)
			low, _ := scaled(p.Min, scale)
			high, _ := scaled(p.Max, scale)
			c.have[j], c.mean[j], c.low[j], c.high[j] = true, mean, mean-low, high-mean
		}
		columns[i] = c
	}
	return Row{Resolution: Coarse, Start: start, Revision: revision, Payload: pack(true, times, columns)}, true, err
}
