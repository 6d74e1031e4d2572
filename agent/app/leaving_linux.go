package app

import (
	"context"
	"time"

	systemd "github.com/coreos/go-systemd/v22/dbus"

	"github.com/deskside/deskside/protocol"
)

// leaving is why the service ends: systemd stops services the same way whether
// somebody wants them stopped or the machine goes down, so it is asked, on its own
// socket, because the system's bus may be gone already.
func leaving() string {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	conn, err := systemd.NewSystemdConnectionContext(ctx)
	if err != nil {
		return protocol.GoodbyeStopped
	}
	defer conn.Close()
	state, err := conn.SystemStateContext(ctx)
	if err != nil {
		return protocol.GoodbyeStopped
	}
	if word, _ := state.Value.Value().(string); word == "stopping" {
		return protocol.GoodbyeShutDown
	}
	return protocol.GoodbyeStopped
}
