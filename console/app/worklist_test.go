package app

import (
	"testing"

	"github.com/deskside/deskside/console/model"
)

// TestWorklist: each machine once, in the order in which they were named, none
// forgotten; whoever is named while it is looked at is looked at again.
func TestWorklist(t *testing.T) {
	w := newWorklist()
	const many = 20_000
	ids := make([]model.ID, many)
	for i := range ids {
		ids[i] = model.NewID()
		w.add(ids[i])
		w.add(ids[0])
	}
	for i, want := range ids {
		<-w.ready
		got, ok := w.next()
		if !ok || got != want {
			t.Fatalf("number %d is %v, want %v", i, got, want)
		}
		if i == 0 {
			w.add(want)
		}
	}
	<-w.ready
	if got, ok := w.next(); !ok || got != ids[0] {
		t.Errorf("named again, and got %v", got)
	}
	select {
	case <-w.ready:
		t.Error("there is more")
	default:
	}
	if _, ok := w.next(); ok {
		t.Error("an empty list has one")
	}
}
