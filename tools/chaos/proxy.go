package main

import (
	"net"
	"sync"
	"time"
)

// proxy is the network between machines and consoles: each connection goes to the
// next console that answers.
type proxy struct {
	listener net.Listener

	mu   sync.Mutex
	to   []string
	next int
	mode mode
	open map[net.Conn]struct{}
	free *sync.Cond // the mode has changed
}

// mode is what the network is like.
type mode int

const (
	fine  mode = iota
	slow       // 64 KiB a second, each way of each connection
	stuck      // nothing moves, and nobody is told
	cut        // connections end, and none can be made
)

func newProxy() (*proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{listener: l, open: map[net.Conn]struct{}{}}
	p.free = sync.NewCond(&p.mu)
	go p.serve()
	return p, nil
}

func (p *proxy) address() string { return p.listener.Addr().String() }

func (p *proxy) leads(to ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.to = to
}

// set changes the network; a cut ends what is open.
func (p *proxy) set(m mode) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mode = m
	if m == cut {
		for c := range p.open {
			c.Close()
		}
	}
	p.free.Broadcast()
}

func (p *proxy) serve() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return
		}
		go p.join(c)
	}
}

func (p *proxy) join(a net.Conn) {
	b := p.dial()
	if b == nil {
		a.Close()
		return
	}
	p.mu.Lock()
	broken := p.mode == cut
	p.open[a], p.open[b] = struct{}{}, struct{}{}
	p.mu.Unlock()
	if !broken {
		done := make(chan struct{}, 2)
		for _, way := range [][2]net.Conn{{a, b}, {b, a}} {
			go func() { p.copy(way[0], way[1]); done <- struct{}{} }()
		}
		<-done
	}
	a.Close()
	b.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, a)
	delete(p.open, b)
}

func (p *proxy) dial() net.Conn {
	p.mu.Lock()
	to, first := p.to, p.next
	p.next++
	p.mu.Unlock()
	for i := range to {
		if c, err := net.DialTimeout("tcp", to[(first+i)%len(to)], time.Second); err == nil {
			return c
		}
	}
	return nil
}

const bandwidth = 64 << 10 // bytes a second of a slow network

func (p *proxy) copy(from, to net.Conn) {
	buf := make([]byte, 16<<10)
	for {
		n, err := from.Read(buf)
		p.mu.Lock()
		for p.mode == stuck {
			p.free.Wait()
		}
		m := p.mode
		p.mu.Unlock()
		if m == slow {
			time.Sleep(time.Duration(n) * time.Second / bandwidth)
		}
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
