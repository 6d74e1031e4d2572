package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// small is how much fits on a disk that is to be full: what is there after the
// first moments, and some rounds.
const small = 96 << 20

// mount makes a folder a small disk of its own, in memory.
func (w *world) mount(name string) error {
	dir := w.path(name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=0700,size="+strconv.Itoa(small)); err != nil {
		return fmt.Errorf("mount a small disk (this scene needs root): %w", err)
	}
	w.mounts = append(w.mounts, dir)
	return nil
}

// fill keeps a disk full for a while: whatever becomes free on it is taken.
func (w *world) fill(name string, d time.Duration) (err error) {
	path := filepath.Join(w.path(name), "ballast")
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(path)) }()
	full := false
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		for _, n := range []int{1 << 20, 4 << 10} {
			for err = nil; err == nil; {
				_, err = f.Write(make([]byte, n))
			}
			if !errors.Is(err, syscall.ENOSPC) {
				return err
			}
			full = true
		}
	}
	if !full {
		return fmt.Errorf("the disk %s did not get full", name)
	}
	return nil
}

// fillUp fills the disk of the workstations while their scripts write much, and cuts
// their lines meanwhile: what they wrote does not fit into what their memory has of
// the disk already.
func (w *world) fillUp(d time.Duration) error {
	var talks struct{ Machines []string }
	if err := w.order(http.MethodPost, "/fault", map[string]any{"kind": "talk", "count": 0}, &talks); err != nil {
		return err
	}
	w.network.set(cut)
	defer w.network.set(fine)
	return w.fill("machines", d)
}

// keepImage keeps what the workstations have on their disk now.
func (w *world) keepImage() error {
	if err := w.machines.signal(syscall.SIGSTOP); err != nil {
		return err
	}
	return errors.Join(copyFile(w.path("machines/machines.db"), w.path("image.db")), w.machines.signal(syscall.SIGCONT))
}

// setBack puts what was kept back, under workstations that have told more since.
func (w *world) setBack() error {
	w.hands.Lock()
	defer w.hands.Unlock()
	w.killed = true
	return errors.Join(w.machines.kill(), copyFile(w.path("image.db"), w.path("machines/machines.db")), w.machines.start())
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// copies is how many workstations are there twice.
const copies = 5

// twins starts some workstations a second time, as a copy of a disk would: with the
// same names, keys and memories. The newer lines win and are left in peace; what the
// copies tell is told once, and so is what the first ones tell when they come back.
func (r *round) twins() error {
	dir := r.path(fmt.Sprintf("twins%d", r.number))
	control, err := freePort()
	if err = errors.Join(err, os.Mkdir(dir, 0o700)); err != nil {
		return err
	}
	if err := errors.Join(r.keepImage(), copyFile(r.path("image.db"), filepath.Join(dir, "machines.db"))); err != nil {
		return err
	}
	args := append([]string{}, r.machines.args...)
	for i := range args {
		switch args[i] {
		case "--machines":
			args[i+1] = strconv.Itoa(copies)
		case "--data":
			args[i+1] = dir
		case "--control":
			args[i+1] = control
		}
	}
	twins := &process{name: "twins", dir: r.dir, args: args, said: r.hear}
	if err := twins.start(); err != nil {
		return err
	}
	stop := func() error { return errors.Join(twins.kill(), os.RemoveAll(dir)) }
	if err := r.asTwins("http://" + control); err != nil {
		return errors.Join(err, stop())
	}
	// The first ones wait for minutes before they come back, unless they are started.
	r.hands.Lock()
	defer r.hands.Unlock()
	r.killed = true
	return errors.Join(stop(), again(r.machines, 0))
}

func (r *round) asTwins(control string) error {
	before, err := r.since()
	if err != nil {
		return err
	}
	own := r.control
	defer func() { r.control = own }()
	r.control = control
	if err := r.fallIll(0); err != nil {
		return err
	}
	if err := r.settles("while copies are ill", []promise{{"each illness is one alert", func(r *round) error { return illnesses(r, true) }}}); err != nil {
		return err
	}
	var well struct{ Machines []string }
	if err := r.order(http.MethodPost, "/fault", map[string]any{"kind": "clear", "count": 0}, &well); err != nil {
		return err
	}
	if err := r.settles("when copies are well", r.promises(false)); err != nil {
		return err
	}
	now, err := r.since()
	if err != nil {
		return err
	}
	for _, name := range well.Machines { // all of them were ill
		if id := r.ids[name]; now[id] != before[id] {
			return never{fmt.Sprintf("two copies of %s fight over its line", name)}
		}
	}
	return nil
}

// beginning is what befalls the workstations before a round, while they are well.
func (r *round) beginning() error {
	switch dice := r.rand.IntN(12); {
	case r.scene.patient:
		return nil
	case dice == 0:
		r.did = append(r.did, "copied workstations")
		return r.twins()
	case dice <= 2 && r.number > 2:
		r.did = append(r.did, "workstations set back")
		return r.setBack()
	case dice <= 5 || r.number == 2:
		return r.keepImage()
	}
	return nil
}
