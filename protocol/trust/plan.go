package trust

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
)

const (
	maxWaves = 100
	maxFleet = 1 << 20
)

// Wave is a part of a plan's machines, and when they may begin.
type Wave struct {
	Machines uint32 `cbor:"1,keyasint"`
	After    int64  `cbor:"2,keyasint"` // seconds after the plan holds
}

// Plan is an act on many machines. It does not list them: it has the root of a tree whose
// leaves they are, and each machine is shown its own place. No courier can add a machine,
// nor let one begin before its wave.
type Plan struct {
	Script Script            `cbor:"1,keyasint"`
	Risk   Risk              `cbor:"2,keyasint"`
	Values map[string]string `cbor:"3,keyasint,omitempty"`
	DryRun bool              `cbor:"4,keyasint,omitempty"`
	Root   []byte            `cbor:"5,keyasint"` // see [TreeOf]
	Waves  []Wave            `cbor:"6,keyasint"`
}

// Kind is what it says.
func (*Plan) Kind() Kind { return KindPlan }

func (*Plan) longest() time.Duration { return 30 * day }

func (p *Plan) check() error {
	if err := p.Script.check(); err != nil {
		return err
	}
	if err := checkRisk(p.Risk); err != nil {
		return err
	}
	if len(p.Root) != sha256.Size {
		return fmt.Errorf("a root of %d bytes; it has %d", len(p.Root), sha256.Size)
	}
	if n := len(p.Waves); n == 0 || n > maxWaves {
		return fmt.Errorf("%d waves; 1 to %d are allowed", n, maxWaves)
	}
	before := int64(0)
	for i, w := range p.Waves {
		if w.Machines == 0 {
			return fmt.Errorf("wave %d has no machine", i+1)
		}
		if w.After < before || w.After > int64(30*day/time.Second) {
			return fmt.Errorf("wave %d begins before the one before it, or later than 30 days", i+1)
		}
		before = w.After
	}
	if n := p.Machines(); n > maxFleet {
		return fmt.Errorf("%d machines; at most %d are allowed", n, maxFleet)
	}
	return checkValues(p.Values)
}

// Machines is how many the plan is for.
func (p *Plan) Machines() int {
	n := 0
	for _, w := range p.Waves {
		n += int(w.Machines)
	}
	return n
}

// Place is where a machine stands in a plan: its number in the order of the waves, and
// the neighbours that lead from it to the root.
type Place struct {
	Number uint32   `cbor:"1,keyasint"`
	Path   [][]byte `cbor:"2,keyasint,omitempty"`
}

// Wave tells whether a machine is in the plan at a place, and in which wave, counted from 0.
func (p *Plan) Wave(machine uuid.UUID, at Place) (int, error) {
	number, width, sum := at.Number, uint32(p.Machines()), leaf(at.Number, machine)
	if number >= width {
		return 0, refuse(CodeNotMeant, "the plan is for %d machines and this would be number %d", width, number+1)
	}
	path := at.Path
	for ; width > 1; number, width = number/2, (width+1)/2 {
		if number == width-1 && width%2 == 1 {
			continue // alone in its row: it goes up as it is
		}
		if len(path) == 0 || len(path[0]) != sha256.Size {
			return 0, errNotInPlan
		}
		if number%2 == 0 {
			sum = node(sum, path[0])
		} else {
			sum = node(path[0], sum)
		}
		path = path[1:]
	}
	if len(path) != 0 || !bytes.Equal(sum, p.Root) {
		return 0, errNotInPlan
	}
	for i, before := 0, uint32(0); ; i++ {
		if before += p.Waves[i].Machines; at.Number < before {
			return i, nil
		}
	}
}

var errNotInPlan = refuse(CodeNotMeant, "this machine is not in the plan")

// Tree has the machines of a plan in the order of its waves.
type Tree struct {
	rows [][][]byte // from the leaves up to the root
}

// TreeOf makes the tree of a plan's machines. Each may be there once, and there must be one.
func TreeOf(machines []uuid.UUID) (*Tree, error) {
	if len(machines) == 0 {
		return nil, errors.New("a plan for no machine: choose who it is for")
	}
	seen := make(map[uuid.UUID]bool, len(machines))
	row := make([][]byte, len(machines))
	for i, m := range machines {
		if seen[m] {
			return nil, fmt.Errorf("the machine %s is in the plan twice", m)
		}
		seen[m] = true
		row[i] = leaf(uint32(i), m)
	}
	t := &Tree{rows: [][][]byte{row}}
	for len(row) > 1 {
		var up [][]byte
		for pair := range slices.Chunk(row, 2) {
			if len(pair) == 2 {
				up = append(up, node(pair[0], pair[1]))
				continue
			}
			up = append(up, pair[0])
		}
		row = up
		t.rows = append(t.rows, row)
	}
	return t, nil
}

// Root is what a plan says of its machines.
func (t *Tree) Root() []byte { return t.rows[len(t.rows)-1][0] }

// Place is where the machine with a number stands.
func (t *Tree) Place(number int) Place {
	at := Place{Number: uint32(number)}
	for _, row := range t.rows[:len(t.rows)-1] {
		if beside := number ^ 1; beside < len(row) {
			at.Path = append(at.Path, row[beside])
		}
		number /= 2
	}
	return at
}

// leaf and node have different first bytes, so that no inner part of a tree passes for a
// machine.
func leaf(number uint32, machine uuid.UUID) []byte {
	b := binary.BigEndian.AppendUint32([]byte{0}, number)
	h := sha256.Sum256(append(b, machine[:]...))
	return h[:]
}

func node(left, right []byte) []byte {
	h := sha256.Sum256(slices.Concat([]byte{1}, left, right))
	return h[:]
}
