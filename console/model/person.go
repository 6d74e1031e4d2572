package model

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// A Person is somebody who signs in to the console. People at the machines who
// only need help have no account; see HelpLink in package account.
type Person struct {
	ID             ID
	OrganisationID ID
	Name           string // to sign in with; unique in the console, compared without case and accents
	DisplayName    string
	Role           Role
	Language       Language
	Theme          Theme
	Disabled       bool // cannot sign in; sign-ins and tokens are dead
	CreatedAt      time.Time
	Version        int64
}

// A Role is what a person may do, in one word.
type Role string

const (
	Admin      Role = "admin"      // everything
	Technician Role = "technician" // help people: tickets, repairs, sessions
	Viewer     Role = "viewer"     // look at machines and tickets
)

// Roles lists them, the strongest first.
func Roles() []Role { return []Role{Admin, Technician, Viewer} }

// A Right allows one kind of act.
type Right string

const (
	MachineRead   Right = "machine.read"
	MachineEnrol  Right = "machine.enrol"
	TicketRead    Right = "ticket.read"
	TicketWrite   Right = "ticket.write"
	RunStart      Right = "run.start"
	SessionOpen   Right = "session.open"
	SessionReplay Right = "session.replay"
	QuestionAsk   Right = "question.ask"
	CheckWrite    Right = "check.write"
	SettingsWrite Right = "settings.write"
	PeopleWrite   Right = "people.write"
	AuditRead     Right = "audit.read"
)

// RightsOf lists the rights of a role; nothing for a word that is no role.
func RightsOf(role Role) []Right {
	viewer := []Right{MachineRead, TicketRead}
	technician := append(slices.Clone(viewer), TicketWrite, RunStart, SessionOpen, SessionReplay, QuestionAsk)
	switch role {
	case Viewer:
		return viewer
	case Technician:
		return technician
	case Admin:
		return append(technician, MachineEnrol, CheckWrite, SettingsWrite, PeopleWrite, AuditRead)
	}
	return nil
}

// A Language is one that the console speaks.
type Language string

const (
	English Language = "en"
	Polish  Language = "pl"
)

// A Theme is how the pages look.
type Theme string

const (
	AutoTheme  Theme = "auto" // as the system does
	LightTheme Theme = "light"
	DarkTheme  Theme = "dark"
)

// SetName sets the name to sign in with: 1 to 64 letters, digits, dots,
// hyphens, underscores or @.
func (p *Person) SetName(name string) error {
	name = strings.TrimSpace(name)
	ok := name != "" && utf8.RuneCountInString(name) <= 64 && !strings.ContainsFunc(name, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(".-_@", r)
	})
	if !ok {
		return &FieldError{Field: "name", Value: name, Message: "must be 1 to 64 letters, digits, dots, hyphens, underscores or @"}
	}
	p.Name = name
	return nil
}

// SetDisplayName sets the name that others see, of 1 to 100 characters.
func (p *Person) SetDisplayName(name string) error {
	name, err := cleanName(name, 100)
	if err != nil {
		return &FieldError{Field: "display_name", Value: name, Message: err.Error()}
	}
	p.DisplayName = name
	return nil
}

// SetRole sets the role.
func (p *Person) SetRole(role Role) error {
	if !slices.Contains(Roles(), role) {
		return &FieldError{Field: "role", Value: role, Message: "must be admin, technician or viewer"}
	}
	p.Role = role
	return nil
}

// SetLanguage sets the language.
func (p *Person) SetLanguage(l Language) error {
	if l != English && l != Polish {
		return &FieldError{Field: "language", Value: l, Message: "must be en or pl"}
	}
	p.Language = l
	return nil
}

// SetTheme sets the theme.
func (p *Person) SetTheme(t Theme) error {
	if t != AutoTheme && t != LightTheme && t != DarkTheme {
		return &FieldError{Field: "theme", Value: t, Message: "must be auto, light or dark"}
	}
	p.Theme = t
	return nil
}

// ErrForbidden says that somebody is known, but may not do this.
var ErrForbidden = errors.New("not allowed")

// A Grant is what somebody may do and where. It is made at sign-in; see
// account.Principal.
type Grant struct {
	Rights        []Right
	Organisations []ID
}

// Allows returns nil if the grant holds the right in that organisation, and
// otherwise an error that is ErrForbidden.
func (g Grant) Allows(right Right, organisation ID) error {
	if !slices.Contains(g.Rights, right) || !slices.Contains(g.Organisations, organisation) {
		return fmt.Errorf("%s: %w", right, ErrForbidden)
	}
	return nil
}

// hidden reports characters that change how a text looks without being seen.
func hidden(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || unicode.Is(unicode.Noncharacter_Code_Point, r)
}

func errTooLong(most int) error { return fmt.Errorf("must be at most %d characters", most) }
