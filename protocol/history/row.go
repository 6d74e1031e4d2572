package history

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// A Resolution says how dense a row is.
type Resolution uint8

// The two resolutions.
const (
	Fine   Resolution = 1 // up to one clock hour, a sample about every 15 s
	Coarse Resolution = 2 // a day (UTC) in quarter hours: min, mean, max
)

// A Row is one packed piece of history. Of two rows with the same resolution
// and start the one with the higher revision holds.
type Row struct {
	Resolution Resolution `cbor:"1,keyasint"`
	Start      int64      `cbor:"2,keyasint"` // UTC microseconds
	Revision   uint32     `cbor:"3,keyasint"`
	Payload    []byte     `cbor:"4,keyasint"`
}

// Bounds of a row, checked before anything is allocated.
const (
	MaxPayload  = 1 << 20 // bytes, packed
	MaxUnpacked = 4 << 20 // bytes
	MaxSamples  = 4096    // per series
	MaxSeries   = 512
	MaxInstance = 256 // bytes
	MaxValues   = 1 << 19

	maxSpan = 25 * 3600 * 10 // tenths of a second: a day and an hour
	tenth   = 100_000        // microseconds
	format  = 1
)

// A Block is a row unpacked. Times ascend, in UTC microseconds.
type Block struct {
	Times  []int64
	Series []Series
}

// A Series is one column of a Block. Mean has a value for each time; one that
// was not read is NaN. Min and Max are nil in a fine row.
type Series struct {
	Metric         uint16
	Instance       string
	Min, Mean, Max []float64
}

// codec returns the one packer and unpacker; both are safe for concurrent use. The
// fastest level has tables of a quarter of a megabyte, where the next but one has four
// in each agent, for rows half a percent shorter: the columns are packed already.
var codec = sync.OnceValues(func() (*zstd.Encoder, *zstd.Decoder) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(true), zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(1<<16))
	if err != nil {
		panic(err) // constant options
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(MaxUnpacked), zstd.WithDecodeAllCapLimit(false))
	if err != nil {
		panic(err)
	}
	return enc, dec
})

// column is a series on its way into a row: scaled values, and which are there.
type column struct {
	metric   uint16
	instance string
	have     []bool
	mean     []int64
	low      []int64 // mean - min
	high     []int64 // max - mean
}

// pack writes a row. times are tenths of a second after its start.
func pack(coarse bool, times []int64, columns []*column) []byte {
	raw := make([]byte, 0, 64+len(columns)*len(times)*2)
	raw = binary.AppendUvarint(raw, uint64(len(times)))
	var last, step int64
	for _, t := range times {
		d := t - last
		raw = binary.AppendVarint(raw, d-step)
		last, step = t, d
	}
	raw = binary.AppendUvarint(raw, uint64(len(columns)))
	for _, c := range columns {
		raw = binary.AppendUvarint(raw, uint64(c.metric))
		raw = binary.AppendUvarint(raw, uint64(len(c.instance)))
		raw = append(raw, c.instance...)
		raw = appendBitmap(raw, c.have)
		raw = appendDeltas(raw, c.have, c.mean)
		if coarse {
			raw = appendDeltas(raw, c.have, c.low)
			raw = appendDeltas(raw, c.have, c.high)
		}
	}
	enc, _ := codec()
	return enc.EncodeAll(raw, []byte{format})
}

func appendBitmap(raw []byte, have []bool) []byte {
	all := true
	for _, h := range have {
		all = all && h
	}
	if all {
		return append(raw, 1)
	}
	raw = append(raw, 0)
	for i := 0; i < len(have); i += 8 {
		var b byte
		for j, h := range have[i:min(i+8, len(have))] {
			if h {
				b |= 1 << j
			}
		}
		raw = append(raw, b)
	}
	return raw
}

func appendDeltas(raw []byte, have []bool, values []int64) []byte {
	var last int64
	for i, v := range values {
		if have[i] {
			raw = binary.AppendVarint(raw, v-last)
			last = v
		}
	}
	return raw
}

// scaled returns v as the integer that is kept; ok is false for what is not a
// number or too large to be one.
func scaled(v, scale float64) (i int64, ok bool) {
	v = math.Round(v * scale)
	if math.IsNaN(v) || math.Abs(v) > 1e18 {
		return 0, false
	}
	return int64(v), true
}

var errCut = errors.New("history row is cut off")

// Unpack reads a row. Whatever a hostile agent sends, it allocates no more
// than about MaxUnpacked for the packed form, and 8 bytes for each of at most
// MaxValues values (24 in a coarse row).
func Unpack(r Row) (*Block, error) {
	b, _, err := unpack(r)
	return b, err
}

// unpack is Unpack, and tells what it cost: bytes unpacked and values made. Of a
// row that cannot be read it is the most that it can have been.
func unpack(r Row) (b *Block, cost int, err error) {
	raw, err := r.decompress()
	if err != nil {
		return nil, MaxUnpacked, err
	}
	d := reader{b: raw}
	if b, err = d.block(r); err != nil {
		return nil, MaxUnpacked, err
	}
	return b, len(raw) + len(b.Times)*len(b.Series), nil
}

func (r Row) decompress() ([]byte, error) {
	switch {
	case r.Resolution != Fine && r.Resolution != Coarse:
		return nil, fmt.Errorf("history row has resolution %d, only 1 (fine) and 2 (coarse) are known", r.Resolution)
	case len(r.Payload) > MaxPayload:
		return nil, fmt.Errorf("history row has %d bytes, at most %d are allowed", len(r.Payload), MaxPayload)
	case len(r.Payload) == 0:
		return nil, errCut
	case r.Payload[0] != format:
		return nil, fmt.Errorf("history row has format %d, only %d is known", r.Payload[0], format)
	case r.Start <= 0 || r.Start > 1<<55:
		return nil, fmt.Errorf("history row starts at %d, which is no time", r.Start)
	}
	_, dec := codec()
	raw, err := dec.DecodeAll(r.Payload[1:], nil)
	if err != nil {
		return nil, fmt.Errorf("history row: %w", err)
	}
	return raw, nil
}

type reader struct {
	b   []byte
	bad bool
}

func (d *reader) uvarint(limit uint64) int {
	v, n := binary.Uvarint(d.b)
	if n <= 0 || v > limit {
		d.bad, d.b = true, nil
		return 0
	}
	d.b = d.b[n:]
	return int(v)
}

func (d *reader) varint() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.bad, d.b = true, nil
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *reader) block(r Row) (*Block, error) {
	n := d.uvarint(MaxSamples)
	if n > len(d.b) { // a time takes a byte
		return nil, errCut
	}
	out := &Block{Times: make([]int64, n)}
	var last, step int64
	for i := range out.Times {
		step += d.varint()
		last += step
		if last < 0 || last > maxSpan || step < 0 || step == 0 && i > 0 {
			return nil, errors.New("history row has times that do not ascend within its day")
		}
		out.Times[i] = r.Start + last*tenth
	}
	count := d.uvarint(MaxSeries)
	if d.bad || count*3 > len(d.b) {
		return nil, errCut
	}
	if n*count > MaxValues {
		return nil, fmt.Errorf("history row has %d values, at most %d are allowed", n*count, MaxValues)
	}
	out.Series = make([]Series, 0, count)
	have := make([]bool, n)
	for range count {
		s := Series{Metric: uint16(d.uvarint(math.MaxUint16))}
		length := d.uvarint(MaxInstance)
		if d.bad || length > len(d.b) {
			return nil, errCut
		}
		s.Instance, d.b = string(d.b[:length]), d.b[length:]
		all, ok := d.bitmap(have)
		if !ok {
			return nil, errCut
		}
		scale := MetricOf(s.Metric).scale
		s.Mean = d.deltas(all, have, scale)
		if r.Resolution == Coarse {
			s.Min, s.Max = d.deltas(all, have, scale), d.deltas(all, have, scale)
			for i, mean := range s.Mean {
				s.Min[i], s.Max[i] = mean-s.Min[i], mean+s.Max[i]
			}
		}
		if d.bad {
			return nil, errCut
		}
		out.Series = append(out.Series, s)
	}
	if len(d.b) > 0 {
		return nil, errors.New("history row has something after its end")
	}
	return out, nil
}

// bitmap reads which samples are there, and whether all are.
func (d *reader) bitmap(have []bool) (all, ok bool) {
	all = d.uvarint(1) == 1
	if all || d.bad {
		return all, !d.bad
	}
	size := (len(have) + 7) / 8
	if size > len(d.b) {
		return false, false
	}
	for i := range have {
		have[i] = d.b[i/8]>>(i%8)&1 == 1
	}
	d.b = d.b[size:]
	return false, true
}

func (d *reader) deltas(all bool, have []bool, scale float64) []float64 {
	out := make([]float64, len(have))
	var last int64
	b := d.b
	for i := range out {
		if !all && !have[i] {
			out[i] = math.NaN()
			continue
		}
		if len(b) > 0 && b[0] < 0x80 { // nearly all differences fit one byte
			last += int64(b[0]>>1) ^ -int64(b[0]&1)
			b = b[1:]
		} else {
			v, n := binary.Varint(b)
			if n <= 0 {
				d.bad, d.b = true, nil
				return out
			}
			last += v
			b = b[n:]
		}
		out[i] = float64(last) / scale
	}
	d.b = b
	return out
}
