package app_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/websocket"

	"github.com/deskside/deskside/agent/link"
	"github.com/deskside/deskside/protocol"
)

// patience opens connections that say nothing, or never anything whole, and
// returns a look at whether each was ended in time: the others go on meanwhile.
func (s *siege) patience(t *testing.T) func(*testing.T) {
	const header, hello, silent = 10 * time.Second, 20 * time.Second, 10 * time.Second
	beat := func(every string) {
		s.n.do(http.MethodPatch, "/settings", map[string]any{"beat": every}, nil, http.StatusOK)
	}
	beat("1s") // who is silent is hung up on, after ten seconds at least
	defer beat("30s")
	upgraded := func() net.Conn { return s.n.dial(t).ws.NetConn() }
	line := func(name string) *wire {
		x := s.n.line(t, s.n.enrolled(name), uuid.New())
		x.alive()
		return x
	}
	type slow struct {
		name  string
		conn  net.Conn
		limit time.Duration
		say   func(io.Writer) error // said again and again
	}
	nothing := func(io.Writer) error { return nil }
	list := []slow{
		{"no TLS", s.tcp(""), header, nothing},
		{"a TLS hello, a byte at a time", s.tcp(""), header, drip(clientHello())},
		{"a header, a byte at a time", s.tls(""), header, drip([]byte("GET " + link.Path + " HTTP/1.1\r\nHost: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"))},
		{"an upgrade and no hello", upgraded(), hello, nothing},
		{"pings in place of a hello", upgraded(), hello, drip(nil)},
		{"a hello, a byte at a time", upgraded(), hello, drip(masked(true, websocket.BinaryMessage, must(protocol.Encode(protocol.KindHello, helloAs(s.bad)))))},
		{"a hello and no proof", s.n.dial(t).greet(helloAs(s.bad)).ws.NetConn(), hello, nothing},
		{"a line that says nothing", line("mute").ws.NetConn(), silent, nothing},
		{"a line of pings only", line("pings").ws.NetConn(), silent, drip(nil)},
		{"a message of empty pieces", line("pieces").ws.NetConn(), silent, func(w io.Writer) error {
			_, err := w.Write(masked(false, 0, nil))
			return err
		}},
	}
	if _, err := list[len(list)-1].conn.Write(masked(false, websocket.BinaryMessage, []byte{0x82})); err != nil {
		t.Fatal(err)
	}
	took := make([]chan time.Duration, len(list))
	for i, x := range list {
		took[i] = make(chan time.Duration, 1)
		began := time.Now()
		go func() {
			tick := time.NewTicker(200 * time.Millisecond)
			defer tick.Stop()
			over := make(chan struct{})
			go func() {
				defer close(over)
				io.Copy(io.Discard, x.conn)
			}()
			for {
				select {
				case <-over:
					took[i] <- time.Since(began)
					return
				case <-tick.C:
					if x.say(x.conn) != nil {
						x.say = nothing
					}
				}
			}
		}()
	}
	return func(t *testing.T) {
		for i, x := range list {
			t.Run(x.name, func(t *testing.T) {
				select {
				case d := <-took[i]:
					if d > x.limit+5*time.Second {
						t.Errorf("it was hung up on after %s", d)
					}
				case <-time.After(x.limit):
					t.Error("it is not hung up on")
				}
			})
		}
	}
}

// drip says one byte each time, and pings when there is nothing.
func drip(all []byte) func(io.Writer) error {
	at := 0
	return func(w io.Writer) error {
		if len(all) == 0 {
			_, err := w.Write(masked(true, websocket.PingMessage, nil))
			return err
		}
		if at == len(all) {
			return nil
		}
		at++
		_, err := w.Write(all[at-1 : at])
		return err
	}
}

// masked is a frame of a WebSocket as a client sends it.
func masked(final bool, opcode int, payload []byte) []byte {
	first := byte(opcode)
	if final {
		first |= 0x80
	}
	head := []byte{first}
	switch n := len(payload); {
	case n < 126:
		head = append(head, 0x80|byte(n))
	case n < 1<<16:
		head = append(head, 0x80|126, byte(n>>8), byte(n))
	default:
		head = append(head, 0x80|127, 0, 0, 0, 0, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	return append(append(head, 0, 0, 0, 0), payload...) // a mask of zeros changes nothing
}

// clientHello is how a TLS connection begins.
func clientHello() []byte {
	here, there := net.Pipe()
	defer here.Close()
	go func() {
		tls.Client(there, &tls.Config{InsecureSkipVerify: true}).Handshake() // ends with the pipe
		there.Close()
	}()
	b := make([]byte, 4<<10)
	n, err := here.Read(b)
	if err != nil {
		panic(fmt.Sprint("a TLS hello: ", err))
	}
	return b[:n]
}
