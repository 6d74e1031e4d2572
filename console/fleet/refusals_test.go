package fleet

import (
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

// refused are the details of the audit rows of refused enrolments.
func (y *yard) refused() (list []string) {
	y.t.Helper()
	y.update(func(tx *store.Tx) error {
		var err error
		list, err = store.Collect(tx, func(r *store.Rows) (string, error) {
			var raw []byte
			return string(raw), r.Scan(&raw)
		}, "SELECT detail FROM audit WHERE action = 'machine.enrol' AND result = 'refused' AND {wall} ORDER BY id")
		return err
	})
	return list
}

// A stranger who is refused writes one audit row an hour, whatever addresses of
// their network they come from, and none for organisations that do not exist.
func TestRefusalsAreCounted(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		knock := func(organisation model.ID, address string) {
			t.Helper()
			n := y.newcomer("pc", []byte("nonsense"))
			n.Organisation, n.Address = organisation, address
			if _, err := y.Enrol(t.Context(), n); code(err) != codeTokenWrong {
				t.Fatalf("from %s: %v", address, err)
			}
		}
		for range 20 {
			knock(model.NewID(), "192.0.2.1:4000")
		}
		if list := y.refused(); len(list) != 0 {
			t.Errorf("of organisations that do not exist: %q", list)
		}
		for i := range 10 {
			knock(y.ours, fmt.Sprint("192.0.2.1:", 4000+i))
			knock(y.ours, fmt.Sprintf("[2001:db8::%d]:4000", i))
		}
		if list := y.refused(); len(list) != 2 {
			t.Errorf("%d rows of two neighbourhoods: %q", len(list), list)
		}
		for _, last := range y.refusals.told {
			last.at = last.at.Add(-refusalEvery)
		}
		knock(y.ours, "192.0.2.1:5000")
		list := y.refused()
		var detail struct {
			Code    string
			Omitted int
		}
		if err := json.Unmarshal([]byte(list[len(list)-1]), &detail); err != nil || len(list) != 3 || detail.Omitted != 9 || detail.Code != codeTokenWrong {
			t.Errorf("an hour later: %q %v", list, err)
		}
	})
}

// What is remembered of refusals has an end; when it is reached nothing is written
// until there is room.
func TestRefusalsHaveAnEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := refusals{told: map[refusal]*told{}}
		due := func(i int) bool {
			write, _ := r.due(refusal{neighbourhood: fmt.Sprint(i)}, time.Now())
			return write
		}
		for i := range mostRefusals {
			if !due(i) {
				t.Fatalf("the %dth is not written", i)
			}
		}
		if due(mostRefusals) || len(r.told) != mostRefusals {
			t.Errorf("beyond the end: %d are remembered", len(r.told))
		}
		time.Sleep(refusalEvery)
		if !due(mostRefusals) || len(r.told) != 1 {
			t.Errorf("an hour later: %d are remembered", len(r.told))
		}
	})
}
