package model

import "fmt"

// Problem is an error that a person can read: a code for programs, a sentence
// for people, and the field it is about, where it is about one.
type Problem struct {
	Code  string
	Text  string
	Field string
}

func (p *Problem) Error() string { return p.Text }

// Problemf makes a Problem.
func Problemf(code, field, format string, args ...any) *Problem {
	return &Problem{Code: code, Field: field, Text: fmt.Sprintf(format, args...)}
}

// Codes of problems.
const (
	CodeInvalid  = "invalid"   // a value that is not allowed
	CodeState    = "state"     // not possible in this state
	CodeConflict = "conflict"  // somebody else was quicker
	CodeNotFound = "not_found" // not there, or not to be seen
	CodeRefused  = "forbidden" // not with these rights
	CodeOffline  = "offline"   // the machine cannot be reached now
	CodeRevoked  = "revoked"   // the machine was taken off the console
)

// Words is a text in both languages.
type Words struct {
	EN string `json:"en"`
	PL string `json:"pl"`
}

// In is the text in a language, en or pl; for any other it is English.
func (w Words) In(language string) string {
	if language == "pl" {
		return w.PL
	}
	return w.EN
}

// Empty tells whether a language is missing.
func (w Words) Empty() bool { return w.EN == "" || w.PL == "" }

// Actor is who did something: a person, a machine or Deskside itself.
type Actor struct {
	Kind ActorKind
	ID   ID
	Name string
}

// ActorKind tells what an Actor is.
type ActorKind string

const (
	ByPerson     ActorKind = "person"     // a requester
	ByTechnician ActorKind = "technician" // somebody with a role
	ByMachine    ActorKind = "machine"
	BySystem     ActorKind = "system"
)

// System is Deskside itself.
var System = Actor{Kind: BySystem, Name: "Deskside"}
