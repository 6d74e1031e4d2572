package store_test

import (
	"context"
	"errors"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/console/store/storetest"
)

// A swallower passes on what it is given, until it is told to keep it.
type swallower struct {
	to   string
	mu   sync.RWMutex // held while it keeps everything
	open sync.WaitGroup
}

func (s *swallower) pass(from net.Conn) {
	defer from.Close()
	to, err := net.Dial("tcp", s.to)
	if err != nil {
		return
	}
	defer to.Close()
	one := func(to, from net.Conn) {
		defer to.Close()
		buf := make([]byte, 32<<10)
		for {
			n, err := from.Read(buf)
			s.mu.RLock()
			_, werr := to.Write(buf[:n])
			s.mu.RUnlock()
			if err != nil || werr != nil {
				return
			}
		}
	}
	s.open.Go(func() { one(from, to) })
	one(to, from)
}

// A server that does not answer is one that is away: who asks is told so, and when
// it answers again it is there.
func TestStuckServer(t *testing.T) {
	t.Parallel()
	o := storetest.Postgres(t)
	u, err := url.Parse(o.Database)
	if err != nil {
		t.Fatal(err)
	}
	way := &swallower{to: u.Host}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	way.open.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			way.open.Go(func() { way.pass(c) })
		}
	})
	u.Host = l.Addr().String()
	o.Database = u.String()
	t.Cleanup(func() { l.Close(); way.open.Wait() }) // after the store was closed
	s := storetest.Open(t, o)
	if err := s.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.SetPatience(time.Second)

	way.mu.Lock()
	for _, do := range []func() error{
		func() error { return s.Ping(t.Context()) },
		func() error { return s.View(t.Context(), system, func(tx *store.Tx) error { return nil }) },
		func() error { // a connection that was made before, and one that cannot be made
			return s.Update(t.Context(), system, func(tx *store.Tx) error { _, err := tx.Exec("SELECT 1"); return err })
		},
	} {
		if err := do(); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("of a server that does not answer: %v", err)
		}
	}
	way.mu.Unlock()
	s.SetPatience(time.Minute)
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// A due row whose handler takes too long is put off like any that fails, with the
// statement that took so long written down; others are done meanwhile.
func TestSlowDue(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, storetest.Postgres(t))
	id := uuid.New()
	update(t, s, func(tx *store.Tx) error { return tx.Due("slow", id, tx.Now()) })
	s.SetPatience(time.Second)
	stop := runDue(t, s, map[string]store.Handler{"slow": {Inside: func(_ context.Context, tx *store.Tx, _ uuid.UUID) (time.Time, error) {
		_, err := tx.Exec("SELECT pg_sleep(60)")
		return time.Time{}, err
	}}})
	var tries int
	var problem string
	eventually(t, "the row is put off", func() bool {
		view(t, s, func(tx *store.Tx) error {
			return tx.QueryRow("SELECT tries, problem FROM due WHERE kind = 'slow'").Scan(&tries, &problem)
		})
		return tries > 0
	})
	stop()
	if !strings.Contains(problem, "no answer in time") || !strings.Contains(problem, "pg_sleep") {
		t.Errorf("%d tries, %q", tries, problem)
	}
}
