package protocol

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/veraison/go-cose"
)

const stampContext = "deskside/1/stamp"

// Stamp signs an order with the console's stamp key.
func Stamp(key ed25519.PrivateKey, o Order) (Stamped, error) {
	payload, err := Marshal(o)
	if err != nil {
		return Stamped{}, fmt.Errorf("stamp %s: %w", o.Kind, err)
	}
	signer, err := cose.NewSigner(cose.AlgorithmEdDSA, key)
	if err != nil {
		return Stamped{}, fmt.Errorf("stamp %s: %w", o.Kind, err)
	}
	headers := cose.Headers{Protected: cose.ProtectedHeader{
		cose.HeaderLabelAlgorithm: cose.AlgorithmEdDSA,
		cose.HeaderLabelKeyID:     Fingerprint(key.Public().(ed25519.PublicKey)),
	}}
	b, err := cose.Sign1(rand.Reader, signer, headers, payload, []byte(stampContext))
	if err != nil {
		return Stamped{}, fmt.Errorf("stamp %s: %w", o.Kind, err)
	}
	return Stamped{Stamp: b}, nil
}

// Open verifies a stamp made by key and returns the order under it. It says
// nothing about whether the order may be followed.
func (s Stamped) Open(key ed25519.PublicKey) (Order, error) {
	if len(key) != ed25519.PublicKeySize {
		return Order{}, fmt.Errorf("stamp: a key of %d bytes", len(key))
	}
	var m cose.Sign1Message
	if err := m.UnmarshalCBOR(s.Stamp); err != nil {
		return Order{}, fmt.Errorf("stamp: %w", err)
	}
	if _, crit := m.Headers.Protected[cose.HeaderLabelCritical]; crit {
		return Order{}, errors.New("stamp: a critical header is not known here")
	}
	verifier, err := cose.NewVerifier(cose.AlgorithmEdDSA, key)
	if err != nil {
		return Order{}, fmt.Errorf("stamp: %w", err)
	}
	if err := m.Verify([]byte(stampContext), verifier); err != nil {
		return Order{}, fmt.Errorf("stamp: %w", err)
	}
	var o Order
	if err := Unmarshal(m.Payload, &o); err != nil {
		return Order{}, fmt.Errorf("stamp: %w", err)
	}
	return o, nil
}
