package check

import (
	"errors"

	"github.com/deskside/deskside/protocol/expression"
)

// reading is what one row of a check says now.
type reading struct {
	level Level
	item  expression.Item
	each  bool
	value expression.Value
}

func (r reading) instance() string {
	if !r.each {
		return ""
	}
	return r.item.Instance()
}

// read evaluates a check for all its rows. known is false when its list was
// not read. An error means that the check is broken or set aside.
func (s *Set) read(c *compiled, m *expression.Machine) (out []reading, known bool, err error) {
	if why, aside := s.aside[c.def.ID]; aside {
		return nil, false, errors.New(why)
	}
	s.doing(c.def.ID)
	defer s.doing("")
	scope := expression.Scope{Machine: m, Watched: s.set.Watched}
	if c.def.Each == "" {
		r, ok, err := c.row(scope)
		if err != nil {
			return nil, false, err
		}
		if ok {
			out = append(out, r)
		}
		return out, true, nil
	}
	items, known := scope.Each(c.def.Each)
	out = make([]reading, 0, len(items))
	for _, it := range items {
		scope.It = it
		r, ok, err := c.row(scope)
		if err != nil {
			return nil, false, err
		}
		if ok {
			r.item, r.each = it, true
			out = append(out, r)
		}
	}
	return out, known, nil
}

// row evaluates one row; ok is false when the check is not about it.
func (c *compiled) row(scope expression.Scope) (r reading, ok bool, err error) {
	if c.prog.When != nil {
		v, err := c.prog.When.Evaluate(scope)
		if err != nil {
			return r, false, err
		}
		switch yes, known := v.Bool(); {
		case !known:
			return reading{level: Unknown, value: v}, true, nil
		case !yes:
			return r, false, nil
		}
	}
	v, err := c.prog.Value.Evaluate(scope)
	if err != nil {
		return r, false, err
	}
	r.value = v
	if !v.Known() {
		r.level = Unknown
		return r, true, nil
	}
	r.level, err = c.level(v)
	return r, true, err
}

// level holds a value against the thresholds.
func (c *compiled) level(v expression.Value) (Level, error) {
	scope := expression.Scope{Value: v}
	for _, t := range []struct {
		p     *expression.Program
		level Level
	}{{c.prog.Critical, Critical}, {c.prog.Warning, Warning}, {c.prog.Clear, Clear}} {
		if t.p == nil {
			continue
		}
		yes, err := t.p.Evaluate(scope)
		if err != nil {
			return Unknown, err
		}
		truth, known := yes.Bool()
		if !known {
			return Unknown, nil
		}
		if truth {
			return t.level, nil
		}
	}
	if c.prog.Clear == nil {
		return Clear, nil
	}
	return Holding, nil
}

// details evaluates what the words speak of. What is unknown is left out; a
// row that is gone has none.
func (s *Set) details(c *compiled, m *expression.Machine, r reading) (values map[string]float64, texts map[string]string) {
	if r.level == Gone || c.def.Each != "" && !r.each {
		return nil, nil
	}
	values, texts = map[string]float64{}, map[string]string{}
	put := func(name string, v expression.Value) {
		if n, known := v.Float(); known {
			values[name] = n
		} else if t, known := v.Str(); known {
			texts[name] = t
		} else if b, known := v.Bool(); known {
			values[name] = map[bool]float64{true: 1}[b]
		}
	}
	put("value", r.value)
	scope := expression.Scope{Machine: m, Watched: s.set.Watched, It: r.item}
	for i, p := range c.prog.Details {
		if v, err := p.Evaluate(scope); err == nil {
			put(c.def.Details[i].Name, v)
		}
	}
	return values, texts
}
