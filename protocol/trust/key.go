package trust

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"github.com/veraison/go-cose"
	"golang.org/x/crypto/ssh"
)

// Scheme is how a key signs.
type Scheme string

// The schemes of keys.
const (
	Ed25519 Scheme = "ed25519"
	SSH     Scheme = "ssh"
	Passkey Scheme = "passkey"
)

// DeskOrigin is where the signing desk's own page is, on the computer of whoever signs,
// and DeskSite is the name its passkeys are made for.
const (
	DeskOrigin = "http://localhost:8722"
	DeskSite   = "localhost"
)

// The algorithms of COSE: Ed25519 has one, the others are private to Deskside.
const (
	algorithmSSH     cose.Algorithm = -70001
	algorithmPasskey cose.Algorithm = -70002
)

// Key is the public half of what a person signs with.
type Key struct {
	Scheme Scheme `cbor:"1,keyasint"`
	Name   string `cbor:"2,keyasint"` // what its person calls it
	// Public is 32 bytes (ed25519), the wire form of OpenSSH (ssh) or PKIX (passkey).
	Public []byte `cbor:"3,keyasint"`

	// Of a passkey: its credential's id, the site it was made for, the page that may use
	// it, and whether it may be copied to other devices.
	Credential []byte `cbor:"4,keyasint,omitempty"`
	Site       string `cbor:"5,keyasint,omitempty"`
	Origin     string `cbor:"6,keyasint,omitempty"`
	Synced     bool   `cbor:"7,keyasint,omitempty"`
}

// ID is what a signature names its key by: the SHA-256 of scheme and public half.
func (k Key) ID() [32]byte {
	return sha256.Sum256(append([]byte(string(k.Scheme)+"\x00"), k.Public...))
}

// Reads tells whether who signs with the key has seen what is signed: on their own
// computer, not on a page that a console made.
func (k Key) Reads() bool { return k.Scheme != Passkey || k.Origin == DeskOrigin }

// HardwareBound tells whether the key cannot be copied off what it was made on.
func (k Key) HardwareBound() bool {
	switch k.Scheme {
	case Passkey:
		return !k.Synced
	case SSH:
		pub, err := ssh.ParsePublicKey(k.Public)
		return err == nil && hardware(pub)
	}
	return false
}

func (k Key) check() error {
	if err := line("the name of a key", k.Name, 1, 80); err != nil {
		return err
	}
	if k.Scheme != Passkey && (len(k.Credential) > 0 || k.Site != "" || k.Origin != "" || k.Synced) {
		return fmt.Errorf("the key %q is no passkey and has what only a passkey has", k.Name)
	}
	if _, err := k.verifier("", false); err != nil {
		return fmt.Errorf("the key %q: %w", k.Name, err)
	}
	if k.Scheme != Passkey {
		return nil
	}
	if n := len(k.Credential); n < 16 || n > 1023 {
		return fmt.Errorf("the key %q: a credential of %d bytes; 16 to 1023 are allowed", k.Name, n)
	}
	if err := line("the site of a passkey", k.Site, 1, 253); err != nil {
		return err
	}
	return line("the page of a passkey", k.Origin, 1, 300)
}

func (k Key) algorithm() cose.Algorithm {
	switch k.Scheme {
	case SSH:
		return algorithmSSH
	case Passkey:
		return algorithmPasskey
	}
	return cose.AlgorithmEdDSA
}

// verifier verifies signatures of the key that were made for a context, see
// [Kind.Context]. With pin, the person must have shown the key who they are, where the
// key can tell.
func (k Key) verifier(context string, pin bool) (cose.Verifier, error) {
	switch k.Scheme {
	case Ed25519:
		if len(k.Public) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("%d bytes, an Ed25519 key has %d", len(k.Public), ed25519.PublicKeySize)
		}
		return cose.NewVerifier(cose.AlgorithmEdDSA, ed25519.PublicKey(k.Public))
	case SSH:
		pub, err := ssh.ParsePublicKey(k.Public)
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(pub.Marshal(), k.Public) {
			return nil, errors.New("there is more than a key in it")
		}
		if !slices.Contains(sshTypes, pub.Type()) {
			return nil, fmt.Errorf("a key of type %q; allowed are %v", short(pub.Type()), sshTypes)
		}
		return sshVerifier{key: pub, namespace: context, pin: pin}, nil
	case Passkey:
		pub, err := x509.ParsePKIXPublicKey(k.Public)
		if err != nil {
			return nil, err
		}
		if err := fit(pub); err != nil {
			return nil, err
		}
		return passkeyVerifier{key: k, public: pub}, nil
	}
	return nil, fmt.Errorf("a key of scheme %q", short(string(k.Scheme)))
}

// fit tells whether passkeys of this kind are good enough: ES256, EdDSA, or RS256 of at
// least 2048 bits.
func fit(pub crypto.PublicKey) error {
	switch p := pub.(type) {
	case *ecdsa.PublicKey:
		if p.Curve != elliptic.P256() {
			return fmt.Errorf("on the curve %s; P-256 is allowed", p.Curve.Params().Name)
		}
	case ed25519.PublicKey:
	case *rsa.PublicKey:
		if n := p.N.BitLen(); n < 2048 || n > 4096 {
			return fmt.Errorf("RSA of %d bits; 2048 to 4096 are allowed", n)
		}
	default:
		return fmt.Errorf("a key of type %T", pub)
	}
	return nil
}
