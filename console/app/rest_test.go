package app

import "testing"

func TestRests(t *testing.T) {
	const mb = 1 << 20
	for _, c := range []struct {
		what string
		heap heap
		want bool
	}{
		{"after a storm", heap{allocated: 10 * mb, live: 90 * mb, objects: 95 * mb, free: 60 * mb}, true},
		{"garbage alone", heap{allocated: 10 * mb, live: 90 * mb, objects: 125 * mb}, true},
		{"nothing to give", heap{allocated: 10 * mb, live: 90 * mb, objects: 95 * mb, free: 5 * mb}, false},
		{"at work", heap{allocated: 50 * mb, live: 90 * mb, objects: 95 * mb, free: 60 * mb}, false},
	} {
		c.heap.allocated += 7 * mb
		if got := c.heap.rests(7 * mb); got != c.want {
			t.Errorf("%s: %v", c.what, got)
		}
	}
	if h := heapNow(); h.allocated == 0 || h.objects == 0 || h.objects > 4<<30 {
		t.Errorf("%+v", h)
	}
}
