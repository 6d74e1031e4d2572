package link

import (
	"testing"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/protocol"
)

// TestHelloOf: what tells a machine that was cut off from one that was shut down
// crosses the border.
func TestHelloOf(t *testing.T) {
	h := helloOf(model.From{}, model.NewID(), protocol.Hello{}, protocol.Proof{Boot: "one", Left: true})
	if h.Boot != "one" || !h.Left {
		t.Errorf("boot %q, left %t", h.Boot, h.Left)
	}
	if !h.Clock.IsZero() {
		t.Errorf("a clock that nobody told shows %s", h.Clock)
	}
}
