package protocol

import (
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Challenge is what a technician's grant must answer. The machine signs it, so
// that whoever grants sees the real name of the real machine, and a grant for one
// door opens no other.
type Challenge struct {
	Machine   uuid.UUID `cbor:"1,keyasint"`
	Session   uuid.UUID `cbor:"2,keyasint"`
	Name      string    `cbor:"3,keyasint"`           // of the machine, as it calls itself
	Kind      string    `cbor:"4,keyasint"`           // of the door
	People    []string  `cbor:"5,keyasint,omitempty"` // who is signed in, where policy tells it
	Nonce     []byte    `cbor:"6,keyasint"`
	Expires   int64     `cbor:"7,keyasint"`
	Signature []byte    `cbor:"8,keyasint,omitempty"`
	Account   string    `cbor:"9,keyasint,omitempty"` // in whose name the door opens, by the machine's policy
}

// ChallengeLife is how long a challenge may be answered.
const ChallengeLife = 60 * time.Second

// signed is what the machine's key signs.
func (c Challenge) signed() ([]byte, error) {
	c.Signature = nil
	raw, err := Marshal(struct {
		Domain    string    `cbor:"1,keyasint"`
		Challenge Challenge `cbor:"2,keyasint"`
	}{"deskside/1/challenge", c})
	if err != nil {
		return nil, fmt.Errorf("challenge: %w", err)
	}
	return raw, nil
}

// Digest names the challenge in a grant.
func (c Challenge) Digest() ([32]byte, error) {
	raw, err := c.signed()
	if err != nil {
		return [32]byte{}, err
	}
	return sha256.Sum256(raw), nil
}

// Sign makes the signature with the machine's key.
func (c *Challenge) Sign(key ed25519.PrivateKey) error {
	raw, err := c.signed()
	if err == nil {
		c.Signature = ed25519.Sign(key, raw)
	}
	return err
}

// Verify checks that the machine with this key made the challenge, and that it
// can still be answered.
func (c Challenge) Verify(key ed25519.PublicKey, now time.Time) error {
	raw, err := c.signed()
	switch {
	case err != nil:
		return err
	case len(key) != ed25519.PublicKeySize || !ed25519.Verify(key, raw, c.Signature):
		return errors.New("challenge: not signed by the machine")
	case len(c.Nonce) != NonceSize:
		return fmt.Errorf("challenge: a nonce of %d bytes", len(c.Nonce))
	case !now.Before(time.UnixMicro(c.Expires)) || time.UnixMicro(c.Expires).After(now.Add(2*ChallengeLife)):
		return errors.New("challenge: not for now")
	}
	return nil
}
