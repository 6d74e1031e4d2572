package app

import (
	"crypto/ed25519"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/agent/gate"
	"github.com/deskside/deskside/agent/state"
	"github.com/deskside/deskside/protocol"
	"github.com/deskside/deskside/protocol/expression"
)

// TestChallenge: a door that wants a technician's proof says what has to be
// answered, in the machine's own name; any other refusal does not.
func TestChallenge(t *testing.T) {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	a := &Agent{rounds: &rounds{name: "LAP-1"}, id: state.Identity{Machine: uuid.New(), Key: key}}
	a.last.Store(&expression.Machine{People: []expression.Person{{Name: "anna"}}})
	door := uuid.New()
	c := a.challenge(&gate.Refusal{Kind: protocol.KindOpenSession, Code: protocol.CodeProof, ID: door})
	if c == nil {
		t.Fatal("no challenge")
	}
	if err := c.Verify(a.id.Public(), time.Now()); err != nil {
		t.Error(err)
	}
	if c.Machine != a.id.Machine || c.Session != door || c.Name != "LAP-1" || c.Kind != "terminal" || !slices.Equal(c.People, []string{"anna"}) {
		t.Errorf("%+v", c)
	}
	if c := a.challenge(&gate.Refusal{Kind: protocol.KindOpenSession, Code: protocol.CodePolicy, ID: door}); c != nil {
		t.Error("a door that is closed to everybody asks for a proof")
	}
}
