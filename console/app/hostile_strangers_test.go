package app_test

import (
	"bufio"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/websocket"

	"github.com/deskside/deskside/agent/link"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/protocol"
)

// strangers are attacks of whoever reaches the port and has proven nothing.
func strangers() []attack {
	return []attack{
		{name: "garbage in place of TLS", does: func(s *siege) {
			c := s.tcp("")
			noise := make([]byte, 4<<10)
			rand.Read(noise)
			noise[0] = 0xff
			c.Write(noise)
			s.hungUp(c)
		}},
		{name: "plain HTTP", does: func(s *siege) {
			c := s.tcp("")
			fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", link.Path)
			if r := must(http.ReadResponse(bufio.NewReader(c), nil)); r.StatusCode != http.StatusBadRequest {
				s.t.Errorf("answered %s", r.Status)
			}
			s.hungUp(c)
		}},
		{name: "TLS of yesterday", does: func(s *siege) {
			c := tls.Client(s.tcp(""), &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12})
			if err := c.Handshake(); err == nil {
				s.t.Error("the console speaks TLS 1.2")
			}
		}},
		{name: "headers without end", does: func(s *siege) {
			c := s.tls("")
			go func() {
				fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\n", link.Path)
				for range 10_000 {
					if _, err := fmt.Fprintf(c, "X-More: %s\r\n", strings.Repeat("x", 100)); err != nil {
						return
					}
				}
			}()
			if r, err := http.ReadResponse(bufio.NewReader(c), nil); err == nil && r.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
				s.t.Errorf("answered %s", r.Status)
			}
			s.hungUp(c)
		}},
		{name: "half-open connections by the thousand", does: halfOpen},
		{name: "another's id", does: func(s *siege) {
			h := helloAs(s.bad)
			h.Machine = s.good.id.Machine
			s.refuses(s.n.dial(s.t).greet(h), s.bad.Private(), protocol.CodeBadProof)
		}},
		{name: "another's id and key", does: func(s *siege) {
			h := helloAs(s.bad)
			h.Machine, h.Key = s.good.id.Machine, helloAs(s.good.id).Key
			s.refuses(s.n.dial(s.t).greet(h), s.bad.Private(), protocol.CodeBadProof)
		}},
		{name: "another's organisation", does: func(s *siege) {
			h := helloAs(s.bad)
			h.Organisation = s.theirs.Organisation
			s.refuses(s.n.dial(s.t).greet(h), s.bad.Private(), protocol.CodeUnknownKey)
		}},
		{name: "a proof over another nonce", does: func(s *siege) {
			x := s.n.dial(s.t).greet(helloAs(s.bad))
			x.identify.Nonce = protocol.Nonce()
			s.refuses(x, s.bad.Private(), protocol.CodeBadProof)
		}},
		{name: "a proof as the console's", does: func(s *siege) {
			x := s.n.dial(s.t).greet(helloAs(s.bad))
			transcript := must(protocol.TranscriptOf(x.hello, x.identify, x.channel, protocol.RoleConsole))
			x.say(protocol.KindProof, protocol.Proof{Signature: ed25519.Sign(s.bad.Private(), transcript), Purpose: protocol.ForMachine})
			s.wants(x, protocol.CodeBadProof)
		}},
		{name: "a hello and a proof again", does: func(s *siege) {
			x := s.n.dial(s.t).greet(helloAs(s.bad))
			transcript := must(protocol.TranscriptOf(x.hello, x.identify, x.channel, protocol.RoleAgent))
			p := protocol.Proof{Signature: ed25519.Sign(s.bad.Private(), transcript), Purpose: protocol.ForMachine, Name: "bad"}
			x.say(protocol.KindProof, p)
			if m := x.hear(); m.Kind != protocol.KindWelcome {
				s.t.Fatalf("the first time: %s", m.Kind)
			}
			y := s.n.dial(s.t).greet(x.hello) // nonce and all
			y.say(protocol.KindProof, p)
			s.wants(y, protocol.CodeBadProof)
		}},
		{name: "two hellos", does: func(s *siege) {
			x := s.n.dial(s.t).greet(helloAs(s.bad))
			x.say(protocol.KindHello, helloAs(s.good.id))
			s.wants(x, protocol.CodeMalformed)
		}},
		{name: "a hello of an absurd size", does: func(s *siege) {
			h := helloAs(s.bad)
			h.Nonce = make([]byte, protocol.MaxHelloFrame)
			x := s.n.dial(s.t)
			x.say(protocol.KindHello, h)
			s.wants(x, "", protocol.CodeMalformed)
		}},
		{name: "a proof of an absurd size", does: func(s *siege) {
			x := s.n.dial(s.t).greet(helloAs(s.bad))
			transcript := must(protocol.TranscriptOf(x.hello, x.identify, x.channel, protocol.RoleAgent))
			x.say(protocol.KindProof, protocol.Proof{Signature: ed25519.Sign(s.bad.Private(), transcript), Purpose: protocol.ForMachine,
				Name: strings.Repeat("x", protocol.MaxHelloFrame)})
			s.wants(x, "", protocol.CodeMalformed)
		}},
		{name: "who was expelled", leaves: map[string]int{"machine": 1, "audit": 4}, does: func(s *siege) {
			id := s.n.enrolled("expelled")
			path := "/machines/" + id.Machine.String()
			s.n.post(path+"/revoke", map[string]any{"version": s.n.get(path)["version"]}, nil)
			s.refuses(s.n.dial(s.t).greet(helloAs(id)), id.Private(), protocol.CodeRevoked)
		}},
		{name: "tokens by guessing", leaves: map[string]int{"audit": 1}, does: func(s *siege) {
			s.meanwhile(func() {
				for range 60 {
					if code := s.stranger(s.bad.Organisation).enrol(protocol.Enrol{Secret: protocol.Nonce()[:16], Name: "guess"}); code != protocol.CodeTokenWrong {
						s.t.Errorf("refused with %q", code)
					}
				}
			})
		}},
		{name: "a token of another organisation", leaves: map[string]int{"audit": 2}, does: func(s *siege) {
			token := must(protocol.ParseToken(s.other.enrolment(1)))
			if code := s.stranger(s.bad.Organisation).enrol(protocol.Enrol{Secret: token.Secret, Name: "wrong door"}); code != protocol.CodeTokenWrong {
				s.t.Errorf("refused with %q", code)
			}
		}},
		{name: "one token for many at once", leaves: map[string]int{"machine": 5, "audit": 7}, does: func(s *siege) {
			token := must(protocol.ParseToken(s.n.enrolment(5)))
			var group sync.WaitGroup
			var mu sync.Mutex
			let := 0
			for range 25 {
				x := s.stranger(s.bad.Organisation)
				group.Go(func() {
					if x.enrol(protocol.Enrol{Secret: token.Secret, Name: "crowd"}) == "" {
						mu.Lock()
						let++
						mu.Unlock()
					}
				})
			}
			group.Wait()
			if let != 5 {
				s.t.Errorf("a token for five let %d in", let)
			}
		}},
		{name: "an enrolment without its key", does: func(s *siege) {
			x := s.stranger(s.bad.Organisation)
			x.say(protocol.KindEnrol, protocol.Enrol{Secret: protocol.Nonce()[:16], Signature: make([]byte, 64)})
			s.wants(x.wire, protocol.CodeBadProof)
		}},
		{name: "an enrolment of an absurd size", does: func(s *siege) {
			x := s.stranger(s.bad.Organisation)
			x.say(protocol.KindEnrol, protocol.Enrol{Secret: make([]byte, protocol.MaxHelloFrame)})
			s.wants(x.wire, "", protocol.CodeMalformed)
		}},
		{name: "names that are more than names", leaves: map[string]int{"machine": 3, "audit": 6}, does: func(s *siege) {
			for name, want := range map[string]string{
				nasty:                      "",
				"../../etc/passwd":         "../../etc/passwd", // text, wherever it is shown
				strings.Repeat("long", 99): strings.Repeat("long", 16),
			} {
				token := must(protocol.ParseToken(s.n.enrolment(1)))
				x := s.stranger(s.bad.Organisation)
				os := protocol.OS{Family: name, Name: name, Version: name, Kernel: name, Arch: name}
				if code := x.enrol(protocol.Enrol{Secret: token.Secret, Name: name, OS: os, Agent: name, Hardware: map[string]string{name: name}}); code != "" {
					s.t.Fatalf("%q: %s", name, code)
				}
				shown := text(s.n.get("/machines/" + s.n.newest())["name"])
				if d := dirt(shown); d != "" || len([]rune(shown)) > 64 || want != "" && shown != want {
					s.t.Errorf("%q is shown as %q %s", name, shown, d)
				}
			}
		}},
	}
}

// halfOpen opens connections that say nothing, from one address. What is over the
// bound is hung up on; from another address everybody still comes in.
func halfOpen(s *siege) {
	const from, many = "127.0.0.9", 2500
	conns := make([]net.Conn, many)
	for i := range conns {
		conns[i] = s.tcp(from)
	}
	defer func() {
		for _, c := range conns {
			c.Close()
		}
	}()
	open := func() (n int) {
		for _, c := range conns {
			c.SetReadDeadline(time.Now().Add(200 * time.Microsecond))
			if _, err := c.Read(make([]byte, 1)); err != nil && strings.Contains(err.Error(), "timeout") {
				n++
			}
		}
		return n
	}
	s.n.eventually(disturbed, "no more of one address are open than may be", func() bool { return open() <= 2048 })
	began := time.Now()
	s.line()
	if took := time.Since(began); took > disturbed {
		s.t.Errorf("another one came in after %s", took)
	}
	for _, c := range conns {
		c.Close()
	}
	s.n.eventually(disturbed, "the same address comes in again", func() bool {
		return tls.Client(s.tcp(from), &tls.Config{InsecureSkipVerify: true}).Handshake() == nil
	})
}

// tcp opens a connection, from an address of this machine when one is named.
func (s *siege) tcp(from string) net.Conn {
	s.t.Helper()
	d := net.Dialer{Timeout: 10 * time.Second}
	if from != "" {
		d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(from)}
	}
	c, err := d.Dial("tcp", strings.Replace(strings.TrimPrefix(s.n.ready.URL, "https://"), "localhost", "127.0.0.1", 1))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	return c
}

func (s *siege) tls(from string) net.Conn {
	s.t.Helper()
	c := tls.Client(s.tcp(from), &tls.Config{InsecureSkipVerify: true})
	if err := c.Handshake(); err != nil {
		s.t.Fatal(err)
	}
	return c
}

// hungUp waits until the console ends a connection.
func (s *siege) hungUp(c net.Conn) {
	s.t.Helper()
	c.SetReadDeadline(time.Now().Add(15 * time.Second))
	if _, err := io.Copy(io.Discard, c); err != nil && strings.Contains(err.Error(), "timeout") {
		s.t.Error("the console does not hang up")
	}
}

// refuses proves a key on a greeted connection and wants to be refused.
func (s *siege) refuses(x *wire, key ed25519.PrivateKey, code string) {
	s.t.Helper()
	m := x.prove(key, protocol.Proof{Epoch: uuid.New(), Name: "bad"})
	var r protocol.Refused
	if x.read(m, &r); m.Kind != protocol.KindRefused || r.Code != code {
		s.t.Errorf("%s %+v, want %s", m.Kind, r, code)
	}
	x.ended()
}

// wants wants a connection to be refused with one of some codes, and ended.
func (s *siege) wants(x *wire, codes ...string) {
	s.t.Helper()
	if got := x.ended(); !contains(codes, got) {
		s.t.Errorf("refused with %q, want %q", got, codes)
	}
}

// stranger is a greeted connection with a key of nobody.
type stranger struct {
	*wire
	key ed25519.PrivateKey
}

func (s *siege) stranger(organisation model.ID) stranger {
	s.t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	return stranger{s.n.dial(s.t).greet(protocol.Hello{Version: protocol.Version, MinVersion: protocol.MinVersion, Organisation: organisation,
		Key: key.Public().(ed25519.PublicKey), Nonce: protocol.Nonce()}), key}
}

// enrol asks for a name and returns the code with which it is refused.
func (x stranger) enrol(e protocol.Enrol) string {
	e.Signature = ed25519.Sign(x.key, must(protocol.TranscriptOf(x.hello, x.identify, x.channel, protocol.RoleAgent)))
	if err := x.ws.WriteMessage(websocket.BinaryMessage, must(protocol.Encode(protocol.KindEnrol, e))); err != nil {
		return err.Error()
	}
	m, err := x.next()
	if err != nil {
		return err.Error()
	}
	var r protocol.Refused
	if m.Kind == protocol.KindRefused && protocol.Unmarshal(m.Body, &r) == nil {
		return r.Code
	}
	return ""
}
