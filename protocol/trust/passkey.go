package trust

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/veraison/go-cose"
)

// Assertion is what a browser gives back when a person used a passkey, as WebAuthn has
// it; its encoding is the signature.
type Assertion struct {
	Credential    []byte `cbor:"1,keyasint"`
	Authenticator []byte `cbor:"2,keyasint"` // authenticatorData
	Client        []byte `cbor:"3,keyasint"` // clientDataJSON
	Signature     []byte `cbor:"4,keyasint"`
}

// Encode is the assertion as a signature, see [Statement.Add].
func (a Assertion) Encode() ([]byte, error) { return encoder.Marshal(a) }

// Challenge is what a page gives a passkey to sign for content.
func Challenge(content []byte) []byte {
	h := sha256.Sum256(content)
	return h[:]
}

// Flags of authenticatorData.
const (
	flagPresent    = 1 << 0
	flagVerified   = 1 << 2
	flagEligible   = 1 << 3 // the passkey may be copied
	flagBackedUp   = 1 << 4
	flagAttested   = 1 << 6
	flagExtensions = 1 << 7
)

type passkeyVerifier struct {
	key    Key
	public crypto.PublicKey
}

func (passkeyVerifier) Algorithm() cose.Algorithm { return algorithmPasskey }

// Verify checks an assertion as WebAuthn level 3, section 7.2, asks whoever relies on it:
// everything that the browser and the authenticator say of where, by whom and for what
// the passkey was used. Only the counter is not looked at: each machine sees another part
// of what a passkey signs, and copied ones do not count.
func (v passkeyVerifier) Verify(content, signature []byte) error {
	var a Assertion
	if err := decoder.Unmarshal(signature, &a); err != nil {
		return fmt.Errorf("not an assertion: %w", err)
	}
	if !bytes.Equal(a.Credential, v.key.Credential) {
		return errors.New("of another passkey")
	}
	if err := v.client(a.Client, Challenge(content)); err != nil {
		return err
	}
	if err := v.authenticator(a.Authenticator); err != nil {
		return err
	}
	client := sha256.Sum256(a.Client)
	return verify(v.public, append(bytes.Clone(a.Authenticator), client[:]...), a.Signature)
}

// client checks what the browser says: for what, and on which page.
func (v passkeyVerifier) client(data, challenge []byte) error {
	var c map[string]json.RawMessage // by their exact names, which a struct would not ask for
	if err := json.Unmarshal(data, &c); err != nil {
		return fmt.Errorf("what the browser says is not JSON: %w", err)
	}
	text := func(name string) string {
		var s string
		if json.Unmarshal(c[name], &s) != nil {
			return ""
		}
		return s
	}
	_, top := c["topOrigin"]
	cross, told := c["crossOrigin"]
	switch {
	case text("type") != "webauthn.get":
		return fmt.Errorf("made for %q, not to sign", short(text("type")))
	case text("challenge") != base64.RawURLEncoding.EncodeToString(challenge):
		return errors.New("made for something else than this statement")
	case text("origin") != v.key.Origin:
		return fmt.Errorf("made on the page %q, not on %q", short(text("origin")), v.key.Origin)
	case top || told && string(cross) != "false":
		return errors.New("made inside another page")
	}
	return nil
}

// authenticator checks what the device says: for which site, and that a person was there
// and showed who they are.
func (v passkeyVerifier) authenticator(data []byte) error {
	const fixed = sha256.Size + 1 + 4
	if len(data) < fixed {
		return fmt.Errorf("what the device says has %d bytes; at least %d are needed", len(data), fixed)
	}
	site, flags := sha256.Sum256([]byte(v.key.Site)), data[sha256.Size]
	switch {
	case !bytes.Equal(data[:sha256.Size], site[:]):
		return fmt.Errorf("made for another site than %q", v.key.Site)
	case flags&flagPresent == 0:
		return errors.New("nobody touched the device")
	case flags&flagVerified == 0:
		return errors.New("the device did not ask who it is")
	case (flags&flagEligible != 0) != v.key.Synced:
		return errors.New("the passkey may be copied and was not registered so, or the other way round")
	case flags&flagBackedUp != 0 && flags&flagEligible == 0:
		return errors.New("a passkey that may not be copied says that it was")
	case flags&flagAttested != 0:
		return errors.New("made to register a passkey, not to sign")
	case len(data) > fixed != (flags&flagExtensions != 0):
		return errors.New("what the device says has another length than it claims")
	}
	return nil
}

// verify checks a bare signature; which algorithm it is follows from the key alone.
func verify(pub crypto.PublicKey, message, signature []byte) error {
	digest, ok := sha256.Sum256(message), false
	switch p := pub.(type) {
	case ed25519.PublicKey:
		ok = ed25519.Verify(p, message, signature)
	case *ecdsa.PublicKey:
		ok = ecdsa.VerifyASN1(p, digest[:], signature)
	case *rsa.PublicKey:
		ok = rsa.VerifyPKCS1v15(p, crypto.SHA256, digest[:], signature) == nil
	}
	if !ok {
		return errors.New("the signature does not hold")
	}
	return nil
}
