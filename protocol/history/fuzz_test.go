package history

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/deskside/deskside/protocol/fuzztest"
)

// FuzzUnpack: a row is refused, or its times ascend, it keeps its bounds, and packed
// anew it is the same row. Where inside is true the body is packed into a frame
// first, so that the fuzzer comes to what is in it.
func FuzzUnpack(f *testing.F) {
	var b Builder
	for i := range 10 {
		b.Append(moment(time.Duration(i)*15*time.Second), []Sample{{CPUUtilization, "", float64(i) / 10}, {FilesystemUsage, "/", 1e9}})
	}
	b.Append(moment(10*15*time.Second), []Sample{{NetworkReceive, "eth0", 12}}) // and nothing of the others
	row, _ := b.Row()
	coarse, _, _ := Coarsen(Day(noon), 1, []Row{row})
	enc, dec := codec()
	for _, r := range []Row{row, coarse} {
		raw, err := dec.DecodeAll(r.Payload[1:], nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(r.Resolution), true, raw)
		f.Add(uint8(r.Resolution), false, r.Payload)
	}
	f.Fuzz(func(t *testing.T, resolution uint8, inside bool, body []byte) {
		r := Row{Resolution: Resolution(resolution), Start: noon.UnixMicro(), Payload: body}
		if inside {
			r.Payload = enc.EncodeAll(body, []byte{format})
		}
		var block *Block
		var err error
		// What a row may claim, as the comment of Unpack has it.
		fuzztest.Spends(t, MaxUnpacked+24*MaxValues, func() { block, err = Unpack(r) })
		if err != nil {
			return
		}
		if len(block.Times) > MaxSamples || len(block.Series) > MaxSeries || len(block.Times)*len(block.Series) > MaxValues {
			t.Fatalf("%d times of %d series", len(block.Times), len(block.Series))
		}
		for i, at := range block.Times {
			if i > 0 && at <= block.Times[i-1] {
				t.Fatalf("times %v", block.Times)
			}
		}
		for _, s := range block.Series {
			if len(s.Mean) != len(block.Times) || (s.Min != nil) != (r.Resolution == Coarse) {
				t.Fatalf("series %+v", s)
			}
		}
		if _, err := Thin([]Row{r}, Day(noon), Day(noon)+day, quarter, nil); err != nil {
			t.Fatal(err)
		}
		if again, ok := repack(r, block); ok {
			back, err := Unpack(again)
			if err != nil {
				t.Fatalf("what was packed anew cannot be read: %v", err)
			}
			if diff := cmp.Diff(block, back, cmpopts.EquateNaNs()); diff != "" {
				t.Fatalf("-first +again:\n%s", diff)
			}
		}
	})
}

// repack packs a block again; ok is false where a value is beyond what a float64
// holds exactly, as no machine has any.
func repack(r Row, block *Block) (again Row, ok bool) {
	const exact = 1 << 44
	var columns []*column
	for _, s := range block.Series {
		scale := MetricOf(s.Metric).scale
		c := &column{metric: s.Metric, instance: s.Instance}
		for i, v := range s.Mean {
			low, high := v, v
			if s.Min != nil {
				low, high = s.Min[i], s.Max[i]
			}
			if slices.ContainsFunc([]float64{v, low, high}, func(v float64) bool { return math.Abs(v*scale) > exact }) {
				return Row{}, false
			}
			mean, have := scaled(v, scale)
			least, _ := scaled(low, scale)
			most, _ := scaled(high, scale)
			c.have, c.mean = append(c.have, have), append(c.mean, mean)
			c.low, c.high = append(c.low, mean-least), append(c.high, most-mean)
		}
		columns = append(columns, c)
	}
	times := make([]int64, len(block.Times))
	for i, t := range block.Times {
		times[i] = (t - r.Start) / tenth
	}
	r.Payload = pack(r.Resolution == Coarse, times, columns)
	return r, true
}
