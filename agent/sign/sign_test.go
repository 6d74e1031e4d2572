package sign

import (
	"bytes"
	"crypto/ed25519"
	"encoding/pem"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/crypto/ssh"

	"github.com/deskside/deskside/protocol/trust"
)

var update = flag.Bool("update", false, "write the golden files anew")

// terminal answers what the desk asks. Words of the paper key it reads from what was shown.
type terminal struct {
	t       *testing.T
	out     bytes.Buffer
	answers map[string][]string // by a part of the prompt; the last one is given again and again
}

func (x *terminal) desk(keys string) *Desk {
	return &Desk{Out: &x.out, Ask: x.answer, Secret: x.answer, Lang: "en", Keys: keys}
}

var numbered = regexp.MustCompile(`Word (\d+):`)

func (x *terminal) answer(prompt string) (string, error) {
	for part, list := range x.answers {
		if strings.Contains(prompt, part) {
			if len(list) > 1 {
				x.answers[part] = list[1:]
			}
			return list[0], nil
		}
	}
	if m := numbered.FindStringSubmatch(prompt); m != nil {
		n, _ := strconv.Atoi(m[1])
		return x.words()[n-1], nil
	}
	x.t.Fatalf("nobody knows what to answer to %q", prompt)
	return "", nil
}

// words are those of the paper key, as they were shown.
func (x *terminal) words() (list []string) {
	for _, m := range regexp.MustCompile(`(?m) (\d+) ([a-z]+)`).FindAllStringSubmatch(x.out.String(), -1) {
		if n, _ := strconv.Atoi(m[1]); n == len(list)+1 {
			list = append(list, m[2])
		}
	}
	return list
}

func errand() trust.Errand {
	return trust.Errand{Organisation: uuid.New(), Name: "Zakład Energetyki", Back: "https://console.example/settings/trust",
		Person: uuid.New(), PersonName: "Anna Nowak", Consoles: [][]byte{bytes.Repeat([]byte{7}, 32)}}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// founded is an organisation whose trust was founded, with what that said.
func founded(t *testing.T) (x *terminal, d *Desk, e trust.Errand, root *trust.Trust) {
	t.Helper()
	x = &terminal{t: t, answers: map[string][]string{"Passphrase": {"correct horse"}, "again": {"correct horse"}, "type yes": {"yes"}}}
	d, e = x.desk(t.TempDir()), errand()
	path, err := d.Found(e, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := must(trust.Open(must(os.ReadFile(path))))
	if root, err = trust.Begin(s, s.Digest()); err != nil {
		t.Fatal(err)
	}
	return x, d, e, root
}

// TestFound: the trust file holds, names who was to be named, and its words and link were
// told; the key opens with its passphrase and no other; nothing is written over.
func TestFound(t *testing.T) {
	x, d, e, root := founded(t)
	if root.Organisation != e.Organisation || !root.File.Names(e.Consoles[0]) || len(root.File.People) != 1 || root.File.People[0].ID != e.Person || len(root.File.People[0].Keys) != 2 {
		t.Errorf("%+v", root.File)
	}
	said := x.out.String()
	if !strings.Contains(said, trust.Words(root.Digest)) || !strings.Contains(said, e.Back+"#") {
		t.Errorf("the words or the link are not said: %s", said)
	}
	link := regexp.MustCompile(`#([\w-]+)`).FindStringSubmatch(said)[1]
	if s := must(trust.Open(must(encoding.DecodeString(link)))); s.Digest() != root.Digest {
		t.Error("the link carries something else")
	}
	file := d.KeyFile(e.Organisation)
	if info := must(os.Stat(file)); runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 { // there the profile of its person is
		t.Errorf("the key's file is %v", info.Mode())
	}
	x.answers["Passphrase"] = []string{"wrong horse"}
	if _, err := d.FromFile(file); err == nil {
		t.Error("the key opens with another passphrase")
	}
	x.answers["Passphrase"] = []string{"correct horse"}
	if _, err := d.Found(e, t.TempDir()); !errors.Is(err, fs.ErrExist) {
		t.Errorf("founded twice: %v", err)
	}
	// The paper key signs, too.
	order := draft(t, e, orderOf())
	x.answers["24 words"] = []string{strings.Join(x.words(), " ")}
	if err := d.Sign(order, root.File, d.FromPaper); err != nil {
		t.Fatal(err)
	}
	if _, err := root.Heard(order, nil, time.Now()); err != nil {
		t.Error(err)
	}
}

// TestNotFounded: who says no, or does not know what is on their paper, leaves nothing.
func TestNotFounded(t *testing.T) {
	for what, answers := range map[string]map[string][]string{
		"no":            {"Passphrase": {"correct horse"}, "again": {"correct horse"}, "type yes": {"y"}},
		"a short one":   {"Passphrase": {"short", "correct horse"}, "again": {"correct horse"}, "type yes": {""}},
		"another one":   {"Passphrase": {"correct horse", "battery staple"}, "again": {"correct hose", "battery staple"}, "type yes": {"YES"}},
		"a wrong paper": {"Passphrase": {"correct horse"}, "again": {"correct horse"}, "Word": {"nonsense", "wrong"}},
	} {
		x := &terminal{t: t, answers: answers}
		d, out := x.desk(t.TempDir()), t.TempDir()
		if what == "a wrong paper" {
			asked := 0
			d.Ask = func(prompt string) (string, error) {
				if asked++; asked > 5 {
					return "", errors.New("the terminal is gone")
				}
				return x.answer(prompt)
			}
		}
		if _, err := d.Found(errand(), out); err == nil || what != "a wrong paper" && !errors.Is(err, ErrNo) {
			t.Errorf("%s: %v", what, err)
		}
		if short := strings.Contains(x.out.String(), "At least 8 characters"); short != (what == "a short one") {
			t.Errorf("%s: called too short: %t", what, short)
		}
		for _, dir := range []string{out, d.Keys} {
			if list := must(os.ReadDir(dir)); len(list) != 0 {
				t.Errorf("%s: %v was left", what, list)
			}
		}
	}
}

func orderOf() *trust.Order {
	return &trust.Order{Script: trust.Script{ID: "restart-service", Version: 2, Hash: bytes.Repeat([]byte{1}, 32)}, Values: map[string]string{"SERVICE": "cups"},
		Machines: []uuid.UUID{uuid.MustParse("01a20a83-7adb-768e-88ea-e8089c3432f3")}, Ticket: 12}
}

// draft is what a console asks to be signed.
func draft(t *testing.T, e trust.Errand, body trust.Body) *trust.Statement {
	t.Helper()
	from := time.Now().Add(-time.Minute)
	s := must(trust.New(trust.Head{Organisation: e.Organisation, ID: uuid.New(), NotBefore: from, Expires: from.Add(5 * time.Minute), Trust: 1}, body))
	asked := must(trust.ParseErrand(trust.Errand{Organisation: e.Organisation, Name: e.Name, Back: e.Back, Payload: s.Payload()}.String()))
	return must(trust.Draft(asked.Payload))
}

// TestSign: what was shown is what is signed, and only after the whole word.
func TestSign(t *testing.T) {
	x, d, e, root := founded(t)
	daily := func() (Signer, error) { return d.FromFile(d.KeyFile(e.Organisation)) }
	s := draft(t, e, orderOf())
	for _, no := range []string{"", "y", "Yes", "yes please"} {
		x.answers["type yes"] = []string{no}
		if err := d.Sign(s, root.File, daily); !errors.Is(err, ErrNo) {
			t.Errorf("%q: %v", no, err)
		}
		if _, err := s.Encode(); err == nil {
			t.Errorf("%q: it was signed", no)
		}
	}
	x.answers["type yes"] = []string{"yes"}
	x.out.Reset()
	if err := d.Sign(s, root.File, daily); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"restart-service", "SERVICE = cups", "01a20a83-7adb-768e-88ea-e8089c3432f3", "12"} {
		if !strings.Contains(x.out.String(), part) {
			t.Errorf("%q was not shown", part)
		}
	}
	voices, err := root.Heard(must(trust.Open(must(s.Encode()))), nil, time.Now())
	if err != nil || len(voices) != 1 || voices[0].Name != "Anna Nowak" || !voices[0].Reads {
		t.Errorf("%v, %v", voices, err)
	}
	dir := t.TempDir()
	if err := d.Hand(s, "", dir); err != nil {
		t.Error(err)
	}
	if err := d.Hand(s, "", dir); err == nil {
		t.Error("what was signed was written over")
	}
}

// TestSignSSH: a key that the trust file has as one of OpenSSH signs as that.
func TestSignSSH(t *testing.T) {
	x, d, e, root := founded(t)
	_, own, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "id_ed25519")
	if err := os.WriteFile(file, pem.EncodeToMemory(must(ssh.MarshalPrivateKey(own, "tess"))), 0o600); err != nil {
		t.Fatal(err)
	}
	f := *root.File
	f.Version, f.Before = 2, root.Digest[:]
	f.People = append(f.People, trust.Person{ID: uuid.New(), Name: "Tess", Roles: []trust.Role{trust.Technician},
		Keys: []trust.Key{{Scheme: trust.SSH, Name: "laptop", Public: must(ssh.NewSignerFromKey(own)).PublicKey().Marshal()}}})
	from := time.Now().Add(-time.Minute)
	s := must(trust.New(trust.Head{Organisation: e.Organisation, ID: uuid.New(), NotBefore: from, Expires: from.Add(time.Hour), Trust: 2}, &f))
	x.out.Reset()
	if err := d.Sign(s, root.File, func() (Signer, error) { return d.FromFile(d.KeyFile(e.Organisation)) }); err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`Tess: .*<- new`).MatchString(x.out.String()) || regexp.MustCompile(`Anna.*<- new`).MatchString(x.out.String()) {
		t.Errorf("what is new is not told: %s", x.out.String())
	}
	if runtime.GOOS != "windows" {
		if err := os.Chmod(file, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := d.FromFile(file); err == nil || !strings.Contains(err.Error(), "chmod 600") {
			t.Errorf("a key that others may read: %v", err)
		}
		if err := os.Chmod(file, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	second := must(root.Next(s))
	order := must(trust.New(trust.Head{Organisation: e.Organisation, ID: uuid.New(), NotBefore: from, Expires: from.Add(time.Hour), Trust: 2}, orderOf()))
	if err := d.Sign(order, second.File, func() (Signer, error) { return d.FromFile(file) }); err != nil {
		t.Fatal(err)
	}
	if voices, err := second.Heard(order, nil, time.Now()); err != nil || voices[0].Name != "Tess" {
		t.Errorf("%v, %v", voices, err)
	}
}

// TestPages: how each kind of statement is shown, in both languages.
func TestPages(t *testing.T) {
	ids := func(n byte) uuid.UUID { return uuid.UUID(bytes.Repeat([]byte{n}, 16)) }
	key := func(n byte) trust.Key {
		return trust.KeyOf("daily key", ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, ed25519.SeedSize)))
	}
	hash := bytes.Repeat([]byte{0xab}, 32)
	script := trust.Script{ID: "restart-service", Version: 3, Hash: hash}
	file := func(names ...string) *trust.File {
		f := &trust.File{Version: 2, Before: hash, Name: "Zakład Energetyki", OnePerson: true, Consoles: [][]byte{hash}, Epoch: 1,
			Needs: trust.Needs{Root: 1, Safe: 1, Disruptive: 1, Destructive: 1, Release: 1}}
		for i, name := range names {
			f.People = append(f.People, trust.Person{ID: ids(byte(i + 1)), Name: name, Roles: []trust.Role{trust.Root, trust.Approver, trust.Technician}, Keys: []trust.Key{key(name[0])}})
		}
		return f
	}
	under := file("Anna", "Piotr")
	zone := time.Local
	time.Local = time.UTC
	t.Cleanup(func() { time.Local = zone })
	for _, body := range []trust.Body{
		file("Anna", "Ewa"),
		&trust.Approval{Epoch: 1, Scripts: []trust.Approved{{Script: script, Risk: trust.Disruptive, Author: ids(2), Platforms: []string{"linux", "windows"}, RunAs: "system", Values: map[string][]string{"SERVICE": {"cups", "sssd"}}}}},
		&trust.Withdrawal{Number: 4, Statements: []uuid.UUID{ids(9)}, Scripts: [][]byte{hash}},
		&trust.Order{Script: script, Values: map[string]string{"SERVICE": "cups"}, DryRun: true, Machines: []uuid.UUID{ids(5)}, Ticket: 12},
		&trust.Plan{Script: script, Risk: trust.Safe, Values: map[string]string{"MOUNT": "/home"}, Root: hash, Waves: []trust.Wave{{Machines: 5}, {Machines: 200, After: 3600}}},
		&trust.Grant{Challenge: hash, Door: "terminal", Account: "person", Minutes: 30, Ticket: 12},
		&trust.Release{Number: 7, Version: "1.4.0", Builds: []trust.Build{{OS: "linux", Arch: "amd64", Hash: hash, Size: 15_000_000}}},
	} {
		from := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		s := must(trust.New(trust.Head{Organisation: ids(8), ID: ids(7), NotBefore: from, Expires: from.Add(4 * time.Minute), Trust: 2}, body))
		var out bytes.Buffer
		for _, lang := range []string{"en", "pl"} {
			(&Desk{Out: &out, Lang: lang}).Show(s, under)
		}
		golden := filepath.Join("testdata", string(body.Kind())+".txt")
		if *update {
			if err := os.WriteFile(golden, out.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want := must(os.ReadFile(golden)); !bytes.Equal(out.Bytes(), want) {
			t.Errorf("%s:\n%s", body.Kind(), out.String())
		}
	}
}

// TestWords: both languages have every word.
func TestWords(t *testing.T) {
	for id, both := range words {
		if both[0] == "" || both[1] == "" || strings.Count(both[0], "%") != strings.Count(both[1], "%") {
			t.Errorf("%s: %q", id, both)
		}
	}
}
