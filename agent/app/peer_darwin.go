package app

import (
	"errors"
	"fmt"
	"net"
	"os/user"
	"strconv"

	"golang.org/x/sys/unix"
)

// peerName is the account at the other end of a local socket.
func peerName(c net.Conn) (string, error) {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return "", errors.New("not a local socket")
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return "", err
	}
	var cred *unix.Xucred
	var credErr error
	if err := raw.Control(func(fd uintptr) { cred, credErr = unix.GetsockoptXucred(int(fd), unix.SOL_LOCAL, unix.LOCAL_PEERCRED) }); err != nil {
		return "", err
	}
	if credErr != nil {
		return "", fmt.Errorf("ask who is there: %w", credErr)
	}
	uid := strconv.Itoa(int(cred.Uid))
	who, err := user.LookupId(uid)
	if err != nil {
		return "uid " + uid, nil
	}
	if who.Name != "" {
		return who.Name, nil
	}
	return who.Username, nil
}
