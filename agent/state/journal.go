package state

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/deskside/deskside/protocol"
)

// Journal writes one line into the machine's own book and into the outbox. Each
// line holds the hash of the one before, so that none can be cut out or changed
// without a trace.
func (tx *Tx) Journal(e protocol.JournalEntry) error {
	b := tx.bucket(bucketJournal)
	previous, last := tx.Head()
	e.Number = last + 1
	hash, err := chain(previous, e)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	e.Hash = hash
	raw, err := protocol.Marshal(e)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	if err := b.Put(number(e.Number), raw); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	tx.wrote = append(tx.wrote, e)
	_, err = tx.Append(protocol.ClassJournal, e)
	return err
}

// Head is the hash and the number of the journal's last line, also when it was
// let go.
func (tx *Tx) Head() ([]byte, uint64) {
	_, raw := tx.bucket(bucketJournal).Cursor().Last()
	if raw == nil {
		return tx.letGo()
	}
	var e protocol.JournalEntry
	if err := protocol.Unmarshal(raw, &e); err != nil {
		return nil, 0
	}
	return e.Hash, e.Number
}

// Entries calls fn for each line of the journal, oldest first, and tells with an
// error where the chain is broken.
func (tx *Tx) Entries(fn func(protocol.JournalEntry) error) error {
	previous, last := tx.letGo()
	return tx.bucket(bucketJournal).ForEach(func(_, raw []byte) error {
		var e protocol.JournalEntry
		if err := protocol.Unmarshal(raw, &e); err != nil {
			return fmt.Errorf("journal line %d: %w", last+1, err)
		}
		hash, err := chain(previous, e)
		if err != nil {
			return err
		}
		if !bytes.Equal(hash, e.Hash) || e.Number != last+1 {
			return fmt.Errorf("journal line %d: %w", last+1, ErrChain)
		}
		previous, last = e.Hash, e.Number
		return fn(e)
	})
}

// ForgetJournal lets the oldest lines go that were written before a moment, at
// most so many. What is left still hangs on the hash of the last of them.
func (tx *Tx) ForgetJournal(before time.Time, most int) error {
	var hash []byte
	var last uint64
	err := tx.remove(bucketJournal, nil, func(_, raw []byte) (bool, bool, error) {
		var e protocol.JournalEntry
		if err := protocol.Unmarshal(raw, &e); err != nil {
			return false, false, err
		}
		if e.At >= before.UnixMicro() || most == 0 {
			return false, false, nil
		}
		hash, last = e.Hash, e.Number
		most--
		return true, true, nil
	})
	if err == nil && last > 0 {
		err = tx.bucket(bucketMeta).Put([]byte(journalBase), append(number(last), hash...))
	}
	if err != nil {
		return fmt.Errorf("forget the oldest lines of the journal: %w", err)
	}
	return nil
}

const journalBase = "journal/base"

// letGo is the hash and the number of the last line that the journal let go.
func (tx *Tx) letGo() (hash []byte, last uint64) {
	base := tx.bucket(bucketMeta).Get([]byte(journalBase))
	if len(base) < 8 {
		return nil, 0
	}
	return bytes.Clone(base[8:]), binary.BigEndian.Uint64(base)
}

// ErrChain means that the journal was changed by something other than the agent.
var ErrChain = errors.New("the chain is broken: a line was changed or removed")

func chain(previous []byte, e protocol.JournalEntry) ([]byte, error) {
	e.Hash = nil
	raw, err := protocol.Marshal(e)
	if err != nil {
		return nil, err
	}
	h := sha256.New()
	h.Write(previous)
	h.Write(raw)
	return h.Sum(nil), nil
}
