package trust

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hiddeco/sshsig"
	"github.com/veraison/go-cose"
	"golang.org/x/crypto/ssh"
)

// sshTypes are the keys of OpenSSH that may sign. RSA is not among them: whoever signs
// for a fleet makes a key for it.
var sshTypes = []string{ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoSKED25519, ssh.KeyAlgoSKECDSA256}

// hardware tells whether a key of OpenSSH lives on a security key.
func hardware(pub ssh.PublicKey) bool { return strings.HasPrefix(pub.Type(), "sk-") }

// Flags of a security key's signature, as OpenSSH writes them behind it.
const (
	skTouched  = 0x01
	skVerified = 0x04
)

// sshVerifier verifies signatures as `ssh-keygen -Y sign` makes them, in their binary
// form. The namespace is the context of what is signed.
type sshVerifier struct {
	key       ssh.PublicKey
	namespace string
	pin       bool
}

func (sshVerifier) Algorithm() cose.Algorithm { return algorithmSSH }

func (v sshVerifier) Verify(content, blob []byte) error {
	s, err := sshsig.ParseSignature(blob)
	if err != nil {
		return fmt.Errorf("not a signature of OpenSSH: %w", err)
	}
	if again := s.Marshal(); !bytes.Equal(again, blob) {
		return errors.New("there is more than a signature of OpenSSH in it")
	}
	if err := sshsig.Verify(bytes.NewReader(content), s, v.key, sshsig.HashSHA512, v.namespace); err != nil {
		return err
	}
	if !hardware(v.key) {
		return nil
	}
	switch rest := s.Signature.Rest; {
	case len(rest) != 5 || rest[0]&skTouched == 0:
		return errors.New("the security key was not touched")
	case v.pin && rest[0]&skVerified == 0:
		return errors.New("the security key did not ask for its PIN")
	}
	return nil
}

// KeyOfSSH is the key of a line of OpenSSH's, such as id_ed25519.pub has.
func KeyOfSSH(text string) (Key, error) {
	pub, comment, _, rest, err := ssh.ParseAuthorizedKey([]byte(text))
	if err != nil {
		return Key{}, fmt.Errorf("read a public key of OpenSSH: %w", err)
	}
	if len(bytes.TrimSpace(rest)) > 0 {
		return Key{}, errors.New("read a public key of OpenSSH: more than one line")
	}
	if !slices.Contains(sshTypes, pub.Type()) {
		return Key{}, fmt.Errorf("read a public key of OpenSSH: of type %s; allowed are %s", pub.Type(), strings.Join(sshTypes, ", "))
	}
	if comment == "" {
		comment = pub.Type()
	}
	return Key{Scheme: SSH, Name: comment, Public: pub.Marshal()}, nil
}
