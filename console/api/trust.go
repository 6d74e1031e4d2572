package api

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/console/account"
	"github.com/deskside/deskside/console/fleet"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/protocol/trust"
)

// Trust is what an organisation has signed, as its console carries it: machines look for
// themselves whether it holds.
type Trust struct {
	Root       string          `json:"root" doc:"seven words, to be compared with those of the signing desk; empty: nothing was signed yet"`
	First      string          `json:"first" doc:"the first trust file, base64url: what packages put down beside the policy as root.cbor"`
	Version    uint64          `json:"version" doc:"of the newest trust file"`
	Name       string          `json:"name"`
	OnePerson  bool            `json:"one_person" doc:"one person may do what otherwise takes two"`
	Epoch      uint64          `json:"epoch" doc:"approvals of other epochs have ended"`
	SignedAt   *time.Time      `json:"signed_at"`
	ExpiresAt  *time.Time      `json:"expires_at" doc:"from then on approvals and plans count no more"`
	People     []TrustedPerson `json:"people" nullable:"false"`
	Needs      TrustNeeds      `json:"needs"`
	Consoles   []string        `json:"consoles" nullable:"false" doc:"fingerprints of the identities of its consoles; none: those that each machine was enrolled with"`
	Console    string          `json:"console" doc:"the fingerprint of this console's identity"`
	Withdrawal *Withdrawal     `json:"withdrawal"`
	Machines   TrustMachines   `json:"machines"`
	Errand     string          `json:"errand" doc:"for who manages people while nothing was signed: what the signing desk is given to found the organisation's trust"`
}

// TrustedPerson is somebody whose signature counts.
type TrustedPerson struct {
	ID    uuid.UUID    `json:"id"`
	Name  string       `json:"name"`
	Roles []string     `json:"roles" enum:"root,approver,technician" nullable:"false"`
	Keys  []TrustedKey `json:"keys" nullable:"false"`
}

// TrustedKey is what somebody signs with.
type TrustedKey struct {
	ID       string `json:"id" doc:"SHA-256, hexadecimal"`
	Name     string `json:"name"`
	Scheme   string `json:"scheme" enum:"ed25519,ssh,passkey"`
	Hardware bool   `json:"hardware" doc:"it cannot be copied off what it was made on"`
	Reads    bool   `json:"reads" doc:"who signs with it has seen what is signed, on their own computer"`
}

// TrustNeeds is how many people must say the same.
type TrustNeeds struct {
	Root        int `json:"root"`
	Safe        int `json:"safe"`
	Disruptive  int `json:"disruptive"`
	Destructive int `json:"destructive"`
	Release     int `json:"release"`
}

// Withdrawal is what was taken back.
type Withdrawal struct {
	Number     uint64 `json:"number"`
	Statements int    `json:"statements"`
	Scripts    int    `json:"scripts"`
}

// TrustMachines is how far it has come.
type TrustMachines struct {
	Rooted   int `json:"rooted" doc:"follow a root"`
	Current  int `json:"current" doc:"of these have all that was signed"`
	Rootless int `json:"rootless" doc:"follow none: nobody's signature counts there"`
}

func (a *API) trustRoutes() {
	operation(a, http.MethodGet, "/trust", "ticket.read", "What the organisation has signed: who may say what, to all its machines", func(ctx context.Context, _ *struct{}) (*Answer[Trust], error) {
		return a.trustNow(ctx, nil)
	})
	type bring struct {
		Body struct {
			Statement string `json:"statement" minLength:"4" maxLength:"100000" doc:"a signed statement, base64url"`
			Look      bool   `json:"look,omitempty" doc:"only tell what would be then"`
		}
	}
	operation(a, http.MethodPost, "/trust", "people.write", "Bring a trust file or a withdrawal that was signed elsewhere", func(ctx context.Context, in *bring) (*Answer[Trust], error) {
		raw, err := base64.RawURLEncoding.DecodeString(in.Body.Statement)
		if err != nil {
			return nil, model.Problemf(model.CodeInvalid, "statement", "This is not base64url.")
		}
		c := callerOf(ctx)
		t, err := a.rooms.Account.Bring(ctx, c.scope, c.organisation, account.Brought{Statement: raw, Console: a.rooms.Identity, Look: in.Body.Look})
		if err != nil {
			return nil, err
		}
		return a.trustNow(ctx, &t)
	})
}

// trustNow is what was signed, or what would be.
func (a *API) trustNow(ctx context.Context, would *account.Trust) (*Answer[Trust], error) {
	var out Trust
	err := a.view(ctx, func(tx *store.Tx) error {
		c := callerOf(ctx)
		hash, err := account.TrustHash(tx, c.organisation)
		if err != nil {
			return err
		}
		counts, err := fleet.CountTrust(tx, c.organisation, hash)
		if err != nil {
			return err
		}
		var t account.Trust
		if would != nil {
			t = *would
		} else if t, err = account.TrustOf(tx, c.organisation); err != nil {
			return err
		}
		out = trustOf(t)
		out.Console, out.Machines = hex.EncodeToString(a.rooms.Identity), TrustMachines(counts)
		if t.Trust != nil {
			return nil
		}
		if out.Name, err = account.OrganisationName(tx, c.organisation); err != nil || !c.may(string(model.PeopleWrite)) {
			return err
		}
		out.Errand = trust.Errand{Organisation: uuid.UUID(c.organisation), Name: out.Name, Back: a.rooms.Origin(wireOf(ctx).r) + "/settings/trust",
			Person: uuid.UUID(c.person), PersonName: c.name, Consoles: [][]byte{a.rooms.Identity}}.String()
		return nil
	})
	return answer(out, err)
}

func trustOf(t account.Trust) Trust {
	out := Trust{People: []TrustedPerson{}, Consoles: []string{}}
	if w := t.Withdrawn; w != nil {
		out.Withdrawal = &Withdrawal{Number: w.Number, Statements: len(w.Statements), Scripts: len(w.Scripts)}
	}
	if t.Trust == nil {
		return out
	}
	out.Root, out.Version, out.Name = trust.Words(t.Root), t.File.Version, t.File.Name
	out.OnePerson, out.Epoch, out.Needs = t.File.OnePerson, t.File.Epoch, TrustNeeds(t.File.Needs)
	out.SignedAt, out.ExpiresAt = &t.Signed, &t.Expires
	out.First = base64.RawURLEncoding.EncodeToString(t.First)
	for _, c := range t.File.Consoles {
		out.Consoles = append(out.Consoles, hex.EncodeToString(c))
	}
	for _, p := range t.File.People {
		out.People = append(out.People, trustedPersonOf(p))
	}
	return out
}

func trustedPersonOf(p trust.Person) TrustedPerson {
	out := TrustedPerson{ID: p.ID, Name: p.Name, Roles: []string{}, Keys: []TrustedKey{}}
	for _, r := range p.Roles {
		out.Roles = append(out.Roles, string(r))
	}
	for _, k := range p.Keys {
		id := k.ID()
		out.Keys = append(out.Keys, TrustedKey{ID: hex.EncodeToString(id[:]), Name: k.Name, Scheme: string(k.Scheme), Hardware: k.HardwareBound(), Reads: k.Reads()})
	}
	return out
}
