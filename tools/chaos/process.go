package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// process is a program that dies and comes back as itself.
type process struct {
	name string
	dir  string // of its log
	args []string
	env  []string     // beside our own
	mute bool         // it does not say when it is ready
	said func([]byte) // hears each further line on its standard output; nil: nobody does

	clock string // the file that says how wrong its clock is; empty: it has that of this computer

	mu    sync.Mutex
	cmd   *exec.Cmd
	heard chan struct{} // closed when all that it said was read
}

// start starts the program and waits for the line of JSON that says that it is ready.
func (p *process) start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	cmd := exec.Command(p.args[0], p.args[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Env = append(append(os.Environ(), "HOME="+p.dir), p.env...) // of shells that are killed
	log, err := os.OpenFile(filepath.Join(p.dir, p.name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	heard := make(chan struct{})
	p.cmd, p.heard = cmd, heard
	if p.mute {
		go func() {
			io.Copy(io.Discard, out)
			close(heard)
		}()
		return nil
	}
	lines := bufio.NewScanner(out)
	first := make(chan []byte, 1)
	go func() {
		defer close(heard)
		for waits := true; lines.Scan(); {
			// A script may begin before the workstations are all there.
			switch said := lines.Bytes(); {
			case waits && !bytes.HasPrefix(said, []byte(`{"began"`)):
				waits = false
				first <- bytes.Clone(said)
			case p.said != nil:
				p.said(said)
			}
		}
		close(first)
	}()
	select {
	case line, ok := <-first:
		if !ok {
			return fmt.Errorf("%s ended before it was ready", p.name)
		}
		if !json.Valid(line) {
			return fmt.Errorf("%s says %q when it is ready", p.name, line)
		}
		return nil
	case <-time.After(2 * time.Minute):
		return fmt.Errorf("%s did not become ready", p.name)
	}
}

// kill ends it without a word.
func (p *process) kill() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	err := p.cmd.Process.Kill()
	p.wait()
	return err
}

// wait waits for its end, after all that it said was read: Wait drops what was not.
func (p *process) wait() {
	<-p.heard
	p.cmd.Wait()
}

// stop asks it to end, and waits.
func (p *process) stop() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return nil
	}
	err := p.cmd.Process.Signal(syscall.SIGTERM)
	ended := make(chan struct{})
	go func() { p.wait(); close(ended) }()
	select {
	case <-ended:
		return err
	case <-time.After(30 * time.Second):
		return errors.Join(fmt.Errorf("%s did not end", p.name), p.cmd.Process.Kill())
	}
}

func (p *process) freeze(d time.Duration) error {
	if err := p.signal(syscall.SIGSTOP); err != nil {
		return err
	}
	time.Sleep(d)
	return p.signal(syscall.SIGCONT)
}

func (p *process) signal(s syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cmd.Process.Signal(s)
}

// freePort is a port that nobody has now, of those that a system gives nobody who does not
// ask for them: what dies must come back at its address.
func freePort() (string, error) {
	var err error
	for range 20 {
		var l net.Listener
		if l, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(20_000))); err == nil {
			return l.Addr().String(), l.Close()
		}
	}
	return "", fmt.Errorf("find a free port: %w", err)
}

// serveNATS is the word with which this program is the message server: it has to be
// a process to be killed.
const serveNATS = "nats"

func natsServer(port string) {
	n, err := strconv.Atoi(port)
	if err != nil {
		panic(err)
	}
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: n, NoSigs: true})
	if err != nil {
		panic(err)
	}
	go s.Start()
	if s.ReadyForConnections(10 * time.Second) {
		fmt.Println(`{"ready":true}`)
	}
	io.Copy(io.Discard, os.Stdin) // until it is killed: nothing comes
	select {}
}
