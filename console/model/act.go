package model

import "time"

// Act is something that the console wants a machine to do. Package link stamps
// it and sends it when the machine is there.
type Act struct {
	ID      ID // of the run, question or session; a new one for what has no row
	Machine From
	Expires time.Time
	Body    any // *Work, *CancelRun, *Ask, *Watch, *CheckSet, *OpenDoor, *CloseDoor, *CheckNow, *Tuning, *Trust
}

// Work is a run to be started.
type Work struct {
	Script     string
	Version    int
	Hash       []byte
	Parameters map[string]string
	DryRun     bool
	Timeout    time.Duration
	By         Actor
	Ticket     string
	Verify     string
	Instance   string
}

// CancelRun ends a run at its machine.
type CancelRun struct {
	Run ID
	By  Actor
}

// Ask asks an expression.
type Ask struct {
	Expression string
	By         Actor
}

// Watch asks for live readings until a moment.
type Watch struct{ Until time.Time }

// CheckSet is the resolved set of checks of a machine, encoded by package
// catalogue.
type CheckSet struct {
	Hash []byte
	Set  []byte
}

// OpenDoor opens a session at the machine.
type OpenDoor struct {
	Kind          string
	Columns, Rows int
	By            Actor
	Reason        string
	Ticket        string
	Token         []byte
}

// CloseDoor ends a session at the machine.
type CloseDoor struct {
	Session ID
	By      Actor
}

// CheckNow asks for a fresh round of readings.
type CheckNow struct{ By Actor }

// Tuning is what an organisation sets at its agents.
type Tuning struct {
	Hash        []byte
	Beat        time.Duration
	UploadEvery time.Duration
}

// Trust is what an organisation has signed since a machine heard of it last. It needs no
// stamp, for it speaks for itself.
type Trust struct {
	Hash       []byte // of all that the machine has when it takes it
	Files      [][]byte
	Withdrawal []byte // nil: nothing was taken back
}

// Trusted is what a machine says of the trust that holds there.
type Trusted struct {
	Root    string // the digest of the trust file it follows from, in hexadecimal; "": it has none
	Version uint64 // of the newest trust file; 0: none yet
	Hash    []byte // the digests of that file and of the newest withdrawal, one after the other
	Problem string // why what it was brought does not hold there
}

// Hello is what a machine says when it connects.
type Hello struct {
	From
	Key      []byte
	Node     ID
	Epoch    ID
	Boot     string // names the start of its system; empty: not known
	Name     string
	OS       OS
	Agent    string
	Protocol int
	Can      []string
	Policy   Policy
	Trust    Trusted
	Clock    time.Time
	Facts    map[string][]byte
	Checks   []byte
	Settings []byte
	Runs     []ID
	Left     bool // the agent before this one was ended, and not cut off
}

// Loss is that a machine had to give up messages before we had them.
type Loss struct {
	From
	Messages int64
}

// Arrival is what becomes of a hello.
type Arrival struct {
	Since  time.Time     // names the line that begins: whoever ends it says so
	Wanted []string      // sections of facts of which the machine has others than we
	Blind  bool          // it could not judge all of its checks when it said so last
	Beat   time.Duration // how often it is to beat
	Err    error         // why it is turned away, a *Problem; nothing is written down then
}

// Newcomer is a machine that asks for a name of its own.
type Newcomer struct {
	Organisation ID
	Secret       []byte
	Key          []byte
	Name         string
	OS           OS
	Agent        string
	Address      string
	Hardware     map[string]string
}
