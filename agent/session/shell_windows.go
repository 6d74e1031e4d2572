package session

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/charmbracelet/x/xpty"
)

func shell() *exec.Cmd {
	return exec.Command(filepath.Join(os.Getenv("SystemRoot"), "System32", "cmd.exe"))
}

func afterStart(xpty.Pty) {}

func near(p xpty.Pty) (io.ReadWriteCloser, error) { return p, nil }

func exitCode(cmd *exec.Cmd, _ error) int {
	if cmd.ProcessState == nil {
		return -1
	}
	return cmd.ProcessState.ExitCode()
}

func hangUp(cmd *exec.Cmd) { end(cmd) }

func end(cmd *exec.Cmd) {
	if cmd.Process != nil {
		cmd.Process.Kill()
	}
}
