package gate

import (
	"crypto/ed25519"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deskside/deskside/agent/state"
	"github.com/deskside/deskside/protocol"
)

func TestSeenOutlivesRestart(t *testing.T) {
	dir := t.TempDir()
	b := open(t, dir, "trial", "")
	work, door := b.order(protocol.KindWork, time.Now(), b.free()), b.order(protocol.KindOpenSession, time.Now(), terminal())
	b.want("run", "", work)
	b.want("door", "", door)
	if err := b.state.Close(); err != nil {
		t.Fatal(err)
	}
	b = open(t, dir, "trial", "")
	b.want("run again", protocol.CodeSeen, work)
	b.want("door again", protocol.CodeSeen, door)
	err := b.state.View(func(tx *state.Tx) error {
		runs, err := tx.OpenRuns()
		if len(runs) != 1 || runs[0].ID != work.ID || runs[0].Script != "free-disk-space" {
			t.Errorf("open runs %+v", runs)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestClockAhead: a machine whose clock runs a year ahead can be helped, runs no
// script, and nothing stays broken when it is right again.
func TestClockAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t, t.TempDir(), "trial", "")
		right := time.Now().Add(-365 * 24 * time.Hour)
		b.line(right)
		b.want("script", protocol.CodeClock, b.order(protocol.KindWork, right, b.free()))
		b.want("terminal", "", b.order(protocol.KindOpenSession, right, terminal()))
		b.want("cancel", "", b.order(protocol.KindCancel, right, &protocol.Cancel{}))
		b.want("checks", "", b.order(protocol.KindChecks, right, b.bodies()[protocol.KindChecks]))
		b.want("stale terminal", protocol.CodeExpired, b.order(protocol.KindOpenSession, right.Add(-time.Hour), terminal()))
		b.tick()
		if floor := b.floor(); floor.After(right) {
			t.Errorf("the floor was raised to %s by a clock in doubt", floor)
		}
		b.line(time.Now()) // the same difference, seen from a clock that was set right
		b.want("script, right again", "", b.order(protocol.KindWork, time.Now(), b.free()))
	})
}

// TestClockSet: a clock that is set a year ahead while the line is up is not believed
// from that moment on, and leaves nothing behind.
func TestClockSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t, t.TempDir(), "trial", "")
		var passed time.Duration // by which nothing else goes here
		b.passed = func() time.Duration { return passed }
		b.line(time.Now())
		b.tick()
		b.want("script", "", b.order(protocol.KindWork, time.Now(), b.free()))
		right, before := time.Now(), b.floor()
		time.Sleep(365 * 24 * time.Hour) // that the clock shows, and that has not passed
		b.want("script, set ahead", protocol.CodeClock, b.order(protocol.KindWork, right, b.free()))
		b.want("terminal, set ahead", "", b.order(protocol.KindOpenSession, right, terminal()))
		b.tick()
		if floor := b.floor(); !floor.Equal(before) {
			t.Errorf("the floor was raised to %s by a clock in doubt", floor)
		}
	})
}

// TestSleep: what waited on the line while the machine slept is as old as it is.
func TestSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t, t.TempDir(), "trial", "")
		var passed time.Duration
		b.passed = func() time.Duration { return passed }
		b.line(time.Now())
		door := b.order(protocol.KindOpenSession, time.Now(), terminal())
		passed = 6 * time.Minute
		b.want("a terminal of before", protocol.CodeExpired, door)
		passed = time.Hour
		b.want("by a certificate of before", protocol.CodeStamp, b.order(protocol.KindCheckNow, time.Now().Add(time.Hour), &protocol.CheckNow{}))
	})
}

// TestEnds: a script that may wait ends by the console's clock too, and one that was sent
// after its end is said to have ended.
func TestEnds(t *testing.T) {
	b := open(t, t.TempDir(), "trial", "")
	b.line(time.Now().Add(2 * time.Hour)) // too little to be in doubt
	b.want("ended", protocol.CodeExpired, b.order(protocol.KindWork, time.Now(), b.free()))
	late := b.order(protocol.KindWork, time.Now().Add(3*time.Hour), b.free())
	late.Expires = late.Issued - 1
	stamped, err := protocol.Stamp(b.key, late)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Admit(stamped); err == nil || !strings.Contains(err.Error(), "ended at") {
		t.Errorf("one that ended before it was sent: %v", err)
	}
}

// TestBothAhead: a machine and its console that are a year ahead for some minutes, and
// are put right, are not kept apart until that year has passed.
func TestBothAhead(t *testing.T) {
	dir := t.TempDir()
	run := func(from time.Duration, minutes int, do func(*bench)) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(from)
			b := open(t, dir, "trial", "")
			b.line(time.Now())
			for range minutes {
				time.Sleep(time.Minute)
				b.tick()
			}
			b.line(time.Now())
			do(b)
			if err := b.state.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
	const day = 24 * time.Hour
	var door protocol.Order
	run(0, 1, func(b *bench) {
		door = b.order(protocol.KindOpenSession, time.Now(), terminal())
		b.want("a terminal", "", door)
	})
	run(365*day, 60, func(b *bench) {
		for range b.policy.Limits.SafePerHour {
			b.want("a script a year ahead", "", b.order(protocol.KindWork, time.Now(), b.free()))
		}
	})
	run(time.Hour, 1, func(b *bench) {
		b.want("a terminal when it is right again", "", b.order(protocol.KindOpenSession, time.Now(), terminal()))
		b.want("the one of then", protocol.CodeSeen, door)
		b.want("a cancel", "", b.order(protocol.KindCancel, time.Now(), &protocol.Cancel{}))
		b.want("a script", protocol.CodeClock, b.order(protocol.KindWork, time.Now(), b.free()))
	})
	run(6*time.Hour, 1, func(b *bench) {
		b.want("a script five hours later", "", b.order(protocol.KindWork, time.Now(), b.free()))
	})
	run(16*time.Hour, 180, func(b *bench) { // it was off for hours: the floor comes after it
		if behind := time.Since(b.floor()); behind > time.Minute {
			t.Errorf("after 180 minutes the floor is %s behind", behind)
		}
	})
}

// TestClockBack: a clock below the floor runs no script, and an expired order
// does not come to life by it.
func TestClockBack(t *testing.T) {
	dir := t.TempDir()
	var old protocol.Order
	synctest.Test(t, func(t *testing.T) { // a bubble begins at midnight of 1 January 2000
		b := open(t, dir, "trial", "")
		old = b.order(protocol.KindCancel, time.Now().Add(time.Hour), &protocol.Cancel{})
		time.Sleep(400 * 24 * time.Hour)
		b.line(time.Now())
		b.tick()
		b.want("in 2001", "", b.order(protocol.KindWork, time.Now(), b.free()))
		b.want("old", protocol.CodeExpired, old)
		if err := b.state.Close(); err != nil {
			t.Fatal(err)
		}
	})
	synctest.Test(t, func(t *testing.T) { // and here it is 2000 again
		b := open(t, dir, "trial", "")
		right := time.Now().Add(400 * 24 * time.Hour)
		b.line(right)
		b.want("script", protocol.CodeClock, b.order(protocol.KindWork, right, b.free()))
		b.want("terminal", "", b.order(protocol.KindOpenSession, right, terminal()))
		b.want("old", protocol.CodeExpired, old)
		b.Line(protocol.StampKey{Key: b.key.Public().(ed25519.PublicKey), Expires: right.Add(time.Hour).UnixMicro()},
			time.Now()) // a console that sets its own clock back, too
		b.want("script, both back", protocol.CodeClock, b.order(protocol.KindWork, time.Now(), b.free()))
		b.want("old, both back", protocol.CodeExpired, old)
		b.line(time.Now())
		b.want("a stamp that ended long ago", protocol.CodeStamp, b.order(protocol.KindCheckNow, time.Now(), &protocol.CheckNow{}))
	})
}

// TestNoSecondLife: an id is forgotten only when no clock can make its order
// valid again.
func TestNoSecondLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t, t.TempDir(), "trial", "")
		began := time.Now()
		door := b.order(protocol.KindOpenSession, began, terminal())
		b.want("door", "", door)
		for range 50 { // hours
			b.line(time.Now())
			for range 12 {
				time.Sleep(5 * time.Minute)
				b.tick()
			}
			b.line(began)
			if _, code := b.admit(door); code == "" {
				t.Fatalf("the door opened again after %s", time.Since(began))
			}
		}
		err := b.state.View(func(tx *state.Tx) error {
			if tx.Seen(door.ID) {
				t.Error("the id is kept for ever")
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// TestRepeatedLate: an order told again after its time is a repeated one, not
// one that came too late; the run it started goes on.
func TestRepeatedLate(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		b := open(t, dir, "attended", "")
		o := b.order(protocol.KindWork, time.Now(), b.free())
		b.want("first", "", o)
		time.Sleep(6 * time.Minute)
		b.line(time.Now())
		b.want("late and again", protocol.CodeSeen, o)
	})
}

// TestStampEnds: a stamp key is good for as long as the console's identity said.
func TestStampEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t, t.TempDir(), "trial", "")
		now := func() protocol.Order { return b.order(protocol.KindCheckNow, time.Now(), &protocol.CheckNow{}) }
		time.Sleep(time.Hour - time.Second)
		b.want("in time", "", now())
		time.Sleep(time.Second)
		b.want("after its end", protocol.CodeStamp, now())
		b.want("a cancel after its end", protocol.CodeStamp, b.order(protocol.KindCancel, time.Now(), &protocol.Cancel{}))
		b.line(time.Now())
		b.want("certified anew", "", now())
	})
}
