package link

import (
	"context"
	"errors"
	"time"
)

// connection is one attempt to be connected, from dialling to its end.
type connection struct {
	leave context.CancelFunc // says goodbye
	over  chan struct{}
}

var errAsleep = errors.New("this computer sleeps")

// Sleep says goodbye because the machine goes to sleep, and keeps the line down
// until [Line.Awake]. It returns when the console has hung up, having read that,
// or when ctx ends.
func (l *Line) Sleep(ctx context.Context) {
	l.mu.Lock()
	l.asleep = true
	now := l.now
	l.mu.Unlock()
	if now == nil {
		return
	}
	now.leave()
	select {
	case <-now.over:
	case <-ctx.Done():
	}
}

// Awake makes the line come up again at once, whatever it waited for.
func (l *Line) Awake() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.asleep {
		return
	}
	l.asleep = false
	select {
	case l.woken <- struct{}{}:
	default:
	}
}

// connect is one attempt to be connected, of a machine that is awake.
func (l *Line) connect(ctx context.Context) (welcomed bool, err error) {
	ctx, leave := context.WithCancel(ctx)
	defer leave()
	now := &connection{leave: leave, over: make(chan struct{})}
	l.mu.Lock()
	if l.asleep {
		l.mu.Unlock()
		return false, errAsleep
	}
	l.now = now
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.now = nil
		close(now.over)
	}()
	return l.once(ctx)
}

// rest waits so long, and while the machine sleeps; true: it has just woken.
func (l *Line) rest(ctx context.Context, wait time.Duration) (woken bool) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for rested := false; !rested || l.sleeps(); {
		select {
		case <-ctx.Done():
			return false
		case <-timer.C:
			rested = true
		case <-l.woken:
			rested, woken = true, true
		}
	}
	return woken
}

func (l *Line) sleeps() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.asleep
}
