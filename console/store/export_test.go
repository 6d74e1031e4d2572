package store

import "time"

// SetPatience says how long a transaction may take; without it a test would wait
// half a minute.
func (s *Store) SetPatience(d time.Duration) { s.patience = d }
