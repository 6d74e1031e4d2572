package store_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/console/store/storetest"
	"github.com/google/uuid"
)

func eachEngine(b *testing.B, fn func(*testing.B, *store.Store)) {
	b.Run("sqlite", func(b *testing.B) { fn(b, storetest.Open(b, storetest.SQLite(b))) })
	b.Run("postgres", func(b *testing.B) { fn(b, storetest.Open(b, storetest.Postgres(b))) })
}

func createHits(b *testing.B, s *store.Store) {
	b.Helper()
	run(b, s, "CREATE TABLE hit (id UUID PRIMARY KEY, machine_id UUID NOT NULL, at BIGINT NOT NULL, body TEXT NOT NULL)",
		"CREATE INDEX hit_machine ON hit (machine_id, at)")
}

// One caller, one row a transaction: the price of a commit. (The test cluster
// of PostgreSQL does not call fsync; SQLite does.)
func BenchmarkCommitAlone(b *testing.B) {
	eachEngine(b, func(b *testing.B, s *store.Store) {
		createHits(b, s)
		for b.Loop() {
			insert(b, s)
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
	})
}

// Sixteen callers at the same time: they share commits on SQLite.
func BenchmarkCommitTogether(b *testing.B) {
	eachEngine(b, func(b *testing.B, s *store.Store) {
		createHits(b, s)
		b.SetParallelism(8)
		b.ResetTimer()
		b.RunParallel(func(p *testing.PB) {
			for p.Next() {
				insert(b, s)
			}
		})
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
	})
}

func insert(b *testing.B, s *store.Store) {
	update(b, s, func(tx *store.Tx) error {
		_, err := tx.Exec("INSERT INTO hit (id, machine_id, at, body) VALUES ($1, $2, $3, $4)", uuid.Must(uuid.NewV7()), uuid.Nil, store.Micros(tx.Now()), "a body of fifty bytes, which is a usual message....")
		return err
	})
}

// 200 rows in one statement, as link writes them.
func BenchmarkRows(b *testing.B) {
	const batch = 200
	eachEngine(b, func(b *testing.B, s *store.Store) {
		createHits(b, s)
		var text strings.Builder
		text.WriteString("INSERT INTO hit (id, machine_id, at, body) VALUES ")
		for i := range batch {
			if i > 0 {
				text.WriteString(", ")
			}
			for j := range 4 {
				text.WriteString([]string{"(", ", ", ", ", ", "}[j] + "$" + strconv.Itoa(4*i+j+1))
			}
			text.WriteString(")")
		}
		query := text.String()
		for b.Loop() {
			args := make([]any, 0, 4*batch)
			for i := range batch {
				args = append(args, uuid.Must(uuid.NewV7()), uuid.Nil, i, "a body of fifty bytes, which is a usual message....")
			}
			update(b, s, func(tx *store.Tx) error { _, err := tx.Exec(query, args...); return err })
		}
		b.ReportMetric(batch*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
}

// One row by its key, in a View of its own.
func BenchmarkPointRead(b *testing.B) {
	eachEngine(b, func(b *testing.B, s *store.Store) {
		organisation := uuid.New()
		update(b, s, func(tx *store.Tx) error { return tx.SetSetting(organisation, "k", 0, []byte("{}")) })
		scope := system.Within(organisation)
		for b.Loop() {
			if err := s.View(b.Context(), scope, func(tx *store.Tx) error {
				var v []byte
				return tx.QueryRow("SELECT value FROM setting WHERE key = $1 AND {wall}", "k").Scan(&v)
			}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
