// Package stage starts the real programs for the tools that measure them: a console,
// an agent of this computer, and crowds of pretend workstations.
package stage

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/deskside/deskside/tools/internal/api"
)

// A World is a console, and what else is started for a measurement, in a folder
// of its own. Close ends and removes it all.
type World struct {
	Ctx     context.Context
	Ready   struct{ URL, HTTP string }
	Token   string   // of an administrator
	On      []string // which database it uses, as every command is told
	Console *exec.Cmd
	Client  *http.Client

	dir     string
	serve   []string // how the console is started
	started []*exec.Cmd
	remove  []string // folders elsewhere
}

// Patience is for whatever is waited for.
const Patience = 60 * time.Second

// New starts a console for a tool of that name, with a PostgreSQL for a database; "" is
// the console's own. What else the console is told is serve.
func New(ctx context.Context, tool, database string, serve ...string) (*World, error) {
	dir, err := os.MkdirTemp("", "deskside-"+tool+"-")
	if err != nil {
		return nil, err
	}
	w := &World{Ctx: ctx, dir: dir, Client: &http.Client{Timeout: Patience, Transport: &http.Transport{MaxIdleConnsPerHost: 16}}}
	w.serve = []string{"serve", "--data", w.Path("data"), "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"}
	if database != "" {
		w.On = []string{"--database", database}
	}
	w.serve = slices.Concat(w.serve, w.On, serve)
	err = w.StartConsole()
	if err == nil {
		_, err = w.Tool("person", "add", tool, "--role", "admin")
	}
	if err == nil {
		w.Token, err = w.Tool("token", "create", "--person", tool)
	}
	if err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

// StartConsole starts the console, the second time at the addresses of the first.
func (w *World) StartConsole() error {
	cmd, line, err := w.Start("bin/deskside-console", w.serve...)
	if err != nil {
		return err
	}
	w.Console = cmd
	if err := json.Unmarshal([]byte(line), &w.Ready); err != nil {
		return err
	}
	for flag, at := range map[string]string{"--listen": w.Ready.URL, "--http": w.Ready.HTTP} {
		u, err := url.Parse(at)
		if err != nil {
			return err
		}
		w.serve[slices.Index(w.serve, flag)+1] = "127.0.0.1:" + u.Port()
	}
	return nil
}

// Ends has a process that somebody else started end with the world.
func (w *World) Ends(cmd *exec.Cmd) { w.started = append(w.started, cmd) }

// Kill ends a process at once.
func (w *World) Kill(cmd *exec.Cmd) error {
	w.started = slices.DeleteFunc(w.started, func(c *exec.Cmd) bool { return c == cmd })
	err := cmd.Process.Kill()
	cmd.Wait()
	return err
}

func (w *World) Path(name string) string { return filepath.Join(w.dir, name) }

// Start starts a program that says on its first line that it is ready.
func (w *World) Start(program string, args ...string) (*exec.Cmd, string, error) {
	cmd := exec.CommandContext(w.Ctx, program, args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, "", err
	}
	log, err := os.OpenFile(w.Path("log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, "", err
	}
	defer log.Close()
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		return nil, "", err
	}
	w.started = append(w.started, cmd)
	first := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(out)
		if lines.Scan() {
			first <- lines.Text()
		}
		close(first)
		io.Copy(io.Discard, out)
	}()
	select {
	case line, ok := <-first:
		if !ok {
			return nil, "", fmt.Errorf("%s ended: %s", program, w.Logged())
		}
		return cmd, line, nil
	case <-time.After(5 * Patience):
		return nil, "", fmt.Errorf("%s did not become ready", program)
	}
}

// Quiet starts a program that says nothing when it is ready.
func (w *World) Quiet(program string, args ...string) (*exec.Cmd, error) {
	cmd := exec.CommandContext(w.Ctx, program, args...)
	log, err := os.OpenFile(w.Path("log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	w.started = append(w.started, cmd)
	return cmd, nil
}

func (w *World) Logged() string {
	raw, err := os.ReadFile(w.Path("log"))
	if err != nil {
		return err.Error()
	}
	return string(raw[max(0, len(raw)-2000):])
}

// Tool runs a command of the console beside it.
func (w *World) Tool(args ...string) (string, error) {
	out, err := exec.CommandContext(w.Ctx, "bin/deskside-console", slices.Concat(args, []string{"--data", w.Path("data")}, w.On)...).Output()
	if err != nil {
		return "", fmt.Errorf("deskside-console %s: %w", args[0], err)
	}
	return strings.TrimSpace(string(out)), nil
}

// Agent enrols and starts an agent for this machine; its id comes back when it is
// online.
func (w *World) Agent() (*exec.Cmd, string, error) {
	token, err := w.Tool("enrolment", "create", "--uses", "1", "--expires", "1h")
	if err != nil {
		return nil, "", err
	}
	state := w.Path("agent")
	enroll := exec.CommandContext(w.Ctx, "bin/deskside-agent", "enroll", "--console", w.Ready.URL, "--token-file", "-", "--state", state, "--profile", "trial")
	enroll.Stdin = strings.NewReader(token)
	if out, err := enroll.CombinedOutput(); err != nil {
		return nil, "", fmt.Errorf("enrol: %w: %s", err, out)
	}
	cmd, err := w.Quiet("bin/deskside-agent", "run", "--state", state, "--policy", w.Path("none.yaml"))
	if err != nil {
		return nil, "", err
	}
	var list struct {
		Items []struct {
			ID, Presence string
			OS           struct{ Name string }
		}
	}
	err = w.Until("the agent is online", func() (bool, error) {
		err := w.Call(http.MethodGet, "/machines", nil, &list)
		return len(list.Items) == 1 && list.Items[0].Presence == "online" && list.Items[0].OS.Name != "", err
	})
	if err != nil {
		return nil, "", err
	}
	return cmd, list.Items[0].ID, nil
}

// Until waits for something that is to come within [Patience].
func (w *World) Until(what string, there func() (bool, error)) error {
	return w.Within(Patience, what, there)
}

// Within waits for something that takes longer than most.
func (w *World) Within(patience time.Duration, what string, there func() (bool, error)) error {
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if ok, err := there(); ok || err != nil {
			return err
		}
		if err := w.Pause(20 * time.Millisecond); err != nil {
			return err
		}
	}
	return fmt.Errorf("not within %s: %s; %s", patience, what, w.Logged())
}

func (w *World) Pause(d time.Duration) error {
	select {
	case <-w.Ctx.Done():
		return w.Ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// Call asks the API.
func (w *World) Call(method, path string, body, into any) error {
	if err := api.Call(w.Ctx, w.Client, w.Ready.HTTP, w.Token, method, path, "", body, into); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

// Control speaks with a program's own control address.
func (w *World) Control(method, url string, body, into any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(w.Ctx, method, url, bytes.NewReader(raw))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Close = true // who is asked seldom hangs up meanwhile
	response, err := w.Client.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if raw, err = io.ReadAll(response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s: %.200s", method, url, response.Status, raw)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(raw, into)
}

// End asks a process to end, and waits.
func (w *World) End(cmd *exec.Cmd) error {
	w.started = slices.DeleteFunc(w.started, func(c *exec.Cmd) bool { return c == cmd })
	err := cmd.Process.Signal(os.Interrupt)
	done := make(chan struct{})
	go func() { cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		err = errors.Join(err, fmt.Errorf("%s did not end", cmd.Path), cmd.Process.Kill())
		<-done
	}
	return err
}

// Close ends what was started, the youngest first, and removes the folder.
func (w *World) Close() error {
	var errs []error
	for len(w.started) > 0 {
		errs = append(errs, w.End(w.started[len(w.started)-1]))
	}
	for _, dir := range append(w.remove, w.dir) {
		errs = append(errs, os.RemoveAll(dir))
	}
	return errors.Join(errs...)
}
