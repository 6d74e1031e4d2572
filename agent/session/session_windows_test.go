package session

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"

	"github.com/deskside/deskside/protocol/stream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// opened is a terminal and the far end of its socket.
func opened(t *testing.T) (*terminal, *websocket.Conn) {
	t.Helper()
	far := make(chan *websocket.Conn, 1)
	var upgrader websocket.Upgrader
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			t.Error(err)
		}
		far <- ws
	}))
	t.Cleanup(server.Close)
	ws, _, err := websocket.DefaultDialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(server.URL, "http"), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ws.Close() })
	other := <-far
	t.Cleanup(func() { other.Close() })
	return newTerminal(ws), other
}

// TestTerminal: the shell is on a pseudo-console, what that shows comes out, what
// is typed is taken, and the end of the shell ends the terminal. Under Wine 8 only
// what the console itself writes goes through it: the shell's own words and keys
// are those of the test.
func TestTerminal(t *testing.T) {
	term, far := opened(t)
	ended := make(chan error, 1)
	go func() {
		_, err := term.run(t.Context(), 80, 24)
		ended <- err
	}()
	typed := []byte("exit\r\n")
	frame, err := stream.NewSender(stream.Input, 0).Next(typed)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []stream.Frame{stream.ResizeTo(133, 43), frame} {
		if err := far.WriteMessage(websocket.BinaryMessage, f.Bytes()); err != nil {
			t.Fatal(err)
		}
	}
	in := stream.NewReceiver(stream.Output, 0)
	var seen []byte
	var taken, exit *stream.Frame
	for {
		_, message, err := far.ReadMessage()
		if err != nil {
			break
		}
		f, err := stream.Parse(message)
		if err != nil {
			t.Fatal(err)
		}
		switch f.Kind {
		case stream.Output:
			fresh, err := in.Take(f)
			if err != nil {
				t.Fatal(err)
			}
			seen = append(seen, fresh...)
		case stream.Ack:
			taken = &f
		case stream.Exit:
			exit = &f
		}
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the terminal does not end")
	}
	if !strings.Contains(string(seen), "cmd.exe") {
		t.Errorf("the pseudo-console shows %q", seen)
	}
	if taken == nil || taken.Offset != uint64(len(typed)) {
		t.Errorf("what is typed is acknowledged as %+v", taken)
	}
	if exit == nil || exit.Offset != in.Offset() {
		t.Errorf("the end is %+v, after %d bytes", exit, in.Offset())
	}
}
