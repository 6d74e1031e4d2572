package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
)

// BenchmarkDueLook: looking for rows that are due, over how many are not due yet.
func BenchmarkDueLook(b *testing.B) {
	for _, rows := range []int{100, 20_000} {
		b.Run(fmt.Sprintf("rows=%d", rows), func(b *testing.B) {
			s, err := Open(b.Context(), Options{Data: b.TempDir()})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			for i := 0; i < rows; i += 100 {
				err := s.Update(b.Context(), System("test"), func(tx *Tx) error {
					for range 100 {
						if err := tx.Due("silent", uuid.New(), tx.Now().Add(time.Hour)); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			for b.Loop() {
				if _, _, err := s.dueKinds(b.Context(), []string{"silent", "lost", "gone"}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
