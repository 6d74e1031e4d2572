package expression

import (
	"strconv"
	"strings"
)

// fields is the table behind Fields. A line is: name, unit, class, is it a
// vital, help in English and Polish, and the way to the value. The test holds
// it to the JSON names of Machine: a field cannot be added to one alone.
func fields() []*field {
	const fact, vital = false, true
	return []*field{
		text("os.family", Plain, "os", "family of the operating system: linux, windows, darwin", "rodzina systemu: linux, windows, darwin", osText(func(o *OS) Text { return o.Family })),
		text("os.id", Plain, "os", "short name of the system: debian, windows, macos", "krótka nazwa systemu: debian, windows, macos", osText(func(o *OS) Text { return o.ID })),
		text("os.name", Plain, "os", "name of the operating system", "nazwa systemu operacyjnego", osText(func(o *OS) Text { return o.Name })),
		text("os.version", Plain, "os", "version of the operating system; compare with version()", "wersja systemu operacyjnego; porównuj przez version()", osText(func(o *OS) Text { return o.Version })),
		text("os.kernel", Plain, "os", "version of the kernel; compare with version()", "wersja jądra systemu; porównuj przez version()", osText(func(o *OS) Text { return o.Kernel })),
		text("os.arch", Plain, "os", "processor architecture: amd64, arm64", "architektura procesora: amd64, arm64", osText(func(o *OS) Text { return o.Arch })),
		text("os.hostname", Plain, "os", "name of the computer in the network", "nazwa komputera w sieci", osText(func(o *OS) Text { return o.Hostname })),
		at("os.booted_at", Plain, "os", fact, "when the computer was started", "kiedy komputer został uruchomiony", func(m *Machine) Time {
			if m.OS == nil {
				return 0
			}
			return m.OS.BootedAt
		}),

		text("hardware.vendor", Plain, "hardware", "maker of the computer", "producent komputera", hwText(func(h *Hardware) Text { return h.Vendor })),
		text("hardware.model", Plain, "hardware", "model of the computer", "model komputera", hwText(func(h *Hardware) Text { return h.Model })),
		text("hardware.serial", Plain, "hardware", "serial number of the computer", "numer seryjny komputera", hwText(func(h *Hardware) Text { return h.Serial })),
		text("hardware.cpu_model", Plain, "hardware", "model of the processor", "model procesora", hwText(func(h *Hardware) Text { return h.CPUModel })),
		number("hardware.cores", "", Plain, "hardware", fact, "cores the system can use", "rdzenie dostępne dla systemu", hwNumber(func(h *Hardware) Reading { return h.Cores })),
		number("hardware.physical_cores", "", Plain, "hardware", fact, "physical cores", "rdzenie fizyczne", hwNumber(func(h *Hardware) Reading { return h.PhysicalCores })),
		number("hardware.memory_bytes", "bytes", Plain, "hardware", fact, "main memory", "pamięć operacyjna", hwNumber(func(h *Hardware) Reading { return h.MemoryBytes })),
		text("hardware.virtual", Plain, "hardware", "kind of virtual machine; unknown on a real one", "rodzaj maszyny wirtualnej; nieznany na fizycznym komputerze", hwText(func(h *Hardware) Text { return h.Virtual })),

		list("filesystems", Plain, "filesystems", fact, "mounted volumes", "zamontowane woluminy"),
		text("filesystems.mount", Plain, "filesystems", "where it is mounted: /, C:", "miejsce zamontowania: /, C:", func(f *Filesystem) Text { return f.Mount }),
		text("filesystems.device", Plain, "filesystems", "device or share behind it", "urządzenie albo udział sieciowy", func(f *Filesystem) Text { return f.Device }),
		text("filesystems.type", Plain, "filesystems", "type: ext4, ntfs, tmpfs", "typ: ext4, ntfs, tmpfs", func(f *Filesystem) Text { return f.Type }),
		text("filesystems.kind", Plain, "filesystems", "local, removable, network, memory or image", "local (lokalny), removable (wymienny), network (sieciowy), memory (w pamięci) albo image (obraz)", func(f *Filesystem) Text { return f.Kind }),
		flag("filesystems.read_only", Plain, "filesystems", "mounted so that nothing can be written", "zamontowany tylko do odczytu", func(f *Filesystem) Flag { return f.ReadOnly }),
		number("filesystems.size_bytes", "bytes", Plain, "filesystems", fact, "size", "rozmiar", func(f *Filesystem) Reading { return f.SizeBytes }),
		hidden(number("filesystems.used_bytes", "bytes", Plain, "filesystems", vital, "space in use", "zajęte miejsce", func(f *Filesystem) Reading { return f.UsedBytes })),
		number("filesystems.available_bytes", "bytes", Plain, "filesystems", vital, "space that people can still fill", "miejsce, które można jeszcze zapełnić", func(f *Filesystem) Reading { return f.AvailableBytes }),
		number("filesystems.used", "ratio", Plain, "filesystems", vital, "share of the space in use, 0 to 1", "część zajętego miejsca, od 0 do 1", func(f *Filesystem) Reading { return f.Used }),
		hidden(number("filesystems.inodes", "", Plain, "filesystems", fact, "inodes: how many files fit", "i-węzły: ile plików się zmieści", func(f *Filesystem) Reading { return f.Inodes })),
		hidden(number("filesystems.inodes_used", "", Plain, "filesystems", vital, "inodes in use", "zajęte i-węzły", func(f *Filesystem) Reading { return f.InodesUsed })),
		hidden(number("filesystems.inodes_used_ratio", "ratio", Plain, "filesystems", vital, "share of the inodes in use, 0 to 1", "część zajętych i-węzłów, od 0 do 1", func(f *Filesystem) Reading { return f.InodesUsedRatio })),

		list("network", Plain, "network", fact, "network interfaces", "interfejsy sieciowe"),
		text("network.name", Plain, "network", "name: eth0, Wi-Fi", "nazwa: eth0, Wi-Fi", func(n *Interface) Text { return n.Name }),
		hidden(texts("network.addresses", Personal, "network", "addresses with the length of the prefix: 10.1.4.57/24", "adresy z długością prefiksu: 10.1.4.57/24", func(n *Interface) []string { return n.Addresses })),
		hidden(text("network.mac", Personal, "network", "hardware address", "adres sprzętowy", func(n *Interface) Text { return n.MAC })),
		flag("network.up", Plain, "network", "is in use", "jest w użyciu", func(n *Interface) Flag { return n.Up }),
		number("network.speed_bits", "bits/s", Plain, "network", fact, "speed of the line", "szybkość łącza", func(n *Interface) Reading { return n.SpeedBits }),
		number("network.mtu", "bytes", Plain, "network", fact, "largest packet", "największy pakiet", func(n *Interface) Reading { return n.MTU }),

		list("people", Personal, "people", fact, "people who are signed in", "zalogowane osoby"),
		text("people.name", Personal, "people", "name of the account", "nazwa konta", func(p *Person) Text { return p.Name }),
		at("people.since", Personal, "people", fact, "signed in since", "czas zalogowania", func(p *Person) Time { return p.Since }),
		text("people.terminal", Personal, "people", "where: tty2, pts/0, console", "gdzie: tty2, pts/0, konsola", func(p *Person) Text { return p.Terminal }),

		list("services", Plain, "services", fact, "services of the system", "usługi systemu"),
		text("services.name", Plain, "services", "name: cups, Spooler", "nazwa: cups, Spooler", func(s *Service) Text { return s.Name }),
		text("services.display_name", Plain, "services", "what it calls itself", "nazwa wyświetlana", func(s *Service) Text { return s.DisplayName }),
		text("services.state", Plain, "services", "running, exited, starting, stopping, paused, stopped or failed", "running (działa), exited (zakończyła pracę), starting (uruchamia się), stopping (zatrzymuje się), paused (wstrzymana), stopped (zatrzymana) albo failed (uległa awarii)", func(s *Service) Text { return s.State }),
		text("services.start", Plain, "services", "auto, manual or disabled", "auto (automatycznie), manual (ręcznie) albo disabled (wyłączona)", func(s *Service) Text { return s.Start }),

		list("processes", Plain, "processes", vital, "running programs", "działające programy"),
		number("processes.pid", "", Plain, "processes", vital, "number of the process", "numer procesu", func(p *Process) Reading { return Known(float64(p.PID)) }),
		text("processes.name", Plain, "processes", "name of the program", "nazwa programu", func(p *Process) Text { return p.Name }),
		number("processes.cpu", "cores", Plain, "processes", vital, "processor time: 1 is one core kept busy", "czas procesora: 1 to jeden stale zajęty rdzeń", func(p *Process) Reading { return p.CPU }),
		number("processes.rss_bytes", "bytes", Plain, "processes", vital, "main memory in use", "zajęta pamięć operacyjna", func(p *Process) Reading { return p.RSSBytes }),
		hidden(text("processes.owner", Personal, "processes", "account it runs as", "konto, na którym działa", func(p *Process) Text { return p.Owner })),
		at("processes.started_at", Plain, "processes", vital, "when it was started", "kiedy został uruchomiony", func(p *Process) Time { return p.StartedAt }),
		text("processes.state", Plain, "processes", "running, sleeping, waiting, stopped, zombie or idle", "running (działa), sleeping (śpi), waiting (czeka na dysk), stopped (zatrzymany), zombie albo idle (bezczynny)", func(p *Process) Text { return p.State }),
		hidden(text("processes.command_line", Private, "processes", "command line; policy keeps it back by default", "wiersz polecenia; domyślnie zasady lokalne go nie ujawniają", func(p *Process) Text { return p.CommandLine })),

		number("cpu.used", "ratio", Plain, "vitals", vital, "use of all cores together, 0 to 1", "wykorzystanie wszystkich rdzeni razem, od 0 do 1", func(m *Machine) Reading { return m.CPU.Used }),
		number("cpu.load_1m", "", Plain, "vitals", vital, "load average of one minute", "średnie obciążenie z minuty", func(m *Machine) Reading { return m.CPU.Load1m }),
		number("cpu.load_5m", "", Plain, "vitals", vital, "load average of five minutes", "średnie obciążenie z pięciu minut", func(m *Machine) Reading { return m.CPU.Load5m }),
		number("cpu.load_15m", "", Plain, "vitals", vital, "load average of fifteen minutes", "średnie obciążenie z piętnastu minut", func(m *Machine) Reading { return m.CPU.Load15m }),
		number("memory.total_bytes", "bytes", Plain, "vitals", vital, "main memory", "pamięć operacyjna", func(m *Machine) Reading { return m.Memory.TotalBytes }),
		number("memory.used_bytes", "bytes", Plain, "vitals", vital, "main memory in use", "zajęta pamięć operacyjna", func(m *Machine) Reading { return m.Memory.UsedBytes }),
		number("memory.available_bytes", "bytes", Plain, "vitals", vital, "main memory that programs can still get", "pamięć, którą programy mogą jeszcze dostać", func(m *Machine) Reading { return m.Memory.AvailableBytes }),
		number("memory.used", "ratio", Plain, "vitals", vital, "share of main memory in use, 0 to 1", "część zajętej pamięci, od 0 do 1", func(m *Machine) Reading { return m.Memory.Used }),
		number("swap.total_bytes", "bytes", Plain, "vitals", vital, "swap space", "przestrzeń wymiany", func(m *Machine) Reading { return m.Swap.TotalBytes }),
		number("swap.used_bytes", "bytes", Plain, "vitals", vital, "swap space in use", "zajęta przestrzeń wymiany", func(m *Machine) Reading { return m.Swap.UsedBytes }),
		number("swap.available_bytes", "bytes", Plain, "vitals", vital, "free swap space", "wolna przestrzeń wymiany", func(m *Machine) Reading { return m.Swap.AvailableBytes }),
		number("swap.used", "ratio", Plain, "vitals", vital, "share of the swap space in use, 0 to 1; unknown without swap", "część zajętej przestrzeni wymiany, od 0 do 1; nieznana, gdy jej nie ma", func(m *Machine) Reading { return m.Swap.Used }),

		list("disks", Plain, "vitals", vital, "traffic of the disks", "ruch na dyskach"),
		text("disks.device", Plain, "vitals", "name of the disk: sda", "nazwa dysku: sda", func(d *Disk) Text { return d.Device }),
		number("disks.read_bytes_per_second", "bytes/s", Plain, "vitals", vital, "reading", "odczyt", func(d *Disk) Reading { return d.Read }),
		number("disks.write_bytes_per_second", "bytes/s", Plain, "vitals", vital, "writing", "zapis", func(d *Disk) Reading { return d.Write }),
		list("network_io", Plain, "vitals", vital, "traffic of the network interfaces", "ruch na interfejsach sieciowych"),
		text("network_io.name", Plain, "vitals", "name of the interface", "nazwa interfejsu", func(n *NetworkIO) Text { return n.Name }),
		number("network_io.receive_bytes_per_second", "bytes/s", Plain, "vitals", vital, "receiving", "odbieranie", func(n *NetworkIO) Reading { return n.Receive }),
		number("network_io.transmit_bytes_per_second", "bytes/s", Plain, "vitals", vital, "sending", "wysyłanie", func(n *NetworkIO) Reading { return n.Transmit }),
		number("process_count", "", Plain, "vitals", vital, "number of processes", "liczba procesów", func(m *Machine) Reading { return m.ProcessCount }),
		number("uptime_seconds", "seconds", Plain, "vitals", vital, "time since the last start", "czas od ostatniego uruchomienia", func(m *Machine) Reading { return m.UptimeSeconds }),
	}
}

// collections lists the lists: how one row is named, found and told apart.
func collections() map[string]*collection {
	named := func(s Text) string { return string(s) }
	all := []*collection{
		rowsOf("filesystems", "filesystem", "mount", func(m *Machine) []Filesystem { return m.Filesystems }, func(f *Filesystem) string { return named(f.Mount) }),
		rowsOf("network", "interface", "name", func(m *Machine) []Interface { return m.Network }, func(n *Interface) string { return named(n.Name) }),
		rowsOf("people", "", "name", func(m *Machine) []Person { return m.People }, func(p *Person) string { return named(p.Name) }),
		rowsOf("services", "service", "name", func(m *Machine) []Service { return m.Services }, func(s *Service) string { return named(s.Name) }),
		rowsOf("processes", "", "name", func(m *Machine) []Process { return m.Processes }, func(p *Process) string { return named(p.Name) + ":" + strconv.FormatInt(p.PID, 10) }),
		rowsOf("disks", "disk", "device", func(m *Machine) []Disk { return m.Disks }, func(d *Disk) string { return named(d.Device) }),
		rowsOf("network_io", "traffic", "name", func(m *Machine) []NetworkIO { return m.NetworkIO }, func(n *NetworkIO) string { return named(n.Name) }),
	}
	by := make(map[string]*collection, len(all))
	for _, c := range all {
		by[c.name] = c
	}
	by["services"].same = SameService
	return by
}

// SameService tells whether two names are those of one service: Windows does not
// mind case, and systemd people write cups.service.
func SameService(a, b string) bool {
	return strings.EqualFold(strings.TrimSuffix(a, ".service"), strings.TrimSuffix(b, ".service"))
}

func rowsOf[T any](name, one, key string, rows func(*Machine) []T, instance func(*T) string) *collection {
	return &collection{
		name: name, one: one, key: key, by: map[string]*field{},
		same:     func(key, asked string) bool { return key == asked },
		rows:     func(m *Machine) (int, bool) { list := rows(m); return len(list), list != nil },
		at:       func(m *Machine, i int) any { return &rows(m)[i] },
		instance: func(row any) string { return instance(row.(*T)) },
	}
}

// What follows makes lines of the table.

func text[T any](name string, class Class, section, en, pl string, get func(*T) Text) *field {
	return &field{
		Field: Field{Name: name, Type: "text", Class: class, Section: section, Vital: section == SectionProcesses || section == SectionVitals, Help: Words{en, pl}},
		typ:   typ{kind: textKind},
		get:   func(row any) Value { return textOrUnknown(string(get(row.(*T))), name) },
	}
}

func number[T any](name, unit string, class Class, section string, vital bool, en, pl string, get func(*T) Reading) *field {
	return &field{
		Field: Field{Name: name, Type: "number", Unit: unit, Class: class, Section: section, Vital: vital, Help: Words{en, pl}},
		typ:   typ{kind: numberKind},
		get:   func(row any) Value { return numberOrUnknown(get(row.(*T)), name) },
	}
}

func flag[T any](name string, class Class, section, en, pl string, get func(*T) Flag) *field {
	return &field{
		Field: Field{Name: name, Type: "boolean", Class: class, Section: section, Help: Words{en, pl}},
		typ:   typ{kind: boolKind},
		get: func(row any) Value {
			truth, known := get(row.(*T)).Get()
			if !known {
				return unknown(name)
			}
			return Boolean(truth)
		},
	}
}

func at[T any](name string, class Class, section string, vital bool, en, pl string, get func(*T) Time) *field {
	return &field{
		Field: Field{Name: name, Type: "time", Class: class, Section: section, Vital: vital, Help: Words{en, pl}},
		typ:   typ{kind: timeKind},
		get: func(row any) Value {
			t := get(row.(*T))
			if t == 0 {
				return unknown(name)
			}
			return Value{kind: timeKind, num: float64(t)}
		},
	}
}

func texts[T any](name string, class Class, section, en, pl string, get func(*T) []string) *field {
	return &field{
		Field: Field{Name: name, Type: "list of texts", Class: class, Section: section, Help: Words{en, pl}},
		typ:   typ{kind: listKind, elem: textKind},
		get: func(row any) Value {
			all := get(row.(*T))
			if all == nil {
				return unknown(name)
			}
			return textList(all)
		},
	}
}

func list(name string, class Class, section string, vital bool, en, pl string) *field {
	return &field{Field: Field{Name: name, Type: "list", Class: class, Section: section, Vital: vital, Help: Words{en, pl}}}
}

func hidden(f *field) *field { f.hide = true; return f }

func osText(get func(*OS) Text) func(*Machine) Text {
	return func(m *Machine) Text {
		if m.OS == nil {
			return ""
		}
		return get(m.OS)
	}
}

func hwText(get func(*Hardware) Text) func(*Machine) Text {
	return func(m *Machine) Text {
		if m.Hardware == nil {
			return ""
		}
		return get(m.Hardware)
	}
}

func hwNumber(get func(*Hardware) Reading) func(*Machine) Reading {
	return func(m *Machine) Reading {
		if m.Hardware == nil {
			return Reading{}
		}
		return get(m.Hardware)
	}
}
