package link

import (
	"context"
	"fmt"
	"math"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/protocol"
)

// source is one epoch of a machine's outbox.
type source struct{ machine, epoch model.ID }

// markKey is the mark of one class of a source.
type markKey struct {
	source
	class protocol.Class
}

// mark says how far a log is committed, and by its digest with which entry.
type mark struct {
	number uint64
	digest []byte // empty when it is not known
}

// readMarks are the marks of machines, of all of their epochs.
func readMarks(tx *store.Tx, machines []model.ID) (map[source]map[protocol.Class]mark, error) {
	type row struct {
		source
		class, number int64
		digest        []byte
	}
	list, err := store.CollectIn(tx, func(r *store.Rows) (m row, err error) {
		return m, r.Scan(&m.machine, &m.epoch, &m.class, &m.number, &m.digest)
	}, "SELECT machine_id, epoch, class, number, digest FROM mark WHERE machine_id IN {ids}", machines)
	if err != nil {
		return nil, fmt.Errorf("read how far machines are: %w", err)
	}
	marks := map[source]map[protocol.Class]mark{}
	for _, m := range list {
		if marks[m.source] == nil {
			marks[m.source] = map[protocol.Class]mark{}
		}
		marks[m.source][protocol.Class(m.class)] = mark{uint64(m.number), m.digest}
	}
	return marks, nil
}

// told is what a transaction hands to the handlers, by class.
type told struct {
	transitions []model.Transition
	results     []model.Result
	changes     []model.Change
	journal     []model.JournalLine
	sections    []model.Section
	history     []model.HistoryRow
	losses      []model.Loss
}

// write commits units: their effects and the marks, together.
func (l *Lines) write(ctx context.Context, units []unit) error {
	return l.store.Update(ctx, store.System("link"), func(tx *store.Tx) error {
		var all told
		marks, err := readMarks(tx, machinesOf(units))
		if err != nil {
			return err
		}
		moved := map[markKey]bool{}
		fresh := map[model.ID]bool{} // machines that begin an epoch
		full := map[model.ID]bool{}  // machines of which something was refused
		for _, u := range units {
			of := source{u.line.from.Machine, u.line.epoch}
			at := marks[of]
			if at == nil {
				at = map[protocol.Class]mark{}
				marks[of], fresh[of.machine] = at, true
			}
			for _, e := range u.entries {
				if e.Class.Log() {
					if e.Number <= at[e.Class].number {
						continue // committed before
					}
					at[e.Class], moved[markKey{of, e.Class}] = mark{e.Number, e.Digest()}, true
				}
				if e.wrong != nil {
					full[of.machine] = true
					if err := refuseEntry(tx, u, e); err != nil {
						return err
					}
					continue
				}
				all.add(u.line.from, e)
			}
		}
		if err := writeMarks(tx, marks, moved); err != nil {
			return err
		}
		for machine := range fresh {
			if err := forgetEpochs(tx, machine); err != nil {
				return err
			}
		}
		for machine := range full {
			if err := boundRefused(tx, machine); err != nil {
				return err
			}
		}
		return all.handle(tx, l.handlers)
	})
}

// machinesOf are those that units are of, each once.
func machinesOf(units []unit) (list []model.ID) {
	seen := map[model.ID]bool{}
	for _, u := range units {
		if id := u.line.from.Machine; !seen[id] {
			list, seen[id] = append(list, id), true
		}
	}
	return list
}

func writeMarks(tx *store.Tx, marks map[source]map[protocol.Class]mark, moved map[markKey]bool) error {
	var rows [][]any
	for key := range moved {
		m := marks[key.source][key.class]
		if m.digest == nil {
			m.digest = []byte{}
		}
		rows = append(rows, []any{key.machine, key.epoch, int64(key.class), int64(m.number), m.digest, store.Micros(tx.Now())})
	}
	_, err := tx.Insert("INSERT INTO mark (machine_id, epoch, class, number, digest, at)", rows,
		"ON CONFLICT (machine_id, epoch, class) DO UPDATE SET number = excluded.number, digest = excluded.digest, at = excluded.at")
	if err != nil {
		return fmt.Errorf("write how far machines are: %w", err)
	}
	return nil
}

func (t *told) add(from model.From, e entry) {
	if lost := int64(min(e.Dropped, math.MaxInt64)); lost > 0 { // more than its number, if the numbers began anew since
		if e.Class.Log() { // of states none is lost: the newest is all there is
			t.losses = append(t.losses, model.Loss{From: from, Messages: lost})
		}
		return
	}
	switch body := e.body.(type) {
	case *protocol.Transition:
		t.transitions = append(t.transitions, transitionOf(from, body))
	case *protocol.Result:
		t.results = append(t.results, resultOf(from, body))
	case *protocol.Change:
		t.changes = append(t.changes, changeOf(from, body))
	case *protocol.JournalEntry:
		t.journal = append(t.journal, journalOf(from, body))
	case *protocol.Section:
		t.sections = append(t.sections, sectionOf(from, body))
	case *protocol.HistoryRow:
		t.history = append(t.history, historyOf(from, body))
	}
}

func (t *told) handle(tx *store.Tx, h Handlers) error {
	if err := each(tx, t.sections, h.Sections); err != nil {
		return err
	}
	if err := each(tx, t.changes, h.Changes); err != nil {
		return err
	}
	if err := each(tx, t.transitions, h.Transitions); err != nil {
		return err
	}
	if err := each(tx, t.results, h.Results); err != nil {
		return err
	}
	if err := each(tx, t.journal, h.Journal); err != nil {
		return err
	}
	if err := each(tx, t.losses, h.Losses); err != nil {
		return err
	}
	return each(tx, t.history, h.History)
}

func each[T any](tx *store.Tx, list []T, handle func(*store.Tx, []T) error) error {
	if len(list) == 0 {
		return nil
	}
	return handle(tx, list)
}
