package account

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/deskside/deskside/console/model"
)

// An address that floods is turned away at once, whatever names it tries, and
// somebody else gets in.
func TestFlood(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.hashing <- struct{}{} // somebody's password takes long
		var waited, refused atomic.Int32
		var group sync.WaitGroup
		for i := range 40 {
			group.Go(func() {
				switch _, _, err := h.SignIn(t.Context(), fmt.Sprint("name ", i), "a wrong guess", "192.0.2.66"); code(err) {
				case "sign_in_failed":
					waited.Add(1)
				case "too_many":
					refused.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		for began := time.Now(); refused.Load() < 40-placesEach; {
			if time.Since(began) > 10*time.Second {
				t.Fatalf("%d of 40 are refused while nobody's turn comes", refused.Load())
			}
			<-time.After(time.Millisecond)
		}
		group.Go(func() {
			if p, _, err := h.SignIn(t.Context(), "Anna", password, "192.0.2.1"); err != nil || p.ID != h.anna.ID {
				t.Errorf("from another address: %v", err)
			}
		})
		<-h.hashing
		group.Wait()
		if waited.Load() != placesEach || refused.Load() != 40-placesEach {
			t.Errorf("%d waited and %d were refused", waited.Load(), refused.Load())
		}
		if _, _, err := h.SignIn(t.Context(), "Anna", password, "192.0.2.66"); err != nil {
			t.Errorf("from that address, afterwards: %v", err)
		}
	})
}

func TestQueue(t *testing.T) {
	q := queue{from: map[string]int{}}
	var leaves []func()
	enter := func(address string) bool {
		leave, err := q.enter(model.Neighbourhood(address))
		if err == nil {
			leaves = append(leaves, leave)
		}
		return err == nil
	}
	for i := range placesEach {
		if !enter(fmt.Sprintf("2001:db8::%x", i+1)) {
			t.Fatal("refused within its places")
		}
	}
	if enter("2001:db8::ffff:1") {
		t.Error("one network has more places by more addresses")
	}
	if !enter("2001:db8:0:1::1") || !enter("::ffff:192.0.2.1") || !enter("not an address") {
		t.Error("another network is refused")
	}
	for i := 0; len(leaves) < placesAll; i++ {
		if !enter(fmt.Sprint("192.0.2.", 2+i)) {
			t.Fatal("refused while there are places")
		}
	}
	if enter("198.51.100.1") {
		t.Error("the queue has no end")
	}
	for _, leave := range leaves {
		leave()
	}
	if q.all != 0 || len(q.from) != 0 {
		t.Errorf("when all have left: %d, %v", q.all, q.from)
	}
}
