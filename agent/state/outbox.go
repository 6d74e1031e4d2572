package state

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/deskside/deskside/protocol"
)

// maxEntry is the largest entry that still fits into a frame: a larger one could
// never be sent, and would hold up everything after it.
const maxEntry = protocol.MaxFrame - 1024

// Append puts one log entry into the outbox and returns its number.
func (tx *Tx) Append(class protocol.Class, body any) (uint64, error) {
	if !class.Log() {
		return 0, fmt.Errorf("append %s: it is not a log", class)
	}
	raw, err := protocol.Marshal(body)
	if err != nil {
		return 0, fmt.Errorf("append %s: %w", class, err)
	}
	n := tx.Next(class)
	if err := tx.putLog(class, n, protocol.Entry{Class: class, Number: n, Body: raw}); err != nil {
		return 0, err
	}
	return n, tx.makeRoom()
}

func (tx *Tx) putLog(class protocol.Class, n uint64, e protocol.Entry) error {
	raw, err := protocol.Marshal(e)
	if err != nil {
		return fmt.Errorf("append %s: %w", class, err)
	}
	if len(raw) > maxEntry {
		return fmt.Errorf("append %s of %d bytes: %w (%d allowed)", class, len(raw), protocol.ErrTooLarge, maxEntry)
	}
	if err := tx.bucket(bucketLogs).Put(logKey(class, n), raw); err != nil {
		return fmt.Errorf("append %s: %w", class, err)
	}
	if err := tx.addBytes(int64(len(raw))); err != nil {
		return err
	}
	return tx.setCounter(bucketOutbox, nextName(class), n+1)
}

// Put sets a state entry; only its latest revision counts.
func (tx *Tx) Put(class protocol.Class, key string, body any) error {
	if class.Log() {
		return fmt.Errorf("put %s: it is a log", class)
	}
	raw, err := protocol.Marshal(body)
	if err != nil {
		return fmt.Errorf("put %s: %w", class, err)
	}
	revision := tx.counter(bucketOutbox, "revision") + 1
	entry, err := protocol.Marshal(protocol.Entry{Class: class, Key: key, Revision: revision, Body: raw})
	if err != nil {
		return fmt.Errorf("put %s: %w", class, err)
	}
	if len(entry) > maxEntry {
		return fmt.Errorf("put %s of %d bytes: %w (%d allowed)", class, len(entry), protocol.ErrTooLarge, maxEntry)
	}
	at := stateKey(class, key)
	old := len(tx.bucket(bucketStates).Get(at))
	if err := tx.bucket(bucketStates).Put(at, entry); err != nil {
		return fmt.Errorf("put %s: %w", class, err)
	}
	if err := tx.addBytes(int64(len(entry) - old)); err != nil {
		return err
	}
	if err := tx.setCounter(bucketOutbox, "revision", revision); err != nil {
		return err
	}
	return tx.makeRoom()
}

// Next is the number that the next entry of a class gets; the first is 1.
func (tx *Tx) Next(class protocol.Class) uint64 {
	if n := tx.counter(bucketOutbox, nextName(class)); n > 0 {
		return n
	}
	return 1
}

// Waiting is how many entries of a log wait, counted up to most.
func (tx *Tx) Waiting(class protocol.Class, most int) int {
	n := 0
	c := tx.bucket(bucketLogs).Cursor()
	for k, _ := c.Seek(logKey(class, 0)); k != nil && k[0] == byte(class) && n < most; k, _ = c.Next() {
		n++
	}
	return n
}

// Bytes is the size of what waits.
func (tx *Tx) Bytes() int64 { return int64(tx.counter(bucketOutbox, "bytes")) }

// Pending returns entries to send, in the order of [protocol.Classes], at most
// limit bytes of them. Log entries at or below after[class] are left out: they
// were sent on this connection already. For states, sent[key] is the revision
// that was sent.
func (tx *Tx) Pending(limit int, after map[protocol.Class]uint64, sent map[string]uint64) ([]protocol.Entry, error) {
	var out []protocol.Entry
	for _, class := range protocol.Classes() {
		var err error
		if class.Log() {
			out, limit, err = tx.pendingLog(out, limit, class, after[class])
		} else {
			out, limit, err = tx.pendingStates(out, limit, class, sent)
		}
		if err != nil || limit <= 0 || len(out) >= protocol.MaxBatch {
			return out, err
		}
	}
	return out, nil
}

func (tx *Tx) pendingLog(out []protocol.Entry, limit int, class protocol.Class, after uint64) ([]protocol.Entry, int, error) {
	c := tx.bucket(bucketLogs).Cursor()
	for k, v := c.Seek(logKey(class, after+1)); k != nil && k[0] == byte(class); k, v = c.Next() {
		if len(out) >= protocol.MaxBatch || (limit < len(v) && len(out) > 0) {
			return out, 0, nil
		}
		var e protocol.Entry
		if err := protocol.Unmarshal(v, &e); err != nil {
			return out, limit, fmt.Errorf("read outbox: %w", err)
		}
		out, limit = append(out, e), limit-len(v)
	}
	return out, limit, nil
}

func (tx *Tx) pendingStates(out []protocol.Entry, limit int, class protocol.Class, sent map[string]uint64) ([]protocol.Entry, int, error) {
	c := tx.bucket(bucketStates).Cursor()
	for k, v := c.Seek([]byte{byte(class)}); k != nil && k[0] == byte(class); k, v = c.Next() {
		if len(out) >= protocol.MaxBatch || (limit < len(v) && len(out) > 0) {
			return out, 0, nil
		}
		var e protocol.Entry
		if err := protocol.Unmarshal(v, &e); err != nil {
			return out, limit, fmt.Errorf("read outbox: %w", err)
		}
		if sent[StateName(class, e.Key)] == e.Revision {
			continue
		}
		out, limit = append(out, e), limit-len(v)
	}
	return out, limit, nil
}

// StateName is the name of a state entry in acknowledgements.
func StateName(class protocol.Class, key string) string { return class.String() + "/" + key }

// Acknowledge forgets what the console has committed: log entries up to their
// mark, and states of exactly the revision.
func (tx *Tx) Acknowledge(ack protocol.Ack) error {
	for class, mark := range ack.Marks {
		if err := tx.forgetLog(class, mark); err != nil {
			return err
		}
	}
	for _, class := range protocol.Classes() {
		if class.Log() {
			continue
		}
		err := tx.remove(bucketStates, []byte{byte(class)}, func(k, v []byte) (bool, bool, error) {
			if k[0] != byte(class) {
				return false, false, nil
			}
			var e protocol.Entry
			if err := protocol.Unmarshal(v, &e); err != nil {
				return false, false, fmt.Errorf("read outbox: %w", err)
			}
			if ack.States[StateName(class, e.Key)] != e.Revision {
				return false, true, nil
			}
			return true, true, tx.addBytes(-int64(len(v)))
		})
		if err != nil {
			return fmt.Errorf("acknowledge: %w", err)
		}
	}
	return nil
}

func (tx *Tx) forgetLog(class protocol.Class, mark uint64) error {
	err := tx.remove(bucketLogs, logKey(class, 0), func(k, v []byte) (bool, bool, error) {
		if bytes.Compare(k, logKey(class, mark)) > 0 {
			return false, false, nil
		}
		if bytes.Equal(k, logKey(class, mark)) {
			if err := tx.rememberMark(class, mark, v); err != nil {
				return false, false, err
			}
		}
		return true, true, tx.addBytes(-int64(len(v)))
	})
	if err != nil {
		return fmt.Errorf("acknowledge: %w", err)
	}
	return nil
}

// rememberMark keeps the digest of the entry that stands at the mark, before it
// is forgotten.
func (tx *Tx) rememberMark(class protocol.Class, mark uint64, raw []byte) error {
	var e protocol.Entry
	if err := protocol.Unmarshal(raw, &e); err != nil {
		return fmt.Errorf("read outbox: %w", err)
	}
	return tx.bucket(bucketOutbox).Put([]byte(markName(class)), append(number(mark), e.Digest()...))
}

// Digest is the digest of this machine's own entry of a log under a number, for
// as long as it waits, and of the last one that was acknowledged; nil when it is
// not known, or stands for lost ones.
func (tx *Tx) Digest(class protocol.Class, n uint64) []byte {
	if raw := tx.bucket(bucketLogs).Get(logKey(class, n)); raw != nil {
		var e protocol.Entry
		if protocol.Unmarshal(raw, &e) != nil {
			return nil
		}
		return e.Digest()
	}
	kept := tx.bucket(bucketOutbox).Get([]byte(markName(class)))
	if digest, ours := bytes.CutPrefix(kept, number(n)); ours && len(digest) > 0 {
		return bytes.Clone(digest)
	}
	return nil
}

// remove walks a bucket from a key on, for as long as which wants more, and then
// deletes what it chose. Not while it walks: a cursor may skip the entry after a
// deleted one.
func (tx *Tx) remove(bucket string, from []byte, which func(k, v []byte) (chosen, more bool, err error)) error {
	b := tx.bucket(bucket)
	var keys [][]byte
	c := b.Cursor()
	for k, v := c.Seek(from); k != nil; k, v = c.Next() {
		chosen, more, err := which(k, v)
		if err != nil {
			return err
		}
		if chosen {
			keys = append(keys, bytes.Clone(k))
		}
		if !more {
			break
		}
	}
	for _, k := range keys {
		if err := b.Delete(k); err != nil {
			return err
		}
	}
	return nil
}

// makeRoom keeps the outbox under its cap.
func (tx *Tx) makeRoom() error {
	if tx.Bytes() <= MaxOutbox {
		return nil
	}
	for _, drop := range []func() (bool, error){
		tx.dropOldestHistory,
		func() (bool, error) { return tx.dropOldestLog(protocol.ClassChange) },
		func() (bool, error) { return tx.dropOldestLog(protocol.ClassTransition) },
	} {
		for tx.Bytes() > MaxOutbox {
			dropped, err := drop()
			if err != nil {
				return fmt.Errorf("make room in the outbox: %w", err)
			}
			if !dropped {
				break
			}
		}
	}
	return nil
}

func (tx *Tx) dropOldestHistory() (bool, error) {
	c := tx.bucket(bucketStates).Cursor()
	k, v := c.Seek([]byte{byte(protocol.ClassHistory)})
	if k == nil || k[0] != byte(protocol.ClassHistory) {
		return false, nil
	}
	if err := tx.addBytes(-int64(len(v))); err != nil {
		return false, err
	}
	return true, c.Delete()
}

// dropOldestLog gives up the oldest hundred entries of a class and leaves one
// that says how many were lost, under the last of their numbers.
func (tx *Tx) dropOldestLog(class protocol.Class) (bool, error) {
	var lost, entries, last uint64
	err := tx.remove(bucketLogs, logKey(class, 0), func(k, v []byte) (bool, bool, error) {
		if k[0] != byte(class) {
			return false, false, nil
		}
		var e protocol.Entry
		if err := protocol.Unmarshal(v, &e); err != nil {
			return false, false, err
		}
		lost += max(e.Dropped, 1)
		last = e.Number
		entries++
		return true, entries < 100, tx.addBytes(-int64(len(v)))
	})
	if err != nil {
		return false, err
	}
	if entries < 2 {
		if entries == 1 { // one entry alone cannot be made smaller
			return false, tx.keepDropped(class, last, lost)
		}
		return false, nil
	}
	return true, tx.keepDropped(class, last, lost)
}

func (tx *Tx) keepDropped(class protocol.Class, n, lost uint64) error {
	raw, err := protocol.Marshal(protocol.Entry{Class: class, Number: n, Dropped: lost})
	if err != nil {
		return err
	}
	if err := tx.addBytes(int64(len(raw))); err != nil {
		return err
	}
	return tx.bucket(bucketLogs).Put(logKey(class, n), raw)
}

// renumber gives the logs that wait new numbers from 1; states keep their revisions.
func (tx *Tx) renumber() error {
	for _, class := range protocol.Classes() {
		if !class.Log() {
			continue
		}
		if err := tx.renumberLog(class); err != nil {
			return fmt.Errorf("new epoch: %w", err)
		}
	}
	return nil
}

func (tx *Tx) renumberLog(class protocol.Class) error {
	var entries []protocol.Entry
	err := tx.remove(bucketLogs, logKey(class, 0), func(k, v []byte) (bool, bool, error) {
		if k[0] != byte(class) {
			return false, false, nil
		}
		var e protocol.Entry
		if err := protocol.Unmarshal(v, &e); err != nil {
			return false, false, err
		}
		entries = append(entries, e)
		return true, true, tx.addBytes(-int64(len(v)))
	})
	if err != nil {
		return err
	}
	if err := tx.bucket(bucketOutbox).Delete([]byte(markName(class))); err != nil {
		return err
	}
	if err := tx.setCounter(bucketOutbox, nextName(class), 1); err != nil {
		return err
	}
	for i, e := range entries {
		e.Number = uint64(i) + 1
		if err := tx.putLog(class, e.Number, e); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) addBytes(n int64) error {
	return tx.setCounter(bucketOutbox, "bytes", uint64(max(tx.Bytes()+n, 0)))
}

func logKey(class protocol.Class, n uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{byte(class)}, n)
}

func stateKey(class protocol.Class, key string) []byte {
	return append([]byte{byte(class)}, key...)
}

func nextName(class protocol.Class) string { return "next/" + class.String() }

func markName(class protocol.Class) string { return "mark/" + class.String() }
