package app_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/protocol"
)

// TestBlind: a machine that cannot judge all of its checks is not called well.
func TestBlind(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		n := w.start("")
		id := n.enrolled("LAP-BLIND")
		x := n.line(t, id, uuid.New())
		says := func(health, want string) {
			t.Helper()
			x.say(protocol.KindBeat, protocol.Beat{At: time.Now().UnixMicro(), Health: health})
			n.eventually(5*time.Second, "it says "+health, func() bool { return n.get("/machines/" + id.Machine.String())["health"] == want })
		}
		says("ok", "ok")
		says("unknown", "unknown")
		if list := n.items("/machines?health=unknown"); len(list) != 1 {
			t.Errorf("among the unknown: %v", list)
		}
		x = n.line(t, id, uuid.New()) // one that begins while it is known to be blind
		says("ok", "ok")
		says("unknown", "unknown")
		x = n.line(t, id, uuid.New())
		says("\x00<b>", "ok")
	})
}
