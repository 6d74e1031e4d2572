package protocol

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

var (
	machine      = uuid.MustParse("0190aaaa-0000-7000-8000-000000000001")
	organisation = uuid.MustParse("0190aaaa-0000-7000-8000-000000000002")
	seed         = bytes.Repeat([]byte{7}, ed25519.SeedSize)
)

func samples() map[string]struct {
	kind Kind
	body any
} {
	value := 0.97
	return map[string]struct {
		kind Kind
		body any
	}{
		"hello": {KindHello, Hello{Version: 1, MinVersion: 1, Capabilities: CanRun | CanTerminal, Organisation: organisation,
			Machine: machine, Key: bytes.Repeat([]byte{1}, 32), Nonce: bytes.Repeat([]byte{2}, 32)}},
		"batch": {KindBatch, Batch{Entries: []Entry{{Class: ClassTransition, Number: 7, Body: must(Marshal(Transition{
			ID: machine, Check: "filesystem.full", Instance: "/", State: StateFiring, Severity: "critical",
			Values: map[string]float64{"used": value}, Texts: map[string]string{"mount": "/"}, StartedAt: 1, At: 2,
			Evidence: &Evidence{Series: []Series{{Name: "system.filesystem.utilization", Unit: "1", At: []int64{1}, Values: []*float64{&value}}}},
		}))}, {Class: ClassFacts, Key: "os", Revision: 3, Body: must(Marshal(Section{Name: "os", Hash: []byte{9}, At: 4, Body: []byte{0xa0}}))}}}},
		"ack":  {KindAck, Ack{Marks: map[Class]uint64{ClassTransition: 7}, States: map[string]uint64{"facts/os": 3}}},
		"beat": {KindBeat, Beat{At: 5, Health: "ok"}},
		"work": {KindWork, Work{Script: "free-disk-space", Version: 1, Hash: []byte{1, 2}, Parameters: map[string]string{"MOUNT": "/"},
			DryRun: true, Timeout: 300, By: Who{Kind: "technician", ID: machine, Name: "Anna Lis"}, Verify: "filesystem.full", Instance: "/"}},
	}
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

func TestGolden(t *testing.T) {
	for name, s := range samples() {
		frame, err := Encode(s.kind, s.body)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "testdata/"+name+".hex", []byte(hex.EncodeToString(frame)+"\n"))
	}
}

func TestRoundTrip(t *testing.T) {
	want := samples()["work"].body.(Work)
	m, err := Decode(must(Encode(KindWork, want)), MaxFrame)
	if err != nil || m.Kind != KindWork {
		t.Fatalf("%v, %v", m.Kind, err)
	}
	var got Work
	if err := Unmarshal(m.Body, &got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestNewer: what a newer end says is skipped, not refused.
func TestNewer(t *testing.T) {
	raw := must(cbor.Marshal(map[int]any{1: int64(5), 2: "ok", 99: "a field of tomorrow"}))
	var b Beat
	if err := Unmarshal(raw, &b); err != nil || b.Health != "ok" {
		t.Errorf("an unknown field: %v, %+v", err, b)
	}
	m, err := Decode(must(cbor.Marshal([]any{9999, map[int]any{}})), MaxFrame)
	if err != nil || m.Kind.String() != "unknown" {
		t.Errorf("an unknown kind: %v, %v", err, m.Kind)
	}
}

func TestRefusesNonsense(t *testing.T) {
	deep := bytes.Repeat([]byte{0x81}, 10_000)
	for name, frame := range map[string][]byte{
		"empty": {}, "not an array": {0x01}, "half": {0x82, 0x01}, "deep": append([]byte{0x82, 0x01}, deep...),
		"indefinite": {0x9f, 0x01, 0xa0, 0xff}, "huge array": {0x82, 0x01, 0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		"text": []byte("GET / HTTP/1.1"),
	} {
		m, err := Decode(frame, MaxFrame)
		if err == nil {
			err = Unmarshal(m.Body, new(Batch))
		}
		if !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Decode(make([]byte, MaxHelloFrame+1), MaxHelloFrame); !errors.Is(err, ErrTooLarge) {
		t.Errorf("oversized: %v", err)
	}
	doubled := []byte{0xa2, 0x01, 0x01, 0x01, 0x02}
	if err := Unmarshal(doubled, new(Beat)); !errors.Is(err, ErrMalformed) {
		t.Errorf("a doubled key: %v", err)
	}
	if err := Unmarshal(must(Marshal(Beat{Health: strings.Repeat("x", MaxText+1)})), new(Beat)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a long string: %v", err)
	}
}

// TestClean: no text of a machine can move a cursor, hide itself or turn around.
func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"zażółć gęślą jaźń": "zażółć gęślą jaźń", "a\x00b": "a\uFFFDb", "\x1b]52;c;evil\x07": "\uFFFD]52;c;evil\uFFFD",
		"a\u202Eb": "a\uFFFDb", "\xff\xfe": "\uFFFD\uFFFD", "line\nnext\ttab": "line\nnext\ttab", "<img src=x>": "<img src=x>",
	} {
		if got := Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
	bad := "\x1b[2J\xff\u202E"
	raw := must(Marshal(Transition{Check: bad, Texts: map[string]string{bad: bad}, Evidence: &Evidence{Processes: []Process{{Name: bad}}}}))
	var got Transition
	if err := Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	for key, value := range got.Texts {
		if Clean(key) != key || Clean(value) != value {
			t.Errorf("a map is not clean: %q: %q", key, value)
		}
	}
	if Clean(got.Check) != got.Check || Clean(got.Evidence.Processes[0].Name) != got.Evidence.Processes[0].Name {
		t.Errorf("a text is not clean: %q", got.Check)
	}
}

func TestStamp(t *testing.T) {
	key := ed25519.NewKeyFromSeed(seed)
	order := Order{ID: machine, Organisation: organisation, Machine: machine, Issued: 1, Expires: 2, Kind: KindWatch, Body: must(Marshal(Watch{Until: 3}))}
	stamped, err := Stamp(key, order)
	if err != nil {
		t.Fatal(err)
	}
	got, err := stamped.Open(key.Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(order, got); d != "" {
		t.Error(d)
	}
	other := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{8}, ed25519.SeedSize))
	if _, err := stamped.Open(other.Public().(ed25519.PublicKey)); err == nil {
		t.Error("another console's stamp holds")
	}
	for _, short := range []ed25519.PublicKey{nil, {}, {1}, make([]byte, 31), make([]byte, 33)} {
		if _, err := stamped.Open(short); err == nil {
			t.Errorf("a key of %d bytes opens a stamp", len(short))
		}
	}
	for i := range stamped.Stamp {
		broken := Stamped{Stamp: bytes.Clone(stamped.Stamp)}
		broken.Stamp[i] ^= 0x01
		if o, err := broken.Open(key.Public().(ed25519.PublicKey)); err == nil && cmp.Equal(o, order) == false {
			t.Errorf("byte %d can be changed", i)
		}
	}
}

func TestStampKey(t *testing.T) {
	identity, stamp := ed25519.NewKeyFromSeed(seed), ed25519.NewKeyFromSeed(bytes.Repeat([]byte{8}, 32))
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	certify := func(life time.Duration) StampKey {
		s, err := CertifyStamp(identity, stamp.Public().(ed25519.PublicKey), now, now.Add(life))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	public := identity.Public().(ed25519.PublicKey)
	if err := certify(24 * time.Hour).Verify(public); err != nil {
		t.Error(err)
	}
	if day := certify(24 * time.Hour); day.Ended(now.Add(23*time.Hour)) || !day.Ended(now.Add(25*time.Hour)) {
		t.Error("a certificate for a day does not end with it")
	}
	if certify(91*24*time.Hour).Verify(public) == nil {
		t.Error("a certificate for 91 days holds")
	}
	if certify(24*time.Hour).Verify(stamp.Public().(ed25519.PublicKey)) == nil {
		t.Error("another identity's certificate holds")
	}
}

// TestTranscript: both ends sign everything the hello agreed on.
func TestTranscript(t *testing.T) {
	h := Hello{Version: 1, Key: []byte{1}, Nonce: []byte{2}, Machine: machine, Organisation: organisation}
	id := Identify{Version: 1, Nonce: []byte{3}, Identity: []byte{4}}
	base := must(TranscriptOf(h, id, []byte{5}, RoleAgent))
	change := func(name string, do func(*Hello, *Identify, *[]byte, *string)) {
		h, id, channel, role := h, id, []byte{5}, RoleAgent
		do(&h, &id, &channel, &role)
		if bytes.Equal(base, must(TranscriptOf(h, id, channel, role))) {
			t.Errorf("%s is not in the transcript", name)
		}
	}
	change("the machine", func(h *Hello, _ *Identify, _ *[]byte, _ *string) { h.Machine = organisation })
	change("the version", func(h *Hello, _ *Identify, _ *[]byte, _ *string) { h.Version = 0 })
	change("the capabilities", func(h *Hello, _ *Identify, _ *[]byte, _ *string) { h.Capabilities = 1 })
	change("the agent's nonce", func(h *Hello, _ *Identify, _ *[]byte, _ *string) { h.Nonce = []byte{9} })
	change("the console's nonce", func(_ *Hello, i *Identify, _ *[]byte, _ *string) { i.Nonce = []byte{9} })
	change("the identity", func(_ *Hello, i *Identify, _ *[]byte, _ *string) { i.Identity = []byte{9} })
	change("the stamp key", func(_ *Hello, i *Identify, _ *[]byte, _ *string) { i.Stamp.Key = []byte{9} })
	change("the connection", func(_ *Hello, _ *Identify, c *[]byte, _ *string) { *c = []byte{9} })
	change("who signs", func(_ *Hello, _ *Identify, _ *[]byte, r *string) { *r = RoleConsole })
}

func TestToken(t *testing.T) {
	want := Token{Secret: bytes.Repeat([]byte{1}, 16), Organisation: organisation, Identities: [][]byte{{1, 2}}, Root: bytes.Repeat([]byte{3}, 32)}
	got, err := ParseToken(" " + want.String() + "\n")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for _, bad := range []string{"", "dse1_", "dse1_%%%", "nope", want.String()[:20], "dse1_" + strings.Repeat("A", 5000)} {
		if _, err := ParseToken(bad); err == nil {
			t.Errorf("%.20q is a token", bad)
		}
	}
}

// A token that was not copied whole, or with another letter, is told so at once.
func TestTokenCopied(t *testing.T) {
	whole := Token{Secret: bytes.Repeat([]byte{1}, 16), Organisation: organisation, Identities: [][]byte{bytes.Repeat([]byte{2}, 32)}}.String()
	for i := range whole {
		other := byte('A')
		if whole[i] == other {
			other = 'B'
		}
		for _, bad := range []string{whole[:i], whole[:i] + string(other) + whole[i+1:]} {
			if _, err := ParseToken(bad); err == nil {
				t.Errorf("%s is a token", bad)
			}
		}
	}
}

// What takes a byte on the wire and a hundred in memory is counted before it is
// unpacked, and what is within the bound reads as it was written.
func TestEvidenceIsCounted(t *testing.T) {
	limit := 0.9
	want := Transition{Evidence: &Evidence{Series: []Series{{Name: "x", At: []int64{1}, Values: []*float64{nil}}}, Processes: make([]Process, MaxEvidence), Limit: &limit}}
	raw, err := Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got Transition
	if err := Unmarshal(raw, &got); err != nil || got.Evidence == nil || len(got.Evidence.Series) != 1 || len(got.Evidence.Processes) != MaxEvidence || *got.Evidence.Limit != limit {
		t.Errorf("%+v %v", got.Evidence, err)
	}
	for _, list := range []byte{1, 2} {
		many := append([]byte{0xa1, 13, 0xa1, list, 0x99, 0x4e, 0x20}, bytes.Repeat([]byte{0xa0}, 20_000)...)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := Unmarshal(many, new(Transition))
		runtime.ReadMemStats(&after)
		if !errors.Is(err, ErrMalformed) || after.TotalAlloc-before.TotalAlloc > 1<<20 {
			t.Errorf("list %d: %v, after %d bytes", list, err, after.TotalAlloc-before.TotalAlloc)
		}
	}
}
