package model

import (
	"slices"
	"strings"
	"time"
)

// Organisation is the company, or the department, that machines and people
// belong to: the wall between tenants.
type Organisation struct {
	ID   ID
	Name string
}

// Role is a named set of rights.
type Role string

const (
	RoleAdmin      Role = "admin"
	RoleTechnician Role = "technician"
	RoleViewer     Role = "viewer"
)

// Roles lists them, the strongest first.
func Roles() []Role { return []Role{RoleAdmin, RoleTechnician, RoleViewer} }

// Right is one thing that somebody may do.
type Right string

const (
	MachineRead   Right = "machine.read"
	MachineEnrol  Right = "machine.enrol"
	TicketRead    Right = "ticket.read"
	TicketWrite   Right = "ticket.write"
	RunStart      Right = "run.start"
	OpenSession   Right = "session.open"
	SessionReplay Right = "session.replay"
	QuestionAsk   Right = "question.ask"
	GroupWrite    Right = "group.write"
	CheckWrite    Right = "check.write"
	SettingsWrite Right = "settings.write"
	PeopleWrite   Right = "people.write"
	AuditRead     Right = "audit.read"
	NodeRead      Right = "node.read"
)

// Rights of a role. An unknown role has none.
func (r Role) Rights() []Right {
	read := []Right{MachineRead, TicketRead}
	work := append(slices.Clone(read), TicketWrite, RunStart, OpenSession, SessionReplay, QuestionAsk, GroupWrite)
	switch r {
	case RoleViewer:
		return read
	case RoleTechnician:
		return work
	case RoleAdmin:
		return append(work, MachineEnrol, CheckWrite, SettingsWrite, PeopleWrite, AuditRead, NodeRead)
	}
	return nil
}

// Person is somebody with an account.
type Person struct {
	ID           ID
	Organisation ID
	Name         string // for signing in
	Display      string
	Role         Role
	Language     string // en, pl
	Theme        string // auto, light, dark
	Disabled     bool
	CreatedAt    time.Time
	Version      int64
}

// CheckName refuses names that nobody could type or tell apart.
func CheckName(name string) error {
	if name == "" || len(name) > 64 || strings.TrimSpace(name) != name || strings.ContainsAny(name, "\x00\r\n\t<>\"'") {
		return Problemf(CodeInvalid, "name", "A name has 1 to 64 bytes, without quotes, brackets or blanks around it.")
	}
	return nil
}

// CheckRole refuses roles that do not exist.
func CheckRole(r Role) error {
	if !slices.Contains(Roles(), r) {
		return Problemf(CodeInvalid, "role", "A role is admin, technician or viewer, not %q.", r)
	}
	return nil
}

// SetRole gives the person another set of rights.
func (p *Person) SetRole(r Role) error {
	if err := CheckRole(r); err != nil {
		return err
	}
	p.Role = r
	return nil
}

// May tells whether the person may do something now.
func (p *Person) May(right Right) bool {
	return !p.Disabled && slices.Contains(p.Role.Rights(), right)
}

// CheckLanguage refuses languages that we do not speak.
func CheckLanguage(l string) error {
	if l != "en" && l != "pl" {
		return Problemf(CodeInvalid, "language", "A language is en or pl, not %q.", l)
	}
	return nil
}

// SetLanguage sets the language of pages and messages.
func (p *Person) SetLanguage(l string) error {
	if err := CheckLanguage(l); err != nil {
		return err
	}
	p.Language = l
	return nil
}

// SetTheme sets how pages look.
func (p *Person) SetTheme(t string) error {
	if t != "auto" && t != "light" && t != "dark" {
		return Problemf(CodeInvalid, "theme", "A theme is auto, light or dark, not %q.", t)
	}
	p.Theme = t
	return nil
}
