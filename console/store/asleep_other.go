//go:build !linux

package store

import "time"

// asleep is not known here: a sleep is taken for a clock that was set.
func asleep() time.Duration { return 0 }
