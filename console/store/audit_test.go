package store_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/console/store/storetest"
	"github.com/google/uuid"
)

func auditKey(n byte) (ed25519.PrivateKey, ed25519.PublicKey) {
	key := ed25519.NewKeyFromSeed(append(make([]byte, ed25519.SeedSize-1), n))
	return key, key.Public().(ed25519.PublicKey)
}

// seal runs the sealer of one or more consoles until nothing is left to do.
func seal(t *testing.T, key ed25519.PrivateKey, consoles ...*store.Store) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for _, s := range consoles {
		wg.Go(func() {
			if err := s.RunSeal(ctx, key); err != nil {
				t.Error(err)
			}
		})
	}
	eventually(t, "every row is sealed", func() bool {
		var n int
		view(t, consoles[0], func(tx *store.Tx) error {
			return tx.QueryRow("SELECT count(*) FROM audit WHERE number = 0").Scan(&n)
		})
		return n == 0
	})
	cancel()
	wg.Wait()
}

func verify(t *testing.T, s *store.Store, organisation uuid.UUID, witnesses ...store.Head) store.AuditReport {
	t.Helper()
	_, public := auditKey(1)
	r, err := s.VerifyAudit(t.Context(), system, organisation, []ed25519.PublicKey{public}, witnesses...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAuditRows(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		organisation, person, ticket, machine := uuid.New(), uuid.New(), uuid.New(), uuid.New()
		scope := store.Scope{Actor: store.Actor{Kind: "person", ID: person, Name: "Anna Lis", Address: "192.0.2.7"}, Organisations: []uuid.UUID{organisation}}
		for i := range 5 {
			if err := s.Update(t.Context(), scope, func(tx *store.Tx) error {
				return tx.Audit(store.Entry{Organisation: organisation, Action: "ticket.note", Result: "done",
					Subjects: []store.Subject{{Kind: "ticket", ID: ticket}, {Kind: "machine", ID: machine}, {Kind: "machine", ID: machine}, {Kind: "run"}},
					Detail:   map[string]any{"n": i}, Personal: map[string]any{"requester": "Jan Żak"}})
			}); err != nil {
				t.Fatal(err)
			}
		}
		update(t, s, func(tx *store.Tx) error {
			return tx.Audit(store.Entry{Organisation: organisation, Action: "node.start", Result: "done"})
		})
		read := func(f store.AuditFilter, r store.Request) (page store.Page[store.AuditRow]) {
			if err := s.View(t.Context(), scope, func(tx *store.Tx) (err error) { page, err = store.ReadAudit(tx, f, r); return err }); err != nil {
				t.Fatal(err)
			}
			return page
		}
		page := read(store.AuditFilter{Subject: store.Subject{Kind: "ticket", ID: ticket}}, store.Request{Limit: 3})
		if len(page.Items) != 3 || page.Total != 5 || page.Next == "" {
			t.Fatalf("%d of %d rows, next %q", len(page.Items), page.Total, page.Next)
		}
		got := page.Items[0] // the newest
		if got.Actor != scope.Actor || got.Action != "ticket.note" || got.Result != "done" || got.Organisation != organisation ||
			string(got.Detail) != `{"n":4}` || string(got.Personal) != `{"requester":"Jan Żak"}` || len(got.Subjects) != 2 {
			t.Errorf("%+v", got)
		}
		if n := read(store.AuditFilter{}, store.Request{}).Total; n != 6 {
			t.Errorf("%d rows in all", n)
		}
		if n := read(store.AuditFilter{Actor: person, Action: "ticket.note"}, store.Request{}).Total; n != 5 {
			t.Errorf("%d rows of the person", n)
		}
		if n := read(store.AuditFilter{Subject: store.Subject{Kind: "ticket", ID: machine}}, store.Request{}).Total; n != 0 {
			t.Errorf("%d rows about a ticket with a machine's id", n)
		}
		scope = system.Within(uuid.New())
		if n := read(store.AuditFilter{}, store.Request{}).Total; n != 0 {
			t.Errorf("another organisation sees %d rows", n)
		}

		// The right to be forgotten.
		var erased int64
		update(t, s, func(tx *store.Tx) (err error) { erased, err = tx.EraseActor(organisation, person); return err })
		if erased != 5 {
			t.Errorf("%d rows erased", erased)
		}
		scope = system.Within(organisation)
		got = read(store.AuditFilter{Actor: person}, store.Request{}).Items[0]
		if got.Actor.Name != "" || got.Actor.Address != "" || got.Personal != nil || got.Actor.ID != person {
			t.Errorf("after erasing: %+v", got)
		}
		view(t, s, func(tx *store.Tx) error {
			var all []byte
			rows, err := store.Collect(tx, func(r *store.Rows) (b []byte, err error) { return b, r.Scan(&b) }, "SELECT personal FROM audit")
			for _, b := range rows {
				all = append(all, b...)
			}
			if strings.Contains(string(all), "Anna") || strings.Contains(string(all), "192.0.2.7") {
				t.Error("the name is still there")
			}
			return err
		})
		key, _ := auditKey(1)
		seal(t, key, s)
		if r := verify(t, s, organisation); r.Rows != 6 || r.Erased != 5 || len(r.Problems) != 0 {
			t.Errorf("%+v", r)
		}
	})
}

// Eight writers, two consoles that seal at the same time: one chain without a
// gap for each organisation.
func TestSealTogether(t *testing.T) {
	storetest.EachOptions(t, func(t *testing.T, o store.Options) {
		a, b := storetest.Open(t, o), storetest.Open(t, o)
		organisations := []uuid.UUID{uuid.New(), uuid.New()}
		const writers, each = 8, 80
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for i := range each {
					if err := a.Update(t.Context(), system, func(tx *store.Tx) error {
						return tx.Audit(store.Entry{Organisation: organisations[i%2], Action: "x", Result: "done", Subjects: []store.Subject{{Kind: "writer", ID: uuid.UUID{byte(w + 1)}}}})
					}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		key, public := auditKey(1)
		ctx, cancel := context.WithCancel(context.Background())
		var sealers sync.WaitGroup
		for _, s := range []*store.Store{a, b} {
			sealers.Go(func() {
				if err := s.RunSeal(ctx, key); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		cancel()
		sealers.Wait()
		seal(t, key, a, b)
		for _, organisation := range organisations {
			r := verify(t, a, organisation)
			if r.Rows != writers*each/2 || r.Unsealed != 0 || r.Heads == 0 || len(r.Problems) != 0 {
				t.Errorf("%+v", r)
			}
			view(t, b, func(tx *store.Tx) error {
				h, err := tx.LastHead(organisation)
				if !h.Verify() || !public.Equal(h.Key) {
					t.Error("the head is not signed by the key")
				}
				return err
			})
		}
	})
}

// Whatever is done to the rows, the walk finds it.
func TestVerifyFindsTampering(t *testing.T) {
	organisation := uuid.New()
	prepare := func(t *testing.T, o store.Options) (*store.Store, store.Head) {
		s := storetest.Open(t, o)
		key, _ := auditKey(1)
		for i := range 10 {
			update(t, s, func(tx *store.Tx) error {
				return tx.Audit(store.Entry{Organisation: organisation, Action: fmt.Sprint("act-", i), Result: "done", Subjects: []store.Subject{{Kind: "machine", ID: uuid.UUID{1}}}})
			})
		}
		seal(t, key, s)
		var h store.Head
		view(t, s, func(tx *store.Tx) (err error) { h, err = tx.LastHead(organisation); return err })
		if r := verify(t, s, organisation, h); r.Rows != 10 || r.Heads != 2 || len(r.Problems) != 0 {
			t.Fatalf("before: %+v", r)
		}
		return s, h
	}
	storetest.EachOptions(t, func(t *testing.T, o store.Options) {
		s, _ := prepare(t, o)
		for _, c := range []struct {
			name, do, undo, want string
		}{
			{"an action is changed", "UPDATE audit SET action = 'nothing' WHERE number = 4", "UPDATE audit SET action = 'act-3' WHERE number = 4", "row 4: the row or one before"},
			{"a result is changed", "UPDATE audit SET result = 'refused' WHERE number = 4", "UPDATE audit SET result = 'done' WHERE number = 4", "row 4: the row or one before"},
			{"a time is changed", "UPDATE audit SET at = at + 1 WHERE number = 4", "UPDATE audit SET at = at - 1 WHERE number = 4", "row 4: the row or one before"},
			{"a name is changed", "UPDATE audit SET personal = digest WHERE number = 4", "", "row 4: the personal part"},
			{"a name and its digest are changed", "UPDATE audit SET personal = (SELECT a.personal FROM audit a WHERE a.number = 6), digest = (SELECT a.digest FROM audit a WHERE a.number = 6) WHERE number = 5", "", "row 5: the row or one before"},
			{"two rows change places", "UPDATE audit SET number = 17 - number WHERE number IN (8, 9)", "UPDATE audit SET number = 17 - number WHERE number IN (8, 9)", "row 8: the row or one before"},
			{"a row is hidden", "UPDATE audit SET number = -7 WHERE number = 7", "UPDATE audit SET number = 7 WHERE number = -7", "row 8: the row before it has number 6"},
			{"the tail is cut", "UPDATE audit SET number = -number WHERE number > 8", "UPDATE audit SET number = -number WHERE number < 0", "row 10: a signed head knows a row that is missing"},
			{"a head is forged", "UPDATE head SET at = at + 1", "UPDATE head SET at = at - 1", "row 10: the signature of a head is wrong"},
			{"the subject is changed", "UPDATE audit_subject SET kind = 'person' WHERE audit_id = (SELECT id FROM audit WHERE number = 2)", "", "row 2: the row or one before"},
		} {
			run(t, s, c.do)
			r := verify(t, s, organisation)
			found := false
			for _, p := range r.Problems {
				found = found || strings.HasPrefix(p.String(), c.want)
			}
			if !found {
				t.Errorf("%s: %v", c.name, r.Problems)
			}
			if c.undo != "" {
				run(t, s, c.undo)
			}
		}
	})

	// The intruder owns the database and the key, writes another history and
	// signs it: what a witness kept contradicts it.
	t.Run("another history", func(t *testing.T) {
		_, witness := prepare(t, storetest.SQLite(t))
		forged, _ := prepare(t, storetest.SQLite(t))
		r := verify(t, forged, organisation, witness)
		if len(r.Problems) != 1 || !strings.Contains(r.Problems[0].What, "another history") {
			t.Errorf("%v", r.Problems)
		}
	})

	t.Run("another key", func(t *testing.T) {
		s, _ := prepare(t, storetest.SQLite(t))
		_, other := auditKey(2)
		r, err := s.VerifyAudit(t.Context(), system, organisation, []ed25519.PublicKey{other})
		if err != nil || len(r.Problems) != 1 || !strings.Contains(r.Problems[0].What, "not ours") {
			t.Errorf("%v %v", r.Problems, err)
		}
	})
}

// Rows are chained within a second; the end is signed once a minute while the
// chain grows, and not otherwise.
func TestHeads(t *testing.T) {
	o := storetest.SQLite(t)
	synctest.Test(t, func(t *testing.T) {
		s, err := store.Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		organisation := uuid.New()
		key, _ := auditKey(1)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- s.RunSeal(ctx, key) }()
		add := func() {
			update(t, s, func(tx *store.Tx) error { return tx.Audit(store.Entry{Organisation: organisation, Action: "x"}) })
		}
		expect := func(rows int64, heads int) {
			t.Helper()
			if r := verify(t, s, organisation); r.Rows != rows || r.Heads != heads || r.Unsealed != 0 || len(r.Problems) != 0 {
				t.Errorf("%+v, want %d rows and %d heads", r, rows, heads)
			}
		}
		add()
		time.Sleep(1100 * time.Millisecond)
		expect(1, 1)
		add()
		time.Sleep(2 * time.Second)
		expect(2, 1)
		time.Sleep(time.Minute)
		expect(2, 2)
		time.Sleep(time.Hour)
		expect(2, 2)
		for range 300 { // five minutes of work
			add()
			time.Sleep(time.Second)
		}
		time.Sleep(2 * time.Minute)
		expect(302, 8)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestAuditDetailIsJSON(t *testing.T) {
	s := storetest.Open(t, storetest.SQLite(t))
	err := s.Update(t.Context(), system, func(tx *store.Tx) error {
		return tx.Audit(store.Entry{Action: "x", Detail: map[string]any{"f": func() {}}})
	})
	if err == nil {
		t.Error("a function is no detail")
	}
	update(t, s, func(tx *store.Tx) error { return tx.Audit(store.Entry{Action: "x"}) })
	view(t, s, func(tx *store.Tx) error {
		page, err := store.ReadAudit(tx, store.AuditFilter{}, store.Request{})
		if len(page.Items) != 1 || !json.Valid(page.Items[0].Detail) {
			t.Errorf("%+v", page)
		}
		return err
	})
}
