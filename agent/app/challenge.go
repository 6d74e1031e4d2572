package app

import (
	"time"

	"github.com/deskside/deskside/agent/gate"
	"github.com/deskside/deskside/protocol"
)

// challenge is what a technician has to answer for a door that was refused for
// want of their proof; nil when it was refused for anything else.
func (a *Agent) challenge(x *gate.Refusal) *protocol.Challenge {
	if x.Code != protocol.CodeProof {
		return nil
	}
	name, _ := a.rounds.self()
	c := &protocol.Challenge{Machine: a.id.Machine, Session: x.ID, Name: name, Kind: "terminal",
		Nonce: protocol.Nonce(), Expires: time.Now().Add(protocol.ChallengeLife).UnixMicro()}
	if m := a.last.Load(); m != nil {
		for _, p := range m.People { // none where policy holds them back
			c.People = append(c.People, string(p.Name))
		}
	}
	if err := c.Sign(a.id.Private()); err != nil {
		a.options.Log.Error("cannot sign a challenge", "session", x.ID, "error", err)
		return nil
	}
	return c
}
