package trust

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
)

const (
	maxScripts  = 200
	maxMachines = 10 // of an order; more are a plan
	maxValues   = 64
	maxTaken    = 600 // withdrawn statements, and as many scripts

	day = 24 * time.Hour
)

// Script is a script as it is named in statements: by what it is, not by where it lies.
type Script struct {
	ID      string `cbor:"1,keyasint"`
	Version int    `cbor:"2,keyasint"`
	Hash    []byte `cbor:"3,keyasint"` // SHA-256 of its bundle
}

var scriptID = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

func (s Script) check() error {
	switch {
	case len(s.ID) > 64 || !scriptID.MatchString(s.ID):
		return fmt.Errorf("a script called %q; small letters, digits and hyphens are allowed", short(s.ID))
	case s.Version < 1:
		return fmt.Errorf("the script %s in version %d; the first is 1", s.ID, s.Version)
	case len(s.Hash) != 32:
		return fmt.Errorf("the script %s with a hash of %d bytes; it has 32", s.ID, len(s.Hash))
	}
	return nil
}

// Approved is a script that may run, and how.
type Approved struct {
	Script    Script    `cbor:"1,keyasint"`
	Risk      Risk      `cbor:"2,keyasint"`
	Author    uuid.UUID `cbor:"3,keyasint"` // who wrote it, and does not count as one who approves it
	Platforms []string  `cbor:"4,keyasint"` // linux, windows
	RunAs     string    `cbor:"5,keyasint"` // system, person
	// Values are the open values that were approved with it, by parameter: each a list of
	// what it may be. A parameter that is not here has closed values only.
	Values map[string][]string `cbor:"6,keyasint,omitempty"`
}

// Approval lets scripts run: one, or a list that is signed in one go.
type Approval struct {
	Epoch   uint64     `cbor:"1,keyasint,omitempty"` // of the trust file
	Scripts []Approved `cbor:"2,keyasint"`
}

// Kind is what it says.
func (*Approval) Kind() Kind { return KindApproval }

// longest is how long the most dangerous script of the list stays approved: what a silent
// courier can keep alive, it can keep alive until then.
func (a *Approval) longest() time.Duration {
	life := 180 * day
	for _, s := range a.Scripts {
		life = min(life, lifeOf(s.Risk))
	}
	return life
}

func lifeOf(r Risk) time.Duration {
	switch r {
	case Safe:
		return 180 * day
	case Disruptive:
		return 90 * day
	}
	return 14 * day
}

func (a *Approval) check() error {
	if n := len(a.Scripts); n == 0 || n > maxScripts {
		return fmt.Errorf("%d scripts; 1 to %d are allowed", n, maxScripts)
	}
	seen := map[string]bool{}
	for _, s := range a.Scripts {
		if err := s.check(); err != nil {
			return err
		}
		for _, name := range []string{s.Script.ID, string(s.Script.Hash)} {
			if seen[name] {
				return fmt.Errorf("the script %s is in it twice", s.Script.ID)
			}
			seen[name] = true
		}
	}
	return nil
}

func (s Approved) check() error {
	if err := s.Script.check(); err != nil {
		return err
	}
	if err := checkRisk(s.Risk); err != nil {
		return fmt.Errorf("the script %s: %w", s.Script.ID, err)
	}
	if s.Author == uuid.Nil {
		return fmt.Errorf("the script %s has no author", s.Script.ID)
	}
	if err := words("the platforms of "+s.Script.ID, s.Platforms, "linux", "windows"); err != nil {
		return err
	}
	if err := words("who runs "+s.Script.ID, []string{s.RunAs}, "system", "person"); err != nil {
		return err
	}
	for name, allowed := range s.Values {
		if len(allowed) == 0 {
			return fmt.Errorf("the script %s: no value of %q is allowed; leave it out", s.Script.ID, short(name))
		}
		for _, v := range allowed {
			if err := checkValue(name, v); err != nil {
				return fmt.Errorf("the script %s: %w", s.Script.ID, err)
			}
		}
	}
	return nil
}

// Withdrawal takes back what was said. Each is whole: it has all that the one before had,
// and a machine that has one takes only such another, see [Trust.Heard]. So nothing that
// was taken back lives again, and no number is the last.
type Withdrawal struct {
	Number     uint64      `cbor:"1,keyasint"`           // for people, who count them
	Statements []uuid.UUID `cbor:"2,keyasint,omitempty"` // that end
	Scripts    [][]byte    `cbor:"3,keyasint,omitempty"` // hashes that never run again, whoever approves them
}

// Kind is what it says.
func (*Withdrawal) Kind() Kind { return KindWithdrawal }

// longest is for ever, as far as dates go: what was taken back stays so.
func (*Withdrawal) longest() time.Duration { return 100 * 366 * day }

func (w *Withdrawal) check() error {
	switch {
	case w.Number == 0:
		return errors.New("a withdrawal without a number; the first is 1")
	case len(w.Statements)+len(w.Scripts) == 0:
		return errors.New("a withdrawal that takes nothing back")
	case len(w.Statements) > maxTaken || len(w.Scripts) > maxTaken:
		return fmt.Errorf("more than %d are taken back", maxTaken)
	}
	for _, h := range w.Scripts {
		if len(h) != 32 {
			return fmt.Errorf("a script with a hash of %d bytes; it has 32", len(h))
		}
	}
	if err := each("a statement", w.Statements, func(id uuid.UUID) string { return id.String() }); err != nil {
		return err
	}
	return each("a script", w.Scripts, func(h []byte) string { return string(h) })
}

// keeps tells whether all that another takes back is in it, too.
func (w *Withdrawal) keeps(other *Withdrawal) bool {
	for _, id := range other.Statements {
		if !w.Takes(id, nil) {
			return false
		}
	}
	for _, h := range other.Scripts {
		if !w.Takes(uuid.Nil, h) {
			return false
		}
	}
	return true
}

// Takes tells whether an approval or plan, or a script by its hash, is taken back.
func (w *Withdrawal) Takes(statement uuid.UUID, hash []byte) bool {
	if w == nil {
		return false
	}
	for _, id := range w.Statements {
		if id == statement {
			return true
		}
	}
	for _, h := range w.Scripts {
		if string(h) == string(hash) {
			return true
		}
	}
	return false
}

// Order is a technician's own act: a script on up to ten machines.
type Order struct {
	Script   Script            `cbor:"1,keyasint"`
	Values   map[string]string `cbor:"2,keyasint,omitempty"`
	DryRun   bool              `cbor:"3,keyasint,omitempty"`
	Machines []uuid.UUID       `cbor:"4,keyasint"`
	Ticket   int64             `cbor:"5,keyasint,omitempty"` // 0: for none
}

// Kind is what it says.
func (*Order) Kind() Kind { return KindOrder }

func (*Order) longest() time.Duration { return day }

func (o *Order) check() error {
	if err := o.Script.check(); err != nil {
		return err
	}
	if n := len(o.Machines); n == 0 || n > maxMachines {
		return fmt.Errorf("for %d machines; 1 to %d are allowed, more are a plan", n, maxMachines)
	}
	if o.For(uuid.Nil) {
		return errors.New("for a machine without an id")
	}
	if err := each("a machine", o.Machines, func(id uuid.UUID) string { return id.String() }); err != nil {
		return err
	}
	return checkValues(o.Values)
}

// For tells whether the order is for a machine.
func (o *Order) For(machine uuid.UUID) bool {
	for _, m := range o.Machines {
		if m == machine {
			return true
		}
	}
	return false
}

// Grant opens one door of one machine, once: the answer of a technician to a challenge
// that the machine made.
type Grant struct {
	Challenge []byte `cbor:"1,keyasint"` // its digest
	Door      string `cbor:"2,keyasint"` // terminal, files, desktop, processes, services, logs, power, bundle
	Account   string `cbor:"3,keyasint"` // person, deskside, root
	Minutes   int    `cbor:"4,keyasint"`
	Ticket    int64  `cbor:"5,keyasint,omitempty"`
	Session   []byte `cbor:"6,keyasint,omitempty"` // the public key of the page that may come back to it
}

// MaxMinutes is how long a door stays open for one grant.
const MaxMinutes = 60

// Doors are what a grant may open, and Accounts in whose name.
var (
	Doors    = []string{"terminal", "files", "desktop", "processes", "services", "logs", "power", "bundle"}
	Accounts = []string{"person", "deskside", "root"}
)

// Kind is what it says.
func (*Grant) Kind() Kind { return KindGrant }

func (*Grant) longest() time.Duration { return 5 * time.Minute }

func (g *Grant) check() error {
	switch {
	case len(g.Challenge) != 32:
		return fmt.Errorf("a challenge of %d bytes; its digest has 32", len(g.Challenge))
	case g.Minutes < 1 || g.Minutes > MaxMinutes:
		return fmt.Errorf("for %d minutes; 1 to %d are allowed", g.Minutes, MaxMinutes)
	case len(g.Session) > 128:
		return fmt.Errorf("the key of a page of %d bytes; at most 128 are allowed", len(g.Session))
	}
	if err := words("the door", []string{g.Door}, Doors...); err != nil {
		return err
	}
	return words("the account", []string{g.Account}, Accounts...)
}

// Build is the agent for one system.
type Build struct {
	OS   string `cbor:"1,keyasint"`
	Arch string `cbor:"2,keyasint"`
	Hash []byte `cbor:"3,keyasint"` // SHA-256 of the program
	Size int64  `cbor:"4,keyasint"`
}

// Release is a version of the agent that machines may change to.
type Release struct {
	Number  uint64  `cbor:"1,keyasint"` // rises with each: a machine never goes back
	Version string  `cbor:"2,keyasint"`
	Builds  []Build `cbor:"3,keyasint"`
}

// Kind is what it says.
func (*Release) Kind() Kind { return KindRelease }

func (*Release) longest() time.Duration { return 90 * day }

func (r *Release) check() error {
	if r.Number == 0 {
		return errors.New("a release without a number; the first is 1")
	}
	if err := line("the version of a release", r.Version, 1, 40); err != nil {
		return err
	}
	if n := len(r.Builds); n == 0 || n > 16 {
		return fmt.Errorf("for %d systems; 1 to 16 are allowed", n)
	}
	for _, b := range r.Builds {
		if err := words("a system", []string{b.OS}, "linux", "windows"); err != nil {
			return err
		}
		if err := words("an architecture", []string{b.Arch}, "amd64", "arm64"); err != nil {
			return err
		}
		if len(b.Hash) != 32 || b.Size <= 0 {
			return fmt.Errorf("the program for %s on %s has no hash of 32 bytes, or no size", b.OS, b.Arch)
		}
	}
	return each("a system", r.Builds, func(b Build) string { return b.OS + " on " + b.Arch })
}

// each tells whether everything in a list is there once.
func each[T any](what string, list []T, name func(T) string) error {
	seen := map[string]bool{}
	for _, x := range list {
		if seen[name(x)] {
			return fmt.Errorf("%s is in it twice", what)
		}
		seen[name(x)] = true
	}
	return nil
}

func checkRisk(r Risk) error {
	return words("the risk", []string{string(r)}, string(Safe), string(Disruptive), string(Destructive))
}

func checkValues(values map[string]string) error {
	if len(values) > maxValues {
		return fmt.Errorf("%d values; at most %d are allowed", len(values), maxValues)
	}
	for name, v := range values {
		if err := checkValue(name, v); err != nil {
			return err
		}
	}
	return nil
}

func checkValue(name, value string) error {
	if err := line("the name of a value", name, 1, 40); err != nil {
		return err
	}
	return line("the value "+name, value, 0, 256)
}

// words tells whether each of some words is one that is allowed, and none is there twice.
func words(what string, list []string, allowed ...string) error {
	if len(list) == 0 {
		return fmt.Errorf("%s: nothing; allowed are %s", what, strings.Join(allowed, ", "))
	}
	seen := map[string]bool{}
	for _, w := range list {
		ok := false
		for _, a := range allowed {
			ok = ok || w == a
		}
		if !ok || seen[w] {
			return fmt.Errorf("%s: %q; allowed are %s, each once", what, short(w), strings.Join(allowed, ", "))
		}
		seen[w] = true
	}
	return nil
}

// blank are characters that are drawn as nothing, and that Unicode has in no class of such:
// an empty Braille cell and a note without a head.
var blank = &unicode.RangeTable{R16: []unicode.Range16{{Lo: 0x2800, Hi: 0x2800, Stride: 1}}, R32: []unicode.Range32{{Lo: 0x1d159, Hi: 0x1d159, Stride: 1}}}

// line tells whether a text is one line that reads as what it is: nothing in it may
// control, hide, or turn the direction of what stands beside it, because people decide by
// reading it.
func line(what, text string, least, most int) error {
	if !utf8.ValidString(text) {
		return fmt.Errorf("%s is not UTF-8", what)
	}
	if n := utf8.RuneCountInString(text); n < least || n > most {
		return fmt.Errorf("%s has %d characters; %d to %d are allowed", what, n, least, most)
	}
	for _, r := range text {
		if r != ' ' && unicode.IsSpace(r) || unicode.In(r, unicode.C, unicode.Zl, unicode.Zp, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector, blank) {
			return fmt.Errorf("%s has the character %U, which cannot be seen", what, r)
		}
	}
	if strings.TrimSpace(text) != text {
		return fmt.Errorf("%s begins or ends with a space", what)
	}
	return nil
}
