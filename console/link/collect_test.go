package link

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/console/store/storetest"
	"github.com/deskside/deskside/protocol"
)

// A mark says "everything up to here": after a batch that the database did not
// take, a later one of the same line must not be written, or the machine would
// throw the first away. Another line's is, and so is all of it on the next line.
func TestNothingPassesALostBatch(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		gone := true
		l := New(s, Keys{}, model.NewID(), slog.New(slog.NewTextHandler(t.Output(), nil)))
		l.SetHandlers(Handlers{Changes: func(*store.Tx, []model.Change) error {
			if gone {
				return fmt.Errorf("write changes: %w", store.ErrUnavailable)
			}
			return nil
		}})
		from, epoch := model.From{Organisation: model.NewID(), Machine: model.NewID(), At: time.Now()}, model.NewID()
		connect := func(from model.From) *line { return &line{lines: l, from: from, epoch: epoch, closed: true} }
		batch := func(c *line, number uint64) []unit {
			body, err := protocol.Marshal(protocol.Change{Section: "os", Item: "version", Before: "1", After: "2"})
			if err != nil {
				t.Fatal(err)
			}
			return []unit{{line: c, entries: []entry{decodeEntry(protocol.Entry{Class: protocol.ClassChange, Number: number, Body: body})}}}
		}
		expect := func(what string, from model.From, number uint64) {
			t.Helper()
			marks, _, err := l.marks(t.Context(), from, epoch)
			if err != nil || marks[protocol.ClassChange] != number {
				t.Errorf("%s: the mark is %d, not %d (%v)", what, marks[protocol.ClassChange], number, err)
			}
		}
		commit := func(units []unit) {
			l.commits.commit(t.Context(), units)
			l.commits.apart.Wait()
		}
		c := connect(from)
		commit(batch(c, 1))
		gone = false
		commit(batch(c, 2))
		expect("after a batch that was not written", from, 0)

		other := from
		other.Machine = model.NewID()
		commit(append(batch(c, 3), batch(connect(other), 1)...))
		expect("after it, together with another machine", from, 0)
		expect("the other machine", other, 1)

		next := connect(from)
		commit(batch(next, 1))
		commit(batch(next, 2))
		expect("on the next line", from, 2)
	})
}
