package store

import (
	"slices"

	"github.com/google/uuid"
)

// An Actor is who acts. It is written into the audit rows of the transaction.
type Actor struct {
	Kind    string    // person, machine, requester, token or system
	ID      uuid.UUID // uuid.Nil for system
	Name    string    // as it was called at the time; personal, can be erased
	Address string    // where from, host or host:port; personal, can be erased
}

// A Scope says who acts in a transaction and how far they reach. The zero
// Scope reaches nothing.
type Scope struct {
	Actor Actor

	// Organisations bounds the transaction: see the wall in the package
	// comment. None means nothing at all, never everything.
	Organisations []uuid.UUID

	// Everywhere lifts the wall. It is for work that belongs to no
	// organisation, such as sign-in before it is known who comes, and due
	// rows; never for what a person asked.
	Everywhere bool
}

// System is the scope of the console's own work, named for the audit rows.
func System(name string) Scope {
	return Scope{Actor: Actor{Kind: "system", Name: name}, Everywhere: true}
}

// Machine is the scope of what a machine tells, in its organisation.
func Machine(organisation, machine uuid.UUID) Scope {
	return Scope{Actor: Actor{Kind: "machine", ID: machine}, Organisations: []uuid.UUID{organisation}}
}

// Within returns the same actor bounded to one organisation.
func (s Scope) Within(organisation uuid.UUID) Scope {
	return Scope{Actor: s.Actor, Organisations: []uuid.UUID{organisation}}
}

// Reaches reports whether the scope includes the organisation.
func (s Scope) Reaches(organisation uuid.UUID) bool {
	return s.Everywhere || slices.Contains(s.Organisations, organisation)
}
