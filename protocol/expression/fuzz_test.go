package expression

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/deskside/deskside/protocol"
	"github.com/deskside/deskside/protocol/fuzztest"
)

// compileSpends is what the compiler may take for any expression, in bytes.
const compileSpends = 8 << 20

// FuzzCompile: an expression is refused with the place where it is wrong, or it
// compiles within bounds, comes to what it says that it comes to, and its answer
// can be told.
func FuzzCompile(f *testing.F) {
	for _, s := range []string{
		`cpu.used > 0.9`, `filter(processes, .rss_bytes > 1e9)`, `service("cups").state ?? "x"`, `map(network, {{a: .name, "b c": .up}})`,
		`version(os.kernel) < "6.1" and os.id in ["a", 'b', ` + "`c`" + `]`, `os.name matches "^a{3}(b|c)+$"`, `let a = 1; a + a`, `toJSON($env)`, `((((1))))`,
		`known(swap.used) ? swap.used : -1`, `processes | filter(.cpu > 1) | take(5)`, `sum(map(processes, .cpu ?? 0))`, `1..5`, `"a" + "b"`, `#`, `.a`, `value > 1`, `>= 0.9`, `it.used`, `"\u202e"`,
		`ago(os.booted_at) % 86400 ** 2`, `one(people, .since > os.booted_at)`, `first(map(services, .name))`, `/* ( */ 1`, `'\'('`, "os.name matches \"\x7f(\"",
	} {
		f.Add(uint8(0), s)
		f.Add(uint8(2), s)
		f.Add(uint8(3), s)
	}
	m := desk()
	f.Fuzz(func(t *testing.T, kind uint8, source string) {
		use := Use{Kind: Kind(kind % 4)}
		switch use.Kind {
		case Check:
			use.Each = "filesystems"
		case Threshold:
			use.Type = "number"
		}
		var p *Program
		var err error
		fuzztest.Spends(t, compileSpends, func() { p, err = Compile(use, source) })
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Line < 1 || e.Column < 1 || CleanText(e.Message) != e.Message {
				t.Fatalf("error %#v", err)
			}
			return
		}
		s := Scope{Machine: m, Value: Number(1)}
		if use.Kind == Check {
			items, _ := s.Each("filesystems")
			s.It = items[0]
		}
		v, err := p.Evaluate(s)
		if err != nil {
			t.Fatal(err)
		}
		if v.Known() && p.typ.kind != v.kind {
			t.Fatalf("%q is a %s and came to %s", source, p.typ, v)
		}
		if use.Kind == Group && p.Class() == Plain {
			for _, name := range p.Reads() {
				if schema().by[name].Vital {
					t.Fatalf("group %q reads %s", source, name)
				}
			}
		}
		if use.Kind != Question {
			return
		}
		a, err := p.Answer(m)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Check(); err != nil {
			t.Fatalf("%q: %v", source, err)
		}
		if _, err := a.MarshalJSON(); err != nil {
			t.Fatalf("%q: %v", source, err)
		}
	})
}

// FuzzSetSection: a section of facts is refused, or is the same after it was written
// and read again.
func FuzzSetSection(f *testing.F) {
	m := desk()
	for i, name := range Sections() {
		body, _, _ := m.Section(name)
		f.Add(uint8(i), body)
	}
	f.Fuzz(func(t *testing.T, which uint8, body []byte) {
		name := Sections()[int(which)%len(Sections())]
		var got Machine
		var err error
		fuzztest.Spends(t, 512*len(body), func() {
			got = Machine{}
			err = got.SetSection(name, body)
		})
		if err != nil {
			if !strings.Contains(err.Error(), name) {
				t.Errorf("a refusal that does not name the section: %v", err)
			}
			return
		}
		again, _, ok := got.Section(name)
		if !ok {
			return
		}
		var back Machine
		if err := back.SetSection(name, again); err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		twice, _, _ := back.Section(name)
		if string(twice) != string(again) {
			t.Fatalf("%x became %x", again, twice)
		}
	})
}

// FuzzAnswer: the answer of a machine is refused, or it keeps its bounds, is JSON
// for the page, and is the same after it was written and read again.
func FuzzAnswer(f *testing.F) {
	m := desk()
	for _, source := range []string{`cpu.used`, `os.name`, `swap.used`, `filter(processes, .rss_bytes > 1)`, `map(network, {{a: .name, "b c": .up}})`, `os.booted_at`} {
		p, err := Compile(Use{Kind: Question}, source)
		if err != nil {
			f.Fatal(err)
		}
		a, err := p.Answer(m)
		if err != nil {
			f.Fatal(err)
		}
		raw, err := protocol.Marshal(a)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var a Answer
		var err error
		fuzztest.Spends(t, 512*len(raw), func() { // as the console reads it
			a = Answer{}
			if err = protocol.Unmarshal(raw, &a); err == nil {
				err = a.Check()
			}
		})
		if err != nil {
			return
		}
		if page, err := a.MarshalJSON(); err != nil || !json.Valid(page) {
			t.Fatalf("no JSON: %v, %s", err, page)
		}
		once, err := protocol.Marshal(a)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		var back Answer
		if err := errors.Join(protocol.Unmarshal(once, &back), back.Check()); err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if twice, err := protocol.Marshal(back); err != nil || string(twice) != string(once) {
			t.Fatalf("%x became %x, %v", once, twice, err)
		}
	})
}
