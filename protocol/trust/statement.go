package trust

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/uuid"
)

// Kind names what a statement says.
type Kind string

const (
	KindTrust      Kind = "trust"
	KindApproval   Kind = "approval"
	KindWithdrawal Kind = "withdrawal"
	KindOrder      Kind = "order"
	KindPlan       Kind = "plan"
	KindGrant      Kind = "grant"
	KindRelease    Kind = "release"
)

// Kinds lists all kinds.
func Kinds() []Kind {
	return []Kind{KindTrust, KindApproval, KindWithdrawal, KindOrder, KindPlan, KindGrant, KindRelease}
}

// MaxStatement is the largest encoded statement, proofs included.
const MaxStatement = 64 << 10

// MaxProofs is the largest number of proofs of one statement.
const MaxProofs = 16

// Statement is what is signed. Times are microseconds since 1970, UTC.
type Statement struct {
	Kind         Kind            `cbor:"1,keyasint"`
	Organisation uuid.UUID       `cbor:"2,keyasint"`
	ID           uuid.UUID       `cbor:"3,keyasint"`
	NotBefore    int64           `cbor:"4,keyasint"`
	Expires      int64           `cbor:"5,keyasint"`
	TrustVersion uint64          `cbor:"6,keyasint"`
	Body         cbor.RawMessage `cbor:"7,keyasint"`
}

// Signed is a statement's bytes and the proofs over them.
type Signed struct {
	Payload []byte   `cbor:"1,keyasint"`
	Proofs  [][]byte `cbor:"2,keyasint"`
}

// Errors of statements. They wrap no cause: what an intruder sent is not
// worth explaining to him.
var (
	ErrMalformed = errors.New("statement: malformed, or with a part that is not known here")
	ErrKind      = errors.New("statement: of another kind than its body")
	ErrTooLarge  = fmt.Errorf("statement: larger than %d bytes", MaxStatement)
)

var encoder, decoder = modes()

func modes() (cbor.EncMode, cbor.DecMode) {
	enc, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		panic(err)
	}
	dec, err := cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		IndefLength:       cbor.IndefLengthForbidden,
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
		MaxNestedLevels:   8,
		MaxArrayElements:  4096,
		MaxMapPairs:       4096,
		TagsMd:            cbor.TagsForbidden,
		UTF8:              cbor.UTF8RejectInvalid,
	}.DecMode()
	if err != nil {
		panic(err)
	}
	return enc, dec
}

// New makes an unsigned statement around body.
func New(s Statement, body Body) (Signed, error) {
	if s.Kind == "" {
		s.Kind = body.kind()
	}
	if s.Kind != body.kind() {
		return Signed{}, ErrKind
	}
	raw, err := encoder.Marshal(body)
	if err != nil {
		return Signed{}, fmt.Errorf("encode %s: %w", s.Kind, err)
	}
	s.Body = raw
	payload, err := encoder.Marshal(s)
	if err != nil {
		return Signed{}, fmt.Errorf("encode %s: %w", s.Kind, err)
	}
	return Signed{Payload: payload}, nil
}

// Encode is the statement as it travels and is kept.
func (s Signed) Encode() ([]byte, error) {
	b, err := encoder.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encode statement: %w", err)
	}
	if len(b) > MaxStatement {
		return nil, ErrTooLarge
	}
	return b, nil
}

// Decode reads an encoded statement; it verifies nothing.
func Decode(b []byte) (Signed, Statement, error) {
	if len(b) > MaxStatement {
		return Signed{}, Statement{}, ErrTooLarge
	}
	var signed Signed
	if err := decoder.Unmarshal(b, &signed); err != nil {
		return Signed{}, Statement{}, ErrMalformed
	}
	if len(signed.Proofs) > MaxProofs {
		return Signed{}, Statement{}, ErrMalformed
	}
	s, err := signed.Statement()
	return signed, s, err
}

// Statement decodes the signed bytes. They must be the deterministic encoding
// of what they say: two encodings of one statement do not exist.
func (s Signed) Statement() (Statement, error) {
	var st Statement
	if err := decoder.Unmarshal(s.Payload, &st); err != nil {
		return Statement{}, ErrMalformed
	}
	again, err := encoder.Marshal(st)
	if err != nil || !bytes.Equal(again, s.Payload) {
		return Statement{}, ErrMalformed
	}
	return st, nil
}

// Read decodes the body of s into body, whose kind must be the statement's.
func (s Statement) Read(body Body) error {
	if s.Kind != body.kind() {
		return ErrKind
	}
	if err := decoder.Unmarshal(s.Body, body); err != nil {
		return ErrMalformed
	}
	again, err := encoder.Marshal(body)
	if err != nil || !bytes.Equal(again, s.Body) {
		return ErrMalformed
	}
	return nil
}

// At tells whether the statement holds at a time.
func (s Statement) At(now time.Time) bool {
	t := now.UnixMicro()
	return s.NotBefore <= t && t < s.Expires
}
