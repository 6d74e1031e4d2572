package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/console/store/storetest"
	"github.com/google/uuid"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var system = store.System("test")

// update runs fn or fails the test.
func update(t testing.TB, s *store.Store, fn func(*store.Tx) error) {
	t.Helper()
	if err := s.Update(context.Background(), system, fn); err != nil {
		t.Fatal(err)
	}
}

func view(t testing.TB, s *store.Store, fn func(*store.Tx) error) {
	t.Helper()
	if err := s.View(context.Background(), system, fn); err != nil {
		t.Fatal(err)
	}
}

// run runs statements, each in its own transaction: tables for a test.
func run(t testing.TB, s *store.Store, statements ...string) {
	t.Helper()
	for _, text := range statements {
		update(t, s, func(tx *store.Tx) error { _, err := tx.Exec(text); return err })
	}
}

func TestValuesRoundTrip(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		run(t, s, "CREATE TABLE v (id UUID, maybe UUID, n BIGINT, f DOUBLE PRECISION, b BOOLEAN, t TEXT)")
		type row struct {
			id    uuid.UUID
			maybe uuid.NullUUID
			n     int64
			f     float64
			b     bool
			t     string
		}
		for _, want := range []row{
			{uuid.Must(uuid.NewV7()), store.Null(uuid.Nil), math.MaxInt64, math.Pi, true, "zażółć gęślą jaźń 🖥"},
			{uuid.Nil, store.Null(uuid.New()), math.MinInt64, -math.MaxFloat64, false, ""},
			{uuid.Max, uuid.NullUUID{}, 0, math.SmallestNonzeroFloat64, true, "1e3"},
		} {
			update(t, s, func(tx *store.Tx) error {
				if _, err := tx.Exec("DELETE FROM v"); err != nil {
					return err
				}
				n, err := tx.Exec("INSERT INTO v (id, maybe, n, f, b, t) VALUES ($1, $2, $3, $4, $5, $6)", want.id, want.maybe, want.n, want.f, want.b, want.t)
				if n != 1 {
					t.Errorf("%d rows inserted", n)
				}
				return err
			})
			view(t, s, func(tx *store.Tx) error {
				var got row
				if err := tx.QueryRow("SELECT id, maybe, n, f, b, t FROM v WHERE id = $1 AND b = $2", want.id, want.b).Scan(&got.id, &got.maybe, &got.n, &got.f, &got.b, &got.t); err != nil {
					return err
				}
				if got != want {
					t.Errorf("got %+v, want %+v", got, want)
				}
				return nil
			})
		}
	})
}

func TestBytesRoundTrip(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		organisation := uuid.New()
		for i, want := range [][]byte{{}, {0}, bytes.Repeat([]byte{0, 255, '\''}, 1000)} {
			key := fmt.Sprint(i)
			update(t, s, func(tx *store.Tx) error { return tx.SetSetting(organisation, key, 0, want) })
			view(t, s, func(tx *store.Tx) error {
				got, version, err := tx.Setting(organisation, key)
				if !bytes.Equal(got, want) || version != 1 {
					t.Errorf("got %d bytes of version %d, want %d", len(got), version, len(want))
				}
				return err
			})
		}
	})
}

func TestRefusedArguments(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for _, bad := range []any{time.Now(), "NUL \x00", "no UTF-8 \xff"} {
			err := s.Update(t.Context(), system, func(tx *store.Tx) error {
				_, err := tx.Exec("UPDATE due SET problem = $1", bad)
				return err
			})
			if err == nil || !strings.Contains(err.Error(), "argument $1") {
				t.Errorf("%#v: %v", bad, err)
			}
		}
		// STRICT tables: SQLite refuses the wrong type as PostgreSQL does.
		err := s.Update(t.Context(), system, func(tx *store.Tx) error {
			_, err := tx.Exec("INSERT INTO due (kind, id, at, tries, problem) VALUES ('k', $1, $2, 0, '')", uuid.New(), "soon")
			return err
		})
		if err == nil {
			t.Error("a text went into a BIGINT column")
		}
		err = s.Update(t.Context(), system, func(tx *store.Tx) error {
			_, err := tx.Exec("INSERT INTO due (kind, id, at, tries, problem) VALUES ('k', $1, 1, 0, '')", "not an id")
			return err
		})
		if err == nil {
			t.Error("a text went into a UUID column")
		}
	})
}

func TestErrorUndoes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		mine := errors.New("mine")
		id := uuid.New()
		changed := 0
		s.OnChanged(func([]store.Change) { changed++ })
		err := s.Update(t.Context(), system, func(tx *store.Tx) error {
			tx.Changed(id, "thing", id)
			if err := tx.Due("kind", id, tx.Now()); err != nil {
				return err
			}
			return mine
		})
		if !errors.Is(err, mine) {
			t.Errorf("got %v", err)
		}
		if n := count(t, s, "due"); n != 0 || changed != 0 {
			t.Errorf("%d rows and %d changes are left", n, changed)
		}
	})
}

func count(t testing.TB, s *store.Store, table string) (n int) {
	t.Helper()
	view(t, s, func(tx *store.Tx) error { return tx.QueryRow("SELECT count(*) FROM " + table).Scan(&n) })
	return n
}

// A statement that failed dooms the transaction, also when its error is hidden.
func TestFailedStatementDooms(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		err := s.Update(t.Context(), system, func(tx *store.Tx) error {
			if err := tx.Due("kind", uuid.New(), tx.Now()); err != nil {
				return err
			}
			if _, err := tx.Exec("SELECT nonsense"); err == nil {
				t.Error("nonsense went through")
			}
			if _, err := tx.Exec("DELETE FROM due"); err == nil {
				t.Error("a statement ran after a failed one")
			}
			return nil
		})
		if err == nil {
			t.Error("committed after a failed statement")
		}
		if n := count(t, s, "due"); n != 0 {
			t.Errorf("%d rows are left", n)
		}
	})
}

func TestRowsMustBeClosed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		err := s.View(t.Context(), system, func(tx *store.Tx) error {
			if _, err := tx.Query("SELECT 1"); err != nil {
				return err
			}
			_, err := tx.Query("SELECT 2")
			return err
		})
		if err == nil || !strings.Contains(err.Error(), "open") {
			t.Errorf("got %v", err)
		}
		err = s.View(t.Context(), system, func(tx *store.Tx) error {
			_, err := tx.Query("SELECT 1")
			return err
		})
		if err == nil || !strings.Contains(err.Error(), "open") {
			t.Errorf("rows left open at the end: %v", err)
		}
	})
}

func TestViewCannotWrite(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		err := s.View(t.Context(), system, func(tx *store.Tx) error { return tx.Due("kind", uuid.New(), tx.Now()) })
		if err == nil {
			t.Error("a View wrote")
		}
		if n := count(t, s, "due"); n != 0 {
			t.Errorf("%d rows", n)
		}
	})
}

// A View sees one state of the database, whatever is committed meanwhile.
func TestViewIsOneSnapshot(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		view(t, s, func(tx *store.Tx) error {
			var before, after int
			if err := tx.QueryRow("SELECT count(*) FROM due").Scan(&before); err != nil {
				return err
			}
			update(t, s, func(tx *store.Tx) error { return tx.Due("kind", uuid.New(), tx.Now()) })
			if err := tx.QueryRow("SELECT count(*) FROM due").Scan(&after); err != nil {
				return err
			}
			if before != after {
				t.Errorf("%d rows, then %d", before, after)
			}
			return nil
		})
		if n := count(t, s, "due"); n != 1 {
			t.Errorf("%d rows afterwards", n)
		}
	})
}

func TestChangedAfterCommit(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		organisation, id := uuid.New(), uuid.New()
		var got []store.Change
		s.OnChanged(func(c []store.Change) {
			got = append(got, c...)
			if n := count(t, s, "due"); n != 1 {
				t.Errorf("the handler sees %d rows: it ran before the commit", n)
			}
		})
		update(t, s, func(tx *store.Tx) error {
			tx.Changed(organisation, "thing", id)
			tx.Changed(organisation, "thing", id)
			tx.Changed(organisation, "other", id)
			return tx.Due("kind", id, tx.Now())
		})
		if len(got) != 2 || got[0] != (store.Change{Organisation: organisation, Kind: "thing", ID: id}) {
			t.Errorf("got %v", got)
		}
	})
}

// A panic, or the end of the goroutine (a test's Fatal), undoes its own
// transaction and nobody else's.
func TestPanicUndoes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var wg sync.WaitGroup
		for i := range 40 {
			wg.Go(func() {
				defer func() {
					if v := recover(); (v != nil) != (i%2 == 0) {
						t.Errorf("%d: recovered %v", i, v)
					}
				}()
				update(t, s, func(tx *store.Tx) error {
					if err := tx.Due("kind", uuid.New(), tx.Now()); err != nil {
						return err
					}
					if i%2 == 0 {
						panic("mine")
					}
					return nil
				})
			})
		}
		wg.Wait()
		if n := count(t, s, "due"); n != 20 {
			t.Errorf("%d rows, want 20", n)
		}
	})
}

func TestCancelledContext(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, cancel := context.WithCancel(t.Context())
		err := s.Update(ctx, system, func(tx *store.Tx) error {
			if err := tx.Due("kind", uuid.New(), tx.Now()); err != nil {
				return err
			}
			cancel()
			_, err := tx.Exec("DELETE FROM due")
			return err
		})
		if !errors.Is(err, context.Canceled) || errors.Is(err, store.ErrUnavailable) {
			t.Errorf("got %v", err)
		}
		if err := s.Update(ctx, system, func(*store.Tx) error { return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		if n := count(t, s, "due"); n != 0 {
			t.Errorf("%d rows are left", n)
		}
	})
}

// TestGivenUp: when whoever asked has gone before the commit, and the database has
// undone everything already, that is what is said, not that a transaction is over.
func TestGivenUp(t *testing.T) {
	s := storetest.Open(t, storetest.Postgres(t))
	ctx, cancel := context.WithCancel(t.Context())
	err := s.View(ctx, system, func(tx *store.Tx) error {
		var backend, busy int
		if err := tx.QueryRow("SELECT pg_backend_pid()").Scan(&backend); err != nil {
			return err
		}
		cancel()
		eventually(t, "the transaction is undone", func() bool {
			view(t, s, func(tx *store.Tx) error {
				return tx.QueryRow("SELECT COUNT(*) FROM pg_stat_activity WHERE pid = $1 AND state <> 'idle'", backend).Scan(&busy)
			})
			return busy == 0
		})
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestBump(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		run(t, s, "CREATE TABLE thing (id UUID PRIMARY KEY, version BIGINT NOT NULL)")
		id := uuid.New()
		update(t, s, func(tx *store.Tx) error {
			_, err := tx.Exec("INSERT INTO thing (id, version) VALUES ($1, 1)", id)
			return err
		})
		update(t, s, func(tx *store.Tx) error {
			v, err := tx.Bump("thing", id)
			if v != 2 {
				t.Errorf("version %d", v)
			}
			return err
		})
		err := s.Update(t.Context(), system, func(tx *store.Tx) error { _, err := tx.Bump("thing", uuid.New()); return err })
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("got %v", err)
		}
		if err = s.Update(t.Context(), system, func(tx *store.Tx) error {
			_, err := tx.Bump("thing; DROP TABLE thing", id)
			return err
		}); err == nil {
			t.Error("that is no table")
		}
	})
}

func TestInsert(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		run(t, s, "CREATE TABLE many (k BIGINT PRIMARY KEY, v TEXT NOT NULL)")
		rows := func(from, to int) (rows [][]any) {
			for i := from; i < to; i++ {
				rows = append(rows, []any{i, fmt.Sprint("v", i)})
			}
			return rows
		}
		for i, n := range []int{0, 1, 3, 4, 5, 255, 256, 257, 600} {
			update(t, s, func(tx *store.Tx) error {
				got, err := tx.Insert("INSERT INTO many (k, v)", rows(i*1000, i*1000+n), "")
				if got != int64(n) {
					t.Errorf("%d of %d inserted", got, n)
				}
				return err
			})
		}
		view(t, s, func(tx *store.Tx) error {
			var n, wrong int
			if err := tx.QueryRow("SELECT count(*) FROM many").Scan(&n); err != nil {
				return err
			}
			if err := tx.QueryRow("SELECT count(*) FROM many WHERE v <> 'v' || CAST(k AS TEXT)").Scan(&wrong); err != nil {
				return err
			}
			if n != 1381 || wrong != 0 {
				t.Errorf("%d rows, %d wrong", n, wrong)
			}
			return nil
		})
		// Only what is new comes back.
		update(t, s, func(tx *store.Tx) error {
			fresh, err := store.InsertReturning(tx, func(r *store.Rows) (k int, err error) { return k, r.Scan(&k) },
				"INSERT INTO many (k, v)", rows(8500, 8700), "ON CONFLICT (k) DO NOTHING RETURNING k")
			if len(fresh) != 100 || fresh[0] != 8600 {
				t.Errorf("%d came back", len(fresh))
			}
			return err
		})
		if err := s.Update(t.Context(), system, func(tx *store.Tx) error {
			_, err := tx.Insert("INSERT INTO many (k, v)", [][]any{{1, "a"}, {2}}, "")
			return err
		}); err == nil {
			t.Error("rows of different lengths")
		}
		a, b := uuid.New(), uuid.New()
		if err := s.Update(t.Context(), system.Within(a), func(tx *store.Tx) error {
			_, err := tx.Insert("INSERT INTO setting (organisation_id, key, value, version)", [][]any{{a, "x", []byte("1"), 1}, {b, "x", []byte("1"), 1}}, "")
			return err
		}); err == nil {
			t.Error("a row of another organisation among ours")
		}
		if err := s.Update(t.Context(), system.Within(a), func(tx *store.Tx) error {
			_, err := tx.Insert("INSERT INTO setting (organisation_id, key, value, version)", [][]any{{a, "x", []byte("1"), 1}}, "")
			return err
		}); err != nil {
			t.Error(err)
		}
	})
}

func TestSetting(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		organisation := uuid.New()
		scope := system.Within(organisation)
		set := func(version int64, value string) error {
			return s.Update(t.Context(), scope, func(tx *store.Tx) error { return tx.SetSetting(organisation, "k", version, []byte(value)) })
		}
		get := func(scope store.Scope) (value []byte, version int64, err error) {
			err = s.View(t.Context(), scope, func(tx *store.Tx) error {
				value, version, err = tx.Setting(organisation, "k")
				return err
			})
			return value, version, err
		}
		if _, _, err := get(scope); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("before it is set: %v", err)
		}
		if err := set(0, "a"); err != nil {
			t.Error(err)
		}
		if err := set(0, "b"); !errors.Is(err, store.ErrConflict) {
			t.Errorf("set twice: %v", err)
		}
		if err := set(1, "c"); err != nil {
			t.Error(err)
		}
		if err := set(1, "d"); !errors.Is(err, store.ErrConflict) {
			t.Errorf("an old version: %v", err)
		}
		if value, version, err := get(scope); string(value) != "c" || version != 2 || err != nil {
			t.Errorf("%s %d %v", value, version, err)
		}
		if _, _, err := get(system.Within(uuid.New())); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("another organisation: %v", err)
		}
	})
}

func TestMicros(t *testing.T) {
	if got := store.Micros(time.Time{}); got != 0 {
		t.Errorf("the zero time is %d", got)
	}
	if got := store.Time(0); !got.IsZero() {
		t.Errorf("0 is %v", got)
	}
	now := time.Now().UTC().Truncate(time.Microsecond)
	if got := store.Time(store.Micros(now)); got != now {
		t.Errorf("%v came back as %v", now, got)
	}
}
