package fleet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
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
		told := 0
		tell := func(machine model.ID, item string, list ...int) {
			var changes []model.Change
			var lines []model.JournalLine
			for _, i := range list {
				told++
				at := time.Unix(int64(i), 0)
				who := model.From{Organisation: f.ours, Machine: machine}
				changes = append(changes, model.Change{From: who, ChangedAt: at, Section: strconv.Itoa(told), Item: item})
				lines = append(lines, model.JournalLine{From: who, Number: uint64(i + 1), Written: at, Kind: "work", Text: item, Hash: []byte(strconv.Itoa(told))})
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

// TestBooksOnce: what a machine tells again, alone or beside what is new, is there once.
func TestBooksOnce(t *testing.T) {
	each(t, func(t *testing.T, f *yard) {
		who, other := model.From{Organisation: f.ours, Machine: model.NewID()}, model.From{Organisation: f.ours, Machine: model.NewID()}
		tell := func(who model.From, list ...int64) {
			var changes []model.Change
			var lines []model.JournalLine
			for _, i := range list {
				changes = append(changes, model.Change{From: who, ChangedAt: time.Unix(i, 0), Section: "services", Item: "cups"})
				lines = append(lines, model.JournalLine{From: who, Number: uint64(i), Written: time.Unix(i, 0), Hash: []byte{byte(i)}})
			}
			f.update(func(tx *store.Tx) error { return errors.Join(f.TakeChanges(tx, changes), f.TakeJournal(tx, lines)) })
		}
		tell(who, 1, 2)
		tell(other, 1)
		tell(who, 2)
		tell(who, 2, 3, 3)
		for _, table := range []string{"fact_change", "machine_journal"} {
			for machine, want := range map[model.ID]int{who.Machine: 3, other.Machine: 1} {
				var n int
				f.update(func(tx *store.Tx) error {
					return tx.QueryRow("SELECT count(*) FROM "+table+" WHERE machine_id = $1 AND {wall}", machine).Scan(&n)
				})
				if n != want {
					t.Errorf("%s has %d rows, want %d", table, n, want)
				}
			}
		}
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

// TestBooksTwice: what a database of before has twice is there once when it is opened.
func TestBooksTwice(t *testing.T) {
	storetest.EachOptions(t, func(t *testing.T, o store.Options) {
		s := storetest.Open(t, o)
		ours, machine := model.NewID(), model.NewID()
		err := s.Update(t.Context(), system, func(tx *store.Tx) error {
			for _, statement := range []string{"DROP INDEX machine_journal_once", "DROP INDEX fact_change_once", "DELETE FROM schema_file WHERE name = '0307_books_once'"} {
				if _, err := tx.Exec(statement); err != nil {
					return err
				}
			}
			for i := range 5 {
				_, err := tx.Exec(`INSERT INTO machine_journal (id, organisation_id, machine_id, number, at, kind, act, subject, code, text, count, hash)
					VALUES ($1, $2, $3, 1, 1, '', '', $1, '', '', 1, $4)`, model.NewID(), ours, machine, []byte{byte(i / 2)})
				if err != nil {
					return err
				}
				_, err = tx.Exec("INSERT INTO fact_change (id, organisation_id, machine_id, at, section, item, old, new) VALUES ($1, $2, $3, $4, '', '', '', '')",
					model.NewID(), ours, machine, int64(i/2))
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err = errors.Join(err, s.Close()); err != nil {
			t.Fatal(err)
		}
		s = storetest.Open(t, o)
		for _, table := range []string{"machine_journal", "fact_change"} {
			var n int
			err := s.View(t.Context(), system, func(tx *store.Tx) error {
				return tx.QueryRow("SELECT count(*) FROM " + table + " WHERE {wall}").Scan(&n)
			})
			if err != nil || n != 3 {
				t.Errorf("%s has %d rows, want 3: %v", table, n, err)
			}
		}
	})
}
