package expression

import (
	"slices"
	"strings"
	"sync"
)

// A Class says how much a field tells about a person. The probes apply it:
// what the machine's policy holds back is never read, and so it is unknown to
// every expression.
type Class uint8

// The classes, in rising order.
const (
	Plain    Class = iota // numbers, hardware, operating system, services
	Personal              // who is signed in, owners, addresses
	Private               // command lines
)

// String returns "plain", "personal" or "private".
func (c Class) String() string {
	return [...]string{"plain", "personal", "private"}[min(c, Private)]
}

// Words is a text in both languages.
type Words struct {
	EN string `json:"en" yaml:"en" cbor:"1,keyasint"`
	PL string `json:"pl" yaml:"pl" cbor:"2,keyasint"`
}

// A Field is one name that an expression may use.
type Field struct {
	Name    string // as written: "cpu.used", "filesystems", "filesystems.used"
	Type    string // "number", "text", "boolean", "time", "list of texts" or "list"
	Unit    string // of a number: "ratio", "bytes", "bytes/s", "bits/s", "seconds", "cores" or ""
	Class   Class
	Vital   bool   // changes from moment to moment: not for groups
	Section string // the section of Machine that it is in
	Help    Words
}

// Fields returns every field of a machine in the order of the sections. It is
// the one list: what is not in it cannot be named, and its class is what the
// probes and the rules about questions go by.
func Fields() []Field {
	s := schema()
	out := make([]Field, len(s.all))
	for i, f := range s.all {
		out[i] = f.Field
	}
	return out
}

// field is a Field with the way to its value. row is *Machine for a field of
// the machine, else a pointer to the row.
type field struct {
	Field
	typ  typ
	get  func(row any) Value
	hide bool // not among the columns of a row that is shown whole, unless the expression names it
}

// collection is one list of rows.
type collection struct {
	name     string
	one      string // of the look-up, "" where there is none: service("cups")
	key      string // the field that the look-up and the instance go by
	same     func(key, asked string) bool
	field    *field
	fields   []*field // of a row, in their order
	by       map[string]*field
	rows     func(*Machine) (n int, known bool)
	at       func(*Machine, int) any
	instance func(row any) string
}

// names returns what may stand after the dot.
func (c *collection) names() []string {
	out := make([]string, 0, len(c.by))
	for n := range c.by {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

type fieldList struct {
	all         []*field
	by          map[string]*field // by whole name
	collections map[string]*collection
	lookups     map[string]*collection
}

// schema builds the list once; nothing changes it afterwards.
var schema = sync.OnceValue(func() *fieldList {
	s := &fieldList{by: map[string]*field{}, collections: collections(), lookups: map[string]*collection{}}
	for _, f := range fields() {
		s.all = append(s.all, f)
		s.by[f.Name] = f
		head, tail, dotted := strings.Cut(f.Name, ".")
		c := s.collections[head]
		switch {
		case c == nil:
		case !dotted:
			c.field = f
			f.typ = typ{kind: listKind, rows: c}
		default:
			c.by[tail] = f
			c.fields = append(c.fields, f)
		}
	}
	for _, c := range s.collections {
		if c.one != "" {
			s.lookups[c.one] = c
		}
	}
	return s
})

// names returns the first parts of all names: what may begin an expression.
func (s *fieldList) names(facts bool) []string {
	var out []string
	for _, f := range s.all {
		head, _, _ := strings.Cut(f.Name, ".")
		if (!facts || !f.Vital) && !slices.Contains(out, head) {
			out = append(out, head)
		}
	}
	slices.Sort(out)
	return out
}

// below returns what may stand after "head.".
func (s *fieldList) below(head string) []string {
	var out []string
	for _, f := range s.all {
		if rest, ok := strings.CutPrefix(f.Name, head+"."); ok {
			out = append(out, rest)
		}
	}
	slices.Sort(out)
	return out
}
