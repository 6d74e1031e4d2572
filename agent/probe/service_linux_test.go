package probe

import (
	"testing"

	"github.com/deskside/deskside/protocol/expression"
)

func TestStateOfUnit(t *testing.T) {
	for in, want := range map[[2]string]expression.Text{
		{"active", "running"}: "running", {"active", "exited"}: "exited", {"active", "listening"}: "running", {"reloading", "reload"}: "running",
		{"inactive", "dead"}: "stopped", {"failed", "failed"}: "failed", {"activating", "start"}: "starting", {"activating", "auto-restart"}: "failed",
		{"deactivating", "stop-sigterm"}: "stopping", {"never", "heard"}: "",
	} {
		if got := stateOfUnit(in[0], in[1]); got != want {
			t.Errorf("%v is %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]expression.Text{"enabled": "auto", "static": "manual", "disabled": "disabled", "masked": "", "alias": ""} {
		if got := startOf(in); got != want {
			t.Errorf("%s is %q, want %q", in, got, want)
		}
	}
}

// TestNoServiceManager: where there is none, services are unknown, never fine.
func TestNoServiceManager(t *testing.T) {
	root := t.TempDir()
	s := newServices(func(name string) string { return root + name })
	defer s.close()
	s.watch([]string{"cups"})
	if r, err := s.read(t.Context()); err == nil {
		t.Errorf("services are read: %v", r)
	}
}
