//go:build linux || windows

package repair

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/agent/state"
	"github.com/deskside/deskside/protocol"
)

// heard is what a runner says on the line.
type heard struct {
	mu     sync.Mutex
	output []byte
	pieces int
	gap    bool
	taken  chan struct{}
	first  chan struct{} // closed at the first output
	kept   chan struct{}
	asked  []string
}

func (h *heard) send(kind protocol.Kind, body any) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch m := body.(type) {
	case protocol.Output:
		if h.pieces == 0 {
			close(h.first)
		}
		h.pieces++
		h.gap = h.gap || m.Offset != int64(len(h.output)) || len(m.Data) > pieceMost
		h.output = append(h.output, m.Data...)
	case protocol.Taken:
		h.taken <- struct{}{}
	}
	return true
}

func runner(t *testing.T, dir string) (*Runner, *heard) {
	t.Helper()
	s, err := state.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	h := &heard{taken: make(chan struct{}, 100), first: make(chan struct{}), kept: make(chan struct{}, 100)}
	verify := func(_ context.Context, check, instance string) protocol.Verdict {
		h.asked = append(h.asked, check+" "+instance)
		return protocol.Verdict{Check: check, Verdict: "verified"}
	}
	return New(s, "linux", Calls{Send: h.send, Kept: func() { h.kept <- struct{}{} }, Verify: verify}, slog.New(slog.DiscardHandler)), h
}

// do runs one script to its result.
func do(t *testing.T, text string, timeout time.Duration, work *protocol.Work) (protocol.Result, *heard) {
	t.Helper()
	r, h := runner(t, t.TempDir())
	id := uuid.New()
	result, done := r.perform(t.Context(), protocol.Result{Run: id}, shell(text, timeout), work)
	if !done || result.Run != id {
		t.Fatalf("the run did not end: %+v", result)
	}
	if _, err := os.Stat(r.folder(id)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder of the run is still there: %v", err)
	}
	if h.gap {
		t.Error("the output has a gap")
	}
	return result, h
}

func code(r protocol.Result) int {
	if r.ExitCode == nil {
		return -1
	}
	return *r.ExitCode
}
