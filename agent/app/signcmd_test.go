package app

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/deskside/deskside/protocol/trust"
)

// sitting is somebody at a terminal who answers what they are asked.
type sitting struct {
	said  bytes.Buffer
	typed *io.PipeWriter
	word  string // the answer to the last question
}

var numberedWord = regexp.MustCompile(`Word (\d+): $`)

func (s *sitting) Write(p []byte) (int, error) {
	s.said.Write(p)
	said := s.said.String()
	answer := ""
	switch m := numberedWord.FindStringSubmatch(said); {
	case strings.HasSuffix(said, "Passphrase: "), strings.HasSuffix(said, "again: "):
		answer = "correct horse"
	case strings.HasSuffix(said, "type yes: "):
		answer = s.word
	case m != nil:
		n, _ := strconv.Atoi(m[1])
		shown := regexp.MustCompile(` `+strconv.Itoa(n)+` ([a-z]+)`).FindAllStringSubmatch(said, -1)
		answer = shown[len(shown)-1][1] // "these 24 words" stands before them
	default:
		return len(p), nil
	}
	go io.WriteString(s.typed, answer+"\n")
	return len(p), nil
}

// sit runs the command for somebody who answers word where they are to say yes.
func sit(t *testing.T, word string, args ...string) (string, error) {
	t.Helper()
	in, typed := io.Pipe()
	defer in.Close()
	s := &sitting{typed: typed, word: word}
	root := commands()
	root.SetArgs(append([]string{"sign", "--lang", "en"}, args...))
	root.SetIn(in)
	root.SetOut(s)
	root.SetErr(io.Discard)
	err := root.ExecuteContext(t.Context())
	return s.said.String(), err
}

// TestSignCommand: a trust is founded and an order signed by the command, with what a page
// of the console gives out; a computer that lets others in is refused.
func TestSignCommand(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	t.Setenv("AppData", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	dir := t.TempDir()
	policy := filepath.Join(dir, "none.yaml")
	e := trust.Errand{Organisation: uuid.New(), Name: "Zakład", Back: "https://console.example/settings/trust", Person: uuid.New(), PersonName: "Anna", Consoles: [][]byte{make([]byte, 32)}}
	if _, err := sit(t, "no", "--init", "--policy", policy, "--out", dir, e.String()); err == nil {
		t.Error("founded without a yes")
	}
	said, err := sit(t, "yes", "--init", "--policy", policy, "--out", dir, e.String())
	if err != nil {
		t.Fatal(err, said)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "trust-1.cbor"))
	if err != nil {
		t.Fatal(err)
	}
	first, err := trust.Open(raw)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(said, trust.Words(first.Digest())) {
		t.Errorf("the words are not said: %s", said)
	}
	for what, args := range map[string][]string{
		"founded again":       {"--init", "--policy", policy, "--out", dir, e.String()},
		"founded, not --init": {"--policy", policy, e.String()},
		"nothing":             {"--policy", policy, "nonsense"},
		"not whole":           {"--policy", policy, e.String()[:40]},
	} {
		if _, err := sit(t, "yes", args...); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
	open := filepath.Join(dir, "policy.yaml")
	if err := os.WriteFile(open, []byte("version: 1\nprofile: unattended\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if said, err := sit(t, "yes", "--show", "--policy", open, filepath.Join(dir, "trust-1.cbor")); err == nil {
		t.Errorf("on a computer that lets others in: %s", said)
	}
	t.Setenv("DESKSIDE_ANYWAY", "true")
	if said, err := sit(t, "yes", "--show", "--policy", open, filepath.Join(dir, "trust-1.cbor")); err == nil {
		t.Errorf("a variable decided: %s", said)
	}
	broken := filepath.Join(dir, "broken.yaml")
	if err := os.WriteFile(broken, []byte("version: 1\nprofile: \n  - what\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if said, err := sit(t, "yes", "--show", "--policy", broken, filepath.Join(dir, "trust-1.cbor")); err == nil {
		t.Errorf("on a computer of which it is not known: %s", said)
	}
	word := filepath.Join(dir, "word")
	if err := os.WriteFile(word, []byte("correct horse\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = sit(t, "yes", "--paper", "--passphrase-file", word, "--policy", policy, filepath.Join(dir, "trust-1.cbor"))
	if err == nil || !strings.Contains(err.Error(), "leave one of the two out") {
		t.Errorf("a passphrase for the paper words: %v", err)
	}
	said, err = sit(t, "yes", "--show", "--anyway", "--policy", open, filepath.Join(dir, "trust-1.cbor"))
	if err != nil || !strings.Contains(said, "TRUST FILE 1") {
		t.Errorf("%v: %s", err, said)
	}
}
