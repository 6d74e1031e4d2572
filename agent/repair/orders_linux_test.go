package repair

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/agent/gate"
	"github.com/deskside/deskside/agent/state"
	"github.com/deskside/deskside/protocol"
)

// TestCancelUnknown: a run that this machine never heard of is answered, once, and
// is not taken up when it comes late; one that it had is not answered again.
func TestCancelUnknown(t *testing.T) {
	r, _ := runner(t, t.TempDir())
	had := uuid.New()
	if err := r.state.Update(func(tx *state.Tx) error { return tx.MarkSeen(had, time.Now().Add(time.Hour)) }); err != nil {
		t.Fatal(err)
	}
	never, issued := uuid.New(), time.Now().AddDate(2, 0, 0) // the machine's clock is wrong today
	for range 3 {
		r.Cancel(had, time.Now())
		r.Cancel(never, issued)
		r.Cancel(uuid.Nil, time.Now())
	}
	if got := results(t, r); len(got) != 1 || got[0].Run != never || got[0].State != cancelled || got[0].Text == "" {
		t.Errorf("%+v", got)
	}
	err := r.state.Update(func(tx *state.Tx) error {
		if err := tx.ForgetSeen(issued.Add(longestOrder)); err != nil { // and right tomorrow
			return err
		}
		if !tx.Seen(never) {
			t.Error("it can still be taken up")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestRefusedBounded: whoever sends orders that are refused, or cancels runs that
// never were, cannot fill the disk; what really ran is never left out.
func TestRefusedBounded(t *testing.T) {
	r, h := runner(t, t.TempDir())
	h.kept = make(chan struct{}, 1000)
	again := uuid.New()
	for range 150 {
		r.Refuse(&gate.Refusal{Code: protocol.CodeRisk, Text: "no", ID: again})
	}
	if got := results(t, r); len(got) != 1 {
		t.Errorf("%d results of one order", len(got))
	}
	for range 150 {
		r.Refuse(&gate.Refusal{Code: protocol.CodeRisk, Text: "no", ID: uuid.New()})
		r.Cancel(uuid.New(), time.Now())
	}
	if got := results(t, r); len(got) != mostSpared {
		t.Errorf("%d results wait", len(got))
	}
	if len(r.waiting) != 0 {
		t.Errorf("%d ids are kept", len(r.waiting))
	}
	r.finish(protocol.Result{Run: uuid.New(), State: succeeded})
	if got := results(t, r); len(got) != mostSpared+1 {
		t.Errorf("%d results wait: one that ran was left out", len(got))
	}
	err := r.state.Update(func(tx *state.Tx) error {
		return tx.Acknowledge(protocol.Ack{Marks: map[protocol.Class]uint64{protocol.ClassResult: mostSpared + 1}})
	})
	if err != nil {
		t.Fatal(err)
	}
	r.Refuse(&gate.Refusal{Code: protocol.CodeRisk, Text: "no", ID: uuid.New()})
	if got := results(t, r); len(got) != 1 {
		t.Errorf("%d results after the console took all", len(got))
	}
}

// TestRefusedIsUsedUp: an order that the console heard was refused never runs,
// though it is sent again when the reason has passed; one whose refusal was left
// out may.
func TestRefusedIsUsedUp(t *testing.T) {
	r, h := runner(t, t.TempDir())
	h.kept = make(chan struct{}, 2*mostSpared)
	mount := t.TempDir()
	there := false
	g, order := gated(t, r, mount, func(string) []string {
		if there {
			return []string{mount}
		}
		return nil
	})
	sent := func(s protocol.Stamped) string {
		t.Helper()
		_, err := g.Admit(s)
		var x *gate.Refusal
		if err == nil {
			return ""
		} else if !errors.As(err, &x) {
			t.Fatal(err)
		}
		r.Refuse(x)
		return x.Code
	}
	told, left := order(true), order(true)
	if code := sent(told); code != protocol.CodeParameters {
		t.Fatalf("refused for %q", code)
	}
	for range mostSpared {
		r.Refuse(&gate.Refusal{Code: protocol.CodeRisk, Text: "no", ID: uuid.New()})
	}
	if code := sent(left); code != protocol.CodeParameters {
		t.Fatalf("refused for %q", code)
	}
	there = true
	err := r.state.Update(func(tx *state.Tx) error { return tx.ForgetSeen(time.Now().Add(24 * time.Hour)) })
	if err != nil {
		t.Fatal(err)
	}
	if code := sent(told); code != protocol.CodeSeen {
		t.Errorf("an order that was refused came again: %q", code)
	}
	if code := sent(left); code != "" {
		t.Errorf("an order whose refusal nobody heard of came again: %q", code)
	}
	if got := results(t, r); len(got) != mostSpared || got[0].State != refused {
		t.Errorf("%d results, the first %+v", len(got), got[0])
	}
}

// TestAdmitted walks the way of a real order: gate, queue, script, result.
func TestAdmitted(t *testing.T) {
	r, h := runner(t, t.TempDir())
	mount := t.TempDir()
	g, order := gated(t, r, mount, func(string) []string { return []string{mount} })
	admit := func(dry bool) (gate.Admitted, error) { return g.Admit(order(dry)) }
	old := filepath.Join(mount, "var/cache/apt/archives", "old.deb")
	if err := os.MkdirAll(filepath.Dir(old), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(old, make([]byte, 1<<16), 0o666); err != nil {
		t.Fatal(err)
	}
	dry, err1 := admit(true)
	real, err2 := admit(false)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	r.Start(dry)
	r.Start(real)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- r.Run(ctx) }()
	<-h.kept
	if _, err := os.Stat(old); err != nil {
		t.Errorf("the dry run removed: %v", err)
	}
	<-h.kept
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(old); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the real run did not remove: %v", err)
	}
	got := results(t, r)
	if len(got) != 2 || got[0].Run != dry.ID() || got[1].Run != real.ID() || got[0].State != succeeded || got[1].State != succeeded ||
		!got[0].Sandboxed || got[1].Sandboxed {
		t.Errorf("%+v", got)
	}
	for i := range queued + 1 { // nobody takes them: the last finds the queue full
		a, err := admit(true)
		if err != nil {
			t.Fatal(i, err)
		}
		r.Start(a)
	}
	if got := results(t, r); len(got) != 3 || got[2].State != refused || got[2].Refusal != protocol.CodeBusy {
		t.Errorf("%+v", got)
	}
	r.Refuse(&gate.Refusal{Code: protocol.CodeSeen, ID: uuid.New()})
	r.Refuse(&gate.Refusal{Code: protocol.CodeRisk, Text: "no", ID: dry.ID()}) // it has its result
	r.Refuse(&gate.Refusal{Code: protocol.CodeRisk, Text: "no", ID: uuid.New()})
	if got := results(t, r); len(got) != 4 || got[3].Refusal != protocol.CodeRisk || got[3].Text != "no" {
		t.Errorf("%+v", got)
	}
}
