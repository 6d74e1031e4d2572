package app_test

import (
	"database/sql"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/uuid"

	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/console/store/storetest"
	"github.com/deskside/deskside/protocol"
)

// TestUnavailable: while the database is away the console says so, and when it is
// back everything is well by itself and nothing is lost.
func TestUnavailable(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		w := &world{t: t, database: storetest.SQLite(t), keys: t.TempDir()}
		// Another process writes, and does not end.
		db := must(sql.Open("sqlite", filepath.Join(w.database.Data, store.File)))
		defer db.Close()
		other := must(db.Conn(t.Context()))
		defer other.Close()
		say := func(statement string) func() {
			return func() { must(other.ExecContext(t.Context(), statement)) }
		}
		say("PRAGMA busy_timeout = 10000")() // it takes its turn: the console may write just now
		unavailable(t, w, say("BEGIN IMMEDIATE"), say("ROLLBACK"))
	})
	t.Run("postgres", func(t *testing.T) {
		server := must(storetest.StartCluster())
		t.Cleanup(func() { server.Close() })
		w := &world{t: t, database: store.Options{Database: server.URL + "?synchronous_commit=on"}, keys: t.TempDir()}
		check := func(do func() error) func() {
			return func() {
				if err := do(); err != nil {
					t.Fatal(err)
				}
			}
		}
		unavailable(t, w, check(server.Stop), check(server.Start))
	})
}

func unavailable(t *testing.T, w *world, away, back func()) {
	n := w.start("")
	ready := func() (int, http.Header) {
		t.Helper()
		r := must(http.Get(n.ready.HTTP + "/readyz"))
		defer r.Body.Close()
		return r.StatusCode, r.Header
	}
	if status, _ := ready(); status != http.StatusOK {
		t.Fatalf("before: %d", status)
	}
	n.do(http.MethodPatch, "/settings", map[string]any{"offline_after": "2s"}, nil, http.StatusOK)
	n.post("/tickets", map[string]any{"says": "before"}, nil)
	teller, leaver, epoch := n.enrolled("teller"), n.enrolled("leaver"), uuid.New()
	line, leaves := n.line(t, teller, epoch), n.line(t, leaver, uuid.New())
	line.tell(logEntry(protocol.ClassChange, 1, changeOf("before")))

	away()
	leaves.ws.Close() // that it left cannot be written now
	line.say(protocol.KindBatch, protocol.Batch{Entries: []protocol.Entry{logEntry(protocol.ClassChange, 2, changeOf("meanwhile"))}})
	if status, header := ready(); status != http.StatusServiceUnavailable || header.Get("Retry-After") == "" {
		t.Errorf("/readyz: %d %v", status, header)
	}
	status, header, answer := n.ask(http.MethodPost, "/tickets", n.token, map[string]any{"says": "meanwhile"}, nil)
	if status != http.StatusServiceUnavailable || header.Get("Content-Type") != "application/problem+json" || header.Get("Retry-After") == "" ||
		!strings.Contains(answer, `"unavailable"`) || !strings.Contains(answer, "database") {
		t.Errorf("a write: %d %v %s", status, header, answer)
	}
	for { // not acknowledged, but hung up on
		m, err := line.next()
		if err != nil {
			break
		}
		if m.Kind == protocol.KindAck {
			t.Error("what was not written is acknowledged")
		}
	}

	back()
	n.eventually(20*time.Second, "the console is ready again", func() bool { status, _ := ready(); return status == http.StatusOK })
	n.post("/tickets", map[string]any{"says": "afterwards"}, nil)
	var says []string
	for _, x := range n.items("/tickets?sort=created_at") {
		says = append(says, text(x["says"]))
	}
	if len(says) != 2 || says[0] != "before" || says[1] != "afterwards" {
		t.Errorf("the tickets: %q", says)
	}
	n.line(t, teller, epoch).tell(logEntry(protocol.ClassChange, 2, changeOf("meanwhile")))
	if got := w.count("SELECT count(*) FROM fact_change WHERE machine_id = $1", teller.Machine); got != 2 {
		t.Errorf("%d of 2 changes", got)
	}
	// It has had twice as long to come back as the database was away.
	n.eventually(90*time.Second, "who left meanwhile is offline", func() bool {
		return n.get("/machines/" + leaver.Machine.String())["presence"] == "offline"
	})
}

// TestExitCodes: what goes wrong at the start is one sentence, and a number for
// whoever starts the program.
func TestExitCodes(t *testing.T) {
	program := buildConsole(t)
	taken := must(net.Listen("tcp", "127.0.0.1:0"))
	defer taken.Close()
	server := must(storetest.StartCluster())
	t.Cleanup(func() { server.Close() })
	data, busy := t.TempDir(), t.TempDir()
	held := flock.New(filepath.Join(busy, "console.lock"))
	if got, err := held.TryLock(); err != nil || !got {
		t.Fatal(got, err)
	}
	defer held.Close()
	db := must(sql.Open("pgx", server.URL))
	defer db.Close()
	must(db.ExecContext(t.Context(), "CREATE ROLE expired LOGIN PASSWORD 'secret' VALID UNTIL '2001-01-01'"))
	at := func(name, password, database string) string { // an empty password is the right one
		u := must(url.Parse(server.URL))
		if password != "" {
			u.User = url.UserPassword(name, password)
		}
		u.Path = "/" + database
		return u.String()
	}
	for _, c := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"the port of machines is taken", []string{"serve", "--data", data, "--listen", taken.Addr().String()}, 73, taken.Addr().String()},
		{"the port of browsers is taken", []string{"serve", "--data", data, "--listen", "127.0.0.1:0", "--http", taken.Addr().String()}, 73, taken.Addr().String()},
		{"another console runs on the data", []string{"serve", "--data", busy, "--listen", "127.0.0.1:0"}, 73, busy},
		{"an address that is not one", []string{"serve", "--data", data, "--listen", "nonsense"}, 78, "nonsense"},
		{"a plain listener for everybody", []string{"serve", "--data", data, "--listen", "127.0.0.1:0", "--http", "0.0.0.0:0"}, 78, "--http"},
		{"a node without a port", []string{"serve", "--data", data, "--listen", "127.0.0.1:0", "--nats", "nats://127.0.0.1:1", "--node", "https://node.example"}, 78, "has no port"},
		{"a node that no other would hear of", []string{"serve", "--data", data, "--listen", "127.0.0.1:0", "--node", "https://node.example:8443"}, 78, "--nats"},
		{"no data", []string{"serve"}, 64, "--data"},
		{"a command that is not there", []string{"nonsense"}, 64, "nonsense"},
		{"one that is not there of another", []string{"person", "nonsense"}, 64, "add, "},
		{"none of the commands of another", []string{"person"}, 64, "add, "},
		{"help for a command that is not there", []string{"help", "nonsense"}, 64, "nonsense"},
		{"too few words", []string{"person", "link", "--data", data}, 64, "1 arg"},
		{"an unknown flag", []string{"serve", "--nonsense"}, 64, "nonsense"},
		{"nobody at the address of the database", []string{"serve", "--keys", data, "--database", "postgres://127.0.0.1:1/deskside"}, 69, "database"},
		{"an unknown database", []string{"serve", "--keys", data, "--database", at("postgres", "", "nonsense")}, 78, "nonsense"},
		{"a wrong password", []string{"serve", "--keys", data, "--database", at("postgres", "wrong", "postgres")}, 78, "password"},
		{"an expired password", []string{"serve", "--keys", data, "--database", at("expired", "secret", "postgres")}, 78, "password"},
		{"not the URL of a database", []string{"serve", "--keys", data, "--database", "nonsense"}, 78, "database"},
	} {
		cmd := exec.Command(program, c.args...)
		var said strings.Builder
		cmd.Stderr = &said
		err := cmd.Run()
		if code := cmd.ProcessState.ExitCode(); code != c.code {
			t.Errorf("%s: %d (%v), want %d: %s", c.name, code, err, c.code, said.String())
		}
		line, rest, _ := strings.Cut(said.String(), "\n")
		if !strings.HasPrefix(line, "deskside-console: ") || !strings.HasSuffix(line, ".") || !strings.Contains(line, c.says) || rest != "" {
			t.Errorf("%s: it says %q", c.name, said.String())
		}
	}
}

// TestPersonList: the people of a console are listed by the program, those too who may
// not come in.
func TestPersonList(t *testing.T) {
	program, data := buildConsole(t), t.TempDir()
	run := func(args ...string) string {
		t.Helper()
		out, err := exec.Command(program, append(args, "--data", data)...).Output()
		if err != nil {
			t.Fatalf("%v: %v", args, err)
		}
		return strings.TrimSpace(string(out))
	}
	zofia, adam := run("person", "add", "zofia", "--role", "viewer"), run("person", "add", "adam")
	run("person", "disable", "zofia")
	if got, want := run("person", "list"), adam+"\tadam\ttechnician\t\n"+zofia+"\tzofia\tviewer\tdisabled"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
