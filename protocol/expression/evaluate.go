package expression

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// ErrTooLong is the error of an evaluation that would take more than MaxSteps.
var ErrTooLong = errors.New("the expression takes too long on this machine")

// Scope is what an expression sees.
type Scope struct {
	Machine *Machine
	It      Item     // the row, for a check that runs over a list
	Value   Value    // for a threshold
	Watched []string // names of watched services, for a check
}

// An Item is one row that a check runs over.
type Item struct {
	rows  *collection // nil for a watched name
	value Value
}

// Instance returns what tells the row from the others of its list: a mount, a
// service, "name:pid".
func (i Item) Instance() string {
	if i.rows == nil {
		return i.value.text
	}
	return i.rows.instance(i.value.ref)
}

// Each returns the rows of a list of the machine, "watched" included. known is
// false when the list was not read; a name that is no list has no rows.
func (s Scope) Each(list string) (items []Item, known bool) {
	if list == "watched" {
		for _, name := range s.Watched {
			items = append(items, Item{value: String(name)})
		}
		return items, true
	}
	rows := schema().collections[list]
	if rows == nil {
		return nil, false
	}
	n, known := rows.rows(s.Machine)
	items = make([]Item, n)
	for i := range n {
		items[i] = Item{rows, Value{kind: rowKind, ref: rows.at(s.Machine, i)}}
	}
	return items, known
}

// Lists returns the names that Each knows, sorted.
func Lists() []string {
	out := []string{"watched"}
	for name := range schema().collections {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// Evaluate computes the program. Its one error is ErrTooLong, wrapped; a value
// that cannot be computed because something was not read is unknown.
func (p *Program) Evaluate(s Scope) (Value, error) {
	r := runs.Get().(*run)
	defer runs.Put(r)
	*r = run{machine: s.Machine, it: s.It.value, value: s.Value, watched: s.Watched}
	if r.machine == nil {
		r.machine = nothing
	}
	v := p.run(r)
	*r = run{steps: r.steps} // keep nothing of the machine
	if r.steps > MaxSteps {
		return Value{}, fmt.Errorf("%w: more than %d steps (rows times parts of a loop)", ErrTooLong, MaxSteps)
	}
	return v, nil
}

// runs spares a check over hundreds of rows an allocation for each.
var runs = sync.Pool{New: func() any { return new(run) }}

// nothing stands for a machine of which nothing is known; nobody writes to it.
var nothing = new(Machine)

// run is one evaluation.
type run struct {
	machine *Machine
	it      Value
	value   Value
	watched []string
	elem    Value // the element of the loop
	steps   int
}

// spend counts n steps and reports whether the evaluation may go on. A loop
// asks before it begins.
func (r *run) spend(n int) bool {
	r.steps += n
	return r.steps <= MaxSteps
}

// all returns the rows of a collection as a list.
func (r *run) all(c *collection) Value {
	n, known := c.rows(r.machine)
	if !known {
		return unknown(c.name)
	}
	return Value{kind: listKind, ref: &listValue{rows: c, machine: r.machine, n: n}}
}

func (r *run) take(v Value, n int) Value {
	l, ok := v.ref.(*listValue)
	if !ok || l.n <= n {
		return v
	}
	cut := *l
	cut.n = n
	if l.items != nil {
		cut.items = l.items[:n]
	}
	return Value{kind: listKind, ref: &cut}
}

// Why returns why the reading behind an unknown value could not be had, in the
// words of the machine, or "" when it does not say.
func (m *Machine) Why(because string) string {
	best := Unreadable{}
	for _, u := range m.Unreadable {
		if (u.What == because || strings.HasPrefix(because, u.What+".")) && len(u.What) >= len(best.What) {
			best = u
		}
	}
	return best.Why
}
