package link

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/console/store/storetest"
	"github.com/deskside/deskside/protocol"
)

// post is what takes the changes of machines in a test.
type post struct {
	*Lines
	t     *testing.T
	taken []string // the items of the changes
	lost  []int64  // messages, each time that some were
}

func eachPost(t *testing.T, fn func(*testing.T, *post)) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		p := &post{Lines: New(s, Keys{}, model.NewID(), slog.New(slog.DiscardHandler)), t: t}
		p.SetHandlers(Handlers{Changes: func(_ *store.Tx, list []model.Change) error {
			for _, c := range list {
				if c.Item == "impossible" {
					return errors.New("an impossible change")
				}
			}
			for _, c := range list {
				p.taken = append(p.taken, c.Item)
			}
			return nil
		}, Losses: func(_ *store.Tx, list []model.Loss) error {
			for _, l := range list {
				p.lost = append(p.lost, l.Messages)
			}
			return nil
		}})
		fn(t, p)
	})
}

// commit commits units and waits until all of it is done.
func (p *post) commit(units ...unit) {
	p.commits.commit(p.t.Context(), units)
	p.commits.apart.Wait()
}

func (p *post) line(machine model.ID) *line {
	from := model.From{Organisation: model.NewID(), Machine: machine, At: time.Now()}
	return &line{lines: p.Lines, from: from, epoch: model.NewID(), closed: true}
}

func (p *post) entry(number uint64, item string) entry {
	p.t.Helper()
	body, err := protocol.Marshal(protocol.Change{Section: "os", Item: item})
	if err != nil {
		p.t.Fatal(err)
	}
	return decodeEntry(protocol.Entry{Class: protocol.ClassChange, Number: number, Body: body})
}

// at is where an epoch stands.
func (p *post) at(c *line) (uint64, []byte) {
	p.t.Helper()
	m := markOf(p.t, p.store, c.from.Machine, c.epoch)
	if len(m.digest) == 0 {
		return m.number, nil
	}
	return m.number, m.digest
}

// markOf is the mark of the changes of an epoch.
func markOf(t *testing.T, s *store.Store, machine, epoch model.ID) (m mark) {
	t.Helper()
	err := s.View(t.Context(), store.System("test"), func(tx *store.Tx) error {
		marks, err := readMarks(tx, []model.ID{machine})
		m = marks[source{machine, epoch}][protocol.ClassChange]
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func (p *post) count(query string, args ...any) (n int) {
	p.t.Helper()
	err := p.store.View(p.t.Context(), store.System("test"), func(tx *store.Tx) error { return tx.QueryRow(query, args...).Scan(&n) })
	if err != nil {
		p.t.Fatal(err)
	}
	return n
}

// A machine that begins a new epoch while a batch of the old one is on its way
// loses nothing of either, in one transaction or in two, whichever comes first.
func TestTwoEpochs(t *testing.T) {
	eachPost(t, func(t *testing.T, p *post) {
		machine := model.NewID()
		old, fresh := p.line(machine), p.line(machine)
		fresh.from = old.from
		olds := []entry{p.entry(1, "old 1"), p.entry(2, "old 2"), p.entry(3, "old 3")}
		news := []entry{p.entry(1, "new 1"), p.entry(2, "new 2")}
		p.commit(unit{line: old, entries: olds}, unit{line: fresh, entries: news})
		check := func(when string) {
			t.Helper()
			if len(p.taken) != 5 {
				t.Errorf("%s %q were taken", when, p.taken)
			}
			for c, last := range map[*line]entry{old: olds[2], fresh: news[1]} {
				if n, digest := p.at(c); n != last.Number || !bytes.Equal(digest, last.Digest()) || len(digest) != 16 {
					t.Errorf("%s an epoch is at %d with %x, not %d with %x", when, n, digest, last.Number, last.Digest())
				}
			}
		}
		check("together")
		p.commit(unit{line: old, entries: olds}) // late, and again
		p.commit(unit{line: fresh, entries: news}, unit{line: old, entries: olds[1:]})
		check("again")
	})
}

// The digest is that of the entry at the mark; one that stands for lost entries
// has none, and neither has a mark from before digests were kept.
func TestDigests(t *testing.T) {
	eachPost(t, func(t *testing.T, p *post) {
		c := p.line(model.NewID())
		p.commit(unit{line: c, entries: []entry{p.entry(1, "a"), p.entry(2, "b")}})
		garbage := decodeEntry(protocol.Entry{Class: protocol.ClassChange, Number: 3, Body: []byte("\x61x")})
		p.commit(unit{line: c, entries: []entry{garbage}})
		if n, digest := p.at(c); n != 3 || !bytes.Equal(digest, garbage.Digest()) {
			t.Errorf("at a refused one: %d with %x", n, digest)
		}
		p.commit(unit{line: c, entries: []entry{{Entry: protocol.Entry{Class: protocol.ClassChange, Number: 9, Dropped: 6}}}})
		if n, digest := p.at(c); n != 9 || digest != nil {
			t.Errorf("at lost ones: %d with %x", n, digest)
		}
		p.commit(unit{line: c, entries: []entry{p.entry(4, "late")}})
		if n, digest := p.at(c); n != 9 || digest != nil || len(p.taken) != 2 {
			t.Errorf("after one below the mark: %d with %x, %q", n, digest, p.taken)
		}
	})
}

// What a machine had to give up is counted once, also when its numbers began anew since.
func TestLosses(t *testing.T) {
	eachPost(t, func(t *testing.T, p *post) {
		c := p.line(model.NewID())
		gone := func(n, lost uint64) unit {
			return unit{line: c, entries: []entry{decodeEntry(protocol.Entry{Class: protocol.ClassChange, Number: n, Dropped: lost, Body: []byte("\x61x")})}}
		}
		p.commit(gone(9, 6), unit{line: c, entries: []entry{p.entry(10, "a")}})
		p.commit(gone(9, 6)) // again
		p.commit(gone(12, math.MaxUint64))
		p.commit(unit{line: c, entries: []entry{decodeEntry(protocol.Entry{Class: protocol.ClassHistory, Number: 1, Dropped: 5})}}) // counts for nothing
		if want := []int64{6, math.MaxInt64}; !slices.Equal(p.lost, want) || !slices.Equal(p.taken, []string{"a"}) {
			t.Errorf("%v lost, %q taken, want %v", p.lost, p.taken, want)
		}
	})
}

// What a machine can make us keep is bounded: refused messages by number and
// age, marks by epochs.
func TestBounded(t *testing.T) {
	eachPost(t, func(t *testing.T, p *post) {
		c, other := p.line(model.NewID()), p.line(model.NewID())
		garbage := func(n uint64) entry {
			return decodeEntry(protocol.Entry{Class: protocol.ClassChange, Number: n, Body: []byte("\x61x")})
		}
		p.commit(unit{line: other, entries: []entry{garbage(1)}})
		for n := uint64(1); n <= 130; n += 10 {
			var batch []entry
			for i := range uint64(10) {
				batch = append(batch, garbage(n+i))
			}
			p.commit(unit{line: c, entries: batch})
		}
		if n := p.count("SELECT count(*) FROM refused_message WHERE machine_id = $1", c.from.Machine); n != keepRefused {
			t.Errorf("%d refused messages of one machine are kept", n)
		}
		if n := p.count("SELECT min(number) FROM refused_message WHERE machine_id = $1", c.from.Machine); n != 31 {
			t.Errorf("the oldest kept is number %d", n)
		}
		if n := p.count("SELECT count(*) FROM refused_message WHERE machine_id = $1", other.from.Machine); n != 1 {
			t.Error("another machine's was deleted")
		}
		age := func(by time.Duration) {
			t.Helper()
			err := p.store.Update(t.Context(), store.System("test"), func(tx *store.Tx) error {
				if _, err := tx.Exec("UPDATE refused_message SET at = at - $1 WHERE machine_id = $2", by.Microseconds(), other.from.Machine); err != nil {
					return err
				}
				_, err := p.Age(t.Context(), tx, model.ID{})
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		age(29 * 24 * time.Hour)
		if n := p.count("SELECT count(*) FROM refused_message"); n != keepRefused+1 {
			t.Errorf("%d are left before their time", n)
		}
		age(2 * 24 * time.Hour)
		if n := p.count("SELECT count(*) FROM refused_message"); n != keepRefused {
			t.Errorf("%d are left after it", n)
		}
		for range 3 * keepEpochs {
			c.epoch = model.NewID()
			p.commit(unit{line: c, entries: []entry{p.entry(1, "of an epoch")}})
		}
		if n := p.count("SELECT count(*) FROM mark WHERE machine_id = $1", c.from.Machine); n != keepEpochs {
			t.Errorf("the marks of %d epochs are kept", n)
		}
		if n, _ := p.at(c); n != 1 {
			t.Error("and that of the last one is not among them")
		}
		if n, _ := p.at(other); n != 1 {
			t.Error("nor that of another machine")
		}
	})
}

// The end of a line is written until the database takes it, or the console goes
// down; not when a newer line has taken its place.
func TestLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(nil, Keys{}, uuid.New(), slog.New(slog.DiscardHandler))
		since := time.Now()
		var tries int
		fails := 4
		l.SetHandlers(Handlers{Disconnected: func(_ context.Context, _ model.From, at time.Time, _ model.OfflineReason, _ bool) error {
			if tries++; tries <= fails {
				return fmt.Errorf("write: %w", store.ErrUnavailable)
			}
			if !at.Equal(since) {
				t.Error("of another line")
			}
			return nil
		}})
		begin := func() *line {
			c := &line{lines: l, from: model.From{Machine: uuid.New()}}
			l.lines[c.from.Machine] = c
			return c
		}
		l.leave(t.Context(), begin(), since)
		if took := time.Since(since); tries != fails+1 || took != 15*time.Second {
			t.Errorf("%d tries within %v", tries, took)
		}
		replaced := begin()
		l.lines[replaced.from.Machine] = &line{lines: l}
		if l.leave(t.Context(), replaced, since); tries != fails+1 {
			t.Error("of a line that a newer one replaced")
		}
		delete(l.lines, replaced.from.Machine)
		fails = 1 << 30
		done := make(chan struct{})
		go func() {
			l.leave(t.Context(), begin(), since)
			close(done)
		}()
		time.Sleep(time.Hour)
		l.closeAll()
		<-done
	})
}

// A console that goes down has not failed to read what is pending.
func TestFlushGoingDown(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var said bytes.Buffer
		l := New(s, Keys{}, uuid.New(), slog.New(slog.NewTextHandler(&said, nil)))
		unknown := func(ctx context.Context, _ model.ID) (model.Machine, error) { return model.Machine{}, ctx.Err() }
		l.SetHandlers(Handlers{Machine: unknown, Pending: []func(*store.Tx, model.From) ([]model.Act, error){
			func(*store.Tx, model.From) ([]model.Act, error) { return nil, nil }}})
		c := &line{lines: l, from: model.From{Machine: uuid.New()}, told: map[model.ID]bool{}}
		l.lines[c.from.Machine] = c
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if l.Flush(ctx, c.from.Machine); said.Len() > 0 {
			t.Errorf("it says %s", said.String())
		}
	})
}

// TestFlushWaiting: those that a source names are sent what is pending, and nobody
// else's work is read; while the sources cannot be read nothing is sent.
func TestFlushWaiting(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		l := New(s, Keys{}, uuid.New(), slog.New(slog.DiscardHandler))
		var waits, idle, away = uuid.New(), uuid.New(), uuid.New()
		for _, id := range []model.ID{waits, idle} {
			l.lines[id] = &line{lines: l, from: model.From{Machine: id}, told: map[model.ID]bool{}, welcomed: true}
		}
		var read []model.ID
		var broken error
		l.SetHandlers(Handlers{
			Machine: func(context.Context, model.ID) (model.Machine, error) { return model.Machine{}, nil },
			Pending: []func(*store.Tx, model.From) ([]model.Act, error){
				func(_ *store.Tx, from model.From) ([]model.Act, error) {
					read = append(read, from.Machine)
					return nil, nil
				}},
			Waiting: []func(*store.Tx, model.ID, []model.ID) ([]model.ID, error){
				func(_ *store.Tx, node model.ID, among []model.ID) ([]model.ID, error) {
					if node != l.node || among != nil {
						t.Errorf("asked for the node %v among %v", node, among)
					}
					return []model.ID{waits, away}, nil
				},
				func(*store.Tx, model.ID, []model.ID) ([]model.ID, error) { return []model.ID{waits}, broken }},
		})
		l.FlushWaiting(t.Context())
		if len(read) != 1 || read[0] != waits {
			t.Errorf("read for %v, want %v", read, waits)
		}
		broken = errors.New("broken")
		if l.FlushWaiting(t.Context()); len(read) != 1 {
			t.Errorf("read for %v while the sources are broken", read)
		}
	})
}

// What is pending is read together; where one source cannot be read, the others are.
func TestPendingApart(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		l := New(s, Keys{}, uuid.New(), slog.New(slog.DiscardHandler))
		broken := false
		l.SetHandlers(Handlers{Pending: []func(*store.Tx, model.From) ([]model.Act, error){
			func(tx *store.Tx, from model.From) ([]model.Act, error) {
				if !broken {
					return []model.Act{{ID: model.NewID(), Machine: from}}, nil
				}
				_, err := tx.Exec("SELECT nonsense FROM nowhere")
				return nil, err
			},
			func(tx *store.Tx, from model.From) ([]model.Act, error) {
				var n int
				err := tx.QueryRow("SELECT count(*) FROM due").Scan(&n)
				return []model.Act{{ID: model.NewID(), Machine: from}}, err
			},
		}})
		from := model.From{Organisation: model.NewID(), Machine: model.NewID()}
		if acts := l.pending(t.Context(), from); len(acts) != 2 {
			t.Errorf("%d acts of two sources", len(acts))
		}
		broken = true
		if acts := l.pending(t.Context(), from); len(acts) != 1 {
			t.Errorf("%d acts when one of two sources is broken", len(acts))
		}
	})
}

// A line that lives long remembers what it sent only while that is pending, and yet sends
// nothing twice.
func TestTold(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		l := New(s, Keys{Stamp: ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))}, uuid.New(), slog.New(slog.DiscardHandler))
		from := model.From{Organisation: model.NewID(), Machine: model.NewID()}
		var rows []model.Act // what is pending
		sent := map[model.ID]int{}
		l.SetHandlers(Handlers{
			Machine: func(context.Context, model.ID) (model.Machine, error) { return model.Machine{}, nil },
			Pending: []func(*store.Tx, model.From) ([]model.Act, error){
				func(*store.Tx, model.From) ([]model.Act, error) { return slices.Clone(rows), nil }},
			Sent: func(_ context.Context, a model.Act) { sent[a.ID]++ },
		})
		c := &line{lines: l, from: from, told: map[model.ID]bool{}, welcomed: true, scheduled: true} // nobody writes
		l.lines[from.Machine] = c
		act := func() model.Act {
			return model.Act{ID: model.NewID(), Machine: from, Expires: s.Now().Add(time.Hour), Body: &model.CheckNow{}}
		}
		slow := act() // is pending from the beginning to the end
		rows = []model.Act{slow}
		l.Flush(t.Context(), from.Machine)
		for i := range 1000 {
			a := act()
			rows = append(rows, a)
			if l.Tell(t.Context(), []model.Act{a}); i%300 == 0 {
				l.Flush(t.Context(), from.Machine)
			}
			c.next() // written
			if len(rows) > 10 {
				rows = append(rows[:1], rows[2:]...) // the machine has answered the oldest but the slow one
			}
			if len(c.told) > maxTold {
				t.Fatalf("%d acts are remembered, of which %d are pending", len(c.told), len(rows))
			}
		}
		if len(sent) != 1001 {
			t.Errorf("%d acts were sent, not 1001", len(sent))
		}
		for id, n := range sent {
			if n != 1 {
				t.Errorf("an act was sent %d times (slow: %t)", n, id == slow.ID)
			}
		}
	})
}

// A line is silent when its deadline passes, not when it breaks, nor when this console
// stood still and only then looks.
func TestWasSilent(t *testing.T) {
	late := &net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}
	for _, tc := range []struct {
		err    error
		after  time.Duration
		silent bool
	}{{late, time.Millisecond, true}, {late, time.Minute, false}, {io.EOF, 0, false}, {net.ErrClosed, 0, false}} {
		if got := wasSilent(tc.err, tc.after); got != tc.silent {
			t.Errorf("%v, %v late: %t", tc.err, tc.after, got)
		}
	}
}
