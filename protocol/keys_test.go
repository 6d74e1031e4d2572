package protocol

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// bodies are all messages, with a value for each field where it is short.
func bodies() map[Kind]any {
	return map[Kind]any{
		KindHello: Hello{}, KindIdentify: Identify{}, KindProof: Proof{}, KindWelcome: Welcome{}, KindRefused: Refused{},
		KindEnrol: Enrol{}, KindEnrolled: Enrolled{}, KindBatch: Batch{}, KindBeat: Beat{}, KindLive: Live{}, KindAnswer: Answer{},
		KindOutput: Output{}, KindOpened: Opened{}, KindEnded: Ended{}, KindGoodbye: Goodbye{}, KindHelp: Help{}, KindTaken: Taken{},
		KindTrusted: Trusted{}, KindTrust: Trust{},
		KindAck: Ack{}, KindBeatAnswer: BeatAnswer{}, KindStamped: Stamped{}, KindHelpLink: HelpLink{}, KindWork: Work{},
		KindCancel: Cancel{}, KindAsk: Ask{}, KindWatch: Watch{}, KindChecks: Checks{}, KindOpenSession: OpenSession{},
		KindEndSession: EndSession{}, KindCheckNow: CheckNow{}, KindSettings: Settings{},
	}
}

// TestKeys holds every field's number and type against testdata/keys.txt: a
// number that is used again for something else breaks machines in the field.
func TestKeys(t *testing.T) {
	var lines []string
	seen := map[reflect.Type]bool{}
	var walk func(reflect.Type)
	walk = func(typ reflect.Type) {
		for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice || typ.Kind() == reflect.Map {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct || typ.PkgPath() != reflect.TypeFor[Hello]().PkgPath() || seen[typ] {
			return
		}
		seen[typ] = true
		numbers := map[string]string{}
		for i := range typ.NumField() {
			f := typ.Field(i)
			number, rest, _ := strings.Cut(f.Tag.Get("cbor"), ",")
			if !strings.Contains(rest, "keyasint") {
				t.Errorf("%s.%s has no number", typ.Name(), f.Name)
			}
			if numbers[number] != "" {
				t.Errorf("%s: %s and %s share number %s", typ.Name(), numbers[number], f.Name, number)
			}
			numbers[number] = f.Name
			lines = append(lines, fmt.Sprintf("%s.%s = %s, %s", typ.Name(), f.Name, number, f.Type))
			walk(f.Type)
		}
	}
	var kinds []Kind
	for kind, body := range bodies() {
		kinds = append(kinds, kind)
		walk(reflect.TypeOf(body))
	}
	for _, extra := range []any{Order{}, Transition{}, Result{}, Change{}, JournalEntry{}, Section{}, HistoryRow{}, Token{}, Transcript{}} {
		walk(reflect.TypeOf(extra))
	}
	slices.Sort(kinds)
	for _, k := range kinds {
		if k.String() == "unknown" {
			t.Errorf("kind %d has no name", k)
		}
		lines = append(lines, fmt.Sprintf("kind %s = %d", k, k))
	}
	slices.Sort(lines)
	golden(t, "testdata/keys.txt", []byte(strings.Join(lines, "\n")+"\n"))
}

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != string(got) {
		t.Errorf("%s differs; a changed number breaks machines in the field. If it is meant: go test ./protocol -update\ngot:\n%s", path, got)
	}
}

// TestActing: every kind that acts is one that travels inside a stamp.
func TestActing(t *testing.T) {
	acting := Acting()
	for kind := range bodies() {
		if inside := kind >= 40; inside != slices.Contains(acting, kind) {
			t.Errorf("%s: inside a stamp %t, listed as acting %t", kind, inside, !inside)
		}
	}
}
