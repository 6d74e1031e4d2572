package trust

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/google/uuid"
)

// An Errand is what a console asks a person to sign on their own computer. It is text that
// people carry there by hand, and nothing in it is believed: the desk shows all of it.
type Errand struct {
	Organisation uuid.UUID `cbor:"1,keyasint"`
	Name         string    `cbor:"2,keyasint"` // of the organisation
	Back         string    `cbor:"3,keyasint"` // the page of the console that takes what was signed

	// To found an organisation's trust: who will be its first person, and which identities
	// of consoles are to be its own.
	Person     uuid.UUID `cbor:"4,keyasint,omitempty"`
	PersonName string    `cbor:"5,keyasint,omitempty"`
	Consoles   [][]byte  `cbor:"6,keyasint,omitempty"`

	// To sign anything later: the newest trust file, and what is to be signed, see
	// [Statement.Payload].
	Trust   []byte `cbor:"7,keyasint,omitempty"`
	Payload []byte `cbor:"8,keyasint,omitempty"`
}

// Founds tells whether the errand is to found an organisation's trust.
func (e Errand) Founds() bool { return e.Person != uuid.Nil }

const (
	errandPrefix  = "dsd1_" // for the desk
	errandSum     = 4       // bytes at the end that tell whether it was copied whole
	longestErrand = 256 << 10
)

// String is the errand as people copy it.
func (e Errand) String() string {
	raw, err := encoder.Marshal(e)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(raw)
	return errandPrefix + base64.RawURLEncoding.EncodeToString(append(raw, sum[:errandSum]...))
}

// ParseErrand reads what a person pasted, with or without the breaks of lines that a mail
// puts in.
func ParseErrand(text string) (Errand, error) {
	var e Errand
	text = strings.Join(strings.Fields(text), "")
	rest, ok := strings.CutPrefix(text, errandPrefix)
	switch {
	case !ok:
		return e, fmt.Errorf("what is to be signed: it must begin with %q", errandPrefix)
	case len(rest) > longestErrand:
		return e, fmt.Errorf("what is to be signed: longer than %d characters", longestErrand)
	}
	raw, err := base64.RawURLEncoding.DecodeString(rest)
	changed := errors.New("what is to be signed: not complete, or changed while it was copied")
	if err != nil || len(raw) < errandSum {
		return e, changed
	}
	raw, end := raw[:len(raw)-errandSum], raw[len(raw)-errandSum:]
	if sum := sha256.Sum256(raw); !bytes.Equal(sum[:errandSum], end) {
		return e, changed
	}
	if err := decoder.Unmarshal(raw, &e); err != nil {
		return e, fmt.Errorf("what is to be signed: made by a newer console, or damaged: %w", err)
	}
	return e, e.check()
}

func (e Errand) check() error {
	if e.Organisation == uuid.Nil {
		return errors.New("what is to be signed: it names no organisation")
	}
	if err := line("the name of an organisation", e.Name, 1, 200); err != nil {
		return err
	}
	if back, err := url.Parse(e.Back); err != nil || back.Scheme != "https" && back.Scheme != "http" || back.Host == "" || len(e.Back) > 500 {
		return errors.New("what is to be signed: it does not say which page of a console it comes from")
	}
	if e.Founds() == (len(e.Payload) > 0) {
		return errors.New("what is to be signed: it is to found a trust, or it has a statement, one of the two")
	}
	if e.Founds() {
		return line("the name of a person", e.PersonName, 1, 120)
	}
	return nil
}
