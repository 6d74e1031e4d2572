package state

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/protocol"
)

func open(t *testing.T, dir string) *State {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func update(t *testing.T, s *State, fn func(*Tx) error) {
	t.Helper()
	if err := s.Update(fn); err != nil {
		t.Fatal(err)
	}
}

// pending is everything that waits, in the order in which it is sent.
func pending(t *testing.T, s *State) (out []protocol.Entry) {
	t.Helper()
	after, sent := map[protocol.Class]uint64{}, map[string]uint64{}
	err := s.View(func(tx *Tx) error {
		for {
			batch, err := tx.Pending(64<<10, after, sent)
			if err != nil || len(batch) == 0 {
				return err
			}
			if len(batch) > protocol.MaxBatch {
				t.Errorf("a batch of %d", len(batch))
			}
			for _, e := range batch {
				if e.Class.Log() {
					after[e.Class] = e.Number
				} else {
					sent[StateName(e.Class, e.Key)] = e.Revision
				}
			}
			out = append(out, batch...)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func bytesOf(t *testing.T, s *State) (n int64) {
	t.Helper()
	s.View(func(tx *Tx) error { n = tx.Bytes(); return nil })
	return n
}

func text(t *testing.T, e protocol.Entry) (s string) {
	t.Helper()
	if err := protocol.Unmarshal(e.Body, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestOrder: classes in their order, logs by number, states in their latest revision.
func TestOrder(t *testing.T) {
	s := open(t, t.TempDir())
	update(t, s, func(tx *Tx) error {
		for i := range 3 {
			for _, c := range []protocol.Class{protocol.ClassJournal, protocol.ClassChange, protocol.ClassResult, protocol.ClassTransition} {
				n, err := tx.Append(c, fmt.Sprintf("%s%d", c, i))
				if err != nil || n != uint64(i)+1 {
					return fmt.Errorf("%s: number %d, %w", c, n, err)
				}
			}
			if err := errors.Join(tx.Put(protocol.ClassHistory, "h", fmt.Sprint("h", i)), tx.Put(protocol.ClassFacts, "os", fmt.Sprint("os", i))); err != nil {
				return err
			}
		}
		if _, err := tx.Append(protocol.ClassFacts, "x"); err == nil {
			t.Error("facts were appended")
		}
		if err := tx.Put(protocol.ClassResult, "k", "x"); err == nil {
			t.Error("a result was put")
		}
		return nil
	})
	var got []string
	for _, e := range pending(t, s) {
		got = append(got, text(t, e))
	}
	want := "[transition0 transition1 transition2 result0 result1 result2 change0 change1 change2 os2 journal0 journal1 journal2 h2]"
	if fmt.Sprint(got) != want {
		t.Errorf("%v, want %s", got, want)
	}
	update(t, s, func(tx *Tx) error { // a revision that is not the latest forgets nothing
		return tx.Acknowledge(protocol.Ack{Marks: map[protocol.Class]uint64{protocol.ClassResult: 2, protocol.ClassFacts: 99, 77: 1},
			States: map[string]uint64{"facts/os": 1, "history/h": 5}})
	})
	got = nil
	for _, e := range pending(t, s) {
		got = append(got, text(t, e))
	}
	want = "[transition0 transition1 transition2 result2 change0 change1 change2 os2 journal0 journal1 journal2]"
	if fmt.Sprint(got) != want {
		t.Errorf("after the acknowledgement %v, want %s", got, want)
	}
	update(t, s, func(tx *Tx) error { // numbers go on
		n, err := tx.Append(protocol.ClassResult, "again")
		if n != 4 {
			t.Errorf("number %d after three", n)
		}
		return err
	})
}

// TestAcknowledgeMany: a thousand and more at once, and none is left.
func TestAcknowledgeMany(t *testing.T) {
	s := open(t, t.TempDir())
	const many = 2500
	update(t, s, func(tx *Tx) error {
		for i := range many {
			if _, err := tx.Append(protocol.ClassTransition, make([]byte, i%300)); err != nil {
				return err
			}
			if err := tx.Put(protocol.ClassHistory, fmt.Sprint("row", i), make([]byte, i%300)); err != nil {
				return err
			}
		}
		return nil
	})
	all := pending(t, s)
	if len(all) != 2*many {
		t.Fatalf("%d of %d wait", len(all), 2*many)
	}
	ack := protocol.Ack{Marks: map[protocol.Class]uint64{protocol.ClassTransition: many}, States: map[string]uint64{}}
	for _, e := range all {
		if !e.Class.Log() {
			ack.States[StateName(e.Class, e.Key)] = e.Revision
		}
	}
	update(t, s, func(tx *Tx) error { return tx.Acknowledge(ack) })
	if left := pending(t, s); len(left) != 0 || bytesOf(t, s) != 0 {
		t.Errorf("%d entries and %d bytes are left", len(left), bytesOf(t, s))
	}
}

func TestForgetSeenMany(t *testing.T) {
	s := open(t, t.TempDir())
	now := time.Now()
	young := uuid.New()
	update(t, s, func(tx *Tx) error {
		for range 1500 {
			if err := tx.MarkSeen(uuid.New(), now.Add(-25*time.Hour)); err != nil {
				return err
			}
		}
		return tx.MarkSeen(young, now.Add(-23*time.Hour))
	})
	update(t, s, func(tx *Tx) error { return tx.ForgetSeen(now) })
	s.View(func(tx *Tx) error {
		if n := tx.bucket(bucketSeen).Stats().KeyN; n != 1 || !tx.Seen(young) {
			t.Errorf("%d ids are kept", n)
		}
		return nil
	})
}

// TestCap: history is given up first, then the oldest changes and transitions,
// with a note of how many; results and the journal never.
func TestCap(t *testing.T) {
	s := open(t, t.TempDir())
	body := make([]byte, 60<<10)
	add := func(c protocol.Class, n int) {
		for range n / 50 {
			update(t, s, func(tx *Tx) error {
				for range 50 {
					if _, err := tx.Append(c, body); err != nil {
						return err
					}
				}
				return nil
			})
		}
	}
	update(t, s, func(tx *Tx) error {
		for i := range 200 {
			if err := tx.Put(protocol.ClassHistory, fmt.Sprintf("row%03d", i), body); err != nil {
				return err
			}
		}
		return tx.Put(protocol.ClassFacts, "os", "facts")
	})
	count := func() (n, lost map[protocol.Class]uint64) {
		n, lost = map[protocol.Class]uint64{}, map[protocol.Class]uint64{}
		last := map[protocol.Class]uint64{}
		for _, e := range pending(t, s) {
			if e.Dropped > 0 {
				lost[e.Class] += e.Dropped
			} else {
				n[e.Class]++
			}
			if e.Class.Log() && e.Number <= last[e.Class] {
				t.Errorf("%s %d after %d", e.Class, e.Number, last[e.Class])
			}
			last[e.Class] = e.Number
		}
		return n, lost
	}
	add(protocol.ClassResult, 200)
	add(protocol.ClassJournal, 200)
	add(protocol.ClassTransition, 300)
	add(protocol.ClassChange, 200)
	n, lost := count()
	if n[protocol.ClassHistory] >= 200 || n[protocol.ClassChange] != 200 || n[protocol.ClassTransition] != 300 || len(lost) > 0 {
		t.Errorf("history goes first: %v, lost %v", n, lost)
	}
	add(protocol.ClassTransition, 500)
	n, lost = count()
	if n[protocol.ClassHistory] != 0 || n[protocol.ClassChange]+lost[protocol.ClassChange] != 200 ||
		n[protocol.ClassTransition]+lost[protocol.ClassTransition] != 800 || lost[protocol.ClassChange] == 0 {
		t.Errorf("then changes, then transitions: %v, lost %v", n, lost)
	}
	add(protocol.ClassResult, 1000)
	n, lost = count()
	if n[protocol.ClassResult] != 1200 || n[protocol.ClassJournal] != 200 || n[protocol.ClassFacts] != 1 {
		t.Errorf("results, journal and facts are never given up: %v", n)
	}
	if n[protocol.ClassTransition]+lost[protocol.ClassTransition] != 800 || n[protocol.ClassChange]+lost[protocol.ClassChange] != 200 {
		t.Errorf("what was lost is counted: %v, lost %v", n, lost)
	}
	update(t, s, func(tx *Tx) error {
		return tx.Acknowledge(protocol.Ack{Marks: map[protocol.Class]uint64{1: 1e9, 2: 1e9, 3: 1e9, 4: 1e9}})
	})
	if left := pending(t, s); len(left) != 1 || bytesOf(t, s) > 100 {
		t.Errorf("%d entries, %d bytes are left", len(left), bytesOf(t, s))
	}
}

// TestTooLarge: what no frame can carry is not kept, where it would wait for ever
// and hold up all that comes after it.
func TestTooLarge(t *testing.T) {
	s := open(t, t.TempDir())
	large := make([]byte, protocol.MaxFrame)
	for name, fn := range map[string]func(*Tx) error{
		"append": func(tx *Tx) error { _, err := tx.Append(protocol.ClassResult, large); return err },
		"put":    func(tx *Tx) error { return tx.Put(protocol.ClassFacts, "software", large) },
	} {
		if err := s.Update(fn); !errors.Is(err, protocol.ErrTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if left := pending(t, s); len(left) != 0 {
		t.Errorf("%d entries wait", len(left))
	}
}

// TestNewEpoch: everything that waits waits on, once, in order, from 1.
func TestNewEpoch(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	const many = 1200
	update(t, s, func(tx *Tx) error {
		for i := range many {
			for _, c := range []protocol.Class{protocol.ClassTransition, protocol.ClassJournal} {
				if _, err := tx.Append(c, fmt.Sprint(i)); err != nil {
					return err
				}
			}
		}
		if err := tx.Put(protocol.ClassFacts, "os", "facts"); err != nil {
			return err
		}
		return tx.Acknowledge(protocol.Ack{Marks: map[protocol.Class]uint64{protocol.ClassTransition: 100}})
	})
	before := bytesOf(t, s)
	var first uuid.UUID
	update(t, s, func(tx *Tx) error { first = tx.Epoch(); return tx.NewEpoch() })
	seen := map[protocol.Class]uint64{}
	for _, e := range pending(t, s) {
		if !e.Class.Log() {
			continue
		}
		seen[e.Class]++
		skipped := uint64(0)
		if e.Class == protocol.ClassTransition {
			skipped = 100
		}
		if e.Number != seen[e.Class] || text(t, e) != fmt.Sprint(e.Number-1+skipped) {
			t.Fatalf("%s %d holds %s", e.Class, e.Number, text(t, e))
		}
	}
	if seen[protocol.ClassTransition] != many-100 || seen[protocol.ClassJournal] != many {
		t.Errorf("%v wait", seen)
	}
	if after := bytesOf(t, s); after > before || after < before*9/10 {
		t.Errorf("%d bytes before, %d after", before, after)
	}
	s.View(func(tx *Tx) error {
		if tx.Epoch() == first || tx.Next(protocol.ClassTransition) != many-100+1 {
			t.Errorf("epoch %s, next %d", tx.Epoch(), tx.Next(protocol.ClassTransition))
		}
		return nil
	})
}

// TestDigestAtMark: the entry at the mark is known while it waits and after it was
// acknowledged, until the next one is or a new epoch begins; no other is.
func TestDigestAtMark(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	digest := func(n int) []byte {
		raw, err := protocol.Marshal(fmt.Sprint(n))
		if err != nil {
			t.Fatal(err)
		}
		return protocol.Entry{Body: raw}.Digest()
	}
	want := func(when string, known ...uint64) {
		t.Helper()
		s.View(func(tx *Tx) error {
			for n := uint64(0); n <= 6; n++ {
				var want []byte
				if slices.Contains(known, n) {
					want = digest(int(n))
				}
				if got := tx.Digest(protocol.ClassResult, n); !bytes.Equal(got, want) || tx.Digest(protocol.ClassChange, n) != nil {
					t.Errorf("%s: entry %d is %x, want %x", when, n, got, want)
				}
			}
			if n := tx.Waiting(protocol.ClassTransition, 9); n != 0 || tx.Waiting(protocol.ClassResult, 2) > 2 {
				t.Errorf("%s: %d transitions wait", when, n)
			}
			return nil
		})
	}
	acknowledge := func(mark uint64) {
		update(t, s, func(tx *Tx) error {
			return tx.Acknowledge(protocol.Ack{Marks: map[protocol.Class]uint64{protocol.ClassResult: mark}})
		})
	}
	want("empty")
	update(t, s, func(tx *Tx) error {
		for i := range 5 {
			if _, err := tx.Append(protocol.ClassResult, fmt.Sprint(i+1)); err != nil {
				return err
			}
		}
		return nil
	})
	want("all wait", 1, 2, 3, 4, 5)
	acknowledge(3)
	want("the mark is 3", 3, 4, 5)
	acknowledge(2)
	acknowledge(3)
	want("and still is", 3, 4, 5)
	acknowledge(5)
	s.Close()
	s = open(t, dir)
	want("none waits", 5)
	update(t, s, func(tx *Tx) error {
		if err := tx.keepDropped(protocol.ClassResult, 6, 9); err != nil {
			return err
		}
		return tx.Acknowledge(protocol.Ack{Marks: map[protocol.Class]uint64{protocol.ClassResult: 6}})
	})
	want("what stands for lost ones is not known")
	update(t, s, func(tx *Tx) error { _, err := tx.Append(protocol.ClassResult, "6"); return err })
	acknowledge(6)
	update(t, s, (*Tx).NewEpoch)
	want("a new epoch")
}

func TestSecondOpener(t *testing.T) {
	dir := t.TempDir()
	open(t, dir)
	if _, err := Open(dir); !errors.Is(err, ErrInUse) {
		t.Errorf("the second: %v", err)
	}
}

// TestRestoredCopy: a machine that was set back gives old numbers again, and
// says so with a new epoch; its journal goes on from where the copy ends.
func TestRestoredCopy(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	add := func(n int) {
		for i := range n {
			update(t, s, func(tx *Tx) error { return tx.Journal(protocol.JournalEntry{At: int64(i)}) })
		}
	}
	add(5)
	s.Close()
	image, err := os.ReadFile(filepath.Join(dir, "agent.db"))
	if err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	add(5)
	s.Close()
	if err := os.WriteFile(filepath.Join(dir, "agent.db"), image, 0o600); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	update(t, s, func(tx *Tx) error {
		if next := tx.Next(protocol.ClassJournal); next != 6 { // the console's mark is 10
			t.Errorf("the copy gives %d next", next)
		}
		return tx.NewEpoch()
	})
	add(1)
	s.View(func(tx *Tx) error {
		if _, last := tx.Head(); last != 6 {
			t.Errorf("the journal's last line is %d", last)
		}
		return tx.Entries(func(protocol.JournalEntry) error { return nil })
	})
	if n := len(pending(t, s)); n != 6 {
		t.Errorf("%d wait", n)
	}
}

// A new name begins anew: nothing of the old one is told or known, but what the gate
// counts and the journal.
func TestNewName(t *testing.T) {
	s := open(t, t.TempDir())
	id := Identity{Machine: uuid.New(), Organisation: uuid.New(), Name: "LAP-1", Key: make([]byte, 64)}
	section := protocol.Section{Name: "os", Hash: []byte{1}}
	update(t, s, func(tx *Tx) error {
		return errors.Join(tx.SetIdentity(id), tx.SetBlob("checks/state", []byte{1}), tx.SetBlob("zzz", []byte{1}), tx.SetBlob("gate/acts", []byte{2}),
			tx.SetRing("fine", []byte{1}), tx.SetSection(section, false), tx.RaiseFloor(time.Unix(100, 0)))
	})
	id.Machine = uuid.New()
	update(t, s, func(tx *Tx) error { return tx.SetIdentity(id) })
	s.View(func(tx *Tx) error {
		sections, err := tx.Sections()
		if err != nil || len(sections) != 0 || len(tx.Blob("checks/state")) != 0 || len(tx.Blob("zzz")) != 0 || len(tx.Ring("fine")) != 0 {
			t.Errorf("something of the old name is left: %v, %v", sections, err)
		}
		now, err := tx.Identity()
		if err != nil || now.Machine != id.Machine || len(tx.Blob("gate/acts")) != 1 || tx.Floor().Unix() != 100 || tx.Epoch() == uuid.Nil {
			t.Errorf("too much was forgotten: %v", err)
		}
		return nil
	})
	if p := pending(t, s); len(p) != 0 {
		t.Errorf("%+v", p)
	}
}

func TestIdentityAndRuns(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	if err := s.View(func(tx *Tx) error { _, err := tx.Identity(); return err }); !errors.Is(err, ErrNotEnrolled) {
		t.Error(err)
	}
	id := Identity{Machine: uuid.New(), Organisation: uuid.New(), Name: "LAP-1", Key: make([]byte, 64)}
	run := Run{ID: uuid.New(), Script: "x", TakenAt: 5}
	update(t, s, func(tx *Tx) error {
		_, err := tx.Append(protocol.ClassJournal, "of the old name")
		return errors.Join(err, tx.MarkSeen(run.ID, time.Now()), tx.SetIdentity(id), tx.TakeRun(run), tx.RaiseFloor(time.Unix(100, 0)), tx.RaiseFloor(time.Unix(50, 0)),
			tx.SetSection(protocol.Section{Name: "os", Hash: []byte{1}}, false))
	})
	s.Close()
	s = open(t, dir)
	s.View(func(tx *Tx) error {
		got, err := tx.Identity()
		runs, err2 := tx.OpenRuns()
		if err != nil || err2 != nil || got.Machine != id.Machine || len(runs) != 1 || runs[0] != run || tx.Seen(run.ID) || tx.Floor().Unix() != 100 {
			t.Errorf("%+v, %+v, %v", got, runs, errors.Join(err, err2))
		}
		return nil
	})
	if p := pending(t, s); len(p) != 1 || p[0].Class != protocol.ClassFacts {
		t.Errorf("%+v", p)
	}
	update(t, s, func(tx *Tx) error {
		return errors.Join(tx.Acknowledge(protocol.Ack{States: map[string]uint64{"facts/os": 1}}),
			tx.SetSection(protocol.Section{Name: "os", Hash: []byte{1}}, false), tx.FinishRun(protocol.Result{Run: run.ID, State: "lost"}))
	})
	if p := pending(t, s); len(p) != 1 || p[0].Class != protocol.ClassResult {
		t.Errorf("%+v", p)
	}
}
