//go:build linux

package probe

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shirou/gopsutil/v3/disk"

	"github.com/deskside/deskside/protocol/expression"
)

var update = flag.Bool("update", false, "write the golden readings anew")

// fixture returns a Prober over a copy of testdata/linux, and a function that
// lets ten seconds pass there.
func fixture(t *testing.T, c Collect) (p *Prober, root string, later func()) {
	t.Helper()
	root = t.TempDir()
	if err := os.CopyFS(root, os.DirFS("testdata/linux")); err != nil {
		t.Fatal(err)
	}
	// A link like those of sysfs: a stick's partition lies within its disk.
	stick := filepath.Join(root, "sys/devices/usb/block/sdb/sdb1")
	for _, err := range []error{
		os.MkdirAll(stick, 0o755),
		os.WriteFile(filepath.Join(filepath.Dir(stick), "removable"), []byte("1\n"), 0o644),
		os.MkdirAll(filepath.Join(root, "sys/class/block"), 0o755),
		os.Symlink(stick, filepath.Join(root, "sys/class/block/sdb1")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	p = New(Options{Collect: c, Root: root})
	t.Cleanup(p.Close)
	now := time.Unix(1795010000, 0)
	p.now = func() time.Time { return now }
	for _, b := range p.probes {
		if b.section == expression.SectionFilesystems {
			fs := newFilesystems(p.path)
			fs.usage = func(_ context.Context, mount string) (*disk.UsageStat, error) {
				switch mount {
				case "/home":
					return &disk.UsageStat{Total: 500e9, Used: 450e9, Free: 25e9, InodesTotal: 1000, InodesUsed: 970}, nil
				case "/mnt/share":
					return nil, errors.New("host is down")
				}
				return &disk.UsageStat{Total: 100e9, Used: 40e9, Free: 55e9}, nil
			}
			b.read = fs.read
		}
	}
	return p, root, func() {
		now = now.Add(10 * time.Second)
		if err := copyOver(root, "testdata/linux-10s-later"); err != nil {
			t.Fatal(err)
		}
	}
}

// copyOver copies files over those that are there.
func copyOver(root, from string) error {
	return filepath.WalkDir(from, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := filepath.Join(root, strings.TrimPrefix(path, from))
		if d.IsDir() {
			return os.MkdirAll(to, 0o755)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(to, b, 0o644)
	})
}

// settle takes out what comes from the machine of the test and not from files.
func settle(m *expression.Machine) {
	m.OS.Hostname, m.OS.Kernel, m.OS.Arch, m.Hardware.Virtual = "", "", "", ""
	m.Network, m.UptimeSeconds = nil, expression.Reading{}
	for i := range m.Processes {
		m.Processes[i].Owner = "" // of the files of the fixture
	}
}

func TestGolden(t *testing.T) {
	p, _, later := fixture(t, Collect{People: true, Processes: true})
	first := p.Round(t.Context(), true)
	if _, known := first.CPU.Used.Get(); known {
		t.Error("the first round has a rate")
	}
	later()
	m := p.Round(t.Context(), false)
	settle(m)
	got, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/linux.golden.json"
	if *update {
		if err := os.WriteFile(golden, append(got, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.TrimSpace(string(want)), string(got)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestFailsAlone: each file that is missing costs what was in it, and its name
// and reason are told; everything else is read.
func TestFailsAlone(t *testing.T) {
	for file, section := range map[string]string{
		"proc/meminfo": "memory", "proc/stat": "cpu.used", "proc/diskstats": "disks", "proc/net/dev": "network_io", "proc/1/mountinfo": "filesystems",
		"etc/os-release": "os.name", "sys/class/dmi/id/sys_vendor": "hardware.vendor",
	} {
		p, root, later := fixture(t, Collect{People: true, Processes: true})
		whole := p.Round(t.Context(), true)
		later()
		if err := os.Remove(filepath.Join(root, file)); err != nil {
			t.Fatal(err)
		}
		m := p.Round(t.Context(), true)
		var why string
		for _, u := range m.Unreadable {
			if u.What == section {
				why = u.Why
			}
		}
		if why == "" {
			t.Errorf("without %s, %s is not told: %v", file, section, m.Unreadable)
		}
		if len(m.Unreadable) > len(whole.Unreadable)+2 { // btime is in stat, too
			t.Errorf("without %s: %v", file, m.Unreadable)
		}
		switch section {
		case "memory":
			if m.Memory != (expression.Memory{}) || m.Swap != (expression.Memory{}) {
				t.Error("memory of an earlier round stays")
			}
		case "disks":
			if m.Disks != nil {
				t.Error("disks of an earlier round stay")
			}
		case "filesystems":
			if m.Filesystems != nil {
				t.Error("filesystems of an earlier round stay")
			}
		default:
			if m.Memory.Used == (expression.Reading{}) {
				t.Errorf("without %s memory is gone, too", file)
			}
		}
	}
}

// TestCollect: what the policy keeps back is not read.
func TestCollect(t *testing.T) {
	p, _, later := fixture(t, Collect{})
	p.Round(t.Context(), true)
	later()
	m := p.Round(t.Context(), true)
	if m.Processes != nil || m.People != nil {
		t.Errorf("processes %v, people %v", m.Processes, m.People)
	}
	if n, known := m.ProcessCount.Get(); !known || n != 6 {
		t.Errorf("%v processes are counted, want 6", m.ProcessCount)
	}
	if why := m.Why("processes"); !strings.Contains(why, "policy") {
		t.Errorf("processes: %q", why)
	}
	if why := m.Why("people.name"); !strings.Contains(why, "policy") {
		t.Errorf("people: %q", why)
	}

	p, _, _ = fixture(t, Collect{Processes: true})
	for _, one := range p.Round(t.Context(), true).Processes {
		if one.Owner != "" || one.CommandLine != "" {
			t.Errorf("%+v", one)
		}
	}
	p, _, _ = fixture(t, Collect{Processes: true, People: true, CommandLines: true})
	lines := map[int64]expression.Text{}
	for _, one := range p.Round(t.Context(), true).Processes {
		lines[one.PID] = one.CommandLine
		if one.Owner == "" {
			t.Errorf("%d has no owner", one.PID)
		}
	}
	if lines[4711] != "/usr/libexec/gnome-terminal-server --pass=secret" || lines[1] != "/sbin/init splash" || lines[42] != "" {
		t.Errorf("command lines %v", lines)
	}
}

// TestBootTimeStandsStill while the clock is nudged, and moves when it is set.
func TestBootTimeStandsStill(t *testing.T) {
	p, root, _ := fixture(t, Collect{})
	stat := filepath.Join(root, "proc/stat")
	for _, tc := range []struct {
		btime string
		want  expression.Time
	}{{"1795000000", 1795000000e6}, {"1795000001", 1795000000e6}, {"1794999997", 1795000000e6}, {"1795003600", 1795003600e6}} {
		if err := os.WriteFile(stat, []byte("cpu  1 1 1 1 1 1 1 1 0 0\nbtime "+tc.btime+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := p.Round(t.Context(), true).OS.BootedAt; got != tc.want {
			t.Errorf("%s: %d, want %d", tc.btime, got, tc.want)
		}
	}
}

// TestProcessNumberIsUsedAgain: another process with the same number is not
// the same process, and has no rate yet.
func TestProcessNumberIsUsedAgain(t *testing.T) {
	p, root, later := fixture(t, Collect{Processes: true})
	p.Round(t.Context(), true)
	later()
	stat := filepath.Join(root, "proc/4711/stat")
	b, err := os.ReadFile(stat)
	if err != nil {
		t.Fatal(err)
	}
	b = []byte(strings.Replace(strings.Replace(string(b), " 100000 ", " 999999 ", 1), "gnome-terminal-", "other", 1))
	if err := os.WriteFile(stat, b, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, one := range p.Round(t.Context(), false).Processes {
		if one.PID == 4711 && (one.Name != "other" || one.CPU != (expression.Reading{})) {
			t.Errorf("%+v", one)
		}
	}
}

// TestHostileProc: whatever stands in the files of a process, nothing breaks.
func TestHostileProc(t *testing.T) {
	p, root, _ := fixture(t, Collect{Processes: true, People: true, CommandLines: true})
	for _, stat := range []string{"", "1", "()", "1 ( S", "1 ) ( S 1", "1 () S", "1 (a) S " + strings.Repeat("99999999999999999999999 ", 30), "1 (\x1b]0;x\x07\xff) S 1 " + strings.Repeat("-1 ", 40), strings.Repeat("(", 9000)} {
		if err := os.WriteFile(filepath.Join(root, "proc/42/stat"), []byte(stat), 0o644); err != nil {
			t.Fatal(err)
		}
		m := p.Round(t.Context(), false)
		if len(m.Processes) < 2 {
			t.Errorf("%.20q: %d processes", stat, len(m.Processes))
		}
		for _, one := range m.Processes {
			if expression.CleanText(string(one.Name)) != string(one.Name) {
				t.Errorf("a name of %q", one.Name)
			}
		}
	}
}
