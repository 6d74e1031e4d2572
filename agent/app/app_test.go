package app

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/agent/state"
	"github.com/deskside/deskside/protocol"
	"github.com/deskside/deskside/protocol/catalogue"
	"github.com/deskside/deskside/protocol/expression"
	"github.com/deskside/deskside/protocol/history"
)

// enrolled is an agent with a name, which is not run; read, when it is not nil,
// makes up its readings.
func enrolled(t *testing.T, dir, profile string, read func() *expression.Machine) *Agent {
	t.Helper()
	s, err := state.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	id := state.Identity{Machine: uuid.New(), Organisation: uuid.New(), Name: "LAP-1", Key: make([]byte, 64), Profile: profile,
		Console: "https://127.0.0.1:1"}
	if err := s.Update(func(tx *state.Tx) error { return tx.SetIdentity(id) }); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	o := Options{State: dir, Policy: dir + "/policy.yaml", Log: slog.New(slog.DiscardHandler)}
	if read != nil {
		o.Pretend = &Pretend{Family: "linux", Read: func(context.Context, bool) *expression.Machine { return read() }}
	}
	a, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.state.Close() })
	return a
}

// TestCauseWhateverTheConsoleSet: a set of checks that was bent to fire at once,
// for ever or for a service that nobody starts gives no cause.
func TestCauseWhateverTheConsoleSet(t *testing.T) {
	dir := t.TempDir()
	// The codec of the history is made once, and must not be made in the bubble.
	var b history.Builder
	b.Append(history.Moment{Wall: time.Now()}, []history.Sample{{Metric: history.CPUUtilization}})
	b.Row()
	synctest.Test(t, func(t *testing.T) {
		services := []expression.Service{{Name: "cups", State: "running", Start: "auto"}, {Name: "vpn", State: "stopped", Start: "manual"}}
		a := enrolled(t, dir, "attended", func() *expression.Machine {
			return &expression.Machine{ObservedAt: expression.TimeOf(time.Now()), Services: services}
		})
		now, always := catalogue.Duration(0), catalogue.MaxFor
		running := `in ["running"]`
		bent, err := catalogue.Resolve(catalogue.Builtin(), catalogue.Layer{Watched: []string{"cups", "vpn"}, Overrides: []catalogue.Override{
			{Check: "service.stopped", For: &now, KeepFiringFor: &always, Warning: &running}}})
		if err != nil {
			t.Fatal(err)
		}
		a.rounds.serve(t.Context(), request{set: bent.Encode()})
		rounds := func(n int) {
			for range n {
				a.rounds.round(t.Context())
				time.Sleep(15 * time.Second)
			}
		}
		want := func(when string, cups bool) {
			t.Helper()
			if a.firing("service.stopped", "cups") != cups || a.firing("service.stopped", "vpn") || a.firing("service.stopped", "") {
				t.Errorf("%s: cups %t, vpn %t", when, a.firing("service.stopped", "cups"), a.firing("service.stopped", "vpn"))
			}
		}
		rounds(10)
		if a.rounds.set.Health() == "ok" {
			t.Fatal("the bent set was not taken")
		}
		want("running", false)
		services[0].State = "failed"
		rounds(2)
		want("failed for 15 s", false)
		rounds(1)
		want("failed for 30 s", true)
		time.Sleep(time.Minute)
		want("no round for a minute", false)
		rounds(4)
		want("failed", true)
		services[0].State = "running"
		rounds(1)
		want("running again", false)
	})
}

// TestWatchedIsSent: while somebody looks, the row of this hour is sent once a
// minute, also when there is nothing else to be sent; nobody looks, it waits.
func TestWatchedIsSent(t *testing.T) {
	dir := t.TempDir()
	var b history.Builder // its codec is made once, and must not be made in the bubble
	b.Append(history.Moment{Wall: time.Now()}, []history.Sample{{Metric: history.CPUUtilization}})
	b.Row()
	synctest.Test(t, func(t *testing.T) {
		a := enrolled(t, dir, "attended", func() *expression.Machine {
			m := &expression.Machine{ObservedAt: expression.TimeOf(time.Now())}
			m.CPU.Used = expression.Known(0.5)
			return m
		})
		woken := 0
		a.rounds.wake = func() { woken++ }
		a.rounds.uploaded = time.Now()
		a.rounds.spread = time.Since(time.Now().Truncate(a.rounds.upload)) // its next turn is a whole interval away
		minutes := func(n int) (sent int) {
			for range n * 4 {
				time.Sleep(sampleEvery)
				now := time.Now()
				m := a.rounds.reader.round(t.Context(), false)
				before := woken
				a.rounds.note(m, now)
				a.rounds.keep(now, false)
				sent += woken - before
			}
			return sent
		}
		if n := minutes(5); n != 0 {
			t.Errorf("sent %d times though nobody looks", n)
		}
		a.rounds.saved = time.Now() // the minute falls into a moment in which the page is loaded anew
		a.rounds.watched = time.Now().Add(sampleEvery + time.Second)
		a.rounds.uploaded = time.Now().Add(-saveEvery)
		if n := minutes(1); n != 1 {
			t.Errorf("sent %d times while somebody looked again", n)
		}
		a.rounds.watched = time.Now().Add(time.Hour)
		if n := minutes(5); n < 4 || n > 5 {
			t.Errorf("sent %d times in five minutes while somebody looks", n)
		}
	})
}

// TestEvidenceOfTheMoment: the evidence of an alert ends with the reading that it
// fires at, also where that came between two samples.
func TestEvidenceOfTheMoment(t *testing.T) {
	dir := t.TempDir()
	var b history.Builder // its codec is made once, and must not be made in the bubble
	b.Append(history.Moment{Wall: time.Now()}, []history.Sample{{Metric: history.CPUUtilization}})
	b.Row()
	synctest.Test(t, func(t *testing.T) {
		used := 0.2
		a := enrolled(t, dir, "attended", func() *expression.Machine {
			m := &expression.Machine{ObservedAt: expression.TimeOf(time.Now())}
			m.CPU.Used = expression.Known(used)
			return m
		})
		name := history.MetricOf(history.CPUUtilization).Name
		points := func() []*float64 {
			t.Helper()
			m := a.rounds.reader.round(t.Context(), false)
			a.rounds.note(m, time.Now())
			series := evidence(a.rounds.upTo(m, time.Now()), []string{name}, "")
			if len(series) != 1 {
				t.Fatalf("%d series", len(series))
			}
			return series[0].Values
		}
		if got := points(); len(got) != 1 { // the sample is the reading
			t.Errorf("%d points of one reading", len(got))
		}
		time.Sleep(2 * time.Second)
		used = 0.9
		if got := points(); len(got) != 2 || *got[1] != 0.9 {
			t.Errorf("the evidence ends with another reading: %v", got)
		}
		if n := len(a.rounds.ring); n != 1 {
			t.Errorf("the history got %d samples", n)
		}
	})
}

// TestNewNameTellsAnew: what fires already is told under a new name too.
func TestNewNameTellsAnew(t *testing.T) {
	dir := t.TempDir()
	var b history.Builder // its codec is made once, and must not be made in the bubble
	b.Append(history.Moment{Wall: time.Now()}, []history.Sample{{Metric: history.CPUUtilization}})
	b.Row()
	synctest.Test(t, func(t *testing.T) {
		told := func() (n int) {
			a := enrolled(t, dir, "attended", func() *expression.Machine {
				m := &expression.Machine{ObservedAt: expression.TimeOf(time.Now())}
				m.Memory.Used = expression.Known(0.99)
				return m
			})
			for range 20 {
				a.rounds.round(t.Context())
				time.Sleep(15 * time.Second)
			}
			a.state.View(func(tx *state.Tx) error {
				n = tx.Waiting(protocol.ClassTransition, 10)
				return nil
			})
			a.state.Close()
			return n
		}
		for _, name := range []string{"first", "second"} {
			if n := told(); n == 0 {
				t.Errorf("the %s name tells no alert", name)
			}
		}
	})
}

// TestVerify: verified is said only of what was looked at and is well.
func TestVerify(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		a := enrolled(t, dir, "attended", func() *expression.Machine {
			m := &expression.Machine{ObservedAt: expression.TimeOf(time.Now())}
			for mount, used := range map[expression.Text]float64{"/": 0.5, "/full": 0.99} {
				m.Filesystems = append(m.Filesystems, expression.Filesystem{Mount: mount, Kind: "local", Used: expression.Known(used), SizeBytes: expression.Known(1e12)})
			}
			return m
		})
		for instance, want := range map[string]string{"/": "verified", "/full": "still_failing", "/nowhere": "not_run"} {
			if got := a.rounds.verify(t.Context(), verification{check: "filesystem.full", instance: instance}); got.Verdict != want {
				t.Errorf("%s: %s, want %s", instance, got.Verdict, want)
			}
		}
		if got := a.rounds.verify(t.Context(), verification{check: "service.stopped", instance: "unwatched"}); got.Verdict != "not_run" {
			t.Errorf("a service that nobody watches: %s", got.Verdict)
		}
	})
}
