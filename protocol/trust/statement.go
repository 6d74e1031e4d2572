package trust

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/uuid"
	"github.com/veraison/go-cose"
)

// Kind is what a statement says.
type Kind string

// The kinds of statements.
const (
	KindTrust      Kind = "trust"
	KindApproval   Kind = "approval"
	KindWithdrawal Kind = "withdrawal"
	KindOrder      Kind = "order"
	KindPlan       Kind = "plan"
	KindGrant      Kind = "grant"
	KindRelease    Kind = "release"
)

const (
	// MaxSize is how long a statement with its signatures may be, in bytes.
	MaxSize    = 64 << 10
	maxPayload = MaxSize - maxSignatures<<10 // its signatures fit beside it
	// maxSignatures is how many signatures one statement may carry: each costs whoever
	// verifies it.
	maxSignatures = 16
)

// Context is what a signature over a statement of this kind is for: the external data of
// COSE, and the namespace of OpenSSH.
func (k Kind) Context() string { return "deskside/1/" + string(k) }

// Head is what every statement begins with.
type Head struct {
	Organisation uuid.UUID
	ID           uuid.UUID // used once
	NotBefore    time.Time // to the microsecond, like Expires
	Expires      time.Time
	Trust        uint64 // the version of the trust file under which it was signed
}

// Body is what a statement says: a *[File], *[Approval], *[Withdrawal], *[Order], *[Plan],
// *[Grant] or *[Release].
type Body interface {
	Kind() Kind
	check() error           // whether it is whole, and within its bounds
	longest() time.Duration // how long it may hold
}

// Statement is a statement and the signatures over it, which may be anybody's: see
// [Trust.Heard].
type Statement struct {
	Head
	Body Body

	payload    []byte
	signatures []*cose.Signature
}

// wire is the form of a statement that is signed.
type wire struct {
	Kind         Kind            `cbor:"1,keyasint"`
	Organisation uuid.UUID       `cbor:"2,keyasint"`
	ID           uuid.UUID       `cbor:"3,keyasint"`
	NotBefore    int64           `cbor:"4,keyasint"`
	Expires      int64           `cbor:"5,keyasint"`
	Trust        uint64          `cbor:"6,keyasint"`
	Body         cbor.RawMessage `cbor:"7,keyasint"`
}

// ErrStatement means that bytes are not a statement that this program understands whole.
var ErrStatement = errors.New("not a statement that is understood here")

var encoder, decoder = modes()

func modes() (cbor.EncMode, cbor.DecMode) {
	enc, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		panic(err)
	}
	dec, err := cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		IndefLength:       cbor.IndefLengthForbidden,
		MaxNestedLevels:   8,
		MaxArrayElements:  2048,
		MaxMapPairs:       256,
		TagsMd:            cbor.TagsForbidden,
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
		FieldNameMatching: cbor.FieldNameMatchingCaseSensitive,
	}.DecMode()
	if err != nil {
		panic(err)
	}
	return enc, dec
}

// New is a statement that nobody has signed yet. A body that breaks a rule is refused
// here, so that nobody signs what no machine would take.
func New(head Head, body Body) (*Statement, error) {
	raw, err := encoder.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("encode a statement (%s): %w", body.Kind(), err)
	}
	payload, err := encoder.Marshal(wire{
		Kind: body.Kind(), Organisation: head.Organisation, ID: head.ID,
		NotBefore: head.NotBefore.UnixMicro(), Expires: head.Expires.UnixMicro(), Trust: head.Trust, Body: raw,
	})
	if err != nil {
		return nil, fmt.Errorf("encode a statement (%s): %w", body.Kind(), err)
	}
	if len(payload) > maxPayload {
		return nil, fmt.Errorf("%w (%s): %d bytes, at most %d are allowed", ErrStatement, body.Kind(), len(payload), maxPayload)
	}
	s := &Statement{payload: payload}
	if err := s.read(); err != nil {
		return nil, err
	}
	return s, nil
}

// Draft reads what nobody has signed yet, see [Statement.Payload].
func Draft(payload []byte) (*Statement, error) {
	if len(payload) > maxPayload {
		return nil, fmt.Errorf("%w: %d bytes, at most %d are allowed", ErrStatement, len(payload), maxPayload)
	}
	s := &Statement{payload: bytes.Clone(payload)}
	if err := s.read(); err != nil {
		return nil, err
	}
	return s, nil
}

// Payload is what is signed.
func (s *Statement) Payload() []byte { return bytes.Clone(s.payload) }

// Join adds the signatures that another copy of the same statement has.
func (s *Statement) Join(other *Statement) error {
	if !bytes.Equal(s.payload, other.payload) {
		return fmt.Errorf("join signatures (%s): they are over something else", s.Kind())
	}
	for _, x := range other.signatures {
		if err := s.put(x, false); err != nil {
			return err
		}
	}
	return nil
}

// Open reads a statement. It says nothing about who signed it, nor whether it holds now.
func Open(data []byte) (*Statement, error) {
	if len(data) > MaxSize {
		return nil, fmt.Errorf("%w: %d bytes, at most %d are allowed", ErrStatement, len(data), MaxSize)
	}
	var m cose.SignMessage
	if err := m.UnmarshalCBOR(data); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrStatement, err)
	}
	if len(m.Headers.Protected) != 0 || len(m.Headers.Unprotected) != 0 {
		return nil, fmt.Errorf("%w: it has headers of its own", ErrStatement)
	}
	if len(m.Signatures) > maxSignatures {
		return nil, fmt.Errorf("%w: %d signatures, at most %d are allowed", ErrStatement, len(m.Signatures), maxSignatures)
	}
	s := &Statement{payload: m.Payload}
	if err := s.read(); err != nil {
		return nil, err
	}
	for _, x := range m.Signatures {
		if _, err := keyID(x); err != nil {
			return nil, err
		}
		s.signatures = append(s.signatures, x)
	}
	return s, nil
}

// read makes of the signed bytes what they say. Bytes that this program would not have
// written in the same way are refused: there is one form of everything that is signed.
func (s *Statement) read() error {
	var w wire
	if err := decoder.Unmarshal(s.payload, &w); err != nil {
		return fmt.Errorf("%w: %v", ErrStatement, err)
	}
	if s.Body = bodyOf(w.Kind); s.Body == nil {
		return fmt.Errorf("%w: of a kind %q", ErrStatement, short(string(w.Kind)))
	}
	if err := decoder.Unmarshal(w.Body, s.Body); err != nil {
		return fmt.Errorf("%w (%s): %v", ErrStatement, w.Kind, err)
	}
	var err error
	if w.Body, err = encoder.Marshal(s.Body); err != nil {
		return fmt.Errorf("%w (%s): %v", ErrStatement, w.Kind, err)
	}
	if again, err := encoder.Marshal(w); err != nil || !bytes.Equal(again, s.payload) {
		return fmt.Errorf("%w (%s): not in the one form that is signed", ErrStatement, w.Kind)
	}
	s.Head = Head{Organisation: w.Organisation, ID: w.ID, NotBefore: time.UnixMicro(w.NotBefore), Expires: time.UnixMicro(w.Expires), Trust: w.Trust}
	if err := s.check(); err != nil {
		return fmt.Errorf("%w (%s): %v", ErrStatement, w.Kind, err)
	}
	return nil
}

// check tells whether what every statement has is there and within its bounds.
func (s *Statement) check() error {
	life, longest := s.Expires.Sub(s.NotBefore), s.Body.longest()
	switch {
	case s.Organisation == uuid.Nil:
		return errors.New("no organisation")
	case s.ID == uuid.Nil:
		return errors.New("no id")
	case s.Trust == 0:
		return errors.New("no version of the trust file")
	case life <= 0:
		return errors.New("it ends before it begins")
	case life > longest:
		return fmt.Errorf("it holds for %v, at most %v are allowed", life, longest)
	}
	return s.Body.check()
}

func bodyOf(kind Kind) Body {
	switch kind {
	case KindTrust:
		return new(File)
	case KindApproval:
		return new(Approval)
	case KindWithdrawal:
		return new(Withdrawal)
	case KindOrder:
		return new(Order)
	case KindPlan:
		return new(Plan)
	case KindGrant:
		return new(Grant)
	case KindRelease:
		return new(Release)
	}
	return nil
}

// Kind is what the statement says.
func (s *Statement) Kind() Kind { return s.Body.Kind() }

// signed is the statement anew as its signed bytes say it: what a caller changed in the
// fields since is not what was signed.
func (s *Statement) signed() (*Statement, error) {
	again := &Statement{payload: s.payload, signatures: s.signatures}
	if err := again.read(); err != nil {
		return nil, err
	}
	return again, nil
}

// Digest is the SHA-256 of what is signed.
func (s *Statement) Digest() [32]byte { return sha256.Sum256(s.payload) }

// Encode is the statement with its signatures, of which there must be one.
func (s *Statement) Encode() ([]byte, error) {
	m := cose.SignMessage{Payload: s.payload, Signatures: s.signatures}
	data, err := m.MarshalCBOR()
	if err != nil {
		return nil, fmt.Errorf("encode a signed statement (%s): %w", s.Kind(), err)
	}
	if len(data) > MaxSize {
		return nil, fmt.Errorf("encode a signed statement (%s): %d bytes, at most %d are allowed", s.Kind(), len(data), MaxSize)
	}
	return data, nil
}

// short makes a word of a stranger fit for an error.
func short(s string) string {
	const most = 40
	if len(s) > most {
		s = s[:most]
	}
	return s
}
