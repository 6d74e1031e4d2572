package app

import (
	"sync"

	"github.com/deskside/deskside/console/model"
)

// A worklist has the machines that wait to be looked at, each once, the one that
// has waited longest first. It has no bound but the number of machines.
type worklist struct {
	ready chan struct{} // somebody may call next

	mu    sync.Mutex
	order []model.ID
	there map[model.ID]bool
}

func newWorklist() *worklist {
	return &worklist{ready: make(chan struct{}, 1), there: map[model.ID]bool{}}
}

func (w *worklist) add(machine model.ID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.there[machine] {
		return
	}
	w.there[machine] = true
	w.order = append(w.order, machine)
	w.wake()
}

// next takes the machine that has waited longest off the list. Whoever adds it from
// now on wants it looked at once more.
func (w *worklist) next() (model.ID, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.order) == 0 {
		return model.ID{}, false
	}
	machine := w.order[0]
	w.order = w.order[1:]
	delete(w.there, machine)
	if len(w.order) > 0 {
		w.wake()
	}
	return machine, true
}

func (w *worklist) wake() {
	select {
	case w.ready <- struct{}{}:
	default:
	}
}
