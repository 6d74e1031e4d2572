package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/protocol"
)

// A mirrored is a line of a machine's journal as the console has it.
type mirrored struct {
	machine uuid.UUID
	line    protocol.JournalEntry
}

func (m *mirrored) scan(rows *store.Rows) error {
	var number, count int64
	err := rows.Scan(&m.machine, &number, &m.line.At, &m.line.Kind, &m.line.Act, &m.line.ID, &m.line.Code, &m.line.Text, &count, &m.line.Hash)
	m.line.Number, m.line.Count = uint64(number), uint64(count)
	return err
}

// follows tells whether a line was written after one with that hash; the first line was
// written after none.
func (m *mirrored) follows(hash []byte) bool {
	line := m.line
	line.Hash = nil
	raw, err := protocol.Marshal(line)
	sum := sha256.Sum256(append(bytes.Clone(hash), raw...))
	return err == nil && bytes.Equal(sum[:], m.line.Hash)
}

// chained: each line of a machine's journal was written after one that is there, under the
// number before it, and none is missing at the end of what was taken. A machine that was
// set back, or is there twice, goes on from a line that had another one after it: that is
// no gap. What is missing in between may still come; what was taken is never told again.
func chained(r *round) error {
	told, err := r.tally("SELECT machine_id, max(number) FROM mark WHERE class = $1 GROUP BY machine_id", int64(protocol.ClassJournal))
	if err != nil {
		return err
	}
	var all []mirrored
	err = r.view(func(tx *store.Tx) (err error) {
		all, err = store.Collect(tx, func(rows *store.Rows) (m mirrored, err error) { return m, m.scan(rows) },
			"SELECT machine_id, number, at, kind, act, subject, code, text, count, hash FROM machine_journal WHERE {wall} ORDER BY machine_id, number")
		return err
	})
	if err != nil {
		return err
	}
	last, err := gapless(all)
	if err != nil {
		return err
	}
	for machine, n := range told { // of the life of its outbox of which most were taken
		if last[machine] < n {
			return never{fmt.Sprintf("%d lines of the machine %s were taken, and the last one is %d", n, machine, last[machine])}
		}
	}
	return nil
}

// gapless tells the number of each machine's last line. The lines are in the order of
// their numbers.
func gapless(all []mirrored) (last map[string]int, err error) {
	type place struct {
		machine uuid.UUID
		number  uint64
	}
	last = map[string]int{}
	there := map[place][][]byte{}
	for _, m := range all {
		at, n := place{m.machine, m.line.Number}, m.line.Number
		before := there[place{m.machine, n - 1}]
		if n == 1 {
			before = [][]byte{nil}
		}
		switch {
		case len(before) == 0:
			return nil, fmt.Errorf("machine %s: line %d is there and line %d is not", m.machine, n, n-1)
		case !slices.ContainsFunc(before, m.follows):
			return nil, fmt.Errorf("machine %s: line %d was not written after any of the %d that are there as line %d", m.machine, n, len(before), n-1)
		}
		there[at], last[m.machine.String()] = append(there[at], m.line.Hash), int(n)
	}
	return last, nil
}
