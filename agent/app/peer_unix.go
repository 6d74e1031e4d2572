//go:build unix

package app

import (
	"errors"
	"fmt"
	"net"
)

// peerOf is the account at the other end of a local socket, as the kernel tells it.
func peerOf(c net.Conn) (peer, error) {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return peer{}, errors.New("not a local socket")
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return peer{}, err
	}
	var uid uint32
	var uidErr error
	if err := raw.Control(func(fd uintptr) { uid, uidErr = uidAt(int(fd)) }); err != nil {
		return peer{}, err
	}
	if uidErr != nil {
		return peer{}, fmt.Errorf("ask who is there: %w", uidErr)
	}
	return peer{int(uid)}, nil
}
