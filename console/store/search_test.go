package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/console/store/storetest"
	"github.com/google/uuid"
	"pgregory.net/rapid"
)

func TestSearch(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		organisation, other := uuid.New(), uuid.New()
		ids := map[string]uuid.UUID{}
		index := func(organisation uuid.UUID, kind, name string, at int, texts ...string) {
			if ids[name] == uuid.Nil {
				ids[name] = uuid.New()
			}
			update(t, s, func(tx *store.Tx) error {
				return tx.Index(organisation, kind, ids[name], time.UnixMicro(int64(at)), texts...)
			})
		}
		index(organisation, "ticket", "a", 1, "Drukarka nie działa", "DS-000118")
		index(organisation, "ticket", "b", 2, "Łączność z VPN zrywa się co godzinę", "O'Brien: \"it's broken\" & | ! (:*)")
		index(organisation, "ticket", "c", 3, "drukarka na drugim piętrze drukuje krzaki — ŻÓŁĆ")
		index(organisation, "machine", "m", 4, "drukarka-serwer")
		index(other, "ticket", "x", 5, "drukarka")
		index(organisation, "ticket", "empty", 6, "", "--- !!!")

		for _, c := range []struct{ q, want string }{
			{"drukarka", "c a"},
			{"DRUKARKA", "c a"},
			{"dru", "c a"},
			{"dr", "c a"},
			{"d", ""},
			{"dzialA", "a"},
			{"działa drukarka", "a"},
			{"drukarka dzia", "a"},
			{"dru drukarka", ""}, // only the last may be a beginning
			{"lacznosc", "b"},
			{"zolc", "c"},
			{"żółć", "c"},
			{"z vpn", "b"},
			{"vpn z", "b"},
			{"000118", "a"},
			{"DS-000118", "a"},
			{"ds-0001", "a"},
			{"o'brien", "b"},
			{`"broken"`, "b"},
			{"& | ! ( ) : * '", ""},
			{"", ""},
			{"NEAR(drukarka)", ""},
			{"drukarka OR vpn", ""},
			{"nic takiego", ""},
		} {
			for _, scope := range []store.Scope{system.Within(organisation), {Organisations: []uuid.UUID{organisation, uuid.New()}}} {
				if err := s.View(t.Context(), scope, func(tx *store.Tx) error {
					hits, err := tx.Search("ticket", c.q, 10)
					if got := names(ids, hits); got != c.want {
						t.Errorf("%q found %q, want %q", c.q, got, c.want)
					}
					return err
				}); err != nil {
					t.Errorf("%q: %v", c.q, err)
				}
			}
		}

		// New words take the place of the old ones; a new time the place in the order.
		index(organisation, "ticket", "a", 9, "Skaner i drukarka")
		view(t, s, func(tx *store.Tx) error {
			hits, err := tx.Search("ticket", "dziala", 10)
			if len(hits) != 0 {
				t.Error("old words are found")
			}
			if err != nil {
				return err
			}
			hits, err = tx.Search("ticket", "druk", 2)
			if got := names(ids, hits); got != "a x" {
				t.Errorf("newest first: %q", got)
			}
			return err
		})
		update(t, s, func(tx *store.Tx) error { return tx.Forget("ticket", ids["a"]) })
		update(t, s, func(tx *store.Tx) error { return tx.Forget("ticket", ids["a"]) })
		view(t, s, func(tx *store.Tx) error {
			hits, err := tx.Search("ticket", "skaner", 10)
			if len(hits) != 0 {
				t.Error("forgotten words are found")
			}
			return err
		})
	})
}

func names(ids map[string]uuid.UUID, hits []store.Hit) string {
	var list []string
	for _, h := range hits {
		for name, id := range ids {
			if id == h.ID {
				list = append(list, name)
			}
		}
	}
	return strings.Join(list, " ")
}

// Both databases give the same answers to the same question about the same
// texts, in the same order.
func TestBothEnginesFindTheSame(t *testing.T) {
	engines := []*store.Store{storetest.Open(t, storetest.SQLite(t)), storetest.Open(t, storetest.Postgres(t))}
	for _, s := range engines {
		run(t, s, "CREATE TABLE item (id UUID PRIMARY KEY, number BIGINT NOT NULL)")
		for i := range 8 {
			update(t, s, func(tx *store.Tx) error {
				_, err := tx.Exec("INSERT INTO item (id, number) VALUES ($1, $2)", uuid.UUID{15: byte(i)}, i)
				return err
			})
		}
	}
	organisation := uuid.New()
	text := rapid.StringOf(rapid.OneOf(
		rapid.SampledFrom([]rune("aabbccąćłŁżŻóßÆøİıſKﬁǅ²½٣九あ 0129  --_'\"*:&|!().\t\n\u200b́ ")),
		rapid.Rune(),
	))
	rapid.Check(t, func(t *rapid.T) {
		documents := rapid.SliceOfN(text, 0, 6).Draw(t, "documents")
		questions := rapid.SliceOfN(text, 1, 6).Draw(t, "questions")
		for i, d := range documents { // ask for what is there, too
			if r := []rune(d); len(r) > 2 {
				questions = append(questions, d, string(r[:len(r)/2+1]), string(r[i%len(r):]))
			}
		}
		var answers [2]string
		for e, s := range engines {
			err := s.Update(t.Context(), system.Within(organisation), func(tx *store.Tx) error {
				answers[e] = ""
				for i := range 8 {
					if err := tx.Forget("thing", uuid.UUID{15: byte(i)}); err != nil {
						return err
					}
				}
				for i, d := range documents {
					at := time.UnixMicro(int64(i/2 + 1)) // pairs of the same time
					if err := tx.Index(organisation, "thing", uuid.UUID{15: byte(i)}, at, d); err != nil {
						return fmt.Errorf("indexing %q: %w", d, err)
					}
				}
				for _, q := range questions {
					hits, err := tx.Search("thing", q, 5)
					if err != nil {
						return fmt.Errorf("searching %q: %w", q, err)
					}
					answers[e] += fmt.Sprintf("%q: %v\n", q, hits)
					// A list finds the same, by another way.
					page, err := itemsMatching(tx, "thing", q, store.Request{})
					if err != nil {
						return fmt.Errorf("listing %q: %w", q, err)
					}
					if want := numbers(hits); q != "" && len(hits) < 5 && !slices.Equal(page.Items, want) {
						return fmt.Errorf("%s: %q is found in %v, and in %v of the list", s.Engine(), q, want, page.Items)
					}
				}
				return nil
			})
			if err != nil {
				t.Fatalf("%s: %v", s.Engine(), err)
			}
		}
		if answers[0] != answers[1] {
			t.Fatalf("SQLite:\n%s\nPostgreSQL:\n%s", answers[0], answers[1])
		}
	})
}

// A text of any length is indexed as far as it goes.
func TestSearchLongText(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var short, long strings.Builder
		for i := range 30_000 {
			fmt.Fprintf(&short, "w%d ", i)
			fmt.Fprintf(&long, "w%d%s ", i, strings.Repeat("ż", 40))
		}
		one := strings.Repeat("ą", 1<<20)
		for i, text := range []string{short.String(), long.String(), one} {
			update(t, s, func(tx *store.Tx) error {
				return tx.Index(uuid.Nil, "thing", uuid.UUID{15: byte(i + 1)}, time.UnixMicro(int64(i)), text)
			})
		}
		for q, want := range map[string]int{"w19999": 1, "w20001": 0, "w7": 2, "w7 w8": 1, "w5" + strings.Repeat("z", 40): 1, one: 1, strings.Repeat("ą", 100): 1,
			"w1 w2 w3 w4 w5 w6 w7 w8 w9 w10 w11 w12 w13 w14 w15 w16 notthere": 1} {
			view(t, s, func(tx *store.Tx) error {
				hits, err := tx.Search("thing", q, 10)
				if len(hits) != want {
					t.Errorf("%.40q found %d, want %d", q, len(hits), want)
				}
				return err
			})
		}
	})
}

// itemsMatching reads a page of a list of items whose words a search finds.
func itemsMatching(tx *store.Tx, kind, q string, r store.Request) (store.Page[int64], error) {
	l := store.List{Columns: "i.number", From: "item i", Key: "i.id", Sort: "number",
		Sorts: map[string][]store.Order{"number": {{Column: "i.number", Kind: store.Int}}}}
	l.Where("i.number >= ?", 0)
	l.Matching(kind, q)
	l.Where("i.number < ?", 100_000)
	return store.ReadPage(tx, &l, r, func(r *store.Rows) (n int64, err error) { return n, r.Scan(&n) })
}

// numbers are the last bytes of the ids of hits, in their order.
func numbers(hits []store.Hit) []int64 {
	all := []int64{}
	for _, h := range hits {
		all = append(all, int64(h.ID[15]))
	}
	slices.Sort(all)
	return all
}

func TestListMatching(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		organisation := uuid.New()
		run(t, s, "CREATE TABLE item (id UUID PRIMARY KEY, number BIGINT NOT NULL)")
		for i, text := range []string{"ala ma kota", "kot ma alę", "pies"} {
			id := uuid.New()
			update(t, s, func(tx *store.Tx) error {
				if _, err := tx.Exec("INSERT INTO item (id, number) VALUES ($1, $2)", id, i); err != nil {
					return err
				}
				return tx.Index(organisation, "item", id, tx.Now(), text)
			})
		}
		for q, want := range map[string][]int64{"": {0, 1, 2}, "kot": {0, 1}, "ala ma": {0}, "ale": {1}, "!": nil} {
			if err := s.View(t.Context(), system.Within(organisation), func(tx *store.Tx) error {
				page, err := itemsMatching(tx, "item", q, store.Request{})
				if !slices.Equal(page.Items, want) && len(page.Items)+len(want) > 0 || page.Total != int64(len(want)) {
					t.Errorf("%q: %v, total %d, want %v", q, page.Items, page.Total, want)
				}
				return err
			}); err != nil {
				t.Errorf("%q: %v", q, err)
			}
		}
	})
}

// A search of a long list finds what one of a short list finds, whether it finds
// few of many or many, and says how many as far as they are counted.
func TestLongListMatching(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const items = 3500
		organisation, other := uuid.New(), uuid.New()
		run(t, s, "CREATE TABLE item (id UUID PRIMARY KEY, number BIGINT NOT NULL)")
		update(t, s, func(tx *store.Tx) error {
			for i := range items {
				id := uuid.New()
				if _, err := tx.Exec("INSERT INTO item (id, number) VALUES ($1, $2)", id, i); err != nil {
					return err
				}
				of, text := organisation, fmt.Sprintf("all n%d", i)
				if i%100 == 7 {
					text += " hundredth"
				}
				if i%10 == 3 {
					of = other
				}
				if err := tx.Index(of, "item", id, tx.Now(), text); err != nil {
					return err
				}
				if err := tx.Index(of, "note", uuid.New(), tx.Now(), "note of a hundredth"); err != nil {
					return err
				}
			}
			return nil
		})
		for _, c := range []struct {
			q     string
			total int64
			over  bool
			first []int64
		}{
			{"all", 1000, true, []int64{0, 1, 2, 4}},
			{"al", 1000, true, []int64{0, 1, 2, 4}},
			{"all n24", 100, false, []int64{24, 240, 241, 242}},
			{"hundredth", 35, false, []int64{7, 107, 207, 307}},
			{"hundredth all", 35, false, []int64{7, 107, 207, 307}},
			{"hundredth n13", 1, false, []int64{1307}},
			{"note", 0, false, nil},
			{"n1203", 0, false, nil}, // of the other organisation
		} {
			if err := s.View(t.Context(), system.Within(organisation), func(tx *store.Tx) error {
				var got []int64
				r := store.Request{Limit: 3}
				for range 2 {
					page, err := itemsMatching(tx, "item", c.q, r)
					if err != nil {
						return err
					}
					if page.Total != c.total || page.Over != c.over {
						t.Errorf("%q: %d found, more: %t", c.q, page.Total, page.Over)
					}
					got = append(got, page.Items...)
					if r.Cursor = page.Next; page.Next == "" {
						break
					}
				}
				if !slices.Equal(got[:min(4, len(got))], c.first) {
					t.Errorf("%q: %v", c.q, got)
				}
				return nil
			}); err != nil {
				t.Errorf("%q: %v", c.q, err)
			}
		}
	})
}

// A database of before the words were kept beside the index has them read back
// from it: those that are there, not those that were.
func TestWordsReadBack(t *testing.T) {
	o := storetest.SQLite(t)
	s := storetest.Open(t, o)
	run(t, s, "CREATE TABLE item (id UUID PRIMARY KEY, number BIGINT NOT NULL)")
	update(t, s, func(tx *store.Tx) error {
		for i, texts := range [][]string{{"stary tekst", "Nowy, nowy tekst"}, {"tekst"}, {"tekst"}, {"--- !!!"}} {
			id := uuid.UUID{15: byte(i)}
			if _, err := tx.Exec("INSERT INTO item (id, number) VALUES ($1, $2)", id, i); err != nil {
				return err
			}
			for _, text := range texts {
				if err := tx.Index(uuid.Nil, "item", id, tx.Now(), text); err != nil {
					return err
				}
			}
		}
		return tx.Forget("item", uuid.UUID{15: 2})
	})
	run(t, s, "ALTER TABLE search DROP COLUMN words", "DELETE FROM schema_file WHERE name = '0103_search_spelled'")
	s = storetest.Open(t, o)
	for q, want := range map[string][]int64{"tekst": {0, 1}, "now": {0}, "stary": nil, "tekst nowy": {0}} {
		view(t, s, func(tx *store.Tx) error {
			page, err := itemsMatching(tx, "item", q, store.Request{})
			if !slices.Equal(page.Items, want) && len(page.Items)+len(want) > 0 {
				t.Errorf("%q: %v, want %v", q, page.Items, want)
			}
			return err
		})
	}
}
