package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// No process can be given another time of day on a computer that others use too: a
// time namespace moves the uptime alone, and faketime does not reach programs that
// ask the system themselves, as ours do. So in the scenes about clocks the programs
// are built with one line more in the library's time.Now: it adds what a file says,
// which the process has mapped and this one writes. All else is what is shipped.

// wrongClock names that file to a program that was built so.
const wrongClock = "DESKSIDE_WRONG_CLOCK"

// wrongSource is a file more in package time.
const wrongSource = `package time

import (
	"syscall"
	"unsafe"
)

var wrong *int64 // seconds; somebody else writes it

func init() {
	path, ok := syscall.Getenv("` + wrongClock + `")
	if !ok {
		return
	}
	fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		panic(path + ": " + err.Error())
	}
	b, err := syscall.Mmap(fd, 0, 8, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		panic(path + ": " + err.Error())
	}
	wrong = (*int64)(unsafe.Pointer(&b[0]))
}

func wrongBy() int64 {
	if wrong == nil {
		return 0
	}
	return *wrong
}
`

// buildWrong builds the programs with a clock that can be set, into .cache/wrong.
func (w *world) buildWrong() error {
	root, err := exec.CommandContext(w.ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return fmt.Errorf("go env: %w", err)
	}
	library := filepath.Join(strings.TrimSpace(string(root)), "src", "time")
	source, err := os.ReadFile(filepath.Join(library, "time.go"))
	if err != nil {
		return err
	}
	const asks = "func Now() Time {\n\tsec, nsec, mono := runtimeNow()\n"
	before, after, found := strings.Cut(string(source), asks)
	if !found {
		return fmt.Errorf("%s: time.Now is not what it was; see what it is now and write it down here", library)
	}
	dir, err := filepath.Abs(".cache/wrong")
	if err != nil {
		return err
	}
	overlay := map[string]map[string]string{"Replace": {}}
	for name, text := range map[string]string{"time.go": before + asks + "\tsec += wrongBy()\n" + after, "wrong.go": wrongSource} {
		at := filepath.Join(dir, "time", name)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(at, []byte(text), 0o644); err != nil {
			return err
		}
		overlay["Replace"][filepath.Join(library, name)] = at
	}
	list, err := json.Marshal(overlay)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "overlay.json"), list, 0o644); err != nil {
		return err
	}
	for name, source := range map[string]string{"deskside-console": "./console", "deskside-agent": "./agent", "deskside-simulate": "./agent/simulate"} {
		build := exec.CommandContext(w.ctx, "go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "-o", filepath.Join(dir, name), source)
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("build %s with a clock that can be set: %w: %s", name, err, out)
		}
	}
	return nil
}

// program is where one of ours is.
func (w *world) program(name string) string {
	switch {
	case w.scene.clocks:
		return ".cache/wrong/" + name
	case name == "deskside-simulate":
		return ".cache/" + name
	}
	return "bin/" + name
}

// withClock gives a process a clock of its own, which is right.
func (w *world) withClock(p *process) (*process, error) {
	if !w.scene.clocks {
		return p, nil
	}
	p.clock = w.path(p.name + ".clock")
	p.env = append(p.env, wrongClock+"="+p.clock)
	return p, p.setClock(0)
}

// setClock makes the clock of a process wrong by so much, at once.
func (p *process) setClock(by time.Duration) error {
	f, err := os.OpenFile(p.clock, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err := f.WriteAt(binary.NativeEndian.AppendUint64(nil, uint64(by/time.Second)), 0); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// wrongFor makes the clock of a process wrong by an hour or a year for a while. Half
// of the times the process starts with it, as a computer without a clock of its own.
func (w *world) wrongFor(p *process, r *rand.Rand, d time.Duration) error {
	by := []time.Duration{time.Hour, -time.Hour, 365 * 24 * time.Hour, -365 * 24 * time.Hour}[r.IntN(4)]
	starts := r.IntN(2) == 0
	if starts {
		if err := p.kill(); err != nil {
			return err
		}
	}
	if err := p.setClock(by); err != nil {
		return err
	}
	if starts {
		if err := p.start(); err != nil {
			return fmt.Errorf("%s does not start with a clock that is wrong by %s: %w", p.name, by, err)
		}
	}
	time.Sleep(d)
	return p.setClock(0)
}
