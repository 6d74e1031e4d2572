package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"
)

// kinds of faults; clear ends them.
var kinds = [...]string{"filesystem", "cpu", "service", "offline", "talk", "clear"}

// order is a fault for so many machines, at a moment.
type order struct {
	kind  string
	count int
	after time.Duration
}

// orders are what --fault was given, by their time.
type orders []order

func (o *orders) String() string { return fmt.Sprint(*o) }

// Set reads KIND=COUNT@SECONDS.
func (o *orders) Set(text string) error {
	kind, rest, _ := strings.Cut(text, "=")
	count, seconds, _ := strings.Cut(rest, "@")
	n, err := strconv.Atoi(count)
	s, err2 := strconv.ParseFloat(seconds, 64)
	if !slices.Contains(kinds[:], kind) || errors.Join(err, err2) != nil || n < 0 || !(s >= 0 && s <= 1e6) {
		return fmt.Errorf("a fault is KIND=COUNT@SECONDS, KIND one of %v", kinds)
	}
	*o = append(*o, order{kind, n, time.Duration(s * float64(time.Second))})
	slices.SortStableFunc(*o, func(a, b order) int { return int(a.after - b.after) })
	return nil
}

// follow makes the ordered faults, each at its time.
func (s *simulation) follow(ctx context.Context, from time.Time) error {
	for _, o := range s.options.faults {
		timer := time.NewTimer(time.Until(from.Add(o.after)))
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
			s.fault(o.kind, o.count, 0)
		}
	}
	return nil
}

// fault gives a fault to count machines that do not have it yet, or clears count
// of those that have one, and returns their names. 0 means all. The first from of the
// kind's order come last, so that who asks on and on reaches everyone.
func (s *simulation) fault(kind string, count, from int) []string {
	names := []string{}
	// Each kind has an order of its own, so that faults do not all meet on the same
	// machines.
	r := rand.New(rand.NewPCG(s.options.seed, uint64(slices.Index(kinds[:], kind))))
	order := r.Perm(len(s.machines))
	for n := range order {
		m := s.machines[order[(n+from)%len(order)]]
		if count > 0 && len(names) == count {
			break
		}
		if m.set(kind) {
			names = append(names, m.name)
		}
	}
	return names
}

// serve takes orders on a loopback address.
func (s *simulation) serve(ctx context.Context, address string) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !at.Addr().IsLoopback() {
		return fmt.Errorf("--control is a loopback address such as 127.0.0.1:9000, not %q", address)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("--control: %w", err)
	}
	s.log.Warn("faults are ordered here", "control", l.Addr().String())
	mux := http.NewServeMux()
	mux.HandleFunc("POST /fault", s.takeFault)
	mux.HandleFunc("GET /back", s.tellBack)
	mux.HandleFunc("GET /held", tellHeld)
	server := &http.Server{Handler: mux, ReadTimeout: 5 * time.Second, WriteTimeout: 30 * time.Second} // an order may be for thousands
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// tellBack tells how many machines a console has welcomed after a moment, which is
// given in microseconds.
func (s *simulation) tellBack(w http.ResponseWriter, r *http.Request) {
	after, err := strconv.ParseInt(r.URL.Query().Get("after"), 10, 64)
	if err != nil {
		http.Error(w, "after is a moment in microseconds", http.StatusBadRequest)
		return
	}
	n := 0
	for _, m := range s.machines {
		if m.welcomed.Load() > after {
			n++
		}
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(n)
}

// tellHeld tells what is in use when all garbage is collected, and gives the rest back to
// the system: how much of that a process still has moves by itself.
func tellHeld(w http.ResponseWriter, _ *http.Request) {
	debug.FreeOSMemory() // what is kept for the next who needs one goes with the second collection
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]uint64{"heap_bytes": m.HeapAlloc, "goroutines": uint64(runtime.NumGoroutine())})
}

func (s *simulation) takeFault(w http.ResponseWriter, r *http.Request) {
	var ask struct {
		Kind  string `json:"kind"`
		Count int    `json:"count"`
		From  int    `json:"from"`
	}
	// A page in a browser cannot send this type without being asked first.
	if r.Header.Get("Content-Type") != "application/json" {
		http.Error(w, "the body is application/json", http.StatusUnsupportedMediaType)
		return
	}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4<<10))
	d.DisallowUnknownFields()
	if err := d.Decode(&ask); err != nil || ask.Count < 0 || ask.From < 0 || ask.From > maxMachines || !slices.Contains(kinds[:], ask.Kind) {
		http.Error(w, fmt.Sprintf(`the body is {"kind": one of %v, "count": 0 or more, "from": 0 or more}`, kinds), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string][]string{"machines": s.fault(ask.Kind, ask.Count, ask.From)})
}
