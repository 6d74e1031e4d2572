//go:build !windows

package session

import (
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"syscall"

	"github.com/charmbracelet/x/xpty"
)

// shell is a login shell of the account the agent runs as, in its home.
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
	if unix, ok := p.(*xpty.UnixPty); ok {
		unix.Slave().Close()
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

func hangUp(cmd *exec.Cmd) { syscall.Kill(-cmd.Process.Pid, syscall.SIGHUP) }

func end(cmd *exec.Cmd) { syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
