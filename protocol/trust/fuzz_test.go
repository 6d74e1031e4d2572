package trust

import (
	"bytes"
	"errors"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/uuid"

	"github.com/deskside/deskside/protocol/fuzztest"
)

// empty is a body of each kind.
func empty() map[Kind]Body {
	return map[Kind]Body{KindTrust: &Trust{}, KindApproval: &Approval{}, KindWithdrawal: &Withdrawal{}, KindOrder: &Order{},
		KindPlan: &Plan{}, KindGrant: &Grant{}, KindRelease: &Release{}}
}

// FuzzDecode: a statement is refused with one of three errors, or there is one way
// to write it; a proof holds for the statement that was signed and for no other.
func FuzzDecode(f *testing.F) {
	people := []Person{person("anna", 1), person("jan", 2)}
	made := map[string]bool{}
	add := func(body Body, keys ...byte) {
		s, err := New(Statement{Organisation: uuid.Max, ID: uuid.Max, NotBefore: 1, Expires: 2, TrustVersion: 3}, body)
		if err != nil {
			f.Fatal(err)
		}
		for _, n := range keys {
			if err := s.Sign(key(n)); err != nil {
				f.Fatal(err)
			}
		}
		raw, err := s.Encode()
		if err != nil {
			f.Fatal(err)
		}
		made[string(s.Payload)] = true
		f.Add(raw)
	}
	add(&Trust{Version: 1, Root: people, RootNeeds: 1, Needs: map[string]int{"safe": 1}, Identities: [][]byte{{1}}}, 1)
	add(&Approval{Script: "x", Version: 2, Hash: []byte{1}, Platforms: []string{"linux"}, Risk: "safe", RunAs: "root", Author: "a"}, 1, 2)
	add(&Withdrawal{Number: 1, Approvals: []uuid.UUID{uuid.Max}}, 2)
	add(&Order{Script: "x", Hash: []byte{1}, Values: []byte{2}, Machines: []uuid.UUID{uuid.Max}}, 9)
	add(&Plan{Script: "x", Root: []byte{1}, Machines: 12, Waves: []int{1, 11}})
	add(&Grant{Machine: uuid.Max, Door: "terminal"}, 1)
	add(&Release{Version: "1.0", Files: map[string][]byte{"linux": {1}}}, 1)
	// A statement with a longer head than it needs: another text that says the same.
	loose, err := cbor.Marshal(map[int]any{2: uuid.Max[:], 1: "approval", 3: uuid.Max[:], 4: 1, 5: 2, 6: 3, 7: map[int]any{}})
	if err != nil {
		f.Fatal(err)
	}
	long, err := Signed{Payload: append([]byte{0xb8, 0x07}, loose[1:]...)}.Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(long)
	f.Fuzz(func(t *testing.T, b []byte) {
		var signed Signed
		var st Statement
		var err error
		fuzztest.Spends(t, 512*len(b), func() { signed, st, err = Decode(b) })
		if err != nil {
			known(t, err)
			return
		}
		raw, err := signed.Encode()
		if err != nil {
			t.Fatalf("what was decoded cannot be encoded: %v", err)
		}
		if again, err := encoder.Marshal(st); err != nil || !bytes.Equal(again, signed.Payload) {
			t.Fatalf("there are two texts for one statement: %v\n%x\n%x", err, again, signed.Payload)
		}
		if again, _, err := Decode(raw); err != nil || !bytes.Equal(again.Payload, signed.Payload) || len(again.Proofs) != len(signed.Proofs) {
			t.Fatalf("another statement comes back: %v", err)
		}
		for kind, body := range empty() {
			err := st.Read(body)
			if err != nil {
				known(t, err)
				continue
			}
			if kind != st.Kind {
				t.Fatalf("a statement of the kind %q is read as %s", st.Kind, kind)
			}
			if again, err := New(st, body); err != nil || !bytes.Equal(again.Payload, signed.Payload) {
				t.Fatalf("what was read is another statement when it is written: %v", err)
			}
		}
		yes, err := signed.Count(people)
		if err != nil || len(yes) > 0 && !made[string(signed.Payload)] || len(yes) > len(people) {
			t.Errorf("%d people have signed what nobody signed: %v", len(yes), err)
		}
	})
}

func known(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrKind) && !errors.Is(err, ErrTooLarge) {
		t.Errorf("a statement is refused with an error of no kind: %v", err)
	}
}
