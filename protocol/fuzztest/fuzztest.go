// Package fuzztest holds what the fuzz targets of all decoders measure alike.
package fuzztest

import (
	"math"
	"runtime"
	"runtime/metrics"
	"testing"
)

// slack is what a decoder may take whatever it is given, in bytes: the tables that
// its library makes for each type at first, and what else the test program does at
// that moment.
const slack = 512 << 10

// Spends fails t when decode takes more than most bytes of memory, and slack: a
// length that is only claimed must not be allocated. A second try that takes less
// counts, for a cache may have been filled by the first.
func Spends(t testing.TB, most int, decode func()) {
	t.Helper()
	least := uint64(math.MaxUint64)
	for range 3 {
		before := allocated()
		decode()
		if least = min(least, allocated()-before); least <= uint64(most+slack) {
			return
		}
		runtime.GC()
	}
	t.Errorf("it was decoded with %d bytes of memory, at most %d are allowed", least, most+slack)
}

// allocated is how many bytes this program has asked for since it began.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
