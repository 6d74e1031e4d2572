package app

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/agent/link"
	"github.com/deskside/deskside/protocol"
)

// The help desk of a machine gives whoever is signed in here a link to the help
// page in their own name: that of the account at the other end of the local
// socket.

const helpWait = 15 * time.Second // for the console

type helpDesk struct {
	line *link.Line

	mu      sync.Mutex
	waiting map[uuid.UUID]chan protocol.HelpLink
}

func newHelpDesk(line *link.Line) *helpDesk {
	return &helpDesk{line: line, waiting: map[uuid.UUID]chan protocol.HelpLink{}}
}

func (h *helpDesk) link(ctx context.Context, who peer) (string, error) {
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
	if !h.line.Send(protocol.KindHelp, protocol.Help{Request: id, Person: who.name(), Account: who.account}) {
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
	a, err := askLocal(ctx, state, askHelp, helpWait+localWait)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	if a.Error != "" {
		return "", fmt.Errorf("%w: %s", ErrUnreachable, a.Error)
	}
	if !isPage(a.URL) {
		return "", fmt.Errorf("%w: what the help desk answered is not the address of a page", ErrUnreachable)
	}
	return a.URL, nil
}

// isPage tells whether an address is that of a page, which a browser shows. The
// console made it up, and what systems open for people by its address may as well
// be a program.
func isPage(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil
}
