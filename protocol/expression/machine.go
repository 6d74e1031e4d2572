package expression

// A Machine is what is known of one workstation at one moment. It is the one
// shape of facts everywhere: the probes fill it, checks and questions read it,
// it travels in sections as CBOR, and the HTTP API shows it as JSON.
//
// Nothing in it has to be there. A nil section was not read; an empty list was
// read and is empty. A Reading, Text, Flag or Time in its zero state is
// unknown, which is never the same as 0, "" or false. Unreadable tells why.
type Machine struct {
	ObservedAt Time `json:"observed_at" cbor:"1,keyasint,omitzero"`

	// Facts: what the machine is and has.
	OS          *OS          `json:"os" cbor:"2,keyasint,omitzero"`
	Hardware    *Hardware    `json:"hardware" cbor:"3,keyasint,omitzero"`
	Filesystems []Filesystem `json:"filesystems" cbor:"4,keyasint,omitzero"`
	Network     []Interface  `json:"network" cbor:"5,keyasint,omitzero"`
	People      []Person     `json:"people" cbor:"6,keyasint,omitzero"`
	Services    []Service    `json:"services" cbor:"7,keyasint,omitzero"`

	// Vitals: numbers that change from round to round.
	Processes     []Process   `json:"processes" cbor:"8,keyasint,omitzero"`
	CPU           CPU         `json:"cpu" cbor:"9,keyasint,omitzero"`
	Memory        Memory      `json:"memory" cbor:"10,keyasint,omitzero"`
	Swap          Memory      `json:"swap" cbor:"11,keyasint,omitzero"`
	Disks         []Disk      `json:"disks" cbor:"12,keyasint,omitzero"`
	NetworkIO     []NetworkIO `json:"network_io" cbor:"13,keyasint,omitzero"`
	ProcessCount  Reading     `json:"process_count" cbor:"14,keyasint,omitzero"`
	UptimeSeconds Reading     `json:"uptime_seconds" cbor:"15,keyasint,omitzero"`

	Unreadable []Unreadable `json:"unreadable" cbor:"16,keyasint,omitzero"`
}

// OS is the operating system. Family is "linux", "windows" or "darwin"; ID is
// the short name of the distribution ("debian", "fedora"), Name the long one.
type OS struct {
	Family   Text `json:"family" cbor:"1,keyasint,omitzero"`
	ID       Text `json:"id" cbor:"2,keyasint,omitzero"`
	Name     Text `json:"name" cbor:"3,keyasint,omitzero"`
	Version  Text `json:"version" cbor:"4,keyasint,omitzero"`
	Kernel   Text `json:"kernel" cbor:"5,keyasint,omitzero"`
	Arch     Text `json:"arch" cbor:"6,keyasint,omitzero"`
	Hostname Text `json:"hostname" cbor:"7,keyasint,omitzero"`
	BootedAt Time `json:"booted_at" cbor:"8,keyasint,omitzero"`
}

// Hardware is the computer itself. Cores counts what the scheduler sees,
// PhysicalCores what is soldered. Virtual names the hypervisor, if there is one.
type Hardware struct {
	Vendor        Text    `json:"vendor" cbor:"1,keyasint,omitzero"`
	Model         Text    `json:"model" cbor:"2,keyasint,omitzero"`
	Serial        Text    `json:"serial" cbor:"3,keyasint,omitzero"`
	CPUModel      Text    `json:"cpu_model" cbor:"4,keyasint,omitzero"`
	Cores         Reading `json:"cores" cbor:"5,keyasint,omitzero"`
	PhysicalCores Reading `json:"physical_cores" cbor:"6,keyasint,omitzero"`
	MemoryBytes   Reading `json:"memory_bytes" cbor:"7,keyasint,omitzero"`
	Virtual       Text    `json:"virtual" cbor:"8,keyasint,omitzero"`
}

// A Filesystem is one mounted volume. Kind is "local", "removable", "network",
// "memory" (tmpfs) or "image" (read-only by nature: squashfs, ISO 9660).
//
// Used is UsedBytes / (UsedBytes + AvailableBytes), as df says it: 1 when the
// people at the machine can write nothing more, whatever is kept for root.
type Filesystem struct {
	Mount           Text    `json:"mount" cbor:"1,keyasint,omitzero"`
	Device          Text    `json:"device" cbor:"2,keyasint,omitzero"`
	Type            Text    `json:"type" cbor:"3,keyasint,omitzero"`
	Kind            Text    `json:"kind" cbor:"4,keyasint,omitzero"`
	ReadOnly        Flag    `json:"read_only" cbor:"5,keyasint,omitzero"`
	SizeBytes       Reading `json:"size_bytes" cbor:"6,keyasint,omitzero"`
	UsedBytes       Reading `json:"used_bytes" cbor:"7,keyasint,omitzero"`
	AvailableBytes  Reading `json:"available_bytes" cbor:"8,keyasint,omitzero"`
	Used            Reading `json:"used" cbor:"9,keyasint,omitzero"`
	Inodes          Reading `json:"inodes" cbor:"10,keyasint,omitzero"`
	InodesUsed      Reading `json:"inodes_used" cbor:"11,keyasint,omitzero"`
	InodesUsedRatio Reading `json:"inodes_used_ratio" cbor:"12,keyasint,omitzero"`
}

// An Interface is one network interface. Addresses are in CIDR notation.
type Interface struct {
	Name      Text     `json:"name" cbor:"1,keyasint,omitzero"`
	Addresses []string `json:"addresses" cbor:"2,keyasint,omitzero"`
	MAC       Text     `json:"mac" cbor:"3,keyasint,omitzero"`
	Up        Flag     `json:"up" cbor:"4,keyasint,omitzero"`
	SpeedBits Reading  `json:"speed_bits" cbor:"5,keyasint,omitzero"`
	MTU       Reading  `json:"mtu" cbor:"6,keyasint,omitzero"`
}

// A Person is somebody signed in. One person on two terminals is two rows.
type Person struct {
	Name     Text `json:"name" cbor:"1,keyasint,omitzero"`
	Since    Time `json:"since" cbor:"2,keyasint,omitzero"`
	Terminal Text `json:"terminal" cbor:"3,keyasint,omitzero"`
}

// A Service is one service of the system. State is "running", "exited" (did
// its work and ended well), "starting", "stopping", "paused", "stopped" or
// "failed"; Start is "auto", "manual" or "disabled". A systemd unit is named
// without its ".service".
type Service struct {
	Name        Text `json:"name" cbor:"1,keyasint,omitzero"`
	DisplayName Text `json:"display_name" cbor:"2,keyasint,omitzero"`
	State       Text `json:"state" cbor:"3,keyasint,omitzero"`
	Start       Text `json:"start" cbor:"4,keyasint,omitzero"`
}

// A Process is one running program. CPU counts cores over the last round: 1 is
// one core kept busy, 0.5 half of one; it is unknown in a process's first
// round. State is "running", "sleeping", "waiting" (for a disk), "stopped",
// "zombie" or "idle".
type Process struct {
	PID         int64   `json:"pid" cbor:"1,keyasint,omitzero"`
	Name        Text    `json:"name" cbor:"2,keyasint,omitzero"`
	CPU         Reading `json:"cpu" cbor:"3,keyasint,omitzero"`
	RSSBytes    Reading `json:"rss_bytes" cbor:"4,keyasint,omitzero"`
	Owner       Text    `json:"owner" cbor:"5,keyasint,omitzero"`
	StartedAt   Time    `json:"started_at" cbor:"6,keyasint,omitzero"`
	State       Text    `json:"state" cbor:"7,keyasint,omitzero"`
	CommandLine Text    `json:"command_line" cbor:"8,keyasint,omitzero"`
}

// CPU is the whole processor. Used is a ratio of all cores together.
type CPU struct {
	Used    Reading `json:"used" cbor:"1,keyasint,omitzero"`
	Load1m  Reading `json:"load_1m" cbor:"2,keyasint,omitzero"`
	Load5m  Reading `json:"load_5m" cbor:"3,keyasint,omitzero"`
	Load15m Reading `json:"load_15m" cbor:"4,keyasint,omitzero"`
}

// Memory is main memory or swap. Used is the ratio that programs cannot get
// without pushing something out: 1 - available/total.
type Memory struct {
	TotalBytes     Reading `json:"total_bytes" cbor:"1,keyasint,omitzero"`
	UsedBytes      Reading `json:"used_bytes" cbor:"2,keyasint,omitzero"`
	AvailableBytes Reading `json:"available_bytes" cbor:"3,keyasint,omitzero"`
	Used           Reading `json:"used" cbor:"4,keyasint,omitzero"`
}

// A Disk is the traffic of one block device, in bytes a second over the last
// round. Partitions are not listed beside their disk.
type Disk struct {
	Device Text    `json:"device" cbor:"1,keyasint,omitzero"`
	Read   Reading `json:"read_bytes_per_second" cbor:"2,keyasint,omitzero"`
	Write  Reading `json:"write_bytes_per_second" cbor:"3,keyasint,omitzero"`
}

// NetworkIO is the traffic of one network interface, in bytes a second over
// the last round. The loopback interface is not listed.
type NetworkIO struct {
	Name     Text    `json:"name" cbor:"1,keyasint,omitzero"`
	Receive  Reading `json:"receive_bytes_per_second" cbor:"2,keyasint,omitzero"`
	Transmit Reading `json:"transmit_bytes_per_second" cbor:"3,keyasint,omitzero"`
}

// Unreadable names something that could not be read, and why: What is a
// section or a field of one ("services", "processes.owner"), Why a short
// sentence in English for the technician.
type Unreadable struct {
	What string `json:"what" cbor:"1,keyasint"`
	Why  string `json:"why" cbor:"2,keyasint"`
}
