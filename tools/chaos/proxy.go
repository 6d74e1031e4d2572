package main

import (
	"net"
	"sync"
	"time"
)

// proxy is a network on the way to some programs, such as that between machines and
// consoles: each connection goes to the next one that answers.
type proxy struct {
	listener net.Listener

	mu   sync.Mutex
	to   []string
	next int
	mode mode
	open map[*pair]struct{}
	free *sync.Cond // the mode has changed
}

// pair is one connection, of a machine and of a console.
type pair struct {
	a, b  net.Conn
	moved time.Time // when something passed last; guarded by proxy.mu
}

func (p *pair) close() {
	p.a.Close()
	p.b.Close()
}

// mode is what the network is like.
type mode int

const (
	fine  mode = iota
	slow       // 64 KiB a second, each way of each connection
	stuck      // nothing moves, and nobody is told
	cut        // connections end, and none can be made
	hasty      // a connection on which nothing passes for 20 seconds ends
)

func newProxy() (*proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{listener: l, open: map[*pair]struct{}{}}
	p.free = sync.NewCond(&p.mu)
	go p.serve()
	go p.sweep()
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
			c.close()
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
	for _, end := range []net.Conn{a, b} { // a network keeps little of what it cannot pass on
		end.(*net.TCPConn).SetReadBuffer(bandwidth)
		end.(*net.TCPConn).SetWriteBuffer(bandwidth)
	}
	c := &pair{a: a, b: b, moved: time.Now()}
	defer c.close()
	p.mu.Lock()
	broken := p.mode == cut
	p.open[c] = struct{}{}
	p.mu.Unlock()
	if !broken {
		done := make(chan struct{}, 2)
		for _, way := range [][2]net.Conn{{a, b}, {b, a}} {
			go func() { p.copy(c, way[0], way[1]); done <- struct{}{} }()
		}
		<-done
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, c)
}

const haste = 20 * time.Second

// sweep ends what is idle, where the network is so hasty.
func (p *proxy) sweep() {
	for range time.Tick(time.Second) {
		p.mu.Lock()
		for c := range p.open {
			if p.mode == hasty && time.Since(c.moved) > haste {
				c.close()
			}
		}
		p.mu.Unlock()
	}
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

func (p *proxy) copy(c *pair, from, to net.Conn) {
	buf := make([]byte, 16<<10)
	for {
		n, err := from.Read(buf)
		p.mu.Lock()
		for p.mode == stuck {
			p.free.Wait()
		}
		m := p.mode
		c.moved = time.Now()
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
