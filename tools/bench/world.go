package main

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

// A world is a console, and what else is started for a measurement, in a folder
// of its own. close ends and removes it all.
type world struct {
	ctx     context.Context
	dir     string
	ready   struct{ URL, HTTP string }
	token   string   // of an administrator
	serve   []string // how the console is started
	on      []string // which database it uses, as every command is told
	console *exec.Cmd
	started []*exec.Cmd
	remove  []string // folders elsewhere
	client  *http.Client
}

const patience = 60 * time.Second // for whatever is waited for

func newWorld(ctx context.Context) (*world, error) { return newWorldOn(ctx, "") }

// newWorldOn has a PostgreSQL for a database; "" is the console's own. What else the
// console is told is serve.
func newWorldOn(ctx context.Context, database string, serve ...string) (*world, error) {
	dir, err := os.MkdirTemp("", "deskside-bench-")
	if err != nil {
		return nil, err
	}
	w := &world{ctx: ctx, dir: dir, client: &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 16}}}
	w.serve = []string{"serve", "--data", w.path("data"), "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"}
	if database != "" {
		w.on = []string{"--database", database}
	}
	w.serve = slices.Concat(w.serve, w.on, serve)
	err = w.startConsole()
	if err == nil {
		_, err = w.tool("person", "add", "bench", "--role", "admin")
	}
	if err == nil {
		w.token, err = w.tool("token", "create", "--person", "bench")
	}
	if err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

// startConsole starts the console, the second time at the addresses of the first.
func (w *world) startConsole() error {
	cmd, line, err := w.start("bin/deskside-console", w.serve...)
	if err != nil {
		return err
	}
	w.console = cmd
	if err := json.Unmarshal([]byte(line), &w.ready); err != nil {
		return err
	}
	for flag, at := range map[string]string{"--listen": w.ready.URL, "--http": w.ready.HTTP} {
		u, err := url.Parse(at)
		if err != nil {
			return err
		}
		w.serve[slices.Index(w.serve, flag)+1] = "127.0.0.1:" + u.Port()
	}
	return nil
}

// kill ends a process at once.
func (w *world) kill(cmd *exec.Cmd) error {
	w.started = slices.DeleteFunc(w.started, func(c *exec.Cmd) bool { return c == cmd })
	err := cmd.Process.Kill()
	cmd.Wait()
	return err
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

// start starts a program that says on its first line that it is ready.
func (w *world) start(program string, args ...string) (*exec.Cmd, string, error) {
	cmd := exec.CommandContext(w.ctx, program, args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, "", err
	}
	log, err := os.OpenFile(w.path("log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
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
			return nil, "", fmt.Errorf("%s ended: %s", program, w.logged())
		}
		return cmd, line, nil
	case <-time.After(5 * patience):
		return nil, "", fmt.Errorf("%s did not become ready", program)
	}
}

// quiet starts a program that says nothing when it is ready.
func (w *world) quiet(program string, args ...string) (*exec.Cmd, error) {
	cmd := exec.CommandContext(w.ctx, program, args...)
	log, err := os.OpenFile(w.path("log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
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

func (w *world) logged() string {
	raw, err := os.ReadFile(w.path("log"))
	if err != nil {
		return err.Error()
	}
	return string(raw[max(0, len(raw)-2000):])
}

// tool runs a command of the console beside it.
func (w *world) tool(args ...string) (string, error) {
	out, err := exec.CommandContext(w.ctx, "bin/deskside-console", slices.Concat(args, []string{"--data", w.path("data")}, w.on)...).Output()
	if err != nil {
		return "", fmt.Errorf("deskside-console %s: %w", args[0], err)
	}
	return strings.TrimSpace(string(out)), nil
}

// agent enrols and starts an agent for this machine; its id comes back when it is
// online.
func (w *world) agent() (*exec.Cmd, string, error) {
	token, err := w.tool("enrolment", "create", "--uses", "1", "--expires", "1h")
	if err != nil {
		return nil, "", err
	}
	state := w.path("agent")
	enroll := exec.CommandContext(w.ctx, "bin/deskside-agent", "enroll", "--console", w.ready.URL, "--token-file", "-", "--state", state, "--profile", "trial")
	enroll.Stdin = strings.NewReader(token)
	if out, err := enroll.CombinedOutput(); err != nil {
		return nil, "", fmt.Errorf("enrol: %w: %s", err, out)
	}
	cmd, err := w.quiet("bin/deskside-agent", "run", "--state", state, "--policy", w.path("none.yaml"))
	if err != nil {
		return nil, "", err
	}
	var list struct {
		Items []struct {
			ID, Presence string
			OS           struct{ Name string }
		}
	}
	err = w.until("the agent is online", func() (bool, error) {
		err := w.call(http.MethodGet, "/machines", nil, &list)
		return len(list.Items) == 1 && list.Items[0].Presence == "online" && list.Items[0].OS.Name != "", err
	})
	if err != nil {
		return nil, "", err
	}
	return cmd, list.Items[0].ID, nil
}

func (w *world) until(what string, there func() (bool, error)) error {
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if ok, err := there(); ok || err != nil {
			return err
		}
		if err := w.pause(20 * time.Millisecond); err != nil {
			return err
		}
	}
	return fmt.Errorf("not within %s: %s; %s", patience, what, w.logged())
}

func (w *world) pause(d time.Duration) error {
	select {
	case <-w.ctx.Done():
		return w.ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// call asks the API.
func (w *world) call(method, path string, body, into any) error {
	if err := api.Call(w.ctx, w.client, w.ready.HTTP, w.token, method, path, "", body, into); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

// control speaks with a program's own control address.
func (w *world) control(method, url string, body, into any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(w.ctx, method, url, bytes.NewReader(raw))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Close = true // who is asked seldom hangs up meanwhile
	response, err := w.client.Do(r)
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

// close ends what was started, the youngest first, and removes the folder.
func (w *world) close() error {
	var errs []error
	for i := len(w.started) - 1; i >= 0; i-- {
		cmd := w.started[i]
		errs = append(errs, cmd.Process.Signal(os.Interrupt))
		done := make(chan struct{})
		go func() { cmd.Wait(); close(done) }()
		select {
		case <-done:
		case <-time.After(20 * time.Second):
			errs = append(errs, fmt.Errorf("%s did not end", cmd.Path), cmd.Process.Kill())
			<-done
		}
	}
	for _, dir := range append(w.remove, w.dir) {
		errs = append(errs, os.RemoveAll(dir))
	}
	return errors.Join(errs...)
}
