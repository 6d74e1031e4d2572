//go:build !linux

package app

import "github.com/deskside/deskside/protocol"

// leaving is why the service ends. Windows calls Shutdown when the machine goes
// down; launchd does not say.
func leaving() string { return protocol.GoodbyeStopped }
