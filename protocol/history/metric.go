package history

import (
	"fmt"
	"slices"
	"sync"
)

// A Metric is one line of the list of what has a history. Names and units are
// those of the OpenTelemetry semantic conventions, but traffic, which they
// count up, is kept as a rate.
type Metric struct {
	Number   uint16
	Name     string
	Unit     string            // "1" of a ratio, "By", "By/s", "{process}"
	Instance string            // the attribute that the instance is, "" without one
	Fixed    map[string]string // attributes that every series of it has
	scale    float64           // value x scale is kept as an integer
}

// The numbers of the metrics. They are on disks and on the wire: the list only
// grows, and no number is used again.
const (
	CPUUtilization        = 1
	LoadAverage1m         = 2
	MemoryUtilization     = 3
	MemoryUsage           = 4
	PagingUtilization     = 5
	FilesystemUtilization = 6
	FilesystemUsage       = 7
	InodesUtilization     = 8
	DiskRead              = 9
	DiskWrite             = 10
	NetworkReceive        = 11
	NetworkTransmit       = 12
	ProcessCount          = 13
)

const (
	mount = "system.filesystem.mountpoint"
	disk  = "system.device"
	card  = "network.interface.name"
)

// Metrics returns the list, by number.
func Metrics() []Metric { return slices.Clone(metrics()) }

var metrics = sync.OnceValue(func() []Metric {
	way := func(kind, direction string) map[string]string { return map[string]string{kind: direction} }
	return []Metric{
		{CPUUtilization, "system.cpu.utilization", "1", "", nil, 1000},
		{LoadAverage1m, "system.cpu.load_average.1m", "{thread}", "", nil, 100},
		{MemoryUtilization, "system.memory.utilization", "1", "", nil, 1000},
		{MemoryUsage, "system.memory.usage", "By", "", nil, 1.0 / (1 << 20)},
		{PagingUtilization, "system.paging.utilization", "1", "", nil, 1000},
		{FilesystemUtilization, "system.filesystem.utilization", "1", mount, nil, 10000},
		{FilesystemUsage, "system.filesystem.usage", "By", mount, nil, 1.0 / (1 << 16)},
		{InodesUtilization, "system.filesystem.inodes.utilization", "1", mount, nil, 10000},
		{DiskRead, "system.disk.io", "By/s", disk, way("disk.io.direction", "read"), 1.0 / (1 << 7)},
		{DiskWrite, "system.disk.io", "By/s", disk, way("disk.io.direction", "write"), 1.0 / (1 << 7)},
		{NetworkReceive, "system.network.io", "By/s", card, way("network.io.direction", "receive"), 1.0 / (1 << 7)},
		{NetworkTransmit, "system.network.io", "By/s", card, way("network.io.direction", "transmit"), 1.0 / (1 << 7)},
		{ProcessCount, "system.process.count", "{process}", "", nil, 1},
	}
})

// MetricOf returns the metric with that number. One that this program does not
// know yet has a made-up name, so that rows of a newer agent can be read.
func MetricOf(number uint16) Metric {
	if list := metrics(); number >= 1 && int(number) <= len(list) {
		return list[number-1]
	}
	return Metric{Number: number, Name: fmt.Sprintf("unknown.%d", number), Unit: "1", Instance: "instance", scale: 1}
}

// Attributes returns the attributes of one series of the metric.
func (m Metric) Attributes(instance string) map[string]string {
	out := make(map[string]string, len(m.Fixed)+1)
	for k, v := range m.Fixed {
		out[k] = v
	}
	if m.Instance != "" && instance != "" {
		out[m.Instance] = instance
	}
	return out
}
