package state

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/deskside/deskside/protocol"
)

// TestJournalChain: a line that was changed, cut out or put in shows.
func TestJournalChain(t *testing.T) {
	s := open(t, t.TempDir())
	update(t, s, func(tx *Tx) error {
		for i := range 300 {
			if err := tx.Journal(protocol.JournalEntry{At: int64(i), Act: "refused", Text: fmt.Sprint("line ", i)}); err != nil {
				return err
			}
		}
		return nil
	})
	read := func(tx *Tx) (n int, err error) {
		err = tx.Entries(func(protocol.JournalEntry) error { n++; return nil })
		return n, err
	}
	never := errors.New("never kept")
	for name, change := range map[string]func(tx *Tx) error{
		"changed": func(tx *Tx) error {
			b := tx.bucket(bucketJournal)
			return b.Put(number(150), bytes.Replace(b.Get(number(150)), []byte("line 149"), []byte("line 194"), 1))
		},
		"cut out":       func(tx *Tx) error { return tx.bucket(bucketJournal).Delete(number(150)) },
		"the first cut": func(tx *Tx) error { return tx.bucket(bucketJournal).Delete(number(1)) },
		"put in": func(tx *Tx) error {
			return tx.bucket(bucketJournal).Put(append(number(150), 1), tx.bucket(bucketJournal).Get(number(150)))
		},
		"not a line": func(tx *Tx) error { return tx.bucket(bucketJournal).Put(number(150), []byte{0xff}) },
	} {
		err := s.Update(func(tx *Tx) error {
			if err := change(tx); err != nil {
				return err
			}
			if n, err := read(tx); err == nil || n > 150 {
				t.Errorf("%s: %d lines, %v", name, n, err)
			}
			return never
		})
		if !errors.Is(err, never) {
			t.Error(err)
		}
	}
	s.View(func(tx *Tx) error {
		n, err := read(tx)
		if head, last := tx.Head(); n != 300 || err != nil || last != 300 || len(head) != 32 {
			t.Errorf("%d lines, last %d, %v", n, last, err)
		}
		return nil
	})
}

// TestForgetJournal: the oldest lines go, what is left still holds together and
// goes on, and no more can be cut off unseen.
func TestForgetJournal(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	var told []uint64
	s.Journalled(func(e protocol.JournalEntry) { told = append(told, e.Number) })
	write := func(from, n int) {
		update(t, s, func(tx *Tx) error {
			for i := range n {
				if err := tx.Journal(protocol.JournalEntry{At: int64(from+i) * 1e6, Text: fmt.Sprint("line ", i)}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	want := func(when string, first, last uint64, n int) {
		t.Helper()
		s.View(func(tx *Tx) error {
			var numbers []uint64
			err := tx.Entries(func(e protocol.JournalEntry) error { numbers = append(numbers, e.Number); return nil })
			if head, at := tx.Head(); err != nil || len(numbers) != n || n > 0 && numbers[0] != first || at != last || len(head) != 32 {
				t.Errorf("%s: %d lines %v, the last is %d, %v", when, len(numbers), numbers, at, err)
			}
			return nil
		})
	}
	forget := func(before, most int) {
		update(t, s, func(tx *Tx) error { return tx.ForgetJournal(time.Unix(int64(before), 0), most) })
	}
	write(1, 30)
	forget(1, 100)
	want("nothing is so old", 1, 30, 30)
	forget(11, 4)
	want("four at most", 5, 30, 26)
	forget(11, 100)
	want("ten", 11, 30, 20)
	err := s.Update(func(tx *Tx) error { // and a line that was not kept is not told
		if err := errors.Join(tx.Journal(protocol.JournalEntry{}), tx.bucket(bucketJournal).Delete(number(11))); err != nil {
			return err
		}
		if err := tx.Entries(func(protocol.JournalEntry) error { return nil }); !errors.Is(err, ErrChain) {
			t.Errorf("one more was cut off: %v", err)
		}
		return errors.New("never kept")
	})
	if err == nil {
		t.Fatal("the cut was kept")
	}
	forget(1000, 100)
	want("all", 0, 30, 0)
	s.Close()
	s = open(t, dir)
	write(1001, 2)
	want("it goes on", 31, 32, 2)
	if len(told) != 30 || told[0] != 1 || told[29] != 30 { // the second State tells nobody
		t.Errorf("told of %v", told)
	}
}
