package model

import (
	"strings"
	"time"
)

// TokenPrefix begins every API token, so that scanners for lost secrets know it.
const TokenPrefix = "dsk_"

// A Token lets a program act with the rights of its owner. It dies with them.
// The secret itself is shown once and not kept.
type Token struct {
	ID             ID
	OrganisationID ID
	PersonID       ID
	Name           string // what it is for
	CreatedAt      time.Time
	ExpiresAt      time.Time
	LastUsedAt     time.Time // zero if never; exact to a minute
}

// TokenLife is how long a token may live at most, and does unless another
// time is asked for.
const (
	MostTokenLife  = 366 * 24 * time.Hour
	UsualTokenLife = 90 * 24 * time.Hour
)

// SetName says what the token is for, in 1 to 100 characters.
func (t *Token) SetName(name string) error {
	name, err := cleanName(name, 100)
	if err != nil {
		return &FieldError{Field: "name", Value: name, Message: err.Error()}
	}
	t.Name = name
	return nil
}

// SetLife sets when the token expires, counted from its creation.
func (t *Token) SetLife(life time.Duration) error {
	if life == 0 {
		life = UsualTokenLife
	}
	if life < time.Minute || life > MostTokenLife {
		return &FieldError{Field: "expires_in_seconds", Value: int64(life / time.Second), Message: "must be between a minute and 366 days"}
	}
	t.ExpiresAt = t.CreatedAt.Add(life)
	return nil
}

// Valid reports whether the token may be used at a time.
func (t *Token) Valid(now time.Time) bool { return now.Before(t.ExpiresAt) }

// IsToken reports whether a text looks like an API token.
func IsToken(text string) bool { return strings.HasPrefix(text, TokenPrefix) }
