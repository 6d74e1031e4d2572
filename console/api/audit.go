package api

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/console/store"
)

// AuditRow is one thing that was done, or refused.
type AuditRow struct {
	ID       uuid.UUID      `json:"id"`
	At       time.Time      `json:"at"`
	Actor    Who            `json:"actor"`
	Action   string         `json:"action"`
	Subjects []AuditSubject `json:"subjects" nullable:"false"`
	Result   string         `json:"result"`
	Detail   map[string]any `json:"detail"`
	Number   int64          `json:"number" doc:"in the sealed chain; 0 until it is sealed, a second or so"`
	Hash     string         `json:"hash"`
}

// AuditSubject is what a row is about.
type AuditSubject struct {
	Kind string    `json:"kind"`
	ID   uuid.UUID `json:"id"`
}
