package catalogue

import (
	"errors"
	"strings"
	"testing"

	"github.com/deskside/deskside/protocol/fuzztest"
)

// FuzzMessage: words that cannot be read stay as they are; a text without names is
// said as it stands.
func FuzzMessage(f *testing.F) {
	for _, s := range []string{"{n, plural, =0 {a} one {# b} other {c}}", "{x, select, vpn {{n}} other {}}", "}{", "a {b} c", "{n, plural, other {{n, plural, few {#} other {##}}}}"} {
		f.Add(s)
	}
	for _, c := range Builtin() {
		f.Add(c.Text.Finding.PL)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var en string
		fuzztest.Spends(t, 512*len(s), func() { en = Render("en", s, nil) })
		Render("pl", s, arg(2))
		if _, err := parseMessage(s); (err != nil || !strings.ContainsAny(s, "{}")) && en != s {
			t.Errorf("%q is said as %q", s, en)
		}
	})
}

// setSpends is what the compiler may take for the expressions of one check, in bytes.
const setSpends = 8 << 20

// FuzzDecodeSet: a set is refused, or all of its checks can be judged, and it is the
// same set, by its hash, at the other end.
func FuzzDecodeSet(f *testing.F) {
	for _, watched := range [][]string{nil, {"cups", "Spooler"}} {
		set, err := Resolve(Builtin(), Layer{Watched: watched})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(set.Encode())
		for i := range set.Checks {
			f.Add(Set{Checks: set.Checks[i : i+1], Watched: watched}.Encode())
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var s Set
		var err error
		fuzztest.Spends(t, 512*len(b)+setSpends, func() { s, err = DecodeSet(b) })
		if err != nil {
			return
		}
		if len(s.Checks) > MaxChecks {
			t.Fatalf("%d checks", len(s.Checks))
		}
		if _, err := Resolve(s.Checks); err != nil {
			t.Fatal(err)
		}
		back, err := DecodeSet(s.Encode())
		if err != nil || back.Hash() != s.Hash() {
			t.Fatalf("another set comes back: %v", err)
		}
	})
}

// FuzzParseList: a file of checks is refused, or what it lists can be judged, and
// can be told to a machine.
func FuzzParseList(f *testing.F) {
	for _, id := range order {
		raw, err := files.ReadFile("checks/" + id + ".yaml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add([]byte("- " + strings.ReplaceAll(strings.TrimSpace(string(raw)), "\n", "\n  ") + "\n"))
	}
	f.Add([]byte("- {id: process.cpu, warning: '>= 1', for: 2s}\n- {id: own, value: memory.used, critical: '> 0.9', family: x}\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var list []Check
		var err error
		fuzztest.Spends(t, 4096*len(b)+setSpends, func() { list, err = ParseList(b) })
		if err != nil {
			var invalid *Invalid
			if errors.As(err, &invalid) && (invalid.Field == "" || invalid.Message == "") {
				t.Errorf("a refusal that does not say what is wrong: %#v", err)
			}
			return
		}
		set, err := Resolve(list)
		if err != nil {
			t.Fatal(err)
		}
		back, err := DecodeSet(set.Encode())
		if err != nil || back.Hash() != set.Hash() {
			t.Fatalf("a list that is good here is another at the machine: %v", err)
		}
	})
}
