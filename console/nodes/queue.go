package nodes

import (
	"context"
	"sync"
)

// A queue holds the hints of one kind that a node gives itself: they travel nowhere,
// so they arrive whatever becomes of the connection to the others, and at once.
type queue struct {
	mu      sync.Mutex
	heard   bool // somebody takes what is put here
	waiting []hint
	bytes   int
	wake    chan struct{}
}

type hint struct {
	subject string
	body    []byte
}

// put never waits. It returns false for a hint that is lost, since whoever takes them
// has fallen behind too far.
func (q *queue) put(subject string, body []byte) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.heard {
		return true
	}
	if len(q.waiting) >= mostHints || q.bytes+len(body) > mostBytes {
		return false
	}
	q.waiting = append(q.waiting, hint{subject, body})
	q.bytes += len(body)
	select {
	case q.wake <- struct{}{}:
	default: // it will look anyway
	}
	return true
}

// run hands hints to fn, in their order, until ctx ends.
func (q *queue) run(ctx context.Context, fn func(subject string, body []byte)) {
	q.mu.Lock()
	q.heard = true
	q.mu.Unlock()
	for {
		select {
		case <-ctx.Done():
			return
		case <-q.wake:
		}
		for _, h := range q.all() {
			if ctx.Err() != nil {
				return
			}
			fn(h.subject, h.body)
		}
	}
}

func (q *queue) all() []hint {
	q.mu.Lock()
	defer q.mu.Unlock()
	all := q.waiting
	q.waiting, q.bytes = nil, 0
	return all
}
