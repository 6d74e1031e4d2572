//go:build faults

package app

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/viper"
	"golang.org/x/sys/unix"

	"github.com/deskside/deskside/agent/check"
	"github.com/deskside/deskside/agent/state"
	"github.com/deskside/deskside/protocol"
	"github.com/deskside/deskside/protocol/catalogue"
	"github.com/deskside/deskside/protocol/expression"
)

// What is tested here breaks the machine for real, in a small way, and looks at
// it with the agent's own probes and checks.

const repeats = 10

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("this test mounts filesystems: run it as root, with the right to mount (CAP_SYS_ADMIN)")
	}
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("in half a minute there was no %s", what)
		}
	}
}

// impatient is the catalogue judged every second and without waiting.
func impatient(t *testing.T, watched ...string) catalogue.Set {
	t.Helper()
	second, at := catalogue.Duration(time.Second), catalogue.Duration(0)
	busy, calm := ">= 0.2", "< 0.1" // other tests may want the processor, too
	layer := catalogue.Layer{Watched: watched}
	for _, c := range catalogue.Builtin() {
		o := catalogue.Override{Check: c.ID, Interval: &second, For: &at, KeepFiringFor: &at}
		if c.ID == "process.cpu" {
			o.Warning, o.Clear = &busy, &calm
		}
		layer.Overrides = append(layer.Overrides, o)
	}
	set, err := catalogue.Resolve(catalogue.Builtin(), layer)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// looking is an agent whose rounds go on until the test ends.
func looking(t *testing.T, watched ...string) *Agent {
	t.Helper()
	a := enrolled(t, t.TempDir(), "trial", nil)
	a.rounds.serve(t.Context(), request{set: impatient(t, watched...).Encode()})
	ended := make(chan error, 1)
	go func() { ended <- a.rounds.run(t.Context()) }()
	t.Cleanup(func() { // the context has ended by now
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	eventually(t, "reading", func() bool { return a.last.Load() != nil })
	return a
}

// told are the transitions of one check and instance that wait for the console.
func (a *Agent) told(t *testing.T, check, instance string) (out []protocol.Transition) {
	t.Helper()
	err := a.state.View(func(tx *state.Tx) error {
		after := map[protocol.Class]uint64{}
		for {
			entries, err := tx.Pending(protocol.MaxBatchBytes, after, nil)
			if err != nil || len(entries) == 0 || entries[0].Class != protocol.ClassTransition {
				return err
			}
			for _, e := range entries {
				if e.Class != protocol.ClassTransition {
					return nil
				}
				var one protocol.Transition
				if err := protocol.Unmarshal(e.Body, &one); err != nil {
					return err
				}
				if one.Check == check && one.Instance == instance {
					out = append(out, one)
				}
				after[e.Class] = e.Number
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// tmpfs mounts a small filesystem.
func tmpfs(t *testing.T, options string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("none", dir, "tmpfs", 0, options); err != nil {
		t.Fatalf("mount a small filesystem (this test needs root with the right to mount): %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Errorf("unmount %s: %v", dir, err)
		}
	})
	return dir
}

// fill writes until the filesystem takes no more: one large file, or many empty.
func fill(t *testing.T, dir string, empty bool) {
	t.Helper()
	var err error
	for i := 0; err == nil; i++ {
		size := 1 << 20
		if empty {
			size = 0
		}
		err = os.WriteFile(filepath.Join(dir, fmt.Sprint("filler", i)), make([]byte, size), 0o600)
	}
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatal(err)
	}
}

func clearOut(t *testing.T, dir string) {
	t.Helper()
	fillers, err := filepath.Glob(filepath.Join(dir, "filler*"))
	for _, path := range fillers {
		err = errors.Join(err, os.Remove(path))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestFaultsRepeated: ten times each, a filesystem is full, has no room for another
// file, a program keeps the processor busy; each time it is told once, and once
// that it is over.
func TestFaultsRepeated(t *testing.T) {
	needRoot(t)
	full, files := tmpfs(t, "size=8m"), tmpfs(t, "size=8m,nr_inodes=200")
	a := looking(t)
	// once breaks and mends, and returns what was told of it in all.
	once := func(t *testing.T, check, instance string, before int, mend func()) []protocol.Transition {
		t.Helper()
		eventually(t, "alert of "+check, func() bool { return len(a.told(t, check, instance)) > before })
		mend()
		var told []protocol.Transition
		eventually(t, "end of the alert of "+check, func() bool {
			told = a.told(t, check, instance)
			return told[len(told)-1].State == protocol.StateResolved
		})
		return told
	}
	for _, tc := range []struct {
		check, dir string
		empty      bool
		name       string // of what shows how bad it is
	}{{"filesystem.full", full, false, "used"}, {"filesystem.inodes", files, true, "used"}} {
		t.Run(tc.check, func(t *testing.T) {
			episodes := map[uuid.UUID]bool{}
			for i := range repeats {
				fill(t, tc.dir, tc.empty)
				told := once(t, tc.check, tc.dir, 2*i, func() { clearOut(t, tc.dir) })
				if len(told) != 2*(i+1) {
					t.Fatalf("after %d times %d transitions were told: %+v", i+1, len(told), told)
				}
				fired, over := told[2*i], told[2*i+1]
				if fired.State != protocol.StateFiring || fired.Severity != "critical" || fired.Evidence == nil || fired.Values[tc.name] < 0.97 ||
					over.ID != fired.ID || over.Reason != "cleared" || over.Values[tc.name] > 0.1 {
					t.Errorf("time %d: %+v, then %+v", i+1, fired, over)
				}
				episodes[fired.ID] = true
			}
			if len(episodes) != repeats {
				t.Errorf("%d episodes", len(episodes))
			}
		})
	}
	t.Run("process.cpu", func(t *testing.T) {
		for i := range repeats {
			busy := exec.CommandContext(t.Context(), "/bin/sh", "-c", "while :; do :; done")
			if err := busy.Start(); err != nil {
				t.Fatal(err)
			}
			told := once(t, "process.cpu", fmt.Sprintf("sh:%d", busy.Process.Pid), 0, func() {
				if err := busy.Process.Kill(); err != nil {
					t.Fatal(err)
				}
				busy.Wait()
			})
			if len(told) != 2 || told[0].State != protocol.StateFiring || told[0].Values["cores"] < 0.2 || told[0].Texts["program"] != "sh" || told[1].Reason != "gone" {
				t.Errorf("time %d: %+v", i+1, told)
			}
		}
	})
	t.Run("memory", func(t *testing.T) {
		var info unix.Sysinfo_t
		if err := unix.Sysinfo(&info); err != nil {
			t.Fatal(err)
		}
		m := a.last.Load().Memory
		if m.TotalBytes.Or(0) != float64(info.Totalram)*float64(info.Unit) {
			t.Errorf("%s of memory, the kernel says %d", m.TotalBytes, info.Totalram)
		}
		used, left := m.UsedBytes.Or(-1), m.AvailableBytes.Or(-1)
		if used <= 0 || left <= 0 || used+left != m.TotalBytes.Or(0) || m.Used.Or(-1) <= 0 || m.Used.Or(-1) >= 1 {
			t.Errorf("%+v", m)
		}
	})
}

// apart runs the test once more, in a mount namespace of its own in which /run is
// empty: nothing that a machine keeps there is seen, nor touched.
func apart(t *testing.T) (inside bool) {
	t.Helper()
	needRoot(t)
	const mark = "DESKSIDE_TEST_APART"
	if os.Getenv(mark) == t.Name() {
		err := errors.Join(unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""), unix.Mount("none", "/run", "tmpfs", 0, "size=1m"))
		if err != nil {
			t.Fatal(err)
		}
		return true
	}
	again := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	again.Env = append(os.Environ(), mark+"="+t.Name())
	again.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if out, err := again.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("PASS")) {
		t.Fatalf("%v\n%s", err, out)
	}
	return false
}

// TestFaultNoServiceManager: where there is none, a watched service is unknown,
// never fine, and no cause to restart it.
func TestFaultNoServiceManager(t *testing.T) {
	if !apart(t) {
		return
	}
	a := looking(t, "cups")
	first := a.last.Load()
	eventually(t, "second reading", func() bool { return a.last.Load() != first })
	judge, err := check.New(impatient(t, "cups"), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range judge.Look(first) {
		if v.Check.ID == "service.stopped" && (v.Health != "unknown" || len(v.Findings) != 1 || v.Findings[0].Unknown == "") {
			t.Errorf("%+v", v)
		}
	}
	if m := a.last.Load(); m.Services != nil || m.Why(expression.SectionServices) == "" {
		t.Errorf("services %v, because %q", m.Services, m.Why(expression.SectionServices))
	}
	if told := a.told(t, "service.stopped", "cups"); len(told) != 0 || a.firing("service.stopped", "cups") {
		t.Errorf("told %+v", told)
	}
}

// TestFaultSystemLog: a line of the journal arrives at the system's log.
func TestFaultSystemLog(t *testing.T) {
	if !apart(t) {
		return
	}
	path := "/var/run/log"
	heard, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer heard.Close()
	if info, err := os.Lstat("/dev/log"); err == nil && info.Mode()&os.ModeSocket != 0 { // a log of this machine
		if err := unix.Mount(path, "/dev/log", "", unix.MS_BIND, ""); err != nil {
			t.Fatal(err)
		}
	}
	a := enrolled(t, t.TempDir(), "trial", nil)
	write := systemLog(viper.New(), a.options.Log)
	if write == nil {
		t.Fatal("there is no system log")
	}
	stop := newMirror(a.state, write, a.options.Log).start()
	a.write(t, "somebody at the door")
	stop()
	line := make([]byte, 4096)
	if err := heard.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	n, err := heard.Read(line)
	if got := string(line[:n]); err != nil || !strings.Contains(got, "deskside-agent") || !strings.Contains(got, "journal 1: work refused") || !strings.Contains(got, "somebody at the door") {
		t.Errorf("%q, %v", got, err)
	}
}
