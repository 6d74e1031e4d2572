package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"

	"github.com/creack/pty"
	"github.com/gorilla/websocket"
)

// serveRelay says its address, takes one socket at /far and one at /near, and passes
// what comes from one to the other.
func serveRelay(ctx context.Context) error {
	cert, err := selfSigned()
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	upgrader := websocket.Upgrader{ReadBufferSize: 4 << 10, WriteBufferSize: 4 << 10}
	ends := map[string]chan *websocket.Conn{"/far": make(chan *websocket.Conn, 1), "/near": make(chan *websocket.Conn, 1)}
	server := &http.Server{
		TLSConfig: &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{cert}, NextProtos: []string{"http/1.1"}},
		ErrorLog:  log.New(io.Discard, "", 0),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if ws, err := upgrader.Upgrade(w, r, nil); err == nil {
				ends[r.URL.Path] <- ws
			}
		}),
	}
	go func() {
		far, near := <-ends["/far"], <-ends["/near"]
		go pass(far, near)
		pass(near, far)
	}()
	context.AfterFunc(ctx, func() { server.Close() })
	fmt.Println("wss://" + l.Addr().String())
	if err := server.ServeTLS(l, "", ""); err != http.ErrServerClosed {
		return err
	}
	return nil
}

func pass(from, to *websocket.Conn) {
	for {
		kind, b, err := from.ReadMessage()
		if err != nil || to.WriteMessage(kind, b) != nil {
			to.Close()
			return
		}
	}
}

// serveTerminal has a terminal at the far end of a relay.
func serveTerminal(ctx context.Context, url string) error {
	dialer := websocket.Dialer{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS13, InsecureSkipVerify: true}}
	ws, _, err := dialer.DialContext(ctx, url, nil)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", prompt)
	tty, err := pty.Start(cmd)
	if err != nil {
		return err
	}
	fmt.Println("there")
	go func() {
		for {
			_, b, err := ws.ReadMessage()
			if err != nil {
				tty.Close()
				return
			}
			tty.Write(b)
		}
	}()
	buffer := make([]byte, 32<<10)
	for {
		n, err := tty.Read(buffer)
		if err != nil {
			return nil // it was ended
		}
		if err := ws.WriteMessage(websocket.BinaryMessage, buffer[:n]); err != nil {
			fmt.Fprintln(os.Stderr, "relay:", err)
			return nil
		}
	}
}
