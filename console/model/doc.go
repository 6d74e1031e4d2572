// Package model has the nouns of the console: machines, alerts, tickets, runs,
// questions, sessions, people. A noun knows its rules: a state changes only
// through a method, which returns a [Problem] when the change is not allowed.
//
// The package uses the standard library and google/uuid, and does no input or output. Times are
// UTC; what is not known is a nil pointer or the word "unknown", never zero.
package model
