package protocol

import (
	"github.com/fxamacker/cbor/v2"
	"github.com/google/uuid"
)

// Ack answers a Batch after its effects are committed.
type Ack struct {
	Marks  map[Class]uint64  `cbor:"1,keyasint,omitempty"`
	States map[string]uint64 `cbor:"2,keyasint,omitempty"` // key -> revision
}

// BeatAnswer answers a Beat; its absence tells an agent that the line is dead.
type BeatAnswer struct {
	Clock int64  `cbor:"1,keyasint"`
	Head  []byte `cbor:"2,keyasint,omitempty"` // newest signed audit head, to be witnessed
}

// HelpLink answers Help.
type HelpLink struct {
	Request uuid.UUID `cbor:"1,keyasint"`
	URL     string    `cbor:"2,keyasint,omitempty"`
	Refusal string    `cbor:"3,keyasint,omitempty"`
}

// Trust brings what a machine's organisation has signed since: trust files that follow on
// the machine's own, in order, and the newest withdrawal. They need no stamp, for they
// speak for themselves; see package trust.
type Trust struct {
	Files      [][]byte `cbor:"1,keyasint,omitempty"`
	Withdrawal []byte   `cbor:"2,keyasint,omitempty"`
}

// Stamped wraps what acts. Stamp is a COSE_Sign1 over the encoded Order.
type Stamped struct {
	Stamp []byte `cbor:"1,keyasint"`
}

// Order is what a stamp covers: one act for one machine. It says which way the
// act came; who may have it done is in its statements.
type Order struct {
	ID           uuid.UUID       `cbor:"1,keyasint"`
	Organisation uuid.UUID       `cbor:"2,keyasint"`
	Machine      uuid.UUID       `cbor:"3,keyasint"`
	Issued       int64           `cbor:"4,keyasint"`
	Expires      int64           `cbor:"5,keyasint"`
	Kind         Kind            `cbor:"6,keyasint"`
	Body         cbor.RawMessage `cbor:"7,keyasint"`
	Statements   [][]byte        `cbor:"8,keyasint,omitempty"` // see package trust
}

// Who names the person on whose behalf the console says it acts. It is the
// console's word: journals mark it so.
type Who struct {
	Kind string    `cbor:"1,keyasint"` // person, system
	ID   uuid.UUID `cbor:"2,keyasint"`
	Name string    `cbor:"3,keyasint"`
}

// Work is one script on one machine. Order.ID is the run's id.
type Work struct {
	Script     string            `cbor:"1,keyasint"`
	Version    int               `cbor:"2,keyasint"`
	Hash       []byte            `cbor:"3,keyasint"`
	Parameters map[string]string `cbor:"4,keyasint,omitempty"`
	DryRun     bool              `cbor:"5,keyasint,omitempty"`
	Timeout    int               `cbor:"6,keyasint"` // seconds
	By         Who               `cbor:"7,keyasint"`
	Ticket     string            `cbor:"8,keyasint,omitempty"`
	Verify     string            `cbor:"9,keyasint,omitempty"`
	Instance   string            `cbor:"10,keyasint,omitempty"` // of the verify check
	Bundle     []byte            `cbor:"11,keyasint,omitempty"` // files of a script that is not built in
	Place      *Place            `cbor:"12,keyasint,omitempty"` // where the machine stands in the plan among the statements
}

// Place is where a machine stands in a plan: its number, counted from 0 in the order of
// the waves, and the neighbours that lead from it to the plan's root.
type Place struct {
	Number uint32   `cbor:"1,keyasint"`
	Path   [][]byte `cbor:"2,keyasint,omitempty"`
}

// Cancel ends a run.
type Cancel struct {
	Run uuid.UUID `cbor:"1,keyasint"`
	By  Who       `cbor:"2,keyasint"`
}

// Ask asks the machine an expression. Order.ID is the question's id.
type Ask struct {
	Expression string `cbor:"1,keyasint"`
	By         Who    `cbor:"2,keyasint"`
}

// Watch asks for live readings until a moment; the agent stops by itself.
type Watch struct {
	Until int64 `cbor:"1,keyasint"`
}

// Checks is the resolved set of checks of this machine, as package catalogue
// encodes it, and its hash.
type Checks struct {
	Hash []byte `cbor:"1,keyasint"`
	Set  []byte `cbor:"2,keyasint"`
}

// OpenSession asks the machine to open a door. Order.ID is the session's id.
type OpenSession struct {
	Kind    string `cbor:"1,keyasint"` // terminal
	Columns int    `cbor:"2,keyasint"`
	Rows    int    `cbor:"3,keyasint"`
	Account string `cbor:"4,keyasint,omitempty"`
	By      Who    `cbor:"5,keyasint"`
	Reason  string `cbor:"6,keyasint,omitempty"`
	Ticket  string `cbor:"7,keyasint,omitempty"`
	Token   []byte `cbor:"8,keyasint"` // single use, for the session's socket
}

// EndSession closes a door.
type EndSession struct {
	Session uuid.UUID `cbor:"1,keyasint"`
	By      Who       `cbor:"2,keyasint"`
}

// CheckNow asks for a fresh round of readings and verdicts.
type CheckNow struct {
	By Who `cbor:"1,keyasint"`
}

// Settings are what a console may set at an agent, within the agent's bounds.
type Settings struct {
	Hash        []byte `cbor:"1,keyasint"`
	Beat        int64  `cbor:"2,keyasint"` // microseconds
	UploadEvery int64  `cbor:"3,keyasint"` // 4 was how often to sample, which no agent followed
}
