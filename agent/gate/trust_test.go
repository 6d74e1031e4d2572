package gate

import (
	"crypto/ed25519"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/agent/state"
	"github.com/deskside/deskside/protocol"
	"github.com/deskside/deskside/protocol/trust"
	"github.com/deskside/deskside/scripts"
)

// people sign for the organisation of a bench: Ruth is its root and approves, Anton
// approves, Tess is a technician, Eve is nobody.
type people struct {
	*bench
	files [][]byte
	first [32]byte // digest of the first file
	last  [32]byte
}

func keyOf(name string) ed25519.PrivateKey { return seeded(name[0]) }

func (p *people) sign(body trust.Body, from time.Time, life time.Duration, by ...string) *trust.Statement {
	p.Helper()
	version := uint64(max(1, len(p.files)))
	if f, ok := body.(*trust.File); ok {
		version = f.Version
	}
	s, err := trust.New(trust.Head{Organisation: p.id.Organisation, ID: uuid.New(), NotBefore: from, Expires: from.Add(life), Trust: version}, body)
	if err != nil {
		p.Fatal(err)
	}
	for _, name := range by {
		if err := s.Sign(keyOf(name)); err != nil {
			p.Fatal(err)
		}
	}
	return s
}

func (p *people) encode(s *trust.Statement) []byte {
	p.Helper()
	raw, err := s.Encode()
	if err != nil {
		p.Fatal(err)
	}
	return raw
}

// file is the next trust file, after a change.
func (p *people) file(change func(*trust.File)) []byte {
	p.Helper()
	f := &trust.File{Version: uint64(len(p.files)) + 1, Name: "Zakład", OnePerson: true, Needs: trust.Needs{Root: 1, Safe: 1, Disruptive: 1, Destructive: 1, Release: 1}}
	for name, roles := range map[string][]trust.Role{"Ruth": {trust.Root, trust.Approver}, "Anton": {trust.Approver}, "Tess": {trust.Technician}} {
		f.People = append(f.People, trust.Person{ID: uuid.NewSHA1(uuid.NameSpaceOID, []byte(name)), Name: name, Roles: roles,
			Keys: []trust.Key{trust.KeyOf("key of "+name, keyOf(name))}})
	}
	if len(p.files) > 0 {
		f.Before = p.last[:]
	}
	if change != nil {
		change(f)
	}
	s := p.sign(f, time.Now().Add(-time.Hour), 365*24*time.Hour, "Ruth")
	raw := p.encode(s)
	if p.last = s.Digest(); len(p.files) == 0 {
		p.first = p.last
	}
	p.files = append(p.files, raw)
	return raw
}

// rooted is a machine that knows its root, and has its first trust file.
func rooted(t *testing.T, policy string) *people {
	t.Helper()
	p := &people{bench: open(t, t.TempDir(), "attended", policy)}
	p.file(nil)
	err := p.state.Update(func(tx *state.Tx) error { return tx.SetRoot(p.first[:]) })
	if err != nil {
		t.Fatal(err)
	}
	p.again()
	if _, err := p.Take(protocol.Trust{Files: p.files}); err != nil {
		t.Fatal(err)
	}
	return p
}

// again opens the gate once more over the same memory.
func (p *people) again() {
	p.Helper()
	g, err := Open(p.state, p.path, p.eyes)
	if err != nil {
		p.Fatal(err)
	}
	p.Gate = g
	p.line(time.Now())
}

// takes brings something and wants it refused with a sentence that has words in it, or
// taken where there are none.
func (p *people) takes(what string, brought protocol.Trust, words string) {
	p.Helper()
	before := p.Trusted()
	told, err := p.Take(brought)
	switch {
	case words == "" && err != nil:
		p.Errorf("%s: %v", what, err)
	case words != "" && (err == nil || !strings.Contains(err.Error(), words) || told.Problem == ""):
		p.Errorf("%s: %v, told as %q; want %q", what, err, told.Problem, words)
	case words != "" && p.Trusted().Version != before.Version:
		p.Errorf("%s: refused, and yet trust file %d", what, p.Trusted().Version)
	}
}

// TestTake: a machine follows its own root, one file after the other, never back, and
// remembers them.
func TestTake(t *testing.T) {
	p := rooted(t, "")
	if told := p.Trusted(); told.Version != 1 || string(told.Digest) != string(p.first[:]) {
		t.Fatalf("%+v", told)
	}
	p.takes("the same again", protocol.Trust{Files: p.files}, "")
	second := p.file(nil)
	third := p.file(func(f *trust.File) { f.Consoles = [][]byte{make([]byte, 32)} })
	p.takes("one is missing between", protocol.Trust{Files: [][]byte{third}}, "missing")
	p.takes("in order", protocol.Trust{Files: [][]byte{second, third}}, "")
	if got := p.Trusted().Version; got != 3 {
		t.Errorf("trust file %d", got)
	}
	if c := p.Consoles(); len(c) != 1 || string(c[0]) != string(make([]byte, 32)) {
		t.Errorf("consoles %x", c)
	}
	p.again()
	if got := p.Trusted(); got.Version != 3 || got.Problem != "" {
		t.Errorf("after a start: %+v", got)
	}
	p.takes("an older one", protocol.Trust{Files: p.files[:2]}, "")
	p.files = p.files[:1]
	p.last = p.first
	other := p.file(func(f *trust.File) { f.Name = "Eve's" })
	p.takes("another second", protocol.Trust{Files: [][]byte{other}}, "another trust file 2")

	evil := &people{bench: p.bench}
	evil.file(nil)
	p.takes("another chain", protocol.Trust{Files: evil.files}, "another trust file 1")
	p.takes("nonsense", protocol.Trust{Files: [][]byte{{1, 2, 3}}}, "not a statement")
	p.takes("an order where a file was due", protocol.Trust{Files: [][]byte{p.encode(p.sign(p.orderOf(p.restart(), p.id.Machine), time.Now(), time.Hour, "Tess"))}}, "no trust file")
	p.again()
	if got := p.Trusted().Version; got != 3 {
		t.Errorf("in the end trust file %d", got)
	}
}

// TestNoRoot: without a root nobody's file is taken, whoever brings it, and nobody's
// signature counts.
func TestNoRoot(t *testing.T) {
	p := &people{bench: open(t, t.TempDir(), "attended", "")}
	p.file(nil)
	p.takes("a first file", protocol.Trust{Files: p.files}, "has no root")
	p.takes("a withdrawal", protocol.Trust{Withdrawal: p.encode(p.sign(&trust.Withdrawal{Number: 1, Statements: []uuid.UUID{uuid.New()}}, time.Now(), time.Hour, "Ruth"))}, "has no root")
	work := p.restart()
	p.wantWork("an order", protocol.CodeProofInvalid, work, p.sign(p.orderOf(work, p.id.Machine), time.Now(), time.Hour, "Tess"))
	p.wantWork("none", protocol.CodeNoCause, work)
	err := p.state.Update(func(tx *state.Tx) error { return tx.SetRoot(make([]byte, 32)) })
	if err != nil {
		t.Fatal(err)
	}
	p.again()
	p.takes("the first file of another root", protocol.Trust{Files: p.files}, "not the root")
	if err := p.state.Update(func(tx *state.Tx) error { return tx.SetRoot(p.first[:]) }); err == nil {
		t.Error("a root was set in the place of another")
	}
}

// TestRootElsewhere: the root of another organisation is no root of this machine, even where
// somebody set it as one.
func TestRootElsewhere(t *testing.T) {
	p := &people{bench: open(t, t.TempDir(), "attended", "")}
	ours := p.id.Organisation
	p.id.Organisation = uuid.New()
	p.file(nil)
	p.id.Organisation = ours
	if err := p.state.Update(func(tx *state.Tx) error { return tx.SetRoot(p.first[:]) }); err != nil {
		t.Fatal(err)
	}
	p.again()
	p.takes("its first file", protocol.Trust{Files: p.files}, "another organisation")
}

// TestBrokenChain: what does not hold in the machine's own memory counts for nothing.
func TestBrokenChain(t *testing.T) {
	p := rooted(t, "")
	evil := &people{bench: p.bench}
	evil.file(nil)
	second := evil.file(nil)
	if err := p.state.Update(func(tx *state.Tx) error { return tx.KeepTrustFile(2, second) }); err != nil {
		t.Fatal(err)
	}
	p.again()
	if told := p.Trusted(); told.Version != 0 || told.Problem == "" {
		t.Errorf("%+v", told)
	}
	work := p.restart()
	p.wantWork("an order", protocol.CodeProofInvalid, work, p.sign(p.orderOf(work, p.id.Machine), time.Now(), time.Hour, "Tess"))
	p.takes("another file", protocol.Trust{Files: p.files}, "broken")
}

func (p *people) orderOf(w *protocol.Work, machines ...uuid.UUID) *trust.Order {
	return &trust.Order{Script: trust.Script{ID: w.Script, Version: w.Version, Hash: w.Hash}, Values: maps.Clone(w.Parameters),
		DryRun: w.DryRun, Machines: machines}
}

// wantWork sends a piece of work with statements and expects a code, or none.
func (p *people) wantWork(what, code string, w *protocol.Work, by ...*trust.Statement) protocol.Order {
	p.Helper()
	copied := *w
	copied.Parameters = maps.Clone(w.Parameters)
	o := p.order(protocol.KindWork, time.Now(), &copied)
	for _, s := range by {
		o.Statements = append(o.Statements, p.encode(s))
	}
	p.want(what, code, o)
	return o
}

// TestOrder: where the console's word is not enough a technician's order is, for this
// machine, this script and these values, once.
func TestOrder(t *testing.T) {
	p := rooted(t, "version: 1\nprofile: attended\nprotect: [backup]\n")
	w := p.restart()
	now := time.Now()
	good := func() *trust.Order { return p.orderOf(w, p.id.Machine) }
	p.wantWork("none", protocol.CodeNoCause, w)
	o := good()
	for name, tc := range map[string]struct {
		body   trust.Body
		from   time.Time
		signer []string
	}{
		"of an approver":        {o, now, []string{"Anton"}},
		"of nobody":             {o, now, []string{"Eve"}},
		"for another machine":   {p.orderOf(w, uuid.New()), now, []string{"Tess"}},
		"that has ended":        {o, now.Add(-2 * time.Hour), []string{"Tess"}},
		"that begins tomorrow":  {o, now.Add(20 * time.Hour), []string{"Tess"}},
		"for a dry run":         {&trust.Order{Script: o.Script, Values: o.Values, DryRun: true, Machines: o.Machines}, now, []string{"Tess"}},
		"over another service":  {&trust.Order{Script: o.Script, Values: map[string]string{"SERVICE": "sshd"}, Machines: o.Machines}, now, []string{"Tess"}},
		"over other bytes":      {&trust.Order{Script: trust.Script{ID: w.Script, Version: w.Version, Hash: make([]byte, 32)}, Values: o.Values, Machines: o.Machines}, now, []string{"Tess"}},
		"of another version":    {&trust.Order{Script: trust.Script{ID: w.Script, Version: w.Version + 1, Hash: w.Hash}, Values: o.Values, Machines: o.Machines}, now, []string{"Tess"}},
		"that is a withdrawal":  {&trust.Withdrawal{Number: 1, Statements: []uuid.UUID{uuid.New()}}, now, []string{"Ruth"}},
		"that is an order back": {&trust.Order{Script: o.Script, Values: o.Values, Machines: []uuid.UUID{p.id.Machine}}, now.Add(-25 * time.Hour), []string{"Tess"}},
	} {
		code := protocol.CodeProofInvalid
		if tc.body.Kind() == trust.KindWithdrawal {
			code = protocol.CodeNoCause // it says nothing about work
		}
		p.wantWork("an order "+name, code, w, p.sign(tc.body, tc.from, time.Hour, tc.signer...))
	}
	s := p.sign(good(), now, time.Hour, "Tess")
	p.wantWork("an order", "", w, s)
	p.wantWork("the same order again", protocol.CodeProofInvalid, w, s)
	p.wantWork("beside one that does not hold", "", w, p.sign(good(), now, time.Hour, "Eve"), p.sign(good(), now, time.Hour, "Tess"))
	many := make([]*trust.Statement, protocol.MaxStatements+1)
	for i := range many {
		many[i] = p.sign(good(), now, time.Hour, "Tess")
	}
	p.wantWork("too many", protocol.CodeProofInvalid, w, many...)
	backup := p.work("restart-service", map[string]string{"SERVICE": "backup"})
	p.wantWork("what is protected", protocol.CodeProtected, backup, p.sign(p.orderOf(backup, p.id.Machine), now, time.Hour, "Tess"))

	// A person's own word is not counted against the console's.
	for range 20 {
		free := p.free()
		p.wantWork("safe, ordered", "", free, p.sign(p.orderOf(free, p.id.Machine), now, time.Hour, "Tess"))
	}
	p.wantWork("safe, on the console's word", "", p.free())

	// No order is enough for what is destructive; no script of the catalogue is.
	ordered := p.order(protocol.KindWork, now, w)
	ordered.Statements = [][]byte{p.encode(p.sign(good(), now, time.Hour, "Tess"))}
	err := p.state.View(func(tx *state.Tx) error {
		for risk, held := range map[scripts.Risk]bool{scripts.Disruptive: true, scripts.Destructive: false, "": false} {
			said, refusal := p.ordered(tx, &judgement{order: ordered, now: now, at: now}, w, risk)
			if (said != nil) != held || (refusal == nil) != held {
				t.Errorf("a %q script by an order: %+v, %v", risk, said, refusal)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}

	p.file(func(f *trust.File) { f.People = f.People[:0]; f.People = append(f.People, ruth()) })
	p.takes("a file without the technician", protocol.Trust{Files: p.files}, "")
	p.wantWork("an order of who has left", protocol.CodeProofInvalid, w, p.sign(good(), now, time.Hour, "Tess"))
}

func ruth() trust.Person {
	return trust.Person{ID: uuid.NewSHA1(uuid.NameSpaceOID, []byte("Ruth")), Name: "Ruth", Roles: []trust.Role{trust.Root, trust.Approver},
		Keys: []trust.Key{trust.KeyOf("key of Ruth", keyOf("Ruth"))}}
}

// TestPlan: an approver's plan reaches the machines that are in it, each once and not
// before its wave, and ends when it is taken back.
func TestPlan(t *testing.T) {
	p := rooted(t, "")
	w := p.restart()
	machines := []uuid.UUID{uuid.New(), p.id.Machine, uuid.New()}
	tree, err := trust.TreeOf(machines)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	plan := func(second time.Duration) *trust.Plan {
		return &trust.Plan{Script: trust.Script{ID: w.Script, Version: w.Version, Hash: w.Hash}, Risk: trust.Disruptive, Values: w.Parameters,
			Root: tree.Root(), Waves: []trust.Wave{{Machines: 1}, {Machines: 2, After: int64(second / time.Second)}}}
	}
	placed := func(n int) *protocol.Work {
		at := tree.Place(n)
		c := *w
		c.Place = &protocol.Place{Number: at.Number, Path: at.Path}
		return &c
	}
	s := p.sign(plan(0), now, time.Hour, "Anton")
	p.wantWork("without its place", protocol.CodeProofInvalid, w, s)
	p.wantWork("at the place of another", protocol.CodeProofInvalid, placed(0), s)
	p.wantWork("signed by a technician", protocol.CodeProofInvalid, placed(1), p.sign(plan(0), now, time.Hour, "Tess"))
	p.wantWork("a wave to come", protocol.CodeProofInvalid, placed(1), p.sign(plan(30*time.Minute), now, time.Hour, "Anton"))
	mild := plan(0)
	mild.Risk = trust.Safe // for which fewer might have to sign
	p.wantWork("called safe", protocol.CodeProofInvalid, placed(1), p.sign(mild, now, time.Hour, "Anton"))
	other := p.work("restart-service", map[string]string{"SERVICE": "printd"})
	other.Place = placed(1).Place
	p.wantWork("another value", protocol.CodeProofInvalid, other, s)
	p.wantWork("at its place", "", placed(1), s)
	p.wantWork("again", protocol.CodeProofInvalid, placed(1), s)

	s = p.sign(plan(0), now, time.Hour, "Anton")
	p.takes("a withdrawal of a technician", protocol.Trust{Withdrawal: p.encode(p.sign(&trust.Withdrawal{Number: 1, Statements: []uuid.UUID{s.ID}}, now, time.Hour, "Tess"))}, "0 of 1")
	taken := p.encode(p.sign(&trust.Withdrawal{Number: 1, Statements: []uuid.UUID{s.ID}}, now, time.Hour, "Anton"))
	p.takes("a withdrawal", protocol.Trust{Withdrawal: taken}, "")
	p.takes("the same again", protocol.Trust{Withdrawal: taken}, "")
	p.wantWork("what was taken back", protocol.CodeProofInvalid, placed(1), s)
	p.takes("one that takes less back", protocol.Trust{Withdrawal: p.encode(p.sign(&trust.Withdrawal{Number: 2, Statements: []uuid.UUID{uuid.New()}}, now, time.Hour, "Anton"))}, "does not take back all")
	p.again()
	p.wantWork("after a start", protocol.CodeProofInvalid, placed(1), s)
	if len(p.Trusted().Withdrawn) != 32 {
		t.Error("the withdrawal is not told")
	}
}
