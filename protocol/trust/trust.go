package trust

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Refusal is a no: a code for programs and a sentence for people.
type Refusal struct {
	Code string
	Text string
}

func (r *Refusal) Error() string { return r.Text }

func refuse(code, format string, parts ...any) *Refusal {
	return &Refusal{Code: code, Text: fmt.Sprintf(format, parts...)}
}

// The codes of refusals.
const (
	CodeOrganisation = "statement_elsewhere" // of another organisation, or another root
	CodeEarly        = "statement_early"
	CodeExpired      = "statement_expired"
	CodeOld          = "trust_old"          // a trust file that is not newer, or an approval of an earlier epoch
	CodeGap          = "trust_gap"          // trust files are missing in between
	CodeNewer        = "trust_newer"        // signed under a trust file that is not here yet
	CodeVoices       = "statement_unsigned" // fewer people signed than must
	CodeTampered     = "statement_tampered"
	CodeNotMeant     = "statement_not_meant" // for other machines
	CodeWithdrawn    = "statement_withdrawn"
)

// Trust is the trust file that holds, and what it follows from.
type Trust struct {
	File         *File
	Organisation uuid.UUID
	Digest       [32]byte // of the file
	Root         [32]byte // of the first one of its chain
	Expires      time.Time
}

// Begin takes the first trust file of an organisation, which must be the one whose digest
// is root. A digest is all that must have come another way: what the file says then says
// who must have signed it.
func Begin(first *Statement, root [32]byte) (*Trust, error) {
	first, err := first.signed()
	if err != nil {
		return nil, err
	}
	f, ok := first.Body.(*File)
	if !ok || f.Version != 1 || first.Head.Trust != 1 {
		return nil, refuse(CodeOrganisation, "a chain of trust begins with trust file 1")
	}
	if first.Digest() != root {
		return nil, refuse(CodeOrganisation, "this is not the root that was told: its words are %s", Words(first.Digest()))
	}
	t := &Trust{File: f, Organisation: first.Organisation, Digest: root, Root: root, Expires: first.Expires}
	if err := f.said(first, f.Needs.Root); err != nil {
		return nil, err
	}
	return t, nil
}

// said tells whether enough roots of a trust file signed a statement.
func (f *File) said(s *Statement, needs int) error {
	voices, spoilt := f.voices(s, Root)
	return enough(voices, spoilt, Root, needs)
}

// Next is the trust when the next version holds. Its dates do not matter here: a machine
// that was away for long walks over versions that have ended to the one that has not.
func (t *Trust) Next(s *Statement) (*Trust, error) {
	s, err := s.signed()
	if err != nil {
		return nil, err
	}
	n, ok := s.Body.(*File)
	if !ok {
		return nil, refuse(CodeOrganisation, "a %s is no trust file", s.Kind())
	}
	if s.Organisation != t.Organisation {
		return nil, refuse(CodeOrganisation, "a trust file of another organisation")
	}
	if s.Trust != n.Version {
		return nil, refuse(CodeTampered, "trust file %d says that it was signed under %d", n.Version, s.Trust)
	}
	if err := t.File.follows(n, t.Digest); err != nil {
		return nil, err
	}
	for _, f := range []*File{t.File, n} { // those who were asked, and those who will be
		if err := f.said(s, f.Needs.Root); err != nil {
			return nil, err
		}
	}
	return &Trust{File: n, Organisation: t.Organisation, Digest: s.Digest(), Root: t.Root, Expires: s.Expires}, nil
}

// Heard tells who said a statement, when it holds now: everything but a trust file, see
// [Trust.Next], and an approval, see [Trust.Approves]. Whether it is meant for this
// machine, and was not used before, is for others to ask; and of a plan whether its script
// is of the risk that it says. withdrawn is the withdrawal that is here, nil for none.
func (t *Trust) Heard(s *Statement, withdrawn *Withdrawal, now time.Time) ([]Voice, error) {
	s, err := s.signed()
	if err != nil {
		return nil, err
	}
	var hash []byte
	r, needs := Approver, 0
	switch b := s.Body.(type) {
	case *Plan:
		hash, needs = b.Script.Hash, t.File.Needs.For(b.Risk)
	case *Order:
		hash, r, needs = b.Script.Hash, Technician, 1
	case *Grant:
		r, needs = Technician, 1
	case *Release:
		needs = t.File.Needs.Release
	case *Withdrawal:
		if withdrawn != nil && !b.keeps(withdrawn) {
			return nil, refuse(CodeOld, "withdrawal %d does not take back all that withdrawal %d does, which is here", b.Number, withdrawn.Number)
		}
		if withdrawn != nil && withdrawn.keeps(b) {
			return nil, refuse(CodeOld, "withdrawal %d takes nothing back that is not taken back here", b.Number)
		}
		return t.heard(s, r, 1, uuid.Nil, now)
	default:
		return nil, refuse(CodeNotMeant, "a statement (%s) that is not heard in this way", s.Kind())
	}
	if withdrawn.Takes(s.ID, hash) {
		return nil, refuse(CodeWithdrawn, "this was taken back (%s)", s.Kind())
	}
	return t.heard(s, r, needs, uuid.Nil, now)
}

// Bundle is what a script says of itself, to whoever has read it.
type Bundle struct {
	Script Script
	Risk   Risk
	Author uuid.UUID
}

// Approves tells how a script may run and who said so, when an approval of it holds now.
// An approval that calls the script by another name, less dangerous, or another's than its
// bundle does, is of no use. withdrawn is the withdrawal that is here, nil for none.
func (t *Trust) Approves(s *Statement, b Bundle, withdrawn *Withdrawal, now time.Time) (Approved, []Voice, error) {
	s, err := s.signed()
	if err != nil {
		return Approved{}, nil, err
	}
	a, ok := s.Body.(*Approval)
	if !ok {
		return Approved{}, nil, refuse(CodeNotMeant, "a statement (%s) that approves nothing", s.Kind())
	}
	i := slices.IndexFunc(a.Scripts, func(x Approved) bool { return bytes.Equal(x.Script.Hash, b.Script.Hash) })
	if i < 0 {
		return Approved{}, nil, refuse(CodeNotMeant, "an approval of other scripts")
	}
	x := a.Scripts[i]
	switch {
	case x.Script.ID != b.Script.ID || x.Script.Version != b.Script.Version || x.Risk != b.Risk || x.Author != b.Author:
		return Approved{}, nil, refuse(CodeTampered, "the approval says %s %d, %s; the script itself says %s %d, %s, or another author",
			x.Script.ID, x.Script.Version, x.Risk, b.Script.ID, b.Script.Version, b.Risk)
	case a.Epoch != t.File.Epoch:
		return Approved{}, nil, refuse(CodeOld, "all approvals of other epochs than %d have ended; this one is of %d", t.File.Epoch, a.Epoch)
	case withdrawn.Takes(s.ID, b.Script.Hash):
		return Approved{}, nil, refuse(CodeWithdrawn, "the approval of %s was taken back", x.Script.ID)
	}
	author := x.Author
	if t.File.OnePerson {
		author = uuid.Nil
	}
	voices, err := t.heard(s, Approver, t.File.Needs.For(x.Risk), author, now)
	if err != nil {
		return Approved{}, nil, err
	}
	return x, voices, nil
}

// heard tells who said a statement, when it holds now and as many people in a role said it
// as must; author does not count.
func (t *Trust) heard(s *Statement, r Role, needs int, author uuid.UUID, now time.Time) ([]Voice, error) {
	_, takes := s.Body.(*Withdrawal) // which is heard whatever a clock says: it takes rights away
	switch {
	case s.Organisation != t.Organisation:
		return nil, refuse(CodeOrganisation, "a statement (%s) of another organisation", s.Kind())
	case s.Trust > t.File.Version:
		return nil, refuse(CodeNewer, "it was signed under trust file %d, and %d is the newest here", s.Trust, t.File.Version)
	case now.Before(s.NotBefore) && !takes:
		return nil, refuse(CodeEarly, "it holds from %s on", s.NotBefore.UTC().Format(time.RFC3339))
	case !now.Before(s.Expires) && !takes:
		return nil, refuse(CodeExpired, "it ended at %s", s.Expires.UTC().Format(time.RFC3339))
	case !now.Before(t.Expires) && r == Approver && !takes: // technicians can still help, or a date would close every door
		return nil, refuse(CodeExpired, "the trust file ended at %s; its root must sign a new one", t.Expires.UTC().Format(time.RFC3339))
	}
	voices, spoilt := t.File.voices(s, r)
	voices = slices.DeleteFunc(voices, func(v Voice) bool { return v.Person == author })
	if err := enough(voices, spoilt, r, needs); err != nil {
		return nil, err
	}
	return voices, nil
}
