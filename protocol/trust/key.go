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
	if _, err := k.itself(); err != nil {
		return fmt.Errorf("the key %q: %w", k.Name, err)
	}
	if k.Scheme != Passkey {
		return nil
	}
	if k.Origin == DeskOrigin && k.Site != DeskSite {
		return fmt.Errorf("the key %q: the signing desk's passkeys are for %s, not for %q", k.Name, DeskSite, short(k.Site))
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

// itself is the bare public key, the same in whichever scheme it signs.
func (k Key) itself() (string, error) {
	public, err := k.public()
	if err != nil {
		return "", err
	}
	if err := fit(public); err != nil {
		return "", err
	}
	raw, err := x509.MarshalPKIXPublicKey(public)
	return string(raw), err
}

func (k Key) public() (crypto.PublicKey, error) {
	switch k.Scheme {
	case Ed25519:
		return ed25519.PublicKey(k.Public), nil
	case Passkey:
		return x509.ParsePKIXPublicKey(k.Public)
	}
	pub, err := ssh.ParsePublicKey(k.Public)
	if err != nil {
		return nil, err
	}
	c, ok := pub.(ssh.CryptoPublicKey)
	if !ok {
		return nil, fmt.Errorf("a key of type %q", short(pub.Type()))
	}
	return c.CryptoPublicKey(), nil
}

// weak are the points of Ed25519 of small order, by their y, without the bit of x: under
// such a key anybody signs. Those of y beyond the field are written in a second way.
var weak = [][]byte{
	{0}, {1},
	{0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
	{0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
}

// strong tells whether only who has the private half can sign under an Ed25519 key.
func strong(key ed25519.PublicKey) bool {
	y := [32]byte(key)
	y[31] &= 0x7f
	for _, w := range weak {
		if y == [32]byte(append(bytes.Clone(w), make([]byte, 32-len(w))...)) {
			return false
		}
	}
	// From -1, which is weak too, on: what is beyond it is no number of the field.
	return y[0] < 0xec || y[31] != 0x7f || !bytes.Equal(y[1:31], bytes.Repeat([]byte{0xff}, 30))
}

// fit tells whether keys of this kind are good enough: Ed25519, P-256, or RSA of at least
// 2048 bits.
func fit(pub crypto.PublicKey) error {
	switch p := pub.(type) {
	case *ecdsa.PublicKey:
		if p.Curve != elliptic.P256() {
			return fmt.Errorf("on the curve %s; P-256 is allowed", p.Curve.Params().Name)
		}
	case ed25519.PublicKey:
		if len(p) != ed25519.PublicKeySize || !strong(p) {
			return errors.New("a weak key, under which anybody can sign")
		}
	case *rsa.PublicKey:
		if n := p.N.BitLen(); n < 2048 || n > 4096 {
			return fmt.Errorf("RSA of %d bits; 2048 to 4096 are allowed", n)
		}
		if p.E < 3 || p.E%2 == 0 || p.N.Bit(0) == 0 {
			return errors.New("RSA with numbers that sign nothing")
		}
	default:
		return fmt.Errorf("a key of type %T", pub)
	}
	return nil
}
