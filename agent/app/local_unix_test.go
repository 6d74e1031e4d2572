//go:build unix

package app

import (
	"net"
	"os"
	"path/filepath"
	"testing"
)

func listening(t *testing.T, path string) net.Listener {
	t.Helper()
	l, err := listenLocal(path)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// take holds a socket's place, where no folder for it can be, until the function
// that it returns is called.
func take(t *testing.T, path string) (free func()) {
	t.Helper()
	dir := filepath.Dir(path)
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(dir); err != nil {
			t.Error(err)
		}
	}
}

// TestAccounts: root and the agent's own account are trusted, and nobody else.
func TestAccounts(t *testing.T) {
	for uid, want := range map[int]bool{0: true, os.Geteuid(): true, os.Geteuid() + 4711: false} {
		if got := account(uid).trusted; got != want {
			t.Errorf("%d is trusted: %t", uid, got)
		}
	}
}
