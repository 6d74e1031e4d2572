package store

import (
	"context"
	"time"
)

// SetPatience says how long a transaction may take; without it a test would wait
// half a minute.
func (s *Store) SetPatience(d time.Duration) { s.patience = d }

// SetServer says what the clock of the server showed a moment ago.
func (s *Store) SetServer(shown time.Time) {
	s.clock.server.Store(&mark{shown: shown.UTC(), here: time.Now()})
}

// Present says once that a node is there.
func (s *Store) Present(ctx context.Context) error { return s.present(ctx, false) }
