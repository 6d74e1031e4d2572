//go:build unix

package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
)

const localSocket = "agent.sock"

// localPath is where the socket is. The state's folder is its owner's alone, so
// for the service, which people ask for help, it is in a folder of its own.
func localPath(state string) string {
	if filepath.Clean(state) == DefaultState() {
		switch runtime.GOOS {
		case "linux":
			return filepath.Join("/run/deskside", localSocket)
		case "darwin":
			return filepath.Join("/var/run/deskside", localSocket)
		}
	}
	return filepath.Join(state, localSocket)
}

func listenLocal(path string) (net.Listener, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o666); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

func dialLocal(ctx context.Context, path string) (net.Conn, error) {
	d := net.Dialer{Timeout: localWait}
	c, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNobody, err)
	}
	return c, nil
}

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
	return account(int(uid)), nil
}

// account is the peer with a number: root and the agent's own are trusted.
func account(uid int) peer {
	return peer{strconv.Itoa(uid), uid == 0 || uid == os.Geteuid()}
}
