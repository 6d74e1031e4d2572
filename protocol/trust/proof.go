package trust

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/veraison/go-cose"
)

// KeyID names a key in a proof's header: the SHA-256 of scheme and key.
func (k Key) KeyID() []byte {
	h := sha256.New()
	h.Write([]byte(k.Scheme))
	h.Write([]byte{0})
	h.Write(k.Public)
	return h.Sum(nil)
}

func context(k Kind) []byte { return []byte("deskside/1/" + string(k)) }

// Sign adds a proof by an Ed25519 key.
func (s *Signed) Sign(private ed25519.PrivateKey) error {
	st, err := s.Statement()
	if err != nil {
		return err
	}
	if len(s.Proofs) >= MaxProofs {
		return fmt.Errorf("sign %s: %d proofs are the most", st.Kind, MaxProofs)
	}
	key := Key{Scheme: Ed25519, Public: private.Public().(ed25519.PublicKey)}
	signer, err := cose.NewSigner(cose.AlgorithmEdDSA, private)
	if err != nil {
		return fmt.Errorf("sign %s: %w", st.Kind, err)
	}
	m := cose.Sign1Message{
		Headers: cose.Headers{Protected: cose.ProtectedHeader{
			cose.HeaderLabelAlgorithm: cose.AlgorithmEdDSA,
			cose.HeaderLabelKeyID:     key.KeyID(),
		}},
		Payload: s.Payload,
	}
	if err := m.Sign(rand.Reader, context(st.Kind), signer); err != nil {
		return fmt.Errorf("sign %s: %w", st.Kind, err)
	}
	m.Payload = nil // detached: the bytes stand once, beside the proofs
	proof, err := m.MarshalCBOR()
	if err != nil {
		return fmt.Errorf("sign %s: %w", st.Kind, err)
	}
	s.Proofs = append(s.Proofs, proof)
	return nil
}

var errProof = errors.New("proof: not a signature over this statement")

// Count verifies each proof against the keys of people and returns the
// different people whose proof holds. A proof that does not hold counts for
// nobody; it does not spoil the others.
func (s Signed) Count(people []Person) ([]uuid.UUID, error) {
	st, err := s.Statement()
	if err != nil {
		return nil, err
	}
	var yes []uuid.UUID
	counted := map[uuid.UUID]bool{}
	for _, proof := range s.Proofs {
		id, err := s.verify(st.Kind, proof, people)
		if err != nil || counted[id] {
			continue
		}
		counted[id] = true
		yes = append(yes, id)
	}
	return yes, nil
}

func (s Signed) verify(kind Kind, proof []byte, people []Person) (uuid.UUID, error) {
	var m cose.Sign1Message
	if err := m.UnmarshalCBOR(proof); err != nil {
		return uuid.Nil, errProof
	}
	kid, ok := m.Headers.Protected[cose.HeaderLabelKeyID].([]byte)
	_, crit := m.Headers.Protected[cose.HeaderLabelCritical]
	if !ok || crit || len(m.Headers.Unprotected) != 0 || len(m.Payload) != 0 {
		return uuid.Nil, errProof
	}
	person, key, ok := find(people, kid)
	if !ok || key.Scheme != Ed25519 {
		return uuid.Nil, errProof
	}
	verifier, err := cose.NewVerifier(cose.AlgorithmEdDSA, ed25519.PublicKey(key.Public))
	if err != nil {
		return uuid.Nil, errProof
	}
	m.Payload = s.Payload
	if err := m.Verify(context(kind), verifier); err != nil {
		return uuid.Nil, errProof
	}
	return person, nil
}

func find(people []Person, kid []byte) (uuid.UUID, Key, bool) {
	for _, p := range people {
		for _, k := range p.Keys {
			if string(k.KeyID()) == string(kid) && len(k.Public) == ed25519.PublicKeySize {
				return p.ID, k, true
			}
		}
	}
	return uuid.Nil, Key{}, false
}
