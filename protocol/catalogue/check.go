package catalogue

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/deskside/deskside/protocol/expression"
)

// Words is a text in both languages.
type Words = expression.Words

// Judged says who decides about a check.
const (
	JudgedByMachine = "machine"
	JudgedByConsole = "console" // about what a machine cannot say of itself
)

// A Check is one thing that is judged.
type Check struct {
	ID            string   `yaml:"id" json:"id" cbor:"1,keyasint"`
	Family        string   `yaml:"family" json:"family" cbor:"2,keyasint"` // alerts of one machine and family share a ticket
	Judged        string   `yaml:"judged" json:"judged" cbor:"3,keyasint"`
	Each          string   `yaml:"each" json:"each" cbor:"4,keyasint,omitempty"` // a list of the machine, "watched", or ""
	When          string   `yaml:"when" json:"when" cbor:"5,keyasint,omitempty"` // a boolean; "" is always
	Value         string   `yaml:"value" json:"value" cbor:"6,keyasint,omitempty"`
	Warning       string   `yaml:"warning" json:"warning" cbor:"7,keyasint,omitempty"` // "" is never
	Critical      string   `yaml:"critical" json:"critical" cbor:"8,keyasint,omitempty"`
	Clear         string   `yaml:"clear" json:"clear" cbor:"9,keyasint,omitempty"` // "" is: neither warning nor critical
	For           Duration `yaml:"for" json:"for" cbor:"10,keyasint"`
	KeepFiringFor Duration `yaml:"keep_firing_for" json:"keep_firing_for" cbor:"11,keyasint"`
	Interval      Duration `yaml:"interval" json:"interval" cbor:"12,keyasint"`
	Enabled       bool     `yaml:"enabled" json:"enabled" cbor:"13,keyasint"`
	DependsOn     []string `yaml:"depends_on" json:"depends_on" cbor:"14,keyasint,omitempty"` // quiet while one of these fires for the same instance
	Details       []Detail `yaml:"details" json:"details" cbor:"15,keyasint,omitempty"`       // what the words speak of besides the value
	Evidence      Evidence `yaml:"evidence" json:"evidence" cbor:"16,keyasint,omitzero"`
	Cures         []string `yaml:"cures" json:"cures" cbor:"17,keyasint,omitempty"` // ids of scripts
	Text          Text     `yaml:"words" json:"-" cbor:"-"`
}

// A Detail is a named number or text that goes with an alert into its words.
type Detail struct {
	Name   string `yaml:"name" json:"name" cbor:"1,keyasint"`
	Value  string `yaml:"value" json:"value" cbor:"2,keyasint"` // an expression
	Format string `yaml:"format" json:"format" cbor:"3,keyasint,omitempty"`
}

// Evidence says what an alert brings along.
type Evidence struct {
	Vitals    []string `yaml:"vitals" json:"vitals" cbor:"1,keyasint,omitempty"`       // OpenTelemetry names
	Processes string   `yaml:"processes" json:"processes" cbor:"2,keyasint,omitempty"` // "cpu" or "memory": the top of them; "" for none
}

// Text is how a check speaks: to the technician (Title, Finding, Next) and to
// the person at the machine (the rest).
type Text struct {
	Title   Words `yaml:"title"`
	Finding Words `yaml:"finding"`
	Plain   Words `yaml:"plain"`
	Means   Words `yaml:"means"`
	We      Words `yaml:"we"`
	You     Words `yaml:"you"`
	Done    Words `yaml:"done"`
	Next    struct {
		EN []string `yaml:"en"`
		PL []string `yaml:"pl"`
	} `yaml:"next"`
}

// Duration is a time.Duration that is written "5m" in JSON and YAML and in
// milliseconds in CBOR.
type Duration time.Duration

// String returns the duration without parts that are zero: "5m", not "5m0s".
func (d Duration) String() string {
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// ParseDuration reads "2s", "5m", "1h30m".
func ParseDuration(s string) (Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d != d.Truncate(time.Millisecond) {
		return 0, fmt.Errorf("%.20q is not a duration; write it as 30s, 5m or 1h30m", s)
	}
	return Duration(d), nil
}

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(b []byte) (err error) {
	*d, err = ParseDuration(string(b))
	return err
}

// MarshalCBOR implements cbor.Marshaler.
func (d Duration) MarshalCBOR() ([]byte, error) {
	return expression.Known(float64(time.Duration(d).Milliseconds())).MarshalCBOR()
}

// UnmarshalCBOR implements cbor.Unmarshaler.
func (d *Duration) UnmarshalCBOR(b []byte) error {
	var r expression.Reading
	if err := r.UnmarshalCBOR(b); err != nil {
		return err
	}
	ms, known := r.Get()
	if !known || ms != float64(int64(ms)) || ms < -1e12 || ms > 1e12 {
		return fmt.Errorf("duration is not a whole number of milliseconds")
	}
	*d = Duration(time.Duration(ms) * time.Millisecond)
	return nil
}

// Bounds of a check.
const (
	MinInterval = Duration(time.Second)
	MaxInterval = Duration(24 * time.Hour)
	MaxFor      = Duration(7 * 24 * time.Hour) // of For and of KeepFiringFor
	MaxDetails  = 12
)

// An Invalid says which field of a check is not allowed, and why.
type Invalid struct {
	Check   string
	Field   string // as in JSON
	Message string
}

func (e *Invalid) Error() string {
	return fmt.Sprintf("check %s: %s: %s", e.Check, e.Field, e.Message)
}

// Validate checks ids, bounds and expressions. The error is an *Invalid.
func (c *Check) Validate() error {
	bad := func(field, format string, args ...any) error {
		return &Invalid{c.ID, field, fmt.Sprintf(format, args...)}
	}
	switch {
	case !validID(c.ID):
		return bad("id", "an id has 1 to 64 characters a-z, 0-9, _ and dots between")
	case c.Judged != JudgedByMachine && c.Judged != JudgedByConsole:
		return bad("judged", "judged is %q; machine and console are allowed", c.Judged)
	case c.Interval < MinInterval || c.Interval > MaxInterval:
		return bad("interval", "%s is not from %s to %s", c.Interval, MinInterval, MaxInterval)
	case c.For < 0 || c.For > MaxFor:
		return bad("for", "%s is not from 0s to %s", c.For, MaxFor)
	case c.KeepFiringFor < 0 || c.KeepFiringFor > MaxFor:
		return bad("keep_firing_for", "%s is not from 0s to %s", c.KeepFiringFor, MaxFor)
	case c.Each != "" && !slices.Contains(expression.Lists(), c.Each):
		return bad("each", "there is no list %.40q; allowed: %s", c.Each, strings.Join(expression.Lists(), ", "))
	case !slices.Contains([]string{"", "cpu", "memory"}, c.Evidence.Processes):
		return bad("evidence", "processes is %.40q; cpu, memory or nothing is allowed", c.Evidence.Processes)
	case len(c.Details) > MaxDetails:
		return bad("details", "there are %d, at most %d are allowed", len(c.Details), MaxDetails)
	}
	_, err := c.Compile()
	return err
}

func validID(id string) bool {
	if len(id) == 0 || len(id) > 64 || strings.Contains(id, "..") || id[0] == '.' || id[len(id)-1] == '.' {
		return false
	}
	return strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789_.") == ""
}

// A Compiled is the expressions of a check. Programs that are not there are
// nil; a check that the console judges has none.
type Compiled struct {
	When, Value, Warning, Critical, Clear *expression.Program
	Details                               []*expression.Program
}

// Compile compiles the expressions. The error is an *Invalid that names the
// field.
func (c *Check) Compile() (*Compiled, error) {
	if c.Judged == JudgedByConsole {
		return &Compiled{}, nil
	}
	out := &Compiled{}
	use := expression.Use{Kind: expression.Check, Each: c.Each}
	compile := func(field, source string, use expression.Use, p **expression.Program) error {
		if source == "" {
			return nil
		}
		prog, err := expression.Compile(use, source)
		if err != nil {
			return &Invalid{c.ID, field, err.Error()}
		}
		*p = prog
		return nil
	}
	if c.Value == "" {
		return nil, &Invalid{c.ID, "value", "a check needs a value"}
	}
	if err := compile("value", c.Value, use, &out.Value); err != nil {
		return nil, err
	}
	if err := compile("when", c.When, use, &out.When); err != nil {
		return nil, err
	}
	if out.When != nil && out.When.Type() != "boolean" {
		return nil, &Invalid{c.ID, "when", "this is a " + out.When.Type() + ", but true or false is needed"}
	}
	if c.Warning == "" && c.Critical == "" {
		return nil, &Invalid{c.ID, "warning", "a check needs a warning or a critical threshold"}
	}
	threshold := expression.Use{Kind: expression.Threshold, Type: out.Value.Type()}
	for _, t := range []struct {
		field, source string
		p             **expression.Program
	}{{"warning", c.Warning, &out.Warning}, {"critical", c.Critical, &out.Critical}, {"clear", c.Clear, &out.Clear}} {
		if err := compile(t.field, t.source, threshold, t.p); err != nil {
			return nil, err
		}
	}
	out.Details = make([]*expression.Program, len(c.Details))
	for i, d := range c.Details {
		if err := compile("details."+d.Name, d.Value, use, &out.Details[i]); err != nil {
			return nil, err
		}
		if out.Details[i] == nil || !validID(d.Name) {
			return nil, &Invalid{c.ID, "details", "a detail needs a name and a value"}
		}
		if !slices.Contains(Formats(), d.Format) {
			return nil, &Invalid{c.ID, "details." + d.Name, "there is no format " + d.Format + "; allowed: " + strings.Join(Formats()[1:], ", ")}
		}
	}
	return out, nil
}
