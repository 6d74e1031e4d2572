package history

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func moment(after time.Duration) Moment {
	return Moment{Wall: noon.Add(after), Mono: time.Hour + after, Boot: 1}
}

func TestAbsentIsNotZero(t *testing.T) {
	var b Builder
	b.Append(moment(0), []Sample{{CPUUtilization, "", 0}, {FilesystemUtilization, "/", 0.5}})
	b.Append(moment(15*time.Second), []Sample{{FilesystemUtilization, "/", 0.6}, {ProcessCount, "", math.NaN()}})
	b.Append(moment(30*time.Second), []Sample{{CPUUtilization, "", 0.25}, {FilesystemUtilization, "/home", 0}})
	row, ok := b.Row()
	if !ok {
		t.Fatal("no row")
	}
	got, err := Unpack(row)
	if err != nil {
		t.Fatal(err)
	}
	nan := math.NaN()
	at := func(s int) int64 { return noon.Add(time.Duration(s) * time.Second).UnixMicro() }
	want := &Block{
		Times: []int64{at(0), at(15), at(30)},
		Series: []Series{
			{Metric: CPUUtilization, Mean: []float64{0, nan, 0.25}},
			{Metric: FilesystemUtilization, Instance: "/", Mean: []float64{0.5, 0.6, nan}},
			{Metric: FilesystemUtilization, Instance: "/home", Mean: []float64{nan, nan, 0}},
		},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateNaNs()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestRowCloses(t *testing.T) {
	set := []Sample{{CPUUtilization, "", 0.5}}
	for name, tc := range map[string]struct {
		next  Moment
		close bool
	}{
		"a sample later":                {moment(15 * time.Second), false},
		"within the drift":              {Moment{noon.Add(16 * time.Second), time.Hour + 15*time.Second, 1}, false},
		"the last of the hour":          {moment(time.Hour - time.Millisecond), false},
		"the hour":                      {moment(time.Hour), true},
		"a restart":                     {Moment{noon.Add(time.Minute), time.Hour + time.Minute, 2}, true},
		"the clock set forward":         {Moment{noon.Add(17 * time.Second), time.Hour + 15*time.Second, 1}, true},
		"the clock set back":            {Moment{noon.Add(13 * time.Second), time.Hour + 15*time.Second, 1}, true},
		"the clock set before the row":  {Moment{noon.Add(-time.Minute), time.Hour + 15*time.Second, 1}, true},
		"sleep, unseen by the monotone": {Moment{noon.Add(10 * time.Minute), time.Hour + 15*time.Second, 1}, true},
	} {
		t.Run(name, func(t *testing.T) {
			var b Builder
			b.Append(moment(0), set)
			closed, ok := b.Append(tc.next, set)
			if ok != tc.close {
				t.Fatalf("closed %v, want %v", ok, tc.close)
			}
			open, _ := b.Row()
			if !tc.close {
				if got, _ := Unpack(open); len(got.Times) != 2 {
					t.Errorf("the open row has %d samples, want 2", len(got.Times))
				}
				return
			}
			if closed.Start != noon.UnixMicro() || open.Start != tc.next.Wall.UnixMicro() || open.Revision != 1 {
				t.Errorf("closed row from %d, open row from %d", closed.Start, open.Start)
			}
		})
	}
}

// TestWallClockWithMonotonicReading: time.Now carries both clocks, and Sub
// prefers the one that is never set.
func TestWallClockWithMonotonicReading(t *testing.T) {
	now := time.Now()
	if now.Unix()/3600 != now.Add(40*time.Second).Unix()/3600 {
		now = now.Add(time.Minute)
	}
	var b Builder
	b.Append(Moment{now, 0, 1}, nil)
	set := now.Add(15 * time.Second).Round(0).Add(10 * time.Second) // stripped, and set forward
	if _, ok := b.Append(Moment{set, 15 * time.Second, 1}, nil); !ok {
		t.Error("a clock set forward by 10 s goes unseen")
	}
}

func TestRevisions(t *testing.T) {
	var b Builder
	if _, ok := b.Row(); ok {
		t.Error("an empty builder has a row")
	}
	var last Row
	for i := range 5 {
		b.Append(moment(time.Duration(i)*15*time.Second), []Sample{{ProcessCount, "", float64(i)}})
		row, _ := b.Row()
		if row.Revision <= last.Revision || i > 0 && row.Start != last.Start {
			t.Fatalf("revision %d of %d after %d of %d", row.Revision, row.Start, last.Revision, last.Start)
		}
		last = row
	}
	b.Append(moment(60*time.Second), nil) // the same tenth of a second again
	got, _ := Unpack(last)
	if len(got.Times) != 5 {
		t.Errorf("%d samples, want 5", len(got.Times))
	}
}

func TestBuilderBounds(t *testing.T) {
	var b Builder
	var set []Sample
	for i := range MaxSeries + 10 {
		set = append(set, Sample{FilesystemUsage, fmt.Sprint(i), 1e9})
	}
	set = append(set[:5:5], append([]Sample{{FilesystemUsage, strings.Repeat("x", MaxInstance+1), 1}, {CPUUtilization, "", math.Inf(1)}, {MemoryUsage, "", 1e300}}, set[5:]...)...)
	b.Append(moment(0), set)
	row, _ := b.Row()
	got, err := Unpack(row)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Series) != MaxSeries {
		t.Errorf("%d series, want %d", len(got.Series), MaxSeries)
	}
	for _, s := range got.Series {
		if s.Metric != FilesystemUsage || len(s.Instance) > MaxInstance {
			t.Errorf("series %d %s", s.Metric, s.Instance)
		}
	}
}

// TestRoundTrip: whatever is appended comes back as it was, to the scale of
// its metric.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b Builder
		type cell struct {
			at int64
			k  seriesKey
		}
		want := map[cell]float64{}
		wall := time.Duration(0)
		n := rapid.IntRange(1, 40).Draw(t, "sets")
		for range n {
			var set []Sample
			at := noon.Add(wall).UnixMicro()
			for range rapid.IntRange(0, 12).Draw(t, "samples") {
				s := Sample{
					Metric:   rapid.Uint16Range(1, 15).Draw(t, "metric"),
					Instance: rapid.SampledFrom([]string{"", "/", "/home", "zażółć"}).Draw(t, "instance"),
					Value:    rapid.OneOf(rapid.Float64Range(0, 1), rapid.Float64Range(-1e12, 1e12), rapid.Just(0.0), rapid.Just(math.NaN())).Draw(t, "value"),
				}
				set = append(set, s)
				if !math.IsNaN(s.Value) {
					want[cell{at, seriesKey{s.Metric, s.Instance}}] = s.Value
				}
			}
			b.Append(moment(wall), set)
			wall += time.Duration(rapid.IntRange(1, 200).Draw(t, "wait")) * 100 * time.Millisecond
		}
		row, _ := b.Row()
		block, err := Unpack(row)
		if err != nil {
			t.Fatal(err)
		}
		if len(block.Times) != n {
			t.Fatalf("%d times, want %d", len(block.Times), n)
		}
		for _, s := range block.Series {
			for i, v := range s.Mean {
				k := cell{block.Times[i], seriesKey{s.Metric, s.Instance}}
				w, ok := want[k]
				delete(want, k)
				if ok != !math.IsNaN(v) || ok && math.Abs(v-w) > 0.5000001/MetricOf(s.Metric).scale+1e-9*math.Abs(w) {
					t.Fatalf("%v: %v, want %v (%v)", k, v, w, ok)
				}
			}
		}
		if len(want) > 0 {
			t.Fatalf("lost %v", want)
		}
	})
}

func TestThin(t *testing.T) {
	var b Builder
	for i := range 8 { // 0 s to 105 s, without 45 s and 60 s
		if i == 3 || i == 4 {
			continue
		}
		b.Append(moment(time.Duration(i)*15*time.Second), []Sample{{ProcessCount, "", float64(i)}, {CPUUtilization, "", 1}})
	}
	row, _ := b.Row()
	from := noon.UnixMicro()
	const s = int64(1e6)
	lines, err := Thin([]Row{row}, from, from+150*s, 30*s, []uint16{ProcessCount})
	if err != nil {
		t.Fatal(err)
	}
	want := []Line{{Metric: ProcessCount, Points: []Point{
		{At: from, Min: 0, Mean: 0.5, Max: 1, Count: 2},
		{At: from + 30*s, Min: 2, Mean: 2, Max: 2, Count: 1},
		{At: from + 60*s, Min: 5, Mean: 5, Max: 5, Count: 1},
		{At: from + 90*s, Min: 6, Mean: 6.5, Max: 7, Count: 2},
		{At: from + 120*s},
	}}}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if lines, err := Thin([]Row{row}, from+1000*s, from+1030*s, s, nil); len(lines) != 0 || err != nil {
		t.Errorf("a chart of nothing has %v, %v", lines, err)
	}
	for _, tc := range [][3]int64{{from, from, s}, {from, from - 1, s}, {from, from + 2001*s, s}, {from, from + s, 0}} {
		if _, err := Thin(nil, tc[0], tc[1], tc[2], nil); err == nil {
			t.Errorf("a chart of %v is made", tc)
		}
	}
	// One bad row does not take the others with it.
	bad := row
	bad.Payload = bad.Payload[:len(bad.Payload)-3]
	lines, err = Thin([]Row{bad, row}, from, from+30*s, 30*s, nil)
	if err == nil || len(lines) != 2 || lines[0].Points[0].Count != 2 {
		t.Errorf("lines %v, error %v", lines, err)
	}
}

func TestCoarsen(t *testing.T) {
	var fine []Row
	var b Builder
	r := rand.New(rand.NewPCG(1, 2))
	lowest, highest, sum, n := math.Inf(1), math.Inf(-1), 0.0, 0
	for at := time.Duration(0); at < 3*time.Hour; at += 15 * time.Second {
		set := []Sample{{MemoryUtilization, "", math.Round(r.Float64()*1000) / 1000}}
		if at >= time.Hour && at < 2*time.Hour {
			set = nil // an hour without
		}
		if at >= 15*time.Minute && at < 30*time.Minute {
			v := set[0].Value
			lowest, highest, sum, n = min(lowest, v), max(highest, v), sum+v, n+1
		}
		if closed, ok := b.Append(moment(at), set); ok {
			fine = append(fine, closed)
		}
	}
	open, _ := b.Row()
	fine = append(fine, open)
	start := Day(noon)
	coarse, ok, err := Coarsen(start, 7, fine)
	if !ok || err != nil || coarse.Start != start || coarse.Revision != 7 {
		t.Fatalf("%v %v %+v", ok, err, coarse)
	}
	block, err := Unpack(coarse)
	if err != nil {
		t.Fatal(err)
	}
	if len(block.Times) != 8 {
		t.Errorf("%d quarters, want 8", len(block.Times))
	}
	s := block.Series[0]
	near := func(a, b float64) bool { return math.Abs(a-b) <= 0.0005001 }
	if !near(s.Min[1], lowest) || !near(s.Mean[1], sum/float64(n)) || !near(s.Max[1], highest) {
		t.Errorf("second quarter %v %v %v, want %v %v %v", s.Min[1], s.Mean[1], s.Max[1], lowest, sum/float64(n), highest)
	}
	// The chart of a day out of the coarse row has the same extremes.
	lines, err := Thin([]Row{coarse}, start, start+day, day, nil)
	if err != nil || len(lines) != 1 || lines[0].Points[0].Count != 8 {
		t.Fatalf("%v %v", lines, err)
	}
	if p := lines[0].Points[0]; p.Min > s.Min[1] || p.Max < s.Max[1] || p.Min == p.Mean {
		t.Errorf("the day is %+v", p)
	}
	if _, ok, _ := Coarsen(start+day, 1, fine); ok {
		t.Error("a day without samples has a row")
	}
	if got := Day(time.UnixMicro(-1)); got != -day {
		t.Errorf("the day before 1970 starts at %d", got)
	}
}

// office makes the rows of a day of a workstation: 40 series of plausible
// noise at 15 s with a jittering clock.
func office() ([]Row, int) {
	r := rand.New(rand.NewPCG(3, 4))
	var b Builder
	var rows []Row
	samples := 0
	start := noon.Truncate(24 * time.Hour)
	state := map[string]float64{}
	walk := func(k string, low, high, step float64) float64 {
		v, ok := state[k]
		if !ok {
			v = low + r.Float64()*(high-low)
		}
		v = max(low, min(high, v+r.NormFloat64()*step))
		state[k] = v
		return v
	}
	for i := range 24 * 240 {
		at := time.Duration(i)*15*time.Second + time.Duration(r.IntN(60))*time.Millisecond
		set := []Sample{
			{CPUUtilization, "", walk("cpu", 0, 1, 0.05)}, {LoadAverage1m, "", walk("load", 0, 8, 0.1)},
			{MemoryUtilization, "", walk("mem", 0.2, 0.9, 0.002)}, {MemoryUsage, "", walk("memb", 4e9, 15e9, 20e6)},
			{PagingUtilization, "", walk("swap", 0, 0.2, 0.0005)}, {ProcessCount, "", math.Round(walk("procs", 250, 450, 2))},
		}
		for _, m := range []string{"/", "/home", "/boot", "/var", "/tmp", "/run"} {
			step := 0.00001
			if r.IntN(4) > 0 {
				step = 0
			}
			u := walk(m, 0, 1, step)
			set = append(set, Sample{FilesystemUtilization, m, u}, Sample{FilesystemUsage, m, u * 200e9}, Sample{InodesUtilization, m, u / 10})
		}
		for _, d := range []string{"sda", "sdb", "nvme0n1", "nvme1n1"} {
			quiet := float64(r.IntN(3) / 2)
			set = append(set, Sample{DiskRead, d, quiet * r.ExpFloat64() * 4e5}, Sample{DiskWrite, d, r.ExpFloat64() * 1e5})
		}
		for _, n := range []string{"eth0", "wlan0", "wg0", "br0"} {
			set = append(set, Sample{NetworkReceive, n, r.ExpFloat64() * 2e4}, Sample{NetworkTransmit, n, r.ExpFloat64() * 5e3})
		}
		samples += len(set)
		if closed, ok := b.Append(Moment{start.Add(at), at, 1}, set); ok {
			rows = append(rows, closed)
		}
	}
	open, _ := b.Row()
	return append(rows, open), samples
}

func TestBytesPerSample(t *testing.T) {
	rows, samples := office()
	if len(rows) != 24 {
		t.Fatalf("%d rows, want 24", len(rows))
	}
	bytes := 0
	for _, r := range rows {
		bytes += len(r.Payload)
	}
	perSample := float64(bytes) / float64(samples)
	t.Logf("%d samples in %d bytes: %.2f a sample", samples, bytes, perSample)
	if perSample > 1.5 {
		t.Errorf("%.2f bytes a sample, want at most 1.5", perSample)
	}
}

func TestUnpackRefuses(t *testing.T) {
	var b Builder
	b.Append(moment(0), []Sample{{CPUUtilization, "", 0.5}, {FilesystemUsage, "/", 1e9}})
	b.Append(moment(15*time.Second), []Sample{{CPUUtilization, "", 0.6}})
	good, _ := b.Row()
	enc, _ := codec()
	raw := func(b ...byte) []byte { return enc.EncodeAll(b, []byte{format}) }
	row := func(payload []byte) Row {
		return Row{Resolution: Fine, Start: noon.UnixMicro(), Revision: 1, Payload: payload}
	}
	future := good
	future.Start = 1 << 60
	strange := good
	strange.Resolution = 3
	newer := row(append([]byte{2}, good.Payload[1:]...))
	bomb := enc.EncodeAll(make([]byte, 64<<20), []byte{format})
	huge := append([]byte{0x80, 0x20}, make([]byte, MaxSamples)...) // 4096 equal times
	for i := range MaxSamples {
		huge[2+i] = 0
	}
	huge[3] = 2 // the second is a tenth later, and so on
	huge = append(huge, 0xff, 0x03)
	for range 511 {
		huge = append(huge, 1, 0, 0)
		huge = append(huge, make([]byte, MaxSamples/8)...)
	}
	for name, tc := range map[string]struct {
		row  Row
		want string
	}{
		"empty":                  {row(nil), "cut off"},
		"not zstd":               {row([]byte{format, 1, 2, 3}), "history row:"},
		"another format":         {newer, "format 2"},
		"another resolution":     {strange, "resolution 3"},
		"no time":                {future, "no time"},
		"long":                   {row(make([]byte, MaxPayload+1)), "at most"},
		"a bomb":                 {row(bomb), "history row:"},
		"cut in the middle":      {row(good.Payload[:len(good.Payload)-5]), "history row:"},
		"nothing":                {row(raw()), "cut off"},
		"too many times":         {row(raw(0xff, 0xff, 0x03)), "cut off"},
		"times without bytes":    {row(raw(100)), "cut off"},
		"time goes back":         {row(raw(2, 0, 1, 0)), "ascend"},
		"time stands still":      {row(raw(2, 0, 0, 0)), "ascend"},
		"time leaves the day":    {row(raw(1, 0xfe, 0xff, 0xff, 0x7f, 0)), "ascend"},
		"too many series":        {row(raw(0, 0xff, 0x7f)), "cut off"},
		"instance beyond end":    {row(raw(0, 1, 1, 200, 1)), "cut off"},
		"values missing":         {row(raw(2, 0, 2, 1, 1, 0, 1, 2)), "cut off"},
		"bitmap missing":         {row(raw(2, 0, 2, 1, 1, 0, 0)), "cut off"},
		"something after":        {row(raw(0, 0, 7)), "after its end"},
		"more values than bytes": {row(raw(huge...)), "values"},
	} {
		_, err := Unpack(tc.row)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want …%s…", name, err, tc.want)
		}
	}
	if _, err := Unpack(good); err != nil {
		t.Error(err)
	}
}

// TestMetricsAreAppendOnly pins the numbers that are on disks.
func TestMetricsAreAppendOnly(t *testing.T) {
	want := "1 system.cpu.utilization, 2 system.cpu.load_average.1m, 3 system.memory.utilization, 4 system.memory.usage, 5 system.paging.utilization, 6 system.filesystem.utilization, 7 system.filesystem.usage, 8 system.filesystem.inodes.utilization, 9 system.disk.io, 10 system.disk.io, 11 system.network.io, 12 system.network.io, 13 system.process.count, "
	got := ""
	for i, m := range Metrics() {
		if int(m.Number) != i+1 {
			t.Errorf("metric %s is number %d at place %d", m.Name, m.Number, i+1)
		}
		got += fmt.Sprint(m.Number, " ", m.Name, ", ")
	}
	if !strings.HasPrefix(got, want) {
		t.Errorf("metrics are %s", got)
	}
	if diff := cmp.Diff(map[string]string{"system.device": "sda", "disk.io.direction": "write"}, MetricOf(DiskWrite).Attributes("sda")); diff != "" {
		t.Error(diff)
	}
	if m := MetricOf(999); m.Name != "unknown.999" || m.scale != 1 {
		t.Errorf("%+v", m)
	}
}

// BenchmarkDay is the chart of a day: 40 series at 15 s, decoded and thinned.
func BenchmarkDay(b *testing.B) {
	rows, samples := office()
	from := Day(noon)
	b.ReportAllocs()
	for b.Loop() {
		if lines, err := Thin(rows, from, from+day, 60e6, nil); err != nil || len(lines) != 40 {
			b.Fatal(len(lines), err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(samples), "ns/sample")
}

// BenchmarkRow packs an open row of a full hour, as the agent does each minute.
func BenchmarkRow(b *testing.B) {
	var bu Builder
	r := rand.New(rand.NewPCG(5, 6))
	for i := range 239 {
		var set []Sample
		for s := range 40 {
			set = append(set, Sample{FilesystemUsage, fmt.Sprint(s), r.ExpFloat64() * 1e9})
		}
		bu.Append(moment(time.Duration(i)*15*time.Second), set)
	}
	b.ReportAllocs()
	for b.Loop() {
		bu.Row()
	}
}

// What a machine packs is read for as long as it may take, and no longer; what a
// large machine measures in eight days is well within it.
func TestWorkIsBounded(t *testing.T) {
	const samples, series = 240, 100
	row := func(start int64, samples, series int) Row {
		times := make([]int64, samples)
		for i := range times {
			times[i] = int64(i) * 10
		}
		var columns []*column
		for i := range series {
			c := &column{metric: uint16(1000 + i), have: make([]bool, samples), mean: make([]int64, samples)}
			for j := range c.have {
				c.have[j], c.mean[j] = true, int64(j)
			}
			columns = append(columns, c)
		}
		return Row{Resolution: Fine, Start: start, Payload: pack(false, times, columns)}
	}
	from := int64(20_000) * day
	one, cost, err := unpack(row(from, samples, series))
	if err != nil || len(one.Series) != series || 4*8*24*cost > MaxWork {
		t.Errorf("an hour costs %d: %v", cost, err)
	}
	large := row(from, 1024, MaxSeries)
	if _, err := Unpack(large); err != nil {
		t.Fatal(err)
	}
	var many []Row
	for range 500 {
		many = append(many, large)
	}
	lines, err := Thin(many, from, from+day, quarter, nil)
	if !errors.Is(err, errWork) || len(lines) != MaxLines {
		t.Errorf("%d lines of rows without end: %v", len(lines), err)
	}
	if n := lines[0].Points[0].Count; n == 0 || n > 1024*200 {
		t.Errorf("%d values of one series were read", n)
	}
	bomb := Row{Resolution: Fine, Start: from, Payload: []byte{format, 1}}
	for i := range many {
		many[i] = bomb
	}
	if _, err := Thin(many, from, from+day, quarter, nil); !errors.Is(err, errWork) {
		t.Errorf("rows that cannot be read: %v", err)
	}
}
