package protocol

import (
	"crypto/ed25519"
	"testing"
	"time"

	"github.com/google/uuid"
)

// TestChallenge: a challenge is the machine's own word for one door, for a minute.
func TestChallenge(t *testing.T) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	other, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	good := Challenge{Machine: uuid.New(), Session: uuid.New(), Name: "LAP-1", Kind: "terminal", People: []string{"anna"},
		Nonce: Nonce(), Expires: now.Add(ChallengeLife).UnixMicro()}
	if err := good.Sign(private); err != nil {
		t.Fatal(err)
	}
	if err := good.Verify(public, now); err != nil {
		t.Errorf("as it was made: %v", err)
	}
	if good.Verify(other, now) == nil || good.Verify(nil, now) == nil {
		t.Error("another machine's key, or none, will do")
	}
	if good.Verify(public, now.Add(ChallengeLife)) == nil || good.Verify(public, now.Add(-time.Hour)) == nil {
		t.Error("it can be answered at any time")
	}
	for name, change := range map[string]func(*Challenge){
		"machine": func(c *Challenge) { c.Machine = uuid.New() },
		"session": func(c *Challenge) { c.Session = uuid.New() },
		"name":    func(c *Challenge) { c.Name = "LAP-2" },
		"kind":    func(c *Challenge) { c.Kind = "files" },
		"people":  func(c *Challenge) { c.People = nil },
		"nonce":   func(c *Challenge) { c.Nonce = Nonce() },
		"expires": func(c *Challenge) { c.Expires++ },
	} {
		c := good
		change(&c)
		if c.Verify(public, now) == nil {
			t.Errorf("%s was changed and it still holds", name)
		}
	}
	short := good
	short.Nonce = nil
	if err := short.Sign(private); err != nil {
		t.Fatal(err)
	}
	if short.Verify(public, now) == nil {
		t.Error("a challenge without a nonce holds")
	}
}
