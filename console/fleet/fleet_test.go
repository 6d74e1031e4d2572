package fleet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/console/store/storetest"
	"github.com/deskside/deskside/protocol/expression"
)

var system = store.System("test")

// yard is a fleet of one organisation.
type yard struct {
	*Fleet
	t    *testing.T
	ours model.ID
}

func each(t *testing.T, fn func(*testing.T, *yard)) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		y := &yard{Fleet: New(s, slog.New(slog.DiscardHandler)), t: t, ours: model.NewID()}
		y.update(func(tx *store.Tx) error {
			_, err := tx.Exec("INSERT INTO organisation (id, name, created_at, version) VALUES ($1, 'Ours', 0, 1)", y.ours)
			return err
		})
		fn(t, y)
	})
}

func code(err error) string {
	var p *model.Problem
	if errors.As(err, &p) {
		return p.Code
	}
	return fmt.Sprint(err)
}

func (y *yard) update(fn func(*store.Tx) error) {
	y.t.Helper()
	if err := y.store.Update(y.t.Context(), system, fn); err != nil {
		y.t.Fatal(err)
	}
}

func (y *yard) left(ctx context.Context, from model.From, since time.Time, reason model.OfflineReason) {
	y.t.Helper()
	if err := y.Disconnected(ctx, from, since, reason, false); err != nil {
		y.t.Fatal(err)
	}
}

func (y *yard) token(uses int) []byte {
	y.t.Helper()
	e, err := y.NewEnrolment(y.t.Context(), store.Scope{Organisations: []model.ID{y.ours}}, y.ours, uses, time.Hour)
	if err != nil {
		y.t.Fatal(err)
	}
	return e.Secret
}

func (y *yard) newcomer(name string, secret []byte) model.Newcomer {
	id := model.NewID()
	return model.Newcomer{Organisation: y.ours, Secret: secret, Key: append(id[:], id[:]...), Name: name, OS: model.OS{Family: "linux"}}
}

// machine enrols and connects a machine to a node.
func (y *yard) machine(node model.ID) (from model.From, since time.Time) {
	y.t.Helper()
	m, err := y.Enrol(y.t.Context(), y.newcomer("pc", y.token(1)))
	if err != nil {
		y.t.Fatal(err)
	}
	from = model.From{Organisation: y.ours, Machine: m.ID}
	return from, y.connect(from, node)
}

func (y *yard) connect(from model.From, node model.ID) time.Time {
	y.t.Helper()
	return y.hello(model.Hello{From: from, Node: node, Name: "pc"})
}

func (y *yard) hello(h model.Hello) time.Time {
	y.t.Helper()
	came, err := y.Connected(y.t.Context(), []model.Hello{h})
	if err = errors.Join(err, came[0].Err); err != nil {
		y.t.Fatal(err)
	}
	return came[0].Since
}

func (y *yard) get(from model.From) (m model.Machine) {
	y.t.Helper()
	y.update(func(tx *store.Tx) (err error) { m, err = Get(tx, from.Machine); return err })
	return m
}

// due is when a row of a kind becomes due; zero for never.
func (y *yard) due(kind string, id model.ID) (at time.Time) {
	y.t.Helper()
	y.update(func(tx *store.Tx) error {
		var micros int64
		err := tx.QueryRow("SELECT at FROM due WHERE kind = $1 AND id = $2", kind, id).Scan(&micros)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		at = store.Time(micros)
		return err
	})
	return at
}

// lost does what the due row of a lost line does.
func (y *yard) lost(from model.From) {
	y.t.Helper()
	y.update(func(tx *store.Tx) error { _, err := y.Lost(y.t.Context(), tx, from.Machine); return err })
}

// Of 300 machines that come at once with a token for 100, exactly 100 get in.
func TestEnrolAtOnce(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		secret := y.token(100)
		var in, out atomic.Int32
		var group sync.WaitGroup
		for i := range 300 {
			group.Go(func() {
				switch _, err := y.Enrol(t.Context(), y.newcomer(fmt.Sprint("pc", i), secret)); {
				case err == nil:
					in.Add(1)
				case code(err) == codeTokenSpent:
					out.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		group.Wait()
		var machines, used, refused int
		y.update(func(tx *store.Tx) error {
			return errors.Join(tx.QueryRow("SELECT count(*) FROM machine WHERE {wall}").Scan(&machines),
				tx.QueryRow("SELECT used FROM enrolment WHERE {wall}").Scan(&used),
				tx.QueryRow("SELECT count(*) FROM audit WHERE action = 'machine.enrol' AND result = 'refused' AND {wall}").Scan(&refused))
		})
		if in.Load() != 100 || out.Load() != 200 || machines != 100 || used != 100 || refused != 1 { // they are of one address
			t.Errorf("%d in, %d out, %d machines, %d uses, %d refusals in the audit", in.Load(), out.Load(), machines, used, refused)
		}
	})
}

func TestEnrolRefused(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		secret := y.token(5)
		y.update(func(tx *store.Tx) error {
			_, err := tx.Exec("UPDATE enrolment SET expires_at = $1 WHERE {wall}", store.Micros(tx.Now()))
			return err
		})
		if _, err := y.Enrol(t.Context(), y.newcomer("late", secret)); code(err) != codeTokenExpired {
			t.Errorf("an expired token: %v", err)
		}
		if _, err := y.Enrol(t.Context(), y.newcomer("wrong", []byte("nonsense"))); code(err) != codeTokenWrong {
			t.Errorf("a wrong token: %v", err)
		}
		other := y.newcomer("theirs", y.token(5))
		other.Organisation = model.NewID()
		if _, err := y.Enrol(t.Context(), other); code(err) != codeTokenWrong {
			t.Errorf("a token of another organisation: %v", err)
		}
		for _, n := range []struct {
			uses int
			life time.Duration
		}{{0, time.Hour}, {10_001, time.Hour}, {1, time.Second}, {1, 91 * 24 * time.Hour}} {
			if _, err := y.NewEnrolment(t.Context(), system, y.ours, n.uses, n.life); code(err) != model.CodeInvalid {
				t.Errorf("%+v: %v", n, err)
			}
		}
	})
}

// A goodbye makes a machine offline at once, with its reason; a line that breaks
// does not.
func TestDisconnected(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		node := model.NewID()
		for _, reason := range []model.OfflineReason{model.OfflineShutDown, model.OfflineAsleep, model.OfflineUpdating, model.OfflineUnknown} {
			from, since := y.machine(node)
			y.left(t.Context(), from, since, reason)
			if m := y.get(from); m.Online || m.Reason != reason {
				t.Errorf("after %s: %v %s", reason, m.Online, m.Reason)
			}
			if y.due(KindGone, from.Machine).IsZero() || !y.due(KindLost, from.Machine).IsZero() {
				t.Errorf("after %s nobody hears of it", reason)
			}
		}
		from, since := y.machine(node)
		y.left(t.Context(), from, since, model.OfflineNone)
		if m := y.get(from); !m.Online {
			t.Error("a line that broke made the machine offline at once")
		}
		left := time.Until(y.due(KindLost, from.Machine))
		if after := model.DefaultSettings().OfflineAfter; left > after || left < after-10*time.Second {
			t.Errorf("it has %v to come back, not %v", left, after)
		}
		if err := y.Disconnected(t.Context(), from, since, model.OfflineNone, true); err != nil {
			t.Fatal(err)
		}
		if left := time.Until(y.due(KindLost, from.Machine)); left > backTime || left < backTime/2 {
			t.Errorf("after its silence it has %v to come back", left)
		}
		s := model.DefaultSettings()
		s.OfflineAfter, s.Version = 2*time.Second, 0
		y.update(func(tx *store.Tx) error { return SetSettings(tx, y.ours, s) })
		if err := y.Disconnected(t.Context(), from, since, model.OfflineNone, true); err != nil {
			t.Fatal(err)
		}
		if left := time.Until(y.due(KindLost, from.Machine)); left > s.OfflineAfter {
			t.Errorf("who is silent has %v to come back, more than a line that broke", left)
		}
		y.lost(from)
		if m := y.get(from); m.Online || m.Reason != model.OfflineLinkLost {
			t.Errorf("after the time: %v %s", m.Online, m.Reason)
		}
		y.lost(from) // a second time does no harm
		y.connect(from, node)
		if m := y.get(from); !m.Online || m.Reason != model.OfflineNone {
			t.Errorf("back again: %v %s", m.Online, m.Reason)
		}
		if y.due(KindBack, from.Machine).IsZero() {
			t.Error("nobody hears that it is back")
		}
	})
}

// A line that is back in time was never gone; and an old line that is found
// broken after a newer one began, here or at another node, ends nothing.
func TestBackInTime(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		a, b := model.NewID(), model.NewID()
		for _, node := range []model.ID{a, b} {
			from, since := y.machine(a)
			seen := y.due(KindBack, from.Machine)
			y.left(t.Context(), from, since, model.OfflineNone)
			y.connect(from, node)
			if !y.due(KindLost, from.Machine).IsZero() || !y.due(KindBack, from.Machine).Equal(seen) {
				t.Error("it was back in time, and somebody hears of it")
			}
			y.left(t.Context(), from, since, model.OfflineNone)     // the old line, late
			y.left(t.Context(), from, since, model.OfflineShutDown) // or its goodbye
			if m := y.get(from); !m.Online || m.Node != node || !y.due(KindLost, from.Machine).IsZero() {
				t.Errorf("an old line ended the newer one: %+v", m)
			}
		}
	})
}

// The machines of a node that is gone have the same time to come back, those of
// other nodes do not notice.
func TestNodeLapsed(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		a, b := model.NewID(), model.NewID()
		mine, _ := y.machine(a)
		back, _ := y.machine(a)
		other, _ := y.machine(b)
		y.update(func(tx *store.Tx) error { return y.NodeLapsed(tx, a) })
		y.connect(back, b)
		if y.due(KindOrphan, mine.Machine).IsZero() || !y.due(KindOrphan, back.Machine).IsZero() || !y.due(KindOrphan, other.Machine).IsZero() {
			t.Error("who is lost and who is not")
		}
		orphan := func(from model.From) {
			t.Helper()
			y.update(func(tx *store.Tx) error { _, err := y.Orphan(t.Context(), tx, from.Machine); return err })
		}
		orphan(mine)
		orphan(mine) // a second time does no harm
		y.update(func(tx *store.Tx) error {
			_, err := tx.Exec("INSERT INTO node (id, address, started, lease) VALUES ($1, '', 0, $2)", b, store.Micros(time.Now().Add(time.Minute)))
			return err
		})
		orphan(back) // it came back in the very moment, and the row was left
		for from, online := range map[model.From]bool{mine: false, back: true, other: true} {
			if m := y.get(from); m.Online != online || (!online && m.Reason != model.OfflineLinkLost) {
				t.Errorf("%+v", m)
			}
		}
	})
}

// Settings keep their bounds, say which, and are changed by one at a time.
func TestSettings(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		for name, change := range map[string]func(*model.Settings){
			"beat": func(s *model.Settings) { s.Beat = 0 }, "offline_after": func(s *model.Settings) { s.OfflineAfter = 25 * time.Hour },
			"storm.machines": func(s *model.Settings) { s.StormMachines = 1 }, "watched_services": func(s *model.Settings) { s.Watched = make([]string, 101) },
			"watched_services no name": func(s *model.Settings) { s.Watched = []string{"cups", ""} }, "watched_services long": func(s *model.Settings) { s.Watched = []string{strings.Repeat("x", 257)} },
			"watched_services control": func(s *model.Settings) { s.Watched = []string{"smb\td"} }, "watched_services bidi": func(s *model.Settings) { s.Watched = []string{"a\u202eb"} },
			"watched_services bytes": func(s *model.Settings) { s.Watched = []string{"a\xffb"} },
		} {
			s := model.DefaultSettings()
			change(&s)
			err := y.store.Update(t.Context(), system, func(tx *store.Tx) error { return SetSettings(tx, y.ours, s) })
			var p *model.Problem
			if field, _, _ := strings.Cut(name, " "); !errors.As(err, &p) || p.Code != model.CodeInvalid || p.Field != field {
				t.Errorf("%s: %v", name, err)
			}
		}
		s := model.DefaultSettings()
		s.OfflineAfter, s.Version = 2*time.Second, 0
		y.update(func(tx *store.Tx) error { return SetSettings(tx, y.ours, s) })
		err := y.store.Update(t.Context(), system, func(tx *store.Tx) error { return SetSettings(tx, y.ours, s) })
		if !errors.Is(err, store.ErrConflict) {
			t.Errorf("the same version again: %v", err)
		}
		y.update(func(tx *store.Tx) error {
			now, err := Settings(tx, y.ours)
			if now.OfflineAfter != 2*time.Second {
				t.Errorf("%+v", now)
			}
			return err
		})
	})
}

// TestBoundedBooks: a machine that tells of changes and of its journal for ever
// keeps the newest of both, and takes nothing of another machine's.
func TestBoundedBooks(t *testing.T) {
	each(t, func(t *testing.T, f *yard) {
		loud, quiet := model.NewID(), model.NewID()
		count := func(table string, machine model.ID) (n int) {
			f.update(func(tx *store.Tx) error {
				return tx.QueryRow("SELECT count(*) FROM "+table+" WHERE machine_id = $1 AND {wall}", machine).Scan(&n)
			})
			return n
		}
		tell := func(machine model.ID, item string, list ...int) {
			var changes []model.Change
			var lines []model.JournalLine
			for _, i := range list {
				at := time.Unix(int64(i), 0)
				who := model.From{Organisation: f.ours, Machine: machine}
				changes = append(changes, model.Change{From: who, ChangedAt: at, Section: "services", Item: item})
				lines = append(lines, model.JournalLine{From: who, Number: uint64(i + 1), Written: at, Kind: "work", Text: item})
			}
			f.update(func(tx *store.Tx) error {
				return errors.Join(f.TakeChanges(tx, changes), f.TakeJournal(tx, lines))
			})
		}
		tell(quiet, "x", 0, 1, 2)
		// Their times and numbers are the machine's own: none of them makes room or
		// takes it.
		same, back := make([]int, keptOfMachine), make([]int, 50)
		tell(loud, "first", same...)
		tell(loud, "second", same[:keptOfMachine/2]...)
		for i := range back {
			back[i] = -i
		}
		tell(loud, "last", back...)
		for table, item := range map[string]string{"fact_change": "item", "machine_journal": "text"} {
			if n := count(table, loud); n != keptOfMachine {
				t.Errorf("%s has %d rows", table, n)
			}
			if n := count(table, quiet); n != 3 {
				t.Errorf("%s has %d rows of the other machine", table, n)
			}
			for word, want := range map[string]int{"first": keptOfMachine/2 - 50, "second": keptOfMachine / 2, "last": 50} {
				f.update(func(tx *store.Tx) error {
					var n int
					err := tx.QueryRow("SELECT count(*) FROM "+table+" WHERE "+item+" = $1 AND {wall}", word).Scan(&n)
					if n != want {
						t.Errorf("%s keeps %d that came %s, want %d", table, n, word, want)
					}
					return err
				})
			}
		}
	})
}

// TestCutOff: a machine that was lost and has started anew was not shut down, unless
// it or its agent says otherwise; only that is among its changes.
func TestCutOff(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		from, since := y.machine(model.NewID())
		node := model.NewID()
		hello := func(boot string, left bool) {
			t.Helper()
			since = y.hello(model.Hello{From: from, Node: node, Name: "pc", Boot: boot, Left: left})
		}
		lose := func() { y.left(t.Context(), from, since, model.OfflineNone); y.lost(from) }
		told := 0
		want := func(what string, more int) {
			t.Helper()
			told += more
			var section, item, after string
			n := 0
			y.update(func(tx *store.Tx) error {
				err := tx.QueryRow("SELECT count(*) FROM fact_change WHERE machine_id = $1 AND {wall}", from.Machine).Scan(&n)
				if err != nil || n == 0 {
					return err
				}
				return tx.QueryRow("SELECT section, item, new FROM fact_change WHERE machine_id = $1 AND {wall} ORDER BY at DESC LIMIT 1", from.Machine).Scan(&section, &item, &after)
			})
			if n != told || n > 0 && (section != "os" || item != "restarted" || after != "without being shut down") {
				t.Errorf("%s: %d changes, want %d; the newest is %q %q %q", what, n, told, section, item, after)
			}
		}
		lose()
		hello("one", false)
		want("told for the first time", 0)
		lose()
		hello("one", false)
		want("a lost line", 0)
		lose()
		hello("two", false)
		want("lost, and started anew", 1)
		y.left(t.Context(), from, since, model.OfflineNone)
		hello("three", false)
		want("back before it was missed", 1)
		lose()
		hello("four", true)
		want("shut down where no console heard it", 0)
		for _, reason := range []model.OfflineReason{model.OfflineShutDown, model.OfflineAsleep, model.OfflineUnknown} {
			y.left(t.Context(), from, since, reason)
			hello("after "+string(reason), false)
			want(string(reason), 0)
		}
		lose()
		hello("", false)
		want("does not tell", 0)
		lose()
		hello("five", false)
		want("tells again", 0)
	})
}

// TestPeopleKnown: who is signed in is not known until the machine has told it;
// nobody is something else.
func TestPeopleKnown(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		from, _ := y.machine(model.NewID())
		people := func() (list []model.Presence) {
			y.update(func(tx *store.Tx) error {
				m, err := Get(tx, from.Machine)
				list = m.People
				return err
			})
			return list
		}
		if people() != nil {
			t.Errorf("before it told: %v", people())
		}
		for _, there := range [][]expression.Person{{}, {{Name: "anna"}}, {}} {
			m := expression.Machine{People: there}
			body, hash, known := m.Section(expression.SectionPeople)
			if !known {
				t.Fatal("nobody is not known")
			}
			y.update(func(tx *store.Tx) error {
				return y.TakeSections(tx, []model.Section{{From: from, Name: expression.SectionPeople, Hash: hash[:], Read: time.Now(), Body: body}})
			})
			if got := people(); got == nil || len(got) != len(there) {
				t.Errorf("with %v: %v", there, got)
			}
		}
	})
}

// TestActing: nothing acts on a machine that was expelled: it is not held, not
// asked by its name, and not among all.
func TestActing(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		from, _ := y.machine(model.NewID())
		y.update(func(tx *store.Tx) error { _, err := Acting(tx, from.Machine); return err })
		if _, err := y.Revoke(t.Context(), system, from.Machine.String(), nil); err != nil {
			t.Fatal(err)
		}
		err := y.store.Update(t.Context(), system, func(tx *store.Tx) error { _, err := Acting(tx, from.Machine); return err })
		if code(err) != model.CodeState {
			t.Errorf("it is held: %v", err)
		}
		if _, err := y.Ask(t.Context(), system, from.Organisation, "true", Audience{Machines: []model.ID{from.Machine}}); code(err) != model.CodeState {
			t.Errorf("it is asked: %v", err)
		}
		if q, err := y.Ask(t.Context(), system, from.Organisation, "true", Audience{Every: true}); err != nil || q.Asked != 0 || len(q.Offline) != 0 {
			t.Errorf("all are asked, and it is among them: %+v %v", q, err)
		}
		err = y.store.Update(t.Context(), system, func(tx *store.Tx) error { _, err := Acting(tx, model.NewID()); return err })
		if code(err) != model.CodeNotFound {
			t.Errorf("one that is not there: %v", err)
		}
	})
}

// A machine is found by what it is called now, by its system and by who is signed
// in, and not by what it was.
func TestFoundByItsWords(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		from, _ := y.machine(model.NewID())
		found := func(text string) (n int64) {
			t.Helper()
			y.update(func(tx *store.Tx) error {
				page, err := List(tx, Query{Text: text})
				n = page.Total
				return err
			})
			return n
		}
		expect := func(what string, want map[string]int64) {
			t.Helper()
			for text, n := range want {
				if got := found(text); got != n {
					t.Errorf("%s: %q finds %d, not %d", what, text, got, n)
				}
			}
		}
		expect("enrolled", map[string]int64{"pc": 1, "reception": 0})
		y.hello(model.Hello{From: from, Node: model.NewID(), Name: "reception-2", OS: model.OS{Family: "linux", Name: "Debian"}})
		expect("with another name", map[string]int64{"pc": 0, "reception": 1, "debian": 1})
		facts := expression.Machine{People: []expression.Person{{Name: "wanda"}}}
		body, _, _ := facts.Section(expression.SectionPeople)
		y.tell(model.Section{From: from, Name: expression.SectionPeople, Body: body})
		expect("with somebody at it", map[string]int64{"wanda": 1, "reception": 1})
		y.update(func(tx *store.Tx) error { return SetHealth(tx, from.Machine, model.HealthCritical, 2) })
		expect("when it falls ill", map[string]int64{"wanda": 1, "reception": 1, "debian": 1})
	})
}

// TestPendingOf: a question goes out through the node that holds a machine's line,
// to those that have not answered and were not expelled meanwhile. An answer that
// cannot be kept takes no other along.
func TestPendingOf(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		here, there := model.NewID(), model.NewID()
		waits, _ := y.machine(here)
		answered, _ := y.machine(here)
		expelled, _ := y.machine(here)
		elsewhere, _ := y.machine(there)
		q, err := y.Ask(t.Context(), system.Within(y.ours), y.ours, "memory.used", Audience{Every: true})
		if err != nil || q.Asked != 4 {
			t.Fatalf("asked %d: %v", q.Asked, err)
		}
		if _, err := y.Revoke(t.Context(), system, expelled.Machine.String(), nil); err != nil {
			t.Fatal(err)
		}
		y.TakeAnswers(t.Context(), []model.Answer{
			{From: waits, Question: q.ID, Rows: []byte("[]"), Error: "\x00"},
			{From: answered, Question: q.ID, Rows: []byte("[]")},
			{From: elsewhere, Question: model.NewID(), Rows: []byte("[]")},
		})
		pending := func(node model.ID) (list []model.ID) {
			t.Helper()
			acts, err := y.PendingOf(t.Context(), q.ID, node)
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range acts {
				if a.ID != q.ID || a.Body.(*model.Ask).Expression != "memory.used" || a.Machine.Organisation != y.ours || !a.Expires.Equal(q.EndsAt) {
					t.Errorf("%+v", a)
				}
				list = append(list, a.Machine.Machine)
			}
			return list
		}
		waiting := func(node model.ID) (list []model.ID) {
			t.Helper()
			y.update(func(tx *store.Tx) (err error) {
				list, err = y.Waiting(tx, node, nil)
				some, err2 := y.Waiting(tx, node, list)
				none, err3 := y.Waiting(tx, node, []model.ID{model.NewID()})
				if len(none) > 0 || !slices.Equal(sorted(some), sorted(list)) {
					t.Errorf("of all %v wait, among these %v, among others %v", list, some, none)
				}
				return errors.Join(err, err2, err3)
			})
			return list
		}
		for node, want := range map[model.ID][]model.ID{here: {waits.Machine, expelled.Machine}, there: {elsewhere.Machine}} {
			for _, id := range want {
				if got := waiting(node); !slices.Contains(got, id) {
					t.Errorf("%v is not among those that wait: %v", id, got)
				}
			}
		}
		if got := pending(here); len(got) != 1 || got[0] != waits.Machine {
			t.Errorf("here %v, want %v", got, waits.Machine)
		}
		if got := pending(there); len(got) != 1 || got[0] != elsewhere.Machine {
			t.Errorf("there %v, want %v", got, elsewhere.Machine)
		}
	})
}

// TestArrive: of machines that come together those that may are written down, each
// with what is its own, and the others are told why not.
func TestArrive(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		here := model.NewID()
		was, _ := y.machine(model.NewID())
		lost, since := y.machine(here)
		y.left(t.Context(), lost, since, model.OfflineNone)
		away, since := y.machine(here)
		y.left(t.Context(), away, since, model.OfflineAsleep)
		expelled, _ := y.machine(here)
		if _, err := y.Revoke(t.Context(), system, expelled.Machine.String(), nil); err != nil {
			t.Fatal(err)
		}
		y.update(func(tx *store.Tx) error { return tx.NotDue(KindBack, was.Machine, lost.Machine, away.Machine) })
		linux := expression.Machine{OS: &expression.OS{Family: "linux"}}
		body, _, known := linux.Section(expression.SectionOS)
		if !known {
			t.Fatal("it has no system")
		}
		y.update(func(tx *store.Tx) error {
			return y.TakeSections(tx, []model.Section{{From: was, Name: expression.SectionOS, Hash: []byte("old"), Body: body}})
		})
		strange := was
		strange.Organisation = model.NewID()
		nobody := model.From{Organisation: y.ours, Machine: model.NewID()}
		facts := map[string][]byte{"os": []byte("old"), "hardware": []byte("new"), "nonsense": []byte("new")}
		var hellos []model.Hello
		for _, from := range []model.From{was, lost, away, expelled, strange, nobody} {
			hellos = append(hellos, model.Hello{From: from, Node: here, Epoch: model.NewID(), Name: "pc-" + from.Machine.String()[30:], Facts: facts, Checks: []byte("c")})
		}
		came, err := y.Connected(t.Context(), hellos)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []error{nil, nil, nil, errRevoked, errNoMachine, errNoMachine} {
			if !errors.Is(came[i].Err, want) {
				t.Errorf("%d: %v, want %v", i, came[i].Err, want)
			}
		}
		for i, wanted := range [][]string{{"hardware"}, {"os", "hardware"}, {"os", "hardware"}} {
			h, a := hellos[i], came[i]
			m := y.get(h.From)
			if !m.Online || m.Node != here || m.Epoch != h.Epoch || m.Name != h.Name || !m.Since.Equal(a.Since) || a.Beat != model.DefaultSettings().Beat {
				t.Errorf("%d: %+v, told %+v", i, m, a)
			}
			if slices.Sort(wanted); !slices.Equal(slices.Sorted(slices.Values(a.Wanted)), wanted) {
				t.Errorf("%d: it is asked for %v, want %v", i, a.Wanted, wanted)
			}
			if !y.due(KindLost, m.ID).IsZero() {
				t.Errorf("%d: it is still to be called lost", i)
			}
			if back := y.due(KindBack, m.ID); back.IsZero() == (h.From == away) {
				t.Errorf("%d: it was away: %t, it is back at %v", i, h.From == away, back)
			}
		}
		if m := y.get(expelled); m.Name == hellos[3].Name {
			t.Errorf("who is expelled is written down: %+v", m)
		}
	})
}

func sorted(list []model.ID) []model.ID {
	return slices.SortedFunc(slices.Values(list), func(a, b model.ID) int { return bytes.Compare(a[:], b[:]) })
}

// TestBehind: who has another hash than the newest of their organisation, of the
// machines that are online at a node.
func TestBehind(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		here, there := model.NewID(), model.NewID()
		newest, older := []byte("new"), []byte("old")
		has := func(node model.ID, hash []byte) model.ID {
			from, _ := y.machine(node)
			y.hello(model.Hello{From: from, Node: node, Name: "pc", Checks: hash, Settings: newest})
			return from.Machine
		}
		behind := has(here, older)
		upToDate := has(here, newest)
		has(there, older)
		y.update(func(tx *store.Tx) error {
			want := func(organisation model.ID) ([]byte, error) {
				if organisation != y.ours {
					t.Errorf("asked for the organisation %v", organisation)
				}
				return newest, nil
			}
			for name, c := range map[string]struct {
				hash  string
				among []model.ID
				want  []model.ID
			}{
				"checks":         {ChecksHash, nil, []model.ID{behind}},
				"settings":       {SettingsHash, nil, nil},
				"among some":     {ChecksHash, []model.ID{upToDate, behind}, []model.ID{behind}},
				"among the good": {ChecksHash, []model.ID{upToDate}, nil},
				"among nobody":   {ChecksHash, []model.ID{}, nil},
			} {
				got, err := Behind(tx, here, c.among, c.hash, want)
				if err != nil || !slices.Equal(got, c.want) {
					t.Errorf("%s: %v, want %v (%v)", name, got, c.want, err)
				}
			}
			return nil
		})
	})
}

// A machine that is named twice is asked once, and answers once; nobody answers who is
// not asked; those that did not answer in time come after those that did.
func TestAskedOnce(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		node := model.NewID()
		quick, _ := y.machine(node)
		slow, _ := y.machine(node)
		q, err := y.Ask(t.Context(), system.Within(y.ours), y.ours, "true", Audience{Machines: []model.ID{slow.Machine, quick.Machine, slow.Machine}})
		if err != nil || q.Asked != 2 {
			t.Fatalf("asked %d: %v", q.Asked, err)
		}
		stranger, _ := y.machine(node)
		y.TakeAnswers(t.Context(), []model.Answer{
			{From: quick, Question: q.ID, Rows: []byte("[1]")}, {From: quick, Question: q.ID, Rows: []byte("[2]")},
			{From: stranger, Question: q.ID, Rows: []byte("[3]")},
		})
		y.TakeAnswers(t.Context(), []model.Answer{{From: quick, Question: q.ID, Rows: []byte("[4]")}})
		y.update(func(tx *store.Tx) error { _, err := y.QuestionEnded(t.Context(), tx, q.ID); return err })
		var page store.Page[AnswerOf]
		y.update(func(tx *store.Tx) (err error) { page, err = Answers(tx, q.ID, store.Request{}); return err })
		if len(page.Items) != 2 || page.Items[0].Machine != quick.Machine || string(page.Items[0].Rows) != "[1]" || page.Items[1].Error == "" {
			t.Errorf("in the order of arrival: %+v", page.Items)
		}
	})
}
