//go:build !windows

package session

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/charmbracelet/x/xpty"
	"golang.org/x/sys/unix"
)

// shell is a login shell. Which one, and in which home, is as in the agent's own
// environment, if it says; else it is a usual one, in the home of the account.
func shell() *exec.Cmd {
	path := os.Getenv("SHELL")
	for _, candidate := range []string{path, "/bin/bash", "/bin/sh"} {
		if info, err := os.Stat(candidate); candidate != "" && err == nil && info.Mode()&0o111 != 0 {
			path = candidate
			break
		}
	}
	home, name := "/", ""
	if u, err := user.Current(); err == nil {
		home, name = u.HomeDir, u.Username
	}
	if given := os.Getenv("HOME"); given != "" {
		home = given
	}
	cmd := exec.Command(path)
	cmd.Args[0] = "-" + filepath.Base(path)
	cmd.Dir = home
	cmd.Env = []string{"TERM=xterm-256color", "COLORTERM=truecolor", "LANG=C.UTF-8", "SHELL=" + path, "HOME=" + home,
		"USER=" + name, "LOGNAME=" + name, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "DESKSIDE=1"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	return cmd
}

// afterStart closes our end of what belongs to the shell, so that reading ends
// when the shell and its children have closed theirs.
func afterStart(p xpty.Pty) {
	if u, ok := p.(*xpty.UnixPty); ok {
		u.Slave().Close()
	}
}

func exitCode(cmd *exec.Cmd, _ error) int {
	if cmd.ProcessState == nil {
		return -1
	}
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return cmd.ProcessState.ExitCode()
}

// near is our end of the terminal, such that closing it ends a read or a write
// that waits: programs that the shell left behind may hold the far end for ever.
func near(p xpty.Pty) (io.ReadWriteCloser, error) {
	unixPty, ok := p.(*xpty.UnixPty)
	if !ok {
		return p, nil
	}
	raw, err := unixPty.Master().SyscallConn()
	if err != nil {
		return nil, err
	}
	fd := -1
	var failed error
	err = raw.Control(func(master uintptr) {
		if fd, failed = unix.FcntlInt(master, unix.F_DUPFD_CLOEXEC, 0); failed == nil {
			failed = unix.SetNonblock(fd, true)
		}
	})
	if err = errors.Join(err, failed); err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), "terminal"), nil
}

func hangUp(cmd *exec.Cmd) { syscall.Kill(-cmd.Process.Pid, syscall.SIGHUP) }

// end kills the shell and every process of its session, so also the jobs that a
// shell puts into groups of their own. What has made itself a session of its own
// is not ours any more, as after a login.
func end(cmd *exec.Cmd) {
	syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	for range 100 { // until none was born meanwhile
		members := membersOf(cmd.Process.Pid)
		for _, pid := range members {
			syscall.Kill(pid, syscall.SIGKILL)
		}
		if len(members) == 0 {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// membersOf lists the living processes of a session, where /proc tells.
func membersOf(session int) []int {
	var out []int
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		raw, err := os.ReadFile("/proc/" + e.Name() + "/stat")
		if err != nil {
			continue
		}
		// pid (name) state ppid pgrp session: the name may hold anything.
		fields := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))
		if len(fields) > 3 && fields[3] == strconv.Itoa(session) && fields[0] != "Z" && fields[0] != "X" {
			out = append(out, pid)
		}
	}
	return out
}
