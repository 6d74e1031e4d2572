package repair

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestGivesWay: a script has a lower priority than others, and no higher one than its
// agent, who may not be allowed to give it.
func TestGivesWay(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	if err != nil {
		t.Fatal(err)
	}
	here := 20 - raw // of whoever runs the tests
	script := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(script, []byte("cut -d' ' -f19 /proc/self/stat\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, more := range []int{0, 15} {
		cmd := exec.Command("nice", "-n", strconv.Itoa(more), self, KeeperCommand, script, t.TempDir(), "real")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		held, err := cmd.StdinPipe() // the keeper ends everything when it closes
		if err != nil {
			t.Fatal(err)
		}
		out, err := cmd.CombinedOutput()
		held.Close()
		if want := strconv.Itoa(max(10, min(19, here+more))) + "\n"; err != nil || string(out) != want {
			t.Errorf("%d more than %d: the script has %q, want %q (%v)", more, here, out, want, err)
		}
	}
}
