package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/console/store/storetest"
)

// A world is one scene: consoles, database, message server, the network, and pretend
// workstations at the other end of it.
type world struct {
	ctx      context.Context
	scene    scene
	seed     uint64
	dir      string
	postgres *storetest.Cluster
	nats     *process
	consoles []*process
	plain    []string // where each console's API is, http://host:port
	network  *proxy   // between machines and consoles
	between  []*proxy // from the consoles to the database, and to the message server
	nodes    []*proxy // to each console, from the others
	mounts   []string // small disks
	machines *process
	agents   []*process             // real ones, on this computer
	holders  []*holder              // of terminals on them
	control  string                 // of the machines, http://host:port
	token    atomic.Pointer[string] // of an administrator
	newToken func() error           // makes another one
	client   *http.Client
	store    *store.Store // looks at the database beside the consoles
	ids      map[string]string
	linux    []string // names of machines that run scripts for Linux

	mu      sync.Mutex
	blunder error // an answer that no fault explains

	sick      map[string]int             // how often each machine fell ill
	notes     map[string]map[string]bool // by ticket: whether each was taken
	runs      map[string]bool            // that were asked for, by id
	questions map[string]bool            // that were taken, by id
	whole     map[uuid.UUID]bool         // runs whose output was read and is whole
	begun     map[string]int             // how often each run began, as the workstations say
	hung      uuid.UUID                  // a machine that was rightly called offline
	gone      map[uuid.UUID]string       // machines that were called lost, and when
	looked    time.Time                  // when that was looked for last
	killed    bool                       // the workstations were killed in this round
	lost      map[uuid.UUID]bool         // runs that were lost in rounds in which they were

	hands sync.Mutex // the workstations are not touched while they are told something
}

const patience = 90 * time.Second // until all is well again

func newWorld(ctx context.Context, s scene, seed uint64, machines int) (_ *world, err error) {
	dir, err := os.MkdirTemp("", "deskside-chaos-")
	if err != nil {
		return nil, err
	}
	w := &world{ctx: ctx, scene: s, seed: seed, dir: dir, ids: map[string]string{}, sick: map[string]int{}, notes: map[string]map[string]bool{},
		runs: map[string]bool{}, questions: map[string]bool{}, whole: map[uuid.UUID]bool{}, lost: map[uuid.UUID]bool{}, begun: map[string]int{}, gone: map[uuid.UUID]string{}, client: &http.Client{Timeout: 5 * time.Second}}
	defer func() {
		if err != nil {
			w.close(true)
			err = fmt.Errorf("%w; logs in %s", err, dir)
		}
	}()
	if s.full {
		if err = errors.Join(w.mount("data"), w.mount("machines")); err != nil {
			return nil, err
		}
	}
	if s.clocks {
		if err = w.buildWrong(); err != nil {
			return nil, err
		}
	}
	if w.network, err = newProxy(); err != nil {
		return nil, err
	}
	database := store.Options{Data: w.path("data"), Log: slog.New(slog.DiscardHandler)}
	shared := []string{"--data", w.path("data"), "--keys", w.path("keys")}
	far := slices.Clone(shared) // as consoles are told: they come to all else by a network
	if s.postgres {
		if w.postgres, err = storetest.StartCluster(); err != nil {
			return nil, err
		}
		database = store.Options{Database: w.postgres.URL, Log: database.Log}
		shared = append(shared, "--database", w.postgres.URL)
		at, err := url.Parse(w.postgres.URL)
		if err != nil {
			return nil, err
		}
		if at.Host, err = w.through(at.Host); err != nil {
			return nil, err
		}
		far = append(far, "--database", at.String())
	}
	if s.nodes > 1 {
		at, err := freePort()
		if err != nil {
			return nil, err
		}
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		_, port, _ := strings.Cut(at, ":")
		w.nats = &process{name: "nats", dir: dir, args: []string{self, serveNATS, port}}
		if err := w.nats.start(); err != nil {
			return nil, err
		}
		if at, err = w.through(at); err != nil {
			return nil, err
		}
		far = append(far, "--nats", "nats://"+at)
	}
	var doors []string
	for i := range s.nodes {
		door, err1 := freePort()
		plain, err2 := freePort()
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		doors, w.plain = append(doors, door), append(w.plain, "http://"+plain)
		args := append([]string{w.program("deskside-console"), "serve", "--listen", door, "--http", plain, "--log-level", "warn",
			"--public", "https://" + w.network.address()}, far...)
		if s.nodes > 1 {
			way, err := newProxy()
			if err != nil {
				return nil, err
			}
			way.leads(door)
			w.nodes = append(w.nodes, way)
			args = append(args, "--node", "https://"+way.address())
		}
		c, err := w.withClock(&process{name: "console" + strconv.Itoa(i+1), dir: dir, args: args})
		if err != nil {
			return nil, err
		}
		w.consoles = append(w.consoles, c)
		if err := w.consoles[i].start(); err != nil {
			return nil, err
		}
	}
	w.network.leads(doors...)
	if w.store, err = store.Open(ctx, database); err != nil {
		return nil, err
	}
	tool := func(args ...string) (string, error) {
		out, err := exec.CommandContext(ctx, "bin/deskside-console", append(args, shared...)...).Output()
		if err != nil {
			return "", fmt.Errorf("deskside-console %s: %w", strings.Join(args[:2], " "), err)
		}
		return strings.TrimSpace(string(out)), nil
	}
	if _, err = tool("person", "add", "chaos", "--role", "admin"); err != nil {
		return nil, err
	}
	w.newToken = func() error {
		token, err := tool("token", "create", "--person", "chaos")
		w.token.Store(&token)
		return err
	}
	if err = w.newToken(); err != nil {
		return nil, err
	}
	if err = w.hurry(s.patient); err != nil {
		return nil, err
	}
	token, err := tool("enrolment", "create", "--uses", strconv.Itoa(machines+terminals), "--expires", "24h")
	if err != nil {
		return nil, err
	}
	control, err := freePort()
	if err != nil {
		return nil, err
	}
	w.control = "http://" + control
	w.machines, err = w.withClock(&process{name: "machines", dir: dir, args: []string{w.program("deskside-simulate"), "--console", "https://" + w.network.address(), "--token", token,
		"--machines", strconv.Itoa(machines), "--seed", strconv.FormatUint(seed, 10), "--data", w.path("machines"), "--control", control}, said: w.hear})
	if err != nil {
		return nil, err
	}
	if err = w.machines.start(); err != nil {
		return nil, err
	}
	if err = w.meet(machines); err != nil {
		return nil, err
	}
	return w, w.employ(token)
}

// through is a network of its own to an address, for consoles.
func (w *world) through(to string) (string, error) {
	p, err := newProxy()
	if err != nil {
		return "", err
	}
	p.leads(to)
	w.between = append(w.between, p)
	return p.address(), nil
}

// hear takes what the workstations say: which run begins.
func (w *world) hear(line []byte) {
	var run struct{ Began string }
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := json.Unmarshal(line, &run); err != nil || run.Began == "" {
		w.blunder = errors.Join(w.blunder, fmt.Errorf("the workstations say %q", line))
		return
	}
	w.begun[run.Began]++
}

// hurry makes checks quick, so that a round is short and whoever is called offline is
// called lost at once, and takes storms away, so that each alert has a ticket of its own
// machine. A patient world keeps the default beat.
func (w *world) hurry(patient bool) error {
	for id, change := range map[string]map[string]any{
		"filesystem.full": {"interval": "1s", "for": "0s", "keep_firing_for": "0s"},
		"machine.offline": {"for": "0s"},
	} {
		var check struct{ Version int64 }
		if err := w.call(http.MethodGet, "/checks/"+id, nil, &check); err != nil {
			return err
		}
		change["version"] = check.Version
		if err := w.call(http.MethodPatch, "/checks/"+id, change, nil); err != nil {
			return err
		}
	}
	var settings struct{ Version int64 }
	if err := w.call(http.MethodGet, "/settings", nil, &settings); err != nil {
		return err
	}
	change := map[string]any{"version": settings.Version, "storm": map[string]any{"machines": 10000}}
	if !patient {
		// A network that is cut and then a console that starts may keep a machine away for
		// half as long, by the pauses between its attempts.
		change["beat"], change["offline_after"] = "2s", "40s"
	}
	return w.call(http.MethodPatch, "/settings", change, nil)
}

// meet learns the machines' names.
func (w *world) meet(machines int) error {
	for cursor := ""; ; {
		var page struct {
			Items []struct {
				ID, Name string
				OS       struct{ Family string }
			}
			Next *string
		}
		if err := w.call(http.MethodGet, "/machines?limit=500&cursor="+cursor, nil, &page); err != nil {
			return err
		}
		for _, m := range page.Items {
			w.ids[m.Name] = m.ID
			if m.OS.Family == "linux" {
				w.linux = append(w.linux, m.Name)
			}
		}
		if page.Next == nil {
			break
		}
		cursor = *page.Next
	}
	if len(w.ids) != machines {
		return fmt.Errorf("%d machines of %d are known", len(w.ids), machines)
	}
	return nil
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

// audit proves the chain with the program's own command.
func (w *world) audit() error {
	args := []string{"audit", "verify", "--data", w.path("data"), "--keys", w.path("keys")}
	if w.postgres != nil {
		args = append(args, "--database", w.postgres.URL)
	}
	if out, err := exec.CommandContext(w.ctx, "bin/deskside-console", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("audit verify: %w: %s", err, out)
	}
	return nil
}

// close ends everything; the folder stays where somebody has to look into it.
func (w *world) close(keep bool) {
	if w.machines != nil {
		w.machines.stop()
	}
	for _, a := range w.agents {
		a.stop()
	}
	for _, c := range w.consoles {
		if c.cmd != nil {
			c.stop()
		}
	}
	if w.nats != nil {
		w.nats.kill()
	}
	if w.store != nil {
		w.store.Close()
	}
	if w.postgres != nil {
		w.postgres.Close()
	}
	if w.network != nil {
		w.network.listener.Close()
	}
	for _, m := range w.mounts { // what was on it cannot be kept
		if err := syscall.Unmount(m, syscall.MNT_DETACH); err != nil {
			fmt.Fprintln(os.Stderr, "chaos: unmount:", err)
		}
	}
	if !keep {
		os.RemoveAll(w.dir)
	}
}
