package nodes

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/websocket"
)

// A console is a node with an HTTP server behind Accept.
type console struct {
	*Nodes
	server *httptest.Server
}

func serve(t *testing.T, secure bool, handler func(n *Nodes, w http.ResponseWriter, r *http.Request)) console {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ResponseHeaderTimeout: 5 * time.Second}
	n, err := Open(Options{Self: uuid.New(), Secret: secret, Transport: transport, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { transport.CloseIdleConnections(); n.Close() })
	s := httptest.NewUnstartedServer(n.Accept(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler(n, w, r) })))
	if secure {
		s.TLS = &tls.Config{MinVersion: tls.VersionTLS13}
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return console{n, s}
}

var upgrader = websocket.Upgrader{}

// echo answers every message, after one that tells what it knows of the client.
func echo(t *testing.T, w http.ResponseWriter, r *http.Request) {
	ws, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		t.Error(err)
		return
	}
	defer ws.Close()
	o, ok := FromContext(r.Context())
	if err := ws.WriteJSON(map[string]any{"forwarded": ok, "origin": o, "host": r.Host, "remote": r.RemoteAddr, "uri": r.RequestURI, "cookie": r.Header.Get("Cookie"), "header": r.Header.Get(forwardedHeader)}); err != nil {
		t.Error(err)
	}
	for {
		kind, data, err := ws.ReadMessage()
		if err != nil {
			return
		}
		if err := ws.WriteMessage(kind, data); err != nil {
			return
		}
	}
}

// A WebSocket ends at the other node, which knows where it came from, both
// ways, however much flows; with TLS it knows the exporter of the client's
// connection, so that a hello can be bound to it.
func TestForwardWebSocket(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprint("tls=", secure), func(t *testing.T) {
			b := serve(t, secure, func(n *Nodes, w http.ResponseWriter, r *http.Request) { echo(t, w, r) })
			a := serve(t, secure, func(n *Nodes, w http.ResponseWriter, r *http.Request) {
				n.Forward(w, r, b.self, b.server.URL)
			})
			const uri = "/api/v1/sessions/%C5%BC/socket?a=1&b=%20"
			address := strings.Replace(a.server.URL, "http", "ws", 1) + uri
			dialer := websocket.Dialer{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
			ws, _, err := dialer.Dial(address, http.Header{"Cookie": {"c=1"}, "Origin": {a.server.URL}})
			if err != nil {
				t.Fatal(err)
			}
			defer ws.Close()
			var said struct {
				Forwarded                         bool
				Origin                            Origin
				Host, Remote, URI, Cookie, Header string
			}
			if err := ws.ReadJSON(&said); err != nil {
				t.Fatal(err)
			}
			local := ws.LocalAddr().String()
			if !said.Forwarded || said.Origin.Node != a.self || said.Origin.Address != local || said.Remote != local || said.Origin.TLS != secure ||
				said.URI != uri || said.Cookie != "c=1" || said.Header != "" || "http://"+said.Host != strings.Replace(a.server.URL, "https", "http", 1) {
				t.Errorf("%+v", said)
			}
			if secure {
				state := ws.NetConn().(*tls.Conn).ConnectionState()
				want, err := state.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32)
				if err != nil || !bytes.Equal(said.Origin.Channel, want) {
					t.Errorf("channel %x, want %x, %v", said.Origin.Channel, want, err)
				}
			} else if said.Origin.Channel != nil {
				t.Error("a channel without TLS")
			}
			big := bytes.Repeat([]byte("0123456789abcdef"), 16<<10) // 256 KiB
			const rounds = 100
			go func() {
				for range rounds {
					if err := ws.WriteMessage(websocket.BinaryMessage, big); err != nil {
						t.Error(err)
						return
					}
				}
			}()
			for range rounds {
				if _, got, err := ws.ReadMessage(); err != nil || !bytes.Equal(got, big) {
					t.Fatalf("%d bytes, %v", len(got), err)
				}
			}
		})
	}
}

func TestForwardPlain(t *testing.T) {
	b := serve(t, false, func(n *Nodes, w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("X-Answer", "yes")
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprintf(w, "%s %s", r.Method, body)
	})
	a := serve(t, false, func(n *Nodes, w http.ResponseWriter, r *http.Request) { n.Forward(w, r, b.self, b.server.URL) })
	resp, err := a.server.Client().Post(a.server.URL+"/x", "text/plain", strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got, _ := io.ReadAll(resp.Body); string(got) != "POST hello" || resp.StatusCode != http.StatusTeapot || resp.Header.Get("X-Answer") != "yes" {
		t.Errorf("%d %q", resp.StatusCode, got)
	}
}

// Two nodes that both think the other one has it.
func TestForwardLoop(t *testing.T) {
	var a, b console
	a = serve(t, false, func(n *Nodes, w http.ResponseWriter, r *http.Request) { n.Forward(w, r, b.self, b.server.URL) })
	b = serve(t, false, func(n *Nodes, w http.ResponseWriter, r *http.Request) { n.Forward(w, r, a.self, a.server.URL) })
	resp, err := a.server.Client().Get(a.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusLoopDetected {
		t.Errorf("status %d", resp.StatusCode)
	}
}

func TestForwardToNobody(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for _, address := range []string{gone.URL, "", "%zz", "http://"} {
		a := serve(t, false, func(n *Nodes, w http.ResponseWriter, r *http.Request) { n.Forward(w, r, uuid.New(), address) })
		resp, err := a.server.Client().Get(a.server.URL)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
			t.Errorf("%q: status %d", address, resp.StatusCode)
		}
	}
}

// Only a node can say where a request came from: once, for one request, to one
// node, for half a minute.
func TestForgedForward(t *testing.T) {
	reached := 0
	b := serve(t, false, func(n *Nodes, w http.ResponseWriter, r *http.Request) { reached++ })
	stranger := newForwarder(uuid.New(), derive(bytes.Repeat([]byte("x"), 32), "forwarding"), nil, slog.Default())
	friend := newForwarder(uuid.New(), derive(secret, "forwarding"), nil, slog.Default())
	now := time.Now()
	request := func() *http.Request {
		r, err := http.NewRequest("GET", b.server.URL+"/x?y=1", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Cookie", "mine")
		return r
	}
	o := Origin{Address: "192.0.2.1:1"}
	good := friend.sign(request(), o, b.self, now)
	for _, c := range []struct {
		name   string
		header []string
		change func(*http.Request)
		want   int
	}{
		{"a good one", []string{good}, nil, 200},
		{"the same again", []string{good}, nil, 403},
		{"another secret", []string{stranger.sign(request(), o, b.self, now)}, nil, 403},
		{"for another node", []string{friend.sign(request(), o, uuid.New(), now)}, nil, 403},
		{"old", []string{friend.sign(request(), o, b.self, now.Add(-freshClaim-time.Second))}, nil, 403},
		{"of the future", []string{friend.sign(request(), o, b.self, now.Add(freshClaim+time.Minute))}, nil, 403},
		{"another method", []string{friend.sign(request(), o, b.self, now)}, func(r *http.Request) { r.Method = "POST" }, 403},
		{"another path", []string{friend.sign(request(), o, b.self, now)}, func(r *http.Request) { r.URL.Path = "/z" }, 403},
		{"another query", []string{friend.sign(request(), o, b.self, now)}, func(r *http.Request) { r.URL.RawQuery = "y=2" }, 403},
		{"another cookie", []string{friend.sign(request(), o, b.self, now)}, func(r *http.Request) { r.Header.Set("Cookie", "yours") }, 403},
		{"two cookies", []string{friend.sign(request(), o, b.self, now)}, func(r *http.Request) { r.Header.Add("Cookie", "yours") }, 403},
		{"another host", []string{friend.sign(request(), o, b.self, now)}, func(r *http.Request) { r.Host = "evil.example" }, 403},
		{"another origin", []string{friend.sign(request(), o, b.self, now)}, func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }, 403},
		{"a token added", []string{friend.sign(request(), o, b.self, now)}, func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") }, 403},
		{"two headers", []string{friend.sign(request(), o, b.self, now), friend.sign(request(), o, b.self, now)}, nil, 403},
		{"nothing in it", []string{""}, nil, 403},
		{"nonsense", []string{"a.b"}, nil, 403},
		{"no MAC", []string{strings.Split(friend.sign(request(), o, b.self, now), ".")[0]}, nil, 403},
		{"too long", []string{strings.Repeat("A", 100_000)}, nil, 403},
		{"another good one", []string{friend.sign(request(), o, b.self, now)}, nil, 200},
		{"none", nil, nil, 200},
	} {
		r := request()
		r.Header[forwardedHeader] = c.header
		if c.change != nil {
			c.change(r)
		}
		before := reached
		resp, err := b.server.Client().Do(r)
		if err != nil {
			t.Fatal(c.name, err)
		}
		resp.Body.Close()
		if resp.StatusCode != c.want || (reached > before) != (c.want == 200) {
			t.Errorf("%s: status %d, reached %v", c.name, resp.StatusCode, reached > before)
		}
	}
}

// The claim that a client brings along is not passed on.
func TestForwardReplacesTheClaim(t *testing.T) {
	b := serve(t, false, func(n *Nodes, w http.ResponseWriter, r *http.Request) {
		o, ok := FromContext(r.Context())
		fmt.Fprint(w, ok, o.Address)
	})
	target, _ := url.Parse(b.server.URL)
	friend := newForwarder(uuid.New(), derive(secret, "forwarding"), nil, slog.Default())
	// The first node does not stand behind Accept here.
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { b.Forward(w, r, b.self, target.String()) }))
	defer front.Close()
	r, _ := http.NewRequest("GET", front.URL, nil)
	r.Header.Set(forwardedHeader, friend.sign(r, Origin{Address: "forged"}, b.self, time.Now()))
	r.Header.Set("X-Forwarded-For", "forged")
	resp, err := front.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got, _ := io.ReadAll(resp.Body); !strings.HasPrefix(string(got), "true127.0.0.1:") {
		t.Errorf("got %q", got)
	}
}

func TestNonces(t *testing.T) {
	s := &nonces{at: map[string]time.Time{}}
	now := time.Now()
	if !s.first("a", now) || s.first("a", now.Add(time.Second)) || s.first("a", now.Add(2*freshClaim)) {
		t.Error("a nonce was taken twice while it was fresh")
	}
	for i := range 1000 {
		s.first(fmt.Sprint(i), now)
	}
	s.first("b", now.Add(4*freshClaim))
	if len(s.at) != 1 {
		t.Errorf("%d old nonces are kept", len(s.at))
	}
}

func TestFromContext(t *testing.T) {
	if _, ok := FromContext(context.Background()); ok {
		t.Error("forwarded by nobody")
	}
}
