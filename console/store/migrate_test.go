package store_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/console/store/schema"
	"github.com/deskside/deskside/console/store/storetest"
)

func TestOpenAgain(t *testing.T) {
	storetest.EachOptions(t, func(t *testing.T, o store.Options) {
		for range 2 {
			storetest.Open(t, o)
		}
	})
}

// A database in which a file was applied with another text, or a file we do
// not have, is left alone.
func TestStrangeDatabaseIsRefused(t *testing.T) {
	for _, c := range []struct{ change, want string }{
		{"UPDATE schema_file SET hash = 'x' WHERE name = '0100_engine'", "0100_engine was applied with a different text"},
		{"INSERT INTO schema_file (name, hash, at) VALUES ('9999_future', 'x', 1)", "9999_future"},
	} {
		storetest.EachOptions(t, func(t *testing.T, o store.Options) {
			run(t, storetest.Open(t, o), c.change)
			s, err := store.Open(t.Context(), o)
			if err == nil {
				s.Close()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// Several consoles start on a new database at the same time.
func TestOpenTogether(t *testing.T) {
	storetest.EachOptions(t, func(t *testing.T, o store.Options) {
		if o.Data != "" {
			o.Data = t.TempDir() // empty, no tables
		} else {
			run(t, storetest.Open(t, o), "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
		}
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				s, err := store.Open(t.Context(), o)
				if err != nil {
					t.Error(err)
					return
				}
				if err := s.Ping(t.Context()); err != nil {
					t.Error(err)
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := count(t, storetest.Open(t, o), "due"); n != 0 {
			t.Errorf("%d rows", n)
		}
	})
}

func TestOpenNothing(t *testing.T) {
	for _, o := range []store.Options{{}, {Database: "postgres://"}, {Database: "postgres://127.0.0.1:1/x?connect_timeout=1"}, {Data: "/dev/null/x"}} {
		if s, err := store.Open(t.Context(), o); err == nil {
			s.Close()
			t.Errorf("%+v was opened", o)
		} else if !strings.HasPrefix(err.Error(), "opening the database: ") {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

// Every file can be told apart, is in order, and says the same to both engines.
func TestSchemaFiles(t *testing.T) {
	for _, engine := range []string{"sqlite", "postgres"} {
		files, err := schema.Files(engine)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if engine == "sqlite" && strings.Count(f.SQL, "CREATE TABLE") != strings.Count(f.SQL, ") STRICT;") {
				t.Errorf("%s: a table is not STRICT; its last line must be \");\"", f.Name)
			}
			if strings.Contains(f.SQL, "TIMESTAMP") || strings.Contains(f.SQL, "SERIAL") {
				t.Errorf("%s: times are BIGINT, ids UUID", f.Name)
			}
		}
	}
}
