package expression

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// desk is a machine with something in every section and a few things unknown.
func desk() *Machine {
	return &Machine{
		ObservedAt: 1763700000000000,
		OS:         &OS{Family: "linux", ID: "debian", Name: "Debian GNU/Linux 12 (bookworm)", Version: "12.5", Kernel: "6.1.0-18-amd64", Arch: "amd64", Hostname: "lap-krk-0142", BootedAt: 1763600000000000},
		Hardware:   &Hardware{Vendor: "LENOVO", Model: "ThinkPad T14", CPUModel: "AMD Ryzen 5", Cores: Known(8), MemoryBytes: Known(16e9)},
		Filesystems: []Filesystem{
			{Mount: "/", Device: "/dev/nvme0n1p2", Type: "ext4", Kind: "local", ReadOnly: No, SizeBytes: Known(100e9), UsedBytes: Known(50e9), AvailableBytes: Known(50e9), Used: Known(0.5), Inodes: Known(1000), InodesUsed: Known(10), InodesUsedRatio: Known(0.01)},
			{Mount: "/home", Type: "ext4", Kind: "local", SizeBytes: Known(100e9), UsedBytes: Known(95e9), AvailableBytes: Known(5e9), Used: Known(0.95)},
			{Mount: "/mnt/share", Type: "cifs", Kind: "network"},
		},
		Network: []Interface{{Name: "eth0", Addresses: []string{"10.1.4.57/24"}, MAC: "02:00:00:00:00:01", Up: Yes, SpeedBits: Known(1e9)}},
		People:  []Person{{Name: "maria", Since: 1763690000000000, Terminal: "tty1"}},
		Services: []Service{
			{Name: "cups", DisplayName: "CUPS Scheduler", State: "failed", Start: "auto"},
			{Name: "ssh", State: "running", Start: "auto"},
		},
		Processes: []Process{
			{PID: 1, Name: "systemd", CPU: Known(0), RSSBytes: Known(12e6), Owner: "root"},
			{PID: 4711, Name: "firefox", CPU: Known(1.25), RSSBytes: Known(2.5e9), Owner: "maria"},
			{PID: 4712, Name: "newborn", RSSBytes: Known(3e6)},
		},
		CPU:           CPU{Used: Known(0.25), Load1m: Known(1.5)},
		Memory:        Memory{TotalBytes: Known(16e9), UsedBytes: Known(4e9), AvailableBytes: Known(12e9), Used: Known(0.25)},
		Disks:         []Disk{},
		ProcessCount:  Known(3),
		UptimeSeconds: Known(100000),
		Unreadable:    []Unreadable{{What: "swap", Why: "not here"}},
	}
}

var sameReadings = cmp.AllowUnexported(Reading{})

func TestSectionsRoundTrip(t *testing.T) {
	m := desk()
	var back Machine
	back.ObservedAt = m.ObservedAt
	for _, name := range Sections() {
		body, _, ok := m.Section(name)
		if !ok {
			t.Fatalf("section %s is missing", name)
		}
		if err := back.SetSection(name, body); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(m, &back, sameReadings); diff != "" {
		t.Errorf("after a round trip (-want +got):\n%s", diff)
	}
}

func TestSectionUnreadIsNotEmpty(t *testing.T) {
	var m Machine
	if _, _, ok := m.Section(SectionServices); ok {
		t.Error("services that were not read have a section")
	}
	m.Services = []Service{}
	body, _, ok := m.Section(SectionServices)
	if !ok {
		t.Fatal("an empty list of services has no section")
	}
	var back Machine
	if err := back.SetSection(SectionServices, body); err != nil {
		t.Fatal(err)
	}
	if back.Services == nil {
		t.Error("an empty list came back as unread")
	}
}

func TestSectionHash(t *testing.T) {
	hash := func(change func(*Machine)) Hash {
		m := desk()
		change(m)
		_, h, _ := m.Section(SectionFilesystems)
		return h
	}
	same := hash(func(*Machine) {})
	if h := hash(func(m *Machine) {
		m.Filesystems[0].UsedBytes, m.Filesystems[0].AvailableBytes, m.Filesystems[0].Used = Known(50.1e9), Known(49.9e9), Known(0.501)
	}); h != same {
		t.Error("a tenth of a percent of space counts as a change")
	}
	if h := hash(func(m *Machine) { m.Filesystems[0].Used = Known(0.52) }); h == same {
		t.Error("two percent of space do not count as a change")
	}
	if h := hash(func(m *Machine) { m.Filesystems = m.Filesystems[:2] }); h == same {
		t.Error("a filesystem less does not count as a change")
	}
}

func TestSetSectionRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		section string
		body    []byte
		want    string
	}{
		"no such section":  {"printers", []byte{0x80}, "there is no section"},
		"too long":         {SectionServices, make([]byte, MaxSectionBytes+1), "at most"},
		"truncated":        {SectionServices, []byte{0x82, 0xa0}, "EOF"},
		"too many rows":    {SectionServices, []byte{0x9a, 0xff, 0xff, 0xff, 0xff}, "exceeded max number of elements"},
		"deep":             {SectionServices, []byte(strings.Repeat("\x81", 1000)), "nested level"},
		"indefinite":       {SectionServices, []byte{0x9f, 0xff}, "indefinite"},
		"double key":       {SectionOS, []byte{0xa2, 1, 0x61, 'a', 1, 0x61, 'b'}, "duplicate"},
		"text for reading": {SectionVitals, []byte{0xa1, 6, 0x61, 'a'}, "neither a number"},
	} {
		t.Run(name, func(t *testing.T) {
			m := desk()
			err := m.SetSection(tc.section, tc.body)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one with %q", err, tc.want)
			}
			if diff := cmp.Diff(desk(), m, sameReadings); diff != "" {
				t.Errorf("the machine changed:\n%s", diff)
			}
		})
	}
}

func TestSetSectionCleans(t *testing.T) {
	m := &Machine{Processes: []Process{{PID: 1, Name: Text("a\x00b\x1b[31m\u202egnp\xff<img>\nzażółć")}}}
	body, _, _ := m.Section(SectionProcesses)
	var back Machine
	if err := back.SetSection(SectionProcesses, body); err != nil {
		t.Fatal(err)
	}
	if got, want := string(back.Processes[0].Name), "ab[31mgnp<img>zażółć"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := CleanText(strings.Repeat("ż", MaxTextBytes)); len(got) > MaxTextBytes || !strings.HasSuffix(got, "ż") {
		t.Errorf("a long text became %d bytes", len(got))
	}
}

func TestJSON(t *testing.T) {
	b, err := json.Marshal(desk())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"observed_at":"2025-11-21T04:40:00Z"`,
		`"size_bytes":100000000000,"used_bytes":50000000000`,
		`{"mount":"/mnt/share","device":null,"type":"cifs","kind":"network","read_only":null,"size_bytes":null`,
		`{"pid":4712,"name":"newborn","cpu":null,"rss_bytes":3000000,"owner":null`,
		`"disks":[]`, `"network_io":null`, `"uptime_seconds":100000`,
	} {
		if !strings.Contains(string(b), want) {
			t.Errorf("no %s in\n%s", want, b)
		}
	}
	var back Machine
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(desk(), &back, sameReadings, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("after a round trip (-want +got):\n%s", diff)
	}
}

func TestUnknownIsNotZero(t *testing.T) {
	if Known(0).IsZero() {
		t.Error("a known 0 is left out")
	}
	var m Machine
	m.CPU.Used = Known(0)
	body, _, _ := m.Section(SectionVitals)
	var back Machine
	if err := back.SetSection(SectionVitals, body); err != nil {
		t.Fatal(err)
	}
	if v, known := back.CPU.Used.Get(); !known || v != 0 {
		t.Errorf("a known 0 came back as %v", back.CPU.Used)
	}
	if _, known := back.Memory.Used.Get(); known {
		t.Error("an unknown reading came back as known")
	}
	if _, known := Ratio(Known(1), Known(0)).Get(); known {
		t.Error("a part of nothing is known")
	}
}
