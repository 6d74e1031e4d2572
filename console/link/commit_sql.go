package link

import (
	"context"

	"github.com/google/uuid"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/protocol"
)

// markKey is one machine's mark of one class.
type markKey struct {
	machine model.ID
	class   protocol.Class
}

// marks tells how far the logs of an epoch are committed.
func (l *Lines) marks(ctx context.Context, from model.From, epoch model.ID) (map[protocol.Class]uint64, error) {
	marks := map[protocol.Class]uint64{}
	err := l.store.View(ctx, store.System("link"), func(tx *store.Tx) error {
		all, err := readMarks(tx, from.Machine, epoch)
		clear(marks)
		for key, n := range all {
			marks[key.class] = n
		}
		return err
	})
	return marks, err
}

func readMarks(tx *store.Tx, machine, epoch model.ID) (map[markKey]uint64, error) {
	rows, err := tx.Query("SELECT class, number FROM mark WHERE machine_id = $1 AND epoch = $2", machine, epoch)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	marks := map[markKey]uint64{}
	for rows.Next() {
		var class, number int64
		if err := rows.Scan(&class, &number); err != nil {
			return nil, err
		}
		marks[markKey{machine, protocol.Class(class)}] = uint64(number)
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
		marks := map[markKey]uint64{}
		moved := map[markKey]unit{}
		read := map[model.ID]bool{}
		for _, u := range units {
			machine := u.line.from.Machine
			if !read[machine] {
				more, err := readMarks(tx, machine, u.line.epoch)
				if err != nil {
					return err
				}
				for k, n := range more {
					marks[k] = n
				}
				read[machine] = true
			}
			for _, e := range u.entries {
				key := markKey{machine, e.Class}
				if e.Class.Log() {
					if e.Number <= marks[key] {
						continue // committed before
					}
					marks[key], moved[key] = e.Number, u
				}
				if e.wrong != nil {
					if err := keepRefused(tx, u, e); err != nil {
						return err
					}
					continue
				}
				all.add(u.line.from, e)
			}
		}
		for key, u := range moved {
			_, err := tx.Exec(`INSERT INTO mark (machine_id, class, epoch, number) VALUES ($1, $2, $3, $4)
				ON CONFLICT (machine_id, class) DO UPDATE SET epoch = excluded.epoch, number = excluded.number`,
				key.machine, int64(key.class), u.line.epoch, int64(marks[key]))
			if err != nil {
				return err
			}
		}
		return all.handle(tx, l.handlers)
	})
}

func keepRefused(tx *store.Tx, u unit, e entry) error {
	_, err := tx.Exec(`INSERT INTO refused_message (id, organisation_id, machine_id, class, number, at, problem, body)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		uuid.Must(uuid.NewV7()), u.line.from.Organisation, u.line.from.Machine, int64(e.Class), int64(e.Number),
		store.Micros(tx.Now()), protocol.Clean(e.wrong.Error()), []byte(e.Body))
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
