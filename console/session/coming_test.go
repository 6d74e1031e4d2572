package session

import (
	"runtime"
	"sync"
	"testing"

	"github.com/deskside/deskside/console/store"
)

// TestComing: a browser that reads that the session is open, in the moment in which the
// machine dials in, finds it.
func TestComing(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		row := r.create()
		page, _ := pipe(t)
		here := make(chan bool, 1)
		look := sync.OnceFunc(func() {
			// The row says open. What dials in goes on when the browser has had its look,
			// or waits for it.
			go func() { here <- r.Attach(row.ID, page) }()
			for len(here) == 0 && r.coming.TryRLock() {
				r.coming.RUnlock()
				runtime.Gosched()
			}
		})
		r.store.OnChanged(func([]store.Change) { look() })
		r.arrive(row)
		if !<-here {
			t.Error("the session is said to be open, and is not here")
		}
	})
}
