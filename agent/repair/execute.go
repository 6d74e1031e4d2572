package repair

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/protocol"
)

// job is a script as it runs on this machine.
type job struct {
	script  string // its id
	file    string // the name of its file
	body    []byte
	timeout time.Duration
}

// ending is how a child ended.
type ending struct {
	code      int
	timedOut  bool
	flooded   bool
	sandboxed bool
}

// graceful is how long a keeper has to end everything, and how long what a script
// left behind may hold its output.
const graceful = 5 * time.Second

// execute puts the script into a folder of its own and runs it there.
func (r *Runner) execute(ctx context.Context, id uuid.UUID, j job, w *protocol.Work, out *output) (ending, error) {
	var end ending
	folder := r.folder(id)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return end, fmt.Errorf("make the folder of the run: %w", err)
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, j.file)
	if err := os.WriteFile(path, j.body, 0o500); err != nil {
		return end, fmt.Errorf("write the script: %w", err)
	}
	tmp := filepath.Join(folder, "tmp")
	if err := os.Mkdir(tmp, 0o700); err != nil {
		return end, fmt.Errorf("make the folder of the run: %w", err)
	}
	limited, cancel := context.WithTimeout(ctx, j.timeout)
	defer cancel()
	end.sandboxed = w.DryRun && CanSandbox()
	cmd, err := keeper(path, tmp, w.DryRun)
	if err != nil {
		return end, err
	}
	cmd.Dir = tmp
	cmd.Env = environment(tmp, w)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.WaitDelay = graceful
	code, err := runKept(limited, cmd, out)
	end.code = code
	end.flooded = out.flooded()
	end.timedOut = errors.Is(limited.Err(), context.DeadlineExceeded)
	if err != nil {
		return end, fmt.Errorf("run %s: %w", j.script, err)
	}
	return end, nil
}

// runKept starts the keeper and holds the end of a pipe; when the pipe closes,
// because of ctx, a flood or the death of this process, the keeper ends
// everything below it.
func runKept(ctx context.Context, cmd *exec.Cmd, out *output) (int, error) {
	hold, err := cmd.StdinPipe()
	if err != nil {
		return 0, err
	}
	kill, err := start(cmd)
	if err != nil {
		return 0, err
	}
	defer kill()
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	var last *time.Timer // kills a keeper that does not answer
	stop := func() {
		if last == nil {
			hold.Close()
			last = time.AfterFunc(keeping, kill)
		}
	}
	done := ctx.Done()
	for {
		select {
		case err := <-ended:
			hold.Close()
			if last != nil {
				last.Stop()
			}
			var exit *exec.ExitError
			if errors.As(err, &exit) {
				return exit.ExitCode(), nil
			}
			if errors.Is(err, exec.ErrWaitDelay) {
				return cmd.ProcessState.ExitCode(), nil
			}
			return 0, err
		case <-done:
			done = nil
			stop()
		case <-tick.C:
			if out.flooded() {
				stop()
			}
		}
	}
}

// environment is made from nothing: no variable of the agent reaches a script.
func environment(tmp string, w *protocol.Work) []string {
	env := []string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"LANG=C.UTF-8", "LC_ALL=C.UTF-8", "HOME=" + tmp, "TMPDIR=" + tmp, "DESKSIDE=1",
	}
	env = append(env, systemEnvironment(tmp)...)
	if w.DryRun {
		env = append(env, "DESKSIDE_DRY_RUN=1")
	}
	for name, value := range w.Parameters {
		env = append(env, "DESKSIDE_P_"+name+"="+value)
	}
	slices.Sort(env)
	return env
}
