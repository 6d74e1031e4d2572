package gate

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"github.com/deskside/deskside/agent/state"
	"github.com/deskside/deskside/protocol"
	"github.com/deskside/deskside/protocol/catalogue"
	"github.com/deskside/deskside/protocol/expression"
	"github.com/deskside/deskside/scripts"
)

// rule is what the gate knows of one kind of act.
type rule struct {
	new   func() any    // an empty body
	life  time.Duration // an order of this kind may live so long
	once  bool          // its id is used up
	judge func(g *Gate, tx *state.Tx, j *judgement) *Refusal
}

// judgement is one act while it is judged.
type judgement struct {
	order protocol.Order
	body  any
	now   time.Time // by the machine's own clock
	at    time.Time // by which what is said to hold is judged, see [Gate.inTime]
	doubt bool
	yes   *yes // what people said to it; nil: it is the console's word alone
}

// rules has one row for every kind that acts; a test walks all kinds.
func rules() map[protocol.Kind]rule {
	return map[protocol.Kind]rule{
		protocol.KindWork:        {func() any { return new(protocol.Work) }, 24 * time.Hour, true, judgeWork},
		protocol.KindCancel:      {func() any { return new(protocol.Cancel) }, 24 * time.Hour, false, allow},
		protocol.KindAsk:         {func() any { return new(protocol.Ask) }, 10 * time.Minute, false, judgeAsk},
		protocol.KindWatch:       {func() any { return new(protocol.Watch) }, 10 * time.Minute, false, judgeWatch},
		protocol.KindChecks:      {func() any { return new(protocol.Checks) }, 24 * time.Hour, false, judgeChecks},
		protocol.KindOpenSession: {func() any { return new(protocol.OpenSession) }, 10 * time.Minute, true, judgeSession},
		protocol.KindEndSession:  {func() any { return new(protocol.EndSession) }, 24 * time.Hour, false, allow},
		protocol.KindCheckNow:    {func() any { return new(protocol.CheckNow) }, 10 * time.Minute, false, allow},
		protocol.KindSettings:    {func() any { return new(protocol.Settings) }, 24 * time.Hour, false, judgeSettings},
	}
}

func allow(*Gate, *state.Tx, *judgement) *Refusal { return nil }

func no(code, format string, args ...any) *Refusal {
	return &Refusal{Code: code, Text: fmt.Sprintf(format, args...)}
}

func (g *Gate) judge(tx *state.Tx, o protocol.Order) (Admitted, *Refusal) {
	r, known := rules()[o.Kind]
	if !known {
		return Admitted{}, no(protocol.CodeUnknown, "This agent does not know what a %q order is.", o.Kind)
	}
	if o.Machine != g.id.Machine || o.Organisation != g.id.Organisation {
		return Admitted{}, no(protocol.CodeWrongMachine, "The order is for another machine.")
	}
	// By the clock of the line, as for what is meant for this very moment.
	if !g.lineNow(tx.Floor()).Before(g.stampEnds) {
		return Admitted{}, no(protocol.CodeStamp, "The key of the stamp was good until %s.", g.stampEnds.UTC().Format(time.RFC3339))
	}
	now, doubt := g.now(tx)
	j := &judgement{order: o, body: r.new(), now: now, doubt: doubt}
	// First, whatever the clock says: a refusal for another reason would end the
	// run that this order started.
	if r.once && tx.Seen(o.ID) {
		return Admitted{}, no(protocol.CodeSeen, "The order was carried out, refused or cancelled before; it is never repeated.")
	}
	if refusal := g.inTime(j, r.life, tx.Floor()); refusal != nil {
		return Admitted{}, refusal
	}
	if err := protocol.Unmarshal(o.Body, j.body); err != nil {
		return Admitted{}, no(protocol.CodeMalformed, "The order cannot be read: %v.", err)
	}
	if refusal := r.judge(g, tx, j); refusal != nil {
		return Admitted{}, refusal
	}
	if r.once {
		if err := g.take(tx, j); err != nil {
			return Admitted{}, no(protocol.CodeBusy, "The order cannot be written down: %v.", err)
		}
	}
	return Admitted{order: o, body: j.body, policy: g.policy}, nil
}

// inTime judges the order's own dates. What is meant for this very moment is
// judged by the clock of the line it came on, so that a machine with a wrong
// clock can still be helped; what may wait is judged by the later of that and the
// machine's own, when that can be believed. The console's clock is never believed below the floor:
// ids that were used up before it are forgotten, see [Gate.Tick].
func (g *Gate) inTime(j *judgement, life time.Duration, floor time.Time) *Refusal {
	if j.doubt && j.order.Kind == protocol.KindWork {
		return no(protocol.CodeClock, "The machine's clock cannot be believed; no script is run until it is right again.")
	}
	at := j.now
	if theirs := g.lineNow(floor); life <= 10*time.Minute || j.doubt || theirs.After(at) {
		at = theirs
	}
	j.at = at
	issued, expires := time.UnixMicro(j.order.Issued), time.UnixMicro(j.order.Expires)
	switch {
	case expires.Sub(issued) > life:
		return no(protocol.CodeExpired, "An order of this kind may live %s at most.", life)
	case !at.Before(expires) || !expires.After(issued): // what waited too long is issued after its end
		return no(protocol.CodeExpired, "The order ended at %s.", expires.UTC().Format(time.RFC3339))
	case at.Before(issued.Add(-clockDoubt)):
		return no(protocol.CodeTooEarly, "The order is dated %s, which has not come yet.", issued.UTC().Format(time.RFC3339))
	}
	return nil
}

// lineNow is the console's clock now, but never more than a day below the floor.
func (g *Gate) lineNow(floor time.Time) time.Time {
	at := g.theirs()
	if lowest := floor.Add(-clockDoubt); at.Before(lowest) {
		return lowest
	}
	return at
}

func (g *Gate) take(tx *state.Tx, j *judgement) error {
	until := time.UnixMicro(j.order.Expires)
	if err := tx.MarkSeen(j.order.ID, until); err != nil {
		return err
	}
	if j.yes != nil {
		if err := tx.MarkSeen(j.yes.signed, j.yes.until); err != nil {
			return err
		}
	}
	work, ok := j.body.(*protocol.Work)
	if !ok {
		return nil
	}
	return tx.TakeRun(state.Run{ID: j.order.ID, Script: work.Script, DryRun: work.DryRun, TakenAt: j.now.UnixMicro()})
}

func judgeWork(g *Gate, tx *state.Tx, j *judgement) *Refusal {
	work := j.body.(*protocol.Work)
	if refusal := g.closed(g.policy.Scripts, "scripts"); refusal != nil {
		return refusal
	}
	s, ok := scripts.Lookup(work.Script)
	if !ok || len(work.Bundle) > 0 {
		return no(protocol.CodeNotApproved, "%q is not built in, and nobody whose key this machine knows has approved it.", work.Script)
	}
	if !bytes.Equal(s.Hash(), work.Hash) || s.Version != work.Version {
		return no(protocol.CodeScript, "%q is another version here than at the console; update the older one.", work.Script)
	}
	if _, _, runs := s.File(g.eyes.Family); !runs {
		return no(protocol.CodePlatform, "%q does not run on %s.", work.Script, g.eyes.Family)
	}
	if most := scripts.Risk(g.policy.ScriptsRisk); s.Risk.Rank() > most.Rank() {
		return no(protocol.CodeRisk, "The machine's policy allows %s scripts at most; %q is %s.", most, s.ID, s.Risk)
	}
	values, err := s.Values(work.Parameters, g.eyes.Listed)
	if err != nil {
		return no(protocol.CodeParameters, "%v", err)
	}
	for _, p := range s.Parameters {
		if name := values[p.Name]; p.From == "services" && name != "" && scripts.Protected(name, g.policy.Protect) {
			return no(protocol.CodeProtected, "The service %q guards this machine and is not touched from afar.", name)
		}
	}
	said, refusal := g.ordered(tx, j, work, s.Risk)
	if refusal != nil {
		return refusal
	}
	work.Parameters = values
	if j.yes = said; said != nil {
		return nil // a person's own word is not counted against the console's
	}
	if s.Risk != scripts.Safe && !work.DryRun && g.policy.Proof != "none" && !g.cures(s, values) {
		return no(protocol.CodeNoCause, "%q interrupts work: it needs a technician's proof, or a check that it cures must be firing here for the very thing that is to be repaired.", s.ID)
	}
	return g.withinLimits(tx, s.Risk, j.now)
}

// cures tells whether what the script is to repair is what is wrong here. A
// script that does not say what it repairs has no cause.
func (g *Gate) cures(s scripts.Script, values map[string]string) bool {
	instance := values[s.Subject]
	return instance != "" && slices.ContainsFunc(s.Cures, func(check string) bool { return g.eyes.Firing(check, instance) })
}

// judgeAsk holds back what the policy says, whatever the probes may read: that is
// for the person at the machine. Private fields are never read by a question.
func judgeAsk(g *Gate, _ *state.Tx, j *judgement) *Refusal {
	if refusal := g.closed(g.policy.Questions, "questions"); refusal != nil {
		return refusal
	}
	program, err := expression.Compile(expression.Use{Kind: expression.Question}, j.body.(*protocol.Ask).Expression)
	if err != nil {
		return nil // nothing is read; the answer will say what is wrong with it
	}
	most := expression.Plain
	if g.policy.Questions == "personal" {
		most = expression.Personal
	}
	if f, beyond := program.Beyond(most); beyond {
		return no(protocol.CodePolicy, "This machine's policy does not allow questions about %q: it is %s, and questions may be about %s fields.", f.Name, f.Class, most)
	}
	return nil
}

// MaxWatch is how long one request for live readings may last.
const MaxWatch = time.Minute

func judgeWatch(g *Gate, _ *state.Tx, j *judgement) *Refusal {
	if refusal := g.closed(g.policy.Watch, "live readings"); refusal != nil {
		return refusal
	}
	// From here on by the machine's own clock, by which it is done.
	w := j.body.(*protocol.Watch)
	left := time.UnixMicro(w.Until).Sub(g.theirs())
	w.Until = time.Now().Add(min(left, MaxWatch)).UnixMicro()
	return nil
}

// judgeChecks lets a set in that decodes: its expressions compile under their
// guards, its intervals are within bounds, and it reads what policy lets out.
// Checks judge; they do nothing.
func judgeChecks(g *Gate, _ *state.Tx, j *judgement) *Refusal {
	set, err := catalogue.DecodeSet(j.body.(*protocol.Checks).Set)
	if err != nil {
		return no(protocol.CodeExpression, "The set of checks is not accepted: %v.", err)
	}
	return g.policy.Judges(set)
}

// judgeSettings bounds what a console may tune.
func judgeSettings(_ *Gate, _ *state.Tx, j *judgement) *Refusal {
	s := j.body.(*protocol.Settings)
	for _, b := range []struct {
		name      string
		value     int64
		low, high time.Duration
	}{
		{"beat", s.Beat, time.Second, 5 * time.Minute},
		{"upload_every", s.UploadEvery, 10 * time.Second, time.Hour},
	} {
		if b.value < b.low.Microseconds() || b.value > b.high.Microseconds() {
			return no(protocol.CodeLimit, "%s is %s to %s, not %d microseconds.", b.name, b.low, b.high, b.value)
		}
	}
	return nil
}

func judgeSession(g *Gate, _ *state.Tx, j *judgement) *Refusal {
	open := j.body.(*protocol.OpenSession)
	if open.Kind != "terminal" {
		return no(protocol.CodeUnsupported, "This agent opens terminals, not %q.", open.Kind)
	}
	if refusal := g.closed(g.policy.Terminal, "terminals"); refusal != nil {
		return refusal
	}
	if g.policy.Proof != "none" {
		return no(protocol.CodeProof, "This machine opens its doors to a technician's own proof, and there was none.")
	}
	if g.policy.Terminal == "ask" {
		return no(protocol.CodeConsent, "The person at this machine must agree, and cannot be asked yet.")
	}
	if g.policy.TerminalAccount == "person" || g.policy.NobodyThere == "refuse" {
		return no(protocol.CodePolicy, "The policy of this machine wants a terminal of the person, or somebody at the machine, and this agent cannot see to either yet.")
	}
	if open.Columns < 1 || open.Columns > 1000 || open.Rows < 1 || open.Rows > 500 {
		return no(protocol.CodeParameters, "A terminal has 1 to 1000 columns and 1 to 500 rows, not %d and %d.", open.Columns, open.Rows)
	}
	return nil
}

func (g *Gate) closed(word, what string) *Refusal {
	if word != "off" {
		return nil
	}
	if g.policy.problem != "" {
		return no(protocol.CodePolicyBroken, "This machine's policy cannot be trusted, so it allows vitals only: %s.", g.policy.problem)
	}
	return no(protocol.CodePolicy, "This machine's policy does not allow %s.", what)
}

// withinLimits counts acts on the console's word alone.
func (g *Gate) withinLimits(tx *state.Tx, risk scripts.Risk, now time.Time) *Refusal {
	const name = "gate/acts"
	var acts []act
	if raw := tx.Blob(name); raw != nil {
		if err := protocol.Unmarshal(raw, &acts); err != nil {
			acts = nil
		}
	}
	kept := acts[:0]
	var safe, disruptive int
	for _, a := range acts {
		age := now.Sub(time.UnixMicro(a.At))
		if age.Abs() > 24*time.Hour { // later than now: the clock was ahead then
			continue
		}
		kept = append(kept, a)
		if a.Risk != string(scripts.Safe) {
			disruptive++
		} else if age < time.Hour {
			safe++
		}
	}
	if risk == scripts.Safe && safe >= g.policy.Limits.SafePerHour {
		return no(protocol.CodeLimit, "%d safe repairs an hour are the most on the console's word alone.", g.policy.Limits.SafePerHour)
	}
	if risk != scripts.Safe && disruptive >= g.policy.Limits.DisruptivePerDay {
		return no(protocol.CodeLimit, "%d disruptive repairs a day are the most on the console's word alone.", g.policy.Limits.DisruptivePerDay)
	}
	raw, err := protocol.Marshal(append(kept, act{At: now.UnixMicro(), Risk: string(risk)}))
	if err == nil {
		err = tx.SetBlob(name, raw)
	}
	if err != nil {
		return no(protocol.CodeBusy, "The order cannot be written down: %v.", err)
	}
	return nil
}

type act struct {
	At   int64  `cbor:"1,keyasint"`
	Risk string `cbor:"2,keyasint"`
}
