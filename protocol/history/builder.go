package history

import (
	"slices"
	"time"
)

// A Sample is one value of one series at the moment of its set. What could not
// be read has no sample.
type Sample struct {
	Metric   uint16
	Instance string
	Value    float64
}

// A Moment is when a set of samples was taken, by three clocks: the wall, one
// that nobody sets (since any fixed point), and which start of the computer
// this is.
type Moment struct {
	Wall time.Time
	Mono time.Duration
	Boot int64
}

// maxDrift is how far the wall may move against the other clock within a row.
const maxDrift = 2 * time.Second

// A Builder collects one fine row. The zero Builder is ready. It is for one
// goroutine.
type Builder struct {
	first   Moment
	start   int64   // of the first sample, UTC microseconds
	times   []int64 // tenths of a second after first
	columns []*column
	index   map[seriesKey]*column
	rev     uint32
}

type seriesKey struct {
	metric   uint16
	instance string
}

// Append adds a set of samples. When the set does not belong into the open row
// (another hour, another start of the computer, a clock that was set, a row
// that is full), that row is returned, closed, and a new one is begun.
//
// A set that is not at least a tenth of a second after the one before is left
// out, and so is a sample that is no finite number, whose instance is longer
// than MaxInstance, or that would make more than MaxSeries series.
func (b *Builder) Append(at Moment, set []Sample) (closed Row, ok bool) {
	if len(b.times) > 0 && !b.fits(at) {
		closed, ok = b.Row()
		*b = Builder{}
	}
	if len(b.times) == 0 {
		b.first, b.start = at, at.Wall.UnixMicro()
		b.index = map[seriesKey]*column{}
	}
	t := (at.Wall.UnixMicro() - b.start + tenth/2) / tenth
	n := len(b.times)
	if n > 0 && t <= b.times[n-1] {
		return closed, ok
	}
	b.times = append(b.times, t)
	for _, c := range b.columns {
		c.have, c.mean = append(c.have, false), append(c.mean, 0)
	}
	for _, s := range set {
		v, ok := scaled(s.Value, MetricOf(s.Metric).scale)
		c := b.index[seriesKey{s.Metric, s.Instance}]
		switch {
		case !ok || len(s.Instance) > MaxInstance:
			continue
		case c == nil && len(b.columns) == MaxSeries:
			continue
		case c == nil:
			c = &column{metric: s.Metric, instance: s.Instance, have: make([]bool, n+1), mean: make([]int64, n+1)}
			b.columns = append(b.columns, c)
			b.index[seriesKey{s.Metric, s.Instance}] = c
		}
		c.have[n], c.mean[n] = true, v
	}
	return closed, ok
}

// fits reports whether a set taken then belongs into the open row.
func (b *Builder) fits(at Moment) bool {
	// Not Time.Sub, which would take the monotonic clock for the wall.
	wall := time.Duration(at.Wall.UnixMicro()-b.start) * time.Microsecond
	drift := wall - (at.Mono - b.first.Mono)
	return at.Boot == b.first.Boot && at.Wall.Unix()/3600 == b.first.Wall.Unix()/3600 && wall >= 0 &&
		drift.Abs() < maxDrift && len(b.times) < MaxSamples
}

// Row packs the open row as it stands, with the next revision; ok is false
// when nothing was appended yet.
func (b *Builder) Row() (row Row, ok bool) {
	if len(b.times) == 0 {
		return Row{}, false
	}
	b.rev++
	columns := slices.Clone(b.columns)
	slices.SortFunc(columns, compareColumns)
	return Row{Resolution: Fine, Start: b.start, Revision: b.rev, Payload: pack(false, b.times, columns)}, true
}

// compareColumns puts series into a fixed order: like beside like, which packs
// better, and the same samples always make the same row.
func compareColumns(a, b *column) int {
	if a.metric != b.metric {
		return int(a.metric) - int(b.metric)
	}
	switch {
	case a.instance < b.instance:
		return -1
	case a.instance > b.instance:
		return 1
	}
	return 0
}
