package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/deskside/deskside/console/account"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

// TestAuditCommand: whoever has a shell can prove the audit, beside a console that
// runs, and sees where somebody changed it, or brought back an older one.
func TestAuditCommand(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		n := w.start("")
		program := buildConsole(t)
		run := w.beside(program)
		n.eventually(20*time.Second, "a signed end", func() bool {
			signed := 0
			w.view(func(tx *store.Tx) error { return tx.QueryRow("SELECT count(*) FROM head WHERE {wall}").Scan(&signed) })
			return signed > 0
		})
		witness := filepath.Join(t.TempDir(), "head")
		if err := os.WriteFile(witness, []byte(run(0, "audit", "head")), 0o600); err != nil {
			t.Fatal(err)
		}
		if said := run(0, "audit", "verify", "--head", witness); !strings.HasPrefix(said, "The audit is whole: ") || strings.Contains(said, ": 0 rows") {
			t.Errorf("a whole chain: %s", said)
		}
		run(64, "audit", "verify", "--head", witness+"-that-is-not-there")
		elsewhere, empty := *w, t.TempDir()
		elsewhere.keys = empty
		elsewhere.beside(program)(78, "audit", "verify")
		if made, err := os.ReadDir(empty); err != nil || len(made) != 0 {
			t.Errorf("it made keys: %v %v", made, err)
		}
		w.tools(func(s *store.Store, _ *account.Accounts, _ model.Organisation) {
			err := s.Update(t.Context(), store.System("somebody"), func(tx *store.Tx) error {
				_, err := tx.Exec("UPDATE audit SET action = 'nothing.happened' WHERE number = 1 AND {wall}")
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		})
		if said := run(1, "audit", "verify"); !strings.Contains(said, "row 1: ") || !strings.Contains(said, "changed") {
			t.Errorf("a row that was changed: %s", said)
		}
	})
}
