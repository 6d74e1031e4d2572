package expression

import (
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
)

// A Kind says what an expression is for, and so what it may name and return.
type Kind uint8

const (
	// Question may name every field and return anything.
	Question Kind = iota
	// Group is a boolean over facts; vitals do not compile.
	Group
	// Check is the value of a check or its "when". It may name every field,
	// watched, and, when the check runs over a list, it.
	Check
	// Threshold is the rest of a comparison with the value of a check:
	// ">= 0.9", "!= \"running\"", "in [\"failed\", \"stopped\"]".
	Threshold
)

// Use is what Compile has to know about an expression besides its text.
type Use struct {
	Kind Kind
	Each string // of a Check: the list that it runs over, or "watched"; "" for none
	Type string // of a Threshold: "number", "text" or "boolean", as Program.Type of the value
}

// A Program is a compiled expression. It does not change and may be used by
// several goroutines.
type Program struct {
	source string
	typ    typ
	run    node
	class  Class
	reads  map[string]*field
	shown  []*field // the columns of a row that is shown whole
}

// typ is what is known of a value before it is computed.
type typ struct {
	kind kind
	elem kind        // of a list of scalars
	rows *collection // of a row or of a list of rows
	rec  []string    // of a record or of a list of records: its names
}

func (t typ) String() string {
	switch {
	case t.kind == listKind && t.rows != nil:
		return "list of " + t.rows.name
	case t.kind == listKind && t.rec != nil:
		return "list of records"
	case t.kind == listKind:
		return "list of " + t.elem.String() + "s"
	case t.kind == rowKind:
		return "row of " + t.rows.name
	}
	return t.kind.String()
}

// node computes a part of the tree.
type node func(*run) Value

// Compile checks and compiles source. Every error is an *Error that says where
// and what is allowed.
func Compile(use Use, source string) (*Program, error) {
	if err := scan(source); err != nil {
		return nil, err
	}
	c := &compiler{use: use, source: source, schema: schema(), reads: map[string]*field{}}
	text := source
	if use.Kind == Threshold {
		c.prefix = "value "
		text = c.prefix + source
	}
	tree, err := parser.Parse(text)
	if err != nil {
		return nil, c.parseError(err)
	}
	p, t := c.expr(tree.Node)
	shown := c.columns(t)
	if c.err == nil {
		c.result(tree.Node, t)
	}
	if c.err != nil {
		return nil, c.err
	}
	prog := &Program{source: source, typ: t, run: p, reads: c.reads, shown: shown}
	for _, f := range c.reads {
		prog.class = max(prog.class, f.Class)
	}
	return prog, nil
}

// Source returns the text that was compiled.
func (p *Program) Source() string { return p.source }

// Type returns what the expression comes to when it is known: "boolean",
// "number", "text", "time", or the name of something with rows.
func (p *Program) Type() string { return p.typ.String() }

// Class returns the highest class among the fields that the program reads.
func (p *Program) Class() Class { return p.class }

// Beyond returns the first field by name, among those that the program reads,
// whose class is above most.
func (p *Program) Beyond(most Class) (Field, bool) {
	for _, name := range p.Reads() {
		if f := p.reads[name]; f.Class > most {
			return f.Field, true
		}
	}
	return Field{}, false
}

// Reads returns the names of the fields that the program reads, sorted.
func (p *Program) Reads() []string {
	out := make([]string, 0, len(p.reads))
	for name := range p.reads {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// Sections returns the sections of a machine that the program reads, sorted.
func (p *Program) Sections() []string {
	var out []string
	for _, f := range p.reads {
		if !slices.Contains(out, f.Section) {
			out = append(out, f.Section)
		}
	}
	slices.Sort(out)
	return out
}

type compiler struct {
	use    Use
	source string
	prefix string // put before the source
	schema *fieldList
	reads  map[string]*field
	err    *Error
	nodes  int
	depth  int
	row    *typ // of the element inside a loop; nil outside
}

var invalid = typ{}

// fail notes the first error, at n, and returns what stands for no program.
func (c *compiler) fail(n ast.Node, format string, args ...any) (node, typ) {
	return c.failAt(n.Location(), format, args...)
}

func (c *compiler) failAt(at file.Location, format string, args ...any) (node, typ) {
	if c.err == nil {
		c.err = errorAt(c.source, max(0, at.From-len(c.prefix)), format, args...)
	}
	return nil, invalid
}

func (c *compiler) parseError(err error) error {
	fe, ok := err.(*file.Error)
	if !ok {
		return &Error{1, 1, "the expression cannot be read"}
	}
	msg := fe.Message
	token := between(msg, `unexpected token `, "")
	value := between(token, `("`, `")`)
	switch {
	case strings.HasPrefix(msg, "invalid") && strings.Contains(msg, "literal"):
		msg = "this number cannot be read"
	case strings.HasPrefix(token, "EOF"), strings.Contains(msg, "unexpected end"):
		msg = "the expression ends too early: a value, a bracket or a quote is missing"
	case value == "=":
		msg = "= is not allowed; to compare, write =="
	case value == "#" || value == ".":
		msg = "a leading dot or # is the row inside filter(list, ...), any(list, ...) and the like"
	case value == ":":
		msg = "a colon is not expected here; several columns are written in two braces: map(list, {{name: .name}})"
	case strings.Contains(msg, "cannot be mixed"):
		msg = "?? and other operators cannot be mixed; put brackets around x ?? y"
	case value == "let":
		msg = "let is not allowed; write the value where it is used"
	case value != "":
		msg = fmt.Sprintf("%s is not expected here", quote(value))
	default:
		msg = strings.TrimPrefix(msg, "compilation failed: ")
	}
	c.failAt(fe.Location, "%s", msg)
	return c.err
}

func between(s, from, to string) string {
	_, s, ok := strings.Cut(s, from)
	if !ok {
		return ""
	}
	if to != "" {
		if i := strings.LastIndex(s, to); i >= 0 {
			s = s[:i]
		}
	}
	return s
}

// quote returns s for a message: short, in quotes, fit to be shown.
func quote(s string) string {
	s = CleanText(s)
	if r := []rune(s); len(r) > 40 {
		s = string(r[:40]) + "…"
	}
	return "“" + s + "”"
}

// result refuses what a program of this kind must not come to.
func (c *compiler) result(n ast.Node, t typ) {
	switch c.use.Kind {
	case Group, Threshold:
		if t.kind != boolKind {
			c.fail(n, "this is a %s, but true or false is needed: compare it with something", t)
		}
	case Check:
		switch t.kind {
		case boolKind, numberKind, textKind:
		default:
			c.fail(n, "this is a %s, but the value of a check is a number, a text, true or false", t)
		}
	case Question:
		if t.kind == versionKind {
			c.fail(n, "a version can only be compared")
		}
	}
	if t.kind == rowKind || t.kind == listKind && t.rows != nil {
		for _, f := range t.rows.fields {
			if !f.hide {
				c.read(f)
			}
		}
	}
}

// columns chooses what is shown of a row: the columns of its list from the left,
// and in any case what the expression named, so that nobody is asked for a value
// that the answer leaves out. A list of texts has no place in a cell.
func (c *compiler) columns(t typ) []*field {
	if t.rows == nil {
		return nil
	}
	named := func(f *field) bool { return c.reads[f.Name] != nil && f.typ.kind <= timeKind }
	room := MaxColumns
	for _, f := range t.rows.fields {
		if named(f) {
			room--
		}
	}
	var out []*field
	for _, f := range t.rows.fields {
		switch {
		case len(out) == MaxColumns:
		case named(f):
			out = append(out, f)
		case !f.hide && room > 0:
			out = append(out, f)
			room--
		}
	}
	return out
}

func (c *compiler) read(f *field) { c.reads[f.Name] = f }

// expr compiles one part of the tree. After an error it returns nil and the
// zero type, and callers return at once.
func (c *compiler) expr(n ast.Node) (node, typ) {
	if c.err != nil {
		return nil, invalid
	}
	if c.nodes++; c.nodes > MaxNodes {
		return c.fail(n, "the expression has more than %d parts", MaxNodes)
	}
	if c.depth++; c.depth > maxDepth {
		return c.fail(n, "the expression is nested more than %d deep", maxDepth)
	}
	defer func() { c.depth-- }()

	switch n := n.(type) {
	case *ast.BoolNode:
		return constant(Boolean(n.Value)), typ{kind: boolKind}
	case *ast.IntegerNode:
		return constant(Number(float64(n.Value))), typ{kind: numberKind}
	case *ast.FloatNode:
		return constant(Number(n.Value)), typ{kind: numberKind}
	case *ast.StringNode:
		return constant(String(n.Value)), typ{kind: textKind}
	case *ast.IdentifierNode:
		return c.identifier(n)
	case *ast.PointerNode:
		return c.pointer(n)
	case *ast.MemberNode:
		return c.member(n)
	case *ast.UnaryNode:
		return c.unary(n)
	case *ast.BinaryNode:
		return c.binary(n)
	case *ast.ConditionalNode:
		return c.choice(n)
	case *ast.ArrayNode:
		return c.array(n)
	case *ast.MapNode:
		return c.record(n)
	case *ast.BuiltinNode:
		return c.call(n, n.Name, n.Arguments)
	case *ast.CallNode:
		if id, ok := n.Callee.(*ast.IdentifierNode); ok {
			return c.call(n, id.Value, n.Arguments)
		}
		return c.fail(n, "only these can be called: %s", strings.Join(c.functions(), ", "))
	case *ast.NilNode:
		return c.fail(n, "nil is not allowed; ask known(x), or write x ?? y")
	case *ast.VariableDeclaratorNode:
		return c.fail(n, "let is not allowed; write the value where it is used")
	case *ast.SequenceNode:
		return c.fail(n, "; is not allowed: an expression is one value")
	case *ast.SliceNode:
		return c.fail(n, "[a:b] is not allowed; write take(list, n)")
	case *ast.ChainNode:
		return c.fail(n, "?. is not needed: what is unknown stays unknown after a dot")
	case *ast.BytesNode:
		return c.fail(n, "bytes are not allowed; write a text in quotes")
	}
	return c.fail(n, "this is not allowed here")
}

func constant(v Value) node { return func(*run) Value { return v } }
