package protocol

import (
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/uuid"
)

// Class groups durable messages: each has its own numbers and its own mark.
type Class uint8

const (
	ClassTransition Class = 1 // log: an alert moved
	ClassResult     Class = 2 // log: a run ended
	ClassChange     Class = 3 // log: a fact changed
	ClassJournal    Class = 4 // log: what the gate let in or turned away
	ClassFacts      Class = 5 // state: a section of facts
	ClassHistory    Class = 6 // state: a history row
)

// Classes in the order in which they are sent.
func Classes() []Class {
	return []Class{ClassTransition, ClassResult, ClassChange, ClassFacts, ClassJournal, ClassHistory}
}

// Log tells whether each entry of the class counts, or only the latest.
func (c Class) Log() bool { return c >= ClassTransition && c <= ClassJournal }

// String is the name of the class in logs.
func (c Class) String() string {
	switch c {
	case ClassTransition:
		return "transition"
	case ClassResult:
		return "result"
	case ClassChange:
		return "change"
	case ClassJournal:
		return "journal"
	case ClassFacts:
		return "facts"
	case ClassHistory:
		return "history"
	}
	return "unknown"
}

// Batch carries durable messages.
type Batch struct {
	Entries []Entry `cbor:"1,keyasint"`
}

// Entry is one durable message: a log has a number, a state a key and a
// revision. Body is one of Transition, Result, Change, JournalEntry, Section,
// HistoryRow or, where entries had to be given up, Dropped.
type Entry struct {
	Class    Class           `cbor:"1,keyasint"`
	Number   uint64          `cbor:"2,keyasint,omitempty"`
	Key      string          `cbor:"3,keyasint,omitempty"`
	Revision uint64          `cbor:"4,keyasint,omitempty"`
	Dropped  uint64          `cbor:"5,keyasint,omitempty"` // this entry stands for so many lost ones
	Body     cbor.RawMessage `cbor:"6,keyasint,omitempty"`
}

// Digest names the content of an entry, in 16 bytes. A machine that was set back
// to an older image and has written more than it lost has numbers above the
// marks, but other entries at them. An entry that stands for lost ones has none.
func (e Entry) Digest() []byte {
	if e.Dropped > 0 {
		return nil
	}
	h := sha256.Sum256(e.Body)
	return h[:16]
}

// States of an alert on the wire.
const (
	StateFiring   = "firing"
	StateUnknown  = "unknown"
	StateResolved = "resolved"
)

// Transition is a check that changed its mind about one instance.
type Transition struct {
	ID        uuid.UUID          `cbor:"1,keyasint"` // of the episode: the same from firing to resolved
	Check     string             `cbor:"2,keyasint"`
	Instance  string             `cbor:"3,keyasint"`
	State     string             `cbor:"4,keyasint"`
	Severity  string             `cbor:"5,keyasint"` // warning, critical
	Values    map[string]float64 `cbor:"6,keyasint,omitempty"`
	Texts     map[string]string  `cbor:"7,keyasint,omitempty"` // names the words need: mount, service, program
	StartedAt int64              `cbor:"8,keyasint"`
	At        int64              `cbor:"9,keyasint"`
	Flapping  bool               `cbor:"10,keyasint,omitempty"`
	Thing     string             `cbor:"11,keyasint,omitempty"` // a shared thing that the check is about
	Broken    string             `cbor:"12,keyasint,omitempty"` // the check cannot be evaluated, and why
	Evidence  *Evidence          `cbor:"13,keyasint,omitempty"`
	Reason    string             `cbor:"14,keyasint,omitempty"` // of a resolution: cleared, gone, disabled
	Zone      int32              `cbor:"15,keyasint,omitempty"` // seconds east of UTC: what the clock on its wall is ahead
}

// Evidence is what the machine saw when a check fired.
type Evidence struct {
	Series    []Series  `cbor:"1,keyasint,omitempty"`
	Processes []Process `cbor:"2,keyasint,omitempty"`
	Limit     *float64  `cbor:"3,keyasint,omitempty"`
}

// UnmarshalCBOR refuses evidence with more parts than it may have before anything
// is made of them: an empty part takes one byte on the wire, and a hundred here.
func (e *Evidence) UnmarshalCBOR(data []byte) error {
	var parts struct {
		Series    []cbor.RawMessage `cbor:"1,keyasint,omitempty"`
		Processes []cbor.RawMessage `cbor:"2,keyasint,omitempty"`
	}
	if err := decoder.Unmarshal(data, &parts); err != nil {
		return err
	}
	if n := max(len(parts.Series), len(parts.Processes)); n > MaxEvidence {
		return fmt.Errorf("evidence with %d series or processes: %w (%d allowed)", n, ErrTooLarge, MaxEvidence)
	}
	type plain Evidence // without this method
	return decoder.Unmarshal(data, (*plain)(e))
}

// Series is a short piece of history: OpenTelemetry name and unit, points of
// Unix milliseconds; a missing value is nil.
type Series struct {
	Name       string            `cbor:"1,keyasint"`
	Unit       string            `cbor:"2,keyasint"`
	Attributes map[string]string `cbor:"3,keyasint,omitempty"`
	At         []int64           `cbor:"4,keyasint"`
	Values     []*float64        `cbor:"5,keyasint"`
}

// Process is one line of the top processes in evidence.
type Process struct {
	PID   int64   `cbor:"1,keyasint"`
	Name  string  `cbor:"2,keyasint"`
	CPU   float64 `cbor:"3,keyasint"` // cores
	RSS   int64   `cbor:"4,keyasint"` // bytes
	Owner string  `cbor:"5,keyasint,omitempty"`
}

// Result ends a run.
type Result struct {
	Run       uuid.UUID         `cbor:"1,keyasint"`
	State     string            `cbor:"2,keyasint"` // succeeded, failed, timed_out, refused, cancelled, lost
	Refusal   string            `cbor:"3,keyasint,omitempty"`
	Text      string            `cbor:"4,keyasint,omitempty"`
	ExitCode  *int              `cbor:"5,keyasint,omitempty"`
	StartedAt int64             `cbor:"6,keyasint,omitempty"`
	EndedAt   int64             `cbor:"7,keyasint,omitempty"`
	Bytes     int64             `cbor:"8,keyasint,omitempty"` // of output, before it was cut
	Cut       bool              `cbor:"9,keyasint,omitempty"`
	Values    map[string]string `cbor:"10,keyasint,omitempty"` // what the script reported
	Verify    *Verdict          `cbor:"11,keyasint,omitempty"`
	Head      []byte            `cbor:"12,keyasint,omitempty"` // kept beginning of the output
	Tail      []byte            `cbor:"13,keyasint,omitempty"` // kept end of it
	Sandboxed bool              `cbor:"14,keyasint,omitempty"` // the dry run could not write
}

// Verdict is the verify check on a fresh reading.
type Verdict struct {
	Check   string             `cbor:"1,keyasint"`
	Verdict string             `cbor:"2,keyasint"` // verified, still_failing, not_run
	Values  map[string]float64 `cbor:"3,keyasint,omitempty"`
}

// Change is a fact that is different now.
type Change struct {
	Section string `cbor:"1,keyasint"`
	Item    string `cbor:"2,keyasint"`
	Before  string `cbor:"3,keyasint,omitempty"`
	After   string `cbor:"4,keyasint,omitempty"`
	At      int64  `cbor:"5,keyasint"`
}

// JournalEntry is one line of the machine's own book, chained by hash.
type JournalEntry struct {
	Number uint64    `cbor:"1,keyasint"`
	At     int64     `cbor:"2,keyasint"`
	Kind   string    `cbor:"3,keyasint"` // the message's kind
	Act    string    `cbor:"4,keyasint"` // admitted, refused, started, ended
	ID     uuid.UUID `cbor:"5,keyasint"`
	Code   string    `cbor:"6,keyasint,omitempty"`
	Text   string    `cbor:"7,keyasint,omitempty"`
	Count  uint64    `cbor:"8,keyasint,omitempty"` // refusals of one kind counted together
	Hash   []byte    `cbor:"9,keyasint"`
}

// Section is one section of facts, whole.
type Section struct {
	Name string `cbor:"1,keyasint"`
	Hash []byte `cbor:"2,keyasint"`
	At   int64  `cbor:"3,keyasint"`
	Body []byte `cbor:"4,keyasint"` // see package expression
}

// HistoryRow is one packed row of vitals; see package history.
type HistoryRow struct {
	Resolution uint8  `cbor:"1,keyasint"`
	Start      int64  `cbor:"2,keyasint"` // microseconds
	Revision   uint32 `cbor:"3,keyasint"` // of two rows with one start the higher one counts
	Payload    []byte `cbor:"4,keyasint"`
}

// Beat says that the loop that reads the machine is alive.
type Beat struct {
	At     int64  `cbor:"1,keyasint"`
	Health string `cbor:"2,keyasint"` // worst state of all checks: ok, warning, critical, unknown
	Head   []byte `cbor:"3,keyasint,omitempty"`
}

// UsualBeat is how often a machine beats to which no console has said otherwise.
const UsualBeat = 30 * time.Second

// Silence is for how long a line may be silent at either end before it is dead,
// where machines beat so often: half a minute and more allows for a network that is
// slow, and one that hangs is noticed within a minute.
func Silence(beat time.Duration) time.Duration {
	return max(min(3*beat, beat+15*time.Second), 10*time.Second)
}

// Live is one reading while somebody looks.
type Live struct {
	At     int64       `cbor:"1,keyasint"`
	Values []LiveValue `cbor:"2,keyasint"`
	Top    []Process   `cbor:"3,keyasint,omitempty"`
}

// LiveValue is one number of a live reading; nil is unknown.
type LiveValue struct {
	Name       string            `cbor:"1,keyasint"`
	Unit       string            `cbor:"2,keyasint"`
	Attributes map[string]string `cbor:"3,keyasint,omitempty"`
	Value      *float64          `cbor:"4,keyasint"`
}

// Answer answers an Ask. Table is the answer as package expression encodes it.
type Answer struct {
	Question uuid.UUID       `cbor:"1,keyasint"`
	Table    cbor.RawMessage `cbor:"2,keyasint,omitempty"`
	Error    string          `cbor:"3,keyasint,omitempty"` // why there is none
	Age      float64         `cbor:"4,keyasint"`           // seconds since the reading
}

// Output is a piece of a running script's output; the whole is in its Result.
type Output struct {
	Run    uuid.UUID `cbor:"1,keyasint"`
	Offset int64     `cbor:"2,keyasint"`
	Data   []byte    `cbor:"3,keyasint"`
}

// Taken says that a run is on the machine's disk and begins now.
type Taken struct {
	Run uuid.UUID `cbor:"1,keyasint"`
	At  int64     `cbor:"2,keyasint"`
}

// Opened answers OpenSession: either a refusal, or the session is about to
// dial in; with the machine's signed challenge where a proof is needed.
type Opened struct {
	Session   uuid.UUID  `cbor:"1,keyasint"`
	Refusal   string     `cbor:"2,keyasint,omitempty"`
	Text      string     `cbor:"3,keyasint,omitempty"`
	Challenge *Challenge `cbor:"4,keyasint,omitempty"`
}

// Ended says that a session is over at the machine.
type Ended struct {
	Session uuid.UUID `cbor:"1,keyasint"`
	Code    int       `cbor:"2,keyasint"`
	Text    string    `cbor:"3,keyasint,omitempty"`
	Digest  []byte    `cbor:"4,keyasint,omitempty"` // SHA-256 over both directions, as journalled
}

// Reasons of a goodbye.
const (
	GoodbyeShutDown = "shut_down"
	GoodbyeAsleep   = "asleep"   // Linux, where logind says so
	GoodbyeUpdating = "updating" // reserved: no agent updates itself yet, so none says it
	GoodbyeStopped  = "stopped"
)

// Goodbye is said before a machine leaves on purpose.
type Goodbye struct {
	Reason string `cbor:"1,keyasint"`
}

// Help asks for a one-time link to the help page for a person at the machine.
// Person is what they are called, which they may change; Account is how the
// machine counts their account, such as "1000", which they may not.
type Help struct {
	Request uuid.UUID `cbor:"1,keyasint"`
	Person  string    `cbor:"2,keyasint"`
	Account string    `cbor:"3,keyasint,omitempty"`
}

// Trusted says which trust holds at a machine: told in its proof, and again when it took
// what a Trust brought.
type Trusted struct {
	Version   uint64 `cbor:"1,keyasint,omitempty"` // of the newest trust file; 0: it has none
	Digest    []byte `cbor:"2,keyasint,omitempty"` // of that file
	Withdrawn []byte `cbor:"3,keyasint,omitempty"` // the digest of the newest withdrawal
	Problem   string `cbor:"4,keyasint,omitempty"` // why it did not take what it was brought
	Root      []byte `cbor:"5,keyasint,omitempty"` // the digest of the first trust file that it follows
}
