package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"os"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/sync/errgroup"

	"github.com/deskside/deskside/protocol"
	"github.com/deskside/deskside/protocol/expression"
	"github.com/deskside/deskside/tools/internal/stage"
)

// The other side of the rows about many machines: a server that holds WebSockets
// over TLS with the least that can be had of gorilla/websocket (small buffers, one
// goroutine a socket, none of them in a handler), and the sockets' other ends. Both
// are processes of their own, as console and machines are, and both are this
// program, called by these words.
const (
	bareServer  = "bare-server"
	bareSockets = "bare-sockets" // then the server's address, and how many

	bareRelay    = "bare-relay"
	bareTerminal = "bare-terminal" // then the relay's address
)

func bare(ctx context.Context, words []string) error {
	switch {
	case len(words) == 1 && words[0] == bareServer:
		return serveBare(ctx)
	case len(words) == 3 && words[0] == bareSockets:
		n, err := strconv.Atoi(words[2])
		if err != nil {
			return err
		}
		return holdBare(ctx, words[1], n)
	case len(words) == 1 && words[0] == bareRelay:
		return serveRelay(ctx)
	case len(words) == 2 && words[0] == bareTerminal:
		return serveTerminal(ctx, words[1])
	}
	return fmt.Errorf("%q is none of this program's words", words)
}

// bareAsk is what the server sends: text to be sent back, or a question.
type bareAsk struct {
	Text       string `cbor:"1,keyasint,omitempty"`
	Expression string `cbor:"2,keyasint,omitempty"`
}

type bareHub struct {
	mu       sync.Mutex
	sockets  []*websocket.Conn
	answered atomic.Int64
	all      chan struct{} // of one round, closed with its last answer
}

// serveBare says {"url": ..., "control": ...} and serves until ctx ends. POST /ask
// on its control address goes to all sockets; the answer comes when
// all have answered. POST /collect collects its garbage: it is weighed at its best.
func serveBare(ctx context.Context) error {
	cert, err := selfSigned()
	if err != nil {
		return err
	}
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	control, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	h := &bareHub{}
	upgrader := websocket.Upgrader{ReadBufferSize: 1 << 10, WriteBufferSize: 1 << 10, WriteBufferPool: &sync.Pool{}}
	sockets := &http.Server{
		TLSConfig: &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{cert}},
		ErrorLog:  log.New(io.Discard, "", 0),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if ws, err := upgrader.Upgrade(w, r, nil); err == nil {
				go h.read(ws)
			}
		}),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /sockets", func(w http.ResponseWriter, _ *http.Request) {
		h.mu.Lock()
		defer h.mu.Unlock()
		json.NewEncoder(w).Encode(len(h.sockets))
	})
	mux.HandleFunc("POST /collect", func(http.ResponseWriter, *http.Request) { debug.FreeOSMemory() })
	mux.HandleFunc("POST /ask", func(w http.ResponseWriter, r *http.Request) {
		var ask bareAsk
		if err := json.NewDecoder(r.Body).Decode(&ask); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if err := h.ask(ask); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	orders := &http.Server{Handler: mux}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return sockets.ServeTLS(socket, "", "") })
	group.Go(func() error { return orders.Serve(control) })
	group.Go(func() error {
		<-ctx.Done()
		return errors.Join(sockets.Close(), orders.Close())
	})
	err = json.NewEncoder(os.Stdout).Encode(map[string]string{"url": "wss://" + socket.Addr().String(), "control": "http://" + control.Addr().String()})
	if err != nil {
		return err
	}
	if err := group.Wait(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func (h *bareHub) read(ws *websocket.Conn) {
	h.mu.Lock()
	h.sockets = append(h.sockets, ws)
	h.mu.Unlock()
	for {
		_, frame, err := ws.ReadMessage()
		if err != nil {
			return
		}
		var table expression.Answer
		if len(frame) > 0 && protocol.Unmarshal(frame, &table) != nil {
			return
		}
		h.mu.Lock()
		n, all := len(h.sockets), h.all
		h.mu.Unlock()
		if h.answered.Add(1) == int64(n) {
			close(all)
		}
	}
}

// ask writes with as many goroutines as the console does, and waits for the last
// answer.
func (h *bareHub) ask(ask bareAsk) error {
	frame, err := protocol.Marshal(ask)
	if err != nil {
		return err
	}
	h.mu.Lock()
	h.all = make(chan struct{})
	h.answered.Store(0)
	sockets, all := h.sockets, h.all
	h.mu.Unlock()
	const writers = 32
	var group errgroup.Group
	for w := range writers {
		group.Go(func() error {
			for i := w; i < len(sockets); i += writers {
				if err := sockets[i].WriteMessage(websocket.BinaryMessage, frame); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	select {
	case <-all:
		return nil
	case <-time.After(stage.Patience):
		return fmt.Errorf("%d of %d answered", h.answered.Load(), len(sockets))
	}
}

// holdBare opens n sockets, each from an address of its own, says {"open": n} and
// answers what comes until ctx ends.
func holdBare(ctx context.Context, url string, n int) error {
	machine := crowded(200)
	opening := errgroup.Group{}
	opening.SetLimit(64)
	for i := range n {
		opening.Go(func() error {
			from := netip.AddrFrom4([4]byte{127, 1, byte(i >> 8), byte(i)})
			dialer := websocket.Dialer{
				NetDialContext:  (&net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))}).DialContext,
				TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS13, InsecureSkipVerify: true},
				ReadBufferSize:  1 << 10, WriteBufferSize: 1 << 10,
			}
			ws, _, err := dialer.DialContext(ctx, url, nil)
			if err != nil {
				return err
			}
			go answerBare(ws, machine)
			return nil
		})
	}
	if err := opening.Wait(); err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(map[string]int{"open": n}); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

func answerBare(ws *websocket.Conn, machine *expression.Machine) {
	for {
		_, frame, err := ws.ReadMessage()
		if err != nil {
			return
		}
		answer, err := answerOf(frame, machine)
		if err == nil {
			err = ws.WriteMessage(websocket.BinaryMessage, answer)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "bare:", err)
			ws.Close()
			return
		}
	}
}

func answerOf(frame []byte, machine *expression.Machine) ([]byte, error) {
	var ask bareAsk
	if err := protocol.Unmarshal(frame, &ask); err != nil {
		return nil, err
	}
	if ask.Expression == "" {
		return protocol.Marshal(expression.Answer{Columns: []string{ask.Text}})
	}
	program, err := expression.Compile(expression.Use{Kind: expression.Question}, ask.Expression)
	if err != nil {
		return nil, err
	}
	table, err := program.Answer(machine)
	if err != nil {
		return nil, err
	}
	return protocol.Marshal(table)
}

// crowded is a machine with so many processes.
func crowded(processes int) *expression.Machine {
	m := &expression.Machine{ObservedAt: expression.TimeOf(time.Now())}
	for i := range processes {
		m.Processes = append(m.Processes, expression.Process{PID: int64(i + 1), Name: expression.Text("program-" + strconv.Itoa(i)), State: "sleeping",
			Owner: "somebody", CPU: expression.Known(0.01), RSSBytes: expression.Known(2e9 / float64(i+1))})
	}
	return m
}

func selfSigned() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour), DNSNames: []string{"localhost"}}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}, err
}
