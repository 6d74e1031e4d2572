//go:build systems

package app_test

import (
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/deskside/deskside/protocol"
	"github.com/deskside/deskside/protocol/stream"
)

// service is one that Wine really has, and stops and starts.
const service = "Spooler"

// net is Windows' own command, as Wine has it.
func netCommand(t *testing.T, act, name string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), strings.Fields(*foreign)[0], "net", act, name).CombinedOutput(); err != nil {
		t.Fatalf("net %s %s: %v\n%s", act, name, err, out)
	}
}

// unknownUnderWine: what cannot be read is told as unknown, with the reason, and what
// can be is there.
func unknownUnderWine(t *testing.T, n *node, m *machine) {
	facts := n.get("/machines/" + m.id + "/facts")
	for _, section := range []string{"filesystems", "network", "services", "processes"} {
		if list, _ := facts[section].([]any); len(list) == 0 {
			t.Errorf("no %s", section)
		}
	}
	why := map[string]string{}
	for _, u := range facts["unreadable"].([]any) {
		why[text(u.(map[string]any)["what"])] = text(u.(map[string]any)["why"])
	}
	t.Logf("unknown: %q", why)
	// Of these Wine 8 has no word; where a newer one has, they are known.
	hardware := facts["hardware"].(map[string]any)
	if hardware["vendor"] == nil && why["hardware.vendor"] == "" {
		t.Error("nobody says why the vendor is unknown")
	}
	for series, what := range map[string]string{"system.paging.utilization": "swap", "system.disk.io": "disks"} {
		if list := n.get("/machines/" + m.id + "/vitals?name=" + series)["series"].([]any); len(list) == 0 && why[what] == "" {
			t.Errorf("%s has no values, and nobody says why", series)
		}
	}
}

// serviceOfWindows: a watched service is stopped, opens a ticket, and is started.
func serviceOfWindows(t *testing.T, n *node, m *machine) {
	netCommand(t, "start", service)
	n.eager("service.stopped")
	n.do(http.MethodPatch, "/settings", map[string]any{"watched_services": []string{service}}, nil, http.StatusOK)
	judged := func(state string) bool { return n.get("/machines/" + m.id)["health"] == state }
	n.eventually(20*time.Second, "the machine is well", func() bool { return judged("ok") })
	firing := func() []map[string]any {
		return slices.DeleteFunc(n.items("/alerts?state=open&check=service.stopped&machine_id="+m.id), func(a map[string]any) bool { return a["instance"] != service })
	}
	if open := firing(); len(open) > 0 {
		t.Fatalf("it fires while the service runs: %v", open)
	}
	netCommand(t, "stop", service)
	began := time.Now()
	n.eventually(20*time.Second, "an alert", func() bool { return len(firing()) == 1 })
	t.Logf("the alert, with its ticket, is there after %s", time.Since(began).Round(time.Millisecond))
	a := firing()[0]
	for _, lang := range []string{"en", "pl"} {
		if s := text(a["finding"].(map[string]any)[lang]); !strings.Contains(s, service) || strings.ContainsAny(s, "{}") {
			t.Errorf("the finding in %s: %q", lang, s)
		}
	}
	scriptsOfWindows(t, n, m)
	netCommand(t, "start", service)
	n.eventually(20*time.Second, "the alert resolves", func() bool { return len(firing()) == 0 })
	n.eventually(15*time.Second, "the untouched ticket is resolved, with the reason", func() bool {
		r, _ := n.get("/tickets/" + text(a["ticket_id"]))["resolution"].(map[string]any)
		return r != nil && r["kind"] == "condition_cleared"
	})
	netCommand(t, "stop", service)
}

// scriptsOfWindows: how far scripts come. The built-in one for Windows is of
// PowerShell, of which Wine has the name: a program that says nothing and ends well.
// So this shows the way to it and back, and that nobody takes that for a repair.
func scriptsOfWindows(t *testing.T, n *node, m *machine) {
	run := func(script, parameter, value string, dry bool) map[string]any {
		var r struct {
			ID string `json:"id"`
		}
		n.post("/runs", map[string]any{"machine_id": m.id, "script": script, "parameters": map[string]string{parameter: value}, "dry_run": dry}, &r)
		n.eventually(60*time.Second, "the run ends", func() bool {
			return !slices.Contains([]string{"queued", "sent", "running"}, text(n.get("/runs/" + r.ID)["state"]))
		})
		return n.get("/runs/" + r.ID)
	}
	refused := func(r map[string]any, code string) {
		t.Helper()
		refusal, _ := r["refusal"].(map[string]any)
		if r["state"] != "refused" || refusal["code"] != code || text(refusal["text"]) == "" {
			t.Errorf("%v, want refused with %s", r, code)
		}
	}
	if dry := run("restart-service", "SERVICE", service, true); dry["state"] != "succeeded" || dry["exit_code"] != 0.0 || dry["verify"] != nil {
		t.Errorf("the dry run: %v", dry)
	}
	real := run("restart-service", "SERVICE", service, false)
	verify, _ := real["verify"].(map[string]any)
	if real["state"] != "succeeded" || verify["check"] != "service.stopped" || verify["verdict"] != "still_failing" {
		t.Errorf("a script that did nothing: %v", real)
	}
	refused(run("restart-service", "SERVICE", "RpcSs", false), protocol.CodeProtected)
	refused(run("restart-service", "SERVICE", "no-such-service", false), protocol.CodeParameters)
	wrong := n.do(http.MethodPost, "/runs", map[string]any{"machine_id": m.id, "script": "free-disk-space", "parameters": map[string]string{"MOUNT": "C:"}}, nil, http.StatusUnprocessableEntity)
	if !strings.Contains(wrong, "does not run on windows") {
		t.Errorf("a script that is not for Windows: %s", wrong)
	}
}

// terminalOfWindows: cmd.exe on a pseudo-console, in the browser's hands.
func terminalOfWindows(t *testing.T, n *node, m *machine) {
	x := n.terminal(t, m, 91, 30)
	x.until(">") // of the prompt
	x.write("set MIDDLE=żółć\r")
	x.write("echo za%MIDDLE% gęślą jaźń\r")
	x.until("zażółć gęślą jaźń")
	x.send(stream.ResizeTo(120, 40))
	x.write("echo af%MIDDLE:~0,0%ter\r")
	x.until("after")
	x.write("exit 3\r")
	if f := x.until(""); f.Code() != 3 {
		t.Errorf("the shell ended with %d", f.Code())
	}
	if cast := x.recorded(n); !strings.Contains(cast, `"version":2`) || !strings.Contains(cast, "zażółć gęślą jaźń") || !strings.Contains(cast, `"r","120x40"`) {
		t.Errorf("the recording: %.300s", cast)
	}
}
