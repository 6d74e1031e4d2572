package repair

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"
	"golang.org/x/sys/windows"

	"github.com/deskside/deskside/protocol"
)

// The scripts here are of cmd.exe, which Wine has; PowerShell it has by name only.

const (
	child   = "child-of-the-test"
	chatter = "chatter-of-the-test"
)

// TestMain lets this program be what a script starts.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == child {
		if err := os.WriteFile(os.Args[2], fmt.Append(nil, os.Getpid()), 0o600); err != nil {
			os.Exit(1)
		}
		fmt.Println("ready")
		windows.WaitForSingleObject(windows.CurrentProcess(), windows.INFINITE) // until it is ended
	}
	if len(os.Args) > 1 && os.Args[1] == chatter {
		for piece := []byte(strings.Repeat("x", 1<<16)); ; {
			if _, err := os.Stdout.Write(piece); err != nil {
				os.Exit(1)
			}
		}
	}
	goleak.VerifyTestMain(m)
}

func shell(text string, timeout time.Duration) job {
	return job{script: "test", file: "run.cmd", body: []byte(strings.ReplaceAll(text, "\n", "\r\n")), timeout: timeout}
}

// TestEndings: output, values, exit code and environment of a script.
func TestEndings(t *testing.T) {
	t.Setenv("DESKSIDE_TOKEN", "leaked")
	r, h := do(t, "@echo off\necho out\necho deskside: freed_bytes=42\nset\n", time.Minute, &protocol.Work{Parameters: map[string]string{"QUEUE": "Büro & Flur"}})
	if r.State != succeeded || code(r) != 0 || r.Text != "" || r.Cut || r.Sandboxed {
		t.Errorf("%+v", r)
	}
	text := string(r.Head)
	if !strings.HasPrefix(text, "out\r\n") || text != string(h.output) || r.Bytes != int64(len(h.output)) {
		t.Errorf("head %q, heard %q, %d bytes", text, h.output, r.Bytes)
	}
	if len(r.Values) != 1 || strings.TrimSpace(r.Values["freed_bytes"]) != "42" {
		t.Errorf("values %q", r.Values)
	}
	if !strings.Contains(text, "DESKSIDE_P_QUEUE=") || !strings.Contains(text, "& Flur") || !strings.Contains(text, "DESKSIDE=1\r\n") || strings.Contains(text, "leaked") {
		t.Errorf("the environment is\n%s", text)
	}
	if r, _ := do(t, "@exit 7", time.Minute, &protocol.Work{Verify: "x"}); r.State != failed || code(r) != 7 || r.Verify != nil {
		t.Errorf("%+v", r)
	}
}

// TestFlood: a script that writes without end is stopped.
func TestFlood(t *testing.T) {
	_, work := familyWork(t)
	r, _ := do(t, `@"%DESKSIDE_P_SELF%" `+chatter, time.Minute, work)
	if r.State != failed || r.ExitCode != nil || !strings.Contains(r.Text, "64 MiB") || r.Bytes < maxFlood {
		t.Errorf("%s, %q, %d bytes", r.State, r.Text, r.Bytes)
	}
}

// family is a script that leaves a child and waits for another.
const family = `@echo off
start "" /b "%DESKSIDE_P_SELF%" ` + child + ` "%DESKSIDE_P_DIR%\left"
:again
if not exist "%DESKSIDE_P_DIR%\left" goto again
`

const waits = `"%DESKSIDE_P_SELF%" ` + child + ` "%DESKSIDE_P_DIR%\waited"` + "\n"

func familyWork(t *testing.T) (string, *protocol.Work) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	return dir, &protocol.Work{Parameters: map[string]string{"SELF": self, "DIR": dir}}
}

// gone tells whether the processes that wrote their numbers into files end; the
// system takes a moment for it once their job is closed.
func gone(t *testing.T, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		var pid uint32
		if _, err := fmt.Sscan(string(raw), &pid); err != nil {
			t.Fatal(err)
		}
		h, err := windows.OpenProcess(windows.SYNCHRONIZE|windows.PROCESS_TERMINATE, false, pid)
		if err != nil {
			continue // there is none any more
		}
		if event, err := windows.WaitForSingleObject(h, 2000); err != nil || event != windows.WAIT_OBJECT_0 {
			t.Errorf("%s, process %d, is still there: %d, %v", name, pid, event, err)
			windows.TerminateProcess(h, 1)
		}
		windows.CloseHandle(h)
	}
}

// TestTimeout, TestLeftBehind and TestCancel: nothing of a script is there after
// its result, however it ended.
func TestTimeout(t *testing.T) {
	dir, work := familyWork(t)
	began := time.Now()
	r, _ := do(t, family+waits, 3*time.Second, work)
	if r.State != timedOut || r.ExitCode != nil || !strings.Contains(r.Text, "3s") || !strings.Contains(string(r.Head), "ready") {
		t.Errorf("%+v", r)
	}
	if d := time.Since(began); d > 3*time.Second+graceful-time.Second {
		t.Errorf("it took %s", d)
	}
	gone(t, dir, "left", "waited")
}

func TestLeftBehind(t *testing.T) {
	dir, work := familyWork(t)
	if r, _ := do(t, family+"exit 3", time.Minute, work); r.State != failed || code(r) != 3 {
		t.Errorf("%+v", r)
	}
	gone(t, dir, "left")
}

func TestCancel(t *testing.T) {
	dir, work := familyWork(t)
	r, h := runner(t, t.TempDir())
	id := uuid.New()
	go func() {
		<-h.first
		r.Cancel(id, time.Now())
	}()
	result, done := r.perform(t.Context(), protocol.Result{Run: id}, shell(family+waits, time.Minute), work)
	if !done || result.State != cancelled || result.ExitCode != nil {
		t.Errorf("%+v", result)
	}
	gone(t, dir, "left")
}
