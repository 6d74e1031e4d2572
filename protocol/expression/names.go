package expression

import (
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
)

func (c *compiler) identifier(n *ast.IdentifierNode) (node, typ) {
	switch {
	case n.Value == "value" && c.use.Kind == Threshold:
		k, ok := map[string]kind{"number": numberKind, "text": textKind, "boolean": boolKind}[c.use.Type]
		if !ok {
			return c.fail(n, "the value has the type %s; a threshold needs a number, a text or a boolean", quote(c.use.Type))
		}
		return func(r *run) Value { return r.value }, typ{kind: k}
	case c.use.Kind == Threshold:
		return c.fail(n, "%s is not allowed in a threshold: it compares the value with constants, as in >= 0.9", quote(n.Value))
	case n.Value == "it" && c.use.Kind == Check && c.use.Each == "watched":
		return func(r *run) Value { return r.it }, typ{kind: textKind}
	case n.Value == "it" && c.use.Kind == Check && c.use.Each != "":
		rows := c.schema.collections[c.use.Each]
		if rows == nil {
			return c.fail(n, "there is no list %s to run over", quote(c.use.Each))
		}
		return func(r *run) Value { return r.it }, typ{kind: rowKind, rows: rows}
	case n.Value == "it":
		return c.fail(n, "it is the row of a check that has each; here a leading dot is the row: filter(filesystems, .used > 0.9)")
	case n.Value == "watched" && c.use.Kind == Check:
		return func(r *run) Value { return textList(r.watched) }, typ{kind: listKind, elem: textKind}
	}
	f := c.schema.by[n.Value]
	if f == nil {
		if below := c.schema.below(n.Value); below != nil {
			return c.fail(n, "%s is a group of fields; add one of: .%s", quote(n.Value), strings.Join(below, ", ."))
		}
		return c.unknownName(n, n.Value)
	}
	return c.machineField(n, f)
}

func (c *compiler) unknownName(n ast.Node, name string) (node, typ) {
	if slices.Contains(c.functions(), name) {
		return c.fail(n, "%s is a function: write %s(...)", quote(name), name)
	}
	return c.fail(n, "there is no %s; allowed here: %s", quote(name), strings.Join(c.schema.names(c.use.Kind == Group), ", "))
}

func (c *compiler) machineField(n ast.Node, f *field) (node, typ) {
	if f.Vital && c.use.Kind == Group {
		return c.fail(n, "%s changes from moment to moment; a group goes by facts: %s", quote(f.Name), strings.Join(c.schema.names(true), ", "))
	}
	c.read(f)
	if rows := f.typ.rows; rows != nil {
		return func(r *run) Value { return r.all(rows) }, f.typ
	}
	get := f.get
	return func(r *run) Value { return get(r.machine) }, f.typ
}

// pointer is a leading dot or # inside a loop.
func (c *compiler) pointer(n *ast.PointerNode) (node, typ) {
	if n.Name != "" {
		return c.fail(n, "#%s is not allowed; # alone is the element", n.Name)
	}
	if c.row == nil {
		return c.fail(n, "a leading dot or # is the row inside filter(list, ...), any(list, ...) and the like")
	}
	return func(r *run) Value { return r.elem }, *c.row
}

func (c *compiler) member(n *ast.MemberNode) (node, typ) {
	prop, ok := n.Property.(*ast.StringNode)
	if !ok {
		return c.fail(n, "[...] after a value is not allowed; write first(list), take(list, n) or find(list, ...)")
	}
	if n.Method {
		return c.fail(n, "only these can be called: %s", strings.Join(c.functions(), ", "))
	}
	if id, ok := n.Node.(*ast.IdentifierNode); ok {
		if f := c.schema.by[id.Value+"."+prop.Value]; f != nil && c.schema.collections[id.Value] == nil {
			if c.use.Kind == Threshold {
				return c.identifier(id)
			}
			return c.machineField(n, f)
		}
		if c.schema.collections[id.Value] == nil {
			if below := c.schema.below(id.Value); below != nil {
				return c.fail(n, "there is no %s; after %s. are allowed: %s", quote(id.Value+"."+prop.Value), id.Value, strings.Join(below, ", "))
			}
		}
	}
	from, t := c.expr(n.Node)
	if c.err != nil {
		return nil, invalid
	}
	switch {
	case t.kind == rowKind:
		return c.rowField(n, from, t.rows, prop.Value)
	case t.kind == listKind && t.rows != nil:
		return c.fail(n, "%s is a list; write filter(%s, .%s ...), map(%s, .%s) or one row of it", quote(t.rows.name), t.rows.name, prop.Value, t.rows.name, prop.Value)
	case t.kind == recordKind:
		i := slices.Index(t.rec, prop.Value)
		if i < 0 {
			return c.fail(n, "there is no %s here, only %s", quote(prop.Value), strings.Join(t.rec, ", "))
		}
		return c.fail(n, "write the value itself instead of a name in {...}")
	}
	return c.fail(n, "a %s has nothing after a dot", t)
}

func (c *compiler) rowField(n ast.Node, from node, rows *collection, name string) (node, typ) {
	f := rows.by[name]
	if f == nil {
		return c.fail(n, "there is no %s in %s, only %s", quote(name), rows.name, strings.Join(rows.names(), ", "))
	}
	if f.Vital && c.use.Kind == Group {
		return c.fail(n, "%s changes from moment to moment; a group goes by facts", quote(f.Name))
	}
	c.read(f)
	get := f.get
	return func(r *run) Value {
		row := from(r)
		if row.kind != rowKind {
			return row
		}
		return get(row.ref)
	}, f.typ
}
