package store

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/deskside/deskside/protocol/uptime"
)

// A clock says what time it is: on a server that consoles share that of the server, so
// that they agree whatever their own clocks say; and on SQLite that of this computer.
type clock struct {
	server atomic.Pointer[mark]

	mu    sync.Mutex
	shown time.Time     // at the last look, without a monotonic reading
	up    time.Duration // and how long this program had run then
	owed  time.Duration // of the last step, as long as it could not be written
}

// A mark is what the server's clock showed at a moment of this process.
type mark struct{ shown, here time.Time }

func (c *clock) now() time.Time {
	if m := c.server.Load(); m != nil {
		return m.shown.Add(time.Since(m.here))
	}
	return time.Now().UTC()
}

// Now is the time by which everything is written: see [Tx.Now].
func (s *Store) Now() time.Time { return s.clock.now() }

// readClock looks at the clock of the server, if there is one.
func (tx *Tx) readClock() error {
	if tx.store.engine.name() != "postgres" {
		return nil
	}
	var micros int64
	if err := tx.QueryRow("SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)").Scan(&micros); err != nil {
		return err
	}
	tx.store.clock.server.Store(&mark{shown: Time(micros), here: time.Now()})
	return nil
}

// stepped is by how much a clock was set that is no step: it is always a little off.
const stepped = 10 * time.Second

// keepTime moves the due rows with the clock of this computer when that is set: what is
// to happen in a minute happens in a minute, whatever the clock says then. Nothing is
// taken before it has done so. On a server nothing depends on that clock.
func (s *Store) keepTime(ctx context.Context) error {
	if s.engine.name() == "postgres" {
		return nil
	}
	c := &s.clock
	c.mu.Lock()
	defer c.mu.Unlock()
	now, up := time.Now().Round(0), uptime.Now()
	if c.shown.IsZero() {
		if err := s.waitAnew(ctx, now); err != nil {
			return err
		}
		c.shown, c.up = now, up
		return nil
	}
	passed := up - c.up
	step := now.Sub(c.shown) - passed + c.owed
	c.shown, c.up, c.owed = now, up, 0
	if step.Abs() <= stepped {
		return nil
	}
	if err := s.moveDue(ctx, now.Add(-passed), now, step); err != nil {
		c.owed = step
		return err
	}
	return nil
}

// moveDue moves all rows by step but those that were written since the clock was set.
func (s *Store) moveDue(ctx context.Context, since, now time.Time, step time.Duration) error {
	var moved int64
	err := s.Update(ctx, System("due"), func(tx *Tx) (err error) {
		moved, err = tx.exec("UPDATE due SET at = at + $1, written = written + $1 WHERE written < $2 OR written > $3",
			step.Microseconds(), Micros(since), Micros(now))
		if err != nil {
			return err
		}
		_, err = tx.exec("UPDATE presence SET last = last + $1, settles = settles + $1 WHERE last > 0 AND (last < $2 OR last > $3)",
			step.Microseconds(), Micros(since), Micros(now))
		return err
	})
	if err == nil {
		s.log.Warn("the clock was set; what is to happen later goes with it", "by", step, "rows", moved)
	}
	return err
}

// longAway is how much later than the last thing that was written a clock may be when a
// console starts, and be believed.
const longAway = 30 * 24 * time.Hour

// waitAnew is for a clock that was set while nobody ran. Rows that it has not come to yet
// when they were written wait from now on, for as long as they were to. If it is far past
// all of them, the console was away for long or the clock is ahead: nobody can tell which,
// and so all rows wait from now on. One that is ahead has the time to be put right.
func (s *Store) waitAnew(ctx context.Context, now time.Time) error {
	start := Micros(now.Add(-uptime.Now())) // what was written since says nothing
	var back int64
	var away time.Duration
	err := s.Update(ctx, System("due"), func(tx *Tx) (err error) {
		back, err = tx.exec("UPDATE due SET at = at - (written - $1), written = $1 WHERE written > $2", Micros(now), Micros(now.Add(stepped)))
		if err != nil {
			return err
		}
		var newest int64
		if err := tx.QueryRow("SELECT COALESCE(MAX(written), 0) FROM due WHERE written < $1", start).Scan(&newest); err != nil {
			return err
		}
		if away = now.Sub(Time(newest)); newest == 0 || away <= longAway {
			away = 0
			return nil
		}
		_, err = tx.exec("UPDATE due SET at = at + $1, written = written + $1 WHERE written > 0 AND written < $2", away.Microseconds(), start)
		return err
	})
	if err == nil && back > 0 {
		s.log.Warn("the clock was set back; what is to happen later waits as long as it was to", "rows", back)
	}
	if err == nil && away > 0 {
		s.log.Warn("the clock is far past what was written last; what is to happen later waits as long as it was to", "by", away)
	}
	return err
}
