package history

import (
	"errors"
	"io"
	"math"
	"os"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// recordedDay is what a real machine sent; testdata/README.md says how it is made.
const recordedDay = "testdata/day.cborseq"

// recorded reads the rows of the recorded day, and how long the file is.
func recorded(t testing.TB) (rows []Row, bytes int64) {
	t.Helper()
	f, err := os.Open(recordedDay)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for d := cbor.NewDecoder(f); ; {
		var r Row
		if err := d.Decode(&r); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("row %d of %s: %v", len(rows), recordedDay, err)
		}
		rows = append(rows, r)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return rows, info.Size()
}

// samplesOf counts what was read, and how long: a row lasts from its first set of
// samples until one round after its last.
func samplesOf(b *Block) (samples int, lasts time.Duration) {
	for _, s := range b.Series {
		for _, v := range s.Mean {
			if !math.IsNaN(v) {
				samples++
			}
		}
	}
	if n := len(b.Times); n > 0 {
		lasts = time.Duration(b.Times[n-1]-b.Times[0])*time.Microsecond + 15*time.Second
	}
	return samples, lasts
}

// TestDayRecorded: what was sent by a real machine can be read for ever, and what is
// packed today is as small.
func TestDayRecorded(t *testing.T) {
	rows, _ := recorded(t)
	bytes, samples := 0, 0
	for i, row := range rows {
		if row.Resolution != Fine || i > 0 && row.Start <= rows[i-1].Start {
			t.Errorf("row %d has resolution %d and starts at %d", i, row.Resolution, row.Start)
		}
		block, err := Unpack(row)
		if err != nil {
			t.Fatalf("row %d: %v", i, err)
		}
		again := rebuilt(t, block)
		back, err := Unpack(again)
		if err != nil {
			t.Fatalf("row %d, packed again: %v", i, err)
		}
		if diff := cmp.Diff(block, back, cmpopts.EquateNaNs()); diff != "" {
			t.Fatalf("row %d, packed again: -was +is:\n%s", i, diff)
		}
		n, _ := samplesOf(block)
		bytes, samples = bytes+len(again.Payload), samples+n
	}
	if samples < 10_000 {
		t.Fatalf("%d samples in %d rows are no day", samples, len(rows))
	}
	each := float64(bytes) / float64(samples)
	t.Logf("%d samples in %d bytes: %.2f a sample", samples, bytes, each)
	if each > 1.5 {
		t.Errorf("%.2f bytes a sample, want at most 1.5", each)
	}
}

// rebuilt packs a block as an agent does that reads the same at the same times.
func rebuilt(t *testing.T, block *Block) Row {
	t.Helper()
	var b Builder
	for i, at := range block.Times {
		var set []Sample
		for _, s := range block.Series {
			set = append(set, Sample{s.Metric, s.Instance, s.Mean[i]}) // NaN is left out
		}
		if _, closed := b.Append(Moment{Wall: time.UnixMicro(at), Mono: time.Duration(at) * time.Microsecond, Boot: 1}, set); closed {
			t.Fatalf("the row that starts at %d does not fit into one", block.Times[0])
		}
	}
	row, _ := b.Row()
	return row
}

// BenchmarkDayRecorded is the chart of the recorded day, and tells how large that is.
func BenchmarkDayRecorded(b *testing.B) {
	rows, bytes := recorded(b)
	samples, lasted := 0, time.Duration(0)
	for _, row := range rows {
		block, err := Unpack(row)
		if err != nil {
			b.Fatal(err)
		}
		n, d := samplesOf(block)
		samples, lasted = samples+n, lasted+d
	}
	from := rows[0].Start
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Thin(rows, from, from+25*int64(time.Hour/time.Microsecond), 60e6, nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(bytes)/float64(samples), "B/sample")
	b.ReportMetric(float64(samples), "samples")
	b.ReportMetric(float64(len(rows)), "rows")
	b.ReportMetric(lasted.Hours(), "hours")
}
