package link

import (
	"context"
	"errors"
	"slices"

	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/protocol"
)

// collectMost is after how many entries a transaction takes no further batch.
const collectMost = 200

// collector turns the batches of many machines into few transactions: what comes
// while one is being written goes into the next. So whoever comes alone does not
// wait, and many together share.
type collector struct {
	lines *Lines
	in    chan unit
	done  chan struct{}
}

// unit is one batch of one machine.
type unit struct {
	line    *line
	entries []entry
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

func (c *line) receiveBatch(ctx context.Context, m protocol.Message) error {
	var b protocol.Batch
	if err := protocol.Unmarshal(m.Body, &b); err != nil {
		return err
	}
	if len(b.Entries) > protocol.MaxBatch {
		return protocol.Refused{Code: protocol.CodeMalformed, Text: "A batch with too many entries."}
	}
	u := unit{line: c}
	for _, e := range b.Entries {
		u.entries = append(u.entries, decodeEntry(e))
	}
	select {
	case c.lines.commits.in <- u:
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
	units = slices.DeleteFunc(units, func(u unit) bool { return u.line.gaveUp })
	if len(units) == 0 {
		return
	}
	err := c.lines.write(ctx, units)
	if err == nil {
		for _, u := range units {
			u.acknowledge()
		}
		return
	}
	if errors.Is(err, store.ErrUnavailable) || ctx.Err() != nil {
		c.lines.log.Error("cannot commit what machines tell; they will tell it again", "error", err)
		for _, u := range units {
			u.giveUp()
		}
		return
	}
	if len(units) > 1 {
		for _, u := range units {
			c.commit(ctx, []unit{u})
		}
		return
	}
	c.commitApart(ctx, units[0], err)
}

// commitApart writes the entries of one batch one by one; one that fails alone
// is kept as refused.
func (c *collector) commitApart(ctx context.Context, u unit, err error) {
	if len(u.entries) == 1 {
		e := &u.entries[0]
		if e.wrong != nil { // it cannot even be kept as refused
			c.lines.log.Error("a message of a machine cannot be kept; it will tell it again", "machine", u.line.from.Machine,
				"class", e.Class.String(), "number", e.Number, "error", err)
			u.giveUp()
			return
		}
		c.lines.log.Warn("a message of a machine is refused", "machine", u.line.from.Machine,
			"class", e.Class.String(), "number", e.Number, "error", err)
		e.wrong = err
		c.commit(ctx, []unit{u})
		return
	}
	for _, e := range u.entries {
		c.commit(ctx, []unit{{line: u.line, entries: []entry{e}}})
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
