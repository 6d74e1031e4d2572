package expression

import (
	"math"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// functions returns the names that can be called here.
func (c *compiler) functions() []string {
	if c.use.Kind == Threshold {
		return []string{"version"}
	}
	out := []string{
		"all", "any", "count", "filter", "find", "map", "none", "one", "sum",
		"first", "last", "len", "max", "mean", "min", "take",
		"abs", "ceil", "floor", "known", "lower", "round", "version",
	}
	if c.use.Kind != Group {
		out = append(out, "ago")
	}
	for name, rows := range c.schema.lookups {
		if c.use.Kind != Group || !rows.field.Vital {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

func (c *compiler) call(n ast.Node, name string, args []ast.Node) (node, typ) {
	if !slices.Contains(c.functions(), name) {
		return c.fail(n, "%s cannot be called; allowed here: %s", quote(name), strings.Join(c.functions(), ", "))
	}
	switch name {
	case "all", "any", "count", "filter", "find", "map", "none", "one", "sum":
		return c.loop(n, name, args)
	}
	if c.schema.lookups[name] != nil {
		return c.lookup(n, name, args)
	}
	want := 1
	if name == "take" {
		want = 2
	}
	if len(args) != want {
		return c.fail(n, "%s takes %s, here are %d", name, map[int]string{1: "one value", 2: "a list and a number"}[want], len(args))
	}
	x, t := c.expr(args[0])
	if c.err != nil {
		return nil, invalid
	}
	need := func(k kind) bool {
		if t.kind != k {
			c.fail(args[0], "%s needs a %s, this is a %s", name, k, t)
		}
		return c.err == nil
	}
	switch name {
	case "known":
		return func(r *run) Value { return Boolean(x(r).kind != unknownKind) }, typ{kind: boolKind}
	case "version":
		if !need(textKind) {
			return nil, invalid
		}
		return func(r *run) Value {
			v := x(r)
			if v.kind == textKind {
				v.kind = versionKind
			}
			return v
		}, typ{kind: versionKind}
	case "ago":
		if !need(timeKind) {
			return nil, invalid
		}
		return func(r *run) Value {
			v := x(r)
			switch {
			case v.kind != timeKind:
				return v
			case r.machine.ObservedAt == 0:
				return unknown("observed_at")
			}
			return Number((float64(r.machine.ObservedAt) - v.num) / 1e6)
		}, typ{kind: numberKind}
	case "lower":
		if !need(textKind) {
			return nil, invalid
		}
		return func(r *run) Value {
			v := x(r)
			if v.kind == textKind {
				r.spend(len(v.text) / 8)
				v.text = strings.ToLower(v.text)
			}
			return v
		}, t
	case "abs", "ceil", "floor", "round":
		if !need(numberKind) {
			return nil, invalid
		}
		do := map[string]func(float64) float64{"abs": math.Abs, "ceil": math.Ceil, "floor": math.Floor, "round": math.Round}[name]
		return func(r *run) Value {
			v := x(r)
			if v.kind == numberKind {
				v.num = do(v.num)
			}
			return v
		}, t
	case "take":
		if !need(listKind) {
			return nil, invalid
		}
		count, ok := args[1].(*ast.IntegerNode)
		if !ok || count.Value < 0 || count.Value > MaxRows {
			return c.fail(args[1], "take needs a whole number from 0 to %d", MaxRows)
		}
		return func(r *run) Value { return r.take(x(r), count.Value) }, t
	case "len":
		if !need(listKind) {
			return nil, invalid
		}
		return func(r *run) Value {
			l, v := certain(x(r))
			if l == nil {
				return v
			}
			return Number(float64(l.n))
		}, typ{kind: numberKind}
	case "first", "last":
		if !need(listKind) {
			return nil, invalid
		}
		return func(r *run) Value {
			l, v := certain(x(r))
			switch {
			case l == nil:
				return v
			case l.n == 0:
				return unknown("an empty list")
			case name == "first":
				return l.at(0)
			}
			return l.at(l.n - 1)
		}, elementOf(t)
	}
	// max, min, mean
	if !need(listKind) {
		return nil, invalid
	}
	if t.elem != numberKind {
		return c.fail(args[0], "%s needs a list of numbers, this is a %s; write %s(map(list, .field))", name, t, name)
	}
	return func(r *run) Value {
		l, v := certain(x(r))
		switch {
		case l == nil:
			return v
		case l.n == 0:
			return unknown("an empty list")
		}
		acc := l.items[0]
		for _, item := range l.items {
			if item.kind != numberKind {
				return item
			}
			switch name {
			case "max":
				acc.num = max(acc.num, item.num)
			case "min":
				acc.num = min(acc.num, item.num)
			}
		}
		if name == "mean" {
			acc.num = 0
			for _, item := range l.items {
				acc.num += item.num / float64(l.n)
			}
		}
		return acc
	}, typ{kind: numberKind}
}

// elementOf returns the type of one element of a list.
func elementOf(list typ) typ {
	switch {
	case list.rows != nil:
		return typ{kind: rowKind, rows: list.rows}
	case list.rec != nil:
		return typ{kind: recordKind, rec: list.rec}
	}
	return typ{kind: list.elem}
}

// certain returns the list in v when every row of it is decided, else the
// unknown value that stands for it.
func certain(v Value) (*listValue, Value) {
	l, ok := v.ref.(*listValue)
	if !ok {
		return nil, v
	}
	if l.undecided > 0 {
		return nil, unknown(l.because)
	}
	return l, v
}

// lookup compiles service("cups") and the like: the one row with that key.
func (c *compiler) lookup(n ast.Node, name string, args []ast.Node) (node, typ) {
	rows := c.schema.lookups[name]
	if c.row != nil {
		return c.fail(n, "%s(...) cannot stand inside a loop: it would look through all rows for each row", name)
	}
	if len(args) != 1 {
		return c.fail(n, "%s takes one value, its %s", name, rows.key)
	}
	key, t := c.expr(args[0])
	if c.err != nil {
		return nil, invalid
	}
	if t.kind != textKind {
		return c.fail(args[0], "%s needs a text, this is a %s", name, t)
	}
	c.read(rows.field)
	by := rows.by[rows.key]
	c.read(by)
	missing := "a row that is not there"
	if s, ok := args[0].(*ast.StringNode); ok {
		missing = name + "(" + CleanText(s.Value) + ")"
	}
	return func(r *run) Value {
		k := key(r)
		if k.kind != textKind {
			return k
		}
		count, known := rows.rows(r.machine)
		if !known {
			return unknown(rows.name)
		}
		if !r.spend(count) {
			return unknown("")
		}
		for i := range count {
			row := rows.at(r.machine, i)
			if rows.same(by.get(row).text, k.text) {
				return Value{kind: rowKind, ref: row}
			}
		}
		return unknown(missing)
	}, typ{kind: rowKind, rows: rows}
}
