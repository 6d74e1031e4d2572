package model

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// What each role may do, written out: a change here is a decision.
func TestRights(t *testing.T) {
	for role, want := range map[Role]string{
		Viewer:     "machine.read ticket.read",
		Technician: "machine.read question.ask run.start session.open session.replay ticket.read ticket.write",
		Admin:      "audit.read check.write machine.enrol machine.read people.write question.ask run.start session.open session.replay settings.write ticket.read ticket.write",
		"root":     "",
		"":         "",
	} {
		var words []string
		for _, r := range RightsOf(role) {
			words = append(words, string(r))
		}
		slices.Sort(words)
		if got := strings.Join(words, " "); got != want {
			t.Errorf("%s may %q, want %q", role, got, want)
		}
	}
	// A caller who appends to one list does not change another.
	_ = append(RightsOf(Viewer)[:1], AuditRead)
	if slices.Contains(RightsOf(Viewer), AuditRead) {
		t.Error("the lists share memory")
	}
}

func TestGrant(t *testing.T) {
	a, b := NewID(), NewID()
	g := Grant{Rights: RightsOf(Technician), Organisations: []ID{a}}
	if err := g.Allows(RunStart, a); err != nil {
		t.Error(err)
	}
	for _, err := range []error{g.Allows(RunStart, b), g.Allows(PeopleWrite, a), g.Allows("", a), Grant{}.Allows(MachineRead, a), Grant{Rights: RightsOf(Admin)}.Allows(MachineRead, a)} {
		if !errors.Is(err, ErrForbidden) {
			t.Errorf("got %v", err)
		}
	}
}

func TestPersonFields(t *testing.T) {
	var p Person
	for _, name := range []string{"anna", "Łucja.Żak", "a@b.example", "x-1_2", strings.Repeat("ż", 64), " trimmed "} {
		if err := p.SetName(name); err != nil || p.Name != strings.TrimSpace(name) {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{"", " ", "a b", "a/b", "<b>", "a\x00", strings.Repeat("ż", 65), "\u202ea", "\xff"} {
		var wrong *FieldError
		if err := p.SetName(name); !errors.As(err, &wrong) || wrong.Field != "name" {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{"", "\t", "a\nb", "a\x1b[31m", "a\u202eb", "\xff", strings.Repeat("ż", 101)} {
		if err := p.SetDisplayName(name); err == nil {
			t.Errorf("%q was accepted", name)
		}
	}
	if err := p.SetDisplayName(" Anna Lis-Żak 🦊 "); err != nil || p.DisplayName != "Anna Lis-Żak 🦊" {
		t.Errorf("%q %v", p.DisplayName, err)
	}
	for _, err := range []error{p.SetRole("root"), p.SetRole(""), p.SetLanguage("de"), p.SetTheme("pink")} {
		var wrong *FieldError
		if !errors.As(err, &wrong) {
			t.Errorf("got %v", err)
		}
	}
	if err := errors.Join(p.SetRole(Admin), p.SetLanguage(Polish), p.SetTheme(DarkTheme)); err != nil || p.Role != Admin || p.Language != Polish || p.Theme != DarkTheme {
		t.Errorf("%+v %v", p, err)
	}
}

func TestTokenLife(t *testing.T) {
	created := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	token := Token{CreatedAt: created}
	if err := token.SetLife(0); err != nil || token.ExpiresAt != created.AddDate(0, 0, 90) {
		t.Errorf("%v %v", token.ExpiresAt, err)
	}
	if !token.Valid(token.ExpiresAt.Add(-1)) || token.Valid(token.ExpiresAt) {
		t.Error("valid to the wrong moment")
	}
	for _, life := range []time.Duration{-time.Hour, time.Second, 367 * 24 * time.Hour} {
		if err := token.SetLife(life); err == nil {
			t.Errorf("%v was accepted", life)
		}
	}
	if (&Token{}).Valid(created) {
		t.Error("a token without an end is valid")
	}
}

func TestOrganisationName(t *testing.T) {
	var o Organisation
	if err := o.Rename("  Zakłady Żelazne "); err != nil || o.Name != "Zakłady Żelazne" {
		t.Errorf("%q %v", o.Name, err)
	}
	if err := o.Rename(""); err == nil || o.Name == "" {
		t.Errorf("%q %v", o.Name, err)
	}
}

func TestNewID(t *testing.T) {
	if id := NewID(); id.Version() != 7 {
		t.Errorf("version %d", id.Version())
	}
}
