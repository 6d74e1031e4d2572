package expression

import (
	"math"
	"regexp"
	"regexp/syntax"
	"strings"

	"github.com/expr-lang/expr/ast"
)

func (c *compiler) unary(n *ast.UnaryNode) (node, typ) {
	x, t := c.expr(n.Node)
	if c.err != nil {
		return nil, invalid
	}
	switch n.Operator {
	case "not", "!":
		if t.kind != boolKind {
			return c.fail(n, "not needs true or false, this is a %s; put the comparison in brackets: not (a == b)", t)
		}
		return func(r *run) Value {
			v := x(r)
			if v.kind != boolKind {
				return v
			}
			return Boolean(v.num == 0)
		}, t
	case "-", "+":
		if t.kind != numberKind {
			return c.fail(n, "%s needs a number, this is a %s", n.Operator, t)
		}
		if n.Operator == "+" {
			return x, t
		}
		return func(r *run) Value {
			v := x(r)
			v.num = -v.num // of no effect on an unknown value
			return v
		}, t
	}
	return c.fail(n, "%s is not allowed", n.Operator)
}

func (c *compiler) binary(n *ast.BinaryNode) (node, typ) {
	switch n.Operator {
	case "..":
		return c.fail(n, "ranges are not allowed; write a <= x and x <= b")
	case "and", "&&", "or", "||":
		return c.logic(n)
	case "matches":
		return c.matches(n)
	}
	a, ta := c.expr(n.Left)
	b, tb := c.expr(n.Right)
	if c.err != nil {
		return nil, invalid
	}
	switch op := n.Operator; op {
	case "??":
		return c.coalesce(n, a, ta, b, tb)
	case "+", "-", "*", "/", "%", "**", "^":
		if op == "+" && (ta.kind == textKind || tb.kind == textKind) {
			return c.fail(n, "texts cannot be joined")
		}
		if op == "-" && ta.kind == timeKind {
			return c.fail(n, "times cannot be subtracted; ago(time) is the seconds since it")
		}
		if ta.kind != numberKind || tb.kind != numberKind {
			return c.fail(n, "%s needs two numbers, these are %s and %s", op, ta, tb)
		}
		return arithmetic(op, a, b), typ{kind: numberKind}
	case "==", "!=", "<", "<=", ">", ">=":
		return c.compare(n, a, ta, b, tb)
	case "in":
		return c.in(n, a, ta, b, tb)
	case "contains", "startsWith", "endsWith":
		if ta.kind != textKind || tb.kind != textKind {
			return c.fail(n, "%s needs two texts, these are %s and %s", op, ta, tb)
		}
		test := map[string]func(string, string) bool{"contains": strings.Contains, "startsWith": strings.HasPrefix, "endsWith": strings.HasSuffix}[op]
		return func(r *run) Value {
			x := a(r)
			if x.kind != textKind {
				return x
			}
			y := b(r)
			if y.kind != textKind {
				return y
			}
			r.spend(len(x.text) / 64)
			return Boolean(test(x.text, y.text))
		}, typ{kind: boolKind}
	}
	return c.fail(n, "%s is not allowed", n.Operator)
}

// logic compiles and, or. One side that settles the answer is enough, whatever
// the other is: unknown or not, left or right.
func (c *compiler) logic(n *ast.BinaryNode) (node, typ) {
	a, ta := c.expr(n.Left)
	b, tb := c.expr(n.Right)
	if c.err != nil {
		return nil, invalid
	}
	if ta.kind != boolKind || tb.kind != boolKind {
		return c.fail(n, "%s needs true or false on both sides, these are %s and %s", n.Operator, ta, tb)
	}
	settles := n.Operator == "or" || n.Operator == "||"
	return func(r *run) Value {
		x := a(r)
		if x.kind == boolKind && (x.num != 0) == settles {
			return x
		}
		y := b(r)
		if y.kind == boolKind && (y.num != 0) == settles {
			return y
		}
		if x.kind != boolKind {
			return x
		}
		return y
	}, typ{kind: boolKind}
}

func (c *compiler) coalesce(n ast.Node, a node, ta typ, b node, tb typ) (node, typ) {
	if ta.kind != tb.kind || ta.elem != tb.elem || ta.rows != tb.rows || ta.rec != nil || tb.rec != nil {
		return c.fail(n, "?? needs the same on both sides, these are %s and %s", ta, tb)
	}
	return func(r *run) Value {
		if v := a(r); v.kind != unknownKind {
			return v
		}
		return b(r)
	}, ta
}

func arithmetic(op string, a, b node) node {
	do := map[string]func(x, y float64) float64{
		"+": func(x, y float64) float64 { return x + y },
		"-": func(x, y float64) float64 { return x - y },
		"*": func(x, y float64) float64 { return x * y },
		"/": func(x, y float64) float64 { return x / y },
		"%": math.Mod, "**": math.Pow, "^": math.Pow,
	}[op]
	return func(r *run) Value {
		x := a(r)
		if x.kind != numberKind {
			return x
		}
		y := b(r)
		if y.kind != numberKind {
			return y
		}
		z := do(x.num, y.num)
		if math.IsNaN(z) || math.IsInf(z, 0) {
			if y.num == 0 {
				return unknown("division by zero")
			}
			return unknown("a number that is too large")
		}
		return Value{kind: numberKind, num: z}
	}
}

func (c *compiler) compare(n *ast.BinaryNode, a node, ta typ, b node, tb typ) (node, typ) {
	// A text beside a version is taken as one.
	if ta.kind == versionKind && tb.kind == textKind {
		tb.kind = versionKind
	} else if ta.kind == textKind && tb.kind == versionKind {
		ta.kind = versionKind
	}
	op := n.Operator
	order := op != "==" && op != "!="
	switch {
	case ta.kind != tb.kind:
		return c.fail(n, "%s and %s cannot be compared", ta, tb)
	case ta.kind == textKind && order, ta.kind == boolKind && order:
		return c.fail(n, "%s needs numbers, times or versions, these are %ss; for versions write version(x) %s \"1.2\"", op, ta, op)
	case ta.kind > versionKind:
		return c.fail(n, "a %s cannot be compared", ta)
	}
	// Which outcomes of x against y make the comparison true: less, equal, more.
	less, equal, more := op[0] == '<' || op == "!=", op[len(op)-1] == '=' && op != "!=", op[0] == '>' || op == "!="
	if ta.kind == numberKind || ta.kind == timeKind || ta.kind == boolKind {
		return func(r *run) Value {
			x := a(r)
			if x.kind == unknownKind {
				return x
			}
			y := b(r)
			if y.kind == unknownKind {
				return y
			}
			return Boolean(x.num < y.num && less || x.num == y.num && equal || x.num > y.num && more)
		}, typ{kind: boolKind}
	}
	byVersion := ta.kind == versionKind
	return func(r *run) Value {
		x := a(r)
		if x.kind == unknownKind {
			return x
		}
		y := b(r)
		if y.kind == unknownKind {
			return y
		}
		if !byVersion {
			return Boolean((x.text == y.text) == equal)
		}
		r.spend((len(x.text) + len(y.text)) / 16)
		o := CompareVersions(x.text, y.text)
		return Boolean(o < 0 && less || o == 0 && equal || o > 0 && more)
	}, typ{kind: boolKind}
}

func (c *compiler) in(n ast.Node, a node, ta typ, b node, tb typ) (node, typ) {
	if tb.kind != listKind || tb.rows != nil || tb.rec != nil {
		return c.fail(n, "in needs a list of values on its right, as in os.id in [\"debian\", \"ubuntu\"]; this is a %s", tb)
	}
	if ta.kind != tb.elem {
		return c.fail(n, "a %s cannot be in a %s", ta, tb)
	}
	return func(r *run) Value {
		x := a(r)
		if x.kind == unknownKind {
			return x
		}
		y := b(r)
		l, ok := y.ref.(*listValue)
		if !ok {
			return y
		}
		r.spend(l.n / 4)
		missing := l.because
		undecided := l.undecided > 0
		for _, item := range l.items {
			switch {
			case item.kind == unknownKind:
				undecided, missing = true, item.text
			case item.text == x.text && item.num == x.num:
				return Boolean(true)
			}
		}
		if undecided {
			return unknown(missing)
		}
		return Boolean(false)
	}, typ{kind: boolKind}
}

func (c *compiler) matches(n *ast.BinaryNode) (node, typ) {
	a, ta := c.expr(n.Left)
	if c.err != nil {
		return nil, invalid
	}
	if ta.kind != textKind {
		return c.fail(n, "matches needs a text, this is a %s", ta)
	}
	pattern, ok := n.Right.(*ast.StringNode)
	if !ok {
		return c.fail(n.Right, "a pattern is a constant in quotes; it cannot be made from data")
	}
	if len(pattern.Value) > MaxPattern {
		return c.fail(pattern, "a pattern has at most %d bytes, this one has %d", MaxPattern, len(pattern.Value))
	}
	parsed, err := syntax.Parse(pattern.Value, syntax.Perl)
	if err != nil {
		return c.fail(pattern, "the pattern cannot be read: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	size := patternSize(parsed)
	if size > maxPatternSize {
		return c.fail(pattern, "the pattern repeats too much; use * or + instead of large numbers in {}")
	}
	re, err := regexp.Compile(pattern.Value)
	if err != nil {
		return c.fail(pattern, "the pattern cannot be read: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	return func(r *run) Value {
		v := a(r)
		if v.kind != textKind {
			return v
		}
		if !r.spend(1 + len(v.text)*size/8) {
			return unknown("")
		}
		return Boolean(re.MatchString(v.text))
	}, typ{kind: boolKind}
}

func (c *compiler) choice(n *ast.ConditionalNode) (node, typ) {
	if !n.Ternary {
		return c.fail(n.Cond, "if is not allowed; write condition ? a : b")
	}
	cond, tc := c.expr(n.Cond)
	a, ta := c.expr(n.Exp1)
	b, tb := c.expr(n.Exp2)
	if c.err != nil {
		return nil, invalid
	}
	if tc.kind != boolKind {
		return c.fail(n.Cond, "? needs true or false before it, this is a %s", tc)
	}
	if ta.kind != tb.kind || ta.elem != tb.elem || ta.rows != tb.rows || ta.rec != nil || tb.rec != nil {
		return c.fail(n.Exp2, "both sides of : must be of the same kind, these are %s and %s", ta, tb)
	}
	return func(r *run) Value {
		v := cond(r)
		if v.kind != boolKind {
			return v
		}
		if v.num != 0 {
			return a(r)
		}
		return b(r)
	}, ta
}

func (c *compiler) array(n *ast.ArrayNode) (node, typ) {
	if len(n.Nodes) == 0 || len(n.Nodes) > MaxList {
		return c.fail(n, "a list in brackets has 1 to %d constants, this one has %d", MaxList, len(n.Nodes))
	}
	l := &listValue{n: len(n.Nodes)}
	t := typ{kind: listKind}
	for _, e := range n.Nodes {
		item, te := c.expr(e)
		if c.err != nil {
			return nil, invalid
		}
		switch e.(type) {
		case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode:
		default:
			return c.fail(e, "a list in brackets holds constants: numbers or texts")
		}
		if t.elem != unknownKind && t.elem != te.kind {
			return c.fail(e, "a list holds things of one kind, here are a %s and a %s", t.elem, te)
		}
		t.elem = te.kind
		l.items = append(l.items, item(nil))
	}
	v := Value{kind: listKind, ref: l}
	return constant(v), t
}

func (c *compiler) record(n *ast.MapNode) (node, typ) {
	if len(n.Pairs) == 0 || len(n.Pairs) > MaxColumns {
		return c.fail(n, "{...} has 1 to %d names, this one has %d", MaxColumns, len(n.Pairs))
	}
	var names []string
	var cells []node
	for _, p := range n.Pairs {
		pair := p.(*ast.PairNode)
		key, ok := pair.Key.(*ast.StringNode)
		if !ok {
			return c.fail(pair.Key, "a name in {...} is a word or a text in quotes")
		}
		if len(key.Value) == 0 || len(key.Value) > 64 || CleanText(key.Value) != key.Value {
			return c.fail(key, "a name in {...} has 1 to 64 plain characters")
		}
		for _, other := range names {
			if other == key.Value {
				return c.fail(key, "the name %s stands twice in {...}", quote(key.Value))
			}
		}
		cell, t := c.expr(pair.Value)
		if c.err != nil {
			return nil, invalid
		}
		if t.kind > timeKind {
			return c.fail(pair.Value, "a value in {...} is a number, a text, a time, true or false, not a %s", t)
		}
		names, cells = append(names, key.Value), append(cells, cell)
	}
	return func(r *run) Value {
		rec := &record{names: names, cells: make([]Value, len(cells))}
		for i, cell := range cells {
			rec.cells[i] = cell(r)
		}
		return Value{kind: recordKind, ref: rec}
	}, typ{kind: recordKind, rec: names}
}
