package fleet

import (
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/protocol/expression"
)

// maxSection is how many bytes of one section are kept.
const maxSection = 1 << 20

// TakeSections keeps new states of sections of facts. A section that cannot be
// read is refused whole.
func (f *Fleet) TakeSections(tx *store.Tx, list []model.Section) error {
	for _, s := range list {
		if len(s.Body) > maxSection || len(s.Hash) > sha256.Size {
			return fmt.Errorf("facts section %.40q has %d bytes, at most %d are kept, and a hash of %d", s.Name, len(s.Body), maxSection, len(s.Hash))
		}
		var m expression.Machine
		if err := m.SetSection(s.Name, s.Body); err != nil {
			return err
		}
		_, err := tx.Exec(`INSERT INTO fact_section (machine_id, organisation_id, name, hash, read_at, body) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (machine_id, name) DO UPDATE SET hash = excluded.hash, read_at = excluded.read_at, body = excluded.body`,
			s.Machine, s.Organisation, s.Name, some(s.Hash), store.Micros(s.Read), some(s.Body))
		if err != nil {
			return fmt.Errorf("keep facts: %w", err)
		}
		switch s.Name {
		case expression.SectionPeople:
			if err := setPeople(tx, s.Machine, m.People); err != nil {
				return err
			}
		case expression.SectionOS:
			if err := setOS(tx, s.Machine, m.OS); err != nil {
				return err
			}
		}
		if err := tx.DueBy(KindRegroup, s.Machine, tx.Now().Add(regroupAfter)); err != nil {
			return err
		}
		tx.Changed(s.Organisation, ChangedMachine, s.Machine)
	}
	return nil
}

func setPeople(tx *store.Tx, machine model.ID, people []expression.Person) error {
	m, err := get(tx, machine)
	if err != nil {
		return err
	}
	was := m
	m.People = []model.Presence{} // known, and nobody
	seen := map[expression.Text]bool{}
	for _, p := range people {
		if seen[p.Name] || p.Name == "" || len(m.People) >= 50 {
			continue
		}
		seen[p.Name] = true
		who := model.Presence{Name: string(p.Name)}
		if since := p.Since.Time(); !since.IsZero() {
			who.Since = &since
		}
		m.People = append(m.People, who)
	}
	return updateMachine(tx, was, m)
}

func setOS(tx *store.Tx, machine model.ID, os *expression.OS) error {
	m, err := get(tx, machine)
	if err != nil || os == nil {
		return err
	}
	was := m
	m.OS = model.OS{Family: string(os.Family), Name: string(os.Name), Version: string(os.Version), Kernel: string(os.Kernel), Arch: string(os.Arch)}
	return updateMachine(tx, was, m)
}

// TakeChanges keeps what changed at machines, each once: a machine that was set back to
// an older image tells again what it does not know to be here.
func (f *Fleet) TakeChanges(tx *store.Tx, list []model.Change) error {
	rows := make([][]any, len(list))
	for i, c := range list {
		rows[i] = []any{model.NewID(), c.Organisation, c.Machine, store.Micros(c.ChangedAt),
			model.Cut(c.Section, maxBookText), model.Cut(c.Item, maxBookText), model.Cut(c.Before, maxBookText), model.Cut(c.After, maxBookText)}
		tx.Changed(c.Organisation, ChangedMachine, c.Machine)
	}
	_, err := tx.Insert("INSERT INTO fact_change (id, organisation_id, machine_id, at, section, item, old, new)", rows,
		"ON CONFLICT (machine_id, at, section, item) DO NOTHING")
	if err != nil {
		return fmt.Errorf("keep changes: %w", err)
	}
	return bound(tx, list, func(c model.Change) model.ID { return c.Machine },
		`DELETE FROM fact_change WHERE machine_id = $1 AND id <=
			(SELECT id FROM fact_change WHERE machine_id = $1 AND {wall} ORDER BY id DESC LIMIT 1 OFFSET $2) AND {wall}`)
}

// TakeJournal keeps lines of machines' own books, each once. A line is named by its hash,
// which holds that of the one before.
func (f *Fleet) TakeJournal(tx *store.Tx, list []model.JournalLine) error {
	rows := make([][]any, len(list))
	for i, j := range list {
		if len(j.Hash) > sha256.Size {
			return fmt.Errorf("a journal line with a hash of %d bytes", len(j.Hash))
		}
		rows[i] = []any{model.NewID(), j.Organisation, j.Machine,
			int64(j.Number), store.Micros(j.Written), model.Cut(j.Kind, maxBookText), model.Cut(j.Act, maxBookText), j.ID,
			model.Cut(j.Code, maxBookText), model.Cut(j.Text, maxBookText), int64(j.Count), some(j.Hash)}
	}
	_, err := tx.Insert("INSERT INTO machine_journal (id, organisation_id, machine_id, number, at, kind, act, subject, code, text, count, hash)", rows,
		"ON CONFLICT (machine_id, hash) DO NOTHING")
	if err != nil {
		return fmt.Errorf("keep lines of a journal: %w", err)
	}
	return bound(tx, list, func(j model.JournalLine) model.ID { return j.Machine },
		`DELETE FROM machine_journal WHERE machine_id = $1 AND id <=
			(SELECT id FROM machine_journal WHERE machine_id = $1 AND {wall} ORDER BY id DESC LIMIT 1 OFFSET $2) AND {wall}`)
}

// keptOfMachine is how many changes, and how many lines of its book, are kept of
// one machine: it may tell of them for ever. The newest are those that came last,
// as their ids say: the times and numbers in them are the machine's own word.
const (
	keptOfMachine = 10_000
	maxBookText   = 1 << 10 // bytes of one text in them
)

// bound deletes what is beyond keptOfMachine, for each machine in a list.
func bound[T any](tx *store.Tx, list []T, of func(T) model.ID, statement string) error {
	done := map[model.ID]bool{}
	for _, one := range list {
		machine := of(one)
		if done[machine] {
			continue
		}
		done[machine] = true
		if _, err := tx.Exec(statement, machine, int64(keptOfMachine)); err != nil {
			return fmt.Errorf("delete the oldest of a machine: %w", err)
		}
	}
	return nil
}

// Facts are the sections of a machine put together, with the time each was read:
// those that are named, or all when none is.
func Facts(tx *store.Tx, machine model.ID, sections ...string) (expression.Machine, map[string]time.Time, error) {
	var m expression.Machine
	read := map[string]time.Time{}
	query, args := "SELECT name, read_at, body FROM fact_section WHERE machine_id = $1 AND {wall}", []any{machine}
	if len(sections) > 0 {
		marks := make([]string, len(sections))
		for i, name := range sections {
			args = append(args, name)
			marks[i] = "$" + strconv.Itoa(len(args))
		}
		query += " AND name IN (" + strings.Join(marks, ", ") + ")"
	}
	rows, err := tx.Query(query, args...)
	if err != nil {
		return m, nil, fmt.Errorf("read facts: %w", err)
	}
	defer rows.Close()
	var newest time.Time
	for rows.Next() {
		var name string
		var at int64
		var body []byte
		if err := rows.Scan(&name, &at, &body); err != nil {
			return m, nil, err
		}
		if err := m.SetSection(name, body); err != nil {
			return m, nil, fmt.Errorf("read facts: %w", err)
		}
		read[name] = store.Time(at)
		if read[name].After(newest) {
			newest = read[name]
		}
	}
	m.ObservedAt = expression.TimeOf(newest)
	return m, read, rows.Err()
}
