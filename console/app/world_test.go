package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	agent "github.com/deskside/deskside/agent/app"
	"github.com/deskside/deskside/agent/repair"
	"github.com/deskside/deskside/console/account"
	"github.com/deskside/deskside/console/app"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/console/store/storetest"
	"github.com/deskside/deskside/protocol"
)

// TestMain lets this program be the keeper of the scripts that its agents run.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == repair.KeeperCommand {
		os.Exit(repair.Keep(os.Args[2:]))
	}
	dir, err := os.MkdirTemp("", "home")
	if err != nil {
		panic(err)
	}
	os.Setenv("HOME", dir)
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		os.RemoveAll(dir)
		os.Exit(code)
	}))
}

// home is of whoever runs the tests: what is built keeps its cache there. Shells
// that are opened on machines have one that is empty, so they read nothing of
// theirs, and leave nothing in it when they are killed.
var home = os.Getenv("HOME")

// each runs a test on both databases.
func each(t *testing.T, fn func(t *testing.T, w *world)) {
	storetest.EachOptions(t, func(t *testing.T, o store.Options) {
		w := &world{t: t, database: o, keys: t.TempDir()}
		fn(t, w)
	})
}

// world is a database and whatever runs on it.
type world struct {
	t        *testing.T
	database store.Options
	keys     string
	nats     string
	told     string // by which other nodes are told to reach those that start; empty for where they listen
}

// stopLimit is how long a program may take to stop before the test says that it
// does not.
const stopLimit = 30 * time.Second

// node is one running console.
type node struct {
	w     *world
	ready app.Ready
	stop  func()
	token string
}

// start starts a console; address makes it come back where it was.
func (w *world) start(address string) *node {
	w.t.Helper()
	o := app.Options{Data: w.database.Data, Database: w.database.Database, Keys: w.keys, NATS: w.nats, Node: w.told,
		Listen: address, HTTP: "127.0.0.1:0", Trial: true, Log: quiet(w.t, "console")}
	if address == "" {
		o.Listen = "127.0.0.1:0"
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.t.Context()))
	console, err := app.Open(ctx, o)
	if err != nil {
		cancel()
		w.t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- console.Run(ctx) }()
	n := &node{w: w, ready: console.Ready()}
	n.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				w.t.Errorf("console: %v", err)
			}
		case <-time.After(stopLimit):
			w.t.Error("the console does not stop: something in it works for ever")
			return
		}
		if err := console.Close(); err != nil {
			w.t.Errorf("console: %v", err)
		}
	})
	w.t.Cleanup(n.stop)
	n.token = w.admin()
	return n
}

// admin makes an administrator the first time, and an API token each time.
func (w *world) admin() string {
	w.t.Helper()
	var secret string
	w.tools(func(s *store.Store, a *account.Accounts, o model.Organisation) {
		ctx, scope := w.t.Context(), store.System("test")
		p, err := a.Add(ctx, scope, o.ID, "admin", model.RoleAdmin, "")
		var problem *model.Problem
		if errors.As(err, &problem) && problem.Code == model.CodeConflict {
			err = s.View(ctx, scope, func(tx *store.Tx) error {
				var err error
				p, err = account.Named(tx, "admin")
				return err
			})
		}
		if err != nil {
			w.t.Fatal(err)
		}
		if secret, err = a.NewToken(ctx, scope, p); err != nil {
			w.t.Fatal(err)
		}
	})
	return secret
}

// tools opens the database beside the consoles, as the commands do.
func (w *world) tools(do func(*store.Store, *account.Accounts, model.Organisation)) {
	w.t.Helper()
	s, err := store.Open(w.t.Context(), w.database)
	if err != nil {
		w.t.Fatal(err)
	}
	defer s.Close()
	a := account.New(s, quiet(w.t, "tools"))
	o, err := a.Default(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	do(s, a, o)
}

func quiet(t *testing.T, who string) *slog.Logger {
	if !testing.Verbose() {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(t.Output(), nil)).With("who", who)
}

// enrolment makes a token through the API.
func (n *node) enrolment(uses int) string {
	var e struct {
		Token string `json:"token"`
	}
	n.post("/enrolments", map[string]any{"uses": uses}, &e)
	return e.Token
}

// machine is one running agent.
type machine struct {
	n    *node
	id   string
	dir  string
	stop func()
}

// enrol gives a machine a name; it does not run yet.
func (n *node) enrol(dir, token, profile string) error {
	_, err := agent.Enroll(n.w.t.Context(), agent.Enrolment{Console: n.ready.URL, Token: must(protocol.ParseToken(token)), State: dir, Profile: profile})
	return err
}

// machine enrols and runs an agent with the profile trial.
func (n *node) machine() *machine {
	n.w.t.Helper()
	m := &machine{n: n, dir: n.w.t.TempDir()}
	if err := n.enrol(m.dir, n.enrolment(1), "trial"); err != nil {
		n.w.t.Fatal(err)
	}
	m.run()
	m.id = n.newest()
	n.eventually(10*time.Second, "the machine is online", func() bool { return n.get("/machines/" + m.id)["presence"] == "online" })
	return m
}

func (n *node) newest() string {
	var page struct {
		Items []struct {
			ID string `json:"id"`
		} `json:"items"`
	}
	n.read("/machines?sort=name", &page)
	best := ""
	for _, m := range page.Items {
		best = max(best, m.ID)
	}
	return best
}

func (m *machine) run() {
	m.n.w.t.Helper()
	a, err := agent.Open(agent.Options{State: m.dir, Policy: filepath.Join(m.dir, "no-policy.yaml"), Log: quiet(m.n.w.t, "agent")})
	if err != nil {
		m.n.w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(m.n.w.t.Context()))
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx, protocol.GoodbyeStopped) }()
	m.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				m.n.w.t.Errorf("agent: %v", err)
			}
		case <-time.After(stopLimit):
			m.n.w.t.Error("the agent does not stop")
		}
	})
	m.n.w.t.Cleanup(m.stop)
}

// eager makes the checks answer within seconds.
func (n *node) eager(checks ...string) {
	n.w.t.Helper()
	for _, c := range checks {
		n.do(http.MethodPatch, "/checks/"+c, map[string]any{"interval": "1s", "for": "2s", "keep_firing_for": "2s"}, nil, http.StatusOK)
	}
}

// do asks the API and decodes the answer into out.
func (n *node) do(method, path string, body, out any, want int) string {
	n.w.t.Helper()
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(must(json.Marshal(body)))
	}
	r := must(http.NewRequest(method, n.ready.HTTP+"/api/v1"+path, reader))
	r.Header.Set("Authorization", "Bearer "+n.token)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		n.w.t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		n.w.t.Fatal(err)
	}
	if response.StatusCode != want {
		n.w.t.Fatalf("%s %s: %d, want %d: %s", method, path, response.StatusCode, want, raw)
	}
	if out != nil {
		if err := json.Unmarshal(raw, out); err != nil {
			n.w.t.Fatalf("%s %s: %v in %s", method, path, err, raw)
		}
	}
	return string(raw)
}

func (n *node) read(path string, out any) {
	n.w.t.Helper()
	n.do(http.MethodGet, path, nil, out, http.StatusOK)
}
func (n *node) post(path string, body, out any) {
	n.w.t.Helper()
	n.do(http.MethodPost, path, body, out, http.StatusOK)
}

func (n *node) get(path string) map[string]any {
	n.w.t.Helper()
	out := map[string]any{}
	n.read(path, &out)
	return out
}

func (n *node) items(path string) []map[string]any {
	n.w.t.Helper()
	var page struct {
		Items []map[string]any `json:"items"`
	}
	n.read(path, &page)
	return page.Items
}

// eventually waits until something real has happened.
func (n *node) eventually(limit time.Duration, what string, ok func() bool) {
	n.w.t.Helper()
	deadline := time.Now().Add(limit)
	for !ok() {
		if time.Now().After(deadline) {
			n.w.t.Fatalf("not within %s: %s", limit, what)
		}
		<-time.After(30 * time.Millisecond)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func text(v any) string { return strings.TrimSpace(fmt.Sprint(v)) }
