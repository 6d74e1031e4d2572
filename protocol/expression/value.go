package expression

import (
	"fmt"
	"strconv"
	"time"
)

// A Value is what an expression comes to: a truth, a number, a text, a time,
// something with several rows, or unknown. The zero Value is unknown.
type Value struct {
	kind kind
	num  float64 // number; 1 for true; microseconds of a time
	text string  // text or version; of an unknown value what made it so
	ref  any     // row: pointer to it; list: *listValue; record: *record
}

type kind uint8

const (
	unknownKind kind = iota
	boolKind
	numberKind
	textKind
	timeKind
	versionKind
	rowKind
	listKind
	recordKind
)

func (k kind) String() string {
	return [...]string{"unknown", "boolean", "number", "text", "time", "version", "row", "list", "record"}[k]
}

// listValue is several rows of one collection, or several scalars or records.
type listValue struct {
	rows      *collection
	machine   *Machine
	index     []int32 // which rows; nil means all n
	n         int
	items     []Value // when rows is nil
	undecided int     // rows a filter could not judge
	because   string  // the reading that was unknown for them
}

func (l *listValue) at(i int) Value {
	if l.rows == nil {
		return l.items[i]
	}
	if l.index != nil {
		i = int(l.index[i])
	}
	return Value{kind: rowKind, ref: l.rows.at(l.machine, i)}
}

type record struct {
	names []string
	cells []Value
}

// Number returns v as a Value.
func Number(v float64) Value { return numberOrUnknown(Known(v), "") }

// String returns s as a Value; the empty text is a known one.
func String(s string) Value { return Value{kind: textKind, text: s} }

// Boolean returns b as a Value.
func Boolean(b bool) Value {
	v := Value{kind: boolKind}
	if b {
		v.num = 1
	}
	return v
}

// Unknown returns the unknown Value with what made it so, such as the name of
// a field.
func Unknown(because string) Value { return unknown(because) }

func unknown(because string) Value { return Value{text: because} }

func numberOrUnknown(r Reading, name string) Value {
	if !r.known {
		return unknown(name)
	}
	return Value{kind: numberKind, num: r.value}
}

func textOrUnknown(s, name string) Value {
	if s == "" {
		return unknown(name)
	}
	return Value{kind: textKind, text: s}
}

func textList(all []string) Value {
	l := &listValue{n: len(all), items: make([]Value, len(all))}
	for i, s := range all {
		l.items[i] = Value{kind: textKind, text: s}
	}
	return Value{kind: listKind, ref: l}
}

// Known reports whether v is known.
func (v Value) Known() bool { return v.kind != unknownKind }

// Because returns what made v unknown: the name of a field, or a few words.
func (v Value) Because() string {
	if v.kind != unknownKind {
		return ""
	}
	return v.text
}

// Bool returns the truth of v; known is false unless v is a known boolean.
func (v Value) Bool() (truth, known bool) { return v.num != 0, v.kind == boolKind }

// Float returns the number; known is false unless v is a known number.
func (v Value) Float() (n float64, known bool) { return v.num, v.kind == numberKind }

// Str returns the text; known is false unless v is a known text.
func (v Value) Str() (s string, known bool) { return v.text, v.kind == textKind }

// Time returns the instant; known is false unless v is a known time.
func (v Value) Time() (t Time, known bool) {
	if v.kind != timeKind {
		return 0, false
	}
	return Time(v.num), true
}

// String returns v as the language writes it; a list or row is only named.
func (v Value) String() string {
	switch v.kind {
	case unknownKind:
		return "unknown"
	case boolKind:
		return strconv.FormatBool(v.num != 0)
	case numberKind:
		return strconv.FormatFloat(v.num, 'g', -1, 64)
	case textKind:
		return strconv.Quote(v.text)
	case timeKind:
		return Time(v.num).Time().Format(time.RFC3339Nano)
	case listKind:
		return fmt.Sprintf("list of %d", v.ref.(*listValue).n)
	}
	return v.kind.String()
}
