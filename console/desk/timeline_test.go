package desk

import (
	"fmt"
	"slices"
	"testing"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

// A long timeline is read a page at a time from either end, each item once, and
// those that were written at the same moment keep their order.
func TestTimelinePages(t *testing.T) {
	const all = 1200
	each(t, func(t *testing.T, o *office) {
		ticket := o.open("a service that flaps")
		for at := 0; at < all; at += 300 { // of one moment each
			o.update(func(tx *store.Tx) error {
				for i := at; i < at+300; i++ {
					if err := Said(tx, ticket.ID, model.Item{Kind: model.ItemAlert, By: model.System, Text: fmt.Sprint(i)}); err != nil {
						return err
					}
				}
				return nil
			})
		}
		walk := func(sort string) (texts []string) {
			t.Helper()
			r := store.Request{Sort: sort, Limit: 500}
			for range 10 {
				var page store.Page[model.Item]
				err := o.store.View(t.Context(), o.scope, func(tx *store.Tx) (err error) {
					page, err = Timeline(tx, ticket.ID, r, string(model.ItemAlert))
					return err
				})
				if err != nil || page.Total != all {
					t.Fatalf("%d of %d items, %v", len(page.Items), page.Total, err)
				}
				for _, i := range page.Items {
					texts = append(texts, i.Text)
				}
				if r.Cursor = page.Next; r.Cursor == "" {
					return texts
				}
			}
			t.Fatal("the pages do not end")
			return nil
		}
		var want []string
		for i := range all {
			want = append(want, fmt.Sprint(i))
		}
		if got := walk("at"); !slices.Equal(got, want) {
			t.Errorf("from the oldest: %d items, not as they were written", len(got))
		}
		if got := walk(""); !slices.Equal(got, want) {
			t.Errorf("unasked: %d items, not as they were written", len(got))
		}
		slices.Reverse(want)
		if got := walk("-at"); !slices.Equal(got, want) {
			t.Errorf("from the newest: %d items, not as they were written", len(got))
		}
	})
}

// What comes and goes for ever leaves a timeline that ends; what people wrote in it
// stays.
func TestTimelineBounded(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ticket := o.open("a service that flaps")
		word := model.Item{Kind: model.ItemNote, By: model.Actor{Kind: model.ByTechnician, Name: "Anna"}, Text: "I saw it"}
		say := func(n int, i model.Item) {
			o.update(func(tx *store.Tx) error {
				for range n {
					if err := Said(tx, ticket.ID, i); err != nil {
						return err
					}
				}
				return nil
			})
		}
		say(1, word)
		for range 4 {
			for _, by := range []model.Actor{model.System, {Kind: model.ByMachine, Name: "pc"}} {
				say((toldMost+2*forgetEvery)/8, model.Item{Kind: model.ItemAlert, By: by, Text: "again"})
			}
		}
		word.Text = "and said so often"
		say(2*forgetEvery, word)
		o.update(func(tx *store.Tx) error {
			if err := Said(tx, ticket.ID, model.Item{Kind: model.ItemAlert, By: model.System, Text: "the newest"}); err != nil {
				return err
			}
			count := func(where string) (n int) {
				if err := tx.QueryRow("SELECT count(*) FROM ticket_item WHERE ticket_id = $1 AND {wall} AND "+where, ticket.ID).Scan(&n); err != nil {
					t.Fatal(err)
				}
				return n
			}
			if n := count("by_kind IN ('system', 'machine')"); n < toldMost || n > toldMost+forgetEvery {
				t.Errorf("%d lines of ours", n)
			}
			if count("text = 'I saw it'") != 1 || count("text = 'and said so often'") != 2*forgetEvery || count("text = 'the newest'") != 1 {
				t.Error("a person's words, or the newest line, are gone")
			}
			return nil
		})
	})
}
