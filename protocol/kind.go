package protocol

// Version is the protocol version this build speaks; it is one integer.
//
//	1  2026-11-21  first version
const Version = 1

// MinVersion is the oldest version that this build still understands.
const MinVersion = 1

// Capability bits say what an end can do beyond the version it speaks.
type Capability uint64

const (
	CanRun        Capability = 1 << iota // runs scripts
	CanAnswer                            // answers questions
	CanWatch                             // streams a reading a second
	CanTerminal                          // opens terminals
	CanDryRun                            // has a sandbox for dry runs (Landlock)
	CanSelfUpdate                        // reserved
	CanDesktop                           // reserved
)

var capabilityNames = []string{"run", "answer", "watch", "terminal", "dry-run", "self-update", "desktop"}

// Names lists the capabilities by their stable names.
func (c Capability) Names() []string {
	names := []string{}
	for i, name := range capabilityNames {
		if c&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// Kind numbers a message. Numbers are never used again for something else.
type Kind uint16

const (
	KindHello    Kind = 1 // agent to console
	KindIdentify Kind = 2 // console to agent
	KindProof    Kind = 3
	KindWelcome  Kind = 4
	KindRefused  Kind = 5 // either
	KindEnrol    Kind = 6
	KindEnrolled Kind = 7

	KindBatch   Kind = 10 // agent to console from here
	KindBeat    Kind = 11
	KindLive    Kind = 12
	KindAnswer  Kind = 13
	KindOutput  Kind = 14
	KindOpened  Kind = 15
	KindEnded   Kind = 16
	KindGoodbye Kind = 17
	KindHelp    Kind = 18
	KindTaken   Kind = 19
	KindTrusted Kind = 20

	KindAck        Kind = 30 // console to agent from here
	KindBeatAnswer Kind = 31
	KindStamped    Kind = 32
	KindHelpLink   Kind = 33
	KindTrust      Kind = 34

	KindWork        Kind = 40 // inside a stamp from here
	KindCancel      Kind = 41
	KindAsk         Kind = 42
	KindWatch       Kind = 43
	KindChecks      Kind = 44
	KindOpenSession Kind = 45
	KindEndSession  Kind = 46
	KindCheckNow    Kind = 47
	KindSettings    Kind = 48
)

var kindNames = map[Kind]string{
	KindHello: "hello", KindIdentify: "identify", KindProof: "proof", KindWelcome: "welcome",
	KindRefused: "refused", KindEnrol: "enrol", KindEnrolled: "enrolled",
	KindBatch: "batch", KindBeat: "beat", KindLive: "live", KindAnswer: "answer", KindOutput: "output",
	KindOpened: "opened", KindEnded: "ended", KindGoodbye: "goodbye", KindHelp: "help", KindTaken: "taken",
	KindTrusted: "trusted", KindTrust: "trust",
	KindAck: "ack", KindBeatAnswer: "beat-answer", KindStamped: "stamped", KindHelpLink: "help-link",
	KindWork: "work", KindCancel: "cancel", KindAsk: "ask", KindWatch: "watch", KindChecks: "checks",
	KindOpenSession: "open-session", KindEndSession: "end-session", KindCheckNow: "check-now",
	KindSettings: "settings",
}

// String is the kind's name in logs and journals.
func (k Kind) String() string {
	if name, ok := kindNames[k]; ok {
		return name
	}
	return "unknown"
}

// Acting lists the kinds that travel inside a stamp: all that make a machine do
// something. The gate has a rule for each of them.
func Acting() []Kind {
	return []Kind{KindWork, KindCancel, KindAsk, KindWatch, KindChecks, KindOpenSession,
		KindEndSession, KindCheckNow, KindSettings}
}

// Limits of one message. They are the same at both ends.
const (
	MaxFrame      = 1 << 20          // bytes of any frame after welcome
	MaxHelloFrame = 64 << 10         // bytes of a frame before welcome
	MaxBatchBytes = 512 << 10        // bytes of entries the agent puts in one batch
	MaxBatch      = 500              // entries of one batch
	MaxNesting    = 16               // levels of CBOR
	MaxItems      = 20_000           // elements of one array, pairs of one map
	MaxText       = 64 << 10         // bytes of one string
	MaxEvidence   = 64               // series, and processes, in the evidence of one transition
	MaxTrust      = 80 << 10         // bytes of trust files in one message; one of them has 64 KiB at most
	MaxIdentify   = MaxTrust + 4<<10 // bytes of the console's half of the hello
	MaxStatements = 8                // of one order
)
