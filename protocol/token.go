package protocol

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
)

const tokenPrefix = "dse1_"

// Token lets a machine enrol: a secret, the organisation it leads to, the
// fingerprints of the console's identity keys, and the fingerprint of the
// organisation's root where there is one. Whoever has the token may enrol, so
// it is short-lived and counted at the console.
type Token struct {
	Secret       []byte    `cbor:"1,keyasint"`
	Organisation uuid.UUID `cbor:"2,keyasint"`
	Identities   [][]byte  `cbor:"3,keyasint"`
	Root         []byte    `cbor:"4,keyasint,omitempty"`
}

// tokenSum is how many bytes at the end of a token tell whether it was copied whole.
const tokenSum = 4

// String is the token as people copy it.
func (t Token) String() string {
	b, err := Marshal(t)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(b)
	return tokenPrefix + base64.RawURLEncoding.EncodeToString(append(b, sum[:tokenSum]...))
}

// ParseToken reads what a person pasted.
func ParseToken(s string) (Token, error) {
	s = strings.TrimSpace(s)
	rest, ok := strings.CutPrefix(s, tokenPrefix)
	if !ok {
		return Token{}, fmt.Errorf("enrolment token: it must begin with %q", tokenPrefix)
	}
	if len(rest) > 2048 {
		return Token{}, errors.New("enrolment token: longer than 2048 characters")
	}
	b, err := base64.RawURLEncoding.DecodeString(rest)
	changed := errors.New("enrolment token: not complete, or changed while it was copied")
	if err != nil || len(b) < tokenSum {
		return Token{}, changed
	}
	b, end := b[:len(b)-tokenSum], b[len(b)-tokenSum:]
	if sum := sha256.Sum256(b); !bytes.Equal(sum[:tokenSum], end) {
		return Token{}, changed
	}
	var t Token
	if err := Unmarshal(b, &t); err != nil {
		return Token{}, changed
	}
	if len(t.Secret) != 16 || len(t.Identities) == 0 || t.Organisation == uuid.Nil || len(t.Root) != 0 && len(t.Root) != sha256.Size {
		return Token{}, errors.New("enrolment token: a part is missing; copy it whole")
	}
	return t, nil
}
