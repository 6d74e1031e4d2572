//go:build !linux

package app

import "context"

// watchSleep: here nobody tells the agent that the computer goes to sleep, so that
// is a line that is lost.
func (a *Agent) watchSleep(context.Context) {}
