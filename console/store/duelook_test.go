package store

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
)

// TestDueLook: SQLite finds the earliest row of each kind without walking through the
// others to add them up.
func TestDueLook(t *testing.T) {
	s, err := Open(t.Context(), Options{Data: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	kinds := []string{"silent", "lost"}
	var program []string
	err = s.View(t.Context(), System("test"), func(tx *Tx) error {
		rows, err := tx.query("EXPLAIN "+dueQuery(kinds), anys(kinds)...)
		if err != nil {
			return err
		}
		program, err = collect(rows, func(r *Rows) (step string, err error) {
			var unused any
			return step, r.Scan(&unused, &step, &unused, &unused, &unused, &unused, &unused, &unused)
		})
		return err
	})
	if err != nil || !slices.Contains(program, "SeekGE") || slices.Contains(program, "AggStep") {
		t.Errorf("%v, by %v", err, program)
	}
}

// BenchmarkDueLook: looking for rows that are due, over how many are not due yet.
func BenchmarkDueLook(b *testing.B) {
	for _, rows := range []int{100, 20_000} {
		b.Run(fmt.Sprintf("rows=%d", rows), func(b *testing.B) {
			s, err := Open(b.Context(), Options{Data: b.TempDir()})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			err = s.Update(b.Context(), System("test"), func(tx *Tx) error {
				for range rows {
					if err := tx.Due("silent", uuid.New(), tx.Now().Add(time.Hour)); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, _, err := s.dueKinds(b.Context(), []string{"silent", "lost", "gone"}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
