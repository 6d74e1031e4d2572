package state

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/protocol"
)

// Identity is who this machine is, and which console it belongs to.
type Identity struct {
	Machine      uuid.UUID `cbor:"1,keyasint"`
	Organisation uuid.UUID `cbor:"2,keyasint"`
	Name         string    `cbor:"3,keyasint"`
	Key          []byte    `cbor:"4,keyasint"` // Ed25519 private key
	Console      string    `cbor:"5,keyasint"` // URL
	Identities   [][]byte  `cbor:"6,keyasint"` // fingerprints of the console's identity keys
	Root         []byte    `cbor:"7,keyasint,omitempty"`
	Profile      string    `cbor:"8,keyasint,omitempty"` // chosen at enrolment, when there is no policy file
}

// Private is the machine's key.
func (id Identity) Private() ed25519.PrivateKey { return ed25519.PrivateKey(id.Key) }

// Public is its public half.
func (id Identity) Public() ed25519.PublicKey { return id.Private().Public().(ed25519.PublicKey) }

// ErrNotEnrolled means that the machine has no identity yet.
var ErrNotEnrolled = errors.New("this machine is not enrolled")

// Identity is the machine's identity, or ErrNotEnrolled.
func (tx *Tx) Identity() (Identity, error) {
	var id Identity
	raw := tx.bucket(bucketMeta).Get([]byte("identity"))
	if raw == nil {
		return id, ErrNotEnrolled
	}
	if err := protocol.Unmarshal(raw, &id); err != nil {
		return id, fmt.Errorf("read identity: %w", err)
	}
	if len(id.Key) != ed25519.PrivateKeySize {
		return id, errors.New("read identity: the key is damaged")
	}
	return id, nil
}

// SetIdentity keeps a new identity, with an empty outbox of a new epoch:
// nothing that was written under another name is ever sent under this one. What
// another console was told, or has set, is forgotten too, so that this one is told
// all of it: alerts that fire already, and facts. The journal stays, and so does
// what the gate counts: a new name is no way around its limits.
func (tx *Tx) SetIdentity(id Identity) error {
	// Another name at the same organisation is no way back before what it has signed.
	if old, err := tx.Identity(); err != nil || old.Organisation != id.Organisation || !bytes.Equal(old.Root, id.Root) {
		if err := tx.forgetTrust(); err != nil {
			return err
		}
	}
	if err := tx.remove(bucketMeta, []byte(blobPrefix), func(k, _ []byte) (bool, bool, error) {
		return !bytes.HasPrefix(k, []byte(blobPrefix+"gate/")), bytes.HasPrefix(k, []byte(blobPrefix)), nil
	}); err != nil {
		return fmt.Errorf("keep identity: %w", err)
	}
	for _, name := range []string{bucketOutbox, bucketLogs, bucketStates, bucketSeen, bucketRuns, bucketFacts, bucketHistory} {
		if err := tx.b.DeleteBucket([]byte(name)); err != nil {
			return fmt.Errorf("keep identity: %w", err)
		}
		if _, err := tx.b.CreateBucket([]byte(name)); err != nil {
			return fmt.Errorf("keep identity: %w", err)
		}
	}
	if err := tx.putIdentity(id); err != nil {
		return err
	}
	return tx.NewEpoch()
}

func (tx *Tx) putIdentity(id Identity) error {
	raw, err := protocol.Marshal(id)
	if err == nil {
		err = tx.bucket(bucketMeta).Put([]byte("identity"), raw)
	}
	if err != nil {
		return fmt.Errorf("keep identity: %w", err)
	}
	return nil
}

// Epoch names the life of this outbox.
func (tx *Tx) Epoch() uuid.UUID {
	id, err := uuid.FromBytes(tx.bucket(bucketMeta).Get([]byte("epoch")))
	if err != nil {
		return uuid.Nil
	}
	return id
}

// NewEpoch begins a new life of the outbox: its numbers start again, what waits
// keeps waiting under new numbers. It is needed where the console has seen
// higher numbers than the machine has given: the machine was set back.
func (tx *Tx) NewEpoch() error {
	id := uuid.New()
	if err := tx.bucket(bucketMeta).Put([]byte("epoch"), id[:]); err != nil {
		return fmt.Errorf("new epoch: %w", err)
	}
	return tx.renumber()
}

// Floor is the latest moment this machine is sure has passed; time never goes
// below it.
func (tx *Tx) Floor() time.Time {
	return time.UnixMicro(int64(tx.counter(bucketMeta, "floor"))).UTC()
}

// RaiseFloor moves the floor up; it is never lowered.
func (tx *Tx) RaiseFloor(t time.Time) error {
	if !t.After(tx.Floor()) {
		return nil
	}
	return tx.setCounter(bucketMeta, "floor", uint64(t.UnixMicro()))
}

const blobPrefix = "blob/"

// Blob is a small named value that belongs to one package of the agent, such as
// the state of the checks; nil when it was never set.
func (tx *Tx) Blob(name string) []byte {
	b := tx.bucket(bucketMeta).Get([]byte(blobPrefix + name))
	return append([]byte(nil), b...)
}

// SetBlob keeps a small named value.
func (tx *Tx) SetBlob(name string, value []byte) error {
	return tx.bucket(bucketMeta).Put([]byte(blobPrefix+name), value)
}
