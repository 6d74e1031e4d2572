package gate

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/agent/state"
	"github.com/deskside/deskside/protocol"
	"github.com/deskside/deskside/protocol/trust"
	"github.com/deskside/deskside/scripts"
)

// voice is what the gate knows of the organisation's people: the newest trust file, which
// is nil where this machine has no root, or its chain does not hold; and what was taken back.
type voice struct {
	trust     *trust.Trust
	withdrawn *trust.Withdrawal
	digest    []byte // of the withdrawal
	problem   string // why a chain that is here does not hold
}

// voiceOf reads the chain that is here, verifying all of it.
func voiceOf(tx *state.Tx, id state.Identity) voice {
	var v voice
	for _, file := range tx.TrustFiles() {
		s, err := trust.Open(file)
		if err == nil {
			v.trust, err = next(v.trust, s, id)
		}
		if err != nil {
			return voice{problem: fmt.Sprintf("the chain of trust in this machine's memory is broken: %v", err)}
		}
	}
	if raw := tx.Withdrawal(); raw != nil {
		s, err := trust.Open(raw)
		w, ok := (*trust.Withdrawal)(nil), false
		if err == nil {
			w, ok = s.Body.(*trust.Withdrawal)
		}
		if !ok { // what was taken back is not known, so nothing that people said can count
			return voice{problem: "the withdrawal in this machine's memory cannot be read"}
		}
		digest := s.Digest()
		v.withdrawn, v.digest = w, digest[:]
	}
	return v
}

// next is the trust when a trust file holds, the first of a chain or the one that follows.
func next(t *trust.Trust, s *trust.Statement, id state.Identity) (*trust.Trust, error) {
	if t != nil {
		return t.Next(s)
	}
	if len(id.Root) != 32 {
		return nil, &trust.Refusal{Code: trust.CodeOrganisation, Text: "this machine has no root; its administrator sets the first one, at the machine"}
	}
	t, err := trust.Begin(s, [32]byte(id.Root))
	if err == nil && t.Organisation != id.Organisation {
		return nil, &trust.Refusal{Code: trust.CodeOrganisation, Text: "a trust file of another organisation"}
	}
	return t, err
}

// Enrol keeps a new identity, with the chain of trust files that its console brought, which
// must begin with the root that the identity names and hold to its end. Of no root nothing
// is kept: whoever brings it would be its author.
func Enrol(tx *state.Tx, id state.Identity, chain [][]byte) error {
	if err := tx.SetIdentity(id); err != nil {
		return err
	}
	if len(id.Root) == 0 {
		return nil
	}
	var t *trust.Trust
	for _, file := range chain {
		s, err := trust.Open(file)
		if err == nil {
			t, err = next(t, s, id)
		}
		if err != nil {
			return fmt.Errorf("the console's chain of trust does not hold: %w", err)
		}
		if tx.TrustFile(t.File.Version) != nil {
			continue // from another name at the same organisation
		}
		if err := tx.KeepTrustFile(t.File.Version, file); err != nil {
			return err
		}
	}
	return nil
}

// Trusted says which trust holds here, for the console.
func (g *Gate) Trusted() protocol.Trusted {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.trusted()
}

func (g *Gate) trusted() protocol.Trusted {
	told := protocol.Trusted{Root: g.id.Root, Withdrawn: g.voice.digest, Problem: g.voice.problem}
	if t := g.voice.trust; t != nil {
		told.Version, told.Digest = t.File.Version, t.Digest[:]
	}
	return told
}

// Consoles are the fingerprints of the identities that this machine believes: those in
// its organisation's trust file, or those it was enrolled with where there is none, or
// where it names none.
func (g *Gate) Consoles() [][]byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	if t := g.voice.trust; t != nil && len(t.File.Consoles) > 0 {
		return t.File.Consoles
	}
	return g.id.Identities
}

// Take keeps what the organisation has signed since: trust files that follow on those that
// are here, and a withdrawal. What is here already is passed over. Whoever brings them is
// not asked: they speak for themselves. The error is a *[trust.Refusal] or
// [trust.ErrStatement] for what does not hold, of which the journal has a line; what came
// before it is kept.
func (g *Gate) Take(brought protocol.Trust) (protocol.Trusted, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	err := g.hear(brought)
	var broken *trust.Refusal
	if err != nil && (errors.As(err, &broken) || errors.Is(err, trust.ErrStatement)) {
		code := protocol.CodeProofInvalid
		line := protocol.JournalEntry{At: time.Now().UnixMicro(), Kind: protocol.KindTrust.String(), Act: "refused",
			Code: code, Text: err.Error()}
		err = errors.Join(err, g.journal(line))
	}
	told := g.trusted()
	if err != nil {
		told.Problem = err.Error()
	}
	return told, err
}

func (g *Gate) hear(brought protocol.Trust) error {
	if g.voice.problem != "" {
		return &trust.Refusal{Code: trust.CodeTampered, Text: g.voice.problem}
	}
	for _, file := range brought.Files {
		if err := g.takeFile(file); err != nil {
			return err
		}
	}
	if len(brought.Withdrawal) > 0 {
		return g.takeWithdrawal(brought.Withdrawal)
	}
	return nil
}

func (g *Gate) takeFile(file []byte) error {
	s, err := trust.Open(file)
	if err != nil {
		return err
	}
	f, ok := s.Body.(*trust.File)
	if ok && g.voice.trust != nil && f.Version <= g.voice.trust.File.Version {
		return g.state.View(func(tx *state.Tx) error {
			have, err := trust.Open(tx.TrustFile(f.Version))
			if err != nil {
				return err
			}
			if have.Digest() != s.Digest() {
				return &trust.Refusal{Code: trust.CodeOld, Text: fmt.Sprintf("another trust file %d than the one that is here", f.Version)}
			}
			return nil
		})
	}
	holds, err := next(g.voice.trust, s, g.id)
	if err != nil {
		return err
	}
	err = g.state.Update(func(tx *state.Tx) error {
		if err := tx.KeepTrustFile(holds.File.Version, file); err != nil {
			return err
		}
		return tx.Journal(protocol.JournalEntry{At: time.Now().UnixMicro(), Kind: protocol.KindTrust.String(), Act: "admitted",
			ID: s.ID, Text: fmt.Sprintf("trust file %d of %s", holds.File.Version, holds.File.Name), Count: 1})
	})
	if err == nil {
		g.voice.trust = holds
	}
	return err
}

func (g *Gate) takeWithdrawal(raw []byte) error {
	s, err := trust.Open(raw)
	if err != nil {
		return err
	}
	digest := s.Digest()
	if bytes.Equal(digest[:], g.voice.digest) {
		return nil
	}
	if g.voice.trust == nil {
		return errNoRoot
	}
	w, ok := s.Body.(*trust.Withdrawal)
	if !ok {
		return &trust.Refusal{Code: trust.CodeNotMeant, Text: fmt.Sprintf("a statement (%s) where a withdrawal was due", s.Kind())}
	}
	voices, err := g.voice.trust.Heard(s, g.voice.withdrawn, time.Now())
	if err != nil {
		return err
	}
	err = g.state.Update(func(tx *state.Tx) error {
		if err := tx.KeepWithdrawal(raw); err != nil {
			return err
		}
		return tx.Journal(protocol.JournalEntry{At: time.Now().UnixMicro(), Kind: protocol.KindTrust.String(), Act: "admitted",
			ID: s.ID, Text: fmt.Sprintf("withdrawal %d, signed by %s", w.Number, names(voices)), Count: 1})
	})
	if err == nil {
		g.voice.withdrawn, g.voice.digest = w, digest[:]
	}
	return err
}

var errNoRoot = &trust.Refusal{Code: trust.CodeOrganisation, Text: "this machine has no root, so nobody's signature counts here"}

func names(voices []trust.Voice) string {
	list := make([]string, len(voices))
	for i, v := range voices {
		list[i] = v.Name
	}
	return strings.Join(list, ", ")
}

// yes is what people said to an act, beside the console's stamp.
type yes struct {
	voices []trust.Voice
	signed uuid.UUID // the statement, which is used up here with the act
	until  time.Time
}

// early is how far a signer's clock may be ahead of this machine's.
const early = 10 * time.Minute

// ordered looks among the statements that came with a piece of work for a technician's
// order, or an approver's plan, of exactly this here and now. Without any there is no yes,
// and no refusal; where there are some and none of them holds, the last is refused.
func (g *Gate) ordered(tx *state.Tx, j *judgement, work *protocol.Work, risk scripts.Risk) (*yes, *Refusal) {
	if len(j.order.Statements) > protocol.MaxStatements {
		return nil, no(protocol.CodeProofInvalid, "%d statements came with the order; %d are the most.", len(j.order.Statements), protocol.MaxStatements)
	}
	var refusal *Refusal
	for _, raw := range j.order.Statements {
		s, err := trust.Open(raw)
		if err == nil {
			switch b := s.Body.(type) {
			case *trust.Order:
				var said *yes
				if said, err = g.order(tx, j, work, risk, s, b); err == nil {
					return said, nil
				}
			case *trust.Plan:
				var said *yes
				if said, err = g.plan(tx, j, work, risk, s, b); err == nil {
					return said, nil
				}
			default:
				continue // an approval says that a script may run, not that it is to
			}
		}
		refusal = no(protocol.CodeProofInvalid, "What was signed does not hold here: %v.", err)
	}
	return nil, refusal
}

func (g *Gate) order(tx *state.Tx, j *judgement, work *protocol.Work, risk scripts.Risk, s *trust.Statement, o *trust.Order) (*yes, error) {
	voices, err := g.heard(s, j.at)
	if err != nil {
		return nil, err
	}
	switch {
	case risk != scripts.Safe && risk != scripts.Disruptive:
		return nil, fmt.Errorf("a %s script takes approvers and a plan, not one technician's order", risk)
	case !o.For(g.id.Machine):
		return nil, errors.New("the order is for other machines")
	case o.DryRun != work.DryRun:
		return nil, errors.New("a dry run is no real one, and a real one no dry run")
	case tx.Seen(s.ID):
		return nil, errors.New("the order was used here before")
	case g.policy.Proof == "seen" && !slices.ContainsFunc(voices, func(v trust.Voice) bool { return v.Reads }):
		return nil, errors.New("this machine takes the word of who has seen what they sign, on their own computer")
	}
	if err := about(o.Script, o.Values, work); err != nil {
		return nil, err
	}
	return &yes{voices: voices, signed: s.ID, until: s.Expires}, nil
}

func (g *Gate) plan(tx *state.Tx, j *judgement, work *protocol.Work, risk scripts.Risk, s *trust.Statement, p *trust.Plan) (*yes, error) {
	voices, err := g.heard(s, j.at)
	if err != nil {
		return nil, err
	}
	switch {
	case string(p.Risk) != string(risk): // by which it was counted who must have signed
		return nil, fmt.Errorf("the plan calls the script %s, and it is %s", p.Risk, risk)
	case p.DryRun != work.DryRun:
		return nil, errors.New("a dry run is no real one, and a real one no dry run")
	case tx.Seen(s.ID):
		return nil, errors.New("the plan was carried out here before")
	}
	if err := about(p.Script, p.Values, work); err != nil {
		return nil, err
	}
	if work.Place == nil {
		return nil, errors.New("the plan came without this machine's place in it")
	}
	wave, err := p.Wave(g.id.Machine, trust.Place{Number: work.Place.Number, Path: work.Place.Path})
	if err != nil {
		return nil, err
	}
	// By this machine's own clock: no courier can have the last wave begin first.
	if from := s.NotBefore.Add(time.Duration(p.Waves[wave].After) * time.Second); j.now.Before(from.Add(-early)) {
		return nil, fmt.Errorf("wave %d of the plan begins at %s", wave+1, from.UTC().Format(time.RFC3339))
	}
	return &yes{voices: voices, signed: s.ID, until: s.Expires}, nil
}

// heard are the people who said a statement, as far as they count here.
func (g *Gate) heard(s *trust.Statement, at time.Time) ([]trust.Voice, error) {
	switch {
	case g.voice.problem != "":
		return nil, errors.New(g.voice.problem)
	case g.voice.trust == nil:
		return nil, errNoRoot
	}
	return g.voice.trust.Heard(s, g.voice.withdrawn, at)
}

// about tells whether a statement is about this very piece of work.
func about(s trust.Script, values map[string]string, work *protocol.Work) error {
	if s.ID != work.Script || s.Version != work.Version || !bytes.Equal(s.Hash, work.Hash) {
		return fmt.Errorf("it is about %s %d, and the work is %s %d, or of other bytes", s.ID, s.Version, work.Script, work.Version)
	}
	if !maps.Equal(values, work.Parameters) {
		return errors.New("it is about other values")
	}
	return nil
}
