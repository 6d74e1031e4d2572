//go:build systems

package app_test

import (
	"bytes"
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/deskside/deskside/console/store"
)

// What this computer runs a program of another system with, the program last:
// "wine64 deskside-agent.exe". tools/test-windows and tools/test-arm64 say it.
var foreign = flag.String("agent", "", "the agent of another system, and before it what runs it")

// serviceOfForeign is the same agent in the form that is tried as a service there;
// "" tries none.
var serviceOfForeign = flag.String("service", "", "the agent that is installed as a service, as -agent")

// abroad is where a folder of this computer is in the eyes of that program.
var abroad = flag.String("root", "", `what stands before the path of a folder there: "Z:" under Wine`)

// program is the command of an agent of another system.
func program(ctx context.Context, agent string, args ...string) *exec.Cmd {
	words := append(strings.Fields(agent), args...)
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = stopLimit
	return cmd
}

// inside is the name of a folder in that program's own words.
func inside(dir string) string {
	if *abroad == "" {
		return dir
	}
	return *abroad + strings.ReplaceAll(dir, "/", `\`)
}

// foreignMachine enrols an agent of another system by its own command and runs it.
func foreignMachine(t *testing.T, n *node) *machine {
	t.Helper()
	m := &machine{n: n, dir: t.TempDir()}
	enroll := program(t.Context(), *foreign, "enroll", "--console", n.ready.URL, "--token-file", "-", "--profile", "trial", "--state", inside(m.dir))
	enroll.Stdin = strings.NewReader(n.enrolment(1))
	if out, err := enroll.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("enrolled as ")) {
		t.Fatalf("enroll: %v\n%s", err, out)
	}
	m.id = n.newest()
	m.runForeign(t)
	n.eventually(30*time.Second, "the machine is online", func() bool { return n.get("/machines/" + m.id)["presence"] == "online" })
	return m
}

// runForeign runs the agent until stop, which asks it to end as Ctrl-C does.
func (m *machine) runForeign(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	cmd := program(ctx, *foreign, "run", "--state", inside(m.dir), "--policy", inside(filepath.Join(m.dir, "none", "policy.yaml")))
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	log, err := os.Create(filepath.Join(t.ArtifactDir(), "agent.log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	m.stop = sync.OnceFunc(func() {
		cancel()
		if err := cmd.Wait(); err != nil && ctx.Err() == nil {
			t.Errorf("the agent: %v", err)
		}
		log.Close()
	})
	t.Cleanup(m.stop)
}

// TestSystems: an agent of another system at a console of this one.
func TestSystems(t *testing.T) {
	if *foreign == "" {
		t.Fatal("-agent is missing: which program, and what runs it")
	}
	w := &world{t: t, database: store.Options{Data: t.TempDir()}, keys: t.TempDir()}
	n := w.start("")
	m := foreignMachine(t, n)
	family := n.get("/machines/" + m.id)["os"].(map[string]any)["family"]
	t.Logf("%v", n.get("/machines/" + m.id)["os"])
	t.Run("facts and vitals", func(t *testing.T) { factsAndVitals(t, n, m) })
	t.Run("question", func(t *testing.T) { question(t, n, m) })
	switch family {
	case "windows":
		t.Run("unknown", func(t *testing.T) { unknownUnderWine(t, n, m) })
		t.Run("alert to ticket", func(t *testing.T) { serviceOfWindows(t, n, m) })
		t.Run("terminal", func(t *testing.T) { terminalOfWindows(t, n, m) })
	case "linux":
		t.Run("repair", func(t *testing.T) { repairs(t, n, m) })
		t.Run("terminal", func(t *testing.T) { terminal(t, n, m, n) })
	default:
		t.Errorf("a machine of the family %v", family)
	}
	t.Run("goodbye", func(t *testing.T) { saysGoodbye(t, n, m) })
	if *serviceOfForeign != "" {
		t.Run("service", func(t *testing.T) { livesAsService(t, n, m) })
	}
}

// saysGoodbye: asked to end, the agent says goodbye and comes back as itself.
func saysGoodbye(t *testing.T, n *node, m *machine) {
	for range 2 {
		began := time.Now()
		m.stop()
		n.eventually(5*time.Second, "the machine has said goodbye", func() bool { return n.get("/machines/" + m.id)["presence"] == "offline" })
		t.Logf("offline after %s", time.Since(began).Round(time.Millisecond))
		if reason := n.get("/machines/" + m.id)["offline_reason"]; reason != "unknown" { // not shut down, not cut off
			t.Errorf("a program that was ended leaves for the reason %v", reason)
		}
		m.runForeign(t)
		n.eventually(30*time.Second, "the machine is back", func() bool { return n.get("/machines/" + m.id)["presence"] == "online" })
	}
	if all := n.items("/machines"); len(all) != 1 {
		t.Errorf("it came back as %d machines", len(all))
	}
	m.stop()
	n.eventually(5*time.Second, "the machine has said goodbye", func() bool { return n.get("/machines/" + m.id)["presence"] == "offline" })
}

// livesAsService: the agent's own commands, under the service manager of its system,
// for the machine that has just ended.
func livesAsService(t *testing.T, n *node, m *machine) {
	failed := ""
	say := func(command string) string {
		cmd := program(context.WithoutCancel(t.Context()), *serviceOfForeign, command, "--state", inside(m.dir))
		if command == "install" {
			cmd.Args = append(cmd.Args, "--policy", inside(filepath.Join(m.dir, "none", "policy.yaml")))
		}
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, _ := cmd.Output() // status ends with 1 where nothing runs
		failed = stderr.String()
		return strings.TrimSpace(string(out))
	}
	is := func(command, want string) {
		t.Helper()
		n.eventually(15*time.Second, command+" says "+want, func() bool { return say(command) == want })
	}
	presence := func(want string) {
		t.Helper()
		n.eventually(30*time.Second, "the machine is "+want, func() bool { return n.get("/machines/" + m.id)["presence"] == want })
	}
	// Wine goes down with the last program of a person, and starts its services anew
	// with the next: as long as this shell waits for a word it stays up.
	stays := exec.Command(strings.Fields(*serviceOfForeign)[0], "cmd.exe", "/d", "/q")
	stays.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	word, err := stays.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := stays.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if say("status") != "not installed" {
			say("stop")
			say("uninstall")
		}
		word.Close()
		stays.Wait()
	})
	is("status", "not installed")
	for _, step := range []struct{ command, status, presence string }{
		{"install", "stopped", "offline"}, {"start", "running", "online"}, {"stop", "stopped", "offline"},
		{"start", "running", "online"}, {"stop", "stopped", "offline"}, {"uninstall", "not installed", "offline"},
	} {
		if got := say(step.command); got != step.command+": done" {
			t.Fatalf("%s says %q\n%s", step.command, got, failed)
		}
		is("status", step.status)
		presence(step.presence)
	}
	if reason := n.get("/machines/" + m.id)["offline_reason"]; reason != "unknown" { // stopped, not shut down
		t.Errorf("a service that is stopped leaves for the reason %v", reason)
	}
}
