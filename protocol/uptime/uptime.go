// Package uptime counts time that passes whatever the clock of the computer says, and
// while it sleeps, during which the monotonic clock of Linux stands still.
package uptime

import "time"

var begun, slept = time.Now(), asleep()

// Now is for how long this program has run.
func Now() time.Duration { return time.Since(begun) + asleep() - slept }
