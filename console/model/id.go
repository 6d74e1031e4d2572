package model

import "github.com/google/uuid"

// ID names a thing: a UUID of version 7, so that ids sort by age.
type ID = uuid.UUID

// NewID makes an id.
func NewID() ID {
	id, err := uuid.NewV7()
	if err != nil { // the system's randomness is gone; nothing good can follow
		panic("model: " + err.Error())
	}
	return id
}

// DerivedID is an id that the same words always give.
func DerivedID(space ID, name string) ID { return uuid.NewSHA1(space, []byte(name)) }
