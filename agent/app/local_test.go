package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/deskside/deskside/agent/state"
	"github.com/deskside/deskside/protocol"
)

// short is a folder whose name is short enough for a local socket.
func short(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "deskside")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func (a *Agent) write(t *testing.T, texts ...string) {
	t.Helper()
	err := a.state.Update(func(tx *state.Tx) error {
		for _, text := range texts {
			if err := tx.Journal(protocol.JournalEntry{At: time.Now().UnixMicro(), Kind: "work", Act: "refused", Code: "policy", Text: text}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestLocalQuestions: the journal and the profile are shown while the agent runs
// and when it does not, and to nobody who is not its owner or the administrator.
func TestLocalQuestions(t *testing.T) {
	dir := short(t)
	if _, err := journalOf(t.Context(), filepath.Join(dir, "none")); !errors.Is(err, state.ErrNotEnrolled) {
		t.Errorf("no state: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "none")); err == nil {
		t.Error("asking made a state")
	}
	a := enrolled(t, dir, "unattended", nil)
	a.write(t, "a terminal\nat night", "another")
	asked := func(when string) {
		t.Helper()
		text, err := journalOf(t.Context(), dir)
		if lines := strings.Split(strings.TrimSpace(text), "\n"); err != nil || len(lines) != 2 || !strings.Contains(lines[0], "a terminal at night") {
			t.Errorf("%s: %q, %v", when, text, err)
		}
		if profile, err := enrolledProfile(t.Context(), dir); err != nil || profile != "unattended" {
			t.Errorf("%s: profile %q, %v", when, profile, err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	l := listening(t, localPath(dir))
	running.Go(func() { acceptLocal(ctx, l, a.answerLocal) })
	asked("the agent runs")
	if got, err := askLocal(t.Context(), dir, "the keys, please", localWait); err != nil || got.Error == "" || got.Text != "" {
		t.Errorf("an unknown question: %+v, %v", got, err)
	}
	if got, err := askLocal(t.Context(), dir, strings.Repeat("x", 4*localAsking), localWait); err == nil && got.Error == "" {
		t.Errorf("a long question: %+v", got)
	}
	stranger := peer{account: "4711"}
	for _, ask := range []string{askJournal, askPolicy} {
		if got := a.answerLocal(t.Context(), stranger, ask); got.Error == "" || got.Text != "" || got.Profile != "" {
			t.Errorf("a stranger who asks for the %s gets %+v", ask, got)
		}
		if got := a.answerLocal(t.Context(), peer{"0", true}, ask); got.Error != "" {
			t.Errorf("the administrator who asks for the %s gets %+v", ask, got)
		}
	}
	stop()
	running.Wait()
	if _, err := journalOf(t.Context(), dir); !errors.Is(err, state.ErrInUse) {
		t.Errorf("an agent that holds the file and does not listen: %v", err)
	}
	if err := a.state.Close(); err != nil {
		t.Fatal(err)
	}
	asked("the agent does not run")
}

// TestPlaces: an account that fills its places is told so at once and has them
// back when it is done; and no crowd takes those of the administrator, of the
// agent's own account or all of them.
func TestPlaces(t *testing.T) {
	dir := short(t)
	l := listening(t, localPath(dir))
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		acceptLocal(ctx, l, func(_ context.Context, who peer, ask string) localAnswer {
			return localAnswer{Text: who.account + " asks for " + ask}
		})
	})
	var idle []net.Conn
	for range localEach { // they say nothing
		c, err := dialLocal(t.Context(), localPath(dir))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		idle = append(idle, c)
	}
	began := time.Now()
	if a, err := askLocal(t.Context(), dir, "more", localWait); err != nil || a.Error == "" || a.Text != "" || time.Since(began) >= localWait {
		t.Errorf("one more than there are places: %+v after %s, %v", a, time.Since(began), err)
	}
	mine := myself(t).account + " asks for "
	if _, err := io.WriteString(idle[0], `{"ask":"first"}`); err != nil {
		t.Fatal(err)
	}
	if raw, err := io.ReadAll(idle[0]); err != nil || !strings.Contains(string(raw), mine+"first") {
		t.Errorf("the first: %s, %v", raw, err)
	}
	if a, err := askLocal(t.Context(), dir, "again", localWait); err != nil || a.Text != mine+"again" {
		t.Errorf("after one has gone: %+v, %v", a, err)
	}
	for _, c := range idle {
		c.Close()
	}
	stop()
	running.Wait()

	p := places{taken: map[string]int{}}
	crowd := func() (n int) {
		for i := range 10 * localMost {
			for p.take(peer{account: fmt.Sprint(i)}) {
				n++
			}
			if n > localEach*(i+1) {
				t.Fatalf("%d places for %d accounts", n, i+1)
			}
		}
		return n
	}
	if n := crowd(); n != localMost {
		t.Errorf("%d of a crowd at one time", n)
	}
	who := peer{"the administrator", true}
	if !p.take(who) {
		t.Error("a crowd keeps the administrator out")
	}
	p.leave(who)
	p.leave(peer{account: "0"})
	if !p.take(peer{account: "another"}) || len(p.taken) != localMost/localEach+1 {
		t.Errorf("a place that was left is not had again, or %d accounts are kept", len(p.taken))
	}
}

// myself is the account that runs this test, as the other end of a socket sees it.
func myself(t *testing.T) peer {
	t.Helper()
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	return peer{me.Uid, true}
}

// TestWhoAsks: who is at the other end is seen, and a link to a page comes back;
// what is no page is not opened.
func TestWhoAsks(t *testing.T) {
	dir := short(t)
	var running sync.WaitGroup
	defer running.Wait()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	l := listening(t, localPath(dir))
	seen, answers := make(chan peer, 1), make(chan string, 1)
	running.Go(func() {
		acceptLocal(ctx, l, func(_ context.Context, p peer, _ string) localAnswer {
			seen <- p
			return localAnswer{URL: <-answers}
		})
	})
	for _, address := range []string{"https://help.example.org/help#x", "http://127.0.0.1:8080/help#x"} {
		answers <- address
		if got, err := AskForHelp(t.Context(), dir); err != nil || got != address {
			t.Errorf("%s: %q, %v", address, got, err)
		}
		if who := <-seen; who != myself(t) || who.name() == "" {
			t.Errorf("who asks is %+v (%s), want %+v", who, who.name(), myself(t))
		}
	}
	for _, address := range []string{"", "calc.exe", `C:\Windows\System32\calc.exe`, `\\elsewhere\share\a.exe`, "file:///usr/bin/true",
		"https:calc.exe", "https://", "javascript:alert(1)", "https://help.example.org/\x1b[2J"} {
		answers <- address
		if got, err := AskForHelp(t.Context(), dir); !errors.Is(err, ErrUnreachable) || got != "" {
			t.Errorf("%q is opened: %q, %v", address, got, err)
		}
		<-seen
	}
}

// TestListenLater: an agent whose place is taken has it when it is free.
func TestListenLater(t *testing.T) {
	dir := short(t)
	place := filepath.Join(dir, "state")
	free := take(t, localPath(place))
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	told := make(chan struct{})
	log := slog.New(slog.NewTextHandler(writerFunc(func(p []byte) (int, error) {
		close(told) // once
		return len(p), nil
	}), nil))
	running.Go(func() {
		serveLocal(ctx, localPath(place), func(context.Context, peer, string) localAnswer { return localAnswer{Text: "here"} }, log)
	})
	<-told
	if a, err := askLocal(t.Context(), place, "help", localWait); err == nil {
		t.Errorf("the place is taken, and yet %+v", a)
	}
	free()
	for limit := time.Now().Add(10 * time.Second); ; {
		a, err := askLocal(t.Context(), place, "help", time.Second)
		if err == nil && a.Text == "here" {
			break
		}
		if time.Now().After(limit) {
			t.Fatalf("the place is free, and yet %+v, %v", a, err)
		}
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// TestMirror: each line goes into the system's log once, where policy says so,
// also those that are written last.
func TestMirror(t *testing.T) {
	for word, want := range map[string]int{"on": 3, "off": 0} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "policy.yaml"), []byte("version: 1\nprofile: trial\njournal: {system_log: "+word+"}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		a := enrolled(t, dir, "trial", nil)
		var lines []string
		if err := a.state.Close(); err != nil {
			t.Fatal(err)
		}
		a, err := Open(Options{State: dir, Policy: a.options.Policy, Log: a.options.Log,
			SystemLog: func(line string) error { lines = append(lines, line); return nil }})
		if err != nil {
			t.Fatal(err)
		}
		stop := func() {}
		if a.mirror != nil {
			stop = a.mirror.start()
		}
		a.write(t, "first")
		a.write(t, "second\nsecond", "last")
		stop()
		if err := a.state.Close(); err != nil {
			t.Fatal(err)
		}
		if len(lines) != want {
			t.Errorf("%s: %q", word, lines)
		}
		for i, line := range lines {
			if !strings.HasPrefix(line, fmt.Sprintf("journal %d: work refused", i+1)) || strings.Contains(line, "\n") {
				t.Errorf("line %d is %q", i+1, line)
			}
		}
	}
}

// stumbling is a listener that fails before it lets anybody in.
type stumbling struct {
	net.Listener
	fails int
}

func (s *stumbling) Accept() (net.Conn, error) {
	if s.fails > 0 {
		s.fails--
		return nil, syscall.EMFILE
	}
	return s.Listener.Accept()
}

// TestAcceptAgain: where nobody can be let in for a moment, help is there again
// afterwards.
func TestAcceptAgain(t *testing.T) {
	dir := short(t)
	l := listening(t, localPath(dir))
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		acceptLocal(ctx, &stumbling{l, 2}, func(context.Context, peer, string) localAnswer { return localAnswer{Text: "here"} })
	})
	if a, err := askLocal(t.Context(), dir, "help", localWait); err != nil || a.Text != "here" {
		t.Errorf("%+v, %v", a, err)
	}
	stop()
	running.Wait()
}
