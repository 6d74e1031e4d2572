package state

import (
	"testing"

	"github.com/deskside/deskside/protocol"
)

// TestShared: many machines in one file know nothing of each other, and find
// themselves again.
func TestShared(t *testing.T) {
	dir := t.TempDir()
	for round := range 2 {
		s, err := OpenShared(dir)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := OpenShared(dir); err == nil {
			t.Fatal("two programs use the file at once")
		}
		for i, name := range []string{"one", "two"} {
			m, err := s.State(name)
			if err != nil {
				t.Fatal(err)
			}
			update(t, m, func(tx *Tx) error {
				if n, want := tx.Next(protocol.ClassResult), uint64(1+round*(i+1)); n != want {
					t.Errorf("round %d, %s: the next number is %d, want %d", round, name, n, want)
				}
				for range i + 1 {
					if _, err := tx.Append(protocol.ClassResult, name); err != nil {
						return err
					}
				}
				return nil
			})
			for _, e := range pending(t, m) {
				if got := text(t, e); got != name {
					t.Errorf("%s has an entry of %s", name, got)
				}
			}
			if err := m.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
