package link

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/protocol"
)

// collectMost is after how many entries a transaction takes no further batch: more
// of them share a commit and its statements, and hold up whoever comes next.
const collectMost = 1000

// collector turns the batches of many machines into few transactions: what comes
// while one is being written goes into the next. So whoever comes alone does not
// wait, and many together share.
//
// A line has one batch here at a time: whoever tells much takes turns with the
// others, and holds no more memory than they.
type collector struct {
	lines *Lines
	in    chan unit
	done  chan struct{}
	apart sync.WaitGroup // batches whose entries are written one by one
}

// unit is one batch of one machine.
type unit struct {
	line    *line
	entries []entry
	over    chan<- struct{} // closed when it was written, or given up; nil where nobody waits
}

func (u unit) end() {
	if u.over != nil {
		close(u.over)
	}
}

// entry is one durable message with its body decoded, so that a transaction
// which runs again does not decode again.
type entry struct {
	protocol.Entry
	body  any   // *protocol.Transition and so on
	wrong error // the body cannot be read
}

func newCollector(l *Lines) *collector {
	return &collector{lines: l, in: make(chan unit, 64), done: make(chan struct{})}
}

// receiveBatch hands a batch to the collector, after the one before is done.
func (c *line) receiveBatch(ctx context.Context, m protocol.Message) error {
	if c.before != nil {
		select {
		case <-c.before:
		case <-c.lines.commits.done:
			return errGoodbye
		}
	}
	var b protocol.Batch
	if err := protocol.Unmarshal(m.Body, &b); err != nil {
		return err
	}
	if len(b.Entries) > protocol.MaxBatch {
		return protocol.Refused{Code: protocol.CodeMalformed, Text: "A batch with too many entries."}
	}
	over := make(chan struct{})
	u := unit{line: c, over: over}
	for _, e := range b.Entries {
		u.entries = append(u.entries, decodeEntry(e))
	}
	select {
	case c.lines.commits.in <- u:
		c.before = over
		return nil
	case <-c.lines.commits.done:
		return errGoodbye
	}
}

func decodeEntry(e protocol.Entry) entry {
	out := entry{Entry: e}
	if e.Dropped > 0 {
		return out
	}
	switch e.Class {
	case protocol.ClassTransition:
		out.body = new(protocol.Transition)
	case protocol.ClassResult:
		out.body = new(protocol.Result)
	case protocol.ClassChange:
		out.body = new(protocol.Change)
	case protocol.ClassJournal:
		out.body = new(protocol.JournalEntry)
	case protocol.ClassFacts:
		out.body = new(protocol.Section)
	case protocol.ClassHistory:
		out.body = new(protocol.HistoryRow)
	default:
		return out // a class of a newer agent: acknowledged, and skipped
	}
	out.wrong = protocol.Unmarshal(e.Body, out.body)
	return out
}

func (c *collector) run(ctx context.Context) {
	defer close(c.done)
	defer c.apart.Wait()
	for {
		select {
		case <-ctx.Done():
			return
		case first := <-c.in:
			c.commit(context.WithoutCancel(ctx), c.gather(first))
		}
	}
}

// gather takes along what other machines have said by now.
func (c *collector) gather(first unit) []unit {
	units, n := []unit{first}, len(first.entries)
	for n < collectMost {
		select {
		case u := <-c.in:
			units = append(units, u)
			n += len(u.entries)
		default:
			return units
		}
	}
	return units
}

// commit writes the units, together if it can, and acknowledges what is
// written. What fails together is tried apart, so that one machine's nonsense
// stops nobody else.
//
// Marks say "everything up to here", so after a batch that was not written
// nothing more of that line is: the machine tells it all again on its next line.
func (c *collector) commit(ctx context.Context, units []unit) {
	units = slices.DeleteFunc(units, func(u unit) bool {
		if u.line.gaveUp {
			u.end()
		}
		return u.line.gaveUp
	})
	if len(units) == 0 {
		return
	}
	err := c.lines.write(ctx, units)
	switch {
	case err == nil:
		for _, u := range units {
			u.acknowledge()
			u.end()
		}
	case errors.Is(err, store.ErrUnavailable):
		c.lines.log.Error("cannot commit what machines tell; they will tell it again", "error", err)
		for _, u := range units {
			u.giveUp()
			u.end()
		}
	case len(units) > 1:
		for _, u := range units {
			c.commit(ctx, []unit{u})
		}
	default: // each entry costs a transaction or two, for which the others do not wait
		c.apart.Go(func() {
			c.commitApart(ctx, units[0])
			units[0].end()
		})
	}
}

// commitApart writes the entries of one batch one by one; one that fails alone
// is kept as refused.
func (c *collector) commitApart(ctx context.Context, u unit) {
	refused, why := 0, error(nil)
	for i := range u.entries {
		one := unit{line: u.line, entries: u.entries[i : i+1]}
		err := c.lines.write(ctx, []unit{one})
		if e := &one.entries[0]; err != nil && e.wrong == nil && !errors.Is(err, store.ErrUnavailable) {
			e.wrong = err
			refused, why = refused+1, err
			err = c.lines.write(ctx, []unit{one})
		}
		if err != nil { // it cannot even be kept as refused
			c.lines.log.Error("a message of a machine cannot be kept; it will tell it again", "machine", u.line.from.Machine,
				"class", one.entries[0].Class.String(), "number", one.entries[0].Number, "error", err)
			u.giveUp()
			break
		}
		one.acknowledge()
	}
	if refused > 0 {
		c.lines.log.Warn("messages of a machine are refused", "machine", u.line.from.Machine, "count", refused, "error", shortly(why))
	}
}

func (u unit) giveUp() {
	u.line.gaveUp = true
	u.line.close()
}

// acknowledge tells the machine how far its messages are on our disk.
func (u unit) acknowledge() {
	ack := protocol.Ack{Marks: map[protocol.Class]uint64{}, States: map[string]uint64{}}
	for _, e := range u.entries {
		if e.Class.Log() {
			ack.Marks[e.Class] = max(ack.Marks[e.Class], e.Number)
		} else {
			ack.States[e.Class.String()+"/"+e.Key] = e.Revision
		}
	}
	u.line.put(protocol.KindAck, ack)
}
