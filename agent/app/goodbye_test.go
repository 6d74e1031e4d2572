package app

import (
	"testing"

	"github.com/gorilla/websocket"

	"github.com/deskside/deskside/protocol"
)

// TestGoodbye: only an agent that ends says so. One whose line broke, whatever
// broke it, comes back.
func TestGoodbye(t *testing.T) {
	d := newDesk(t)
	stop := d.run(d.machine())
	for name, end := range map[string]func(*far) error{
		"text":      func(f *far) error { return f.WriteMessage(websocket.TextMessage, []byte("{}")) },
		"malformed": func(f *far) error { return f.WriteMessage(websocket.BinaryMessage, []byte{0xff}) },
		"refused":   func(f *far) error { return f.put(protocol.KindRefused, protocol.Refused{Code: protocol.CodeMalformed}) },
	} {
		f := d.line()
		if err := end(f); err != nil {
			t.Fatal(err)
		}
		if said := f.goodbye(); said != "none" {
			t.Errorf("%s: the machine says that it is %s", name, said)
		}
	}
	f := d.line()
	go stop()
	if said := f.goodbye(); said != protocol.GoodbyeStopped {
		t.Errorf("goodbye: %s", said)
	}
}
