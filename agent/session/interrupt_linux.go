package session

import (
	"syscall"

	"github.com/charmbracelet/x/xpty"
	"golang.org/x/sys/unix"
)

// interrupts makes room for a Ctrl-C behind input that nobody reads: the terminal
// looks for it only when it takes it, and then throws away what stood before it.
// So that is thrown away now. False: here a Ctrl-C is typed text like any other.
func interrupts(p xpty.Pty) bool {
	unixPty, ok := p.(*xpty.UnixPty)
	if !ok {
		return false
	}
	raw, err := unixPty.Master().SyscallConn()
	if err != nil {
		return false
	}
	done := false
	err = raw.Control(func(master uintptr) {
		mode, err := unix.IoctlGetTermios(int(master), unix.TCGETS)
		if err != nil || mode.Lflag&unix.ISIG == 0 || mode.Lflag&unix.NOFLSH != 0 || mode.Cc[unix.VINTR] != ctrlC {
			return
		}
		// Only the far end can be told to forget what it has not read.
		peer, _, failed := unix.Syscall(unix.SYS_IOCTL, master, unix.TIOCGPTPEER, syscall.O_RDWR|syscall.O_NOCTTY|syscall.O_CLOEXEC)
		if failed != 0 {
			return
		}
		defer unix.Close(int(peer))
		done = unix.IoctlSetInt(int(peer), unix.TCFLSH, unix.TCIFLUSH) == nil
	})
	return done && err == nil
}
