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
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"time"
)

// The local socket is how other programs of this machine ask the agent while it
// runs: one question in a line of JSON, one answer. Who asks is the account at
// the other end, as the system says it; nothing that the other end says of
// itself is believed. Help is for everybody who is signed in here; the journal
// and the policy are for the agent's own account and the administrator. Each
// account has few places, so that none can keep the others out.

const (
	localSocket = "agent.sock"
	localWait   = 5 * time.Second
	localEach   = 2  // askers of one account at one time
	localMost   = 32 // of all accounts together but the administrator's and the agent's own
	localAsking = 256
	acceptAgain = time.Second // after an asker could not be let in
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
type peer struct{ uid int }

// nobody is who asks where that cannot be seen.
var nobody = peer{uid: -1}

// trusted tells whether the account may do here what the agent may.
func (p peer) trusted() bool { return p.uid == 0 || p.uid == os.Geteuid() }

// account is how the system counts the account, such as "1000".
func (p peer) account() string { return strconv.Itoa(p.uid) }

// name is the name of a person, or of their account, or the number itself. The
// system may have to ask elsewhere for it.
func (p peer) name() string {
	who, err := user.LookupId(p.account())
	if err != nil {
		return "uid " + p.account()
	}
	if who.Name != "" {
		return who.Name
	}
	return who.Username
}

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
	rooms := places{taken: map[int]int{}}
	for {
		c, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // such as too many open files: it passes, and people still want help
			select {
			case <-ctx.Done():
			case <-time.After(acceptAgain):
			}
			continue
		}
		who, unseen := peerOf(c)
		if unseen != nil {
			who = nobody
		}
		if !rooms.take(who) {
			tellLocal(c, localAnswer{Error: "too many of your programs ask the Deskside service at once; please try again"})
			c.Close()
			continue
		}
		group.Go(func() {
			defer c.Close()
			defer rooms.leave(who)
			ask, err := hear(c)
			a := localAnswer{}
			if err = errors.Join(err, unseen); err != nil {
				a.Error = err.Error()
			} else {
				a = answer(ctx, who, ask)
			}
			tellLocal(c, a)
		})
	}
}

// places are how many of each account are being answered.
type places struct {
	mu     sync.Mutex
	taken  map[int]int // by uid
	others int         // of accounts that are not trusted
}

// take takes a place of an account; false means that it has none left.
func (p *places) take(who peer) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken[who.uid] >= localEach || (!who.trusted() && p.others >= localMost) {
		return false
	}
	p.taken[who.uid]++
	if !who.trusted() {
		p.others++
	}
	return true
}

func (p *places) leave(who peer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken[who.uid]--; p.taken[who.uid] == 0 {
		delete(p.taken, who.uid)
	}
	if !who.trusted() {
		p.others--
	}
}

func tellLocal(c net.Conn, a localAnswer) {
	if c.SetWriteDeadline(time.Now().Add(localWait)) == nil {
		json.NewEncoder(c).Encode(a)
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

// hear reads one question.
func hear(c net.Conn) (string, error) {
	var q localQuestion
	if err := c.SetReadDeadline(time.Now().Add(localWait)); err != nil {
		return "", err
	}
	if err := json.NewDecoder(io.LimitReader(c, localAsking)).Decode(&q); err != nil {
		return "", errors.New("the question cannot be read")
	}
	return q.Ask, nil
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
	asked := json.NewEncoder(c).Encode(localQuestion{ask})
	// Also where nobody hears the question: the answer is that there is no place.
	if err := json.NewDecoder(bufio.NewReader(c)).Decode(&a); err != nil {
		return a, fmt.Errorf("the Deskside service did not answer: %w", errors.Join(asked, err))
	}
	return a, nil
}
