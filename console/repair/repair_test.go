package repair

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/deskside/deskside/console/desk"
	"github.com/deskside/deskside/console/fleet"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/console/store/storetest"
)

var system = store.System("test")

// shop is the runs of one organisation with two machines and a ticket.
type shop struct {
	*Repair
	t       *testing.T
	fleet   *fleet.Fleet
	ours    model.ID
	scope   store.Scope // of a technician
	pc, two model.From
	ticket  model.ID
	hints   atomic.Int32
}

func each(t *testing.T, fn func(*testing.T, *shop)) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		log := slog.New(slog.DiscardHandler)
		h := &shop{t: t, ours: model.NewID()}
		h.Repair = New(s, func(model.ID) { h.hints.Add(1) }, log)
		h.scope = store.Scope{Actor: store.Actor{Kind: "person", ID: model.NewID(), Name: "Anna"}, Organisations: []model.ID{h.ours}}
		h.fleet = fleet.New(s, log)
		for _, into := range []*model.From{&h.pc, &h.two} {
			e, err := h.fleet.NewEnrolment(t.Context(), h.scope, h.ours, 1, time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			key := model.NewID()
			m, err := h.fleet.Enrol(t.Context(), model.Newcomer{Organisation: h.ours, Secret: e.Secret, Key: key[:], Name: "pc", OS: model.OS{Family: "linux"}})
			if err != nil {
				t.Fatal(err)
			}
			*into = model.From{Organisation: h.ours, Machine: m.ID, At: time.Now()}
		}
		ticket, err := desk.New(s, log).Open(t.Context(), h.scope, desk.NewTicket{Organisation: h.ours, Says: "it is slow", Source: model.SourcePerson})
		if err != nil {
			t.Fatal(err)
		}
		h.ticket = ticket.ID
		fn(t, h)
	})
}

func code(err error) string {
	var p *model.Problem
	if errors.As(err, &p) {
		return p.Code
	}
	return fmt.Sprint(err)
}

func (h *shop) request() Request {
	return Request{Organisation: h.ours, Script: "restart-service", Machine: h.pc.Machine, Ticket: h.ticket, Parameters: map[string]string{"SERVICE": "cron"}}
}

func (h *shop) start() model.Run {
	h.t.Helper()
	run, err := h.Start(h.t.Context(), h.scope, h.request())
	if err != nil {
		h.t.Fatal(err)
	}
	return run
}

func (h *shop) take(list ...model.Result) error {
	return h.store.Update(h.t.Context(), system, func(tx *store.Tx) error { return h.TakeResults(tx, list) })
}

func (h *shop) expire(id model.ID) {
	h.t.Helper()
	err := h.store.Update(h.t.Context(), system, func(tx *store.Tx) error { _, err := h.Expire(h.t.Context(), tx, id); return err })
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *shop) get(id model.ID) (run model.Run) {
	h.t.Helper()
	if err := h.store.View(h.t.Context(), system, func(tx *store.Tx) (err error) { run, err = Get(tx, id); return err }); err != nil {
		h.t.Fatal(err)
	}
	return run
}

// said is what the ticket's timeline tells of runs, and audit how many rows
// there are of an action.
func (h *shop) said() (list []string) {
	h.t.Helper()
	err := h.store.View(h.t.Context(), system, func(tx *store.Tx) error {
		page, err := desk.Timeline(tx, h.ticket, store.Request{Limit: 100}, string(model.ItemRun))
		list = nil
		for _, i := range page.Items {
			list = append(list, i.Reason)
		}
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return list
}

func (h *shop) audited(action string) (n int) {
	h.t.Helper()
	err := h.store.View(h.t.Context(), system, func(tx *store.Tx) error {
		return tx.QueryRow("SELECT count(*) FROM audit WHERE action = $1 AND {wall}", action).Scan(&n)
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return n
}

func (h *shop) pending(from model.From) []model.Act {
	h.t.Helper()
	var acts []model.Act
	err := h.store.View(h.t.Context(), store.Machine(from.Organisation, from.Machine), func(tx *store.Tx) error {
		var err error
		acts, err = h.Pending(tx, from)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	err = h.store.View(h.t.Context(), system, func(tx *store.Tx) error {
		for _, among := range [][]model.ID{nil, {model.NewID(), from.Machine}} {
			waiting, err := h.Waiting(tx, model.ID{}, among)
			if err != nil || len(acts) > 0 && !slices.Contains(waiting, from.Machine) {
				h.t.Errorf("a machine with %d acts is not among those that wait: %v (%v)", len(acts), waiting, err)
			}
		}
		waiting, err := h.Waiting(tx, model.ID{}, []model.ID{model.NewID()})
		if len(waiting) > 0 {
			h.t.Errorf("of others %v wait", waiting)
		}
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return acts
}

// The same key with the same request is one run, however many ask at once; with
// another request it is a conflict; another person's key is another key.
func TestIdempotencyKey(t *testing.T) {
	each(t, func(t *testing.T, h *shop) {
		q := h.request()
		q.Key = "one click"
		var mu sync.Mutex
		ids := map[model.ID]bool{}
		var group sync.WaitGroup
		for range 10 {
			group.Go(func() {
				run, err := h.Start(t.Context(), h.scope, q)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				ids[run.ID] = true
				mu.Unlock()
			})
		}
		group.Wait()
		if len(ids) != 1 || h.hints.Load() != 1 || h.audited("run.start") != 1 || len(h.said()) != 1 {
			t.Errorf("%d runs, %d hints, %d rows of the audit, the timeline %v", len(ids), h.hints.Load(), h.audited("run.start"), h.said())
		}
		for name, change := range map[string]func(*Request){
			"another script":    func(q *Request) { q.Script, q.Parameters = "free-disk-space", map[string]string{"MOUNT": "/"} },
			"another machine":   func(q *Request) { q.Machine = h.two.Machine },
			"a dry run":         func(q *Request) { q.DryRun = true },
			"another parameter": func(q *Request) { q.Parameters = map[string]string{"SERVICE": "cups"} },
			"another ticket":    func(q *Request) { q.Ticket = model.ID{} },
		} {
			other := q
			other.Parameters = maps.Clone(q.Parameters)
			change(&other)
			if _, err := h.Start(t.Context(), h.scope, other); code(err) != model.CodeConflict {
				t.Errorf("%s with the key: %v", name, err)
			}
		}
		ben := h.scope
		ben.Actor.ID = model.NewID()
		if run, err := h.Start(t.Context(), ben, q); err != nil || ids[run.ID] {
			t.Errorf("another person's key: %v", err)
		}
		q.Key = strings.Repeat("k", 201)
		if _, err := h.Start(t.Context(), h.scope, q); code(err) != model.CodeInvalid {
			t.Errorf("a key without end: %v", err)
		}
	})
}

func TestStartRefused(t *testing.T) {
	each(t, func(t *testing.T, h *shop) {
		for name, c := range map[string]struct {
			change func(*Request)
			want   string
		}{
			"a script of nobody":    {func(q *Request) { q.Script = "format-everything" }, model.CodeInvalid},
			"a value too many":      {func(q *Request) { q.Parameters = map[string]string{"SERVICE": "cron", "X": "y"} }, model.CodeInvalid},
			"an option for a value": {func(q *Request) { q.Parameters = map[string]string{"SERVICE": "--all"} }, model.CodeInvalid},
			"no value":              {func(q *Request) { q.Parameters = nil }, model.CodeInvalid},
			"nobody's machine":      {func(q *Request) { q.Machine = model.NewID() }, model.CodeNotFound},
			"nobody's ticket":       {func(q *Request) { q.Ticket = model.NewID() }, model.CodeNotFound},
		} {
			q := h.request()
			c.change(&q)
			if _, err := h.Start(t.Context(), h.scope, q); code(err) != c.want {
				t.Errorf("%s: %v", name, err)
			}
		}
		theirs := h.scope
		theirs.Organisations = []model.ID{model.NewID()}
		if _, err := h.Start(t.Context(), theirs, h.request()); err == nil {
			t.Error("a run on a machine of another organisation")
		}
		if h.hints.Load() != 0 || h.audited("run.start") != 0 || len(h.said()) != 0 {
			t.Error("what was refused left something behind")
		}
	})
}

// A run from the click to the end. A second result changes nothing, and one of
// another machine is refused.
func TestRun(t *testing.T) {
	each(t, func(t *testing.T, h *shop) {
		run := h.start()
		acts := h.pending(h.pc)
		if len(acts) != 1 || acts[0].ID != run.ID || len(h.pending(h.two)) != 0 {
			t.Fatalf("to be told: %+v", acts)
		}
		if !h.Send(t.Context(), acts[0]) {
			t.Error("a run that waits is not to be told")
		}
		if len(h.pending(h.pc)) != 1 {
			t.Error("not told again on a new line: the machine may never have heard it")
		}
		h.Taken(t.Context(), h.two, run.ID, time.Now()) // not its run
		if s := h.get(run.ID).State; s != model.RunSent {
			t.Errorf("another machine moved the run: %s", s)
		}
		h.Taken(t.Context(), h.pc, run.ID, time.Now())
		h.Output(t.Context(), model.Output{From: h.two, Run: run.ID, Data: []byte("forged")})
		h.Output(t.Context(), model.Output{From: h.pc, Run: run.ID, Data: []byte("hello")})
		for at := range int64(4) { // pieces over each other would have no bound
			h.Output(t.Context(), model.Output{From: h.pc, Run: run.ID, Offset: at, Data: []byte("once more")})
		}
		h.Output(t.Context(), model.Output{From: h.pc, Run: run.ID, Offset: maxOutput, Data: []byte("too much")})
		h.Output(t.Context(), model.Output{From: h.pc, Run: run.ID, Offset: -1, Data: []byte("before")})
		if now := h.get(run.ID); now.State != model.RunRunning || now.OutputBytes != 5 {
			t.Errorf("%+v", now)
		}
		zero, one := 0, 1
		good := model.Result{From: h.pc, Run: run.ID, State: model.RunSucceeded, ExitCode: &zero, Head: []byte("hello, "), Tail: []byte("bye"), Bytes: 100,
			Cut: true, StartedAt: time.Now().Add(-3 * time.Second), EndedAt: time.Now(), Check: "service.stopped", Verdict: "verified"}
		forged := good
		forged.From, forged.ExitCode = h.two, &one
		if err := h.take(forged); code(err) != model.CodeRefused {
			t.Errorf("a result of another machine: %v", err)
		}
		if err := h.take(good); err != nil {
			t.Fatal(err)
		}
		again := good
		again.State, again.ExitCode, again.Verdict, again.Head = model.RunFailed, &one, "still_failing", []byte("other")
		if err := h.take(again, good); err != nil {
			t.Errorf("a second result: %v", err)
		}
		h.Output(t.Context(), model.Output{From: h.pc, Run: run.ID, Offset: 7, Data: []byte("late")})
		h.Taken(t.Context(), h.pc, run.ID, time.Now())
		now := h.get(run.ID)
		if now.State != model.RunSucceeded || *now.ExitCode != 0 || now.Verdict != "verified" || now.Duration.Round(time.Second) != 3*time.Second {
			t.Errorf("%+v", now)
		}
		if s := h.said(); strings.Join(s, " ") != "requested ended" || h.audited("run.end") != 1 {
			t.Errorf("the timeline %v, %d ends in the audit", s, h.audited("run.end"))
		}
		var out []byte
		err := h.store.View(t.Context(), system, func(tx *store.Tx) (err error) { out, _, err = Output(tx, run.ID, 0); return err })
		if text := string(out); err != nil || !strings.HasPrefix(text, "hello, ") || !strings.HasSuffix(text, "bye") || !strings.Contains(text, "90 bytes are not kept") {
			t.Errorf("%q %v", out, err)
		}
		if err := h.take(model.Result{From: h.pc, Run: model.NewID(), State: model.RunSucceeded}); err == nil {
			t.Error("a result of nobody's run")
		}
	})
}

// However a machine counts, what is kept of a run is bounded.
func TestBounds(t *testing.T) {
	each(t, func(t *testing.T, h *shop) {
		run := h.start()
		for _, at := range []int64{math.MaxInt64, math.MaxInt64 - 2, math.MinInt64, maxOutput - 1} {
			h.Output(t.Context(), model.Output{From: h.pc, Run: run.ID, Offset: at, Data: []byte("far")})
		}
		pieces := func() (n int) {
			t.Helper()
			err := h.store.View(t.Context(), system, func(tx *store.Tx) error {
				return tx.QueryRow("SELECT count(*) FROM run_output WHERE run_id = $1", run.ID).Scan(&n)
			})
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		if n := pieces(); n != 0 || h.get(run.ID).OutputBytes != 0 {
			t.Errorf("%d pieces at offsets of nobody, %d bytes", n, h.get(run.ID).OutputBytes)
		}
		err := h.store.Update(t.Context(), system, func(tx *store.Tx) error {
			for at := range int64(maxPieces) {
				if err := keepOutput(tx, run, at, []byte("x")); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if h.Output(t.Context(), model.Output{From: h.pc, Run: run.ID, Offset: maxPieces, Data: []byte("x")}); pieces() != maxPieces {
			t.Errorf("%d pieces", pieces())
		}
		lies := model.Result{From: h.pc, Run: run.ID, State: model.RunSucceeded, Bytes: math.MinInt64, Head: []byte("head"), Tail: []byte("tail"),
			Text: strings.Repeat("ż", maxText), Verdict: "splendid", Values: map[string]string{strings.Repeat("n", maxValue+1): "x", "v": strings.Repeat("v", maxValue+1)}}
		for i := range 2 * maxValues {
			lies.Values[fmt.Sprint(i)] = "x"
		}
		if err := h.take(lies); err != nil {
			t.Fatal(err)
		}
		now := h.get(run.ID)
		if now.OutputBytes != 8 || now.Verdict != "not_run" || len(now.RefusalText) > maxText || !utf8.ValidString(now.RefusalText) || len(now.Values) != maxValues || len(now.Values["v"]) > maxValue {
			t.Errorf("%d bytes, %q, %d bytes of text, %d values", now.OutputBytes, now.Verdict, len(now.RefusalText), len(now.Values))
		}
	})
}

// What somebody asked for who may ask no more is not begun; what runs comes to its end.
func TestEndPerson(t *testing.T) {
	each(t, func(t *testing.T, h *shop) {
		running, sent, queued := h.start(), h.start(), h.start()
		for _, run := range []model.Run{running, sent} {
			h.Send(t.Context(), model.Act{ID: run.ID, Machine: h.pc, Body: &model.Work{}})
		}
		h.Taken(t.Context(), h.pc, running.ID, time.Now())
		if err := h.EndPerson(t.Context(), h.scope, model.NewID()); err != nil || h.get(queued.ID).State != model.RunQueued {
			t.Errorf("another person: %v", err)
		}
		before := len(h.said())
		for range 2 {
			if err := h.EndPerson(t.Context(), h.scope, queued.By.ID); err != nil {
				t.Fatal(err)
			}
		}
		if run := h.get(queued.ID); run.State != model.RunCancelled || run.Refusal != model.CodeRefused || run.FinishedAt.IsZero() {
			t.Errorf("what no machine knew of: %+v", run)
		}
		if run := h.get(sent.ID); !run.Cancelling || run.Done() {
			t.Errorf("what a machine was told: %+v", run)
		}
		if run := h.get(running.ID); run.Cancelling || run.Done() {
			t.Errorf("what runs: %+v", run)
		}
		if n := len(h.said()) - before; n != 1 {
			t.Errorf("the ticket tells %d of one end", n)
		}
		if h.Send(t.Context(), model.Act{ID: queued.ID, Machine: h.pc, Body: &model.Work{}}) {
			t.Error("it was told nevertheless")
		}
	})
}

// A result that two transactions bring at once ends the run once.
func TestResultTwiceAtOnce(t *testing.T) {
	each(t, func(t *testing.T, h *shop) {
		for range 5 {
			run, before := h.start(), h.audited("run.end")
			var group sync.WaitGroup
			for range 4 {
				group.Go(func() {
					if err := h.take(model.Result{From: h.pc, Run: run.ID, State: model.RunSucceeded}); err != nil {
						t.Error(err)
					}
				})
			}
			group.Wait()
			if n := h.audited("run.end") - before; n != 1 {
				t.Errorf("it ended %d times", n)
			}
		}
	})
}

// A run that nobody fetched expires; one that began and was never heard of is
// lost. What has ended stays as it is.
func TestExpire(t *testing.T) {
	each(t, func(t *testing.T, h *shop) {
		queued, running, done, cancelled := h.start(), h.start(), h.start(), h.start()
		h.Taken(t.Context(), h.pc, running.ID, time.Now())
		if err := h.take(model.Result{From: h.pc, Run: done.ID, State: model.RunFailed}); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Cancel(t.Context(), h.scope, cancelled.ID); err != nil {
			t.Fatal(err)
		}
		if acts := h.pending(h.pc); len(acts) != 1 || acts[0].ID != queued.ID {
			t.Errorf("to be told: %+v", acts)
		}
		for id, want := range map[model.ID]model.RunState{queued.ID: model.RunExpired, running.ID: model.RunLost, done.ID: model.RunFailed, cancelled.ID: model.RunCancelled} {
			h.expire(id)
			h.expire(id)
			if s := h.get(id).State; s != want {
				t.Errorf("%s, want %s", s, want)
			}
		}
		h.expire(model.NewID())
		if len(h.pending(h.pc)) != 0 {
			t.Error("what has expired is told")
		}
		if _, err := h.Cancel(t.Context(), h.scope, done.ID); code(err) != model.CodeState {
			t.Errorf("cancelling what has ended: %v", err)
		}
	})
}

// A result that comes after the console gave a run up is the truth, once; no
// other end gives way to one.
func TestCorrected(t *testing.T) {
	each(t, func(t *testing.T, h *shop) {
		zero := 0
		tell := func(id model.ID, states ...model.RunState) {
			t.Helper()
			for _, s := range states {
				if err := h.take(model.Result{From: h.pc, Run: id, State: s, ExitCode: &zero, Head: []byte("late"), Bytes: 4}); err != nil {
					t.Fatal(err)
				}
			}
		}
		expired, lost, cancelled := h.start(), h.start(), h.start()
		h.Taken(t.Context(), h.pc, lost.ID, time.Now())
		if _, err := h.Cancel(t.Context(), h.scope, cancelled.ID); err != nil {
			t.Fatal(err)
		}
		h.expire(expired.ID)
		h.expire(lost.ID)
		before := len(h.said())
		tell(expired.ID, model.RunExpired, model.RunLost, model.RunLost, model.RunSucceeded, model.RunFailed, model.RunLost)
		tell(lost.ID, model.RunLost, model.RunExpired, model.RunFailed, model.RunSucceeded)
		tell(cancelled.ID, model.RunSucceeded)
		for id, want := range map[model.ID]model.RunState{expired.ID: model.RunSucceeded, lost.ID: model.RunFailed, cancelled.ID: model.RunCancelled} {
			if s := h.get(id).State; s != want {
				t.Errorf("%s, want %s", s, want)
			}
		}
		if now := h.get(lost.ID); now.ExitCode == nil || now.OutputBytes != 4 {
			t.Errorf("%+v", now)
		}
		if s := strings.Join(h.said()[before:], " "); s != "corrected corrected corrected" {
			t.Errorf("the timeline: %s", s)
		}
		if n := h.audited("run.end"); n != 5 { // two that were given up, three corrections
			t.Errorf("%d rows of the audit", n)
		}
	})
}

// A run that is cancelled while its line is about to tell it is not told; one that
// was written down as told is its machine's to end.
func TestCancelBetween(t *testing.T) {
	each(t, func(t *testing.T, h *shop) {
		run := h.start()
		acts := h.pending(h.pc)
		if _, err := h.Cancel(t.Context(), h.scope, run.ID); err != nil {
			t.Fatal(err)
		}
		if h.Send(t.Context(), acts[0]) {
			t.Error("a run that was cancelled is told all the same")
		}
		if s := h.get(run.ID).State; s != model.RunCancelled {
			t.Errorf("it is %s", s)
		}
		told := h.start()
		if !h.Send(t.Context(), h.pending(h.pc)[0]) {
			t.Fatal("not to be told")
		}
		if _, err := h.Cancel(t.Context(), h.scope, told.ID); err != nil {
			t.Fatal(err)
		}
		acts = h.pending(h.pc)
		if _, ok := acts[0].Body.(*model.CancelRun); len(acts) != 1 || !ok || h.get(told.ID).State != model.RunSent {
			t.Errorf("one that was told: %+v", acts)
		}
	})
}

// TestExpelled: a machine that was expelled gets no run, and those that it had end
// with a reason: what it never heard of is cancelled, the rest is lost.
func TestExpelled(t *testing.T) {
	each(t, func(t *testing.T, h *shop) {
		sent, other := h.start(), h.request()
		h.Send(t.Context(), model.Act{ID: sent.ID, Machine: h.pc, Body: &model.Work{}})
		queued := h.start()
		other.Machine = h.two.Machine
		stays, err := h.Start(t.Context(), h.scope, other)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.fleet.Revoke(t.Context(), h.scope, h.pc.Machine.String(), nil); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Start(t.Context(), h.scope, h.request()); code(err) != model.CodeState {
			t.Errorf("a run for a machine that was expelled: %v", err)
		}
		before := len(h.said())
		if err := h.EndMachine(t.Context(), h.scope, h.pc.Machine); err != nil {
			t.Fatal(err)
		}
		for id, want := range map[model.ID]model.RunState{sent.ID: model.RunLost, queued.ID: model.RunCancelled} {
			if run := h.get(id); run.State != want || run.Refusal != model.CodeRevoked || run.FinishedAt.IsZero() {
				t.Errorf("want %s: %+v", want, run)
			}
		}
		if run := h.get(stays.ID); run.Done() {
			t.Errorf("a run of another machine: %+v", run)
		}
		if n := len(h.said()) - before; n != 2 {
			t.Errorf("the ticket tells %d of two ends", n)
		}
		h.expire(queued.ID)
		if err := h.EndMachine(t.Context(), h.scope, h.pc.Machine); err != nil || h.audited("run.end") != 2 {
			t.Errorf("a second time: %v", err)
		}
	})
}
