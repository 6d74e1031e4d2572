package api

import (
	"context"
	"net/http"
	"os"
	"runtime/metrics"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/console/model"
)

// Node is what the process of one console holds, of several the one that answers.
// What the system does not tell is null.
type Node struct {
	ID            uuid.UUID `json:"id" doc:"a new one each time the console starts"`
	Version       string    `json:"version"`
	StartedAt     time.Time `json:"started_at"`
	Machines      int       `json:"machines" doc:"of your organisation that are connected to this node"`
	Goroutines    uint64    `json:"goroutines"`
	HeapBytes     uint64    `json:"heap_bytes" doc:"what was still in use at the last collection of garbage"`
	Collections   uint64    `json:"collections" doc:"of garbage, since the start"`
	ResidentBytes *int64    `json:"resident_bytes" doc:"of memory, as the system counts; null where it does not tell"`
	Descriptors   *int      `json:"descriptors" doc:"open files and sockets; null where the system does not tell"`
}

func (a *API) nodeRoutes() {
	operation(a, http.MethodGet, "/node", string(model.NodeRead), "What the console that answers holds in its process", func(ctx context.Context, _ *struct{}) (*Answer[Node], error) {
		n := held()
		n.ID, n.Version, n.StartedAt = a.rooms.Node, a.rooms.Version, a.rooms.Started.UTC()
		n.Machines = a.rooms.Lines(callerOf(ctx).organisation)
		return &Answer[Node]{n}, nil
	})
}

// held is what this process holds now.
func held() Node {
	samples := []metrics.Sample{{Name: "/sched/goroutines:goroutines"}, {Name: "/gc/heap/live:bytes"}, {Name: "/gc/cycles/total:gc-cycles"}}
	metrics.Read(samples)
	return Node{Goroutines: samples[0].Value.Uint64(), HeapBytes: samples[1].Value.Uint64(), Collections: samples[2].Value.Uint64(),
		ResidentBytes: resident(), Descriptors: descriptors()}
}

// resident is what of this process is in memory, nil where there is no /proc.
func resident() *int64 {
	raw, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return nil
	}
	fields := strings.Fields(string(raw)) // all, resident, shared and so on, in pages
	if len(fields) < 2 {
		return nil
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return nil
	}
	bytes := pages * int64(os.Getpagesize())
	return &bytes
}

// descriptors is how many this process has open, nil where there is no /proc.
func descriptors() *int {
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return nil
	}
	n := len(open) - 1 // that with which they were listed
	return &n
}
