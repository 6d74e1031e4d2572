package app

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/deskside/deskside/agent/check"
	"github.com/deskside/deskside/agent/link"
	"github.com/deskside/deskside/agent/probe"
	"github.com/deskside/deskside/agent/state"
	"github.com/deskside/deskside/protocol"
	"github.com/deskside/deskside/protocol/catalogue"
	"github.com/deskside/deskside/protocol/expression"
	"github.com/deskside/deskside/protocol/history"
)

const (
	sampleEvery = 15 * time.Second // of the history
	saveEvery   = time.Minute      // of what would be lost by a power cut
	slowEvery   = 5 * time.Minute  // of facts that change seldom
	ringLength  = 60               // samples kept for evidence: a quarter of an hour
)

// request is something that the loop of rounds is asked for from outside.
type request struct {
	wanted   []string // sections the console does not have
	watch    time.Time
	set      []byte // of checks
	now      bool
	settings *protocol.Settings
	verify   *verification
}

// verification asks for a check on a fresh reading.
type verification struct {
	check, instance string
	answer          chan protocol.Verdict
}

// rounds is the walk of a sample: read, judge, and write down in one
// transaction what changed. It has one goroutine; that goroutine also beats, so
// that a beat says that this loop is alive.
type rounds struct {
	agent    *Agent
	reader   reader
	requests chan request
	booted   int64
	began    time.Time // monotonic

	set      *check.Set
	causes   *check.Causes
	encoded  catalogue.Set
	unproven bool // the set has not been evaluated whole
	build    history.Builder
	ring     []sample
	wake     func()                // the outbox has something to be sent
	unsaved  []protocol.Transition // written down nowhere yet: the disk is full
	samples  []history.Sample

	sampled, saved, slow, beaten, uploaded time.Time
	watched                                time.Time // until
	facts                                  time.Time // live sections were told
	beat, upload                           time.Duration
	spread                                 time.Duration // where in the interval this machine uploads

	mu       sync.Mutex // what others read
	name     string
	os       protocol.OS
	checks   []byte
	settings []byte
	fires    map[check.Cause]bool
	firesAt  time.Time
}

// sample is what was read for the history at one moment.
type sample struct {
	at  time.Time
	set []history.Sample
}

// Names under which the loop keeps things.
const (
	blobChecks   = "checks/set"
	blobJudged   = "checks/state"
	blobDoing    = "checks/doing"
	blobAside    = "checks/aside"
	blobSettings = "settings"
	ringFine     = "fine"
)

func newRounds(a *Agent, from reader) (*rounds, error) {
	r := &rounds{agent: a, reader: from, wake: func() { a.line.Wake() }, requests: make(chan request, 64), began: time.Now(), beat: protocol.UsualBeat,
		upload: 15 * time.Minute, name: hostname(), os: protocol.OS{Family: runtime.GOOS, Arch: runtime.GOARCH}}
	if p := a.options.Pretend; p != nil {
		r.name, r.os = a.id.Name, protocol.OS{Family: p.Family}
	}
	r.spread = time.Duration(a.id.Machine[15]) * r.upload / 256
	return r, r.restore()
}

// restore takes up what was known before a restart.
func (r *rounds) restore() error {
	var set, judged, doing, aside, settings, ring []byte
	err := r.agent.state.View(func(tx *state.Tx) error {
		set, judged = tx.Blob(blobChecks), tx.Blob(blobJudged)
		doing, aside, settings, ring = tx.Blob(blobDoing), tx.Blob(blobAside), tx.Blob(blobSettings), tx.Ring(ringFine)
		return nil
	})
	if err != nil {
		return err
	}
	resolved, err := catalogue.Resolve(catalogue.Builtin())
	if err != nil {
		return err
	}
	if len(set) > 0 {
		if kept, err := catalogue.DecodeSet(set); err == nil {
			if no := r.agent.gate.Policy().Judges(kept); no == nil { // policy may be narrower since
				resolved = kept
			} else {
				r.agent.options.Log.Warn("the console's set of checks is set aside; the built-in checks judge", "reason", no.Text)
			}
		}
	}
	if r.set, err = check.New(resolved, r.doing); err != nil {
		return err
	}
	if r.causes, err = check.NewCauses(); err != nil {
		return err
	}
	r.adopt(resolved)
	if len(judged) > 0 {
		if err := r.set.Restore(judged); err != nil {
			r.agent.options.Log.Warn("what was known of the alerts is lost", "error", err)
		}
	}
	if len(doing) > 0 {
		aside = doing
		r.agent.options.Log.Error("the agent ended while it evaluated a check; it is set aside", "check", string(doing))
	}
	if len(aside) > 0 {
		r.set.SetAside(string(aside), "the agent ended while it evaluated this check")
	}
	if len(settings) > 0 {
		var s protocol.Settings
		if err := protocol.Unmarshal(settings, &s); err == nil {
			r.tune(s)
		}
	}
	return r.agent.state.Update(func(tx *state.Tx) error {
		err := errors.Join(tx.SetBlob(blobDoing, nil), tx.SetBlob(blobAside, aside), r.dropHeldBack(tx))
		if len(ring) > 0 { // the row that was open when the agent ended
			var row history.Row
			if protocol.Unmarshal(ring, &row) == nil {
				err = errors.Join(err, putRow(tx, row), tx.SetRing(ringFine, nil))
			}
		}
		return err
	})
}

// doing writes down which check is about to be evaluated, for as long as a set
// is new here: the check in which the agent died is set aside at the next start.
// Once a set has been evaluated whole it is trusted, and costs no writes.
func (r *rounds) doing(check string) {
	if !r.unproven {
		return
	}
	err := r.agent.state.Update(func(tx *state.Tx) error { return tx.SetBlob(blobDoing, []byte(check)) })
	if err != nil {
		r.agent.options.Log.Warn("cannot write down which check is evaluated", "error", err)
	}
}

func (r *rounds) adopt(set catalogue.Set) {
	r.encoded, r.unproven = set, true
	r.reader.watch(set.Watched)
	hash := set.Hash()
	r.mu.Lock()
	r.checks = hash[:]
	r.mu.Unlock()
}

func (r *rounds) tune(s protocol.Settings) {
	r.beat, r.upload = time.Duration(s.Beat)*time.Microsecond, time.Duration(s.UploadEvery)*time.Microsecond
	r.spread = time.Duration(r.agent.id.Machine[15]) * r.upload / 256
	r.agent.line.SetBeat(r.beat)
	r.mu.Lock()
	r.settings = s.Hash
	r.mu.Unlock()
}

// self is the machine's name and system, as last read.
func (r *rounds) self() (string, protocol.OS) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.name, r.os
}

func (r *rounds) hashes() (checks, settings []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.checks, r.settings
}

// tellGate keeps what fires where the gate can see it.
func (r *rounds) tellGate(now time.Time) {
	fires := r.causes.Firing()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fires, r.firesAt = fires, now
}

// causeLasts is how old a judgement may be that a repair is let in for: several
// rounds, so that a loop that hangs is no cause for ever.
const causeLasts = time.Minute

func (r *rounds) firing(name, instance string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.fires[check.Cause{Check: name, Instance: instance}] && time.Since(r.firesAt) < causeLasts
}

// ask hands something to the loop; when it is far behind the request is lost,
// as if the message had been.
func (r *rounds) ask(q request) {
	select {
	case r.requests <- q:
	default:
	}
}

// period is how often to read: as often as the most impatient check, and every
// second while somebody looks.
func (r *rounds) period(now time.Time) time.Duration {
	period := sampleEvery
	for _, c := range r.encoded.Checks {
		if c.Enabled && c.Judged == catalogue.JudgedByMachine {
			period = min(period, time.Duration(c.Interval))
		}
	}
	if now.Before(r.watched) {
		period = time.Second
	}
	return max(min(period, r.beat), time.Second)
}

func (r *rounds) run(ctx context.Context) error {
	defer r.reader.close()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			r.keep(time.Now(), true)
			return nil
		case q := <-r.requests:
			if r.serve(ctx, q) {
				timer.Reset(0)
			}
		case <-timer.C:
			started := time.Now()
			r.round(ctx)
			timer.Reset(max(time.Until(r.next(started)), 100*time.Millisecond)) // a machine this busy is not read without a pause
		}
	}
}

// next is when the round after one that started then is due.
func (r *rounds) next(started time.Time) time.Time {
	return r.agent.line.Align(started.Add(r.period(started)))
}

// early is by how much a round may come before a beat is due, and beat all the same:
// the next one would be too late. Rounds are moved by no more than that.
const early = link.Pace + 50*time.Millisecond

func (r *rounds) beatIsDue(now time.Time) bool {
	return now.Sub(r.beaten) >= r.agent.line.Beat(r.beat)-early
}

// round reads, judges and writes down once.
func (r *rounds) round(ctx context.Context) {
	now := time.Now()
	slow := now.Sub(r.slow) >= slowEvery
	m := r.reader.round(ctx, slow)
	if ctx.Err() != nil {
		return
	}
	r.agent.last.Store(m)
	if slow {
		r.slow = now
	}
	r.know(m)
	transitions := r.set.Evaluate(m, now)
	r.unproven = false
	r.causes.Judge(m, r.encoded.Watched, now)
	r.note(m, now)
	for _, t := range transitions {
		r.unsaved = append(r.unsaved, r.transition(t, m))
	}
	r.tellGate(now)
	r.keep(now, false)
	r.tellFacts(m, now, slow)
	if now.Before(r.watched) {
		r.agent.line.Send(protocol.KindLive, live(m))
	}
	if r.beatIsDue(now) {
		r.beaten = now
		r.agent.line.Send(protocol.KindBeat, protocol.Beat{At: now.UnixMicro(), Health: r.set.Health()})
	}
}

// know remembers what the hello tells of this machine.
func (r *rounds) know(m *expression.Machine) {
	if m.OS == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.os = protocol.OS{Family: string(m.OS.Family), Name: string(m.OS.Name), Version: string(m.OS.Version),
		Kernel: string(m.OS.Kernel), Arch: string(m.OS.Arch)}
	if m.OS.Hostname != "" {
		r.name = string(m.OS.Hostname)
	}
	r.booted = int64(m.OS.BootedAt)
}

// note adds a sample to the history and to the ring of evidence.
func (r *rounds) note(m *expression.Machine, now time.Time) {
	if now.Sub(r.sampled) < sampleEvery-time.Second {
		return
	}
	r.sampled = now
	r.samples = probe.Samples(r.samples[:0], m)
	r.ring = append(r.ring, sample{now, slices.Clone(r.samples)})
	if len(r.ring) > ringLength {
		r.ring = slices.Delete(r.ring, 0, len(r.ring)-ringLength)
	}
	row, closed := r.build.Append(history.Moment{Wall: now, Mono: time.Since(r.began), Boot: r.booted}, r.samples)
	if !closed {
		return
	}
	err := r.agent.state.Update(func(tx *state.Tx) error { return putRow(tx, row) })
	if err != nil {
		r.agent.options.Log.Error("cannot keep a row of history", "error", err)
	}
	r.wake()
}

func putRow(tx *state.Tx, row history.Row) error {
	return tx.Put(protocol.ClassHistory, fmt.Sprintf("fine/%016x", uint64(row.Start)),
		protocol.HistoryRow{Resolution: uint8(row.Resolution), Start: row.Start, Revision: row.Revision, Payload: row.Payload})
}

// turn is when a machine uploads after the last time, the first time at once: each has
// a place of its own in the interval, so that those that came at the same moment, as
// after a fault of the network, part again.
func turn(last time.Time, every, spread time.Duration) time.Time {
	if last.IsZero() {
		return last
	}
	return last.Add(-spread).Truncate(every).Add(spread + every)
}

// keep writes down transitions at once, and once a minute what a power cut
// would take: the judgements so far and the open row. On a full disk the
// transitions wait in memory and are tried again in the next round.
func (r *rounds) keep(now time.Time, last bool) {
	// Whoever looks is not made to wait for the next minute by a moment in which
	// their page was loaded anew.
	shown := now.Before(r.watched) && now.Sub(r.uploaded) >= saveEvery
	// A clock that was set back does not put the turn off.
	turned := !now.Before(turn(r.uploaded, r.upload, r.spread)) || now.Sub(r.uploaded) >= r.upload
	send := turned || shown || last
	due := now.Sub(r.saved) >= saveEvery || send
	if len(r.unsaved) == 0 && !due {
		return
	}
	judged, err := r.set.Save()
	if err != nil {
		r.agent.options.Log.Error("cannot encode the judgements", "error", err)
	}
	row, open := history.Row{}, false
	if due {
		row, open = r.build.Row()
	}
	err = r.agent.state.Update(func(tx *state.Tx) error {
		for _, t := range r.unsaved {
			if _, err := tx.Append(protocol.ClassTransition, t); err != nil {
				return err
			}
		}
		if judged != nil {
			if err := tx.SetBlob(blobJudged, judged); err != nil {
				return err
			}
		}
		if !open {
			return nil
		}
		if send {
			return putRow(tx, row)
		}
		raw, err := protocol.Marshal(row)
		if err != nil {
			return err
		}
		return tx.SetRing(ringFine, raw)
	})
	if err != nil {
		r.agent.options.Log.Error("cannot write down what was judged; it is tried again", "error", err)
		return
	}
	if open && send {
		r.uploaded = now
	}
	if due {
		r.saved = now
	}
	if len(r.unsaved) > 0 || open && send {
		r.unsaved = nil
		r.wake()
	}
}
