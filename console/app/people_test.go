package app_test

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/deskside/deskside/console/account"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/protocol/stream"
)

// as is the node as another person uses it.
func (n *node) as(name string, role model.Role) *node {
	n.w.t.Helper()
	own := *n
	n.w.tools(func(_ *store.Store, a *account.Accounts, o model.Organisation) {
		p := must(a.Add(n.w.t.Context(), store.System("test"), o.ID, name, role, ""))
		own.token = must(a.NewToken(n.w.t.Context(), store.System("test"), p))
	})
	return &own
}

// person is somebody as the list of people shows them.
func (n *node) person(name string) map[string]any {
	n.w.t.Helper()
	return n.items("/people?state=all&q=" + name)[0]
}

// shell opens a terminal of a machine and waits until its shell says which process
// it is.
func (n *node) shell(t *testing.T, machine string) (session string, ws *websocket.Conn, pid int) {
	t.Helper()
	var s struct {
		ID string `json:"id"`
	}
	n.post("/sessions", map[string]any{"machine_id": machine}, &s)
	dialer := websocket.Dialer{HandshakeTimeout: 30 * time.Second, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	address := strings.Replace(n.ready.URL, "https://", "wss://", 1) + "/api/v1/sessions/" + s.ID + "/socket"
	ws, response, err := dialer.Dial(address, http.Header{"Authorization": {"Bearer " + n.token}})
	if err != nil {
		t.Fatalf("%v: %v", err, response)
	}
	t.Cleanup(func() { ws.Close() })
	if err := ws.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	ask := must(stream.NewSender(stream.Input, 0).Next([]byte("echo my''self$$.\n")))
	if err := ws.WriteMessage(websocket.BinaryMessage, ask.Bytes()); err != nil {
		t.Fatal(err)
	}
	for screen := ""; pid == 0; {
		_, message, err := ws.ReadMessage()
		if err != nil {
			t.Fatalf("%v: %s", err, screen)
		}
		if f := must(stream.Parse(message)); f.Kind == stream.Output {
			screen += string(f.Payload)
		}
		if found := regexp.MustCompile(`myself(\d+)\.`).FindStringSubmatch(screen); found != nil {
			pid = must(strconv.Atoi(found[1]))
		}
	}
	return s.ID, ws, pid
}

// ends waits until a process is gone.
func (n *node) ends(what string, pid int) {
	n.w.t.Helper()
	n.eventually(5*time.Second, what+" ends", func() bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) })
}

// closes waits until the console hangs up.
func closes(t *testing.T, what string, ws *websocket.Conn) {
	t.Helper()
	if err := ws.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	for {
		_, _, err := ws.ReadMessage()
		if err != nil {
			if e, ok := err.(interface{ Timeout() bool }); ok && e.Timeout() {
				t.Errorf("%s stays open", what)
			}
			return
		}
	}
}

// TestPeople: what a person holds ends when they may hold it no longer.
func TestPeople(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		n := w.start("")
		m := n.machine()
		t.Run("disabled", func(t *testing.T) {
			ben := n.as("ben", model.RoleTechnician)
			page := ben.live()
			session, terminal, shell := ben.shell(t, m.id)
			p := n.person("ben")
			n.do(http.MethodPatch, "/people/"+text(p["id"]), map[string]any{"version": p["version"], "disabled": true}, &p, http.StatusOK)
			if p["disabled"] != true {
				t.Errorf("%v", p)
			}
			closes(t, "the page of a disabled person", page)
			closes(t, "the terminal of a disabled person", terminal)
			n.ends("their shell", shell)
			ben.do(http.MethodGet, "/me", nil, nil, http.StatusUnauthorized)
			if s := n.get("/sessions/" + session); s["state"] != "ended" {
				t.Errorf("the session: %v", s)
			}
			if list := n.items("/people?q=ben"); len(list) != 0 {
				t.Errorf("among the people whom one may ask: %v", list)
			}
		})
		t.Run("demoted", func(t *testing.T) {
			ewa := n.as("ewa", model.RoleTechnician)
			page := ewa.live()
			_, terminal, _ := ewa.shell(t, m.id)
			var run map[string]any
			away := n.enrolled("away")
			ewa.post("/runs", map[string]any{"script": "free-disk-space", "machine_id": away.Machine, "parameters": map[string]any{"MOUNT": "/"}, "dry_run": true}, &run)
			p := n.person("ewa")
			n.do(http.MethodPatch, "/people/"+text(p["id"]), map[string]any{"version": p["version"], "role": "viewer"}, nil, http.StatusOK)
			closes(t, "the page of a technician who is one no longer", page)
			closes(t, "their terminal", terminal)
			n.eventually(5*time.Second, "what they asked for and no machine knows is cancelled", func() bool {
				return n.get("/runs/" + text(run["id"]))["state"] == "cancelled"
			})
			closed := ewa.live() // and with what is left they may come back
			ewa.do(http.MethodPatch, "/me", map[string]any{"theme": "dark"}, nil, http.StatusOK)
			told(t, closed, "their own change of theme", func(x map[string]any) bool { return x["changes"] != nil })
		})
		t.Run("tokens", func(t *testing.T) {
			ola := n.as("ola", model.RoleViewer)
			page := ola.live()
			own := ola.items("/tokens")
			if len(own) != 1 || own[0]["person"].(map[string]any)["name"] != "ola" {
				t.Fatalf("their own tokens: %v", own)
			}
			all := n.items("/tokens")
			if len(all) < 3 {
				t.Errorf("all tokens: %v", all)
			}
			for _, x := range all {
				if x["id"] != own[0]["id"] {
					ola.do(http.MethodDelete, "/tokens/"+text(x["id"]), nil, nil, http.StatusNotFound)
				}
			}
			n.do(http.MethodDelete, "/tokens/"+text(own[0]["id"]), nil, nil, http.StatusOK)
			closes(t, "the page of a revoked token", page)
			ola.do(http.MethodGet, "/me", nil, nil, http.StatusUnauthorized)
		})
		t.Run("credentials", func(t *testing.T) { credentials(t, w, n, m) })
		t.Run("last administrator", func(t *testing.T) {
			p := n.person("admin")
			for _, body := range []map[string]any{{"version": p["version"], "disabled": true}, {"version": p["version"], "role": "viewer"}} {
				if answer := n.do(http.MethodPatch, "/people/"+text(p["id"]), body, nil, http.StatusConflict); !strings.Contains(answer, `"state"`) {
					t.Errorf("%v: %s", body, answer)
				}
			}
			answer := n.do(http.MethodPatch, "/people/"+text(p["id"]), map[string]any{"version": 99, "role": "admin"}, nil, http.StatusConflict)
			if !strings.Contains(answer, `"conflict"`) || !strings.Contains(answer, `"current"`) {
				t.Errorf("another version: %s", answer)
			}
		})
		t.Run("commands", func(t *testing.T) { commandsOfPeople(t, w, n, m) })
	})
}

// credentials: what was opened with a token or a sign-in ends with it, and what
// the same person opened with another one stays.
func credentials(t *testing.T, w *world, n *node, m *machine) {
	leo := n.as("leo", model.RoleTechnician)
	other := *leo
	var link string
	w.tools(func(s *store.Store, a *account.Accounts, _ model.Organisation) {
		var p model.Person
		err := s.View(t.Context(), store.System("test"), func(tx *store.Tx) error {
			var err error
			p, err = account.Named(tx, "leo")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		other.token = must(a.NewToken(t.Context(), store.System("test"), p))
		link = must(a.NewLink(t.Context(), store.System("test"), p))
	})
	_, terminal, shell := leo.shell(t, m.id)
	kept, _, stays := other.shell(t, m.id)
	own := leo.items("/tokens?sort=created_at")
	n.do(http.MethodDelete, "/tokens/"+text(own[0]["id"]), nil, nil, http.StatusOK)
	closes(t, "the terminal of a revoked token", terminal)
	n.ends("its shell", shell)

	browser := http.Header{"Origin": {n.ready.HTTP}}
	status, header, answer := n.ask(http.MethodPost, "/sign-in/link", "", map[string]any{"link": link}, browser)
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, answer)
	}
	cookie, _, _ := strings.Cut(header.Get("Set-Cookie"), ";")
	browser.Set("Cookie", cookie)
	_, _, answer = n.ask(http.MethodPost, "/sessions", "", map[string]any{"machine_id": m.id}, browser)
	var s struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal([]byte(answer), &s); err != nil || s.ID == "" {
		t.Fatal(answer)
	}
	n.eventually(10*time.Second, "the session is open", func() bool { return n.get("/sessions/" + s.ID)["state"] == "open" })
	if status, _, answer := n.ask(http.MethodPost, "/sign-out", "", nil, browser); status >= 300 {
		t.Fatalf("%d %s", status, answer)
	}
	n.eventually(5*time.Second, "the session of who signed out ends", func() bool { return n.get("/sessions/" + s.ID)["state"] == "ended" })
	if state := n.get("/sessions/" + kept)["state"]; state != "open" {
		t.Errorf("with another token: %v", state)
	}
	if err := syscall.Kill(stays, 0); err != nil {
		t.Errorf("its shell: %v", err)
	}
}

// commandsOfPeople: the same from a shell on the console's host, while it runs.
func commandsOfPeople(t *testing.T, w *world, n *node, m *machine) {
	run := w.beside(buildConsole(t))
	iza := n.as("iza", model.RoleTechnician)
	page := iza.live()
	_, terminal, _ := iza.shell(t, m.id)
	var line string
	for l := range strings.Lines(run(0, "token", "list")) {
		if strings.Contains(l, "\tiza\t") {
			line = l
		}
	}
	id, _, _ := strings.Cut(line, "\t")
	run(0, "token", "revoke", id)
	iza.do(http.MethodGet, "/me", nil, nil, http.StatusUnauthorized)
	run(77, "token", "revoke", id)
	run(64, "token", "revoke", "nonsense")
	run(0, "person", "disable", "iza")
	if p := n.person("iza"); p["disabled"] != true {
		t.Errorf("disabled: %v", p)
	}
	closes(t, "the terminal", terminal)
	closes(t, "the page", page)
	run(0, "person", "enable", "IZA")
	if p := n.person("iza"); p["disabled"] != false {
		t.Errorf("enabled: %v", p)
	}
	if out := run(77, "person", "disable", "admin"); !strings.Contains(out, "last administrator") {
		t.Error(out)
	}
	if out := run(77, "person", "disable", "nobody"); out != "deskside-console: There is nobody called \"nobody\".\n" {
		t.Errorf("%q", out)
	}
	if out := run(64, "token", "create"); !strings.Contains(out, "--person NAME") {
		t.Errorf("%q", out)
	}
	for action, count := range map[string]int{"person.disable": 2, "person.enable": 1, "token.revoke": 3, "person.change": 1} {
		if got := len(n.items("/audit?action=" + action)); got != count {
			t.Errorf("%d rows of %s in the audit, not %d", got, action, count)
		}
	}
}

// TestTooMany: whoever guesses is told when to come back.
func TestTooMany(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		n := w.start("")
		own := http.Header{"Origin": {n.ready.HTTP}}
		guess := func() (int, http.Header, string) {
			return n.ask(http.MethodPost, "/sign-in", "", map[string]any{"name": "admin", "password": "a wrong guess"}, own)
		}
		for range 5 {
			if status, _, answer := guess(); status != http.StatusUnauthorized {
				t.Errorf("a wrong guess: %d %s", status, answer)
			}
		}
		status, header, answer := guess()
		if status != http.StatusTooManyRequests || header.Get("Retry-After") == "" || !strings.Contains(answer, `"too_many"`) {
			t.Errorf("one too many: %d %v %s", status, header, answer)
		}
	})
}
