package link

import (
	"math/rand/v2"
	"time"
)

// backoff spaces attempts to connect. The wait doubles up to a minute and only
// then is jittered, so that machines which lost the same console do not come
// back in step; the first wait is random too.
type backoff struct {
	next time.Duration
}

const (
	backoffLow  = time.Second
	backoffHigh = time.Minute
)

// wait is how long to wait now; atLeast is what the console asked for.
func (b *backoff) wait(atLeast time.Duration) time.Duration {
	if b.next == 0 {
		b.next = backoffLow
	}
	base := max(b.next, min(atLeast, time.Hour))
	b.next = min(b.next*2, backoffHigh)
	return base/2 + rand.N(base)
}

// reset is for an accepted hello, and for nothing less.
func (b *backoff) reset() { b.next = 0 }
