package stage

import (
	"crypto/tls"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"github.com/deskside/deskside/protocol/stream"
)

// A Terminal is one at a machine, through the console.
type Terminal struct {
	Session string // its id

	ws  *websocket.Conn
	in  *stream.Sender
	out *stream.Receiver
}

// Terminal opens one.
func (w *World) Terminal(machine string) (*Terminal, error) {
	var s struct{ ID string }
	err := w.Call(http.MethodPost, "/sessions", map[string]any{"machine_id": machine, "columns": 80, "rows": 24, "reason": "a measurement"}, &s)
	if err != nil {
		return nil, err
	}
	ws, err := w.Socket(strings.Replace(w.Ready.URL, "https", "wss", 1)+"/api/v1/sessions/"+s.ID+"/socket", http.Header{"Authorization": {"Bearer " + w.Token}})
	if err != nil {
		return nil, err
	}
	return &Terminal{Session: s.ID, ws: ws, in: stream.NewSender(stream.Input, 0), out: stream.NewReceiver(stream.Output, 0)}, nil
}

// Write types.
func (t *Terminal) Write(b []byte) error {
	f, err := t.in.Next(b)
	if err != nil {
		return err
	}
	return t.ws.WriteMessage(websocket.BinaryMessage, f.Bytes())
}

// Read is what was shown since, nothing where only something was told.
func (t *Terminal) Read() ([]byte, error) {
	_, message, err := t.ws.ReadMessage()
	if err != nil {
		return nil, err
	}
	f, err := stream.Parse(message)
	if err != nil || f.Kind != stream.Output {
		return nil, err
	}
	return t.out.Take(f)
}

// Leave says that nobody comes back, which ends the session.
func (t *Terminal) Leave() error {
	leave := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
	if err := t.ws.WriteControl(websocket.CloseMessage, leave, time.Now().Add(Patience)); err != nil {
		return err
	}
	return t.ws.Close()
}

// Socket opens a WebSocket.
func (w *World) Socket(url string, header http.Header) (*websocket.Conn, error) {
	dialer := websocket.Dialer{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS13, InsecureSkipVerify: true}}
	ws, _, err := dialer.DialContext(w.Ctx, url, header)
	return ws, err
}
