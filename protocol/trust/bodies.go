package trust

import "github.com/google/uuid"

// Body is what one kind of statement says.
type Body interface{ kind() Kind }

// Scheme says how a key signs.
type Scheme string

const (
	Ed25519  Scheme = "ed25519"
	SSHSIG   Scheme = "sshsig"   // SSH keys, hardware keys among them
	WebAuthn Scheme = "webauthn" // passkeys
)

// Key is one public key of a person.
type Key struct {
	Scheme Scheme `cbor:"1,keyasint"`
	Public []byte `cbor:"2,keyasint"`
	Note   string `cbor:"3,keyasint,omitempty"` // "blue hardware key"
}

// Person is somebody whose proofs may count.
type Person struct {
	ID   uuid.UUID `cbor:"1,keyasint"`
	Name string    `cbor:"2,keyasint"`
	Keys []Key     `cbor:"3,keyasint"`
}

// Trust is one version of an organisation's trust file.
type Trust struct {
	Version     uint64            `cbor:"1,keyasint"`
	Epoch       uint64            `cbor:"2,keyasint"` // raising it ends all approvals
	Root        []Person          `cbor:"3,keyasint"`
	RootNeeds   int               `cbor:"4,keyasint"`
	Approvers   []Person          `cbor:"5,keyasint"`
	Needs       map[string]int    `cbor:"6,keyasint"` // risk -> people
	Technicians []Person          `cbor:"7,keyasint"`
	Identities  [][]byte          `cbor:"8,keyasint"` // console identity keys
	OnePerson   bool              `cbor:"9,keyasint"`
	Notes       map[string]string `cbor:"10,keyasint,omitempty"`
}

// Approval allows one version of a script.
type Approval struct {
	Script     string   `cbor:"1,keyasint"`
	Version    int      `cbor:"2,keyasint"`
	Hash       []byte   `cbor:"3,keyasint"`
	Platforms  []string `cbor:"4,keyasint"`
	Risk       string   `cbor:"5,keyasint"`
	RunAs      string   `cbor:"6,keyasint"`
	Values     []byte   `cbor:"7,keyasint,omitempty"` // digest of open values, where they are fixed
	Groups     []string `cbor:"8,keyasint,omitempty"` // empty: everywhere
	Author     string   `cbor:"9,keyasint"`
	Supersedes int      `cbor:"10,keyasint,omitempty"`
}

// Withdrawal ends approvals from number on.
type Withdrawal struct {
	Number    uint64      `cbor:"1,keyasint"`
	Approvals []uuid.UUID `cbor:"2,keyasint"`
}

// Order has one script run on up to ten machines.
type Order struct {
	Script   string      `cbor:"1,keyasint"`
	Hash     []byte      `cbor:"2,keyasint"`
	Values   []byte      `cbor:"3,keyasint"` // SHA-256 of the parameters
	Machines []uuid.UUID `cbor:"4,keyasint"`
	Ticket   string      `cbor:"5,keyasint,omitempty"`
	DryRun   bool        `cbor:"6,keyasint,omitempty"`
}

// Plan has one script run on many machines, which it names by the root of a
// Merkle tree over their ids.
type Plan struct {
	Script   string `cbor:"1,keyasint"`
	Hash     []byte `cbor:"2,keyasint"`
	Values   []byte `cbor:"3,keyasint"`
	Root     []byte `cbor:"4,keyasint"`
	Machines int    `cbor:"5,keyasint"`
	Waves    []int  `cbor:"6,keyasint"`
	Pause    int64  `cbor:"7,keyasint"` // microseconds between waves
	Start    int64  `cbor:"8,keyasint"`
}

// Grant opens one door.
type Grant struct {
	Challenge []byte    `cbor:"1,keyasint"` // SHA-256 of the machine's signed challenge
	Machine   uuid.UUID `cbor:"2,keyasint"`
	Door      string    `cbor:"3,keyasint"`
	Account   string    `cbor:"4,keyasint"`
	Minutes   int       `cbor:"5,keyasint"`
	Ticket    string    `cbor:"6,keyasint,omitempty"`
	Session   []byte    `cbor:"7,keyasint"` // the browser's session key
}

// Release is a version of the agent.
type Release struct {
	Version string            `cbor:"1,keyasint"`
	Files   map[string][]byte `cbor:"2,keyasint"` // platform -> SHA-256
}

func (Trust) kind() Kind      { return KindTrust }
func (Approval) kind() Kind   { return KindApproval }
func (Withdrawal) kind() Kind { return KindWithdrawal }
func (Order) kind() Kind      { return KindOrder }
func (Plan) kind() Kind       { return KindPlan }
func (Grant) kind() Kind      { return KindGrant }
func (Release) kind() Kind    { return KindRelease }
