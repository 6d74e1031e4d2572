package protocol

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"reflect"
	"testing"

	"github.com/deskside/deskside/protocol/fuzztest"
)

// entryBodies are what a batch carries, by class.
func entryBodies() map[Class]any {
	return map[Class]any{ClassTransition: Transition{}, ClassResult: Result{}, ClassChange: Change{}, ClassJournal: JournalEntry{},
		ClassFacts: Section{}, ClassHistory: HistoryRow{}}
}

// perByte is what one byte of a message may take of memory: the largest of our
// structs are in lists, where one byte can stand for a whole empty one.
const perByte = 512

// decodes reads raw into a new value of the type of sample; what is refused has one
// of the two errors by which both ends tell what was wrong.
func decodes(t *testing.T, raw []byte, sample any) (any, bool) {
	t.Helper()
	var body any
	var err error
	fuzztest.Spends(t, perByte*len(raw), func() {
		body = reflect.New(reflect.TypeOf(sample)).Interface()
		err = Unmarshal(raw, body)
	})
	if err != nil && !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrTooLarge) {
		t.Errorf("%T is refused with an error of no kind: %v", sample, err)
	}
	return body, err == nil
}

// survives: what was decoded is the same after it was written and read again.
func survives(t *testing.T, body any) {
	t.Helper()
	once, err := Marshal(body)
	if err != nil {
		t.Fatalf("%T was decoded and cannot be encoded: %v", body, err)
	}
	back := reflect.New(reflect.TypeOf(body).Elem()).Interface()
	if err := Unmarshal(once, back); err != nil {
		t.Fatalf("%T was encoded and cannot be decoded: %v\n%x", body, err, once)
	}
	twice, err := Marshal(back)
	if err != nil || !bytes.Equal(once, twice) {
		t.Fatalf("%T, %v:\n%x became\n%x", body, err, once, twice)
	}
}

// FuzzDecode: the frames of the conversation, those of hello and enrolment among
// them, with the entries of a batch and the order under a stamp.
func FuzzDecode(f *testing.F) {
	for _, s := range samples() {
		f.Add(must(Encode(s.kind, s.body)))
	}
	kinds, classes := bodies(), entryBodies()
	for kind, body := range kinds {
		f.Add(must(Encode(kind, body)))
	}
	for class, body := range classes {
		f.Add(must(Encode(KindBatch, Batch{Entries: []Entry{{Class: class, Number: 1, Key: "k", Body: must(Marshal(body))}}})))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		m, err := Decode(frame, MaxFrame)
		if err != nil {
			if !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrTooLarge) {
				t.Errorf("a frame is refused with an error of no kind: %v", err)
			}
			return
		}
		sample, known := kinds[m.Kind]
		if !known {
			return
		}
		body, ok := decodes(t, m.Body, sample)
		if !ok {
			return
		}
		survives(t, body)
		switch b := body.(type) {
		case *Hello:
			var refused Refused
			if err := b.Check(); err != nil && (!errors.As(err, &refused) || refused.Code == "" || refused.Text == "") {
				t.Errorf("a hello is refused without a code or a sentence: %v", err)
			}
		case *Batch:
			for _, e := range b.Entries {
				if sample, known := classes[e.Class]; known && e.Body != nil {
					if body, ok := decodes(t, e.Body, sample); ok {
						survives(t, body)
					}
				}
			}
		}
	})
}

// FuzzStamp: nothing but what the console has stamped opens, however it is turned.
func FuzzStamp(f *testing.F) {
	key := ed25519.NewKeyFromSeed(seed)
	made := map[string]bool{}
	for kind, body := range map[Kind]any{KindCheckNow: CheckNow{}, KindCancel: Cancel{Run: machine},
		KindWork: Work{Script: "free-disk-space", Parameters: map[string]string{"MOUNT": "/"}}} {
		order := Order{ID: machine, Organisation: organisation, Machine: machine, Issued: 1, Expires: 2, Kind: kind, Body: must(Marshal(body))}
		s, err := Stamp(key, order)
		if err != nil {
			f.Fatal(err)
		}
		made[string(must(Marshal(order)))] = true
		f.Add(s.Stamp)
	}
	other, err := Stamp(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{8}, ed25519.SeedSize)), Order{ID: machine, Kind: KindCheckNow, Body: must(Marshal(CheckNow{}))})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(other.Stamp)
	public := key.Public().(ed25519.PublicKey)
	f.Fuzz(func(t *testing.T, stamp []byte) {
		var order Order
		var err error
		fuzztest.Spends(t, perByte*len(stamp), func() { order, err = Stamped{Stamp: stamp}.Open(public) })
		if err == nil && !made[string(must(Marshal(order)))] {
			t.Errorf("an order that was never stamped opens: %+v", order)
		}
	})
}

// FuzzToken: a token is what its text says, or refused in a sentence. Where sum is
// true the text is made of what stands under its sum, so that the fuzzer comes there.
func FuzzToken(f *testing.F) {
	whole := Token{Secret: make([]byte, 16), Organisation: organisation, Identities: [][]byte{{1}}, Root: make([]byte, 32)}
	f.Add(false, []byte(whole.String()))
	f.Add(false, []byte(tokenPrefix+"AAA"))
	f.Add(true, must(Marshal(whole)))
	f.Fuzz(func(t *testing.T, sum bool, raw []byte) {
		text := string(raw)
		if sum {
			end := sha256.Sum256(raw)
			text = tokenPrefix + base64.RawURLEncoding.EncodeToString(append(raw[:len(raw):len(raw)], end[:tokenSum]...))
		}
		var token Token
		var err error
		fuzztest.Spends(t, perByte*len(text), func() { token, err = ParseToken(text) })
		if err != nil {
			if err.Error() == "" {
				t.Error("a token is refused without a word")
			}
			return
		}
		again, err := ParseToken(token.String())
		if err != nil || again.String() != token.String() {
			t.Errorf("a token cannot be written and read again: %v\n%+v", err, token)
		}
	})
}
