package state

import (
	"bytes"
	"fmt"

	"github.com/deskside/deskside/protocol"
)

// Sections are the facts as last told, by name.
func (tx *Tx) Sections() (map[string]protocol.Section, error) {
	out := map[string]protocol.Section{}
	err := tx.bucket(bucketFacts).ForEach(func(_, raw []byte) error {
		var s protocol.Section
		if err := protocol.Unmarshal(raw, &s); err != nil {
			return err
		}
		out[s.Name] = s
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read facts: %w", err)
	}
	return out, nil
}

// SetSection keeps a section of facts and puts it into the outbox when it is
// different from the last one, or when force is set because the console asked.
func (tx *Tx) SetSection(s protocol.Section, force bool) error {
	b := tx.bucket(bucketFacts)
	if raw := b.Get([]byte(s.Name)); raw != nil && !force {
		var old protocol.Section
		if err := protocol.Unmarshal(raw, &old); err == nil && bytes.Equal(old.Hash, s.Hash) {
			return nil
		}
	}
	raw, err := protocol.Marshal(s)
	if err != nil {
		return fmt.Errorf("keep facts %s: %w", s.Name, err)
	}
	if err := b.Put([]byte(s.Name), raw); err != nil {
		return fmt.Errorf("keep facts %s: %w", s.Name, err)
	}
	return tx.Put(protocol.ClassFacts, s.Name, s)
}

// DropSection forgets a section of facts, also where it still waits to be sent.
func (tx *Tx) DropSection(name string) error {
	at := stateKey(protocol.ClassFacts, name)
	waits := len(tx.bucket(bucketStates).Get(at))
	if err := tx.bucket(bucketStates).Delete(at); err != nil {
		return fmt.Errorf("drop facts %s: %w", name, err)
	}
	if err := tx.bucket(bucketFacts).Delete([]byte(name)); err != nil {
		return fmt.Errorf("drop facts %s: %w", name, err)
	}
	return tx.addBytes(-int64(waits))
}

// Ring is the open history row as last written; nil when there is none.
func (tx *Tx) Ring(name string) []byte {
	return append([]byte(nil), tx.bucket(bucketHistory).Get([]byte(name))...)
}

// SetRing keeps the open history row.
func (tx *Tx) SetRing(name string, raw []byte) error {
	if err := tx.bucket(bucketHistory).Put([]byte(name), raw); err != nil {
		return fmt.Errorf("keep history: %w", err)
	}
	return nil
}
