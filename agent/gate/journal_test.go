package gate

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/deskside/deskside/protocol"
)

// TestJournal: yes and no are written down; a flood of refusals is counted, and
// does not push others out.
func TestJournal(t *testing.T) {
	b := open(t, t.TempDir(), "attended", "")
	yes := b.order(protocol.KindCheckNow, time.Now(), &protocol.CheckNow{})
	b.want("yes", "", yes)
	for range 1000 {
		b.want("no", protocol.CodeProof, b.order(protocol.KindOpenSession, time.Now(), terminal()))
	}
	b.want("another no", protocol.CodeUnsupported, b.order(protocol.KindOpenSession, time.Now(), &protocol.OpenSession{Kind: "files"}))
	lines := b.journal()
	if len(lines) != 1+10+1+1 {
		t.Fatalf("%d lines: %+v", len(lines), lines)
	}
	if l := lines[0]; l.Act != "admitted" || l.Kind != "check-now" || l.ID != yes.ID {
		t.Errorf("the yes is written as %+v", l)
	}
	for i, l := range lines[1:11] {
		if l.Act != "refused" || l.Code != protocol.CodeProof || l.Count != uint64(i+1) || l.Text == "" {
			t.Errorf("refusal %d is written as %+v", i+1, l)
		}
	}
	if l := lines[11]; l.Count != 1000 {
		t.Errorf("the thousandth is written as %+v", l)
	}
	if l := lines[12]; l.Code != protocol.CodeUnsupported || l.Count != 1 {
		t.Errorf("another refusal is written as %+v", l)
	}
}

// TestJournalOfMany: what may be asked all day, such as live readings, is counted
// too; what runs or opens a door is always written.
func TestJournalOfMany(t *testing.T) {
	b := open(t, t.TempDir(), "trial", "")
	for range 1000 {
		b.want("watch", "", b.order(protocol.KindWatch, time.Now(), &protocol.Watch{Until: time.Now().Add(time.Second).UnixMicro()}))
	}
	for range 12 {
		b.want("a door", "", b.order(protocol.KindOpenSession, time.Now(), terminal()))
	}
	count := map[string]int{}
	for _, l := range b.journal() {
		count[l.Kind]++
	}
	if count["watch"] != 11 || count["open-session"] != 12 {
		t.Errorf("the journal has %v", count)
	}
}

// TestJournalDays: lines go when the policy says, and not by a clock in doubt.
func TestJournalDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t, t.TempDir(), "trial", "version: 1\nprofile: trial\njournal: {days: 1}\n")
		tick := func(want int) {
			t.Helper()
			b.tick()
			if n := len(b.journal()); n != want {
				t.Errorf("%d lines, want %d", n, want)
			}
		}
		b.want("first", "", b.order(protocol.KindCheckNow, time.Now(), &protocol.CheckNow{}))
		time.Sleep(23 * time.Hour)
		b.line(time.Now())
		b.want("second", "", b.order(protocol.KindCheckNow, time.Now(), &protocol.CheckNow{}))
		tick(2)
		b.line(time.Now().Add(-29 * 24 * time.Hour)) // who is right?
		time.Sleep(2 * time.Hour)
		tick(2)
		b.line(time.Now())
		for range 10 { // the floor comes after it
			tick(2)
		}
		for range 14 {
			b.tick()
		}
		tick(1)
		if l := b.journal(); l[0].Number != 2 {
			t.Errorf("left is %+v", l)
		}
	})
}
