package app

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/agent/link"
	"github.com/deskside/deskside/protocol"
)

// The help desk of a machine is a local socket: whoever is signed in here may
// ask for a link to the help page, and gets one in their own name. The name is
// that of the account at the other end of the socket, as the system says it;
// nothing that the other end says is believed.

const (
	helpSocket = "help.sock"
	helpWait   = 15 * time.Second
	helpMost   = 8 // askers at one time
)

type helpAnswer struct {
	URL   string `json:"url,omitempty"`
	Error string `json:"error,omitempty"`
}

type helpDesk struct {
	dir  string
	line *link.Line
	log  *slog.Logger

	mu      sync.Mutex
	waiting map[uuid.UUID]chan protocol.HelpLink
}

func newHelpDesk(dir string, line *link.Line, log *slog.Logger) *helpDesk {
	return &helpDesk{dir: dir, line: line, log: log, waiting: map[uuid.UUID]chan protocol.HelpLink{}}
}

// helpPath is where the socket is. The state's folder is its owner's alone, so
// for a service that runs as the administrator it is in a folder of its own.
func helpPath(state string) string {
	if os.Geteuid() == 0 {
		if dir := "/run/deskside"; os.MkdirAll(dir, 0o755) == nil {
			if filepath.Clean(state) == DefaultState() {
				return filepath.Join(dir, helpSocket)
			}
		}
	}
	return filepath.Join(state, helpSocket)
}

func (h *helpDesk) run(ctx context.Context) error {
	path := helpPath(h.dir)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		h.log.Warn("nobody can ask for help from this machine", "error", err)
		return nil
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		h.log.Warn("nobody can ask for help from this machine", "error", err)
		return nil
	}
	if err := os.Chmod(path, 0o666); err != nil {
		h.log.Warn("only the administrator can ask for help from this machine", "error", err)
	}
	go func() {
		<-ctx.Done()
		l.Close()
	}()
	var group sync.WaitGroup
	defer group.Wait()
	slots := make(chan struct{}, helpMost)
	for {
		c, err := l.Accept()
		if err != nil {
			return nil
		}
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			defer c.Close()
			h.serve(ctx, c)
		})
	}
}

func (h *helpDesk) serve(ctx context.Context, c net.Conn) {
	answer := helpAnswer{}
	who, err := peerName(c)
	if err == nil {
		answer.URL, err = h.link(ctx, who)
	}
	if err != nil {
		answer.Error = err.Error()
	}
	if c.SetWriteDeadline(time.Now().Add(5*time.Second)) == nil {
		json.NewEncoder(c).Encode(answer)
	}
}

func (h *helpDesk) link(ctx context.Context, who string) (string, error) {
	id := uuid.New()
	answer := make(chan protocol.HelpLink, 1)
	h.mu.Lock()
	h.waiting[id] = answer
	h.mu.Unlock()
	defer func() {
		h.mu.Lock()
		delete(h.waiting, id)
		h.mu.Unlock()
	}()
	if !h.line.Send(protocol.KindHelp, protocol.Help{Request: id, Person: who}) {
		return "", errors.New("this computer has no connection to the help desk just now")
	}
	select {
	case a := <-answer:
		if a.Refusal != "" {
			return "", errors.New(a.Refusal)
		}
		return a.URL, nil
	case <-ctx.Done():
		return "", ctx.Err()
	case <-time.After(helpWait):
		return "", errors.New("the help desk did not answer in time")
	}
}

// answer is called by the line's reader.
func (h *helpDesk) answer(l protocol.HelpLink) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if ch := h.waiting[l.Request]; ch != nil {
		select {
		case ch <- l:
		default:
		}
	}
}

// AskForHelp asks the agent of this machine for a link to the help page.
func AskForHelp(ctx context.Context, state string) (string, error) {
	d := net.Dialer{Timeout: 5 * time.Second}
	c, err := d.DialContext(ctx, "unix", helpPath(state))
	if err != nil {
		return "", fmt.Errorf("%w: the Deskside service does not run on this computer: %w", ErrUnreachable, err)
	}
	defer c.Close()
	if err := c.SetReadDeadline(time.Now().Add(helpWait + 5*time.Second)); err != nil {
		return "", err
	}
	var a helpAnswer
	if err := json.NewDecoder(bufio.NewReader(c)).Decode(&a); err != nil {
		return "", fmt.Errorf("%w: the Deskside service did not answer: %w", ErrUnreachable, err)
	}
	if a.Error != "" {
		return "", fmt.Errorf("%w: %s", ErrUnreachable, a.Error)
	}
	return a.URL, nil
}
