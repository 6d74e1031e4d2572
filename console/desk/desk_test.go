package desk

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/console/store/storetest"
)

// office is the desk of one organisation with a technician and a person.
type office struct {
	*Desk
	t     *testing.T
	scope store.Scope
	ours  model.ID
	ewa   model.Actor
}

func each(t *testing.T, fn func(*testing.T, *office)) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		o := &office{Desk: New(s, slog.New(slog.DiscardHandler)), t: t, ours: model.NewID(),
			ewa: model.Actor{Kind: model.ByPerson, ID: model.NewID(), Name: "Ewa"}}
		o.scope = store.Scope{Actor: store.Actor{Kind: "person", ID: model.NewID(), Name: "Anna"}, Organisations: []model.ID{o.ours}}
		fn(t, o)
	})
}

func code(err error) string {
	var p *model.Problem
	if errors.As(err, &p) {
		return p.Code
	}
	return fmt.Sprint(err)
}

func (o *office) open(says string) model.Ticket {
	o.t.Helper()
	t, err := o.Open(o.t.Context(), o.scope, NewTicket{Organisation: o.ours, Says: says, Source: model.SourcePerson, Requester: o.ewa})
	if err != nil {
		o.t.Fatal(err)
	}
	return t
}

func (o *office) get(id model.ID) (t model.Ticket) {
	o.t.Helper()
	o.update(func(tx *store.Tx) error {
		var err error
		t, err = Get(tx, id)
		return err
	})
	return t
}

func (o *office) update(fn func(*store.Tx) error) {
	o.t.Helper()
	if err := o.store.Update(o.t.Context(), o.scope, fn); err != nil {
		o.t.Fatal(err)
	}
}

// change changes a ticket as it is now.
func (o *office) change(id model.ID, c Change) (model.Ticket, error) {
	o.t.Helper()
	c.Version = o.get(id).Version
	return o.Change(o.t.Context(), o.scope, id, c)
}

func to(s model.TicketState) Change { return Change{State: &s} }

// From each state each other one, as a technician asks for it.
func TestStates(t *testing.T) {
	// The states that a ticket can go to.
	allowed := map[model.TicketState][]model.TicketState{
		model.TicketNew:      {model.TicketOpen, model.TicketOnHold, model.TicketResolved, model.TicketNew},
		model.TicketOpen:     {model.TicketOpen, model.TicketOnHold, model.TicketResolved},
		model.TicketOnHold:   {model.TicketOpen, model.TicketOnHold, model.TicketResolved},
		model.TicketResolved: {model.TicketOpen, model.TicketResolved, model.TicketClosed},
		model.TicketClosed:   {model.TicketOpen, model.TicketClosed},
	}
	way := map[model.TicketState][]model.TicketState{
		model.TicketOpen: {model.TicketOpen}, model.TicketOnHold: {model.TicketOnHold}, model.TicketResolved: {model.TicketResolved},
		model.TicketClosed: {model.TicketResolved, model.TicketClosed},
	}
	each(t, func(t *testing.T, o *office) {
		for _, from := range model.TicketStates() {
			for _, next := range model.TicketStates() {
				ticket := o.open("from " + string(from) + " to " + string(next))
				for _, step := range way[from] {
					if _, err := o.change(ticket.ID, to(step)); err != nil {
						t.Fatalf("to %s: %v", step, err)
					}
				}
				after, err := o.change(ticket.ID, to(next))
				may := false
				for _, s := range allowed[from] {
					may = may || s == next
				}
				if may && (err != nil || after.State != next) {
					t.Errorf("from %s to %s: %s %v", from, next, after.State, err)
				}
				if !may && code(err) != model.CodeState {
					t.Errorf("from %s to %s: %v", from, next, err)
				}
				now := o.get(ticket.ID)
				if !may && now.State != from {
					t.Errorf("from %s to %s was refused, and it is %s", from, next, now.State)
				}
				if ended := now.State == model.TicketResolved || now.State == model.TicketClosed; ended != (now.Resolution != nil) || ended == now.ResolvedAt.IsZero() {
					t.Errorf("from %s to %s: %s with %+v at %v", from, next, now.State, now.Resolution, now.ResolvedAt)
				}
				if (now.State == model.TicketOnHold) != (now.Hold != "") {
					t.Errorf("from %s to %s: it waits for %q", from, next, now.Hold)
				}
			}
		}
		ticket := o.open("x")
		if _, err := o.change(ticket.ID, to("forgotten")); code(err) != model.CodeInvalid {
			t.Errorf("a state that does not exist: %v", err)
		}
		nobody := model.HoldReason("nobody")
		hold := to(model.TicketOnHold)
		hold.Hold = &nobody
		if _, err := o.change(ticket.ID, hold); code(err) != model.CodeInvalid {
			t.Errorf("on hold for %v", err)
		}
		if _, err := o.Change(t.Context(), o.scope, ticket.ID, Change{Version: 99}); !errors.Is(err, store.ErrConflict) {
			t.Errorf("by somebody who saw another version: %v", err)
		}
	})
}

// A person's word brings back what waited for them or was resolved, and nothing
// else; a closed ticket stays closed.
func TestHear(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		vendor := model.HoldVendor
		elsewhere := to(model.TicketOnHold)
		elsewhere.Hold = &vendor
		for _, c := range []struct {
			name  string
			steps []Change
			want  model.TicketState
		}{
			{"new", nil, model.TicketNew},
			{"open", []Change{to(model.TicketOpen)}, model.TicketOpen},
			{"waits for the person", []Change{to(model.TicketOnHold)}, model.TicketOpen},
			{"waits for the vendor", []Change{elsewhere}, model.TicketOnHold},
			{"resolved", []Change{to(model.TicketResolved)}, model.TicketOpen},
		} {
			ticket := o.open(c.name)
			for _, s := range c.steps {
				if _, err := o.change(ticket.ID, s); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := o.Hear(t.Context(), o.scope, ticket.ID, o.ewa, "still broken"); err != nil {
				t.Fatal(err)
			}
			now := o.get(ticket.ID)
			if now.State != c.want || now.LastWord != "person" || (now.State == model.TicketOpen && now.Resolution != nil) {
				t.Errorf("%s: %s, the last word is of %q", c.name, now.State, now.LastWord)
			}
		}
		ticket := o.open("closed")
		for _, s := range []model.TicketState{model.TicketResolved, model.TicketClosed} {
			if _, err := o.change(ticket.ID, to(s)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := o.Hear(t.Context(), o.scope, ticket.ID, o.ewa, "hello?"); code(err) != model.CodeState {
			t.Errorf("closed: %v", err)
		}
		// An answer of ours opens a new one, and may wait for theirs.
		ticket = o.open("answered")
		if _, err := o.Reply(t.Context(), o.scope, ticket.ID, "we look at it", false); err != nil {
			t.Fatal(err)
		}
		if now := o.get(ticket.ID); now.State != model.TicketOpen || now.LastWord != "technician" {
			t.Errorf("answered: %+v", now)
		}
		if _, err := o.Reply(t.Context(), o.scope, ticket.ID, "which printer?", true); err != nil {
			t.Fatal(err)
		}
		if now := o.get(ticket.ID); now.State != model.TicketOnHold || now.Hold != model.HoldRequester {
			t.Errorf("asked: %+v", now)
		}
		for _, text := range []string{"", " \n", string(make([]byte, maxText+1))} {
			if _, err := o.Note(t.Context(), o.scope, ticket.ID, text); code(err) != model.CodeInvalid {
				t.Errorf("a note of %d bytes: %v", len(text), err)
			}
		}
	})
}

// Impact and urgency make the priority; a technician may override it, and the
// person's own answer is the urgency.
func TestPriorities(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		for work, want := range map[model.CanWork]int{model.WorkNo: 3, model.WorkUnknown: 4, model.WorkDifficulty: 4, model.WorkYes: 5} {
			ticket, err := o.Open(t.Context(), o.scope, NewTicket{Organisation: o.ours, Says: "x", CanWork: work})
			if err != nil || ticket.Priority != want || ticket.Impact != 4 {
				t.Errorf("can work %q: priority %d, impact %d, %v", work, ticket.Priority, ticket.Impact, err)
			}
		}
		table := [4][3]int{{1, 2, 3}, {2, 3, 4}, {2, 3, 4}, {3, 4, 5}}
		ticket := o.open("rated")
		for impact := 1; impact <= 4; impact++ {
			for urgency := 1; urgency <= 3; urgency++ {
				now, err := o.change(ticket.ID, Change{Impact: &impact, Urgency: &urgency})
				if want := table[impact-1][urgency-1]; err != nil || now.Priority != want {
					t.Errorf("impact %d and urgency %d: priority %d, not %d (%v)", impact, urgency, now.Priority, want, err)
				}
			}
		}
		own := 1
		if now, err := o.change(ticket.ID, Change{Priority: &own}); err != nil || now.Priority != 1 || o.get(ticket.ID).Impact != 4 {
			t.Errorf("overridden: %+v %v", now, err)
		}
		for name, c := range map[string]func(*int) Change{
			"priority": func(n *int) Change { return Change{Priority: n} }, "impact": func(n *int) Change { return Change{Impact: n} },
			"urgency": func(n *int) Change { return Change{Urgency: n} },
		} {
			for _, n := range []int{0, -1, 6} {
				if _, err := o.change(ticket.ID, c(&n)); code(err) != model.CodeInvalid {
					t.Errorf("%s %d: %v", name, n, err)
				}
			}
		}
	})
}

// Alerts of one machine and family join for a while; later, of another family or
// of another machine they have a ticket of their own; a condition that comes back
// brings back its ticket.
func TestJoin(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		pc, other := MachineRef{model.NewID(), "pc"}, MachineRef{model.NewID(), "other"}
		fire := func(m MachineRef, family string, severity model.Severity, earlier model.ID) (id model.ID) {
			t.Helper()
			o.update(func(tx *store.Tx) error {
				var err error
				id, err = OpenFor(tx, ForAlert{Organisation: o.ours, Machine: m, Alert: model.NewID(), Family: family, Severity: severity,
					Title: model.Words{EN: "Disk full", PL: "Pełny dysk"}, JoinWindow: time.Hour, Earlier: earlier})
				return err
			})
			return id
		}
		first := fire(pc, "disk", model.SeverityWarning, model.ID{})
		if again := fire(pc, "disk", model.SeverityWarning, model.ID{}); again != first {
			t.Error("of one family it does not join")
		}
		if o.get(first).Urgency != 2 {
			t.Error("a warning is urgent")
		}
		if worse := fire(pc, "disk", model.SeverityCritical, model.ID{}); worse != first || o.get(first).Urgency != 1 {
			t.Errorf("a worse one: %+v", o.get(first))
		}
		if x := fire(pc, "memory", model.SeverityWarning, model.ID{}); x == first {
			t.Error("another family joins")
		}
		if x := fire(other, "disk", model.SeverityWarning, model.ID{}); x == first {
			t.Error("another machine joins")
		}
		o.update(func(tx *store.Tx) error {
			_, err := tx.Exec("UPDATE ticket SET join_until = $1 WHERE id = $2 AND {wall}", store.Micros(tx.Now().Add(-time.Second)), first)
			return err
		})
		if late := fire(pc, "disk", model.SeverityWarning, model.ID{}); late == first {
			t.Error("it joins after the window")
		}
		if _, err := o.change(first, to(model.TicketResolved)); err != nil {
			t.Fatal(err)
		}
		back := fire(pc, "screen", model.SeverityWarning, first)
		if now := o.get(first); back != first || now.State != model.TicketNew || now.Resolution != nil {
			t.Errorf("a condition that comes back: %+v", now)
		}
		if _, err := o.change(first, to(model.TicketResolved)); err != nil {
			t.Fatal(err)
		}
		o.update(func(tx *store.Tx) error {
			_, err := tx.Exec("UPDATE ticket SET resolved_at = $1 WHERE id = $2 AND {wall}", store.Micros(tx.Now().Add(-earlierFor)), first)
			return err
		})
		if x := fire(pc, "sound", model.SeverityWarning, first); x == first || o.get(first).State != model.TicketResolved {
			t.Error("a day later it comes back too")
		}
	})
}

// What is counted as mine and as nobody's is what those views list: new and open
// ones. A ticket that waits for somebody else is counted as on hold alone.
func TestCount(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		anna := model.Actor{Kind: model.ByPerson, ID: o.scope.Actor.ID, Name: o.scope.Actor.Name}
		count := func() (c Counts) {
			t.Helper()
			o.update(func(tx *store.Tx) error {
				var err error
				c, err = Count(tx, anna.ID)
				return err
			})
			return c
		}
		mine, nobodys := o.open("The screen flickers"), o.open("No sound")
		if _, err := o.change(mine.ID, Change{Assignee: &anna}); err != nil {
			t.Fatal(err)
		}
		if got, want := count(), (Counts{Mine: 1, Unassigned: 1, New: 1, Open: 1}); got != want {
			t.Errorf("one is taken: %+v, want %+v", got, want)
		}
		hold, whom := model.TicketOnHold, model.HoldRequester
		for _, id := range []model.ID{mine.ID, nobodys.ID} {
			if _, err := o.change(id, Change{State: &hold, Hold: &whom}); err != nil {
				t.Fatal(err)
			}
		}
		if got, want := count(), (Counts{OnHold: 2}); got != want {
			t.Errorf("both wait: %+v, want %+v", got, want)
		}
	})
}

// What waits for somebody else is the last that anybody goes on with, however urgent
// and old it is; pages go on where it begins.
func TestTurn(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		hold, urgent, late := to(model.TicketOnHold), 1, 5
		whom := model.HoldVendor
		hold.Hold, hold.Priority = &whom, &urgent
		for _, says := range []string{"waits 1", "waits 2", "goes on, late", "goes on", "goes on, urgent"} {
			ticket, change := o.open(says), Change{}
			switch says {
			case "waits 1", "waits 2":
				change = hold
			case "goes on, late":
				change.Priority = &late
			case "goes on, urgent":
				change.Priority = &urgent
			default:
				continue
			}
			if _, err := o.change(ticket.ID, change); err != nil {
				t.Fatal(err)
			}
		}
		want := []string{"goes on, urgent", "goes on", "goes on, late", "waits 1", "waits 2"}
		for _, sort := range []string{"turn", "-turn"} {
			var got []string
			q := Query{Request: store.Request{Limit: 2, Sort: sort}}
			for {
				var page store.Page[model.Ticket]
				o.update(func(tx *store.Tx) (err error) {
					page, err = List(tx, q)
					return err
				})
				for _, ticket := range page.Items {
					got = append(got, ticket.Says)
				}
				if q.Cursor = page.Next; q.Cursor == "" {
					break
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("by %s: %q, want %q", sort, got, want)
			}
			slices.Reverse(want)
		}
	})
}

// A ticket is about the machines that somebody says, is found by their names, and
// tells who said so.
func TestMachines(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ticket := o.open("It is slow.")
		pc, other := MachineRef{model.NewID(), "lap-krk-0142"}, MachineRef{model.NewID(), "pc-gda-7"}
		set := func(list ...MachineRef) model.Ticket {
			t.Helper()
			now, err := o.change(ticket.ID, Change{Machines: &list})
			if err != nil {
				t.Fatal(err)
			}
			return now
		}
		says := func(want string) {
			t.Helper()
			got := ""
			o.update(func(tx *store.Tx) error {
				got = ""
				page, err := Timeline(tx, ticket.ID, store.Request{Limit: 50}, string(model.ItemState))
				for _, i := range page.Items {
					got += i.By.Name + string(i.Data) + "\n"
				}
				return err
			})
			if got != want {
				t.Errorf("the timeline says\n%s not\n%s", got, want)
			}
		}
		about := func(name string, want int) {
			t.Helper()
			o.update(func(tx *store.Tx) error {
				found, err := List(tx, Query{Text: name})
				if len(found.Items) != want {
					t.Errorf("%d tickets are found by %s", len(found.Items), name)
				}
				return err
			})
		}
		before := set(pc, pc)
		says(`Anna{"added":["lap-krk-0142"],"removed":[],"what":"machines"}` + "\n")
		about("0142", 1)
		if !before.Touched {
			t.Error("a ticket that somebody says more of is untouched")
		}
		o.update(func(tx *store.Tx) error {
			fire := ForAlert{Organisation: o.ours, Machine: pc, Alert: model.NewID(), Family: before.Family, Severity: model.SeverityWarning}
			if id, err := OpenFor(tx, fire); err != nil || id == ticket.ID {
				t.Errorf("an alert joins what a person said: %v", err)
			}
			return nil
		})
		set(pc)
		set(other)
		set()
		says(`Anna{"added":["lap-krk-0142"],"removed":[],"what":"machines"}` + "\n" +
			`Anna{"added":["pc-gda-7"],"removed":["lap-krk-0142"],"what":"machines"}` + "\n" +
			`Anna{"added":[],"removed":["pc-gda-7"],"what":"machines"}` + "\n")
		about("gda", 0)
		stale := Change{Version: before.Version, Machines: &[]MachineRef{pc}}
		if _, err := o.Change(o.t.Context(), o.scope, ticket.ID, stale); !errors.Is(err, store.ErrConflict) {
			t.Errorf("with an old version: %v", err)
		}
	})
}

// found is how many tickets are found by a text.
func (o *office) found(text string) (n int) {
	o.t.Helper()
	o.update(func(tx *store.Tx) error {
		page, err := List(tx, Query{Text: text})
		n = len(page.Items)
		return err
	})
	return n
}

// A ticket is found by what it says now: by its new title and no longer by the old
// one, and by the machines that joined it.
func TestFoundByWhatItSays(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ticket := o.open("It is slow.")
		title := "Fan of the laptop"
		if _, err := o.change(ticket.ID, Change{Title: &title}); err != nil {
			t.Fatal(err)
		}
		title = "Dust in the laptop"
		if _, err := o.change(ticket.ID, Change{Title: &title}); err != nil {
			t.Fatal(err)
		}
		if o.found("dust") != 1 || o.found("fan") != 0 || o.found("slow") != 1 {
			t.Errorf("%d by the new title, %d by the old one, %d by what the person said", o.found("dust"), o.found("fan"), o.found("slow"))
		}
		fire := func(a ForAlert) (id model.ID) {
			t.Helper()
			a.Organisation, a.Alert, a.Severity, a.Title = o.ours, model.NewID(), model.SeverityWarning, model.Words{EN: "Program", PL: "Program"}
			o.update(func(tx *store.Tx) error { var err error; id, err = OpenFor(tx, a); return err })
			return id
		}
		first := fire(ForAlert{Machine: MachineRef{model.NewID(), "first"}, Family: "process"})
		if id := fire(ForAlert{Machine: MachineRef{model.NewID(), "second"}, Family: "process", Earlier: first}); id != first || o.found("second") != 1 {
			t.Errorf("%d are found by the machine that joined a ticket", o.found("second"))
		}
		var storm model.ID
		for i := range stormTold + 5 {
			storm = fire(ForAlert{Machine: MachineRef{model.NewID(), fmt.Sprint("storm", i)}, Storm: "process.cpu"})
		}
		if o.found("storm1") != 1 || o.found(fmt.Sprint("storm", stormTold-1)) != 1 {
			t.Error("the ticket of a storm is not found by a machine that joined")
		}
		var at int64
		o.update(func(tx *store.Tx) error {
			return tx.QueryRow("SELECT at FROM due WHERE kind = $1 AND id = $2", KindIndex, storm).Scan(&at)
		})
		if left := time.Until(store.Time(at)); left <= 0 || left > indexAfter {
			t.Errorf("those beyond are found in %s", left)
		}
		o.update(func(tx *store.Tx) error { _, err := o.Index(t.Context(), tx, storm); return err })
		if o.found(fmt.Sprint("storm", stormTold+4)) != 1 {
			t.Error("the ticket of a large storm is not found by the last machine that joined")
		}
		o.update(func(tx *store.Tx) error { _, err := o.Index(t.Context(), tx, model.NewID()); return err })
	})
}

// What is said to the person when their ticket is resolved is a message to them, in
// their language; nothing is said to nobody.
func TestFarewell(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		resolve := func(ticket model.Ticket, plain model.Words) []model.Item {
			t.Helper()
			state := model.TicketResolved
			_, err := o.Change(t.Context(), o.scope, ticket.ID, Change{Version: ticket.Version, State: &state, Resolution: &model.Resolution{Text: "toner", Plain: plain}})
			if err != nil {
				t.Fatal(err)
			}
			var page store.Page[model.Item]
			o.update(func(tx *store.Tx) error {
				page, err = Timeline(tx, ticket.ID, store.Request{}, "message")
				return err
			})
			return page.Items
		}
		words := model.Words{EN: "It prints.", PL: "Drukuje."}
		asked, err := o.Open(t.Context(), o.scope, NewTicket{Organisation: o.ours, Says: "nie drukuje", Source: model.SourcePerson, Requester: o.ewa, Language: "pl"})
		if err != nil {
			t.Fatal(err)
		}
		if said := resolve(asked, words); len(said) == 0 || said[len(said)-1].Text != "Drukuje." || said[len(said)-1].By.Name != "Anna" {
			t.Errorf("said to the person: %+v", said)
		}
		if now := o.get(asked.ID); now.LastWord != "technician" {
			t.Errorf("the last word is of %s", now.LastWord)
		}
		if said := resolve(o.open("it does not print"), model.Words{PL: "Drukuje."}); said[len(said)-1].Text != "Drukuje." {
			t.Errorf("in the one language there is: %+v", said)
		}
		before := resolve(o.open("it does not print"), model.Words{})
		for _, m := range before {
			if m.By.Name == "Anna" {
				t.Errorf("said without a word: %+v", m)
			}
		}
		nobody, err := o.Open(t.Context(), o.scope, NewTicket{Organisation: o.ours, Says: "to do", Source: model.SourceAPI})
		if err != nil {
			t.Fatal(err)
		}
		if said := resolve(nobody, words); len(said) > 0 && said[len(said)-1].Text == "It prints." {
			t.Errorf("said to nobody: %+v", said)
		}
	})
}

// The person's word closes a resolved ticket, once; it ends no work.
func TestWorks(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ticket := o.open("it does not print")
		if err := o.Works(t.Context(), o.scope, ticket.ID, o.ewa); code(err) != model.CodeState {
			t.Errorf("while somebody works on it: %v", err)
		}
		state := model.TicketResolved
		if _, err := o.Change(t.Context(), o.scope, ticket.ID, Change{Version: ticket.Version, State: &state}); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := o.Works(t.Context(), o.scope, ticket.ID, o.ewa); err != nil || o.get(ticket.ID).State != model.TicketClosed {
				t.Errorf("it works: %v, %s", err, o.get(ticket.ID).State)
			}
		}
	})
}

// Who acts on a ticket that nobody has, has it; nobody loses theirs by that.
func TestTook(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ben := model.Actor{Kind: model.ByTechnician, ID: model.NewID(), Name: "Ben"}
		took := func(id model.ID, who model.Actor) model.Ticket {
			t.Helper()
			o.update(func(tx *store.Tx) error { return Took(tx, id, who) })
			return o.get(id)
		}
		ticket := o.open("it does not print")
		if now := took(ticket.ID, model.System); now.Assignee.ID != (model.ID{}) || now.State != model.TicketNew {
			t.Errorf("taken by nobody: %+v", now)
		}
		if now := took(ticket.ID, ben); now.Assignee.ID != ben.ID || now.State != model.TicketOpen {
			t.Errorf("after Ben's repair: %s, %s", now.Assignee.Name, now.State)
		}
		if _, err := o.Reply(t.Context(), o.scope, ticket.ID, "We look at it.", false); err != nil || o.get(ticket.ID).Assignee.ID != ben.ID {
			t.Errorf("Anna's reply took it from Ben: %v", err)
		}
		other := o.open("another one")
		if _, err := o.Reply(t.Context(), o.scope, other.ID, "We look at it.", false); err != nil || o.get(other.ID).Assignee.Name != "Anna" {
			t.Errorf("Anna's reply did not take it: %v, %+v", err, o.get(other.ID).Assignee)
		}
	})
}
