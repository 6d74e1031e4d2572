package model

import (
	"errors"
	"strings"
	"time"
	"unicode/utf8"
)

// An Organisation is the company or department that machines and people belong
// to. It is the wall between tenants: nothing is seen across it.
type Organisation struct {
	ID        ID
	Name      string
	CreatedAt time.Time
	Version   int64
}

// DefaultOrganisation is the name of the one that every console begins with.
const DefaultOrganisation = "Default"

// Rename gives the organisation another name, of 1 to 100 characters.
func (o *Organisation) Rename(name string) error {
	name, err := cleanName(name, 100)
	if err != nil {
		return &FieldError{Field: "name", Value: name, Message: err.Error()}
	}
	o.Name = name
	return nil
}

// A FieldError says what is wrong with a value that somebody gave: a sentence
// that names what is allowed.
type FieldError struct {
	Field   string // in snake_case, as in the HTTP API
	Value   any    // nil for a secret
	Message string
}

func (e *FieldError) Error() string { return e.Field + " " + e.Message }

// cleanName trims a name and refuses what nobody can read.
func cleanName(name string, most int) (string, error) {
	name = strings.TrimSpace(name)
	switch {
	case name == "":
		return name, errors.New("must not be empty")
	case !utf8.ValidString(name):
		return name, errors.New("must be valid UTF-8")
	case utf8.RuneCountInString(name) > most:
		return name, errTooLong(most)
	case strings.ContainsFunc(name, hidden):
		return name, errors.New("must not hold control or direction characters")
	}
	return name, nil
}
