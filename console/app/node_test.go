package app_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/console/account"
	"github.com/deskside/deskside/console/app"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

// TestNode: a node tells what its process holds, and of machines only those of
// whoever asks.
func TestNode(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		began := time.Now()
		n := w.start("")
		type told struct {
			ID            uuid.UUID
			Version       string
			StartedAt     time.Time `json:"started_at"`
			Machines      int
			Goroutines    int
			HeapBytes     int64 `json:"heap_bytes"`
			Collections   int64
			ResidentBytes *int64 `json:"resident_bytes"`
			Descriptors   *int
		}
		look := func() (out told) {
			t.Helper()
			n.read("/node", &out)
			return out
		}
		runtime.GC()
		before := look()
		if before.ID == uuid.Nil || before.Version != app.Version || before.StartedAt.Before(began) || before.StartedAt.After(time.Now()) || before.Machines != 0 {
			t.Errorf("%+v, a node that started after %s", before, began)
		}
		if before.HeapBytes < 1<<20 || before.Goroutines < 10 || before.Collections < 1 {
			t.Errorf("a console holds more than %+v", before)
		}
		if runtime.GOOS == "linux" && (before.ResidentBytes == nil || before.Descriptors == nil || *before.ResidentBytes < before.HeapBytes || *before.Descriptors < 5) {
			t.Errorf("this system tells more than %+v", before)
		}
		const lines = 50
		for range lines {
			n.line(t, n.enrolled("one"), uuid.New())
		}
		after := look()
		// Both ends of each line are in this process, and one has a goroutine at least.
		// What tests before this one left may have ended meanwhile, hence half of it.
		if after.Machines != lines || after.Goroutines < before.Goroutines+lines/2 || after.Descriptors != nil && *after.Descriptors < *before.Descriptors+lines {
			t.Errorf("with %d lines more: %+v after %+v", lines, after, before)
		}
		w.tools(func(s *store.Store, a *account.Accounts, _ model.Organisation) {
			other := must(a.NewOrganisation(t.Context(), "Bravo"))
			n.token = must(a.NewToken(t.Context(), store.System("test"), must(a.Add(t.Context(), store.System("test"), other.ID, "bravo", model.RoleAdmin, ""))))
		})
		if theirs := look(); theirs.Machines != 0 || theirs.ID != before.ID {
			t.Errorf("another organisation hears of our machines: %+v", theirs)
		}
	})
}
