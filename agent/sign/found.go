package sign

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/protocol/trust"
)

const (
	fileLife  = 2 * 365 * 24 * time.Hour
	backdated = 5 * time.Minute // so that a machine whose clock is a little behind takes it
	asked     = 3               // words of the paper key that are asked for
)

// Found founds the trust of an organisation. Its first trust file is written into the
// folder out; what comes back is where it lies. Nothing that is there is written over.
func (d *Desk) Found(e trust.Errand, out string) (path string, err error) {
	if !e.Founds() {
		return "", fmt.Errorf("%w: this is to be signed, not to found a trust; leave --init out", trust.ErrStatement)
	}
	path = filepath.Join(out, "trust-1.cbor")
	keyFile := d.KeyFile(e.Organisation)
	for _, file := range []string{path, keyFile} {
		if _, err := os.Lstat(file); err == nil {
			return "", fmt.Errorf("%w: %s is there already; it is not written over", fs.ErrExist, file)
		}
	}
	p := page{Desk: d}
	fmt.Fprintf(d.Out, "%s\n\n", d.say("founding"))
	p.line("organisation", e.Name)
	p.line("id", e.Organisation.String())
	p.line("person", e.PersonName)
	for _, c := range e.Consoles {
		p.line("console", hex.EncodeToString(c))
	}
	fmt.Fprintf(d.Out, "\n%s\n", d.say("daily", keyFile))
	passphrase, err := d.choose()
	if err != nil {
		return "", err
	}
	_, daily, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", fmt.Errorf("make the daily key: %w", err)
	}
	paper, err := d.paper()
	if err != nil {
		return "", err
	}
	s, err := first(e, daily, paper)
	if err != nil {
		return "", err
	}
	d.Show(s, nil)
	if err := d.yes(); err != nil {
		return "", err
	}
	if err := s.Sign(daily); err != nil {
		return "", err
	}
	raw, err := s.Encode()
	if err != nil {
		return "", err
	}
	// The key first: a trust file whose key is lost would be of no use.
	if err := keep(keyFile, daily, passphrase); err != nil {
		return "", err
	}
	if err := create(path, raw, 0o644); err != nil {
		return "", err
	}
	link, err := Link(e.Back, s)
	if err != nil {
		return "", err
	}
	fmt.Fprintln(d.Out, "\n"+d.say("founded", trust.Words(s.Digest()), path, link))
	return path, nil
}

// first is trust file 1 of an organisation: one person, who may do everything.
func first(e trust.Errand, daily, paper ed25519.PrivateKey) (*trust.Statement, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	from := time.Now().Add(-backdated).Truncate(time.Microsecond)
	return trust.New(trust.Head{Organisation: e.Organisation, ID: id, NotBefore: from, Expires: from.Add(fileLife), Trust: 1}, &trust.File{
		Version: 1, Name: e.Name, Consoles: e.Consoles, OnePerson: true,
		Needs: trust.Needs{Root: 1, Safe: 1, Disruptive: 1, Destructive: 1, Release: 1},
		People: []trust.Person{{ID: e.Person, Name: e.PersonName, Roles: []trust.Role{trust.Root, trust.Approver, trust.Technician},
			Keys: []trust.Key{trust.KeyOf("daily key", daily), trust.KeyOf("paper key", paper)}}},
	})
}

// paper makes the paper key, and sees to it that it was written down.
func (d *Desk) paper() (ed25519.PrivateKey, error) {
	paper, err := trust.NewPaper()
	if err != nil {
		return nil, err
	}
	list := strings.Fields(paper.Words)
	fmt.Fprintf(d.Out, "\n%s\n\n", d.say("paper"))
	for i, w := range list {
		fmt.Fprintf(d.Out, "  %2d %-10s", i+1, w)
		if i%6 == 5 {
			fmt.Fprintln(d.Out)
		}
	}
	fmt.Fprintln(d.Out)
	for _, n := range d.some(len(list)) {
		for {
			word, err := d.Ask(d.say("word", n+1) + " ")
			if err != nil {
				return nil, err
			}
			if strings.EqualFold(strings.TrimSpace(word), list[n]) {
				break
			}
			fmt.Fprintln(d.Out, d.say("not that word", n+1))
		}
	}
	return paper.Key()
}

// some are the numbers of a few words, in their order.
func (d *Desk) some(of int) []int {
	var list []int
	for len(list) < asked {
		var b [1]byte
		rand.Read(b[:])
		if n := int(b[0]) % of; !slices.Contains(list, n) {
			list = append(list, n)
		}
	}
	slices.Sort(list)
	return list
}

// Sign shows a statement and, when the person says yes, signs it.
func (d *Desk) Sign(s *trust.Statement, under *trust.File, signer func() (Signer, error)) error {
	d.Show(s, under)
	fmt.Fprintln(d.Out)
	if err := d.yes(); err != nil {
		return err
	}
	sign, err := signer()
	if err != nil {
		return err
	}
	return sign(s, under)
}
