package app

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"
)

// The local socket is how other programs of this machine ask the agent while it
// runs: one question in a line of JSON, one answer. Who asks is the account at
// the other end, as the system says it; nothing that the other end says of
// itself is believed. Help is for everybody who is signed in here; the journal
// and the policy are for the agent's own account and the administrator.

const (
	localSocket = "agent.sock"
	localWait   = 5 * time.Second
	localMost   = 8 // askers at one time
	localAsking = 256
)

// What can be asked.
const (
	askHelp    = "help"
	askJournal = "journal"
	askPolicy  = "policy"
)

type localQuestion struct {
	Ask string `json:"ask"`
}

// localAnswer may have a text and an error: a journal up to where it is broken.
type localAnswer struct {
	URL     string `json:"url,omitempty"`
	Text    string `json:"text,omitempty"`
	Profile string `json:"profile,omitempty"`
	Error   string `json:"error,omitempty"`
}

// peer is the account at the other end of a local socket.
type peer struct {
	uid  int
	name string
}

// trusted tells whether the account may do here what the agent may.
func (p peer) trusted() bool { return p.uid == 0 || p.uid == os.Geteuid() }

// localPath is where the socket is. The state's folder is its owner's alone, so
// for the service, which people ask for help, it is in a folder of its own.
func localPath(state string) string {
	if filepath.Clean(state) == DefaultState() {
		switch runtime.GOOS {
		case "linux":
			return filepath.Join("/run/deskside", localSocket)
		case "darwin":
			return filepath.Join("/var/run/deskside", localSocket)
		}
	}
	return filepath.Join(state, localSocket)
}

// serveLocal answers on the local socket until ctx ends. An agent without one
// works all the same.
func serveLocal(ctx context.Context, path string, answer answerer, log *slog.Logger) {
	l, err := listenLocal(path)
	if err != nil {
		log.Warn("nobody can ask for help from this machine", "error", err)
		return
	}
	acceptLocal(ctx, l, answer)
}

// answerer answers one question of an account.
type answerer func(ctx context.Context, who peer, ask string) localAnswer

func acceptLocal(ctx context.Context, l net.Listener, answer answerer) {
	go func() {
		<-ctx.Done()
		l.Close()
	}()
	var group sync.WaitGroup
	defer group.Wait()
	slots := make(chan struct{}, localMost)
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			defer c.Close()
			a := hear(ctx, c, answer)
			if c.SetWriteDeadline(time.Now().Add(localWait)) == nil {
				json.NewEncoder(c).Encode(a)
			}
		})
	}
}

func listenLocal(path string) (net.Listener, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o666); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// hear reads one question and has it answered.
func hear(ctx context.Context, c net.Conn, answer answerer) localAnswer {
	var q localQuestion
	if err := c.SetReadDeadline(time.Now().Add(localWait)); err != nil {
		return localAnswer{Error: err.Error()}
	}
	if err := json.NewDecoder(io.LimitReader(c, localAsking)).Decode(&q); err != nil {
		return localAnswer{Error: "the question cannot be read"}
	}
	who, err := peerOf(c)
	if err != nil {
		return localAnswer{Error: err.Error()}
	}
	return answer(ctx, who, q.Ask)
}

// errNobody means that no agent listens.
var errNobody = errors.New("the Deskside service does not run on this computer")

// askLocal asks the agent that runs on a state; the answer takes wait at most.
func askLocal(ctx context.Context, state, ask string, wait time.Duration) (localAnswer, error) {
	var a localAnswer
	d := net.Dialer{Timeout: localWait}
	c, err := d.DialContext(ctx, "unix", localPath(state))
	if err != nil {
		return a, fmt.Errorf("%w: %w", errNobody, err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(wait)); err != nil {
		return a, err
	}
	if err = json.NewEncoder(c).Encode(localQuestion{ask}); err == nil {
		err = json.NewDecoder(bufio.NewReader(c)).Decode(&a)
	}
	if err != nil {
		return a, fmt.Errorf("the Deskside service did not answer: %w", err)
	}
	return a, nil
}
