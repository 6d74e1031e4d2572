package model

import "github.com/google/uuid"

// An ID names a thing for ever. New ones are UUIDv7, which sort by the time
// they were made.
type ID = uuid.UUID

// NewID makes an id.
func NewID() ID { return uuid.Must(uuid.NewV7()) }
