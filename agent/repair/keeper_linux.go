package repair

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/landlock-lsm/go-landlock/landlock"
	landlocksys "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

// KeeperCommand is the hidden command by which this program runs itself as a
// keeper: KeeperCommand, script, own folder, "dry" or "real".
const KeeperCommand = "keep-run"

// keeping is how long the keeper is waited for when a run is to end.
const keeping = graceful

func keeper(script, tmp string, dry bool) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	mode := "real"
	if dry {
		mode = "dry"
	}
	return exec.Command(self, KeeperCommand, script, tmp, mode), nil
}

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
func CanSandbox() bool {
	v, err := landlocksys.LandlockGetABIVersion()
	return err == nil && v >= 1
}

// Keep is the keeper's life: it runs the script and returns its exit code after
// everything the script started is gone. args are those after KeeperCommand.
func Keep(args []string) int {
	if len(args) != 3 {
		return 64
	}
	code, err := keep(args[0], args[1], args[2] == "dry")
	if err != nil {
		fmt.Fprintln(os.Stderr, "deskside:", err)
		return 126
	}
	return code
}

func keep(script, tmp string, dry bool) (int, error) {
	// Whatever the script leaves behind becomes a child of this process.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return 0, fmt.Errorf("adopt what the script leaves behind: %w", err)
	}
	if err := giveWay(); err != nil {
		return 0, fmt.Errorf("give way to others: %w", err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return 0, fmt.Errorf("forbid core files: %w", err)
	}
	signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	if dry {
		err := landlock.V5.BestEffort().RestrictPaths(landlock.RODirs("/"), landlock.RWDirs(tmp),
			landlock.RWFiles("/dev/null", "/dev/zero", "/dev/full").IgnoreIfMissing())
		if err != nil {
			return 0, fmt.Errorf("take away the right to write: %w", err)
		}
	}
	child := exec.Command("/bin/sh", script)
	child.Stdout, child.Stderr = os.Stdout, os.Stderr
	child.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := child.Start(); err != nil {
		return 0, fmt.Errorf("start the script: %w", err)
	}
	ended := make(chan int, 1)
	go func() {
		var status syscall.WaitStatus
		for {
			_, err := syscall.Wait4(child.Process.Pid, &status, 0, nil)
			if err != syscall.EINTR {
				break
			}
		}
		if status.Signaled() {
			ended <- 128 + int(status.Signal())
			return
		}
		ended <- status.ExitStatus()
	}()
	released := make(chan struct{})
	go func() { // the agent holds the other end; it closes when the agent wants, or dies
		io.Copy(io.Discard, os.Stdin)
		close(released)
	}()
	code := 143
	select {
	case code = <-ended:
	case <-released:
		syscall.Kill(-child.Process.Pid, syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(time.Second):
		}
	}
	endAll()
	return code, nil
}

// nice is how much a script gives way to what people work with.
const nice = 10

// giveWay lowers the priority of this session, which is this process with all its
// threads: whichever starts the script hands on its own. An agent that gives way more than that already is left as it
// is; not everybody may raise a priority.
func giveWay() error {
	own, err := unix.Getpriority(unix.PRIO_PROCESS, 0) // the system's call says 20 less that
	if err != nil || 20-own >= nice {
		return err
	}
	return unix.Setpriority(unix.PRIO_PGRP, 0, nice)
}

// endAll kills children and grandchildren, and those they leave, until there
// are none.
func endAll() {
	for range 1000 {
		children := childrenOf(os.Getpid())
		if len(children) == 0 {
			return
		}
		for _, pid := range children {
			endTree(pid, 0)
		}
		var status syscall.WaitStatus
		for {
			pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
			if pid <= 0 || err != nil {
				break
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func endTree(pid, depth int) {
	syscall.Kill(pid, syscall.SIGSTOP) // so that it cannot fork away while we look
	if depth < 64 {
		for _, child := range childrenOf(pid) {
			endTree(child, depth+1)
		}
	}
	syscall.Kill(pid, syscall.SIGKILL)
}

// childrenOf reads the children of all threads of a process.
func childrenOf(pid int) []int {
	var out []int
	tasks, err := os.ReadDir("/proc/" + strconv.Itoa(pid) + "/task")
	if err != nil {
		return nil
	}
	for _, t := range tasks {
		raw, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/task/" + t.Name() + "/children")
		if err != nil {
			continue
		}
		for _, word := range strings.Fields(string(raw)) {
			if child, err := strconv.Atoi(word); err == nil {
				out = append(out, child)
			}
		}
	}
	return out
}
