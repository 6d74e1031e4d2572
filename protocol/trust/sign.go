package trust

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"

	"github.com/hiddeco/sshsig"
	"github.com/veraison/go-cose"
	"golang.org/x/crypto/ssh"
)

// ErrSignature means that a signature does not hold.
var ErrSignature = errors.New("the signature does not hold")

// headers are the protected headers of a signature of key.
func headers(key Key) cose.Headers {
	id := key.ID()
	return cose.Headers{Protected: cose.ProtectedHeader{
		cose.HeaderLabelAlgorithm: key.algorithm(),
		cose.HeaderLabelKeyID:     id[:],
	}}
}

// keyID reads by which key a signature was made, and refuses what its headers say beside
// it: what is not understood here decides nothing.
func keyID(s *cose.Signature) ([32]byte, error) {
	id, ok := s.Headers.Protected[cose.HeaderLabelKeyID].([]byte)
	_, algorithm := s.Headers.Protected[cose.HeaderLabelAlgorithm]
	if !ok || !algorithm || len(id) != 32 || len(s.Headers.Protected) != 2 || len(s.Headers.Unprotected) != 0 {
		return [32]byte{}, fmt.Errorf("%w: a signature with other headers than its algorithm and its key", ErrStatement)
	}
	return [32]byte(id), nil
}

// emptyHeader is the protected header of a statement, of which there is none.
var emptyHeader = []byte{0x40}

// content takes what is signed, and signs nothing.
type content struct {
	algorithm cose.Algorithm
	taken     []byte
}

func (c *content) Algorithm() cose.Algorithm { return c.algorithm }

func (c *content) Sign(_ io.Reader, message []byte) ([]byte, error) {
	c.taken = bytes.Clone(message)
	return []byte{0}, nil
}

// Content is what key signs: the bytes for [Ed25519] and for OpenSSH, and what
// [Challenge] makes of them for a passkey.
func (s *Statement) Content(key Key) ([]byte, error) {
	c := &content{algorithm: key.algorithm()}
	x := &cose.Signature{Headers: headers(key)}
	if err := x.Sign(nil, c, emptyHeader, s.payload, []byte(s.Kind().Context())); err != nil {
		return nil, fmt.Errorf("what is to be signed (%s): %w", s.Kind(), err)
	}
	return c.taken, nil
}

// Add puts a signature of key to the statement, when it holds. One that is there already
// from the same key is replaced.
func (s *Statement) Add(key Key, signature []byte) error {
	x := &cose.Signature{Headers: headers(key), Signature: signature}
	if err := s.verify(x, key, false); err != nil {
		return err
	}
	return s.put(x, true)
}

// put adds a signature, in the place of one that is there from the same key where over says
// so.
func (s *Statement) put(x *cose.Signature, over bool) error {
	id, err := keyID(x)
	if err != nil {
		return err
	}
	for i, other := range s.signatures {
		if have, err := keyID(other); err == nil && have == id {
			if over {
				s.signatures[i] = x
			}
			return nil
		}
	}
	if len(s.signatures) == maxSignatures {
		return fmt.Errorf("a statement carries at most %d signatures", maxSignatures)
	}
	s.signatures = append(s.signatures, x)
	return nil
}

// verify tells whether a signature is of key, which is asked for in its scheme alone: what
// a signature says of its own algorithm must be that and changes nothing.
func (s *Statement) verify(x *cose.Signature, key Key, pin bool) error {
	v, err := key.verifier(s.Kind().Context(), pin)
	if err != nil {
		return fmt.Errorf("%w: %v", ErrSignature, err)
	}
	if err := x.Verify(v, emptyHeader, s.payload, []byte(s.Kind().Context())); err != nil {
		return fmt.Errorf("%w (key %q): %v", ErrSignature, key.Name, err)
	}
	return nil
}

// KeyOf is the key whose private half is private.
func KeyOf(name string, private ed25519.PrivateKey) Key {
	return Key{Scheme: Ed25519, Name: name, Public: private.Public().(ed25519.PublicKey)}
}

// Sign signs the statement with an Ed25519 key.
func (s *Statement) Sign(private ed25519.PrivateKey) error {
	key := KeyOf("", private)
	message, err := s.Content(key)
	if err != nil {
		return err
	}
	return s.Add(key, ed25519.Sign(private, message))
}

// SignSSH signs the statement with a key of OpenSSH, which may be in its agent.
func (s *Statement) SignSSH(signer ssh.Signer) error {
	key := Key{Scheme: SSH, Public: signer.PublicKey().Marshal()}
	message, err := s.Content(key)
	if err != nil {
		return err
	}
	x, err := sshsig.Sign(bytes.NewReader(message), signer, sshsig.HashSHA512, s.Kind().Context())
	if err != nil {
		return fmt.Errorf("sign with a key of OpenSSH: %w", err)
	}
	return s.Add(key, x.Marshal())
}
