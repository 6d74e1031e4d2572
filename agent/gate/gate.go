// Package gate is the one door of the agent: whatever a console wants done
// passes [Gate.Admit], and nothing else makes the value that repair, session,
// check and probe accept.
//
// Admit asks, in this order: was it stamped by the console this machine was
// enrolled with; is it meant for this machine, and now; was its id used before;
// does the machine's own policy allow it; who must have said yes to it, and did
// they; is it within the limits. Yes or no, the answer goes into the machine's
// journal. For what must never happen twice the id is used up in the same
// transaction, so that it is on the disk before anything starts.
//
// The table of who must have said yes:
//
//	checks, settings, watch, check now, plain questions   the console's stamp
//	questions over personal fields                        the stamp, where policy says personal
//	a safe built-in script                                the stamp, so many an hour; or a technician's order, or a plan
//	a disruptive built-in script                          the stamp, while a check that it cures fires here for what is to be repaired;
//	                                                      or a technician's order, or an approver's plan, of exactly this here, once
//	a terminal                                            a technician's grant (profile trial: the stamp)
//	scripts that are not built in                         approvers
//
// What needs a proof that this build cannot verify is refused, never let in.
package gate

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/agent/state"
	"github.com/deskside/deskside/protocol"
	"github.com/deskside/deskside/protocol/uptime"
)

// Refusal is a no: a code for programs and a sentence for people.
type Refusal struct {
	Code string
	Text string
	Kind protocol.Kind
	ID   uuid.UUID // of the order; zero when the stamp did not hold
	Ends time.Time // when the order does, by its own date
}

func (r *Refusal) Error() string { return r.Text }

// Admitted is an act that may be done. Only the gate makes one.
type Admitted struct {
	order  protocol.Order
	body   any
	policy Policy
}

// Kind is the kind of the act.
func (a Admitted) Kind() protocol.Kind { return a.order.Kind }

// ID is the order's id: of the run, the question, the session.
func (a Admitted) ID() uuid.UUID { return a.order.ID }

// Issued is when the console made the order, by its own clock.
func (a Admitted) Issued() time.Time { return time.UnixMicro(a.order.Issued) }

// Body is the decoded act, such as *protocol.Work.
func (a Admitted) Body() any { return a.body }

// Policy is the machine's policy at the moment of the yes.
func (a Admitted) Policy() Policy { return a.policy }

// Eyes are what the gate must know of the machine to judge.
type Eyes struct {
	// Firing tells whether a check fires on this machine now for an instance, by
	// the catalogue's own definition and times, whatever the console has set.
	Firing func(check, instance string) bool
	// Listed is what the machine lists for a closed value: filesystems, services.
	Listed func(what string) []string
	// Family is the system family whose scripts run here.
	Family string
}

// Gate decides. It is safe for use by several goroutines.
type Gate struct {
	state *state.State
	eyes  Eyes
	path  string

	mu           sync.Mutex
	id           state.Identity
	policy       Policy
	voice        voice
	stamp        ed25519.PublicKey
	stampEnds    time.Time            // of its certificate
	consoleClock time.Time            // at the last welcome; zero: there was none
	welcomed     time.Duration        // what passed said then
	passed       func() time.Duration // is [uptime.Now]
	tallies      map[string]tally     // what was let in or turned away in this hour, by kind and code
}

// Open makes the gate of an enrolled machine. policyPath may name a file that
// is not there. A policy that cannot be trusted does not fail Open: the gate is
// closed, and [Gate.Policy] says why.
func Open(s *state.State, policyPath string, eyes Eyes) (*Gate, error) {
	g := &Gate{state: s, eyes: eyes, path: policyPath, passed: uptime.Now, tallies: map[string]tally{}}
	err := s.View(func(tx *state.Tx) error {
		id, err := tx.Identity()
		g.id, g.voice = id, voiceOf(tx, id)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open gate: %w", err)
	}
	g.policy, _ = ReadPolicy(policyPath, g.id.Profile)
	return g, nil
}

// Policy is the policy in force.
func (g *Gate) Policy() Policy {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.policy
}

// Line tells the gate about an accepted connection: the stamp key that its
// console's identity vouches for, and the console's clock.
func (g *Gate) Line(stamp protocol.StampKey, clock time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stamp, g.stampEnds = ed25519.PublicKey(stamp.Key), time.UnixMicro(stamp.Expires)
	g.consoleClock, g.welcomed = clock, g.passed()
}

// theirs is the console's clock now. It goes on from the welcome whatever happens to the
// machine's, which may be set while the line is up, and while the machine sleeps: what
// waited on the line meanwhile is as old as it is.
func (g *Gate) theirs() time.Time {
	if g.consoleClock.IsZero() {
		return time.Now()
	}
	return g.consoleClock.Add(g.passed() - g.welcomed)
}

// ahead is by how much the console's clock is ahead of the machine's.
func (g *Gate) ahead() time.Duration { return time.Until(g.theirs()) }

// clockDoubt is how far the machine's clock may be from the console's before
// only harmless acts are let in.
const clockDoubt = 24 * time.Hour

// now is the time by which orders are judged: the machine's own, never below
// its floor. doubt tells that it cannot be believed.
func (g *Gate) now(tx *state.Tx) (now time.Time, doubt bool) {
	now = time.Now()
	floor := tx.Floor()
	if now.Before(floor.Add(-10 * time.Minute)) {
		doubt = true
	}
	if now.Before(floor) {
		now = floor
	}
	if g.ahead().Abs() > clockDoubt {
		doubt = true
	}
	return now, doubt
}

// forgotten is how many lines the journal lets go in one minute: one transaction
// stays short.
const forgotten = 5000

// floorStep is how far the floor moves up in one minute. Where machine and console are
// both ahead, as on one host without a clock of its own, nobody can tell; a floor that
// went with them at once would keep the machine shut for as long as they were ahead.
const floorStep = 5 * time.Minute

// Tick moves the time floor up, when the clock is not in doubt, and forgets ids
// that can no longer be used and lines of the journal that are older than policy
// keeps them. The agent calls it once a minute.
func (g *Gate) Tick() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.consoleClock.IsZero() {
		return nil // without the console's clock a wrong clock could not be told from time
	}
	return g.state.Update(func(tx *state.Tx) error {
		now, doubt := g.now(tx)
		if doubt {
			return nil
		}
		floor := now
		if old := tx.Floor(); old.Unix() > 0 && now.Sub(old) > floorStep { // one that has none takes the first
			floor = old.Add(floorStep)
		}
		if err := tx.RaiseFloor(floor); err != nil {
			return err
		}
		if err := tx.ForgetSeen(floor); err != nil {
			return err
		}
		return tx.ForgetJournal(floor.AddDate(0, 0, -g.policy.JournalDays), forgotten)
	})
}

var errNoLine = errors.New("no console has been identified yet")

// Admit judges a stamped act. The error is always a *[Refusal], except when the
// machine's own memory fails: then nothing is admitted either.
func (g *Gate) Admit(s protocol.Stamped) (Admitted, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	var order protocol.Order
	err := errNoLine
	if len(g.stamp) == ed25519.PublicKeySize {
		order, err = s.Open(g.stamp)
	}
	if err != nil {
		return Admitted{}, g.refuse(&Refusal{Code: protocol.CodeStamp,
			Text: "The order is not stamped by this machine's console."})
	}
	var admitted Admitted
	judge := func(tx *state.Tx) error {
		a, refusal := g.judge(tx, order)
		if refusal != nil {
			return refusal
		}
		admitted = a
		return nil
	}
	line := entry(order, "admitted", "", "")
	if rules()[order.Kind].once {
		line.Count = 1
		err = g.state.Update(func(tx *state.Tx) error {
			if err := judge(tx); err != nil {
				return err
			}
			return tx.Journal(line)
		})
	} else if err = g.state.View(judge); err == nil { // nothing to be remembered, so nobody waits for the disk
		err = g.journal(line)
	}
	var refusal *Refusal
	if errors.As(err, &refusal) {
		refusal.Kind, refusal.ID, refusal.Ends = order.Kind, order.ID, time.UnixMicro(order.Expires)
		return Admitted{}, g.refuse(refusal)
	}
	if err != nil {
		return Admitted{}, fmt.Errorf("admit %s: %w", order.Kind, err)
	}
	return admitted, nil
}

// tally counts within an hour.
type tally struct {
	since time.Time
	n     uint64
}

// count adds one to a tally. It returns 0 for what is counted only: beyond ten in
// an hour every thousandth is written, so that a flood cannot push other lines
// out, nor fill the disk.
func (g *Gate) count(key string) uint64 {
	t := g.tallies[key]
	if now := time.Now(); now.Sub(t.since) >= time.Hour || t.n == 0 {
		t = tally{since: now}
	}
	t.n++
	g.tallies[key] = t
	if t.n > 10 && t.n%1000 != 0 {
		return 0
	}
	return t.n
}

// refuse writes a refusal into the journal.
func (g *Gate) refuse(r *Refusal) error {
	if err := g.journal(entry(protocol.Order{ID: r.ID, Kind: r.Kind}, "refused", r.Code, r.Text)); err != nil {
		return fmt.Errorf("journal a refusal (%s): %w", r.Code, err)
	}
	return r
}

// journal writes a line of a kind that is counted.
func (g *Gate) journal(e protocol.JournalEntry) error {
	key := e.Kind
	if e.Code != "" {
		key += "/" + e.Code
	}
	if e.Count = g.count(key); e.Count == 0 {
		return nil
	}
	return g.state.Update(func(tx *state.Tx) error { return tx.Journal(e) })
}

func entry(o protocol.Order, act, code, text string) protocol.JournalEntry {
	return protocol.JournalEntry{At: time.Now().UnixMicro(), Kind: o.Kind.String(), Act: act, ID: o.ID,
		Code: code, Text: text}
}
