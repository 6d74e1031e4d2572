package main

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
)

// way is how one machine reaches the console: from an address of its own where
// the console is on this computer, and not at all while it is cut.
type way struct {
	from netip.Addr

	mu   sync.Mutex
	cut  bool
	open map[net.Conn]struct{}
}

// newWay makes the way of the i-th machine: 127.0.0.2, 127.0.0.3 and so on.
func newWay(i int) *way {
	i += 2
	return &way{from: netip.AddrFrom4([4]byte{127, 0, byte(i >> 8), byte(i)}), open: map[net.Conn]struct{}{}}
}

var errCut = errors.New("the line of this machine is cut")

func (w *way) dial(ctx context.Context, network, address string) (net.Conn, error) {
	w.mu.Lock()
	cut := w.cut
	w.mu.Unlock()
	if cut {
		return nil, errCut
	}
	var d net.Dialer
	if port, ok := strings.CutPrefix(address, "localhost:"); ok {
		address = "127.0.0.1:" + port
	}
	if at, err := netip.ParseAddrPort(address); err == nil && at.Addr().Is4() && at.Addr().IsLoopback() {
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(w.from, 0))
	}
	c, err := d.DialContext(ctx, network, address)
	if err != nil && d.LocalAddr != nil { // only Linux has all of 127.0.0.0/8
		c, err = new(net.Dialer).DialContext(ctx, network, address)
	}
	if err != nil {
		return nil, err
	}
	kept := &conn{Conn: c, way: w}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cut {
		return nil, errors.Join(errCut, c.Close())
	}
	w.open[kept] = struct{}{}
	return kept, nil
}

// setCut cuts the line, or lets it be made again.
func (w *way) setCut(cut bool) {
	w.mu.Lock()
	w.cut = cut
	var ended []net.Conn
	for c := range w.open {
		if cut {
			ended = append(ended, c)
		}
	}
	w.mu.Unlock()
	for _, c := range ended {
		c.Close()
	}
}

// conn leaves its way when it is closed.
type conn struct {
	net.Conn
	way *way
}

// SetWriteBuffer bounds what waits to be sent below us.
func (c *conn) SetWriteBuffer(bytes int) error {
	if below, ok := c.Conn.(*net.TCPConn); ok {
		return below.SetWriteBuffer(bytes)
	}
	return nil
}

func (c *conn) Close() error {
	c.way.mu.Lock()
	delete(c.way.open, c)
	c.way.mu.Unlock()
	return c.Conn.Close()
}
