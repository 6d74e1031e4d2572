package app_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/agent/gate"
	"github.com/deskside/deskside/agent/link"
	"github.com/deskside/deskside/agent/state"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/protocol"
)

// process is a console as people run it: a process of its own, that can die.
type process struct {
	*exec.Cmd
	node *node
}

// build makes the program once for a test.
func buildConsole(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "deskside-console")
	build := exec.Command("go", "build", "-o", path, "github.com/deskside/deskside/console")
	build.Env = append(os.Environ(), "HOME="+home)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}

// beside runs the commands of the program beside a running console; each says
// with which exit code it has to end.
func (w *world) beside(program string) func(want int, args ...string) string {
	return func(want int, args ...string) string {
		w.t.Helper()
		cmd := exec.Command(program, append(args, "--data", w.database.Data, "--database", w.database.Database, "--keys", w.keys)...)
		out, err := cmd.CombinedOutput()
		if code := cmd.ProcessState.ExitCode(); code != want {
			w.t.Fatalf("%v: %d (%v) %s", args, code, err, out)
		}
		return string(out)
	}
}

// launch starts the program and waits until it is ready.
func (w *world) launch(program, address string) *process {
	w.t.Helper()
	cmd := exec.Command(program, "serve", "--data", w.database.Data, "--database", w.database.Database, "--keys", w.keys,
		"--listen", address, "--http", "127.0.0.1:0", "--log-level", "error")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	cmd.Stderr = w.t.Output()
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	p := &process{Cmd: cmd, node: &node{w: w}}
	w.t.Cleanup(p.kill)
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		w.t.Fatalf("the console says nothing: %v", err)
	}
	if err := json.Unmarshal(line, &p.node.ready); err != nil {
		w.t.Fatal(err)
	}
	return p
}

// kill is kill -9.
func (p *process) kill() {
	p.Process.Kill()
	p.Wait()
}

// teller is a machine that has something to tell and nothing else: the agent's
// own memory, gate and line.
type teller struct {
	t     *testing.T
	state *state.State
	gate  *gate.Gate
	id    state.Identity
}

func newTeller(t *testing.T, n *node, dir string) *teller {
	t.Helper()
	token := must(protocol.ParseToken(n.enrolment(1)))
	id, _, err := link.Enrol(t.Context(), link.Enrolment{Console: n.ready.URL, Token: token, Name: "teller", Profile: "trial",
		OS: protocol.OS{Family: "linux"}, Agent: "test"})
	if err != nil {
		t.Fatal(err)
	}
	s := must(state.Open(dir))
	t.Cleanup(func() { s.Close() })
	m := &teller{t: t, state: s, id: id}
	m.update(func(tx *state.Tx) error { return tx.SetIdentity(id) })
	m.gate = must(gate.Open(s, filepath.Join(dir, "no-policy.yaml"), gate.Eyes{Family: "linux"}))
	return m
}

func (m *teller) update(do func(*state.Tx) error) {
	m.t.Helper()
	if err := m.state.Update(do); err != nil {
		m.t.Fatal(err)
	}
}

// connect runs a line until stop is called.
func (m *teller) connect() (line *link.Line, stop func()) {
	h := link.Handlers{
		Proof: func() (p protocol.Proof, err error) {
			err = m.state.View(func(tx *state.Tx) error { p.Epoch = tx.Epoch(); return nil })
			p.Name, p.OS = "teller", protocol.OS{Family: "linux"}
			return p, err
		},
		Welcome: func(protocol.Welcome) {}, Act: func(gate.Admitted) {}, Refused: func(*gate.Refusal) {}, HelpLink: func(protocol.HelpLink) {},
	}
	line = link.New(m.id, 0, m.state, m.gate, h, quiet(m.t, "teller"))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- line.Run(ctx) }()
	return line, func() {
		cancel()
		if err := <-done; err != nil {
			m.t.Error(err)
		}
	}
}

// story is one condition from its beginning to its end: two transitions that
// count, one that ends it, and a change of a fact, which is a row each time it
// is written.
func story(tx *state.Tx, name string) error {
	episode, now := uuid.New(), time.Now().UnixMicro()
	for _, s := range []struct{ state, severity string }{{protocol.StateFiring, "warning"}, {protocol.StateFiring, "critical"}, {protocol.StateResolved, "critical"}} {
		_, err := tx.Append(protocol.ClassTransition, protocol.Transition{ID: episode, Check: "process.cpu", Instance: name, State: s.state,
			Severity: s.severity, StartedAt: now, At: now})
		if err != nil {
			return err
		}
	}
	_, err := tx.Append(protocol.ClassChange, protocol.Change{Section: "services", Item: name, After: "running", At: now})
	return err
}

// waiting is how much of its stories the console has not acknowledged.
func (m *teller) waiting() (left int) {
	m.t.Helper()
	err := m.state.View(func(tx *state.Tx) error {
		list, err := tx.Pending(1<<20, map[protocol.Class]uint64{}, map[string]uint64{})
		for _, e := range list {
			if e.Class == protocol.ClassTransition || e.Class == protocol.ClassChange { // the gate writes its journal, too
				left++
			}
		}
		return err
	})
	if err != nil {
		m.t.Fatal(err)
	}
	return left
}

// check counts what became of so many stories: each once.
func (w *world) check(machine uuid.UUID, stories int) {
	w.t.Helper()
	w.view(func(tx *store.Tx) error {
		var alerts, wrong, changes, different, refused int
		count := func(into *int, query string) error { return tx.QueryRow(query, machine).Scan(into) }
		err := errors.Join(
			count(&alerts, "SELECT count(*) FROM alert WHERE machine_id = $1 AND instance LIKE 'story%'"),
			count(&wrong, "SELECT count(*) FROM alert WHERE machine_id = $1 AND instance LIKE 'story%' AND (state <> 'resolved' OR count <> 2 OR severity <> 'critical')"),
			count(&changes, "SELECT count(*) FROM fact_change WHERE machine_id = $1 AND item LIKE 'story%'"),
			count(&different, "SELECT count(DISTINCT item) FROM fact_change WHERE machine_id = $1 AND item LIKE 'story%'"),
			count(&refused, "SELECT count(*) FROM refused_message WHERE machine_id = $1"))
		if alerts != stories || wrong != 0 || changes != stories || different != stories || refused != 0 {
			w.t.Errorf("of %d stories there are %d alerts, %d of them wrong, %d changes of %d things, and %d refused messages",
				stories, alerts, wrong, changes, different, refused)
		}
		return err
	})
}

// TestKilled: a console that is killed with -9 between receive and commit, fifty
// seeded times, loses nothing that a machine tells and takes nothing twice.
func TestKilled(t *testing.T) {
	program := buildConsole(t)
	each(t, func(t *testing.T, w *world) {
		const kills = 50
		random := rand.New(rand.NewPCG(2026, 11))
		console := w.launch(program, "127.0.0.1:0")
		console.node.token = w.admin()
		address := "127.0.0.1:" + portOf(console.node.ready.URL)
		m := newTeller(t, console.node, t.TempDir())
		stories, open := 0, 0
		for round := range kills {
			line, stop := m.connect()
			console.node.eventually(10*time.Second, "a line", line.Up)
			for i := range 1 + random.IntN(4) {
				if i > 0 {
					pause(random.IntN(12_000))
				}
				m.update(func(tx *state.Tx) error { stories++; return story(tx, fmt.Sprintf("story %d", stories)) })
				line.Wake()
			}
			pause(random.IntN(4_000)) // a batch is committed at once, or with those that come meanwhile
			console.kill()
			stop()
			if m.waiting() > 0 {
				open++
			}
			console = w.launch(program, address)
			if round == kills-1 {
				break
			}
		}
		t.Logf("%d stories; %d of %d kills met messages that were on the way", stories, open, kills)
		if open < kills/4 {
			t.Errorf("only %d kills met messages that were on the way: this proves little", open)
		}
		_, stop := m.connect()
		console.node.eventually(20*time.Second, "everything is told", func() bool { return m.waiting() == 0 })
		stop()
		w.check(m.id.Machine, stories)
		w.view(func(tx *store.Tx) error {
			for _, class := range []protocol.Class{protocol.ClassTransition, protocol.ClassChange} {
				var mark int64
				if err := tx.QueryRow("SELECT number FROM mark WHERE machine_id = $1 AND class = $2", m.id.Machine, int64(class)).Scan(&mark); err != nil {
					return err
				}
				m.update(func(tx *state.Tx) error {
					if next := tx.Next(class); uint64(mark)+1 != next {
						t.Errorf("the mark of %s is %d, the next number %d", class, mark, next)
					}
					return nil
				})
			}
			return nil
		})
	})
}

func pause(micros int) { <-time.After(time.Duration(micros) * time.Microsecond) }

func portOf(url string) string {
	for i := len(url) - 1; i >= 0; i-- {
		if url[i] == ':' {
			return url[i+1:]
		}
	}
	return ""
}
