package expression

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// Bounds of the answer to a question.
const (
	MaxAnswerRows  = 200
	MaxColumns     = 8
	MaxAnswerBytes = 64 << 10 // texts and numbers together
	maxCellBytes   = 1 << 10  // of one text
)

// An Answer is what one machine says to a question: a table. A single value is
// a table of one row and the column "value".
type Answer struct {
	Columns   []string  `cbor:"1,keyasint,omitzero"`
	Rows      [][]Value `cbor:"2,keyasint,omitzero"`
	Truncated bool      `cbor:"3,keyasint,omitempty"` // there were more rows, or longer texts
	Undecided int       `cbor:"4,keyasint,omitempty"` // rows left out because a reading was unknown
	Unknown   string    `cbor:"5,keyasint,omitempty"` // what was unknown, and why, when there is no answer
}

// Answer evaluates the program for a question. A value that is unknown is an
// answer without rows that says what was unknown.
func (p *Program) Answer(m *Machine) (Answer, error) {
	v, err := p.Evaluate(Scope{Machine: m})
	if err != nil {
		return Answer{}, err
	}
	b := answerBuilder{m: m}
	switch v.kind {
	case unknownKind:
		b.Unknown = v.text
		if why := m.Why(v.text); why != "" {
			b.Unknown += ": " + why
		}
	case listKind:
		l := v.ref.(*listValue)
		b.Undecided = l.undecided
		b.Columns = p.columns()
		for i := range l.n {
			if !b.add(p, l.at(i)) {
				break
			}
		}
	default:
		b.Columns = p.columns()
		b.add(p, v)
	}
	return b.Answer, nil
}

type answerBuilder struct {
	Answer
	m     *Machine
	bytes int
}

// columns returns the headings of the program's value.
func (p *Program) columns() []string {
	switch t := p.typ; {
	case t.rows != nil:
		var out []string
		for _, f := range p.shown {
			out = append(out, f.Name[len(t.rows.name)+1:])
		}
		return out
	case t.rec != nil:
		return t.rec
	}
	return []string{"value"}
}

// add appends one row and reports whether there is room for more.
func (b *answerBuilder) add(p *Program, v Value) bool {
	if len(b.Rows) == MaxAnswerRows {
		b.Truncated = true
		return false
	}
	var row []Value
	switch {
	case p.typ.rows != nil:
		for _, f := range p.shown {
			row = append(row, f.get(v.ref))
		}
	case p.typ.rec != nil:
		row = append(row, v.ref.(*record).cells...)
	default:
		row = []Value{v}
	}
	size := 0
	for i, cell := range row {
		if len(cell.text) > maxCellBytes {
			row[i].text = CleanText(cell.text[:maxCellBytes])
			b.Truncated = true
		}
		if cell.kind == unknownKind {
			row[i].text = "" // null says it
		}
		size += 9 + len(row[i].text)
	}
	if b.bytes+size > MaxAnswerBytes {
		b.Truncated = true
		return false
	}
	b.bytes += size
	b.Rows = append(b.Rows, row)
	return true
}

// Check reports whether an answer that came from elsewhere keeps the bounds.
// It also cleans its texts.
func (a *Answer) Check() error {
	if len(a.Columns) > MaxColumns || len(a.Rows) > MaxAnswerRows || a.Undecided < 0 {
		return fmt.Errorf("answer has %d columns and %d rows, at most %d and %d are allowed", len(a.Columns), len(a.Rows), MaxColumns, MaxAnswerRows)
	}
	size := 0
	for i, c := range a.Columns {
		if len(c) > 64 {
			return errors.New("answer has a heading of more than 64 bytes")
		}
		a.Columns[i] = CleanText(c)
	}
	for _, row := range a.Rows {
		if len(row) != len(a.Columns) {
			return fmt.Errorf("answer has a row of %d values under %d headings", len(row), len(a.Columns))
		}
		for i := range row {
			row[i].text = CleanText(row[i].text)
			size += 9 + len(row[i].text)
		}
	}
	if size > MaxAnswerBytes {
		return fmt.Errorf("answer has %d bytes, at most %d are allowed", size, MaxAnswerBytes)
	}
	a.Unknown = CleanText(a.Unknown)
	return nil
}

// MarshalJSON returns the rows as objects with the columns in their order.
func (a Answer) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('[')
	for i, row := range a.Rows {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('{')
		for j, cell := range row {
			if j > 0 {
				b.WriteByte(',')
			}
			name, err := json.Marshal(a.Columns[j])
			if err != nil {
				return nil, err
			}
			value, err := cell.MarshalJSON()
			if err != nil {
				return nil, err
			}
			b.Write(name)
			b.WriteByte(':')
			b.Write(value)
		}
		b.WriteByte('}')
	}
	b.WriteByte(']')
	return b.Bytes(), nil
}

// MarshalJSON returns a boolean, a number, a text, an RFC 3339 time or null. A
// value with rows has no JSON of its own: see Answer.
func (v Value) MarshalJSON() ([]byte, error) {
	switch v.kind {
	case unknownKind:
		return []byte("null"), nil
	case boolKind:
		return json.Marshal(v.num != 0)
	case numberKind:
		return Known(v.num).MarshalJSON()
	case textKind:
		return json.Marshal(v.text)
	case timeKind:
		return Time(v.num).MarshalJSON()
	}
	return nil, fmt.Errorf("a %s is not a single value", v.kind)
}

// MarshalCBOR is as MarshalJSON; a time is an RFC 3339 text.
func (v Value) MarshalCBOR() ([]byte, error) {
	switch v.kind {
	case unknownKind:
		return []byte{0xf6}, nil
	case boolKind:
		return cbor.Marshal(v.num != 0)
	case numberKind:
		return Known(v.num).MarshalCBOR()
	case textKind:
		return cbor.Marshal(v.text)
	case timeKind:
		return cbor.Marshal(Time(v.num).Time().Format(time.RFC3339Nano))
	}
	return nil, fmt.Errorf("a %s is not a single value", v.kind)
}

// UnmarshalCBOR takes null, a boolean, a number or a text.
func (v *Value) UnmarshalCBOR(b []byte) error {
	*v = Value{}
	if len(b) == 0 {
		return errors.New("value is empty")
	}
	switch {
	case b[0] == 0xf4 || b[0] == 0xf5:
		*v = Boolean(b[0] == 0xf5)
		return nil
	case b[0]>>5 == 3:
		var s string
		if err := cbor.Unmarshal(b, &s); err != nil {
			return err
		}
		*v = String(s)
		return nil
	}
	var r Reading
	if err := r.UnmarshalCBOR(b); err != nil {
		return errors.New("value is not a boolean, a number, a text or null")
	}
	*v = numberOrUnknown(r, "")
	return nil
}
