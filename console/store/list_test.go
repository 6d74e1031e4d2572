package store_test

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/console/store/storetest"
	"github.com/google/uuid"
	"pgregory.net/rapid"
)

type item struct {
	id       uuid.UUID
	number   int64
	ratio    float64
	state    string
	nameSort []byte
}

func itemList() *store.List {
	return &store.List{
		Columns: "i.id, i.number, i.ratio, i.state, i.name_sort",
		From:    "item i", Key: "i.id",
		Sorts: map[string][]store.Order{
			"number": {{Column: "i.number", Kind: store.Int}},
			"ratio":  {{Column: "i.ratio", Kind: store.Float, Descending: true}},
			"worst":  {{Column: "i.state", Kind: store.Text, Descending: true}, {Column: "i.name_sort", Kind: store.Bytes}},
			"mixed":  {{Column: "i.number", Kind: store.Int}, {Column: "i.state", Kind: store.Text, Descending: true}, {Column: "i.ratio", Kind: store.Float}},
		},
		Sort: "worst",
	}
}

// compare is the order that a sort should give.
func (a item) compare(b item, sort string) int {
	name, turned := strings.CutPrefix(sort, "-")
	id := bytes.Compare(a.id[:], b.id[:])
	c := map[string]int{
		"number": cmp.Or(cmp.Compare(a.number, b.number), id),
		"ratio":  cmp.Or(-cmp.Compare(a.ratio, b.ratio), -id),
		"worst":  cmp.Or(-cmp.Compare(a.state, b.state), bytes.Compare(a.nameSort, b.nameSort), id),
		"mixed":  cmp.Or(cmp.Compare(a.number, b.number), -cmp.Compare(a.state, b.state), cmp.Compare(a.ratio, b.ratio), id),
	}[name]
	if turned {
		return -c
	}
	return c
}

func scanItem(r *store.Rows) (i item, err error) {
	return i, r.Scan(&i.id, &i.number, &i.ratio, &i.state, &i.nameSort)
}

// Pages put together are the whole list in its order, whatever the data, the
// sort and the size of a page; on both databases.
func TestPagesMakeTheList(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		domain := map[string]string{"sqlite": "TEXT", "postgres": "CTEXT"}[s.Engine()]
		blob := map[string]string{"sqlite": "BLOB", "postgres": "bytea"}[s.Engine()]
		run(t, s, "CREATE TABLE item (id UUID PRIMARY KEY, number BIGINT NOT NULL, ratio DOUBLE PRECISION NOT NULL, state "+domain+" NOT NULL, name_sort "+blob+" NOT NULL)")
		rapid.Check(t, func(t *rapid.T) {
			all := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) item {
				i := item{
					number: rapid.Int64Range(-2, 2).Draw(t, "number"),
					ratio:  rapid.SampledFrom([]float64{0, 0.1, 0.25, -1e300, 1e-300, 1.0 / 3}).Draw(t, "ratio"),
					state:  rapid.SampledFrom([]string{"", "a", "B", "b", "ą", "ź", "a b"}).Draw(t, "state"),
				}
				copy(i.id[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
				i.nameSort = store.SortKey(rapid.SampledFrom([]string{"", "Ala", "ala", "Łukasz", "pc-9", "pc-10"}).Draw(t, "name"))
				return i
			}), 0, 30, func(i item) uuid.UUID { return i.id }).Draw(t, "items")
			sort := rapid.SampledFrom([]string{"", "number", "-number", "ratio", "-ratio", "worst", "-worst", "mixed", "-mixed"}).Draw(t, "sort")
			limit := rapid.IntRange(1, 12).Draw(t, "limit")

			var want []item
			for _, i := range all {
				if i.number != 2 {
					want = append(want, i)
				}
			}
			slices.SortFunc(want, func(a, b item) int { return a.compare(b, cmp.Or(sort, "worst")) })

			var got []item
			err := s.Update(t.Context(), system, func(tx *store.Tx) error {
				got = nil
				if _, err := tx.Exec("DELETE FROM item"); err != nil {
					return err
				}
				for _, i := range all {
					if _, err := tx.Exec("INSERT INTO item (id, number, ratio, state, name_sort) VALUES ($1, $2, $3, $4, $5)", i.id, i.number, i.ratio, i.state, i.nameSort); err != nil {
						return err
					}
				}
				r := store.Request{Limit: limit, Sort: sort}
				for {
					l := itemList()
					l.Where("i.number <> ? AND i.number < ?", 2, 100)
					store.In(l, "i.number", []int64{-2, -1, 0, 1, 2})
					page, err := store.ReadPage(tx, l, r, scanItem)
					if err != nil {
						return err
					}
					if page.Total != int64(len(want)) {
						return fmt.Errorf("total %d, want %d", page.Total, len(want))
					}
					if page.Next != "" && len(page.Items) != limit {
						return fmt.Errorf("a page of %d items has a next one", len(page.Items))
					}
					got = append(got, page.Items...)
					if page.Next == "" {
						return nil
					}
					r.Cursor = page.Next
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.EqualFunc(got, want, func(a, b item) bool {
				return a.id == b.id && a.number == b.number && a.ratio == b.ratio && a.state == b.state && bytes.Equal(a.nameSort, b.nameSort)
			}) {
				t.Fatalf("got %v\nwant %v", got, want)
			}
		})
	})
}

func TestWrongRequests(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		run(t, s, "CREATE TABLE item (id UUID PRIMARY KEY, number BIGINT NOT NULL, ratio DOUBLE PRECISION NOT NULL, state TEXT NOT NULL, name_sort TEXT NOT NULL)")
		encode := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
		const id = `"00000000-0000-0000-0000-000000000000"`
		for _, c := range []struct {
			field string
			r     store.Request
		}{
			{"limit", store.Request{Limit: -1}},
			{"limit", store.Request{Limit: 501}},
			{"sort", store.Request{Sort: "name"}},
			{"sort", store.Request{Sort: "--number"}},
			{"sort", store.Request{Sort: "number; DROP TABLE item"}},
			{"cursor", store.Request{Cursor: "%%%"}},
			{"cursor", store.Request{Cursor: encode("{")}},
			{"cursor", store.Request{Cursor: encode(`{"s":"number","v":[1,` + id + `]}`)}}, // another sort
			{"cursor", store.Request{Sort: "number", Cursor: encode(`{"s":"number","v":[1]}`)}},
			{"cursor", store.Request{Sort: "number", Cursor: encode(`{"s":"number","v":["x",` + id + `]}`)}},
			{"cursor", store.Request{Sort: "number", Cursor: encode(`{"s":"number","v":[1.5,` + id + `]}`)}},
			{"cursor", store.Request{Sort: "number", Cursor: encode(`{"s":"number","v":[null,` + id + `]}`)}},
			{"cursor", store.Request{Sort: "number", Cursor: encode(`{"s":"number","v":[1,"x"]}`)}},
			{"cursor", store.Request{Sort: "worst", Cursor: encode(`{"s":"worst","v":["\u0000","",` + id + `]}`)}},
			{"cursor", store.Request{Sort: "number", Cursor: strings.Repeat("A", 20000)}},
		} {
			err := s.View(t.Context(), system, func(tx *store.Tx) error {
				_, err := store.ReadPage(tx, itemList(), c.r, scanItem)
				return err
			})
			var wrong *store.RequestError
			if !errors.As(err, &wrong) || wrong.Field != c.field {
				t.Errorf("%+v: %v", c.r, err)
			}
		}
	})
}

// A long list is counted up to a bound, and says that there are
// more.
func TestCountedUpTo(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		run(t, s, "CREATE TABLE item (id UUID PRIMARY KEY, number BIGINT NOT NULL)")
		rows := make([][]any, 10_001)
		for i := range rows {
			rows[i] = []any{uuid.New(), i}
		}
		for _, c := range []struct {
			rows [][]any
			over bool
		}{{rows[:10_000], false}, {rows[10_000:], true}} {
			update(t, s, func(tx *store.Tx) error {
				_, err := tx.Insert("INSERT INTO item (id, number)", c.rows, "")
				return err
			})
			view(t, s, func(tx *store.Tx) error {
				page, err := itemsMatching(tx, "", "", store.Request{Sort: "-number", Limit: 1})
				if page.Total != 10_000 || page.Over != c.over {
					t.Errorf("%d rows, more: %t", page.Total, page.Over)
				}
				return err
			})
		}
	})
}
