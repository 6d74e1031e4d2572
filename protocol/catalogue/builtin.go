package catalogue

import (
	"bytes"
	"embed"
	"fmt"
	"slices"
	"sync"

	"go.yaml.in/yaml/v3"
)

//go:embed checks/*.yaml
var files embed.FS

// order is how the checks are listed everywhere.
var order = [...]string{"filesystem.full", "filesystem.inodes", "memory.pressure", "process.cpu", "service.stopped", "machine.offline"}

// Builtin returns the checks of the catalogue. The slice is the caller's; what
// the checks point to is shared and must not be changed.
func Builtin() []Check { return slices.Clone(builtin()) }

// builtin reads the embedded files, which the tests have read before.
var builtin = sync.OnceValue(func() []Check {
	out := make([]Check, len(order))
	for i, id := range order {
		b, err := files.ReadFile("checks/" + id + ".yaml")
		if err != nil {
			panic(err)
		}
		c, err := Parse(b)
		if err != nil {
			panic(err)
		}
		out[i] = c
	}
	return out
})

// Find returns the check of the catalogue with that id.
func Find(id string) (Check, bool) {
	for _, c := range builtin() {
		if c.ID == id {
			return c, true
		}
	}
	return Check{}, false
}

// Parse reads one check from YAML, strictly, and validates it. A check that
// does not say so is judged by the machine and enabled.
func Parse(b []byte) (Check, error) {
	c := Check{Judged: JudgedByMachine, Enabled: true}
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	if err := d.Decode(&c); err != nil {
		return Check{}, fmt.Errorf("check: %w", err)
	}
	return c, c.Validate()
}

// ParseList reads a list of checks from YAML, as `deskside-agent check
// --checks FILE` takes it. A check with the id of one in the catalogue starts
// from it, so that a file may say only what differs.
func ParseList(b []byte) ([]Check, error) {
	if len(b) > MaxSetBytes {
		return nil, fmt.Errorf("the file has %d bytes, at most %d are allowed", len(b), MaxSetBytes)
	}
	var nodes []yaml.Node
	if err := yaml.Unmarshal(b, &nodes); err != nil {
		return nil, fmt.Errorf("checks: a list is expected: %w", err)
	}
	if len(nodes) > MaxChecks {
		return nil, fmt.Errorf("checks: %d of them, at most %d are allowed", len(nodes), MaxChecks)
	}
	var out []Check
	for i, n := range nodes {
		var id struct {
			ID string `yaml:"id"`
		}
		if err := n.Decode(&id); err != nil {
			return nil, fmt.Errorf("check %d: %w", i+1, err)
		}
		c, ok := Find(id.ID)
		if !ok {
			c = Check{Judged: JudgedByMachine, Enabled: true, Interval: MinInterval}
		}
		raw, err := yaml.Marshal(&n)
		if err != nil {
			return nil, fmt.Errorf("check %d: %w", i+1, err)
		}
		d := yaml.NewDecoder(bytes.NewReader(raw))
		d.KnownFields(true)
		if err := d.Decode(&c); err != nil {
			return nil, fmt.Errorf("check %d (%.64s): %w", i+1, id.ID, err)
		}
		if err := c.Validate(); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(out, func(o Check) bool { return o.ID == c.ID }) {
			return nil, &Invalid{c.ID, "id", "the list has this check twice"}
		}
		out = append(out, c)
	}
	return out, nil
}
