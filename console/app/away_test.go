package app_test

import (
	"testing"
	"time"

	"github.com/deskside/deskside/console/account"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/console/store/storetest"
)

// TestAwayForLong: a console whose clock is a year past all that was written begins with
// nothing that was to wait, not even with what it does each hour: it would forget every
// token that ends within that year.
func TestAwayForLong(t *testing.T) {
	w := &world{t: t, database: storetest.SQLite(t), keys: t.TempDir()}
	w.start("").stop()
	const year, half = 365 * 24 * time.Hour, 30 * time.Minute
	w.tools(func(s *store.Store, _ *account.Accounts, _ model.Organisation) {
		err := s.Update(t.Context(), store.System("test"), func(tx *store.Tx) error {
			if _, err := tx.Exec("UPDATE due SET at = at - $1, written = written - $1", year.Microseconds()); err != nil {
				return err
			}
			_, err := tx.Exec("UPDATE due SET at = written + $1 WHERE kind = $2", half.Microseconds(), account.KindAge)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
	n := w.start("")
	var in time.Duration
	n.eventually(10*time.Second, "what is done each hour is to be done later", func() bool {
		w.tools(func(s *store.Store, _ *account.Accounts, _ model.Organisation) {
			err := s.View(t.Context(), store.System("test"), func(tx *store.Tx) error {
				var at int64
				err := tx.QueryRow("SELECT at FROM due WHERE kind = $1", account.KindAge).Scan(&at)
				in = time.Until(store.Time(at))
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		})
		return in > 0
	})
	if in < half-5*time.Minute || in > half+5*time.Minute {
		t.Errorf("it is done in %s, and was to be in %s", in, half)
	}
}
