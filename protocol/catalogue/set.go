package catalogue

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/fxamacker/cbor/v2"

	"github.com/deskside/deskside/protocol/expression"
)

// A Set is what a machine judges.
type Set struct {
	Checks  []Check  `cbor:"1,keyasint"`
	Watched []string `cbor:"2,keyasint,omitempty"` // names of services
}

// Bounds of a set that comes from elsewhere.
const (
	MaxChecks   = 500
	MaxWatched  = 200
	MaxSetBytes = 512 << 10
)

// An Override changes fields of one check; what is nil stays as it was.
type Override struct {
	Check         string    `json:"check" cbor:"1,keyasint"`
	Warning       *string   `json:"warning,omitempty" cbor:"2,keyasint,omitempty"`
	Critical      *string   `json:"critical,omitempty" cbor:"3,keyasint,omitempty"`
	Clear         *string   `json:"clear,omitempty" cbor:"4,keyasint,omitempty"`
	For           *Duration `json:"for,omitempty" cbor:"5,keyasint,omitempty"`
	KeepFiringFor *Duration `json:"keep_firing_for,omitempty" cbor:"6,keyasint,omitempty"`
	Interval      *Duration `json:"interval,omitempty" cbor:"7,keyasint,omitempty"`
	Enabled       *bool     `json:"enabled,omitempty" cbor:"8,keyasint,omitempty"`
}

// A Layer is what one level says: the organisation, a group, the machine.
type Layer struct {
	Overrides []Override
	Watched   []string // nil says nothing; an empty list says none
}

// Resolve lays the layers over the checks, the nearest last, and returns the
// set. Every check of the result is valid; the error is an *Invalid. Nothing
// that was passed in is changed.
func Resolve(checks []Check, layers ...Layer) (Set, error) {
	set := Set{Checks: slices.Clone(checks)}
	for _, layer := range layers {
		if layer.Watched != nil {
			set.Watched = slices.Clone(layer.Watched)
		}
		for _, o := range layer.Overrides {
			i := slices.IndexFunc(set.Checks, func(c Check) bool { return c.ID == o.Check })
			if i < 0 {
				return Set{}, &Invalid{o.Check, "id", "there is no such check"}
			}
			o.apply(&set.Checks[i])
		}
	}
	for i := range set.Checks {
		if err := set.Checks[i].Validate(); err != nil {
			return Set{}, err
		}
	}
	if len(set.Watched) > MaxWatched {
		return Set{}, &Invalid{"service.stopped", "watched_services", fmt.Sprintf("there are %d, at most %d are allowed", len(set.Watched), MaxWatched)}
	}
	for _, name := range set.Watched {
		if err := CheckService(name); err != nil {
			return Set{}, err
		}
	}
	return set, nil
}

// CheckService tells whether a service can be watched by a name; the error is an
// *Invalid.
func CheckService(name string) error {
	if name == "" || len(name) > 256 || expression.CleanText(name) != name {
		return &Invalid{"service.stopped", "watched_services", fmt.Sprintf("%.40q is not the name of a service: "+
			"that has 1 to 256 bytes, and no control characters and none that turn the direction of writing", name)}
	}
	return nil
}

func (o Override) apply(c *Check) {
	set(&c.Warning, o.Warning)
	set(&c.Critical, o.Critical)
	set(&c.Clear, o.Clear)
	set(&c.For, o.For)
	set(&c.KeepFiringFor, o.KeepFiringFor)
	set(&c.Interval, o.Interval)
	set(&c.Enabled, o.Enabled)
}

func set[T any](field, value *T) {
	if value != nil {
		*field = *value
	}
}

// Encode returns the set as deterministic CBOR, without words.
func (s Set) Encode() []byte {
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		panic(err) // constant options
	}
	b, err := mode.Marshal(s)
	if err != nil {
		panic(err) // plain structs
	}
	return b
}

// Hash tells one set from another.
func (s Set) Hash() [sha256.Size]byte { return sha256.Sum256(s.Encode()) }

// DecodeSet reads a set that came from elsewhere and validates every check. A
// check of the catalogue keeps its words.
func DecodeSet(b []byte) (Set, error) {
	if len(b) > MaxSetBytes {
		return Set{}, fmt.Errorf("set of checks has %d bytes, at most %d are allowed", len(b), MaxSetBytes)
	}
	mode, err := cbor.DecOptions{
		DupMapKey: cbor.DupMapKeyEnforcedAPF, IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden,
		MaxNestedLevels: 8, MaxArrayElements: MaxChecks, MaxMapPairs: 64,
	}.DecMode()
	if err != nil {
		return Set{}, err
	}
	var s Set
	if err := mode.Unmarshal(b, &s); err != nil {
		return Set{}, fmt.Errorf("set of checks: %w", err)
	}
	seen := map[string]bool{}
	for i := range s.Checks {
		c := &s.Checks[i]
		if err := c.Validate(); err != nil {
			return Set{}, err
		}
		if seen[c.ID] {
			return Set{}, &Invalid{c.ID, "id", "the set has this check twice"}
		}
		seen[c.ID] = true
		if own, ok := Find(c.ID); ok {
			c.Text = own.Text
		}
	}
	return s, nil
}
