package session

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"sync"
	"time"

	"github.com/charmbracelet/x/xpty"
	"github.com/gorilla/websocket"

	"github.com/deskside/deskside/protocol/stream"
)

const (
	writeTime = 30 * time.Second
	// silence is how long a socket may say nothing; the console pings it.
	silence = 90 * time.Second
)

// terminal is one shell and the socket it is shown on.
type terminal struct {
	ws *websocket.Conn

	mu     sync.Mutex // of writes to ws, and what follows
	out    *stream.Sender
	digest hash.Hash

	in      *stream.Receiver
	waiting []byte // typed, and not yet in the terminal: stream.Window bytes at most

	room  chan struct{} // an acknowledgement came
	typed chan struct{} // something waits
}

func newTerminal(ws *websocket.Conn) *terminal {
	return &terminal{ws: ws, out: stream.NewSender(stream.Output, 0), in: stream.NewReceiver(stream.Input, 0),
		digest: sha256.New(), room: make(chan struct{}, 1), typed: make(chan struct{}, 1)}
}

// run runs a shell until it, the socket or ctx ends; it returns the shell's
// exit code.
func (t *terminal) run(ctx context.Context, columns, rows int) (int, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	pty, err := xpty.NewPty(columns, rows)
	if err != nil {
		return -1, fmt.Errorf("open a terminal: %w", err)
	}
	defer pty.Close()
	cmd := shell()
	if err := pty.Start(cmd); err != nil {
		return -1, fmt.Errorf("start the shell: %w", err)
	}
	afterStart(pty)
	ours, err := near(pty)
	if err != nil {
		end(cmd)
		xpty.WaitProcess(context.Background(), cmd)
		return -1, fmt.Errorf("open a terminal: %w", err)
	}
	defer ours.Close()

	var group sync.WaitGroup
	group.Go(func() { // the socket, until it ends
		defer cancel()
		t.read(pty)
	})
	group.Go(func() {
		defer cancel()
		t.typeIn(ctx, ours)
	})
	copied := make(chan struct{})
	group.Go(func() {
		defer close(copied)
		t.copy(ctx, ours)
	})
	exited := make(chan int, 1)
	group.Go(func() {
		err := xpty.WaitProcess(context.Background(), cmd)
		exited <- exitCode(cmd, err)
	})
	code := -1
	select {
	case code = <-exited:
	case <-ctx.Done():
		hangUp(cmd)
		select {
		case code = <-exited:
		case <-time.After(3 * time.Second):
			end(cmd)
			code = <-exited
		}
	}
	// What the shell wrote last is still in the terminal; programs it left
	// behind may hold it open for ever.
	select {
	case <-copied:
	case <-time.After(time.Second):
	}
	end(cmd)
	t.exit(code)
	cancel()
	ours.Close()
	t.ws.Close()
	group.Wait()
	return code, nil
}

// copy shows what the terminal writes, as fast as the browser takes it.
func (t *terminal) copy(ctx context.Context, pty io.Reader) {
	buf := make([]byte, stream.MaxPayload)
	for {
		n := t.waitRoom(ctx)
		if n == 0 {
			return
		}
		n, err := pty.Read(buf[:n])
		if n > 0 && t.show(buf[:n]) != nil {
			return
		}
		if err != nil {
			return
		}
	}
}

func (t *terminal) waitRoom(ctx context.Context) int {
	for {
		t.mu.Lock()
		n := t.out.Room()
		t.mu.Unlock()
		if n > 0 {
			return n
		}
		select {
		case <-t.room:
		case <-ctx.Done():
			return 0
		}
	}
}

func (t *terminal) show(p []byte) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	f, err := t.out.Next(p)
	if err != nil {
		return err
	}
	tally(t.digest, 'o', p)
	return t.send(f)
}

// send writes a frame; the caller holds the lock.
func (t *terminal) send(f stream.Frame) error {
	if err := t.ws.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
		return err
	}
	return t.ws.WriteMessage(websocket.BinaryMessage, f.Bytes())
}

// piece is how many typed bytes go into the terminal at once: what it holds.
const piece = 4 << 10

// ackAfter is how long what was typed may stay unacknowledged: what the terminal
// shows for it goes first.
const ackAfter = 20 * time.Millisecond

// typeIn types what waits into the terminal, as fast as the program there reads,
// and acknowledges what the terminal took. A program that reads nothing holds it
// up until the terminal is closed; nothing else may wait for it.
func (t *terminal) typeIn(ctx context.Context, pty io.Writer) {
	taken := 0 // and not acknowledged
	late := time.NewTimer(ackAfter)
	defer late.Stop()
	for {
		for p := t.nextPiece(); len(p) > 0; p = t.nextPiece() {
			if _, err := pty.Write(p); err != nil {
				return
			}
			if taken == 0 {
				late.Reset(ackAfter)
			}
			if taken += len(p); taken >= stream.Window/2 {
				if t.acknowledge(taken) != nil {
					return
				}
				taken = 0
			}
		}
		select {
		case <-t.typed:
		case <-late.C:
			if taken > 0 && t.acknowledge(taken) != nil {
				return
			}
			taken = 0
		case <-ctx.Done():
			return
		}
	}
}

func (t *terminal) nextPiece() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.waiting[:min(len(t.waiting), piece)]
	t.waiting = t.waiting[len(p):]
	return p
}

// acknowledge says that n more bytes were typed, however few: a browser keeps
// what it sent until then.
func (t *terminal) acknowledge(n int) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.send(t.in.Consumed(n))
}

// read does what the socket says until it ends. It never waits for the terminal.
func (t *terminal) read(pty xpty.Pty) {
	t.ws.SetReadLimit(stream.MaxFrame)
	alive := func() error { return t.ws.SetReadDeadline(time.Now().Add(silence)) }
	t.ws.SetPingHandler(func(data string) error {
		if err := alive(); err != nil {
			return err
		}
		return t.ws.WriteControl(websocket.PongMessage, []byte(data), time.Now().Add(writeTime)) // behind what is being written
	})
	for alive() == nil {
		kind, message, err := t.ws.ReadMessage()
		if err != nil {
			return
		}
		if kind != websocket.BinaryMessage {
			continue
		}
		f, err := stream.Parse(message)
		if err != nil || t.take(f, pty) != nil {
			return
		}
	}
}

func (t *terminal) take(f stream.Frame, pty xpty.Pty) error {
	switch f.Kind {
	case stream.Input:
		return t.takeInput(f)
	case stream.Resize:
		pty.Resize(f.Size())
	case stream.Ack:
		t.mu.Lock()
		err := t.out.Acked(f)
		t.mu.Unlock()
		if err != nil {
			return err
		}
		notify(t.room)
	}
	return nil
}

// takeInput lets what was typed wait for the terminal; more than the window is an
// error. A Ctrl-C waits for what stands before it, as at any terminal.
func (t *terminal) takeInput(f stream.Frame) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	fresh, err := t.in.Take(f)
	if err != nil {
		return err
	}
	tally(t.digest, 'i', fresh)
	t.waiting = append(t.waiting, fresh...)
	notify(t.typed)
	if len(fresh) > 0 {
		return nil
	}
	return t.send(t.in.Consumed(0)) // a sender that repeats itself is told again
}

func notify(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (t *terminal) exit(code int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.send(stream.ExitWith(uint32(int32(code)), t.out.Offset()))
}

func (t *terminal) notice(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.send(stream.NoticeOf(text))
}

func (t *terminal) sum() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.digest.Sum(nil)
}
