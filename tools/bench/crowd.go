package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"time"
)

// A crowd is a process of pretend workstations.
type crowd struct {
	w        *world
	cmd      *exec.Cmd
	args     []string
	control  string
	machines int
}

// crowd starts pretend workstations, their states in memory, and waits until all
// are online.
func (w *world) crowd(machines, processes int) (*crowd, error) {
	token, err := w.tool("enrolment", "create", "--uses", strconv.Itoa(machines), "--expires", "2h")
	if err != nil {
		return nil, err
	}
	control, err := freePort()
	if err != nil {
		return nil, err
	}
	data, err := os.MkdirTemp("/dev/shm", "deskside-bench-")
	if err != nil {
		return nil, err
	}
	w.remove = append(w.remove, data)
	c := &crowd{w: w, control: "http://" + control, machines: machines, args: []string{"--console", w.ready.URL, "--token", token,
		"--machines", strconv.Itoa(machines), "--processes", strconv.Itoa(processes), "--seed", strconv.Itoa(len(w.remove)),
		"--data", data, "--control", control}}
	return c, c.start()
}

func (c *crowd) start() (err error) {
	c.cmd, _, err = c.w.start(".cache/deskside-simulate", c.args...)
	return err
}

// welcomes is how often a console has welcomed one of them.
func (c *crowd) welcomes() (n int, err error) {
	return n, c.w.get(c.control+"/welcomes", &n)
}

// order gives so many of them a fault.
func (c *crowd) order(kind string, count int) error {
	return c.w.post(c.control+"/fault", map[string]any{"kind": kind, "count": count}, nil)
}

// bareSide is the server without a product, and the sockets that it holds.
type bareSide struct {
	w       *world
	server  *exec.Cmd
	url     string
	control string
}

func (w *world) bareSide() (*bareSide, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	b := &bareSide{w: w}
	cmd, line, err := w.start(self, bareServer)
	if err != nil {
		return nil, err
	}
	var ready struct{ URL, Control string }
	if err := json.Unmarshal([]byte(line), &ready); err != nil {
		return nil, err
	}
	b.server, b.url, b.control = cmd, ready.URL, ready.Control
	return b, nil
}

// hold opens so many sockets more.
func (b *bareSide) hold(sockets int) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if _, _, err := b.w.start(self, bareSockets, b.url, strconv.Itoa(sockets)); err != nil {
		return err
	}
	return b.w.until("the bare server holds its sockets", func() (bool, error) {
		var n int
		return n >= sockets, b.w.get(b.control+"/sockets", &n)
	})
}

func (b *bareSide) ask(ask map[string]string) (time.Duration, error) {
	began := time.Now()
	err := b.w.post(b.control+"/ask", ask, nil)
	return time.Since(began), err
}

// get and post speak with a control address.
func (w *world) get(url string, into any) error { return w.control(http.MethodGet, url, nil, into) }

func (w *world) post(url string, body, into any) error {
	return w.control(http.MethodPost, url, body, into)
}

// freePort is a port that nobody has now.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// spent is what a process works while something is done.
func spent(pid int, do func() error) (time.Duration, error) {
	before, err := worked(pid)
	if err != nil {
		return 0, err
	}
	if err := do(); err != nil {
		return 0, err
	}
	after, err := worked(pid)
	if err != nil {
		return 0, fmt.Errorf("process %d: %w", pid, err)
	}
	return after - before, nil
}
