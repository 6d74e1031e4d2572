package uptime

import (
	"time"

	"golang.org/x/sys/unix"
)

// asleep is for how long this computer has slept since it started: the monotonic clock
// stands still meanwhile. It is rounded, for the two clocks are not read at the same moment.
func asleep() time.Duration {
	var up, awake unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &awake) != nil || unix.ClockGettime(unix.CLOCK_BOOTTIME, &up) != nil {
		return 0
	}
	return time.Duration(up.Nano() - awake.Nano()).Round(100 * time.Millisecond)
}
