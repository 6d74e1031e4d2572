// Package model holds the nouns of the console: what an organisation, a person,
// a machine, an alert or a ticket is, and which changes of state it allows. It
// does no I/O and knows no database, no wire and no HTTP. Every change of
// state is a method that returns an error when it is not allowed.
package model
