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
	"os/user"
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
	localWait   = 5 * time.Second
	localEach   = 2  // askers of one account at one time
	localMost   = 32 // of all accounts together but the administrator's and the agent's own
	localAsking = 256
	acceptAgain = time.Second // after an asker could not be let in, or nobody could
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

// peer is the account at the other end of a local socket, as the system tells
// it. account is how the system counts it: a number such as "1000", on Windows a
// SID; it is empty where who asks cannot be seen. trusted tells whether the
// account may do here what the agent may.
type peer struct {
	account string
	trusted bool
}

// name is the name of a person, or of their account, or what the system counts it
// as. The system may have to ask elsewhere for it.
func (p peer) name() string {
	who, err := user.LookupId(p.account)
	if err != nil {
		return "account " + p.account
	}
	if who.Name != "" {
		return who.Name
	}
	return who.Username
}

// serveLocal answers on the local socket until ctx ends. An agent without one
// works all the same, and has it when the place is free: on Windows it is taken
// for as long as a program that asked an agent before this one holds on.
func serveLocal(ctx context.Context, path string, answer answerer, log *slog.Logger) {
	for told := false; ; told = true {
		l, err := listenLocal(path)
		if err == nil {
			acceptLocal(ctx, l, answer)
			return
		}
		if !told {
			log.Warn("nobody can ask for help from this machine", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(acceptAgain):
		}
	}
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
	rooms := places{taken: map[string]int{}}
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
		if !rooms.take(who) {
			tellLocal(c, localAnswer{Error: "too many of your programs ask the Deskside service at once; please try again"})
			c.Close()
			continue
		}
		group.Go(func() {
			defer c.Close()
			defer rooms.leave(who)
			who := who // whose place it is does not change
			ask, err := hear(c)
			if unseen != nil { // Windows may show who asks only in what they said
				who, unseen = peerOf(c)
			}
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
	taken  map[string]int // by account
	others int            // of accounts that are not trusted
}

// take takes a place of an account; false means that it has none left.
func (p *places) take(who peer) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken[who.account] >= localEach || (!who.trusted && p.others >= localMost) {
		return false
	}
	p.taken[who.account]++
	if !who.trusted {
		p.others++
	}
	return true
}

func (p *places) leave(who peer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken[who.account]--; p.taken[who.account] == 0 {
		delete(p.taken, who.account)
	}
	if !who.trusted {
		p.others--
	}
}

func tellLocal(c net.Conn, a localAnswer) {
	if c.SetWriteDeadline(time.Now().Add(localWait)) == nil {
		json.NewEncoder(c).Encode(a)
	}
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
	c, err := dialLocal(ctx, localPath(state))
	if err != nil {
		return a, err
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
