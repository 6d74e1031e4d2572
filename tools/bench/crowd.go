package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/deskside/deskside/tools/internal/stage"
)

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
	cmd, line, err := w.Start(self, bareServer)
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
	if _, _, err := b.w.Start(self, bareSockets, b.url, strconv.Itoa(sockets)); err != nil {
		return err
	}
	return b.w.Until("the bare server holds its sockets", func() (bool, error) {
		var n int
		return n >= sockets, b.w.Get(b.control+"/sockets", &n)
	})
}

func (b *bareSide) ask(ask map[string]string) (time.Duration, error) {
	began := time.Now()
	err := b.w.Post(b.control+"/ask", ask, nil)
	return time.Since(began), err
}

// spent is what a process works while something is done.
func spent(pid int, do func() error) (time.Duration, error) {
	before, err := stage.Worked(pid)
	if err != nil {
		return 0, err
	}
	if err := do(); err != nil {
		return 0, err
	}
	after, err := stage.Worked(pid)
	if err != nil {
		return 0, fmt.Errorf("process %d: %w", pid, err)
	}
	return after - before, nil
}
