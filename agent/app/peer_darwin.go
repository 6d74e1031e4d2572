package app

import "golang.org/x/sys/unix"

// uidAt is the account at the other end of a socket.
func uidAt(fd int) (uint32, error) {
	cred, err := unix.GetsockoptXucred(fd, unix.SOL_LOCAL, unix.LOCAL_PEERCRED)
	if err != nil {
		return 0, err
	}
	return cred.Uid, nil
}
