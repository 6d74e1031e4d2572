package trust

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Role is what a person may say.
type Role string

// The roles of people. Nobody has one because of another: a root who also approves has both.
const (
	Root       Role = "root"       // trust files
	Approver   Role = "approver"   // approvals, withdrawals, plans, releases
	Technician Role = "technician" // orders and grants
)

// Risk is what a script may do to a machine, as in its manifest.
type Risk string

// The risks of scripts.
const (
	Safe        Risk = "safe"
	Disruptive  Risk = "disruptive"
	Destructive Risk = "destructive"
)

const (
	maxPeople   = 200
	maxKeys     = 8 // of a person
	maxConsoles = 8
	maxNeeds    = 8 // people who must say the same; a new trust file needs so many of the old and of the new
	fileLife    = 2 * 366 * 24 * time.Hour
)

// Person is one who may say something, and what with.
type Person struct {
	ID    uuid.UUID `cbor:"1,keyasint"`
	Name  string    `cbor:"2,keyasint"`
	Roles []Role    `cbor:"3,keyasint"`
	Keys  []Key     `cbor:"4,keyasint"`
}

// Is tells whether the person has a role.
func (p Person) Is(r Role) bool { return slices.Contains(p.Roles, r) }

// Needs is how many people must say the same.
type Needs struct {
	Root        int `cbor:"1,keyasint"` // to a new trust file
	Safe        int `cbor:"2,keyasint"` // to a script of this risk, and to a plan with one
	Disruptive  int `cbor:"3,keyasint"`
	Destructive int `cbor:"4,keyasint"`
	Release     int `cbor:"5,keyasint"` // to a version of the agent
}

// For is how many approvers a script of this risk needs; what is not known needs more
// than there can be.
func (n Needs) For(r Risk) int {
	switch r {
	case Safe:
		return n.Safe
	case Disruptive:
		return n.Disruptive
	case Destructive:
		return n.Destructive
	}
	return maxPeople + 1
}

// File is the trust file of an organisation, one version of it: who its people are, what
// each may say, how many must say the same, and which consoles are its own.
type File struct {
	Version uint64   `cbor:"1,keyasint"`
	Before  []byte   `cbor:"2,keyasint,omitempty"` // the digest of the version before; none has the first
	Name    string   `cbor:"3,keyasint"`           // of the organisation
	People  []Person `cbor:"4,keyasint"`
	Needs   Needs    `cbor:"5,keyasint"`
	// OnePerson lets the author of a script approve it, and one approver be enough for
	// what is destructive: a helpdesk of one says so in its signed file.
	OnePerson bool `cbor:"6,keyasint,omitempty"`
	// Consoles are the fingerprints of the identity keys of the organisation's consoles.
	Consoles [][]byte `cbor:"7,keyasint,omitempty"`
	// Epoch ends all approvals of an earlier one when it rises.
	Epoch uint64 `cbor:"8,keyasint,omitempty"`
}

// Kind is what it says.
func (*File) Kind() Kind { return KindTrust }

func (*File) longest() time.Duration { return fileLife }

func (f *File) check() error {
	switch {
	case f.Version == 0:
		return errors.New("a trust file without a version; the first is 1")
	case f.Version == 1 && len(f.Before) > 0:
		return errors.New("the first trust file follows on none")
	case f.Version > 1 && len(f.Before) != 32:
		return errors.New("it does not say which trust file it follows on")
	case len(f.People) == 0 || len(f.People) > maxPeople:
		return fmt.Errorf("%d people; 1 to %d are allowed", len(f.People), maxPeople)
	case len(f.Consoles) > maxConsoles:
		return fmt.Errorf("%d identities of consoles; at most %d are allowed", len(f.Consoles), maxConsoles)
	}
	if err := line("the name of an organisation", f.Name, 1, 200); err != nil {
		return err
	}
	people, keys := map[uuid.UUID]bool{}, map[string]string{}
	for _, p := range f.People {
		if err := p.check(); err != nil {
			return err
		}
		if people[p.ID] {
			return fmt.Errorf("%s is in it twice", p.Name)
		}
		people[p.ID] = true
		for _, k := range p.Keys {
			itself, err := k.itself() // whatever it is called, and by whichever scheme it signs
			if err != nil {
				return fmt.Errorf("%s: the key %q: %w", p.Name, k.Name, err)
			}
			if owner, taken := keys[itself]; taken {
				return fmt.Errorf("the key %q of %s is also a key of %s; a key has one owner", k.Name, p.Name, owner)
			}
			keys[itself] = p.Name
		}
	}
	for _, c := range f.Consoles {
		if len(c) != 32 {
			return fmt.Errorf("an identity of a console of %d bytes; it has 32", len(c))
		}
	}
	return f.checkNeeds()
}

func (p Person) check() error {
	if p.ID == uuid.Nil {
		return errors.New("a person without an id")
	}
	if err := line("the name of a person", p.Name, 1, 120); err != nil {
		return err
	}
	if n := len(p.Keys); n == 0 || n > maxKeys {
		return fmt.Errorf("%s has %d keys; 1 to %d are allowed", p.Name, n, maxKeys)
	}
	if len(p.Roles) == 0 {
		return fmt.Errorf("%s has no role", p.Name)
	}
	for i, r := range p.Roles {
		if r != Root && r != Approver && r != Technician {
			return fmt.Errorf("%s has the role %q; allowed are %s, %s, %s", p.Name, short(string(r)), Root, Approver, Technician)
		}
		if slices.Contains(p.Roles[:i], r) {
			return fmt.Errorf("%s has the role %s twice", p.Name, r)
		}
	}
	for _, k := range p.Keys {
		if err := k.check(); err != nil {
			return fmt.Errorf("%s: %w", p.Name, err)
		}
	}
	return nil
}

// checkNeeds sees to it that nobody is asked for more people than there are, which would
// close the organisation for ever, nor for none.
func (f *File) checkNeeds() error {
	roots, approvers := f.able(Root), f.able(Approver)
	if f.Needs.Root < 1 || f.Needs.Root > min(roots, maxNeeds) {
		return fmt.Errorf("a new trust file needs %d people; %d can say it, and %d are the most that may be needed", f.Needs.Root, roots, maxNeeds)
	}
	for _, n := range []struct {
		what  string
		needs int
	}{{"a safe script", f.Needs.Safe}, {"a disruptive script", f.Needs.Disruptive}, {"a destructive script", f.Needs.Destructive}, {"a version of the agent", f.Needs.Release}} {
		if most := max(1, min(approvers, maxNeeds)); n.needs < 1 || n.needs > most {
			return fmt.Errorf("%s needs %d approvers; 1 to %d are possible", n.what, n.needs, most)
		}
	}
	if min(f.Needs.Destructive, f.Needs.Release) < 2 && approvers > 0 && !f.OnePerson {
		return errors.New("a destructive script and a version of the agent need two approvers, unless the file says that one person is enough")
	}
	return nil
}

// able is how many people can say what a role says: with a key that counts for it.
func (f *File) able(r Role) int {
	n := 0
	for _, p := range f.People {
		if p.Is(r) && slices.ContainsFunc(p.Keys, func(k Key) bool { return counts(k, r) }) {
			n++
		}
	}
	return n
}

// counts tells whether a signature of key is worth something for a role: roots and
// approvers must have seen what they sign, and a root's key is on one device.
func counts(k Key, r Role) bool {
	switch r {
	case Root:
		return k.Reads() && !k.Synced
	case Approver:
		return k.Reads()
	}
	return true
}

// Person finds one by id.
func (f *File) Person(id uuid.UUID) (Person, bool) {
	i := slices.IndexFunc(f.People, func(p Person) bool { return p.ID == id })
	if i < 0 {
		return Person{}, false
	}
	return f.People[i], true
}

// owner finds who has a key.
func (f *File) owner(id [32]byte) (Person, Key, bool) {
	for _, p := range f.People {
		for _, k := range p.Keys {
			if k.ID() == id {
				return p, k, true
			}
		}
	}
	return Person{}, Key{}, false
}

// Voice is a person who signed.
type Voice struct {
	Person uuid.UUID
	Name   string
	Reads  bool // with a key by which they had seen it
}

// voices are the people of the file who said a statement in a role, each once. A signature
// that does not hold counts for nobody and spoils no other; spoilt is the first of those
// that claim a key which would have counted.
func (f *File) voices(s *Statement, r Role) (list []Voice, spoilt error) {
	for _, x := range s.signatures {
		id, err := keyID(x)
		if err != nil {
			continue
		}
		p, k, known := f.owner(id)
		if !known || !p.Is(r) || !counts(k, r) {
			continue
		}
		if err := s.verify(x, k, r != Technician); err != nil {
			spoilt = cmp.Or(spoilt, err)
			continue
		}
		i := slices.IndexFunc(list, func(v Voice) bool { return v.Person == p.ID })
		if i < 0 {
			list = append(list, Voice{Person: p.ID, Name: p.Name, Reads: k.Reads()})
			continue
		}
		list[i].Reads = list[i].Reads || k.Reads()
	}
	return list, spoilt
}

// enough tells whether as many people said it as must.
func enough(list []Voice, spoilt error, r Role, needs int) error {
	switch {
	case len(list) >= needs:
		return nil
	case spoilt != nil:
		return refuse(CodeTampered, "%d of %d who must say it (%s) did: %v", len(list), needs, r, spoilt)
	}
	return refuse(CodeVoices, "%d of %d who must say it (%s) did", len(list), needs, r)
}

// follows tells whether n is the version that comes next.
func (f *File) follows(n *File, digest [32]byte) error {
	switch {
	case n.Version <= f.Version:
		return refuse(CodeOld, "trust file %d is not newer than %d, which is here", n.Version, f.Version)
	case n.Version > f.Version+1:
		return refuse(CodeGap, "between the trust files %d and %d some are missing", f.Version, n.Version)
	case !bytes.Equal(n.Before, digest[:]):
		return refuse(CodeGap, "trust file %d does not follow on the one that is here", n.Version)
	case n.Epoch < f.Epoch:
		return refuse(CodeOld, "trust file %d goes back to epoch %d from %d", n.Version, n.Epoch, f.Epoch)
	}
	return nil
}

// Names tells whether an identity of a console, by its fingerprint, is the organisation's.
func (f *File) Names(console []byte) bool {
	return slices.ContainsFunc(f.Consoles, func(c []byte) bool { return bytes.Equal(c, console) })
}
