package trust

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/uuid"
)

func key(n byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, ed25519.SeedSize))
}

func person(name string, keys ...byte) Person {
	p := Person{ID: uuid.NewSHA1(uuid.Nil, []byte(name)), Name: name}
	for _, n := range keys {
		p.Keys = append(p.Keys, Key{Scheme: Ed25519, Public: key(n).Public().(ed25519.PublicKey)})
	}
	return p
}

func approval(t *testing.T) Signed {
	t.Helper()
	s, err := New(Statement{Organisation: uuid.Max, ID: uuid.Max, NotBefore: 10, Expires: 20, TrustVersion: 3},
		Approval{Script: "x", Version: 2, Hash: []byte{1}, Platforms: []string{"linux"}, Risk: "safe", RunAs: "root", Author: "a"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStatement(t *testing.T) {
	s := approval(t)
	if err := s.Sign(key(1)); err != nil {
		t.Fatal(err)
	}
	raw, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	again, st, err := Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	var a Approval
	if err := st.Read(&a); err != nil || a.Script != "x" || st.Kind != KindApproval {
		t.Fatalf("%v: %+v", err, a)
	}
	if !st.At(time.UnixMicro(10)) || st.At(time.UnixMicro(20)) || st.At(time.UnixMicro(9)) {
		t.Error("the dates are not kept")
	}
	yes, err := again.Count([]Person{person("anna", 1), person("jan", 2)})
	if err != nil || len(yes) != 1 || yes[0] != person("anna").ID {
		t.Errorf("%v, %v", yes, err)
	}
}

// TestCount counts people, not keys, and forgives nothing.
func TestCount(t *testing.T) {
	people := []Person{person("anna", 1, 2), person("jan", 3)}
	count := func(s Signed) int {
		yes, err := s.Count(people)
		if err != nil {
			return -1
		}
		return len(yes)
	}
	sign := func(keys ...byte) Signed {
		s := approval(t)
		for _, n := range keys {
			if err := s.Sign(key(n)); err != nil {
				t.Fatal(err)
			}
		}
		return s
	}
	for _, c := range []struct {
		name string
		s    Signed
		want int
	}{
		{"nobody", sign(), 0}, {"one", sign(1), 1}, {"one key twice", sign(1, 1), 1}, {"two keys of one person", sign(1, 2), 1},
		{"two people in any order", sign(3, 1), 2}, {"a stranger", sign(9), 0}, {"a stranger and one", sign(9, 3), 1},
	} {
		if got := count(c.s); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
	changed := sign(1)
	changed.Payload = approvalOf(t, 99).Payload
	if count(changed) != 0 {
		t.Error("a proof of another statement counts")
	}
	for i := range sign(1).Proofs[0] {
		broken := sign(1)
		broken.Proofs[0] = bytes.Clone(broken.Proofs[0])
		broken.Proofs[0][i] ^= 1
		if count(broken) > 0 {
			t.Errorf("byte %d of a proof can be changed", i)
		}
	}
}

func approvalOf(t *testing.T, version int) Signed {
	t.Helper()
	s, err := New(Statement{Organisation: uuid.Max, ID: uuid.Max, NotBefore: 10, Expires: 20}, Approval{Script: "x", Version: version})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestKinds: no kind of statement passes for another.
func TestKinds(t *testing.T) {
	bodies := map[Kind]Body{KindTrust: &Trust{}, KindApproval: &Approval{}, KindWithdrawal: &Withdrawal{}, KindOrder: &Order{},
		KindPlan: &Plan{}, KindGrant: &Grant{}, KindRelease: &Release{}}
	for _, made := range Kinds() {
		s, err := New(Statement{}, bodies[made])
		if err != nil {
			t.Fatal(err)
		}
		st, err := s.Statement()
		if err != nil {
			t.Fatal(err)
		}
		for _, read := range Kinds() {
			if err := st.Read(bodies[read]); (err == nil) != (made == read) {
				t.Errorf("%s read as %s: %v", made, read, err)
			}
		}
	}
	if _, err := New(Statement{Kind: KindGrant}, Approval{}); !errors.Is(err, ErrKind) {
		t.Errorf("a kind that is not the body's: %v", err)
	}
}

// TestStrict: what is signed is understood whole or not at all.
func TestStrict(t *testing.T) {
	unknown, err := cbor.Marshal(map[int]any{1: "approval", 2: uuid.Max[:], 3: uuid.Max[:], 4: 1, 5: 2, 6: 3, 7: map[int]any{}, 8: "tomorrow"})
	if err != nil {
		t.Fatal(err)
	}
	loose, err := cbor.Marshal(map[int]any{2: uuid.Max[:], 1: "approval", 3: uuid.Max[:], 4: 1, 5: 2, 6: 3, 7: map[int]any{}})
	if err != nil {
		t.Fatal(err)
	}
	long := append([]byte{0xb8, 0x07}, loose[1:]...) // the same map with a longer head
	for name, payload := range map[string][]byte{"an unknown field": unknown, "another encoding": long, "nothing": {}, "text": []byte("x")} {
		if _, err := (Signed{Payload: payload}).Statement(); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := Decode(make([]byte, MaxStatement+1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("too large: %v", err)
	}
}
