package app

import (
	"net"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/deskside/deskside/console/model"
)

// maxVisitors is how many connections of one neighbourhood may be open of which
// nobody has proven to be a machine: those that say nothing, or are in the middle
// of a hello, and browsers. Further ones are hung up on before they cost a
// handshake; a machine comes again a little later.
const maxVisitors = 2048

// doorway is the TLS listener with a bound on strangers. Whoever holds a key is
// bounded by it, and not by where they come from.
type doorway struct {
	net.Listener

	turns chan struct{} // one for each hello that is worked for now

	mu       sync.Mutex
	crowds   map[string]int      // visitors by neighbourhood
	visitors map[string]*visitor // by address and port
}

func newDoorway(l net.Listener) *doorway {
	return &doorway{Listener: l, turns: make(chan struct{}, 2*runtime.GOMAXPROCS(0)), crowds: map[string]int{}, visitors: map[string]*visitor{}}
}

// visitor is one connection, a visitor's until it is known or closed.
//
// Its handshake takes turns with others: what thousands say at the same time, when all
// machines come back, is worked for a few at a time, so that whoever has a page open
// does not wait behind all of them. A turn lasts from the first thing that is read to
// what is said to it; nobody has one while they are waited for.
type visitor struct {
	net.Conn
	doorway *doorway
	greeted atomic.Bool // something was said to it
	turn    atomic.Bool // it has one
}

// Read implements net.Conn.
func (v *visitor) Read(b []byte) (int, error) {
	v.pass()
	n, err := v.Conn.Read(b)
	if n > 0 && !v.greeted.Load() {
		v.doorway.turns <- struct{}{}
		v.turn.Store(true)
	}
	return n, err
}

// Write implements net.Conn.
func (v *visitor) Write(b []byte) (int, error) {
	v.greeted.Store(true)
	v.pass()
	return v.Conn.Write(b)
}

// pass gives the turn to the next.
func (v *visitor) pass() {
	if v.turn.CompareAndSwap(true, false) {
		<-v.doorway.turns
	}
}

// Accept implements net.Listener.
func (d *doorway) Accept() (net.Conn, error) {
	for {
		c, err := d.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if v := (&visitor{Conn: c, doorway: d}); d.enter(v) {
			return v, nil
		}
		c.Close()
	}
}

func (d *doorway) enter(v *visitor) bool {
	address := v.RemoteAddr().String()
	d.mu.Lock()
	defer d.mu.Unlock()
	crowd := model.Neighbourhood(address)
	if d.crowds[crowd] >= maxVisitors {
		return false
	}
	d.crowds[crowd]++
	d.visitors[address] = v
	return true
}

// known says that the connection from an address is a machine's.
func (d *doorway) known(address string) { d.leave(address, nil) }

// leave counts a visitor no longer: the one given, or whoever is at the address.
func (d *doorway) leave(address string, v *visitor) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if there := d.visitors[address]; there == nil || v != nil && there != v {
		return
	}
	delete(d.visitors, address)
	crowd := model.Neighbourhood(address)
	if d.crowds[crowd]--; d.crowds[crowd] == 0 {
		delete(d.crowds, crowd)
	}
}

// Close implements net.Conn.
func (v *visitor) Close() error {
	v.pass()
	v.doorway.leave(v.RemoteAddr().String(), v)
	return v.Conn.Close()
}
