package app_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	agent "github.com/deskside/deskside/agent/app"
	"github.com/deskside/deskside/agent/gate"
	"github.com/deskside/deskside/agent/link"
	"github.com/deskside/deskside/agent/state"
	"github.com/deskside/deskside/protocol"
	"github.com/deskside/deskside/protocol/trust"
)

// signer is the root of an organisation, on a computer of its own.
type signer struct {
	t            *testing.T
	key          ed25519.PrivateKey
	organisation uuid.UUID
	last         *trust.Statement
	version      uint64
}

func (n *node) signer() *signer {
	n.w.t.Helper()
	e := must(trust.ParseErrand(text(n.get("/trust")["errand"])))
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		n.w.t.Fatal(err)
	}
	return &signer{t: n.w.t, key: key, organisation: e.Organisation}
}

// file signs the next trust file.
func (s *signer) file(consoles ...string) []byte {
	s.t.Helper()
	s.version++
	f := &trust.File{Version: s.version, Name: "Zakład", OnePerson: true, Needs: trust.Needs{Root: 1, Safe: 1, Disruptive: 1, Destructive: 1, Release: 1},
		People: []trust.Person{{ID: uuid.New(), Name: "Ruth", Roles: []trust.Role{trust.Root, trust.Approver, trust.Technician}, Keys: []trust.Key{trust.KeyOf("daily key", s.key)}}}}
	if s.last != nil {
		digest := s.last.Digest()
		f.Before = digest[:]
	}
	for _, c := range consoles {
		f.Consoles = append(f.Consoles, must(hex.DecodeString(c)))
	}
	s.last = s.sign(f, s.version, 365*24*time.Hour)
	return must(s.last.Encode())
}

func (s *signer) sign(body trust.Body, version uint64, life time.Duration) *trust.Statement {
	s.t.Helper()
	from := time.Now().Add(-5 * time.Minute)
	x := must(trust.New(trust.Head{Organisation: s.organisation, ID: uuid.New(), NotBefore: from, Expires: from.Add(life), Trust: version}, body))
	if err := x.Sign(s.key); err != nil {
		s.t.Fatal(err)
	}
	return x
}

func (n *node) bring(statement []byte, want int) string {
	n.w.t.Helper()
	return n.do("POST", "/trust", map[string]any{"statement": base64.RawURLEncoding.EncodeToString(statement)}, nil, want)
}

// trusts is the newest trust file of a machine, as the console was told.
func (n *node) trusts() (counts map[string]any) { return n.get("/trust")["machines"].(map[string]any) }

// versionIn is the newest trust file in the memory of a machine that does not run.
func versionIn(t *testing.T, dir string) (version uint64) {
	t.Helper()
	s := must(state.Open(dir))
	defer s.Close()
	err := s.View(func(tx *state.Tx) error {
		for _, raw := range tx.TrustFiles() {
			version = must(trust.Open(raw)).Body.(*trust.File).Version
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return version
}

// TestTrust: what an organisation has signed reaches its machines: those that enrol with
// the root, at once; those that are connected, as it comes; those that come back, before
// anything else. A console that the root names takes machines over that never heard of it,
// and one that it names no longer is left.
func TestTrust(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		n := w.start("")
		before := n.machine() // enrolled while there was no root
		ours := text(n.get("/trust")["console"])
		s := n.signer()
		stranger := &signer{t: t, key: s.key, organisation: uuid.New()}
		if said := n.bring(stranger.file(ours), 422); !strings.Contains(said, "another organisation") {
			t.Errorf("a first file of another organisation: %s", said)
		}
		first := s.file(ours)
		var would map[string]any
		n.do("POST", "/trust", map[string]any{"statement": base64.RawURLEncoding.EncodeToString(first), "look": true}, &would, 200)
		if digest := s.last.Digest(); text(would["root"]) != trust.Words(digest) || text(would["version"]) != "1" || text(n.get("/trust")["version"]) != "0" {
			t.Errorf("a look: %v, and then %v", would, n.get("/trust"))
		}
		n.bring(first, 200)
		for what, body := range map[string][]byte{
			"nonsense":             []byte("this is no statement"),
			"the first file again": must(s.last.Encode()),
			"a file of another console only": func() []byte {
				last, version := s.last, s.version
				defer func() { s.last, s.version = last, version }()
				return s.file(strings.Repeat("ab", 32))
			}(),
			"of another organisation": func() []byte {
				other := &signer{t: t, key: s.key, organisation: uuid.New()}
				return other.file(ours)
			}(),
			"an order": must(s.sign(&trust.Order{Script: trust.Script{ID: "x", Version: 1, Hash: make([]byte, 32)}, Machines: []uuid.UUID{uuid.New()}}, 1, time.Hour).Encode()),
		} {
			if said := n.bring(body, 422); !strings.Contains(said, "statement") {
				t.Errorf("%s: %s", what, said)
			}
		}
		if now := n.get("/trust"); text(now["version"]) != "1" || len(strings.Fields(text(now["root"]))) != 7 || text(now["errand"]) != "" {
			t.Errorf("%v", now)
		}

		m := n.machine()
		n.eventually(10*time.Second, "the new machine follows the root, the old one none", func() bool {
			c := n.trusts()
			return text(c["rooted"]) == "1" && text(c["current"]) == "1" && text(c["rootless"]) == "1"
		})
		n.bring(s.file(ours), 200)
		n.eventually(10*time.Second, "it is told of the next file", func() bool { return text(n.trusts()["current"]) == "1" })
		m.stop()
		if got := versionIn(t, m.dir); got != 2 {
			t.Fatalf("trust file %d at the machine", got)
		}
		before.stop()
		if got := versionIn(t, before.dir); got != 0 {
			t.Errorf("trust file %d at a machine without a root", got)
		}

		// While it is away the console gets another identity, which the root has named.
		old := must(os.ReadFile(filepath.Join(w.keys, "identity.key")))
		address := strings.TrimPrefix(n.ready.URL, "https://")
		next := w.identity()
		n.bring(s.file(ours, next.fingerprint), 200)
		n.stop()
		next.take()
		n = w.start(address)
		m.n = n
		m.run()
		n.eventually(20*time.Second, "the machine knows the new console", func() bool {
			return text(n.trusts()["current"]) == "1" && n.get("/machines/" + m.id)["presence"] == "online"
		})
		// The old one is named no more: whoever has its key is a stranger from here on.
		n.bring(s.file(next.fingerprint), 200)
		n.eventually(10*time.Second, "it is told", func() bool { return text(n.trusts()["current"]) == "1" })
		m.stop()
		if got := versionIn(t, m.dir); got != 4 {
			t.Fatalf("trust file %d at the machine", got)
		}
		n.bring(s.file(next.fingerprint), 200) // which the thief may show to a machine that is behind
		n.stop()
		if err := os.WriteFile(filepath.Join(w.keys, "identity.key"), old, 0o600); err != nil {
			t.Fatal(err)
		}
		thief := w.start(address)
		memory := must(state.Open(m.dir))
		defer memory.Close()
		var id state.Identity
		if err := memory.View(func(tx *state.Tx) (err error) { id, err = tx.Identity(); return err }); err != nil {
			t.Fatal(err)
		}
		g := must(gate.Open(memory, filepath.Join(m.dir, "no-policy.yaml"), gate.Eyes{Family: "linux"}))
		me := link.Me{Organisation: id.Organisation, Machine: id.Machine, Key: id.Private(), Trust: g}
		if _, err := link.DialSession(t.Context(), thief.ready.URL, me, uuid.New(), nil); !errors.Is(err, link.ErrOtherConsole) {
			t.Errorf("a console that the root names no more is told %v", err)
		}
		// Trust files name people: strangers are not shown them.
		for what, tc := range map[string]struct {
			change func(*protocol.Hello)
			files  int
		}{
			"the machine":                     {func(*protocol.Hello) {}, 1},
			"the machine, who has it all":     {func(h *protocol.Hello) { h.Trust = 5 }, 0},
			"a machine without a root":        {func(h *protocol.Hello) { h.Trust = 0 }, 0},
			"who knows the machine's id only": {func(h *protocol.Hello) { h.Key = make([]byte, 32) }, 0},
			"a machine that is not there":     {func(h *protocol.Hello) { h.Machine = uuid.New() }, 0},
			"of another organisation":         {func(h *protocol.Hello) { h.Organisation = uuid.New() }, 0},
		} {
			h := helloAs(id)
			h.Trust = 4
			tc.change(&h)
			if w := thief.dial(t).greet(h); len(w.identify.Trust) != tc.files {
				t.Errorf("%s is shown %d trust files, not %d", what, len(w.identify.Trust), tc.files)
			}
		}
		if got := g.Trusted().Version; got != 5 {
			t.Errorf("trust file %d, by whoever brings it", got)
		}
	})
}

// identity is a key that a console may have next.
type identity struct {
	w           *world
	raw         []byte
	fingerprint string
}

// identity makes a key as a console makes its own.
func (w *world) identity() identity {
	w.t.Helper()
	other := &world{t: w.t, database: w.database, keys: w.t.TempDir()}
	other.database.Data, other.database.Database = w.t.TempDir(), ""
	n := other.start("")
	defer n.stop()
	return identity{w: w, raw: must(os.ReadFile(filepath.Join(other.keys, "identity.key"))), fingerprint: text(n.get("/trust")["console"])}
}

// take puts it in the place of the console's key, which must not run.
func (i identity) take() {
	i.w.t.Helper()
	if err := os.WriteFile(filepath.Join(i.w.keys, "identity.key"), i.raw, 0o600); err != nil {
		i.w.t.Fatal(err)
	}
}

// TestRootByAnotherWay: a machine that was told its root by another way than the token
// enrols with no other.
func TestRootByAnotherWay(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		n := w.start("")
		s := n.signer()
		bare := n.enrolment(10) // from before there was a root
		first := s.file(text(n.get("/trust")["console"]))
		n.bring(first, 200)
		root := text(n.get("/trust")["root"])
		dir := t.TempDir()
		file := filepath.Join(dir, "root.cbor")
		other := filepath.Join(dir, "other.cbor")
		evil := &signer{t: t, key: s.key, organisation: s.organisation}
		for path, raw := range map[string][]byte{file: first, other: evil.file()} {
			if err := os.WriteFile(path, raw, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		wrong := trust.Words(must(trust.Open(must(os.ReadFile(other)))).Digest())
		for what, tc := range map[string]struct {
			token, root, policy, want string
		}{
			"token and its words":       {n.enrolment(1), root, "", ""},
			"token and its file":        {n.enrolment(1), file, "", ""},
			"no root in it, the words":  {bare, root, "", ""},
			"no root in it, the file":   {bare, file, "", ""},
			"a file beside the policy":  {bare, "", filepath.Join(dir, "policy.yaml"), ""},
			"other words":               {n.enrolment(1), wrong, "", "other words"},
			"another file":              {n.enrolment(1), other, "", "not your organisation's"},
			"no root in it, others":     {bare, wrong, "", "other words"},
			"no root in it, wrong file": {bare, other, "", "not the root"},
			"six words":                 {n.enrolment(1), "one two three four five six", "", "6 words"},
		} {
			memory := t.TempDir()
			id, err := agent.Enroll(t.Context(), agent.Enrolment{Console: n.ready.URL, Token: must(protocol.ParseToken(tc.token)), State: memory, Profile: "trial", Root: tc.root, Policy: tc.policy})
			switch {
			case tc.want == "" && (err != nil || trust.Words([32]byte(id.Root)) != root || versionIn(t, memory) != 1):
				t.Errorf("%s: %v, root %x", what, err, id.Root)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
				t.Errorf("%s: %v, want %q", what, err, tc.want)
			case tc.want != "" && versionIn(t, memory) != 0:
				t.Errorf("%s: refused, and yet kept", what)
			}
		}
	})
}
