package session

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"github.com/deskside/deskside/protocol/stream"
)

// handed is a connection in the place of an answer, as an upgrade takes it.
type handed struct {
	http.ResponseWriter
	conn net.Conn
}

func (h handed) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.conn, bufio.NewReadWriter(bufio.NewReader(h.conn), bufio.NewWriter(h.conn)), nil
}

// A ping that comes while a slow line is still taking what was written before is
// answered as soon as it has, and ends nothing.
func TestPongOnASlowLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		upgraded := make(chan *websocket.Conn)
		go func() {
			request, err := http.ReadRequest(bufio.NewReader(far))
			if err != nil {
				t.Error(err)
				return
			}
			ws, err := (&websocket.Upgrader{}).Upgrade(handed{conn: far}, request, nil)
			if err != nil {
				t.Error(err)
			}
			upgraded <- ws
		}()
		dialer := websocket.Dialer{NetDialContext: func(context.Context, string, string) (net.Conn, error) { return near, nil }}
		ws, _, err := dialer.DialContext(t.Context(), "ws://console/", nil)
		if err != nil {
			t.Fatal(err)
		}
		console := <-upgraded
		term, ended := newTerminal(ws), make(chan struct{})
		go func() { defer close(ended); term.read(nil) }()
		go term.notice("what the line is slow to take")
		synctest.Wait()
		if err := console.WriteControl(websocket.PingMessage, nil, time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(writeTime / 2)
		ponged := make(chan struct{})
		console.SetPongHandler(func(string) error { close(ponged); return nil })
		console.SetReadLimit(stream.MaxFrame)
		go func() {
			for {
				if _, _, err := console.ReadMessage(); err != nil {
					return
				}
			}
		}()
		select {
		case <-ponged:
		case <-ended:
			t.Error("the session ended because its line is slow")
		}
		console.Close()
		<-ended
		ws.Close()
	})
}
