package trust

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/veraison/go-cose"
	"golang.org/x/crypto/ssh"
)

// The people of the tests: each has an Ed25519 key that follows from their name.
const (
	ruth  = "Ruth"  // root and approver
	rafal = "Rafał" // root
	ada   = "Ada"   // approver, and author of scripts
	aron  = "Aron"  // approver
	tess  = "Tess"  // technician
	eve   = "Eve"   // nobody
)

var (
	organisation = idOf("organisation")
	begin        = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	now          = begin.Add(time.Hour)
	script       = Script{ID: "free-space", Version: 3, Hash: sum("free-space 3")}
	own          = bundle(Safe, ada) // as most tests have it
)

func bundle(risk Risk, author string) Bundle {
	return Bundle{Script: script, Risk: risk, Author: idOf(author)}
}

func idOf(name string) uuid.UUID { return uuid.NewSHA1(uuid.NameSpaceOID, []byte(name)) }

func sum(s string) []byte {
	h := sha256.Sum256([]byte(s))
	return h[:]
}

func private(name string) ed25519.PrivateKey { return ed25519.NewKeyFromSeed(sum("key of " + name)) }

func person(name string, roles ...Role) Person {
	return Person{ID: idOf(name), Name: name, Roles: roles, Keys: []Key{KeyOf("key of "+name, private(name))}}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func fileOne() *File {
	return &File{
		Version: 1, Name: "Zakład Energetyki",
		People: []Person{person(ruth, Root, Approver), person(rafal, Root), person(ada, Approver), person(aron, Approver), person(tess, Technician)},
		Needs:  Needs{Root: 2, Safe: 1, Disruptive: 1, Destructive: 2, Release: 2},
	}
}

// said makes a statement that holds for as long as it may, signed by people with their own
// keys.
func said(t testing.TB, body Body, by ...string) *Statement {
	t.Helper()
	trust := uint64(1)
	if f, ok := body.(*File); ok {
		trust = f.Version
	}
	s, err := New(Head{Organisation: organisation, ID: idOf(fmt.Sprintf("%s %d", body.Kind(), trust)), NotBefore: begin, Expires: begin.Add(body.longest()), Trust: trust}, body)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range by {
		if err := s.Sign(private(name)); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// sent is a statement as it comes out of the wire.
func sent(t testing.TB, s *Statement) *Statement {
	t.Helper()
	again, err := Open(must(s.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	return again
}

func trusting(t testing.TB, f *File) *Trust {
	t.Helper()
	s := said(t, f, ruth, rafal)
	trust, err := Begin(sent(t, s), s.Digest())
	if err != nil {
		t.Fatal(err)
	}
	return trust
}

// after is the version that follows on a trust.
func after(t *Trust, change func(*File)) *File {
	next := *t.File
	next.Version, next.Before = t.File.Version+1, bytes.Clone(t.Digest[:])
	next.People = append([]Person{}, t.File.People...)
	change(&next)
	return &next
}

func refused(t *testing.T, what string, err error, code string) {
	t.Helper()
	var r *Refusal
	if !errors.As(err, &r) || r.Code != code {
		t.Errorf("%s: %v, want %s", what, err, code)
	}
}

func approval(risk Risk, author string) *Approval {
	return &Approval{Scripts: []Approved{{Script: script, Risk: risk, Author: idOf(author), Platforms: []string{"linux"}, RunAs: "system"}}}
}

func grant() *Grant {
	return &Grant{Challenge: sum("challenge"), Door: "terminal", Account: "person", Minutes: 30, Ticket: 12}
}

// bodies are one of each kind.
func bodies() []Body {
	tree := must(TreeOf([]uuid.UUID{idOf("one"), idOf("two"), idOf("three")}))
	first := fileOne()
	first.Consoles = [][]byte{sum("console")}
	values := approval(Disruptive, ada)
	values.Scripts[0].Values = map[string][]string{"SERVER": {"dns1.example", "dns2.example"}}
	return []Body{
		first, values,
		&Withdrawal{Number: 1, Statements: []uuid.UUID{idOf("approval 1")}, Scripts: [][]byte{sum("bad")}},
		&Order{Script: script, Values: map[string]string{"DAYS": "30"}, Machines: []uuid.UUID{idOf("one")}, Ticket: 7},
		&Plan{Script: script, Risk: Safe, Root: tree.Root(), Waves: []Wave{{Machines: 1}, {Machines: 2, After: 3600}}},
		grant(),
		&Release{Number: 4, Version: "1.4.0", Builds: []Build{{OS: "linux", Arch: "amd64", Hash: sum("agent"), Size: 14_000_000}}},
	}
}

func TestHeard(t *testing.T) {
	trust := trusting(t, fileOne())
	all := bodies()
	for _, c := range []struct {
		body Body
		by   []string
		code string
	}{
		{all[2], []string{ada}, ""},
		{all[2], []string{tess}, CodeVoices},
		{all[3], []string{tess}, ""},
		{all[3], []string{ada}, CodeVoices}, // who approves is not who acts, unless the file says so
		{all[4], []string{aron}, ""},
		{all[4], []string{tess}, CodeVoices},
		{all[4], []string{rafal}, CodeVoices}, // nor is a root an approver
		{all[5], []string{tess}, ""},
		{all[5], []string{eve}, CodeVoices},
		{all[6], []string{ada, aron}, ""},
		{all[6], []string{ada}, CodeVoices},
		{all[6], []string{ada, eve}, CodeVoices},
		{all[1], []string{aron}, CodeNotMeant}, // of scripts Approves tells
		{all[0], []string{ruth, rafal}, CodeNotMeant},
	} {
		what := fmt.Sprintf("%s by %v", c.body.Kind(), c.by)
		voices, err := trust.Heard(sent(t, said(t, c.body, c.by...)), nil, begin)
		if c.code != "" {
			refused(t, what, err, c.code)
			continue
		}
		if err != nil || len(voices) != len(c.by) || voices[0].Name != c.by[0] || !voices[0].Reads {
			t.Errorf("%s: %+v, %v", what, voices, err)
		}
	}
}

func TestApproves(t *testing.T) {
	trust := trusting(t, fileOne())
	for _, c := range []struct {
		risk   Risk
		author string
		by     []string
		code   string
	}{
		{Safe, ada, []string{aron}, ""},
		{Safe, ada, []string{ada}, CodeVoices},
		{Disruptive, ada, []string{ada, aron}, ""},
		{Destructive, ada, []string{ada, aron}, CodeVoices},
		{Destructive, ada, []string{ruth, aron}, ""},
		{Destructive, eve, []string{ada}, CodeVoices},
		{Destructive, eve, []string{ada, ada}, CodeVoices},
		{Safe, ada, []string{rafal, tess, eve}, CodeVoices},
	} {
		what := fmt.Sprintf("%s of %s by %v", c.risk, c.author, c.by)
		x, _, err := trust.Approves(sent(t, said(t, approval(c.risk, c.author), c.by...)), bundle(c.risk, c.author), nil, now)
		if c.code != "" {
			refused(t, what, err, c.code)
		} else if err != nil || x.Script.ID != script.ID || x.Risk != c.risk {
			t.Errorf("%s: %+v %v", what, x, err)
		}
	}
	good := said(t, approval(Safe, ada), aron)
	_, _, err := trust.Approves(good, Bundle{Script: Script{ID: script.ID, Version: 3, Hash: sum("another script")}, Risk: Safe, Author: idOf(ada)}, nil, now)
	refused(t, "another script", err, CodeNotMeant)
	_, _, err = trust.Approves(good, own, &Withdrawal{Number: 1, Statements: []uuid.UUID{good.ID}}, now)
	refused(t, "its statement was withdrawn", err, CodeWithdrawn)
	_, _, err = trust.Approves(good, own, &Withdrawal{Number: 1, Scripts: [][]byte{script.Hash}}, now)
	refused(t, "the script was withdrawn", err, CodeWithdrawn)

	alone := fileOne()
	alone.OnePerson, alone.Needs.Destructive = true, 1
	if _, _, err := trusting(t, alone).Approves(said(t, approval(Destructive, ada), ada), bundle(Destructive, ada), nil, now); err != nil {
		t.Errorf("one who is alone: %v", err)
	}
}

// What was taken back is not heard, whoever says it again.
func TestWithdrawn(t *testing.T) {
	trust := trusting(t, fileOne())
	order, plan := said(t, bodies()[3], tess), said(t, bodies()[4], aron)
	for what, w := range map[string]*Withdrawal{
		"by its script": {Number: 1, Scripts: [][]byte{script.Hash}},
		"by its id":     {Number: 1, Statements: []uuid.UUID{order.ID, plan.ID}},
	} {
		_, err := trust.Heard(order, w, begin)
		refused(t, "an order "+what, err, CodeWithdrawn)
		_, err = trust.Heard(plan, w, begin)
		refused(t, "a plan "+what, err, CodeWithdrawn)
	}
	if _, err := trust.Heard(plan, &Withdrawal{Number: 1, Statements: []uuid.UUID{idOf("another")}}, begin); err != nil {
		t.Errorf("another was taken back: %v", err)
	}
}

// A withdrawal takes nothing back of what was taken back, whatever number it has, and no
// number is the last.
func TestTakenBackForEver(t *testing.T) {
	trust := trusting(t, fileOne())
	bad, worse := sum("bad"), sum("worse")
	here := &Withdrawal{Number: 7, Statements: []uuid.UUID{idOf("plan")}, Scripts: [][]byte{bad}}
	for what, c := range map[string]struct {
		w    *Withdrawal
		code string
	}{
		"one more script":              {&Withdrawal{Number: 8, Statements: here.Statements, Scripts: [][]byte{bad, worse}}, ""},
		"one more, of a lower number":  {&Withdrawal{Number: 1, Statements: []uuid.UUID{idOf("other"), idOf("plan")}, Scripts: here.Scripts}, ""},
		"the same again":               {here, CodeOld},
		"the same with another number": {&Withdrawal{Number: 9, Statements: here.Statements, Scripts: here.Scripts}, CodeOld},
		"a script lives again":         {&Withdrawal{Number: 1<<64 - 1, Statements: here.Statements, Scripts: [][]byte{worse}}, CodeOld},
		"a plan lives again":           {&Withdrawal{Number: 1<<64 - 1, Scripts: [][]byte{bad, worse}}, CodeOld},
	} {
		_, err := trust.Heard(said(t, c.w, aron), here, begin)
		if c.code != "" {
			refused(t, what, err, c.code)
		} else if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	release := said(t, bodies()[6], ada, aron)
	_, err := trust.Heard(release, &Withdrawal{Number: 1, Statements: []uuid.UUID{release.ID}}, begin)
	refused(t, "a release that was taken back", err, CodeWithdrawn)
}

// What an approval says of a script is held against what the script says of itself.
func TestApprovedAsItIs(t *testing.T) {
	trust := trusting(t, fileOne())
	s := said(t, approval(Safe, ada), aron)
	for what, change := range map[string]func(*Bundle){
		"more dangerous":  func(b *Bundle) { b.Risk = Destructive },
		"of another":      func(b *Bundle) { b.Author = idOf(aron) },
		"another version": func(b *Bundle) { b.Script.Version++ },
		"another name":    func(b *Bundle) { b.Script.ID = "other" },
	} {
		b := own
		change(&b)
		_, _, err := trust.Approves(s, b, nil, now)
		refused(t, what, err, CodeTampered)
	}
}

// What is changed in a statement after it was read was not signed, and does not count.
func TestChangedAfterwards(t *testing.T) {
	trust := trusting(t, fileOne())
	s := said(t, bodies()[3], tess)
	s.Body.(*Order).Script.Hash, s.Head.Expires = sum("bad"), begin.Add(400*day)
	_, err := trust.Heard(s, nil, begin.Add(2*day))
	refused(t, "an order that was made longer", err, CodeExpired)
	_, err = trust.Heard(s, &Withdrawal{Number: 1, Scripts: [][]byte{script.Hash}}, begin)
	refused(t, "an order of a script that was taken back", err, CodeWithdrawn)
}

// Keys of small order are nobody's: a signature under them needs no private half. That
// they are is shown by forging one under each.
func TestWeakKeys(t *testing.T) {
	forged := func(public ed25519.PublicKey) bool {
		signature := append([]byte{1}, make([]byte, 63)...) // R is the neutral point, S is 0
		for i := range 200 {
			if ed25519.Verify(public, []byte{byte(i)}, signature) {
				return true
			}
		}
		return false
	}
	var keys []ed25519.PublicKey
	for _, w := range weak {
		keys = append(keys, append(bytes.Clone(w), make([]byte, 32-len(w))...))
	}
	keys = append(keys, append(append([]byte{0xec}, bytes.Repeat([]byte{0xff}, 30)...), 0x7f))
	for _, k := range keys {
		if !forged(k) {
			t.Errorf("nothing can be forged under %x", k)
		}
		turned := bytes.Clone(k)
		turned[31] |= 0x80
		for _, k := range []ed25519.PublicKey{k, turned} {
			for _, key := range []Key{
				{Scheme: Ed25519, Name: "weak", Public: k},
				{Scheme: SSH, Name: "weak", Public: ssh.Marshal(struct {
					Type string
					Key  []byte
				}{ssh.KeyAlgoED25519, k})},
				{Scheme: SSH, Name: "weak", Public: ssh.Marshal(struct {
					Type        string
					Key         []byte
					Application string
				}{ssh.KeyAlgoSKED25519, k, "ssh:"})},
				{Scheme: Passkey, Name: "weak", Public: must(x509.MarshalPKIXPublicKey(k)), Credential: make([]byte, 16), Site: DeskSite, Origin: DeskOrigin},
			} {
				if err := key.check(); err == nil {
					t.Errorf("%s: %x is taken for a key", key.Scheme, k)
				}
			}
		}
	}
	beyond := append(append([]byte{0xee}, bytes.Repeat([]byte{0xff}, 30)...), 0x7f) // 1, written in a second way
	if strong(beyond) {
		t.Error("a number beyond the field is taken")
	}
	for i := range 200 {
		if k := KeyOf("", private(fmt.Sprint(i))); !strong(k.Public) {
			t.Errorf("%x is called weak", k.Public)
		}
	}
}

func laterGrant(t *testing.T, at time.Time) *Statement {
	t.Helper()
	s, err := New(Head{Organisation: organisation, ID: idOf("late grant"), NotBefore: at.Add(-time.Minute), Expires: at.Add(time.Minute), Trust: 1}, grant())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Sign(private(tess)); err != nil {
		t.Fatal(err)
	}
	return s
}

// A person with two keys is one person.
func TestCountedInPeople(t *testing.T) {
	f := fileOne()
	second := private("second key of Ada")
	f.People[2].Keys = append(f.People[2].Keys, KeyOf("second", second))
	trust := trusting(t, f)
	s := said(t, approval(Destructive, eve), ada)
	if err := s.Sign(second); err != nil {
		t.Fatal(err)
	}
	_, _, err := trust.Approves(sent(t, s), bundle(Destructive, eve), nil, now)
	refused(t, "two keys of one person", err, CodeVoices)
	// One signature twice, put there by hand.
	s = said(t, approval(Destructive, eve), aron)
	s.signatures = append(s.signatures, s.signatures[0])
	_, _, err = trust.Approves(sent(t, s), bundle(Destructive, eve), nil, now)
	refused(t, "one signature twice", err, CodeVoices)
}

func TestDates(t *testing.T) {
	trust := trusting(t, fileOne())
	s := said(t, approval(Safe, ada), aron)
	ends := begin.Add(180 * day)
	for _, c := range []struct {
		at   time.Time
		code string
	}{{begin.Add(-time.Microsecond), CodeEarly}, {begin, ""}, {ends.Add(-time.Microsecond), ""}, {ends, CodeExpired}, {begin.Add(400 * day), CodeExpired}} {
		if _, _, err := trust.Approves(s, own, nil, c.at); c.code != "" {
			refused(t, c.at.String(), err, c.code)
		} else if err != nil {
			t.Errorf("at %v: %v", c.at, err)
		}
	}
	// Nobody can write down a longer life than a script of its risk has.
	for risk, most := range map[Risk]time.Duration{Safe: 180 * day, Disruptive: 90 * day, Destructive: 14 * day} {
		_, err := New(Head{Organisation: organisation, ID: idOf("long"), NotBefore: begin, Expires: begin.Add(most + time.Microsecond), Trust: 1}, approval(risk, ada))
		if !errors.Is(err, ErrStatement) {
			t.Errorf("%s for longer than %v: %v", risk, most, err)
		}
	}
	// A trust file that ended ends what was signed under it, but takes rights away still.
	late := trust.Expires.Add(time.Hour)
	gone := &Withdrawal{Number: 1, Scripts: [][]byte{sum("bad")}}
	withdrawal := said(t, gone, aron)
	for what, at := range map[string]time.Time{"after the trust file ended": late, "before it begins": begin.Add(-400 * day), "after it ended": begin.Add(101 * 366 * day)} {
		if _, err := trust.Heard(withdrawal, nil, at); err != nil {
			t.Errorf("a withdrawal %s: %v", what, err)
		}
	}
	if _, err := trust.Heard(laterGrant(t, late), nil, late); err != nil {
		t.Errorf("a technician after the trust file ended: %v", err)
	}
	plan := bodies()[4]
	s, err := New(Head{Organisation: organisation, ID: idOf("late"), NotBefore: late.Add(-time.Minute), Expires: late.Add(time.Hour), Trust: 1}, plan)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Sign(private(ada)); err != nil {
		t.Fatal(err)
	}
	_, err = trust.Heard(s, nil, late)
	refused(t, "a plan after the trust file ended", err, CodeExpired)
}

func TestChain(t *testing.T) {
	first := trusting(t, fileOne())
	file := after(first, func(f *File) { f.People = f.People[:4] }) // Tess left
	s := said(t, file, ruth, rafal)
	second, err := first.Next(sent(t, s))
	if err != nil {
		t.Fatal(err)
	}
	_, err = second.Heard(said(t, grant(), tess), nil, begin)
	refused(t, "the grant of one who left", err, CodeVoices)

	_, err = second.Next(s)
	refused(t, "the same again", err, CodeOld)
	third := after(second, func(f *File) { f.Name = "Another name" })
	_, err = first.Next(said(t, third, ruth, rafal))
	refused(t, "one left out", err, CodeGap)
	fork := after(second, func(f *File) { f.Before = sum("another 2") })
	_, err = second.Next(said(t, fork, ruth, rafal))
	refused(t, "it follows on another", err, CodeGap)

	// New people alone, or old people alone, are not enough.
	takeover := after(second, func(f *File) {
		f.People = []Person{person(eve, Root, Approver), person("Mallory", Root, Approver)}
		f.Needs = Needs{Root: 2, Safe: 1, Disruptive: 1, Destructive: 2, Release: 2}
	})
	_, err = second.Next(said(t, takeover, eve, "Mallory"))
	refused(t, "signed by new people only", err, CodeVoices)
	_, err = second.Next(said(t, takeover, ruth, rafal))
	refused(t, "signed by old people only", err, CodeVoices)
	if _, err := second.Next(said(t, takeover, ruth, rafal, eve, "Mallory")); err != nil {
		t.Errorf("signed by all: %v", err)
	}
	lower := after(second, func(f *File) { f.Needs.Root = 1 })
	_, err = second.Next(said(t, lower, ruth))
	refused(t, "one of two lets one be enough", err, CodeVoices)

	elsewhere := said(t, third, ruth, rafal)
	stranger := *second
	stranger.Organisation = idOf("another organisation")
	_, err = stranger.Next(elsewhere)
	refused(t, "of another organisation", err, CodeOrganisation)

	undated := said(t, third)
	undated.payload = must(encoder.Marshal(func() wire {
		var w wire
		if err := decoder.Unmarshal(undated.payload, &w); err != nil {
			t.Fatal(err)
		}
		w.Trust = 9
		return w
	}()))
	if err := errors.Join(undated.read(), undated.Sign(private(ruth)), undated.Sign(private(rafal))); err != nil {
		t.Fatal(err)
	}
	_, err = second.Next(undated)
	refused(t, "signed under another version than its own", err, CodeTampered)

	risen := after(second, func(f *File) { f.Epoch = 1 })
	later, err := second.Next(said(t, risen, ruth, rafal))
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = later.Approves(said(t, approval(Safe, ada), aron), own, nil, now)
	refused(t, "an approval of the epoch before", err, CodeOld)
	back := after(later, func(f *File) { f.Epoch = 0 })
	_, err = later.Next(said(t, back, ruth, rafal))
	refused(t, "an epoch that goes back", err, CodeOld)
}

func TestBegin(t *testing.T) {
	s := said(t, fileOne(), ruth, rafal)
	if _, err := Begin(s, s.Digest()); err != nil {
		t.Fatal(err)
	}
	_, err := Begin(s, [32]byte(sum("another root")))
	refused(t, "another root", err, CodeOrganisation)
	if !strings.Contains(err.Error(), Words(s.Digest())) {
		t.Errorf("it does not say its words: %v", err)
	}
	half := said(t, fileOne(), ruth)
	_, err = Begin(half, half.Digest())
	refused(t, "signed by one of two", err, CodeVoices)
	second := said(t, after(trusting(t, fileOne()), func(*File) {}), ruth, rafal)
	_, err = Begin(second, second.Digest())
	refused(t, "it begins in the middle", err, CodeOrganisation)
	ahead, err := New(Head{Organisation: organisation, ID: idOf("ahead"), NotBefore: begin, Expires: begin.Add(day), Trust: 77}, fileOne())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(ahead.Sign(private(ruth)), ahead.Sign(private(rafal))); err != nil {
		t.Fatal(err)
	}
	_, err = Begin(ahead, ahead.Digest())
	refused(t, "signed under a version that was not there", err, CodeOrganisation)
}

// Signatures that were tampered with, in every way that COSE leaves open.
func TestTampered(t *testing.T) {
	trust := trusting(t, fileOne())
	protected := func(change func(cose.ProtectedHeader)) []byte {
		s := said(t, approval(Safe, ada), aron)
		h := cose.ProtectedHeader{}
		for k, v := range s.signatures[0].Headers.Protected {
			h[k] = v
		}
		change(h)
		s.signatures[0] = &cose.Signature{Headers: cose.Headers{Protected: h}, Signature: s.signatures[0].Signature}
		return must(s.Encode())
	}
	other := KeyOf("", private(ada)).ID()
	// signed is a statement whose signature holds, with more headers than there are.
	signed := func(more cose.ProtectedHeader) []byte {
		s, key := said(t, approval(Safe, ada)), KeyOf("", private(aron))
		h := headers(key)
		for k, v := range more {
			h.Protected[k] = v
		}
		x := &cose.Signature{Headers: h}
		if err := x.Sign(nil, must(cose.NewSigner(cose.AlgorithmEdDSA, private(aron))), emptyHeader, s.payload, []byte(s.Kind().Context())); err != nil {
			t.Fatal(err)
		}
		s.signatures = append(s.signatures, x)
		return must(s.Encode())
	}
	for _, c := range []struct {
		name string
		data []byte
	}{
		{"a key of somebody else", protected(func(h cose.ProtectedHeader) { h[cose.HeaderLabelKeyID] = other[:] })},
		{"another algorithm", protected(func(h cose.ProtectedHeader) { h[cose.HeaderLabelAlgorithm] = algorithmSSH })},
		{"no key", protected(func(h cose.ProtectedHeader) { delete(h, cose.HeaderLabelKeyID) })},
		{"something critical", protected(func(h cose.ProtectedHeader) { h[cose.HeaderLabelCritical] = []any{int64(99)}; h[int64(99)] = "x" })},
		{"something more", protected(func(h cose.ProtectedHeader) { h[cose.HeaderLabelContentType] = "text/plain" })},
		{"something critical, and signed", signed(cose.ProtectedHeader{cose.HeaderLabelCritical: []any{int64(99)}, int64(99): "x"})},
		{"something more, and signed", signed(cose.ProtectedHeader{int64(99): "x"})},
		{"a header of the whole", func() []byte {
			s := said(t, approval(Safe, ada), aron)
			m := cose.SignMessage{Headers: cose.Headers{Unprotected: cose.UnprotectedHeader{int64(99): "x"}}, Payload: s.payload, Signatures: s.signatures}
			return must(m.MarshalCBOR())
		}()},
		{"a header outside", func() []byte {
			s := said(t, approval(Safe, ada), aron)
			s.signatures[0].Headers.Unprotected = cose.UnprotectedHeader{int64(99): "x"}
			return must(s.Encode())
		}()},
		{"another signature", func() []byte {
			s := said(t, approval(Safe, ada), aron)
			s.signatures[0].Signature[3] ^= 1
			return must(s.Encode())
		}()},
		{"another statement", func() []byte {
			s, o := said(t, approval(Safe, ada), aron), said(t, approval(Destructive, ada))
			s.payload = o.payload
			return must(s.Encode())
		}()},
		{"of another kind", func() []byte {
			s, o := said(t, bodies()[2], aron), said(t, approval(Safe, ada))
			s.payload = o.payload
			return must(s.Encode())
		}()},
	} {
		s, err := Open(c.data)
		if err == nil {
			_, _, err = trust.Approves(s, own, nil, now)
		}
		if err == nil {
			t.Errorf("%s: it is heard", c.name)
		}
	}
	if _, _, err := trust.Approves(must(Open(signed(nil))), own, nil, now); err != nil {
		t.Errorf("a signature with its own headers alone: %v", err)
	}
	// One that does not hold spoils no other.
	s := said(t, approval(Safe, ada), ruth, aron)
	s.signatures[0].Signature[3] ^= 1
	if _, _, err := trust.Approves(sent(t, s), own, nil, now); err != nil {
		t.Errorf("beside one that does not hold: %v", err)
	}
	for code, head := range map[string]Head{
		CodeOrganisation: {Organisation: idOf("B"), ID: idOf("x"), NotBefore: begin, Trust: 1},
		CodeNewer:        {Organisation: organisation, ID: idOf("x"), NotBefore: begin, Trust: 2},
	} {
		head.Expires = begin.Add(5 * time.Minute)
		other, err := New(head, grant())
		if err != nil {
			t.Fatal(err)
		}
		if err := other.Sign(private(tess)); err != nil {
			t.Fatal(err)
		}
		_, err = trust.Heard(other, nil, begin)
		refused(t, "under another head", err, code)
	}
}

func TestRefusedBodies(t *testing.T) {
	file := func(change func(*File)) *File { f := fileOne(); change(f); return f }
	passkey := Key{Scheme: Passkey, Name: "phone", Public: must(x509.MarshalPKIXPublicKey(private(eve).Public())), Credential: make([]byte, 16), Site: "console.example", Origin: "https://console.example"}
	for name, body := range map[string]Body{
		"nobody":              file(func(f *File) { f.People = nil }),
		"a person twice":      file(func(f *File) { f.People = append(f.People, f.People[0]) }),
		"a key of two people": file(func(f *File) { f.People[1].Keys = f.People[0].Keys }),
		"a key of two people, as SSH's": file(func(f *File) {
			f.People[1].Keys = []Key{{Scheme: SSH, Name: "again", Public: must(ssh.NewPublicKey(private(ruth).Public())).Marshal()}}
		}),
		"a release by one": file(func(f *File) { f.Needs.Release = 1 }),
		"more than can sign": file(func(f *File) {
			f.Needs.Safe = 9
			for i := range 9 {
				f.People = append(f.People, person(fmt.Sprint(i), Approver))
			}
		}),
		"a name that nobody sees":    file(func(f *File) { f.People[1].Name = "\u3164" }),
		"a cell without a dot":       file(func(f *File) { f.Name = "A\u2800B" }),
		"a letter of another kind":   file(func(f *File) { f.Name = "A\ufe0fB" }),
		"the desk's page, elsewhere": file(func(f *File) { k := passkey; k.Origin = DeskOrigin; f.People[4].Keys = []Key{k} }),
		"the same hash under two names": &Approval{Scripts: append(approval(Safe, ada).Scripts, func() Approved {
			x := approval(Safe, ada).Scripts[0]
			x.Script.ID = "other"
			return x
		}())},
		"for no machine":            &Order{Script: script, Machines: []uuid.UUID{uuid.Nil}},
		"for a machine twice":       &Order{Script: script, Machines: []uuid.UUID{idOf("one"), idOf("one")}},
		"nothing taken back":        &Withdrawal{Number: 1},
		"a script taken back twice": &Withdrawal{Number: 1, Scripts: [][]byte{sum("a"), sum("a")}},
		"a system twice": &Release{Number: 1, Version: "1", Builds: []Build{
			{OS: "linux", Arch: "amd64", Hash: sum("a"), Size: 1}, {OS: "linux", Arch: "amd64", Hash: sum("b"), Size: 1}}},
		"a person without a key":                file(func(f *File) { f.People[1].Keys = nil }),
		"a role that is none":                   file(func(f *File) { f.People[4].Roles = []Role{"king"} }),
		"more roots than there are":             file(func(f *File) { f.Needs.Root = 3 }),
		"no root":                               file(func(f *File) { f.Needs.Root = 0 }),
		"destructive by one":                    file(func(f *File) { f.Needs.Destructive = 1 }),
		"a name that turns around":              file(func(f *File) { f.People[1].Name = "Rafa\u202eł" }),
		"a name of two lines":                   file(func(f *File) { f.Name = "A\nB" }),
		"a root with a console's passkey alone": file(func(f *File) { f.People[1].Keys = []Key{passkey} }),
		"before the first":                      file(func(f *File) { f.Before = sum("0") }),
		"no version":                            file(func(f *File) { f.Version = 0 }),
		"half a console":                        file(func(f *File) { f.Consoles = [][]byte{{1}} }),
		"a script approved twice":               &Approval{Scripts: append(approval(Safe, ada).Scripts, approval(Safe, ada).Scripts...)},
		"nothing approved":                      &Approval{},
		"a hash of one byte":                    &Order{Script: Script{ID: "x", Version: 1, Hash: []byte{1}}, Machines: []uuid.UUID{idOf("one")}},
		"a script called ..":                    &Order{Script: Script{ID: "../x", Version: 1, Hash: sum("x")}, Machines: []uuid.UUID{idOf("one")}},
		"for nobody":                            &Order{Script: script},
		"for eleven":                            &Order{Script: script, Machines: make([]uuid.UUID, 11)},
		"a value that hides":                    &Order{Script: script, Machines: []uuid.UUID{idOf("one")}, Values: map[string]string{"A": "x\u200by"}},
		"a door that is none":                   &Grant{Challenge: sum("c"), Door: "cellar", Account: "root", Minutes: 5},
		"a door for a day":                      &Grant{Challenge: sum("c"), Door: "files", Account: "root", Minutes: 1440},
		"waves that go back":                    &Plan{Script: script, Risk: Safe, Root: sum("r"), Waves: []Wave{{Machines: 1, After: 60}, {Machines: 1}}},
		"no wave":                               &Plan{Script: script, Risk: Safe, Root: sum("r")},
		"a release of no system":                &Release{Number: 1, Version: "1"},
		"withdrawal nought":                     &Withdrawal{},
	} {
		_, err := New(Head{Organisation: organisation, ID: idOf("x"), NotBefore: begin, Expires: begin.Add(time.Minute), Trust: 1}, body)
		if !errors.Is(err, ErrStatement) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, head := range map[string]Head{
		"no organisation":   {ID: idOf("x"), NotBefore: begin, Expires: now, Trust: 1},
		"no id":             {Organisation: organisation, NotBefore: begin, Expires: now, Trust: 1},
		"ends at once":      {Organisation: organisation, ID: idOf("x"), NotBefore: begin, Expires: begin, Trust: 1},
		"under no trust":    {Organisation: organisation, ID: idOf("x"), NotBefore: begin, Expires: now},
		"a grant of an age": {Organisation: organisation, ID: idOf("x"), NotBefore: begin, Expires: begin.Add(time.Hour), Trust: 1},
	} {
		if _, err := New(head, grant()); !errors.Is(err, ErrStatement) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// There is one form of a statement: the same said in other bytes is refused.
func TestOneForm(t *testing.T) {
	s := said(t, grant(), tess)
	for name, change := range map[string]func(m map[any]any){
		"a field of a later version": func(m map[any]any) { m[uint64(8)] = "new" },
		"a field of a body":          func(m map[any]any) { m[uint64(7)].(map[any]any)[uint64(99)] = 1 },
		"a kind of a later version":  func(m map[any]any) { m[uint64(1)] = "spell" },
	} {
		var m map[any]any
		if err := decoder.Unmarshal(s.payload, &m); err != nil {
			t.Fatal(err)
		}
		change(m)
		other := &Statement{payload: must(encoder.Marshal(m))}
		if err := other.read(); !errors.Is(err, ErrStatement) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A number that is written with more bytes than it needs.
	long := &Statement{payload: bytes.Replace(s.payload, []byte{0x04, 0x18, 0x1e}, []byte{0x04, 0x19, 0x00, 0x1e}, 1)}
	if bytes.Equal(long.payload, s.payload) {
		t.Fatal("the number was not found")
	}
	if err := long.read(); !errors.Is(err, ErrStatement) {
		t.Errorf("another form of a number: %v", err)
	}
	if _, err := Open(make([]byte, MaxSize+1)); !errors.Is(err, ErrStatement) {
		t.Errorf("too long: %v", err)
	}
}

func TestSSH(t *testing.T) {
	signer := must(ssh.NewSignerFromKey(private("ssh key of Aron")))
	key, err := KeyOfSSH(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
	if err != nil {
		t.Fatal(err)
	}
	f := fileOne()
	f.People[3].Keys = append(f.People[3].Keys, key)
	trust := trusting(t, f)
	s := said(t, approval(Safe, ada))
	if err := s.SignSSH(signer); err != nil {
		t.Fatal(err)
	}
	if _, _, err := trust.Approves(sent(t, s), own, nil, now); err != nil {
		t.Fatal(err)
	}
	// The same key's signature over the same bytes for another kind holds for none.
	other := said(t, approval(Safe, ada))
	x, err := sshSign(must(other.Content(key)), signer, KindGrant.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Add(key, x); !errors.Is(err, ErrSignature) {
		t.Errorf("a signature in another namespace: %v", err)
	}
	for name, text := range map[string]string{
		"RSA":       "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDB",
		"nothing":   "",
		"two lines": string(ssh.MarshalAuthorizedKey(signer.PublicKey())) + string(ssh.MarshalAuthorizedKey(signer.PublicKey())),
	} {
		if _, err := KeyOfSSH(text); err == nil {
			t.Errorf("%s is taken for a key", name)
		}
	}
}

// security is a security key of OpenSSH's, in memory: what it signs has flags and a
// counter, as the device writes them.
type security struct {
	private ed25519.PrivateKey
	public  ssh.PublicKey
	flags   byte
}

func newSecurity(name string, flags byte) security {
	p := private(name)
	raw := ssh.Marshal(struct {
		Type        string
		Key         []byte
		Application string
	}{ssh.KeyAlgoSKED25519, p.Public().(ed25519.PublicKey), "ssh:"})
	return security{private: p, public: must(ssh.ParsePublicKey(raw)), flags: flags}
}

func (s security) PublicKey() ssh.PublicKey { return s.public }

func (s security) Sign(_ io.Reader, data []byte) (*ssh.Signature, error) {
	application, message := sha256.Sum256([]byte("ssh:")), sha256.Sum256(data)
	rest := binary.BigEndian.AppendUint32([]byte{s.flags}, 42)
	blob := append(append(application[:], rest...), message[:]...)
	return &ssh.Signature{Format: ssh.KeyAlgoSKED25519, Blob: ed25519.Sign(s.private, blob), Rest: rest}, nil
}

func TestSecurityKey(t *testing.T) {
	for _, c := range []struct {
		name                 string
		flags                byte
		technician, approver bool
	}{
		{"touched and PIN", skTouched | skVerified, true, true},
		{"touched", skTouched, true, false},
		{"neither", 0, false, false},
		{"PIN alone", skVerified, false, false},
	} {
		key := newSecurity("security key", c.flags)
		k := Key{Scheme: SSH, Name: "security key", Public: key.public.Marshal()}
		if !k.HardwareBound() {
			t.Error("it is not on hardware")
		}
		f := fileOne()
		f.People[3].Keys, f.People[3].Roles = []Key{k}, []Role{Approver, Technician}
		trust := trusting(t, f)
		for _, b := range []struct {
			body Body
			want bool
		}{{grant(), c.technician}, {bodies()[4], c.approver}} {
			s := said(t, b.body)
			x, err := sshSign(must(s.Content(k)), key, s.Kind().Context())
			if err != nil {
				t.Fatal(err)
			}
			s.signatures = append(s.signatures, &cose.Signature{Headers: headers(k), Signature: x})
			if _, err := trust.Heard(sent(t, s), nil, begin); (err == nil) != b.want {
				t.Errorf("%s, %s: %v", c.name, s.Kind(), err)
			}
		}
	}
}

// device is an authenticator with one passkey, and the browser that it is used in.
type device struct {
	private *ecdsa.PrivateKey
	key     Key
}

func newDevice(t *testing.T, site, origin string) *device {
	p, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &device{private: p, key: Key{Scheme: Passkey, Name: "phone", Public: must(x509.MarshalPKIXPublicKey(p.Public())), Credential: sum("credential")[:16], Site: site, Origin: origin}}
}

// use is what the device says; the parts of it may be changed before they are signed.
type use struct {
	kind, challenge, origin, more, site string
	flags                               byte
	extra                               []byte
	credential                          []byte
}

func (d *device) uses(content []byte, change func(*use)) []byte {
	u := use{kind: "webauthn.get", challenge: base64.RawURLEncoding.EncodeToString(Challenge(content)), origin: d.key.Origin, site: d.key.Site, flags: flagPresent | flagVerified, credential: d.key.Credential}
	change(&u)
	client := fmt.Sprintf(`{"type":%q,"challenge":%q,"origin":%q%s}`, u.kind, u.challenge, u.origin, u.more)
	authenticator := append(append(sum(u.site), u.flags, 0, 0, 0, 7), u.extra...)
	digest := sha256.Sum256(append(bytes.Clone(authenticator), sum(client)...))
	x := must(d.private.Sign(rand.Reader, digest[:], crypto.SHA256))
	return must(Assertion{Credential: u.credential, Authenticator: authenticator, Client: []byte(client), Signature: x}.Encode())
}

func TestPasskey(t *testing.T) {
	d := newDevice(t, DeskSite, DeskOrigin)
	s := said(t, approval(Safe, ada))
	content := must(s.Content(d.key))
	for name, change := range map[string]func(*use){
		"as it should be":             func(*use) {},
		"and not inside another page": func(u *use) { u.more = `,"crossOrigin":false` },
		"extensions":                  func(u *use) { u.flags |= flagExtensions; u.extra = []byte{0xa0} },
	} {
		if err := s.Add(d.key, d.uses(content, change)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, change := range map[string]func(*use){
		"nobody was there":      func(u *use) { u.flags &^= flagPresent },
		"nobody was asked":      func(u *use) { u.flags &^= flagVerified },
		"inside another page":   func(u *use) { u.more = `,"crossOrigin":true` },
		"with a page around it": func(u *use) { u.more = `,"topOrigin":"https://evil.example"` },
		"another site":          func(u *use) { u.site = "console.example" },
		"to register":           func(u *use) { u.kind = "webauthn.create" },
		"another port":          func(u *use) { u.origin = "http://localhost:8723" },
		"another page":          func(u *use) { u.origin = "https://console.example" },
		"copied":                func(u *use) { u.flags |= flagEligible | flagBackedUp },
		"backed up alone":       func(u *use) { u.flags |= flagBackedUp },
		"another statement":     func(u *use) { u.challenge = base64.RawURLEncoding.EncodeToString(sum("sign in")) },
		"another credential":    func(u *use) { u.credential = sum("other")[:16] },
		"attested":              func(u *use) { u.flags |= flagAttested },
		"more than it says":     func(u *use) { u.extra = []byte{0xa0} },
		"names in other letters": func(u *use) {
			u.more = fmt.Sprintf(`,"Origin":%q`, u.origin)
			u.origin = "https://evil.example"
		},
	} {
		if err := s.Add(d.key, d.uses(content, change)); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := s.Add(newDevice(t, DeskSite, DeskOrigin).key, d.uses(content, func(*use) {})); !errors.Is(err, ErrSignature) {
		t.Errorf("of another device: %v", err)
	}
}

// A passkey of a console's page proves that its technician was there, and never that
// anybody read what an approval says.
func TestPasskeyOfTheConsole(t *testing.T) {
	d := newDevice(t, "console.example", "https://console.example")
	f := fileOne()
	f.People[3].Keys, f.People[3].Roles = append(f.People[3].Keys, d.key), []Role{Approver, Technician}
	trust := trusting(t, f)
	for _, c := range []struct {
		body Body
		code string
	}{{grant(), ""}, {bodies()[4], CodeVoices}, {bodies()[2], CodeVoices}} {
		s := said(t, c.body)
		if err := s.Add(d.key, d.uses(must(s.Content(d.key)), func(*use) {})); err != nil {
			t.Fatal(err)
		}
		voices, err := trust.Heard(sent(t, s), nil, begin)
		if c.code != "" {
			refused(t, string(s.Kind()), err, c.code)
		} else if err != nil || voices[0].Reads {
			t.Errorf("%s: %+v %v", s.Kind(), voices, err)
		}
	}
}

func TestWords(t *testing.T) {
	digest := [32]byte(sum("root"))
	words := Words(digest)
	if n := len(strings.Fields(words)); n != 7 {
		t.Fatalf("%d words: %s", n, words)
	}
	if err := SameWords("  "+strings.ToUpper(words)+"\n", digest); err != nil {
		t.Error(err)
	}
	refused(t, "words of another root", SameWords(Words([32]byte(sum("other"))), digest), CodeOrganisation)
	for _, typed := range []string{"", "one two", strings.Replace(words, words[:2], "xq", 1)} {
		if err := SameWords(typed, digest); err == nil {
			t.Errorf("%q are taken for the words", typed)
		}
	}

	paper := must(NewPaper())
	key := must(paper.Key())
	again := Paper{Words: " " + strings.ToUpper(paper.Words) + " "}
	if !key.Equal(must(again.Key())) {
		t.Error("the same words are another key")
	}
	list := strings.Fields(paper.Words)
	list[3], list[17] = list[17], list[3]
	for name, typed := range map[string]string{"none": "", "23": strings.Join(list[:23], " "), "a word of no list": strings.Replace(paper.Words, list[0], "zzz", 1)} {
		if _, err := (Paper{Words: typed}).Key(); err == nil {
			t.Errorf("%s: taken for a paper key", name)
		}
	}
}
