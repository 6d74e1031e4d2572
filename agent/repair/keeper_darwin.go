package repair

import (
	"os/exec"
	"sync"
	"syscall"
)

// KeeperCommand is the hidden command of a keeper; it does not exist on macOS,
// where a process group is what can be held together.
const KeeperCommand = "keep-run"

// keeping is nothing: there is no keeper to wait for when a run is to end.
const keeping = 0

// Keep refuses: there is no keeper here.
func Keep([]string) int { return 64 }

func keeper(script, _ string, _ bool) (*exec.Cmd, error) { return exec.Command("/bin/sh", script), nil }

// start starts the keeper in a session of its own; the function it returns is
// the last resort for one that does not answer.
func start(cmd *exec.Cmd) (func(), error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	group := -cmd.Process.Pid
	return sync.OnceFunc(func() { syscall.Kill(group, syscall.SIGKILL) }), nil
}

func systemEnvironment(string) []string { return nil }

// CanSandbox tells whether a dry run cannot write here, whatever the script does.
func CanSandbox() bool { return false }
