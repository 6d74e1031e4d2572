package app

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// restEvery is how often the console looks whether it has memory to give back.
const restEvery = time.Minute

// giveBack returns memory to the system when the console rests. What thousands of
// machines that came at once have needed stays with the runtime, which keeps a share
// of it ready; and the lines that are idle then are most of what there is. A console
// at work is left alone: it would only have to fetch again what it has given.
func giveBack(ctx context.Context) {
	tick := time.NewTicker(restEvery)
	defer tick.Stop()
	for before := heapNow().allocated; ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		h := heapNow()
		if h.rests(before) {
			debug.FreeOSMemory()
		}
		before = h.allocated
	}
}

// A heap is what the runtime says of its memory, in bytes.
type heap struct {
	allocated uint64 // since the program began
	live      uint64 // after the last collection
	objects   uint64 // live, and what is garbage by now
	free      uint64 // neither, and not given back
}

func heapNow() heap {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}, {Name: "/gc/heap/live:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/free:bytes"}}
	metrics.Read(s)
	return heap{s[0].Value.Uint64(), s[1].Value.Uint64(), s[2].Value.Uint64(), s[3].Value.Uint64()}
}

// rests tells whether giving back is worth the time: since it was looked last, less was
// asked for than half of what lives, and an eighth of that could be given.
func (h heap) rests(before uint64) bool {
	return h.allocated-before < h.live/2 && h.objects+h.free > h.live+h.live/8
}
