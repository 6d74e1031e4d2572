package app

import (
	"context"
	"runtime"
	"runtime/debug"
	"time"
)

// light sets the runtime for a program that keeps less than a megabyte and makes as
// much again in a few rounds: the collector begins at one megabyte instead of four,
// and how many processors a workstation has does not count, since the runtime keeps
// spare memory for each.
func light() {
	debug.SetGCPercent(25)
	runtime.GOMAXPROCS(min(2, runtime.GOMAXPROCS(0)))
}

// startTime is after what only starting needs: the rows of state, the first hello,
// the first slow round and its facts.
const startTime = time.Minute

// settle gives back, once, what starting needed and the rounds do not.
func (a *Agent) settle(ctx context.Context) {
	timer := time.NewTimer(startTime)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return
	case <-timer.C:
	}
	debug.FreeOSMemory()
	if err := giveBackProgram(); err != nil {
		a.options.Log.Warn("cannot give back the memory that starting needed", "error", err)
	}
}
