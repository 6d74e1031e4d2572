package app_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/console/repair"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/protocol"
)

// TestWhatIsVerified: a repair is held against the check that fires for the thing it
// repairs, or else against the script's own.
func TestWhatIsVerified(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		n := w.start("")
		id := n.enrolled("LAP-CURE")
		x := n.line(t, id, uuid.New())
		now := time.Now().UnixMicro()
		x.tell(logEntry(protocol.ClassTransition, 1, protocol.Transition{ID: uuid.New(), Check: "filesystem.inodes", Instance: "/srv",
			State: protocol.StateFiring, Severity: "critical", StartedAt: now, At: now}))
		n.eventually(5*time.Second, "the alert is there", func() bool { return len(n.items("/alerts?state=firing")) == 1 })
		for mount, want := range map[string]string{"/srv": "filesystem.inodes", "/": "filesystem.full"} {
			var run struct {
				ID uuid.UUID `json:"id"`
			}
			n.post("/runs", map[string]any{"script": "free-disk-space", "machine_id": id.Machine, "dry_run": true, "parameters": map[string]any{"MOUNT": mount}}, &run)
			w.view(func(tx *store.Tx) error {
				r, err := repair.Get(tx, run.ID)
				if r.VerifyCheck != want || r.Instance != mount {
					t.Errorf("%s: verified by %s of %s, want %s", mount, r.VerifyCheck, r.Instance, want)
				}
				return err
			})
		}
	})
}
