package model

import (
	"encoding/json"
	"errors"
	"strconv"
	"time"
)

// What machines tell, in the words of the console. Package link makes these of
// what comes over the wire; every text in them is clean.

// From says which machine told something, and when it arrived.
type From struct {
	Organisation ID
	Machine      ID
	At           time.Time
}

// Transition is a check that changed its mind.
type Transition struct {
	From
	Episode   ID
	Check     string
	Instance  string
	State     AlertState
	Severity  Severity
	Values    map[string]float64
	Texts     map[string]string
	StartedAt time.Time
	ChangedAt time.Time // by the machine's clock
	Zone      int       // seconds east of UTC, where the machine stands
	Flapping  bool
	Thing     string
	Broken    string
	Reason    string
	Evidence  *Evidence
}

// Evidence is what the machine saw when a check fired; it is shown as it came.
type Evidence struct {
	Vitals    []Series     `json:"vitals"`
	Processes []TopProcess `json:"processes"`
	Limit     *float64     `json:"limit"`
}

// Series is a piece of history; a point is Unix milliseconds and a value or null.
type Series struct {
	Name       string            `json:"name"`
	Unit       string            `json:"unit"`
	Attributes map[string]string `json:"attributes"`
	Points     []Point           `json:"points"`
}

// Point is one value of a series at one moment.
type Point struct {
	At    int64 // Unix milliseconds
	Value *float64
}

// TopProcess is one of the busiest processes.
type TopProcess struct {
	PID   int64   `json:"pid"`
	Name  string  `json:"name"`
	CPU   float64 `json:"cpu"`
	RSS   int64   `json:"rss_bytes"`
	Owner string  `json:"owner"`
}

// Result ends a run.
type Result struct {
	From
	Run       ID
	State     RunState
	Refusal   string
	Text      string
	ExitCode  *int
	StartedAt time.Time
	EndedAt   time.Time
	Bytes     int64
	Cut       bool
	Values    map[string]string
	Check     string
	Verdict   string
	Head      []byte
	Tail      []byte
	Sandboxed bool
}

// Change is a fact that is different now.
type Change struct {
	From
	Section, Item, Before, After string
	ChangedAt                    time.Time
}

// Section is one section of facts, as package expression encodes it.
type Section struct {
	From
	Name string
	Hash []byte
	Read time.Time
	Body []byte
}

// HistoryRow is one packed row of vitals.
type HistoryRow struct {
	From
	Resolution uint8
	Start      time.Time
	Revision   uint32
	Payload    []byte
}

// JournalLine is one line of a machine's own book.
type JournalLine struct {
	From
	Number     uint64
	Written    time.Time
	Kind, Act  string
	ID         ID
	Code, Text string
	Count      uint64
	Hash       []byte
}

// Live is one reading while somebody looks.
type Live struct {
	From
	Series []LiveValue
	Top    []TopProcess
}

// LiveValue is one number of it; nil is unknown.
type LiveValue struct {
	Name       string            `json:"name"`
	Unit       string            `json:"unit"`
	Attributes map[string]string `json:"attributes"`
	Value      *float64          `json:"value"`
}

// Asker is whoever asks for help at a machine. Account is how the machine counts
// their account; empty where an older agent did not tell. Address is that from which
// the machine's line comes, and Host what the machine dialled, both with a port.
type Asker struct {
	Account string
	Name    string
	Address string
	Host    string
}

// Opened answers an attempt to open a session.
type Opened struct {
	From
	Session       ID
	Refusal, Text string
}

// Output is a piece of a running script's output.
type Output struct {
	From
	Run    ID
	Offset int64
	Data   []byte
}

// MarshalJSON writes the point as [unix_ms, value or null].
func (p Point) MarshalJSON() ([]byte, error) {
	b := append(strconv.AppendInt([]byte{'['}, p.At, 10), ',')
	if p.Value == nil {
		return append(b, "null]"...), nil
	}
	return append(strconv.AppendFloat(b, *p.Value, 'g', -1, 64), ']'), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (p *Point) UnmarshalJSON(b []byte) error {
	var pair [2]*float64
	if err := json.Unmarshal(b, &pair); err != nil {
		return err
	}
	if pair[0] == nil {
		return errors.New("a point needs its time")
	}
	p.At, p.Value = int64(*pair[0]), pair[1]
	return nil
}
