package report

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/deskside/deskside/agent/check"
	"github.com/deskside/deskside/protocol/catalogue"
	"github.com/deskside/deskside/protocol/expression"
)

var update = flag.Bool("update", false, "write the golden reports anew")

var known = expression.Known

// laptop is the machine of the golden reports: one drive nearly full, one
// program busy, a watched service that failed.
func laptop() *expression.Machine {
	at := func(s string) expression.Time {
		t, err := time.Parse(time.RFC3339, s)
		if err != nil {
			panic(err)
		}
		return expression.TimeOf(t)
	}
	return &expression.Machine{
		ObservedAt: at("2026-11-20T10:20:00Z"),
		OS:         &expression.OS{Family: "linux", ID: "debian", Name: "Debian GNU/Linux 12 (bookworm)", Version: "12", Kernel: "6.1.0-28-amd64", Arch: "amd64", Hostname: "lap-krk-0142", BootedAt: at("2026-11-19T06:12:00Z")},
		Hardware:   &expression.Hardware{Vendor: "LENOVO", Model: "ThinkPad T14 Gen 2a (20XLS)", CPUModel: "AMD Ryzen 5 PRO 5650U with Radeon Graphics", Cores: known(12), MemoryBytes: known(16.4e9)},
		Filesystems: []expression.Filesystem{
			{Mount: "/", Device: "/dev/nvme0n1p2", Type: "ext4", Kind: "local", SizeBytes: known(100e9), UsedBytes: known(42e9), AvailableBytes: known(53e9), Used: known(42.0 / 95), Inodes: known(6e6), InodesUsed: known(1e6), InodesUsedRatio: known(1.0 / 6)},
			{Mount: "/home", Device: "/dev/nvme0n1p3", Type: "ext4", Kind: "local", SizeBytes: known(237.5e9), UsedBytes: known(232.3e9), AvailableBytes: known(5.2e9), Used: known(0.978), Inodes: known(6e6), InodesUsed: known(1e6), InodesUsedRatio: known(1.0 / 6)},
			{Mount: "/snap/core/1", Type: "squashfs", Kind: "image", Used: known(1)},
		},
		Network: []expression.Interface{
			{Name: "eth0", Up: expression.Yes, Addresses: []string{"10.1.4.57/24", "fe80::1/64"}, SpeedBits: known(1e9)},
			{Name: "wlan0", Up: expression.No, Addresses: []string{}},
		},
		People:   []expression.Person{{Name: "maria", Terminal: "tty2", Since: at("2026-11-20T07:58:00Z")}},
		Services: []expression.Service{{Name: "cups", DisplayName: "CUPS Scheduler", State: "failed", Start: "auto"}, {Name: "ssh", State: "running", Start: "auto"}},
		Processes: []expression.Process{
			{PID: 1, Name: "systemd", CPU: known(0), RSSBytes: known(12e6)},
			{PID: 4711, Name: "firefox", CPU: known(1.52), RSSBytes: known(2.4e9), Owner: "maria"},
			{PID: 900, Name: "gnome-shell", CPU: known(0.12), RSSBytes: known(410e6), Owner: "maria"},
		},
		CPU:           expression.CPU{Used: known(0.37), Load1m: known(0.52), Load5m: known(0.41), Load15m: known(1.33)},
		Memory:        expression.Memory{TotalBytes: known(16.4e9), UsedBytes: known(6.1e9), AvailableBytes: known(10.3e9), Used: known(6.1 / 16.4)},
		Swap:          expression.Memory{TotalBytes: known(0)},
		Disks:         []expression.Disk{{Device: "nvme0n1", Read: known(1.2e6), Write: known(84e3)}},
		NetworkIO:     []expression.NetworkIO{{Name: "eth0", Receive: known(310e3), Transmit: known(22e3)}, {Name: "wlan0"}},
		ProcessCount:  known(412),
		UptimeSeconds: known(28*3600 + 480),
		Unreadable:    []expression.Unreadable{{What: "hardware.serial", Why: "only root may read it"}, {What: "filesystems./mnt/share", Why: "the share does not answer"}, {What: "disks", Why: "open /proc/diskstats: permission denied"}},
	}
}

func report(t *testing.T, m *expression.Machine, watched ...string) Report {
	t.Helper()
	set, err := catalogue.Resolve(catalogue.Builtin(), catalogue.Layer{Watched: watched})
	if err != nil {
		t.Fatal(err)
	}
	s, err := check.New(set, nil)
	if err != nil {
		t.Fatal(err)
	}
	return Report{Machine: m, Verdicts: s.Look(m), Now: m.ObservedAt.Time()}
}

// fine is the same machine with nothing the matter.
func fine() *expression.Machine {
	m := laptop()
	m.Filesystems[1].Used, m.Processes[1].CPU, m.Services[0].State = known(0.5), known(0.2), "running"
	m.Unreadable = nil
	return m
}

// bare is what an account without rights sees in a container.
func bare() *expression.Machine {
	return &expression.Machine{
		ObservedAt: laptop().ObservedAt,
		Unreadable: []expression.Unreadable{
			{What: "services", Why: "no service manager runs here that Deskside knows (systemd)"}, {What: "people", Why: "nothing here notes who signs in (neither logind nor utmp)"},
			{What: "filesystems", Why: "did not answer within 2s"}, {What: "processes", Why: "only the processes of this account can be seen"},
		},
	}
}

func TestGolden(t *testing.T) {
	for _, tc := range []struct {
		name string
		r    Report
		s    Style
	}{
		{"trouble.en", report(t, laptop(), "cups"), Style{Lang: "en"}},
		{"trouble.pl", report(t, laptop(), "cups"), Style{Lang: "pl"}},
		{"trouble.colour", report(t, laptop(), "cups"), Style{Lang: "en", Colour: true, Width: 100}},
		{"fine.en", report(t, fine()), Style{Lang: "en"}},
		{"fine.pl", report(t, fine()), Style{Lang: "pl"}},
		{"bare.en", report(t, bare(), "cups"), Style{Lang: "en", Width: 60}},
		{"bare.pl", report(t, bare(), "cups"), Style{Lang: "pl", Width: 60}},
	} {
		var b bytes.Buffer
		if err := WriteText(&b, tc.r, tc.s); err != nil {
			t.Fatal(err)
		}
		golden(t, "testdata/"+tc.name+".txt", b.Bytes())
		width := max(tc.s.Width, 50)
		if tc.s.Width == 0 {
			width = 80
		}
		for _, line := range strings.Split(b.String(), "\n") {
			if !tc.s.Colour && utf8.RuneCountInString(line) > width+12 {
				t.Errorf("%s: a line of %d columns: %s", tc.name, utf8.RuneCountInString(line), line)
			}
			if strings.TrimRight(line, " ") != line {
				t.Errorf("%s: spaces at the end of %q", tc.name, line)
			}
		}
	}
	var b bytes.Buffer
	if err := WriteJSON(&b, report(t, laptop(), "cups")); err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/trouble.json", b.Bytes())
	if !json.Valid(b.Bytes()) {
		t.Error("not JSON")
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s: -want +got:\n%s", name, diff)
	}
}

func TestExitCode(t *testing.T) {
	warm := fine()
	warm.Memory.Used = known(0.92)
	hot := laptop()
	hot.Memory.Used = known(0.92)
	blind := fine()
	blind.Processes = nil
	warmAndBlind := blind
	for name, tc := range map[string]struct {
		m    *expression.Machine
		want int
	}{"fine": {fine(), 0}, "warning": {warm, 1}, "critical": {hot, 2}, "unknown": {blind, 3}} {
		if got := report(t, tc.m).ExitCode(); got != tc.want {
			t.Errorf("%s: %d, want %d", name, got, tc.want)
		}
	}
	warmAndBlind.Memory.Used = known(0.92)
	if got := report(t, warmAndBlind).ExitCode(); got != 1 {
		t.Errorf("warning and unknown: %d, want 1", got)
	}
}

func TestOwnCheck(t *testing.T) {
	list, err := catalogue.ParseList([]byte(`[{id: my.load, value: cpu.load_1m, warning: "> 0.5"}, {id: my.drives, each: filesystems, value: it.used, critical: "> 0.9"}]`))
	if err != nil {
		t.Fatal(err)
	}
	s, err := check.New(catalogue.Set{Checks: list}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := Report{Machine: laptop(), Verdicts: s.Look(laptop()), Now: laptop().ObservedAt.Time()}
	for lang, want := range map[string][]string{
		"en": {"my.load is 0.52; the limit is > 0.5.", "my.drives (/home) is 0.98; the limit is > 0.9."},
		"pl": {"my.load: wartość 0,52, próg > 0.5.", "my.drives (/home): wartość 0,98, próg > 0.9."},
	} {
		var b bytes.Buffer
		if err := WriteText(&b, r, Style{Lang: lang}); err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(b.String(), w) {
				t.Errorf("no %q in\n%s", w, b.String())
			}
		}
	}
}

func TestReason(t *testing.T) {
	for why, want := range map[string]string{
		"only root may read it":                               "może to odczytać tylko root",
		"did not answer within 2s":                            "brak odpowiedzi w ciągu 2s",
		"there are 70; the first 64 are listed":               "jest ich 70, na liście pierwsze 64",
		"the page files cannot be asked for: NTSTATUS 0xc000": "nie można zapytać o pliki stronicowania: NTSTATUS 0xc000",
		"open /proc/x: permission denied":                     "open /proc/x: permission denied",
	} {
		if got := reason("pl", why); got != want {
			t.Errorf("%q is %q, want %q", why, got, want)
		}
		if reason("en", why) != why {
			t.Errorf("%q changed in English", why)
		}
	}
}

func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, w := range table() {
		if seen[w.name] || w.pl == "" {
			t.Errorf("%q stands twice or lacks Polish", w.name)
		}
		seen[w.name] = true
		if strings.ContainsAny(w.en+w.pl, "!") {
			t.Errorf("%q has an exclamation mark", w.name)
		}
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestWriterFails(t *testing.T) {
	r := report(t, laptop())
	if WriteText(full{}, r, Style{}) == nil || WriteJSON(full{}, r) == nil {
		t.Error("a writer that fails goes unseen")
	}
}
