package state

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/protocol"
)

// Seen tells whether an id was used before. An id is kept until the end of the
// order that named it, so that no order acts twice.
func (tx *Tx) Seen(id uuid.UUID) bool { return tx.bucket(bucketSeen).Get(id[:]) != nil }

// MarkSeen uses an id up, and forgets ids that ended long before floor.
func (tx *Tx) MarkSeen(id uuid.UUID, until time.Time) error {
	if err := tx.bucket(bucketSeen).Put(id[:], number(uint64(until.UnixMicro()))); err != nil {
		return fmt.Errorf("mark seen: %w", err)
	}
	return nil
}

// ForgetSeen drops ids whose orders ended a day before floor.
func (tx *Tx) ForgetSeen(floor time.Time) error {
	limit := floor.Add(-24 * time.Hour).UnixMicro()
	err := tx.remove(bucketSeen, nil, func(_, v []byte) (bool, bool, error) {
		return len(v) == 8 && int64(binary.BigEndian.Uint64(v)) < limit, true, nil
	})
	if err != nil {
		return fmt.Errorf("forget seen: %w", err)
	}
	return nil
}

// Run is a run that was taken. It is written before the script starts and
// removed when its result is in the outbox.
type Run struct {
	ID      uuid.UUID `cbor:"1,keyasint"`
	Script  string    `cbor:"2,keyasint"`
	TakenAt int64     `cbor:"3,keyasint"` // microseconds
	PID     int       `cbor:"4,keyasint,omitempty"`
	DryRun  bool      `cbor:"5,keyasint,omitempty"`
}

// TakeRun marks a run as taken: from here on it is finished or lost, but never
// started again.
func (tx *Tx) TakeRun(r Run) error {
	raw, err := protocol.Marshal(r)
	if err != nil {
		return fmt.Errorf("take run: %w", err)
	}
	if err := tx.bucket(bucketRuns).Put(r.ID[:], raw); err != nil {
		return fmt.Errorf("take run: %w", err)
	}
	return nil
}

// FinishRun puts the result into the outbox and forgets that the run was open.
func (tx *Tx) FinishRun(result protocol.Result) error {
	if err := tx.bucket(bucketRuns).Delete(result.Run[:]); err != nil {
		return fmt.Errorf("finish run: %w", err)
	}
	if _, err := tx.Append(protocol.ClassResult, result); err != nil {
		return fmt.Errorf("finish run: %w", err)
	}
	return nil
}

// OpenRuns lists runs that were taken and have no result: after a start of the
// agent they are lost.
func (tx *Tx) OpenRuns() ([]Run, error) {
	var runs []Run
	err := tx.bucket(bucketRuns).ForEach(func(_, v []byte) error {
		var r Run
		if err := protocol.Unmarshal(v, &r); err != nil {
			return err
		}
		runs = append(runs, r)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read open runs: %w", err)
	}
	return runs, nil
}
