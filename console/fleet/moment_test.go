package fleet

import (
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/console/store/storetest"
)

// TestLeftAndBackAtOnce: a line that is written down as ended while the next one is
// written down as begun leaves no row that calls the machine lost later. Both have
// looked at the machine before either has written.
func TestLeftAndBackAtOnce(t *testing.T) {
	y := &yard{Fleet: New(storetest.Open(t, storetest.Postgres(t)), slog.New(slog.DiscardHandler)), t: t, ours: model.NewID()}
	y.update(func(tx *store.Tx) error {
		_, err := tx.Exec("INSERT INTO organisation (id, name, created_at, version) VALUES ($1, 'Ours', 0, 1)", y.ours)
		return err
	})
	from, since := y.machine(model.NewID())
	waiting := func(n int) {
		t.Helper()
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
			var waits int
			if err := y.store.View(t.Context(), system, func(tx *store.Tx) error {
				return tx.QueryRow("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()").Scan(&waits)
			}); err != nil {
				t.Fatal(err)
			}
			if waits >= n {
				return
			}
		}
		t.Fatalf("not %d are waiting", n)
	}
	var both sync.WaitGroup
	y.update(func(tx *store.Tx) error {
		var id model.ID // a lock that changes nothing
		if err := tx.QueryRow("SELECT id FROM machine WHERE id = $1 AND {wall} FOR UPDATE", from.Machine).Scan(&id); err != nil {
			return err
		}
		both.Go(func() { y.connect(from, model.NewID()) })
		waiting(1)
		both.Go(func() { y.left(t.Context(), from, since, model.OfflineNone) })
		waiting(2) // also the one that ends: what it has seen may change
		return nil
	})
	both.Wait()
	if !y.due(KindLost, from.Machine).IsZero() {
		t.Error("a machine that is back is called lost later")
	}
	if m := y.get(from); !m.Online || m.Since.Equal(since) {
		t.Errorf("%+v", m)
	}
}
