package probe

import (
	"encoding/binary"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/shirou/gopsutil/v3/disk"
	"golang.org/x/sys/windows"

	"github.com/deskside/deskside/protocol/expression"
)

// TestDrives: what a drive letter is, and a letter that nobody has.
func TestDrives(t *testing.T) {
	p := newFilesystems(func(string) string { return "" })
	if kind := p.kind(disk.PartitionStat{Mountpoint: os.Getenv("SystemDrive")}); kind != "local" {
		t.Errorf("the drive of the system is %q", kind)
	}
	if kind := p.kind(disk.PartitionStat{Mountpoint: "Q:"}); kind != "" {
		t.Errorf("a drive that is not there is %q", kind)
	}
	r, err := p.read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var m expression.Machine
	r.apply(&m)
	for _, f := range m.Filesystems {
		if size, ok := f.SizeBytes.Get(); string(f.Mount) == os.Getenv("SystemDrive") && ok && size > 0 {
			return
		}
	}
	t.Errorf("the drive of the system is not among %+v", m.Filesystems)
}

// TestDescribe: the registry says what processor this is; who made the computer is
// known, or it is said why not.
func TestDescribe(t *testing.T) {
	var h expression.Hardware
	missing := new(Prober).describe(t.Context(), &h)
	if h.CPUModel == "" || h.CPUModel != clean(strings.Join(strings.Fields(string(h.CPUModel)), " ")) {
		t.Errorf("the processor is %q", h.CPUModel)
	}
	if said := len(missing) == 1 && missing[0].What == "hardware.vendor" && missing[0].Why != ""; said == (h.Vendor != "") {
		t.Errorf("made by %q, %v", h.Vendor, missing)
	}
}

// TestPageFiles: entries of a list as Windows writes it, also one that is cut off or
// leads out of it. Wine 8 has no such list: there the question fails, and says so.
func TestPageFiles(t *testing.T) {
	entry := func(next, total, used uint32) []byte {
		b := make([]byte, 32) // four numbers and the name: its length twice, and where it is
		for i, n := range []uint32{next, total, used, used} {
			binary.LittleEndian.PutUint32(b[4*i:], n)
		}
		return b
	}
	page := uint64(os.Getpagesize())
	two := append(append(entry(40, 1000, 250), make([]byte, 8)...), entry(0, 500, 600)...)
	for name, c := range map[string]struct {
		list        []byte
		total, free uint64
	}{
		"none":             {nil, 0, 0},
		"one":              {entry(0, 1000, 250), 1000 * page, 750 * page},
		"two, one is full": {two, 1500 * page, 750 * page},
		"cut off":          {two[:60], 1000 * page, 750 * page},
		"leads out":        {entry(4000, 1000, 250), 1000 * page, 750 * page},
	} {
		if total, free := pageFiles(c.list); total != c.total || free != c.free {
			t.Errorf("%s: %d and %d, want %d and %d", name, total, free, c.total, c.free)
		}
	}
	if total, free, err := swapOf(t.Context(), nil); err == nil && free > total || err != nil && !strings.Contains(err.Error(), "page files") {
		t.Errorf("%d of %d, %v", free, total, err)
	}
}

// TestPeople: the terminal services answer, and nobody without a name has a session.
// Under Wine 8 nobody has one at all.
func TestPeople(t *testing.T) {
	p := &Prober{options: Options{Collect: Collect{People: true}}}
	r, err := p.readPeople(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var m expression.Machine
	r.apply(&m)
	if m.People == nil {
		t.Error("people are unknown")
	}
	for _, one := range m.People {
		if one.Name == "" || one.Since.Time().After(time.Now()) {
			t.Errorf("%+v", one)
		}
	}
	if r, err := new(Prober).readPeople(t.Context()); err == nil || r.apply != nil {
		t.Errorf("people whom the policy holds back: %+v, %v", r, err)
	}
}

// TestOwnProcess: this program is in the list with its name, owner, memory, start and
// the time that it takes; a second reading keeps what does not change.
func TestOwnProcess(t *testing.T) {
	now := time.Now()
	p := newProcesses(nil, Collect{People: true, Processes: true, CommandLines: true}, func() time.Time { return now })
	read := func() expression.Process {
		t.Helper()
		r, err := p.read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var m expression.Machine
		r.apply(&m)
		for _, one := range m.Processes {
			if one.PID == int64(os.Getpid()) {
				return one
			}
		}
		t.Fatalf("process %d is not among %d", os.Getpid(), len(m.Processes))
		return expression.Process{}
	}
	first := read()
	if _, known := first.CPU.Get(); known {
		t.Error("a rate of one reading")
	}
	var spent float64
	for began := cpuSeconds(t); spent < 0.3; spent = cpuSeconds(t) - began {
	}
	now = now.Add(time.Second) // of the probe's clock
	second := read()
	if cpu, known := second.CPU.Get(); !known || cpu < 0.2 || cpu > 8 {
		t.Errorf("it took %.1f s of the processor, and %v is told", spent, second.CPU)
	}
	if rss, _ := second.RSSBytes.Get(); rss < 1<<20 || second.Name == "" || second.Owner == "" || second.CommandLine == "" ||
		second.StartedAt != first.StartedAt || second.StartedAt.Time().After(time.Now()) {
		t.Errorf("%+v", second)
	}
}

// cpuSeconds is how long this program has kept a processor busy.
func cpuSeconds(t *testing.T) float64 {
	t.Helper()
	var created, exited, kernel, user windows.Filetime
	if err := windows.GetProcessTimes(windows.CurrentProcess(), &created, &exited, &kernel, &user); err != nil {
		t.Fatal(err)
	}
	hundreds := func(f windows.Filetime) float64 { return float64(uint64(f.HighDateTime)<<32 | uint64(f.LowDateTime)) }
	return (hundreds(kernel) + hundreds(user)) / 1e7
}

// TestServiceStates: the words for what the service manager numbers.
func TestServiceStates(t *testing.T) {
	const never = 1077
	for _, c := range []struct {
		state, exit uint32
		want        expression.Text
	}{
		{windows.SERVICE_RUNNING, 0, "running"}, {windows.SERVICE_START_PENDING, 0, "starting"}, {windows.SERVICE_CONTINUE_PENDING, 0, "starting"},
		{windows.SERVICE_STOP_PENDING, 0, "stopping"}, {windows.SERVICE_PAUSE_PENDING, 0, "stopping"}, {windows.SERVICE_PAUSED, 0, "paused"},
		{windows.SERVICE_STOPPED, 0, "stopped"}, {windows.SERVICE_STOPPED, never, "stopped"}, {windows.SERVICE_STOPPED, 5, "failed"}, {99, 0, ""},
	} {
		if got := stateOfService(c.state, c.exit); got != c.want {
			t.Errorf("state %d, exit %d: %q, want %q", c.state, c.exit, got, c.want)
		}
	}
}
