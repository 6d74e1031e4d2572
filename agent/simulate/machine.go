package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/protocol"
	"github.com/deskside/deskside/protocol/expression"
)

// kit is what a family of systems looks like.
type kit struct {
	id, title, version, kernel, arch string
	vendor                           string
	models                           []string
	mount, device, filesystem        string
	services                         []string // the first is the print service
	programs                         []string // the first is what runs away
}

var kits = map[string]kit{
	"linux": {"debian", "Debian GNU/Linux 13 (trixie)", "13.2", "6.12.57+deb13-amd64", "amd64", "LENOVO",
		[]string{"ThinkPad T14 Gen 5", "ThinkCentre M75q Gen 5"}, "/", "/dev/nvme0n1p2", "ext4",
		[]string{"cups", "NetworkManager", "ssh", "systemd-timesyncd", "cron"},
		[]string{"firefox-esr", "gnome-shell", "thunderbird", "soffice.bin", "Xwayland", "pipewire", "systemd"}},
	"windows": {"windows", "Windows 11 Pro", "10.0.26100.7171", "10.0.26100", "amd64", "Dell Inc.",
		[]string{"Latitude 5550", "OptiPlex 7020"}, `C:\`, "C:", "NTFS",
		[]string{"Spooler", "WinDefend", "wuauserv", "Dnscache", "AudioSrv"},
		[]string{"Teams.exe", "explorer.exe", "OUTLOOK.EXE", "EXCEL.EXE", "chrome.exe", "MsMpEng.exe", "svchost.exe"}},
	"darwin": {"macos", "macOS", "15.7.2", "24.6.0", "arm64", "Apple Inc.",
		[]string{"MacBookAir10,1", "MacBookPro18,3"}, "/", "/dev/disk3s1s1", "apfs",
		[]string{"org.cups.cupsd", "com.apple.mDNSResponder", "com.openssh.sshd"},
		[]string{"Google Chrome", "Finder", "WindowServer", "Mail", "Slack", "mds_stores", "launchd"}},
}

// machine is one pretend workstation.
type machine struct {
	workstation
	kit
	serial, model string
	mac, address  string
	cores         float64
	memory, disk  float64 // bytes
	usedMemory    float64 // ratios of a normal day
	usedDisk      float64
	booted        time.Time
	way           *way
	welcomed      atomic.Int64 // when a console has welcomed it last, in microseconds; 0 never

	pace  time.Duration   // of a script, from line to line
	began func(uuid.UUID) // hears of each script that begins

	mu     sync.Mutex
	noise  *rand.Rand
	faults map[string]bool
}

func newMachine(seed uint64, i int, w workstation) *machine {
	r := rand.New(rand.NewPCG(seed, uint64(i)+1))
	k := kits[w.family]
	m := &machine{workstation: w, kit: k, way: newWay(i), began: func(uuid.UUID) {}, noise: r, faults: map[string]bool{},
		serial: fmt.Sprintf("PF%06X%02d", r.IntN(1<<24), i%100), model: k.models[0],
		mac:     fmt.Sprintf("02:00:%02x:%02x:%02x:%02x", byte(i>>24), byte(i>>16), byte(i>>8), byte(i)),
		address: fmt.Sprintf("10.20.%d.%d/16", i/250, 2+i%250),
		cores:   float64(int(4) << r.IntN(3)), memory: float64(int64(8)<<30) * float64(int(1)<<r.IntN(3)),
		disk: 256e9 * float64(int(1)<<r.IntN(3)), usedMemory: 0.35 + 0.3*r.Float64(), usedDisk: 0.3 + 0.4*r.Float64(),
		booted: time.Now().Add(-time.Duration(r.IntN(14*24*3600)) * time.Second).Truncate(time.Second)}
	if strings.HasPrefix(w.name, "WKS") {
		m.model = k.models[1]
	}
	return m
}

func (m *machine) system() protocol.OS {
	return protocol.OS{Family: m.family, Name: m.title, Version: m.version, Kernel: m.kernel, Arch: m.arch}
}

// padded is a list of programs made longer, up to n.
func padded(programs []string, n int) []string {
	all := slices.Clone(programs)
	for i := len(all); i < n; i++ {
		all = append(all, fmt.Sprintf("%s-%d", programs[i%len(programs)], i/len(programs)))
	}
	return all
}

// set gives the machine a fault, or clears all it has; false means that nothing
// changed.
func (m *machine) set(kind string) bool {
	m.mu.Lock()
	changed := !m.faults[kind]
	if kind == "clear" {
		changed = len(m.faults) > 0
		clear(m.faults)
	} else {
		m.faults[kind] = true
	}
	cut := m.faults["offline"]
	m.mu.Unlock()
	m.way.setCut(cut)
	return changed
}

// lines are what a script writes beside what it did: how many, and where it talks.
const lines, talk = 60, 70_000

// repair does what a script of the catalogue would have done, and takes some time
// for it.
func (m *machine) repair(run uuid.UUID, script string, values map[string]string, dry bool, out io.Writer) int {
	m.began(run)
	code := m.cure(script, values, dry, out)
	n, pace := lines, m.pace
	if m.has("talk") {
		n, pace = talk, 0
	}
	for i := range n {
		time.Sleep(pace)
		fmt.Fprintf(out, "run %s line %d of %d\n", run, i+1, n)
	}
	return code
}

func (m *machine) has(kind string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.faults[kind]
}

func (m *machine) cure(script string, values map[string]string, dry bool, out io.Writer) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	would := ""
	if dry {
		would = "would have "
	}
	switch script {
	case "free-disk-space":
		bytes := 0.02 * m.disk
		if m.faults["filesystem"] {
			bytes = (filled - m.usedDisk) * m.disk
		}
		fmt.Fprintf(out, "%sremoved temporary files and package caches in %s\ndeskside: freed_bytes=%.0f\n", would, values["MOUNT"], bytes)
		if !dry {
			delete(m.faults, "filesystem")
		}
	case "restart-service":
		fmt.Fprintf(out, "%srestarted %s\n", would, values["SERVICE"])
		if !dry && values["SERVICE"] == m.services[0] {
			delete(m.faults, "service")
		}
	default:
		fmt.Fprintf(out, "a pretend workstation does not know what %s does\n", script)
		return 1
	}
	return 0
}

// filled is how full a filesystem with a fault is.
const filled = 0.97

// read makes up a round of readings: a normal day, and the faults.
func (m *machine) read(context.Context, bool) *expression.Machine {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	wave := func(base, swing float64) float64 { // slow swings with a little noise
		v := base + swing*math.Sin(float64(now.Unix())/240+float64(m.mac[len(m.mac)-1])) + swing*0.3*m.noise.NormFloat64()
		return min(max(v, 0.01), 0.99)
	}
	cpu, disk := wave(0.15, 0.08), m.usedDisk
	if m.faults["cpu"] {
		cpu = min(cpu+2/m.cores, 1)
	}
	if m.faults["filesystem"] {
		disk = filled
	}
	return &expression.Machine{
		ObservedAt: expression.TimeOf(now),
		OS: &expression.OS{Family: expression.Text(m.family), ID: expression.Text(m.id), Name: expression.Text(m.title), Version: expression.Text(m.version),
			Kernel: expression.Text(m.kernel), Arch: expression.Text(m.arch), Hostname: expression.Text(m.name), BootedAt: expression.TimeOf(m.booted)},
		Hardware: &expression.Hardware{Vendor: expression.Text(m.vendor), Model: expression.Text(m.model), Serial: expression.Text(m.serial),
			CPUModel: "Pretend processor", Cores: expression.Known(m.cores), PhysicalCores: expression.Known(m.cores / 2), MemoryBytes: expression.Known(m.memory)},
		Filesystems: []expression.Filesystem{m.filesystemOf(disk)},
		Network: []expression.Interface{{Name: "eth0", Addresses: []string{m.address}, MAC: expression.Text(m.mac), Up: expression.FlagOf(true),
			SpeedBits: expression.Known(1e9), MTU: expression.Known(1500)}},
		People:        []expression.Person{{Name: expression.Text(m.person), Since: expression.TimeOf(m.booted.Add(time.Minute)), Terminal: "console"}},
		Services:      m.serviceList(),
		Processes:     m.processList(cpu),
		CPU:           expression.CPU{Used: expression.Known(cpu), Load1m: expression.Known(cpu * m.cores), Load5m: expression.Known(cpu * m.cores), Load15m: expression.Known(cpu * m.cores)},
		Memory:        memoryOf(m.memory, wave(m.usedMemory, 0.03)),
		Swap:          memoryOf(4<<30, 0.02),
		Disks:         []expression.Disk{{Device: expression.Text(m.device), Read: expression.Known(math.Round(cpu * 4e6)), Write: expression.Known(math.Round(cpu * 2e6))}},
		NetworkIO:     []expression.NetworkIO{{Name: "eth0", Receive: expression.Known(math.Round(cpu * 9e5)), Transmit: expression.Known(math.Round(cpu * 2e5))}},
		ProcessCount:  expression.Known(float64(len(m.programs))),
		UptimeSeconds: expression.Known(math.Floor(now.Sub(m.booted).Seconds())),
		Unreadable:    []expression.Unreadable{},
	}
}

func (m *machine) filesystemOf(used float64) expression.Filesystem {
	bytes := math.Round(used * m.disk)
	return expression.Filesystem{Mount: expression.Text(m.mount), Device: expression.Text(m.device), Type: expression.Text(m.filesystem), Kind: "local",
		ReadOnly: expression.FlagOf(false), SizeBytes: expression.Known(m.disk), UsedBytes: expression.Known(bytes),
		AvailableBytes: expression.Known(m.disk - bytes), Used: expression.Known(used),
		Inodes: expression.Known(1e7), InodesUsed: expression.Known(4e5), InodesUsedRatio: expression.Known(0.04)}
}

func (m *machine) serviceList() []expression.Service {
	out := make([]expression.Service, len(m.services))
	for i, name := range m.services {
		out[i] = expression.Service{Name: expression.Text(name), DisplayName: expression.Text(name), State: "running", Start: "auto"}
	}
	if m.faults["service"] {
		out[0].State = "failed"
	}
	return out
}

func (m *machine) processList(cpu float64) []expression.Process {
	out := make([]expression.Process, len(m.programs))
	for i, name := range m.programs {
		owner := m.person
		if i == len(m.programs)-1 {
			owner = "root"
		}
		out[i] = expression.Process{PID: int64(1000 + 137*(len(m.programs)-1-i)), Name: expression.Text(name), State: "sleeping", Owner: expression.Text(owner),
			CPU:      expression.Known(min(cpu*m.cores, 0.6) / float64(i+2)),
			RSSBytes: expression.Known(math.Round(m.memory * 0.08 / float64(i+1))), StartedAt: expression.TimeOf(m.booted.Add(time.Duration(i+1) * time.Minute))}
	}
	if m.faults["cpu"] {
		out[0].CPU, out[0].State = expression.Known(2), "running"
	}
	return out
}

func memoryOf(total, used float64) expression.Memory {
	bytes := math.Round(total * used)
	return expression.Memory{TotalBytes: expression.Known(total), UsedBytes: expression.Known(bytes), AvailableBytes: expression.Known(total - bytes), Used: expression.Known(used)}
}
