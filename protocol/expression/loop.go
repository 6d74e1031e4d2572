package expression

import "github.com/expr-lang/expr/ast"

// loop compiles what runs over a list: all, any, count, filter, find, map,
// none, one, sum. A loop inside a loop does not compile.
func (c *compiler) loop(n ast.Node, name string, args []ast.Node) (node, typ) {
	if c.row != nil {
		return c.fail(n, "%s cannot stand inside another loop", name)
	}
	if len(args) == 0 {
		return c.fail(n, "%s needs a list", name)
	}
	list, t := c.expr(args[0])
	if c.err != nil {
		return nil, invalid
	}
	if t.kind != listKind {
		return c.fail(args[0], "%s needs a list, this is a %s", name, t)
	}
	elem := elementOf(t)
	if elem.kind == recordKind {
		return c.fail(args[0], "%s cannot run over {...}; filter first, then map", name)
	}

	// The body. count(list) and sum(list) may come without one.
	body := func(r *run) Value { return r.elem }
	tb := elem
	nodes := c.nodes
	if len(args) > 1 {
		pred, ok := args[1].(*ast.PredicateNode)
		if !ok || len(args) > 2 {
			return c.fail(n, "%s takes a list and one condition", name)
		}
		c.row = &elem
		b, tp := c.expr(pred.Node)
		c.row = nil
		if c.err != nil {
			return nil, invalid
		}
		body, tb = b, tp
	} else if name == "count" {
		body, tb = constant(Boolean(true)), typ{kind: boolKind}
	}
	cost := c.nodes - nodes + 1

	out := typ{kind: boolKind}
	switch name {
	case "map":
		switch {
		case tb.kind == recordKind:
			out = typ{kind: listKind, rec: tb.rec}
		case tb.kind <= timeKind:
			out = typ{kind: listKind, elem: tb.kind}
		default:
			return c.fail(args[1], "map makes numbers, texts, times, booleans or {...}, not a %s", tb)
		}
	case "sum":
		if tb.kind != numberKind {
			return c.fail(n, "sum needs numbers, this is a %s; write sum(list, .field)", tb)
		}
		out = tb
	default:
		if tb.kind != boolKind {
			return c.fail(args[len(args)-1], "%s needs a condition that is true or false, this is a %s", name, tb)
		}
		switch name {
		case "filter":
			out = t
		case "find":
			out = elem
		case "count":
			out.kind = numberKind
		}
	}
	each := loops[name]
	return func(r *run) Value {
		v := list(r)
		l, ok := v.ref.(*listValue)
		if !ok {
			return v
		}
		if !r.spend(l.n * cost) {
			return unknown("")
		}
		v = each(r, l, body)
		r.elem = Value{}
		return v
	}, out
}

// loops holds what each loop does with its rows. They do not change.
var loops = map[string]func(r *run, l *listValue, body node) Value{
	"any":    func(r *run, l *listValue, body node) Value { return quantify(r, l, body, true, true) },
	"all":    func(r *run, l *listValue, body node) Value { return quantify(r, l, body, false, false) },
	"none":   func(r *run, l *listValue, body node) Value { return quantify(r, l, body, true, false) },
	"filter": filterRows,
	"find": func(r *run, l *listValue, body node) Value {
		for i := range l.n {
			r.elem = l.at(i)
			switch v := body(r); {
			case v.kind != boolKind:
				return v
			case v.num != 0:
				return l.at(i)
			}
		}
		if l.undecided > 0 {
			return unknown(l.because)
		}
		return unknown("no row like that")
	},
	"count": func(r *run, l *listValue, body node) Value {
		if l.undecided > 0 {
			return unknown(l.because)
		}
		n := 0
		for i := range l.n {
			r.elem = l.at(i)
			v := body(r)
			if v.kind != boolKind {
				return v
			}
			n += int(v.num)
		}
		return Number(float64(n))
	},
	"one": func(r *run, l *listValue, body node) Value {
		n, missing := 0, unknown(l.because)
		undecided := l.undecided > 0
		for i := range l.n {
			r.elem = l.at(i)
			v := body(r)
			if v.kind != boolKind {
				undecided, missing = true, v
				continue
			}
			if n += int(v.num); n > 1 {
				return Boolean(false)
			}
		}
		if undecided {
			return missing
		}
		return Boolean(n == 1)
	},
	"sum": func(r *run, l *listValue, body node) Value {
		if l.undecided > 0 {
			return unknown(l.because)
		}
		sum := 0.0
		for i := range l.n {
			r.elem = l.at(i)
			v := body(r)
			if v.kind != numberKind {
				return v
			}
			sum += v.num
		}
		return Number(sum)
	},
	"map": func(r *run, l *listValue, body node) Value {
		out := &listValue{n: l.n, items: make([]Value, l.n), undecided: l.undecided, because: l.because}
		for i := range l.n {
			r.elem = l.at(i)
			out.items[i] = body(r)
		}
		return Value{kind: listKind, ref: out}
	},
}

// quantify runs until a row says stop, and then answers found; without one it
// answers the contrary, unless a row was unknown.
func quantify(r *run, l *listValue, body node, stop, found bool) Value {
	missing := unknown(l.because)
	undecided := l.undecided > 0
	for i := range l.n {
		r.elem = l.at(i)
		v := body(r)
		if v.kind != boolKind {
			undecided, missing = true, v
			continue
		}
		if (v.num != 0) == stop {
			return Boolean(found)
		}
	}
	if undecided {
		return missing
	}
	return Boolean(!found)
}

func filterRows(r *run, l *listValue, body node) Value {
	out := &listValue{rows: l.rows, machine: l.machine, undecided: l.undecided, because: l.because}
	if l.rows != nil {
		out.index = []int32{}
	}
	for i := range l.n {
		r.elem = l.at(i)
		v := body(r)
		switch {
		case v.kind != boolKind:
			out.undecided++
			out.because = v.text
		case v.num != 0 && l.rows != nil:
			at := int32(i)
			if l.index != nil {
				at = l.index[i]
			}
			out.index = append(out.index, at)
			out.n++
		case v.num != 0:
			out.items = append(out.items, r.elem)
			out.n++
		}
	}
	return Value{kind: listKind, ref: out}
}
