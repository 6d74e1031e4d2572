package gate

import (
	"crypto/ed25519"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/agent/state"
	"github.com/deskside/deskside/protocol"
	"github.com/deskside/deskside/protocol/catalogue"
	"github.com/deskside/deskside/scripts"
)

// bench is a gate over a real state, with the console's key at hand.
type bench struct {
	*testing.T
	*Gate
	key    ed25519.PrivateKey
	id     state.Identity
	firing map[string]bool // check and instance
}

func seeded(n byte) ed25519.PrivateKey {
	seed := make([]byte, ed25519.SeedSize)
	seed[0] = n
	return ed25519.NewKeyFromSeed(seed)
}

// open opens the gate of a machine whose memory is in dir; policy is the text of
// its policy file, or nothing.
func open(t *testing.T, dir, profile, policy string) *bench {
	t.Helper()
	s, err := state.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	b := &bench{T: t, key: seeded(1), firing: map[string]bool{}}
	err = s.Update(func(tx *state.Tx) error {
		if b.id, err = tx.Identity(); err == nil {
			return nil
		}
		b.id = state.Identity{Machine: uuid.New(), Organisation: uuid.New(), Name: "LAP-1", Key: seeded(2), Profile: profile}
		return tx.SetIdentity(b.id)
	})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "policy.yaml")
	if policy != "" {
		if err := os.WriteFile(path, []byte(policy), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b.Gate, err = Open(s, path, Eyes{
		Firing: func(check, instance string) bool { return b.firing[check+" "+instance] },
		Listed: func(what string) []string {
			return map[string][]string{"filesystems": {"/", "/home"}, "services": {"cups", "sshd", "backup", "printd"}}[what]
		},
		Family: "linux",
	})
	if err != nil {
		t.Fatal(err)
	}
	b.line(time.Now())
	return b
}

func (b *bench) line(clock time.Time) {
	b.Line(protocol.StampKey{Key: b.key.Public().(ed25519.PublicKey), Expires: clock.Add(time.Hour).UnixMicro()}, clock)
}

// order is a good order for this machine, issued by a console whose clock says at.
func (b *bench) order(kind protocol.Kind, at time.Time, body any) protocol.Order {
	b.Helper()
	raw, err := protocol.Marshal(body)
	if err != nil {
		b.Fatal(err)
	}
	return protocol.Order{ID: uuid.New(), Organisation: b.id.Organisation, Machine: b.id.Machine,
		Issued: at.UnixMicro(), Expires: at.Add(5 * time.Minute).UnixMicro(), Kind: kind, Body: raw}
}

func (b *bench) tick() {
	b.Helper()
	if err := b.Tick(); err != nil {
		b.Fatal(err)
	}
}

func (b *bench) floor() (at time.Time) {
	b.Helper()
	err := b.state.View(func(tx *state.Tx) error {
		at = tx.Floor()
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return at
}

func (b *bench) admit(o protocol.Order) (Admitted, string) {
	b.Helper()
	s, err := protocol.Stamp(b.key, o)
	if err != nil {
		b.Fatal(err)
	}
	a, err := b.Admit(s)
	var r *Refusal
	if errors.As(err, &r) {
		if r.Text == "" || r.Code != protocol.CodeStamp && (r.ID != o.ID || r.Kind != o.Kind) {
			b.Errorf("the refusal %+v does not say what it refuses", r)
		}
		return a, r.Code
	}
	if err != nil {
		b.Fatal(err)
	}
	return a, ""
}

// want admits and expects the code of a refusal, or none.
func (b *bench) want(name, code string, o protocol.Order) Admitted {
	b.Helper()
	a, got := b.admit(o)
	if got != code {
		b.Errorf("%s: %q, want %q", name, got, code)
	}
	if got != "" && (a.Kind() != 0 || a.Body() != nil) {
		b.Errorf("%s: refused, and yet %+v", name, a)
	}
	return a
}

func (b *bench) work(script string, values map[string]string) *protocol.Work {
	b.Helper()
	s, ok := scripts.Lookup(script)
	if !ok {
		b.Fatalf("no script %s", script)
	}
	return &protocol.Work{Script: script, Version: s.Version, Hash: s.Hash(), Parameters: values, Timeout: 60}
}

func (b *bench) free() *protocol.Work {
	return b.work("free-disk-space", map[string]string{"MOUNT": "/home"})
}

func (b *bench) restart() *protocol.Work {
	return b.work("restart-service", map[string]string{"SERVICE": "cups"})
}

func terminal() *protocol.OpenSession {
	return &protocol.OpenSession{Kind: "terminal", Columns: 80, Rows: 24}
}

func (b *bench) journal() (lines []protocol.JournalEntry) {
	b.Helper()
	err := b.state.View(func(tx *state.Tx) error {
		return tx.Entries(func(e protocol.JournalEntry) error {
			lines = append(lines, e)
			return nil
		})
	})
	if err != nil {
		b.Fatal(err)
	}
	return lines
}

// bodies is a good body for every kind that acts.
func (b *bench) bodies() map[protocol.Kind]any {
	set, err := catalogue.Resolve(catalogue.Builtin())
	if err != nil {
		b.Fatal(err)
	}
	return map[protocol.Kind]any{
		protocol.KindWork: b.free(), protocol.KindCancel: &protocol.Cancel{Run: uuid.New()},
		protocol.KindAsk: &protocol.Ask{Expression: "cpu.used"}, protocol.KindWatch: &protocol.Watch{Until: time.Now().Add(15 * time.Second).UnixMicro()},
		protocol.KindChecks: &protocol.Checks{Set: set.Encode()}, protocol.KindOpenSession: terminal(),
		protocol.KindEndSession: &protocol.EndSession{Session: uuid.New()}, protocol.KindCheckNow: &protocol.CheckNow{},
		protocol.KindSettings: &protocol.Settings{Beat: 30e6, UploadEvery: 900e6},
	}
}
