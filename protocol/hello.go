package protocol

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Hello begins every connection. Machine is zero before enrolment.
type Hello struct {
	Version      int        `cbor:"1,keyasint"`
	MinVersion   int        `cbor:"2,keyasint"`
	Capabilities Capability `cbor:"3,keyasint"`
	Organisation uuid.UUID  `cbor:"4,keyasint"`
	Machine      uuid.UUID  `cbor:"5,keyasint"`
	Key          []byte     `cbor:"6,keyasint"`           // the machine's Ed25519 public key
	Nonce        []byte     `cbor:"7,keyasint"`           // 32 bytes
	Trust        uint64     `cbor:"8,keyasint,omitempty"` // the newest trust file it has; 0: it has no root
}

// Identify is the console's half of the hello.
type Identify struct {
	Version      int        `cbor:"1,keyasint"`
	Capabilities Capability `cbor:"2,keyasint"`
	Nonce        []byte     `cbor:"3,keyasint"`
	Identity     []byte     `cbor:"4,keyasint"` // Ed25519 public key
	Stamp        StampKey   `cbor:"5,keyasint"`
	Signature    []byte     `cbor:"6,keyasint"` // by Identity over the transcript
	// Trust are trust files that follow on the machine's own, for one that cannot know this
	// console yet: they say that it is the organisation's. They speak for themselves.
	Trust [][]byte `cbor:"7,keyasint,omitempty"`
}

// StampKey certifies the key that stamps what the console sends.
type StampKey struct {
	Key       []byte `cbor:"1,keyasint"`
	NotBefore int64  `cbor:"2,keyasint"` // microseconds
	Expires   int64  `cbor:"3,keyasint"`
	Signature []byte `cbor:"4,keyasint"` // by the identity key
}

// Purpose of a connection, named in its proof.
const (
	ForMachine = "machine" // the one long-lived line of a machine
	ForSession = "session" // a session's own socket
)

// Proof is the agent's half of the hello, with what the console wants to know
// before it says welcome.
type Proof struct {
	Signature []byte    `cbor:"1,keyasint"`
	Purpose   string    `cbor:"2,keyasint"`
	Session   uuid.UUID `cbor:"3,keyasint"` // for a session's socket
	Token     []byte    `cbor:"4,keyasint,omitempty"`

	Epoch    uuid.UUID         `cbor:"10,keyasint"`           // of the outbox
	Boot     string            `cbor:"11,keyasint"`           // another one after each start of the system; empty: not known
	Next     map[Class]uint64  `cbor:"12,keyasint"`           // next number of each class
	Facts    map[string][]byte `cbor:"13,keyasint,omitempty"` // section -> hash
	Checks   []byte            `cbor:"14,keyasint,omitempty"` // hash of the check set in force
	Policy   Policy            `cbor:"15,keyasint"`
	Agent    string            `cbor:"16,keyasint"` // version of the program
	Name     string            `cbor:"17,keyasint"` // host name
	OS       OS                `cbor:"18,keyasint"`
	Clock    int64             `cbor:"19,keyasint"` // microseconds
	Runs     []uuid.UUID       `cbor:"20,keyasint,omitempty"`
	Head     []byte            `cbor:"21,keyasint,omitempty"` // of the journal
	Settings []byte            `cbor:"22,keyasint,omitempty"` // hash of the settings in force
	Left     bool              `cbor:"23,keyasint,omitempty"` // the agent before this one was ended, and not cut off
	Trust    Trusted           `cbor:"24,keyasint"`
}

// OS is what the fleet page shows of a system before its facts arrive.
type OS struct {
	Family  string `cbor:"1,keyasint"` // linux, windows, darwin
	Name    string `cbor:"2,keyasint"`
	Version string `cbor:"3,keyasint"`
	Kernel  string `cbor:"4,keyasint"`
	Arch    string `cbor:"5,keyasint"`
}

// Policy tells the console what this machine allows; it is shown there and
// never changed from there.
type Policy struct {
	Profile  string `cbor:"1,keyasint"`
	Digest   []byte `cbor:"2,keyasint"`
	Terminal string `cbor:"3,keyasint"`
	Proof    string `cbor:"4,keyasint"`
	Scripts  string `cbor:"5,keyasint"`
	Problem  string `cbor:"6,keyasint,omitempty"` // why everything but vitals is closed
}

// Welcome ends the hello.
type Welcome struct {
	Machine uuid.UUID         `cbor:"1,keyasint"`
	Clock   int64             `cbor:"2,keyasint"`
	Marks   map[Class]uint64  `cbor:"3,keyasint"` // of the epoch in the proof
	Wanted  []string          `cbor:"4,keyasint,omitempty"`
	Node    uuid.UUID         `cbor:"5,keyasint"`
	States  map[string]uint64 `cbor:"6,keyasint,omitempty"` // reserved: revisions that the console has; none is sent yet
	Digests map[Class][]byte  `cbor:"7,keyasint,omitempty"` // of the entries that stand at the marks, see [Entry.Digest]
}

// Refused ends a connection with a reason.
type Refused struct {
	Code       string `cbor:"1,keyasint"`
	Text       string `cbor:"2,keyasint"`
	RetryAfter int    `cbor:"3,keyasint,omitempty"` // seconds
}

func (r Refused) Error() string { return r.Text }

// Enrol asks for a name of one's own.
type Enrol struct {
	Secret    []byte            `cbor:"1,keyasint"`
	Signature []byte            `cbor:"2,keyasint"` // by the new key over the transcript
	Name      string            `cbor:"3,keyasint"`
	OS        OS                `cbor:"4,keyasint"`
	Agent     string            `cbor:"5,keyasint"`
	Hardware  map[string]string `cbor:"6,keyasint,omitempty"` // machine-id, system uuid: to notice clones
}

// Enrolled answers Enrol.
type Enrolled struct {
	Machine      uuid.UUID `cbor:"1,keyasint"`
	Organisation uuid.UUID `cbor:"2,keyasint"`
	Name         string    `cbor:"3,keyasint"`
	Trust        [][]byte  `cbor:"4,keyasint,omitempty"` // the chain of trust files, from the first
}

// Transcript is what both ends sign. It names everything the hello agreed on
// and the connection it was agreed on.
type Transcript struct {
	Label        string     `cbor:"1,keyasint"`
	AgentNonce   []byte     `cbor:"2,keyasint"`
	ConsoleNonce []byte     `cbor:"3,keyasint"`
	AgentKey     []byte     `cbor:"4,keyasint"`
	Identity     []byte     `cbor:"5,keyasint"`
	StampKey     []byte     `cbor:"6,keyasint"`
	Organisation uuid.UUID  `cbor:"7,keyasint"`
	Machine      uuid.UUID  `cbor:"8,keyasint"`
	AgentVersion int        `cbor:"9,keyasint"`
	AgentMin     int        `cbor:"10,keyasint"`
	AgentCan     Capability `cbor:"11,keyasint"`
	Version      int        `cbor:"12,keyasint"`
	Can          Capability `cbor:"13,keyasint"`
	Channel      []byte     `cbor:"14,keyasint"` // RFC 9266 exporter
	Role         string     `cbor:"15,keyasint"` // who signs: console or agent
}

// Signers of a transcript.
const (
	RoleConsole = "console"
	RoleAgent   = "agent"
)

// TranscriptOf joins both halves of a hello on the connection whose exporter is
// channel, for the signer named by role.
func TranscriptOf(h Hello, id Identify, channel []byte, role string) ([]byte, error) {
	return Marshal(Transcript{
		Label: "deskside/1/hello", AgentNonce: h.Nonce, ConsoleNonce: id.Nonce, AgentKey: h.Key,
		Identity: id.Identity, StampKey: id.Stamp.Key, Organisation: h.Organisation, Machine: h.Machine,
		AgentVersion: h.Version, AgentMin: h.MinVersion, AgentCan: h.Capabilities,
		Version: id.Version, Can: id.Capabilities, Channel: channel, Role: role,
	})
}

// Check tells whether a hello can be answered at all.
func (h Hello) Check() error {
	switch {
	case len(h.Key) != ed25519.PublicKeySize:
		return Refused{Code: CodeBadHello, Text: "The key in the hello is not an Ed25519 public key."}
	case len(h.Nonce) != 32:
		return Refused{Code: CodeBadHello, Text: "The nonce in the hello is not 32 bytes long."}
	case h.MinVersion > Version:
		return Refused{Code: CodeVersion, Text: fmt.Sprintf(
			"This agent needs protocol %d or newer; this console speaks %d. Update the console.", h.MinVersion, Version)}
	case h.Version < MinVersion:
		return Refused{Code: CodeVersion, Text: fmt.Sprintf(
			"This agent speaks protocol %d; this console needs %d or newer. Update the agent.", h.Version, MinVersion)}
	}
	return nil
}

// NonceSize is the length of a nonce in bytes.
const NonceSize = 32

// Nonce makes 32 random bytes.
func Nonce() []byte {
	b := make([]byte, NonceSize)
	rand.Read(b)
	return b
}

// Fingerprint is the short name of a public key: the SHA-256 of its bytes.
func Fingerprint(key []byte) []byte {
	sum := sha256.Sum256(key)
	return sum[:]
}

type stampBody struct {
	Label     string `cbor:"1,keyasint"`
	Key       []byte `cbor:"2,keyasint"`
	NotBefore int64  `cbor:"3,keyasint"`
	Expires   int64  `cbor:"4,keyasint"`
}

// MaxStampLife is how long a stamp key may be certified for.
const MaxStampLife = 90 * 24 * time.Hour

// CertifyStamp lets the identity key vouch for a stamp key.
func CertifyStamp(identity ed25519.PrivateKey, key ed25519.PublicKey, from, to time.Time) (StampKey, error) {
	s := StampKey{Key: key, NotBefore: from.UnixMicro(), Expires: to.UnixMicro()}
	body, err := Marshal(stampBody{"deskside/1/stamp-key", s.Key, s.NotBefore, s.Expires})
	if err != nil {
		return StampKey{}, fmt.Errorf("certify stamp key: %w", err)
	}
	s.Signature = ed25519.Sign(identity, body)
	return s, nil
}

// Verify checks who vouches for a stamp key; until when it is good, [StampKey.Ended]
// tells.
func (s StampKey) Verify(identity ed25519.PublicKey) error {
	if len(s.Key) != ed25519.PublicKeySize || len(identity) != ed25519.PublicKeySize {
		return errors.New("stamp key: not an Ed25519 key")
	}
	body, err := Marshal(stampBody{"deskside/1/stamp-key", s.Key, s.NotBefore, s.Expires})
	if err != nil {
		return fmt.Errorf("stamp key: %w", err)
	}
	switch {
	case !ed25519.Verify(identity, body, s.Signature):
		return errors.New("stamp key: not certified by the console's identity")
	case s.Expires-s.NotBefore > MaxStampLife.Microseconds():
		return errors.New("stamp key: certified for more than 90 days")
	}
	return nil
}

// Ended tells whether the certificate is not good any more at a time. That is one of
// the console's clock, for a machine whose own is wrong is to be helped too. Nobody
// gains by an old certificate: who shows one in a hello has the identity key, and
// could make a new one.
func (s StampKey) Ended(at time.Time) bool { return at.UnixMicro() > s.Expires }
