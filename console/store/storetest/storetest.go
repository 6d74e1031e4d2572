// Package storetest runs a test on both databases of the console.
//
//	func TestPrice(t *testing.T) {
//		storetest.Each(t, func(t *testing.T, s *store.Store) { ... })
//	}
//
// runs the function as the subtests "sqlite" and "postgres", each with a new,
// empty, up-to-date database of its own. PostgreSQL comes from the URL of a
// superuser in DESKSIDE_TEST_POSTGRES; without it a cluster is started from
// the installed binaries, one for the process, and stopped when the process
// ends, however it ends. The PostgreSQL databases have the ICU locale pl-PL on
// purpose: what depends on the collation of the server shows.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/deskside/deskside/console/store"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Each runs fn on SQLite and on PostgreSQL.
func Each(t *testing.T, fn func(*testing.T, *store.Store)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { fn(t, Open(t, SQLite(t))) })
	t.Run("postgres", func(t *testing.T) { fn(t, Open(t, Postgres(t))) })
}

// EachOptions is Each for tests that open the database themselves, or more
// than once.
func EachOptions(t *testing.T, fn func(*testing.T, store.Options)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { fn(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { fn(t, Postgres(t)) })
}

// Open opens a database and closes it when the test ends.
func Open(t testing.TB, o store.Options) *store.Store {
	t.Helper()
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	s, err := store.Open(context.WithoutCancel(t.Context()), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("closing the database: %v", err)
		}
	})
	return s
}

// SQLite returns the options of a new SQLite database with all its tables.
func SQLite(t testing.TB) store.Options {
	t.Helper()
	file, err := sqliteTemplate()
	if err != nil {
		t.Fatalf("making the SQLite template: %v", err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, store.File), file, 0o600); err != nil {
		t.Fatal(err)
	}
	return store.Options{Data: dir}
}

// sqliteTemplate is an empty database as bytes: copying it is much faster than
// making forty tables again for every test.
var sqliteTemplate = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "deskside-template-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	s, err := store.Open(context.Background(), store.Options{Data: dir})
	if err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(dir, store.File))
})

// Postgres returns the options of a new PostgreSQL database with all its
// tables. It is dropped when the test ends.
func Postgres(t testing.TB) store.Options {
	t.Helper()
	server, err := postgresTemplate()
	if err != nil {
		t.Fatalf("this test needs PostgreSQL: %v", err)
	}
	name := "test_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	if err := admin(server.URL, "CREATE DATABASE "+name+" TEMPLATE "+templateName()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := admin(server.URL, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Errorf("dropping the database: %v", err)
		}
	})
	return store.Options{Database: database(server.URL, name)}
}

// postgresTemplate finds or starts the server and makes the template database.
// The result must be held: a cluster nobody refers to any more stops.
var postgresTemplate = sync.OnceValues(func() (*Cluster, error) {
	c := &Cluster{URL: os.Getenv("DESKSIDE_TEST_POSTGRES")}
	if c.URL == "" {
		var err error
		if c, err = StartCluster(); err != nil {
			return nil, err
		}
	}
	name := templateName()
	if err := admin(c.URL, "DROP DATABASE IF EXISTS "+name,
		"CREATE DATABASE "+name+" TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'pl-PL' LOCALE 'C.UTF-8'"); err != nil {
		return nil, err
	}
	s, err := store.Open(context.Background(), store.Options{Database: database(c.URL, name)})
	if err != nil {
		return nil, err
	}
	return c, s.Close()
})

// templateName differs for each process, which may share a server.
func templateName() string { return fmt.Sprintf("template_%d", os.Getpid()) }

// admin runs statements as the superuser on a connection of their own.
func admin(server string, statements ...string) error {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return err
	}
	for _, text := range statements {
		if _, err := conn.Exec(ctx, text); err != nil {
			return errors.Join(fmt.Errorf("%s: %w", text, err), conn.Close(ctx))
		}
	}
	return conn.Close(ctx)
}

// database is the URL of another database on the same server.
func database(server, name string) string {
	u, err := url.Parse(server)
	if err != nil {
		return server // pgx will say what is wrong with it
	}
	u.Path = "/" + name
	return u.String()
}
