package session

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/websocket"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/deskside/deskside/agent/gate"
	"github.com/deskside/deskside/agent/state"
	"github.com/deskside/deskside/protocol"
	"github.com/deskside/deskside/protocol/stream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// desk is a machine with its gate, and the far end of its sessions.
type desk struct {
	*testing.T
	*Sessions
	gate    *gate.Gate
	id      state.Identity
	key     ed25519.PrivateKey
	sockets chan *websocket.Conn
	ended   chan protocol.Ended
	opened  chan protocol.Opened
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	t.Setenv("HOME", t.TempDir()) // no test reads, or leaves anything in, the home of whoever runs it
	d := &desk{T: t, key: ed25519.NewKeyFromSeed(make([]byte, 32)), sockets: make(chan *websocket.Conn, 8),
		ended: make(chan protocol.Ended, 8), opened: make(chan protocol.Opened, 8)}
	s, err := state.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	d.id = state.Identity{Machine: uuid.New(), Organisation: uuid.New(), Key: d.key, Profile: "trial"}
	if err := s.Update(func(tx *state.Tx) error { return tx.SetIdentity(d.id) }); err != nil {
		t.Fatal(err)
	}
	if d.gate, err = gate.Open(s, filepath.Join(t.TempDir(), "none"), gate.Eyes{Family: "linux"}); err != nil {
		t.Fatal(err)
	}
	d.gate.Line(protocol.StampKey{Key: d.key.Public().(ed25519.PublicKey), Expires: time.Now().Add(time.Hour).UnixMicro()}, time.Now())
	var upgrader websocket.Upgrader
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		d.sockets <- ws
	}))
	t.Cleanup(server.Close)
	dial := func(ctx context.Context, _ uuid.UUID, token []byte) (*websocket.Conn, error) {
		if string(token) != "token" {
			return nil, errors.New("no such token")
		}
		ws, _, err := websocket.DefaultDialer.DialContext(ctx, "ws"+strings.TrimPrefix(server.URL, "http"), nil)
		return ws, err
	}
	send := func(_ protocol.Kind, body any) bool {
		switch m := body.(type) {
		case protocol.Ended:
			d.ended <- m
		case protocol.Opened:
			d.opened <- m
		}
		return true
	}
	d.Sessions = New(s, Calls{Dial: dial, Send: send, Wake: func() {}}, slog.New(slog.DiscardHandler))
	return d
}

func (d *desk) admit(token string) gate.Admitted {
	d.Helper()
	body, err := protocol.Marshal(protocol.OpenSession{Kind: "terminal", Columns: 80, Rows: 24, Token: []byte(token)})
	if err != nil {
		d.Fatal(err)
	}
	s, err := protocol.Stamp(d.key, protocol.Order{ID: uuid.New(), Machine: d.id.Machine, Organisation: d.id.Organisation,
		Kind: protocol.KindOpenSession, Issued: time.Now().UnixMicro(), Expires: time.Now().Add(time.Minute).UnixMicro(), Body: body})
	if err != nil {
		d.Fatal(err)
	}
	a, err := d.gate.Admit(s)
	if err != nil {
		d.Fatal(err)
	}
	return a
}

// far is the end of a session where the technician sits. It counts and hashes
// by itself what passes.
type far struct {
	*testing.T
	ws     *websocket.Conn
	out    *stream.Sender
	in     *stream.Receiver
	seen   bytes.Buffer
	exit   *stream.Frame
	silent bool   // acknowledges nothing
	taken  uint64 // of what was typed, as far as is acknowledged
}

func (d *desk) open() (uuid.UUID, *far) {
	d.Helper()
	a := d.admit("token")
	d.Start(d.Context(), a)
	ws := <-d.sockets
	d.Cleanup(func() { ws.Close() })
	f := &far{T: d.T, ws: ws, out: stream.NewSender(stream.Input, 0), in: stream.NewReceiver(stream.Output, 0)}
	f.until(`[$#] $`) // of the prompt
	return a.ID(), f
}

func (f *far) write(frame stream.Frame) {
	f.Helper()
	if err := f.ws.WriteMessage(websocket.BinaryMessage, frame.Bytes()); err != nil {
		f.Error(err)
	}
}

func (f *far) enter(text string) {
	f.Helper()
	frame, err := f.out.Next([]byte(text))
	if err != nil {
		f.Fatal(err)
	}
	f.write(frame)
}

// next takes one frame; false at the end of the socket.
func (f *far) next() bool {
	f.ws.SetReadDeadline(time.Now().Add(20 * time.Second))
	_, message, err := f.ws.ReadMessage()
	if err != nil {
		return false
	}
	frame, err := stream.Parse(message)
	if err != nil {
		f.Error(err)
		return false
	}
	switch frame.Kind {
	case stream.Output:
		fresh, err := f.in.Take(frame)
		if err != nil {
			f.Error(err)
			return false
		}
		f.seen.Write(fresh)
		if ack, due := f.in.Ack(); due && !f.silent {
			f.write(ack)
		}
	case stream.Ack:
		if err := f.out.Acked(frame); err != nil {
			f.Error(err)
		}
		f.taken = frame.Offset
	case stream.Exit:
		f.exit = &frame
	}
	return true
}

// until reads until what was seen matches, and returns it and forgets it.
func (f *far) until(pattern string) string {
	f.Helper()
	re := regexp.MustCompile(pattern)
	for !re.MatchString(f.seen.String()) {
		if !f.next() {
			f.Fatalf("the session ended before %s, after %q", pattern, f.seen.String())
		}
	}
	text := f.seen.String()
	f.seen.Reset()
	return text
}

func (f *far) toEnd() string {
	for f.next() {
	}
	return f.seen.String()
}

// processOf reads a number that the shell prints.
func (f *far) processOf(command string) int {
	f.Helper()
	f.enter(command + "\n")
	found := regexp.MustCompile(`PID=(\d+)\D`).FindStringSubmatch(f.until(`PID=\d+\D`))
	n, err := strconv.Atoi(found[1])
	if err != nil {
		f.Fatal(err)
	}
	return n
}

// waitGone waits for the end of a process that is not ours to wait for.
func waitGone(t *testing.T, pid int) {
	t.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return // gone
	}
	defer unix.Close(fd)
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 10_000)
	for err == unix.EINTR {
		n, err = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 10_000)
	}
	if n != 1 || err != nil {
		t.Errorf("process %d is still there", pid)
		unix.Kill(pid, unix.SIGKILL)
	}
}

func TestTerminal(t *testing.T) {
	t.Setenv("SHELL", "/bin/bash")
	t.Setenv("SECRET_OF_THE_AGENT", "leaked")
	d := newDesk(t)
	id, f := d.open()
	f.enter("echo zażółć'' gęślą jaźń\n")
	f.until("[\r\n]zażółć gęślą jaźń\r\n")
	f.enter("stty size\n")
	f.until("[\r\n]24 80\r\n")
	f.write(stream.ResizeTo(133, 43))
	f.enter("stty size; echo $TERM $LANG\n")
	f.until("[\r\n]43 133\r\nxterm-256color C.UTF-8\r\n")
	// Before the program has the terminal a Ctrl-C would be the shell's.
	f.enter(`sh -c 'echo READ""Y; exec sleep 1000'` + "\n")
	f.until("READY")
	f.enter("\x03")
	f.until(`\^C`)
	f.enter("echo code=$?\n")
	f.until("[\r\n]code=130\r\n")
	f.enter("pwd\n")
	f.until("[\r\n]" + os.Getenv("HOME") + "\r\n")
	f.enter("env\n")
	if text := f.until("LOGNAME=.*(\r\n.*)*[$#] $"); strings.Contains(text, "leaked") {
		t.Errorf("the agent's own variables are in\n%s", text)
	}
	f.enter("exit 7\n")
	f.toEnd()
	if f.exit == nil || f.exit.Code() != 7 || f.exit.Offset != f.in.Offset() {
		t.Errorf("exit frame %+v, after %d bytes", f.exit, f.in.Offset())
	}
	if e := <-d.ended; e.Session != id || e.Code != 7 || e.Text != "" || len(e.Digest) != sha256.Size {
		t.Errorf("%+v", e)
	}
	d.Wait()
	if len(d.Sessions.open) != 0 {
		t.Errorf("%d sessions are open", len(d.Sessions.open))
	}
}

// TestDigest: the hash in the journal is that of what passed, both ways.
func TestDigest(t *testing.T) {
	t.Setenv("SHELL", "/bin/sh")
	d := newDesk(t)
	a := d.admit("token")
	d.Start(t.Context(), a)
	ws := <-d.sockets
	defer ws.Close()
	h := sha256.New()
	typed := []byte("stty -echo; read x; exit 3\n")
	frame, err := stream.NewSender(stream.Input, 0).Next(typed)
	if err != nil {
		t.Fatal(err)
	}
	if err := ws.WriteMessage(websocket.BinaryMessage, frame.Bytes()); err != nil {
		t.Fatal(err)
	}
	// What passes after it is output, until the second piece of input.
	var passed [][]byte
	for {
		_, message, err := ws.ReadMessage()
		if err != nil {
			break
		}
		f, err := stream.Parse(message)
		if err != nil {
			t.Fatal(err)
		}
		if f.Kind == stream.Output {
			passed = append(passed, f.Payload)
		}
		if len(passed) > 0 && bytes.Contains(bytes.Join(passed, nil), []byte("exit 3\r\n")) && frame.Offset == 0 {
			frame = stream.Frame{Kind: stream.Input, Offset: uint64(len(typed)), Payload: []byte("\n")}
			if err := ws.WriteMessage(websocket.BinaryMessage, frame.Bytes()); err != nil {
				t.Fatal(err)
			}
		}
	}
	e := <-d.ended
	d.Wait()
	// The order between the two directions is the machine's to tell: one of the
	// places for the two pieces of input must give its hash.
	right := false
	for i := range len(passed) + 1 {
		for j := i; j <= len(passed); j++ {
			h.Reset()
			for k := range len(passed) + 1 {
				if k == i {
					tally(h, 'i', typed)
				}
				if k == j {
					tally(h, 'i', []byte("\n"))
				}
				if k < len(passed) {
					tally(h, 'o', passed[k])
				}
			}
			right = right || bytes.Equal(h.Sum(nil), e.Digest)
		}
	}
	if !right {
		t.Errorf("the hash %x is not of what passed", e.Digest)
	}
	err = d.state.View(func(tx *state.Tx) error {
		var last protocol.JournalEntry
		if err := tx.Entries(func(e protocol.JournalEntry) error { last = e; return nil }); err != nil {
			return err
		}
		if last.Act != "ended" || last.ID != a.ID() || !strings.Contains(last.Text, fmt.Sprintf("%x", e.Digest)) {
			t.Errorf("the journal's last line is %+v", last)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	one, other := sha256.New(), sha256.New()
	tally(one, 'i', []byte("ab"))
	tally(one, 'o', []byte("c"))
	tally(other, 'i', []byte("a"))
	tally(other, 'o', []byte("bc"))
	if bytes.Equal(one.Sum(nil), other.Sum(nil)) {
		t.Error("a byte can be moved from one direction to the other")
	}
}

// TestWindow: a reader that stops is not flooded, and gets the rest when it
// goes on.
func TestWindow(t *testing.T) {
	t.Setenv("SHELL", "/bin/sh")
	d := newDesk(t)
	_, f := d.open()
	f.silent = true
	f.enter("head -c 3000000 /dev/zero | tr '\\0' x; echo; echo END''ED; sleep 1000\n")
	// Until the window is full the reader reads; then nothing may come.
	for f.in.Offset() < stream.Window && f.next() {
	}
	if n := f.in.Offset(); n != stream.Window {
		t.Errorf("%d bytes came without an acknowledgement", n)
	}
	before := f.seen.Len()
	f.write(stream.Frame{Kind: stream.Ack, Offset: f.in.Offset() - 1000})
	f.in = stream.NewReceiver(stream.Output, f.in.Offset()) // takes what the acknowledgement made room for
	for f.seen.Len() < before+stream.Window-1000 && f.next() {
	}
	if n := f.seen.Len(); n != before+stream.Window-1000 {
		t.Errorf("%d bytes came after the acknowledgement", n-before)
	}
	f.silent = false
	f.write(stream.Frame{Kind: stream.Ack, Offset: f.in.Offset()})
	f.in = stream.NewReceiver(stream.Output, f.in.Offset())
	if text := f.until("ENDED"); strings.Count(text, "x") < 3000000 {
		t.Errorf("%d of 3000000 bytes came", strings.Count(text, "x"))
	}
	f.ws.Close()
	<-d.ended
	d.Wait()
}

// TestCut: when the socket is cut, the shell ends and with it what it started.
func TestCut(t *testing.T) {
	for _, shell := range []string{"/bin/bash", "/bin/sh"} {
		t.Run(filepath.Base(shell), func(t *testing.T) {
			t.Setenv("SHELL", shell)
			d := newDesk(t)
			_, f := d.open()
			all := []int{f.processOf(`echo P''ID=$$.`), f.processOf(`sleep 1000 & echo P''ID=$!.`),
				f.processOf(`nohup sleep 1001 >/dev/null 2>&1 & echo P''ID=$!.`),
				f.processOf(`sh -c 'trap "" HUP TERM; echo P''ID=$$.; while :; do sleep 1002; done'`)}
			f.ws.Close()
			if e := <-d.ended; e.Code == 0 {
				t.Errorf("%+v", e)
			}
			d.Wait()
			for _, pid := range all {
				waitGone(t, pid)
			}
		})
	}
}

// TestEnd: told to end, by the console or by the end of the agent.
func TestEnd(t *testing.T) {
	t.Setenv("SHELL", "/bin/bash")
	d := newDesk(t)
	id, f := d.open()
	d.End(uuid.New())
	pid := f.processOf(`echo P''ID=$$.`)
	d.End(id)
	f.toEnd()
	<-d.ended
	d.Wait()
	waitGone(t, pid)

	ctx, stop := context.WithCancel(t.Context())
	d.Start(ctx, d.admit("token"))
	ws := <-d.sockets
	defer ws.Close()
	stop()
	<-d.ended
	d.Wait()
}

// TestLeftBehind: a program that the shell leaves in the terminal does not keep
// the session open.
func TestLeftBehind(t *testing.T) {
	t.Setenv("SHELL", "/bin/bash")
	d := newDesk(t)
	_, f := d.open()
	pid := f.processOf(`setsid sh -c 'echo P""ID=$$.; exec sleep 1000' &`)
	defer unix.Kill(pid, unix.SIGKILL)
	f.enter("exit 0\n")
	f.toEnd()
	if e := <-d.ended; e.Code != 0 {
		t.Errorf("%+v", e)
	}
	d.Wait()
}

// sleeper leaves a program in the terminal that reads nothing, and types more
// than the terminal holds.
// over waits for the end of the one session there is.
func (d *desk) over() protocol.Ended {
	d.Helper()
	select {
	case e := <-d.ended:
		d.Wait()
		return e
	case <-time.After(20 * time.Second):
		d.Fatal("the session does not end")
		panic("not reached")
	}
}

// TestInputNobodyReads: a paste that the program does not take keeps neither the
// session open nor its end away: told by the console, by the socket, or by what
// no sender may do.
// TestRepeated: a sender that repeats what the terminal has is told so.
// TestHeardBehindInput: while the terminal is full the socket is still read:
// what the program writes is acknowledged and goes on, and a ping is answered.
// TestHostile: what no browser sends ends the session.
func TestHostile(t *testing.T) {
	t.Setenv("SHELL", "/bin/sh")
	for name, message := range map[string][]byte{
		"not a frame":         {1},
		"a gap":               stream.Frame{Kind: stream.Input, Offset: 1 << 20, Payload: []byte("x")}.Bytes(),
		"ack of the future":   stream.Frame{Kind: stream.Ack, Offset: 1 << 40}.Bytes(),
		"a size of nothing":   {3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
		"larger than a frame": make([]byte, stream.MaxFrame+1),
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			_, f := d.open()
			if err := f.ws.WriteMessage(websocket.BinaryMessage, message); err != nil {
				t.Fatal(err)
			}
			f.toEnd()
			<-d.ended
			d.Wait()
		})
	}
}

// TestLimitsAndFailures: no more than the policy says, and a socket that cannot
// be opened is told.
func TestLimitsAndFailures(t *testing.T) {
	t.Setenv("SHELL", "/bin/sh")
	d := newDesk(t)
	a := d.admit("another")
	d.Start(t.Context(), a)
	if e := <-d.ended; e.Session != a.ID() || !strings.Contains(e.Text, "no such token") {
		t.Errorf("%+v", e)
	}
	d.Wait()
	most := a.Policy().Limits.Sessions
	var open []*far
	for range most {
		_, f := d.open()
		open = append(open, f)
	}
	over := d.admit("token")
	d.Start(t.Context(), over)
	if o := <-d.opened; o.Session != over.ID() || o.Refusal != protocol.CodeLimit || !strings.Contains(o.Text, fmt.Sprint(most)) {
		t.Errorf("%+v", o)
	}
	for _, f := range open {
		f.ws.Close()
	}
	for range open {
		<-d.ended
	}
	d.Wait()
	if _, err := os.Stat("/dev/ptmx"); err != nil || len(d.Sessions.open) != 0 {
		t.Errorf("%d sessions are open", len(d.Sessions.open))
	}
	d.Refuse(&gate.Refusal{Code: protocol.CodeProof, Text: "no", ID: over.ID()}, &protocol.Challenge{Name: "LAP-1"})
	if o := <-d.opened; o.Refusal != protocol.CodeProof || o.Text != "no" || o.Session != over.ID() || o.Challenge == nil {
		t.Errorf("%+v", o)
	}
}
