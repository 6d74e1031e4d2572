package link

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
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
			if at := markOf(t, s, from.Machine, epoch).number; at != number {
				t.Errorf("%s: the mark is %d, not %d", what, at, number)
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

// tell hands two changes to the collector.
func (c *line) tell(number uint64, item string) error {
	body := must(protocol.Marshal(protocol.Change{Section: "os", Item: item}))
	batch := protocol.Batch{Entries: []protocol.Entry{{Class: protocol.ClassChange, Number: number, Body: body}, {Class: protocol.ClassChange, Number: number + 1, Body: body}}}
	return c.receiveBatch(context.Background(), protocol.Message{Body: must(protocol.Marshal(batch))})
}

// Whoever tells much takes turns with the others: a line has one batch with the
// collector.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(nil, Keys{}, model.NewID(), slog.New(slog.DiscardHandler))
		c, told := &line{lines: l}, 0
		go func() {
			for n := range uint64(3) {
				if err := c.tell(2*n+1, "much"); err != nil {
					t.Error(err)
				}
				told++
			}
		}()
		for n := 1; n <= 3; n++ {
			if synctest.Wait(); len(l.commits.in) != 1 || told != n {
				t.Fatalf("%d batches of one line wait, %d were told", len(l.commits.in), told)
			}
			u := <-l.commits.in
			u.end()
		}
	})
}

// A batch whose entries are written one by one keeps nobody else waiting.
func TestApart(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		l := New(s, Keys{}, model.NewID(), slog.New(slog.DiscardHandler))
		hold := make(chan struct{})
		l.SetHandlers(Handlers{Changes: func(_ *store.Tx, list []model.Change) error {
			for _, c := range list {
				if c.Item != "impossible" {
					continue
				}
				if len(list) == 1 {
					<-hold
				}
				return errors.New("an impossible change")
			}
			return nil
		}})
		connect := func() *line {
			from := model.From{Organisation: model.NewID(), Machine: model.NewID(), At: time.Now()}
			return &line{lines: l, from: from, epoch: model.NewID(), closed: true}
		}
		bad, good := connect(), connect()
		for c, item := range map[*line]string{bad: "impossible", good: "good"} {
			if err := c.tell(1, item); err != nil {
				t.Fatal(err)
			}
		}
		units := []unit{<-l.commits.in, <-l.commits.in}
		if units[0].line == good {
			units[0], units[1] = units[1], units[0]
		}
		l.commits.commit(t.Context(), units[:1]) // returns, though what it began is held
		if s.Engine() == "sqlite" {              // which has one writer
			close(hold)
		}
		l.commits.commit(t.Context(), units[1:])
		if s.Engine() != "sqlite" {
			close(hold)
		}
		l.commits.apart.Wait()
		for _, c := range []*line{bad, good} {
			if at := markOf(t, s, c.from.Machine, c.epoch).number; at != 2 {
				t.Errorf("the mark is %d, not 2", at)
			}
		}
	})
}

// A machine that streams faster than it may is heard now and then.
func TestLiveIsSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(nil, Keys{}, model.NewID(), slog.New(slog.DiscardHandler))
		heard := 0
		l.SetHandlers(Handlers{Live: func(model.Live) { heard++ }})
		c := &line{lines: l}
		for range 1000 {
			if err := c.receiveVolatile(t.Context(), protocol.Message{Kind: protocol.KindLive, Body: must(protocol.Marshal(protocol.Live{}))}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Millisecond)
		}
		if heard != 20 {
			t.Errorf("it is heard %d times in ten seconds", heard)
		}
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// However many pages look at a machine, it is told so once a second, and its line has
// room for what else is said.
func TestWatchedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, told := new(line), 0
		if c.watch() {
			t.Error("told before the welcome")
		}
		c.welcomed = true
		for range 10_000 {
			if c.watch() {
				told++
			}
			time.Sleep(time.Millisecond)
		}
		if told != 10 {
			t.Errorf("told %d times in ten seconds", told)
		}
	})
}
