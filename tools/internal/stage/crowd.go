package stage

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// A Crowd is a process of pretend workstations.
type Crowd struct {
	Cmd      *exec.Cmd
	Machines int

	w       *World
	args    []string
	control string
}

// Crowd starts pretend workstations, their states in memory, and waits until all
// are online.
func (w *World) Crowd(machines, processes int) (*Crowd, error) {
	token, err := w.Tool("enrolment", "create", "--uses", strconv.Itoa(machines), "--expires", "2h")
	if err != nil {
		return nil, err
	}
	control, err := FreePort()
	if err != nil {
		return nil, err
	}
	data, err := os.MkdirTemp("/dev/shm", filepath.Base(w.dir)+"-")
	if err != nil {
		return nil, err
	}
	w.remove = append(w.remove, data)
	c := &Crowd{w: w, control: "http://" + control, Machines: machines, args: []string{"--console", w.Ready.URL, "--token", token,
		"--machines", strconv.Itoa(machines), "--processes", strconv.Itoa(processes), "--seed", strconv.Itoa(len(w.remove)),
		"--data", data, "--control", control}}
	return c, c.Start()
}

// Start starts them, the second time as the ones that they were.
func (c *Crowd) Start() (err error) {
	c.Cmd, _, err = c.w.Start(".cache/deskside-simulate", c.args...)
	return err
}

// Back is how many of them a console has welcomed after a moment.
func (c *Crowd) Back(after time.Time) (n int, err error) {
	return n, c.w.Get(c.control+"/back?after="+strconv.FormatInt(after.UnixMicro(), 10), &n)
}

// Held is what their process has in use when its garbage is collected, in bytes, and how
// many goroutines. What is free goes back to the system with it.
func (c *Crowd) Held() (heap, goroutines float64, err error) {
	var h struct {
		HeapBytes  float64 `json:"heap_bytes"`
		Goroutines float64
	}
	err = c.w.Get(c.control+"/held", &h)
	return h.HeapBytes, h.Goroutines, err
}

// Order gives so many of them a fault, 0 for all, leaving out the first ones of an order
// that is the same for each kind at all times.
func (c *Crowd) Order(kind string, count, from int) error {
	return c.w.Post(c.control+"/fault", map[string]any{"kind": kind, "count": count, "from": from}, nil)
}

// Get and Post speak with a control address.
func (w *World) Get(url string, into any) error { return w.Control(http.MethodGet, url, nil, into) }

func (w *World) Post(url string, body, into any) error {
	return w.Control(http.MethodPost, url, body, into)
}

// FreePort is a port that nobody has now.
func FreePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
