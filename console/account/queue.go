package account

import "sync"

// A password takes some 50 ms: nobody waits longer than three seconds, and one
// address delays the others by less than half a second.
const (
	placesEach = 8  // of one address
	placesAll  = 64 // of all
)

// queue counts the sign-ins that are being worked on or wait, by where they come
// from.
type queue struct {
	mu   sync.Mutex
	from map[string]int
	all  int
}

// enter takes a place for a neighbourhood, which leave gives back. It fails at once
// when there is none.
func (q *queue) enter(where string) (leave func(), err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.all >= placesAll || q.from[where] >= placesEach {
		return nil, errBusy
	}
	q.all++
	q.from[where]++
	return func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.all--
		if q.from[where]--; q.from[where] == 0 {
			delete(q.from, where)
		}
	}, nil
}
