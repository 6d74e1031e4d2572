package app

import (
	"context"
	"strconv"

	"github.com/deskside/deskside/agent/probe"
	"github.com/deskside/deskside/agent/state"
)

// life is what tells the console whether the agent was cut off: which start of the
// system this is, and whether the agent before this one was ended.
type life struct {
	boot string
	left bool
}

// Names under which it is kept.
const (
	blobBoot = "life/boot"
	blobLeft = "life/left"
)

// begin reads how the life before ended, and writes down that this one has begun.
func (a *Agent) begin(ctx context.Context) {
	if a.options.Pretend != nil {
		return // it has no system that starts
	}
	err := a.state.Update(func(tx *state.Tx) error {
		a.life = life{boot: sameBoot(string(tx.Blob(blobBoot)), probe.Boot(ctx)), left: len(tx.Blob(blobLeft)) > 0}
		if err := tx.SetBlob(blobLeft, nil); err != nil {
			return err
		}
		return tx.SetBlob(blobBoot, []byte(a.life.boot))
	})
	if err != nil {
		a.life.left = true // it is not known, so nothing is said against it
		a.options.Log.Error("cannot write down that the agent has begun", "error", err)
	}
}

// leave writes down that the agent was ended, also where no console hears it.
func (a *Agent) leave() {
	if a.options.Pretend != nil {
		return
	}
	if err := a.state.Update(func(tx *state.Tx) error { return tx.SetBlob(blobLeft, []byte{1}) }); err != nil {
		a.options.Log.Error("cannot write down that the agent was ended", "error", err)
	}
}

// nudge is how far two moments of one start may lie apart, in seconds: where a
// start has no other name than its moment, it moves with the clock.
const nudge = 60

// sameBoot is the name of this start: the one it had before, where both are moments
// that lie close together.
func sameBoot(before, now string) string {
	was, err := strconv.ParseInt(before, 10, 64)
	if err != nil {
		return now
	}
	is, err := strconv.ParseInt(now, 10, 64)
	if err != nil || is-was > nudge || was-is > nudge {
		return now
	}
	return before
}
