package fleet

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

// TestPendingOf: a question goes out through the node that holds a machine's line,
// to those that have not answered and were not expelled meanwhile. An answer that
// cannot be kept takes no other along.
func TestPendingOf(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		here, there := model.NewID(), model.NewID()
		waits, _ := y.machine(here)
		answered, _ := y.machine(here)
		expelled, _ := y.machine(here)
		elsewhere, _ := y.machine(there)
		q, err := y.Ask(t.Context(), system.Within(y.ours), y.ours, "memory.used", Audience{Every: true})
		if err != nil || q.Asked != 4 {
			t.Fatalf("asked %d: %v", q.Asked, err)
		}
		if _, err := y.Revoke(t.Context(), system, expelled.Machine.String(), nil); err != nil {
			t.Fatal(err)
		}
		y.TakeAnswers(t.Context(), []model.Answer{
			{From: waits, Question: q.ID, Rows: []byte("[]"), Error: "\x00"},
			{From: answered, Question: q.ID, Rows: []byte("[]")},
			{From: elsewhere, Question: model.NewID(), Rows: []byte("[]")},
		})
		pending := func(node model.ID) (list []model.ID) {
			t.Helper()
			acts, err := y.PendingOf(t.Context(), q.ID, node)
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range acts {
				if a.ID != q.ID || a.Body.(*model.Ask).Expression != "memory.used" || a.Machine.Organisation != y.ours || !a.Expires.Equal(q.EndsAt) {
					t.Errorf("%+v", a)
				}
				list = append(list, a.Machine.Machine)
			}
			return list
		}
		waiting := func(node model.ID) (list []model.ID) {
			t.Helper()
			y.update(func(tx *store.Tx) (err error) {
				list, err = y.Waiting(tx, node, nil)
				some, err2 := y.Waiting(tx, node, list)
				none, err3 := y.Waiting(tx, node, []model.ID{model.NewID()})
				if len(none) > 0 || !slices.Equal(sorted(some), sorted(list)) {
					t.Errorf("of all %v wait, among these %v, among others %v", list, some, none)
				}
				return errors.Join(err, err2, err3)
			})
			return list
		}
		for node, want := range map[model.ID][]model.ID{here: {waits.Machine, expelled.Machine}, there: {elsewhere.Machine}} {
			for _, id := range want {
				if got := waiting(node); !slices.Contains(got, id) {
					t.Errorf("%v is not among those that wait: %v", id, got)
				}
			}
		}
		if got := pending(here); len(got) != 1 || got[0] != waits.Machine {
			t.Errorf("here %v, want %v", got, waits.Machine)
		}
		if got := pending(there); len(got) != 1 || got[0] != elsewhere.Machine {
			t.Errorf("there %v, want %v", got, elsewhere.Machine)
		}
	})
}

func sorted(list []model.ID) []model.ID {
	return slices.SortedFunc(slices.Values(list), func(a, b model.ID) int { return bytes.Compare(a[:], b[:]) })
}

// A machine that is named twice is asked once, and answers once; nobody answers who is
// not asked; those that did not answer in time come after those that did.
func TestAskedOnce(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		node := model.NewID()
		quick, _ := y.machine(node)
		slow, _ := y.machine(node)
		q, err := y.Ask(t.Context(), system.Within(y.ours), y.ours, "true", Audience{Machines: []model.ID{slow.Machine, quick.Machine, slow.Machine}})
		if err != nil || q.Asked != 2 {
			t.Fatalf("asked %d: %v", q.Asked, err)
		}
		stranger, _ := y.machine(node)
		y.TakeAnswers(t.Context(), []model.Answer{
			{From: quick, Question: q.ID, Rows: []byte("[1]")}, {From: quick, Question: q.ID, Rows: []byte("[2]")},
			{From: stranger, Question: q.ID, Rows: []byte("[3]")},
		})
		y.TakeAnswers(t.Context(), []model.Answer{{From: quick, Question: q.ID, Rows: []byte("[4]")}})
		y.update(func(tx *store.Tx) error { _, err := y.QuestionEnded(t.Context(), tx, q.ID); return err })
		var page store.Page[AnswerOf]
		y.update(func(tx *store.Tx) (err error) { page, err = Answers(tx, q.ID, store.Request{}); return err })
		if len(page.Items) != 2 || page.Items[0].Machine != quick.Machine || string(page.Items[0].Rows) != "[1]" || page.Items[1].Error == "" {
			t.Errorf("in the order of arrival: %+v", page.Items)
		}
	})
}
