package health

import (
	"strings"
	"testing"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/console/store/storetest"
)

// TestOpenIsFound: the open alert of a key, and what is open of one machine, are found
// by themselves and not among all that is open. PostgreSQL has the same indexes, and
// plans by what it has counted.
func TestOpenIsFound(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		if s.Engine() != "sqlite" {
			return
		}
		ours := model.NewID()
		for statement, want := range map[string]string{
			"SELECT a.id FROM alert a WHERE " + openByKey + " AND {wall a}": "alert_open (organisation_id=? AND open_key=?)",
			"SELECT count(*) FROM alert WHERE " + openOfMachine:             "alert_open_of_machine (machine_id=? AND organisation_id=?)",
		} {
			args := []any{ours, "key"}[:strings.Count(statement, "$")]
			err := s.View(t.Context(), store.System("test").Within(ours), func(tx *store.Tx) error {
				plan, err := store.Collect(tx, func(r *store.Rows) (line string, err error) {
					var id, parent, unused int
					return line, r.Scan(&id, &parent, &unused, &line)
				}, "EXPLAIN QUERY PLAN "+statement, args...)
				if !strings.HasSuffix(strings.Join(plan, "; "), want) {
					t.Errorf("%s is found by %q, want %s", statement, plan, want)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		}
	})
}
