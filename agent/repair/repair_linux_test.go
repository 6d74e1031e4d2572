package repair

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/deskside/deskside/agent/gate"
	"github.com/deskside/deskside/agent/state"
	"github.com/deskside/deskside/protocol"
	"github.com/deskside/deskside/scripts"
)

const agentCommand = "agent-of-the-test"

// TestMain lets this program be its own keeper, as the agent's does, and an
// agent that is killed.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == KeeperCommand {
		os.Exit(Keep(os.Args[2:]))
	}
	if len(os.Args) > 1 && os.Args[1] == agentCommand {
		os.Exit(agentToKill(os.Args[2], os.Args[3]))
	}
	goleak.VerifyTestMain(m)
}

func shell(text string, timeout time.Duration) job {
	return job{script: "test", file: "run.sh", body: []byte(text), timeout: timeout}
}

// alive tells whether a process of another test's script is there, and no zombie.
func alive(pid int) bool {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !bytes.Contains(raw, []byte(") Z ")) && !bytes.Contains(raw, []byte(") X "))
}

// pids are the numbers that a script wrote into a file, one a line.
func pids(t *testing.T, path string) []int {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []int
	for _, word := range strings.Fields(string(raw)) {
		n, err := strconv.Atoi(word)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, n)
	}
	return out
}

func TestEndings(t *testing.T) {
	r, h := do(t, "echo out; echo err >&2; echo 'deskside: freed_bytes=42'; echo 'deskside: note = zażółć '; echo 'deskside: none'", time.Minute, &protocol.Work{})
	if r.State != succeeded || code(r) != 0 || r.Text != "" || r.Cut || r.Sandboxed {
		t.Errorf("%+v", r)
	}
	if want := "out\nerr\n"; !strings.HasPrefix(string(r.Head), want) || !strings.HasPrefix(string(h.output), want) || r.Bytes != int64(len(h.output)) {
		t.Errorf("head %q, heard %q, %d bytes", r.Head, h.output, r.Bytes)
	}
	if len(r.Values) != 2 || r.Values["freed_bytes"] != "42" || r.Values["note "] != " zażółć" {
		t.Errorf("values %q", r.Values)
	}
	if r, _ := do(t, "exit 7", time.Minute, &protocol.Work{Verify: "x"}); r.State != failed || code(r) != 7 || r.Verify != nil {
		t.Errorf("%+v", r)
	}
	if r, _ := do(t, "kill -9 $$", time.Minute, &protocol.Work{}); r.State != failed || code(r) != 128+9 {
		t.Errorf("%+v, exit %d", r, code(r))
	}
	r, h = do(t, "true", time.Minute, &protocol.Work{Verify: "filesystem.full", Instance: "/home"})
	if r.Verify == nil || r.Verify.Verdict != "verified" || len(h.asked) != 1 || h.asked[0] != "filesystem.full /home" {
		t.Errorf("%+v, asked %q", r, h.asked)
	}
	if r, h := do(t, "true", time.Minute, &protocol.Work{Verify: "filesystem.full", DryRun: true}); r.Verify != nil || len(h.asked) > 0 {
		t.Errorf("a dry run was verified: %+v", r)
	}
}

// TestEnvironment: a script gets its values, and nothing of the agent's.
func TestEnvironment(t *testing.T) {
	for _, name := range []string{"LD_PRELOAD_X", "BASH_ENV", "ENV", "DESKSIDE_TOKEN"} {
		t.Setenv(name, "leaked")
	}
	t.Setenv("PATH", "/nowhere:"+os.Getenv("PATH"))
	work := &protocol.Work{Parameters: map[string]string{"MOUNT": "/a b'$(id)"}}
	r, _ := do(t, `env; echo "cwd $PWD"; umask; cat; tty; true`, time.Minute, work)
	text := string(r.Head)
	for _, never := range []string{"leaked", "/nowhere", "DESKSIDE_DRY_RUN"} {
		if strings.Contains(text, never) {
			t.Errorf("%s in\n%s", never, text)
		}
	}
	for _, want := range []string{"DESKSIDE_P_MOUNT=/a b'$(id)\n", "DESKSIDE=1\n", "not a tty"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

// TestOutputIsKept: the beginning and the end of a long output, and how long it was.
func TestOutputIsKept(t *testing.T) {
	r, h := do(t, "i=0; while [ $i -lt 100 ]; do head -c 49999 /dev/zero | tr '\\0' x; printf '%09d\\n' $i; i=$((i+1)); done", time.Minute, &protocol.Work{})
	total := int64(100 * (49999 + 10))
	if r.State != succeeded || r.Bytes != total || !r.Cut || len(r.Head) != keepHead || len(r.Tail) != keepTail {
		t.Errorf("%s, %d of %d bytes, cut %t, head %d, tail %d", r.State, r.Bytes, total, r.Cut, len(r.Head), len(r.Tail))
	}
	if !strings.HasSuffix(string(r.Tail), "x000000099\n") || r.Head[0] != 'x' {
		t.Errorf("the tail ends with %q", r.Tail[len(r.Tail)-20:])
	}
	if int64(len(h.output)) != min(total, maxStream) {
		t.Errorf("%d bytes were shown", len(h.output))
	}
	if r, _ := do(t, "head -c 100000 /dev/zero", time.Minute, &protocol.Work{}); r.Cut || len(r.Head)+len(r.Tail) != 100000 {
		t.Errorf("100000 bytes: cut %t, %d and %d", r.Cut, len(r.Head), len(r.Tail))
	}
}

// TestShownBytes: what is shown ends at its bound, also when a slow beginning moved the
// pieces.
func TestShownBytes(t *testing.T) {
	shown := 0
	o := newOutput(uuid.New(), func(_ protocol.Kind, body any) bool {
		shown += len(body.(protocol.Output).Data)
		return true
	})
	o.Write([]byte("slow"))
	o.later()
	o.Write(make([]byte, maxStream+pieceMost))
	o.later()
	if shown != maxStream {
		t.Errorf("%d bytes were shown, %d are the most", shown, maxStream)
	}
}

// TestFlood: a script that writes without end is stopped.
func TestFlood(t *testing.T) {
	r, _ := do(t, "cat /dev/zero", time.Minute, &protocol.Work{})
	if r.State != failed || r.ExitCode != nil || !strings.Contains(r.Text, "64 MiB") || r.Bytes < maxFlood {
		t.Errorf("%s, %q, %d bytes", r.State, r.Text, r.Bytes)
	}
}

// family is a script that leaves a child, a grandchild in a session of its own
// that ignores signals, and a process that its parent has left.
const family = `

trap '' TERM HUP INT
echo $$ >>"$DESKSIDE_P_FILE"
sh -c 'trap "" TERM HUP; echo $$ >>"$DESKSIDE_P_FILE"; while :; do sleep 1000; done' &
setsid sh -c 'trap "" TERM HUP; echo $$ >>"$DESKSIDE_P_FILE"; sleep 1000; :' &
(setsid sh -c '(trap "" TERM HUP; sh -c "echo \$PPID" >>"$DESKSIDE_P_FILE"; sleep 1000; :) &' &) 
while [ $(wc -l <"$DESKSIDE_P_FILE") -lt 4 ]; do :; done
echo ready
`

func gone(t *testing.T, path string) {
	t.Helper()
	all := pids(t, path)
	if len(all) != 4 {
		t.Errorf("the script left %v", all)
	}
	for _, pid := range all {
		if alive(pid) {
			t.Errorf("process %d of %v is still there", pid, all)
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

func familyWork(t *testing.T) (string, *protocol.Work) {
	path := filepath.Join(t.TempDir(), "pids")
	return path, &protocol.Work{Parameters: map[string]string{"FILE": path}}
}

// TestTimeout, TestLeftBehind and TestCancel: nothing of a script is there after
// its result, however it ended.
func TestTimeout(t *testing.T) {
	path, work := familyWork(t)
	r, _ := do(t, family+"sleep 1000", 3*time.Second, work)
	if r.State != timedOut || r.ExitCode != nil || !strings.Contains(r.Text, "3s") || !strings.Contains(string(r.Head), "ready") {
		t.Errorf("%+v", r)
	}
	gone(t, path)
}

func TestLeftBehind(t *testing.T) {
	path, work := familyWork(t)
	if r, _ := do(t, family+"exit 3", time.Minute, work); r.State != failed || code(r) != 3 {
		t.Errorf("%+v", r)
	}
	gone(t, path)
}

func TestCancel(t *testing.T) {
	path, work := familyWork(t)
	r, h := runner(t, t.TempDir())
	id := uuid.New()
	r.Cancel(uuid.Nil, time.Now()) // what no run is called ends nothing, also when nothing runs
	go func() {
		<-h.first
		r.Cancel(uuid.New(), time.Now())
		r.Cancel(id, time.Now())
	}()
	result, done := r.perform(t.Context(), protocol.Result{Run: id}, shell(family+"sleep 1000", time.Minute), work)
	if !done || result.State != cancelled || result.ExitCode != nil {
		t.Errorf("%+v", result)
	}
	gone(t, path)
	next := uuid.New()
	r.waiting[next] = false // as Start does
	r.Cancel(next, time.Now())
	if result, done := r.perform(t.Context(), protocol.Result{Run: next}, shell("true", time.Minute), work); !done || result.State != cancelled || len(h.taken) != 1 {
		t.Errorf("cancelled before it began: %+v", result)
	}
	if len(r.waiting) != 0 {
		t.Errorf("%d runs are remembered that have ended", len(r.waiting))
	}
}

// TestDryRunCannotWrite: whatever the script does, outside its own folder.
func TestDryRunCannotWrite(t *testing.T) {
	dir := t.TempDir()
	victim := filepath.Join(dir, "victim")
	if err := os.WriteFile(victim, []byte("whole"), 0o666); err != nil {
		t.Fatal(err)
	}
	work := &protocol.Work{DryRun: true, Parameters: map[string]string{"DIR": dir}}
	r, _ := do(t, `
[ "$DESKSIDE_DRY_RUN" = 1 ] || echo "not told that it is dry"
cat "$DESKSIDE_P_DIR/victim" && echo
echo x >"$DESKSIDE_P_DIR/victim" && echo written
echo x >"$DESKSIDE_P_DIR/new" && echo made
rm -f "$DESKSIDE_P_DIR/victim" && echo removed
mv "$DESKSIDE_P_DIR/victim" "$DESKSIDE_P_DIR/other" && echo moved
ln "$DESKSIDE_P_DIR/victim" "$TMPDIR/link" && echo linked
setsid sh -c 'echo x >"$DESKSIDE_P_DIR/victim" && echo escaped'
truncate -s 0 "$DESKSIDE_P_DIR/victim" && echo truncated
echo mine >"$TMPDIR/own" && cat "$TMPDIR/own"
echo quiet >/dev/null
exit 0`, time.Minute, work)
	if !CanSandbox() {
		t.Fatal("this kernel has no Landlock: the test cannot tell anything")
	}
	if !r.Sandboxed || r.State != succeeded {
		t.Errorf("%+v", r)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(r.Head)), "\n") {
		switch line {
		case "not told that it is dry", "written", "made", "removed", "moved", "linked", "escaped", "truncated":
			t.Error(line)
		}
	}
	if text := string(r.Head); !strings.Contains(text, "whole") || !strings.Contains(text, "mine") {
		t.Errorf("reading, or its own folder, does not work:\n%s", text)
	}
	if raw, err := os.ReadFile(victim); err != nil || string(raw) != "whole" {
		t.Errorf("%q, %v", raw, err)
	}
	work.DryRun = false
	if r, _ := do(t, `echo x >"$DESKSIDE_P_DIR/victim" && echo written`, time.Minute, work); string(r.Head) != "written\n" || r.Sandboxed {
		t.Errorf("a run that is not dry: %+v", r)
	}
}

// agentToKill runs a script in dir as an agent does, until it is killed.
func agentToKill(dir, file string) int {
	s, err := state.Open(dir)
	if err != nil {
		return 1
	}
	id := uuid.New()
	if err := s.Update(func(tx *state.Tx) error { return tx.TakeRun(state.Run{ID: id, Script: "test", TakenAt: 1}) }); err != nil {
		return 1
	}
	told := func(kind protocol.Kind, _ any) bool {
		if kind == protocol.KindOutput {
			fmt.Println(id)
		}
		return true
	}
	r := New(s, "linux", Calls{Send: told}, slog.New(slog.DiscardHandler))
	r.perform(context.Background(), protocol.Result{Run: id}, shell(family+"sleep 1000", time.Minute),
		&protocol.Work{Parameters: map[string]string{"FILE": file}})
	return 1
}

// TestAgentKilled: when the agent dies its script dies with it; the run is
// reported lost, once, and its folder removed.
func TestAgentKilled(t *testing.T) {
	dir, file := t.TempDir(), filepath.Join(t.TempDir(), "pids")
	agent := exec.Command(os.Args[0], agentCommand, dir, file)
	out, err := agent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := agent.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 36)
	if _, err := io.ReadFull(out, line); err != nil {
		t.Fatal(err)
	}
	id := uuid.MustParse(string(line))
	if err := agent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	agent.Wait()
	waitGone(t, file)
	gone(t, file)

	r, _ := runner(t, dir)
	if _, err := os.Stat(r.folder(id)); err != nil {
		t.Errorf("the killed agent cleaned up: %v", err)
	}
	for range 2 {
		if err := r.Recover(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(r.folder(id)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder of the lost run is still there: %v", err)
	}
	results := results(t, r)
	if len(results) != 1 || results[0].Run != id || results[0].State != lost || results[0].StartedAt != 1 || results[0].ExitCode != nil {
		t.Errorf("%+v", results)
	}
}

// waitGone waits until the kernel has told that the processes ended: the keeper
// does its work after its agent is gone, so nobody can wait for it.
func waitGone(t *testing.T, file string) {
	t.Helper()
	for _, pid := range pids(t, file) {
		fd, err := unix.PidfdOpen(pid, 0)
		if err != nil {
			continue // gone
		}
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 20_000)
		for err == unix.EINTR {
			n, err = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 20_000)
		}
		unix.Close(fd)
		if n != 1 || err != nil {
			t.Errorf("process %d did not end: %v", pid, err)
		}
	}
}

func results(t *testing.T, r *Runner) (out []protocol.Result) {
	t.Helper()
	err := r.state.View(func(tx *state.Tx) error {
		entries, err := tx.Pending(1<<20, nil, nil)
		for _, e := range entries {
			var result protocol.Result
			if e.Class != protocol.ClassResult {
				continue
			}
			if err := protocol.Unmarshal(e.Body, &result); err != nil {
				return err
			}
			out = append(out, result)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// gated is the gate before a runner, and a maker of orders to free space on mount.
func gated(t *testing.T, r *Runner, mount string, listed func(string) []string) (*gate.Gate, func(dry bool) protocol.Stamped) {
	t.Helper()
	key := ed25519.NewKeyFromSeed(make([]byte, 32))
	id := state.Identity{Machine: uuid.New(), Organisation: uuid.New(), Key: key, Profile: "trial"}
	if err := r.state.Update(func(tx *state.Tx) error { return tx.SetIdentity(id) }); err != nil {
		t.Fatal(err)
	}
	g, err := gate.Open(r.state, filepath.Join(t.TempDir(), "none"), gate.Eyes{Family: "linux",
		Firing: func(string, string) bool { return false }, Listed: listed})
	if err != nil {
		t.Fatal(err)
	}
	g.Line(protocol.StampKey{Key: key.Public().(ed25519.PublicKey), Expires: time.Now().Add(time.Hour).UnixMicro()}, time.Now())
	script, _ := scripts.Lookup("free-disk-space")
	return g, func(dry bool) protocol.Stamped {
		body, err := protocol.Marshal(protocol.Work{Script: script.ID, Version: script.Version, Hash: script.Hash(), DryRun: dry,
			Parameters: map[string]string{"MOUNT": mount}, Timeout: 60})
		if err != nil {
			t.Fatal(err)
		}
		s, err := protocol.Stamp(key, protocol.Order{ID: uuid.New(), Machine: id.Machine, Organisation: id.Organisation, Kind: protocol.KindWork,
			Issued: time.Now().UnixMicro(), Expires: time.Now().Add(time.Hour).UnixMicro(), Body: body})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

// TestStopped: an agent that is told to end leaves its run open, to be lost.
func TestStopped(t *testing.T) {
	path, work := familyWork(t)
	r, h := runner(t, t.TempDir())
	ctx, stop := context.WithCancel(t.Context())
	go func() {
		<-h.first
		stop()
	}()
	if result, done := r.perform(ctx, protocol.Result{Run: uuid.New()}, shell(family+"sleep 1000", time.Minute), work); done {
		t.Errorf("%+v", result)
	}
	gone(t, path)
}

// TestDiskFull: a result outlives a full disk.
func TestDiskFull(t *testing.T) {
	if os.Geteuid() != 0 { // once more, as root of a user namespace
		again := exec.Command(os.Args[0], "-test.run=^TestDiskFull$")
		again.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
			UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}, GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}}
		if out, err := again.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	dir := t.TempDir()
	if err := unix.Mount("none", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Fatal(err)
	}
	defer unix.Unmount(dir, unix.MNT_DETACH)
	r, h := runner(t, dir)
	filler := filepath.Join(dir, "filler")
	f, err := os.Create(filler)
	if err != nil {
		t.Fatal(err)
	}
	for err = nil; err == nil; {
		_, err = f.Write(make([]byte, 4096))
	}
	f.Close()
	result := protocol.Result{Run: uuid.New(), State: succeeded, Head: bytes.Repeat([]byte("x"), keepHead)}
	r.finish(result)
	r.save()
	unheard := uuid.New() // nobody hears that it was refused, so it may come again
	r.Refuse(&gate.Refusal{Code: protocol.CodeRisk, Text: strings.Repeat("x", keepHead), ID: unheard, Ends: time.Now().Add(time.Hour)})
	err = r.state.View(func(tx *state.Tx) error {
		if tx.Seen(unheard) {
			t.Error("an order is used up of which the console heard nothing")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.unsaved) != 1 || len(h.kept) != 0 {
		t.Fatalf("%d results wait, the disk is not full", len(r.unsaved))
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- r.Run(ctx) }()
	<-h.kept // Run tries again by itself
	stop()
	<-ended
	if got := results(t, r); len(got) != 1 || got[0].Run != result.Run || len(got[0].Head) != keepHead {
		t.Errorf("%d results", len(got))
	}
	if err := r.state.Close(); err != nil {
		t.Error(err)
	}
}
