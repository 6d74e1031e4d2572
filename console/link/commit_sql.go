package link

import (
	"context"
	"maps"

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

// marks tells how far the logs of an epoch are committed, and the digests of the
// entries at the marks as far as they are known.
func (l *Lines) marks(ctx context.Context, from model.From, epoch model.ID) (map[protocol.Class]uint64, map[protocol.Class][]byte, error) {
	marks, digests := map[protocol.Class]uint64{}, map[protocol.Class][]byte{}
	err := l.store.View(ctx, store.System("link"), func(tx *store.Tx) error {
		all, err := readMarks(tx, source{from.Machine, epoch})
		clear(marks)
		clear(digests)
		for key, m := range all {
			marks[key.class] = m.number
			if len(m.digest) > 0 {
				digests[key.class] = m.digest
			}
		}
		return err
	})
	return marks, digests, err
}

func readMarks(tx *store.Tx, of source) (map[markKey]mark, error) {
	rows, err := tx.Query("SELECT class, number, digest FROM mark WHERE machine_id = $1 AND epoch = $2", of.machine, of.epoch)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	marks := map[markKey]mark{}
	for rows.Next() {
		var class, number int64
		var m mark
		if err := rows.Scan(&class, &number, &m.digest); err != nil {
			return nil, err
		}
		m.number = uint64(number)
		marks[markKey{of, protocol.Class(class)}] = m
	}
	return marks, rows.Err()
}

// told is what a transaction hands to the handlers, by class.
type told struct {
	transitions []model.Transition
	results     []model.Result
	changes     []model.Change
	journal     []model.JournalLine
	sections    []model.Section
	history     []model.HistoryRow
}

// write commits units: their effects and the marks, together.
func (l *Lines) write(ctx context.Context, units []unit) error {
	return l.store.Update(ctx, store.System("link"), func(tx *store.Tx) error {
		var all told
		marks := map[markKey]mark{}
		moved := map[markKey]bool{}
		read := map[source]bool{}
		fresh := map[model.ID]bool{} // machines that begin an epoch
		full := map[model.ID]bool{}  // machines of which something was refused
		for _, u := range units {
			of := source{u.line.from.Machine, u.line.epoch}
			if !read[of] {
				more, err := readMarks(tx, of)
				if err != nil {
					return err
				}
				maps.Copy(marks, more)
				read[of] = true
				fresh[of.machine] = fresh[of.machine] || len(more) == 0
			}
			for _, e := range u.entries {
				key := markKey{of, e.Class}
				if e.Class.Log() {
					if e.Number <= marks[key].number {
						continue // committed before
					}
					marks[key], moved[key] = mark{e.Number, e.Digest()}, true
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
		for key := range moved {
			if err := writeMark(tx, key, marks[key]); err != nil {
				return err
			}
		}
		for machine, begins := range fresh {
			if begins {
				if err := forgetEpochs(tx, machine); err != nil {
					return err
				}
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

func writeMark(tx *store.Tx, key markKey, m mark) error {
	if m.digest == nil {
		m.digest = []byte{}
	}
	_, err := tx.Exec(`INSERT INTO mark (machine_id, epoch, class, number, digest, at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (machine_id, epoch, class) DO UPDATE SET number = excluded.number, digest = excluded.digest, at = excluded.at`,
		key.machine, key.epoch, int64(key.class), int64(m.number), m.digest, store.Micros(tx.Now()))
	return err
}

func (t *told) add(from model.From, e entry) {
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
	return each(tx, t.history, h.History)
}

func each[T any](tx *store.Tx, list []T, handle func(*store.Tx, []T) error) error {
	if len(list) == 0 {
		return nil
	}
	return handle(tx, list)
}
