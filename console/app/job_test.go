package app_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/websocket"

	agent "github.com/deskside/deskside/agent/app"
	"github.com/deskside/deskside/protocol"
	"github.com/deskside/deskside/protocol/stream"
)

// TestJob is the main job: a real agent at a real console.
func TestJob(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		n := w.start("")
		m := n.machine()
		t.Run("facts and vitals", func(t *testing.T) { factsAndVitals(t, n, m) })
		t.Run("alert to ticket", func(t *testing.T) { alertToTicket(t, n, m) })
		t.Run("repair", func(t *testing.T) { repairs(t, n, m) })
		t.Run("question", func(t *testing.T) { question(t, n, m) })
		t.Run("terminal", func(t *testing.T) { terminal(t, n, m, n) })
		t.Run("help", func(t *testing.T) { help(t, n, m) })
		t.Run("contract", func(t *testing.T) { contract(t, n, m) })
		t.Run("restarts", func(t *testing.T) { restarts(t, w, n, m) })
	})
}

func factsAndVitals(t *testing.T, n *node, m *machine) {
	n.eventually(10*time.Second, "facts arrive", func() bool {
		f := n.get("/machines/" + m.id + "/facts")
		return f["os"] != nil && len(f["filesystems"].([]any)) > 0
	})
	n.eventually(10*time.Second, "the system's name stands in the list", func() bool {
		return n.get("/machines/" + m.id)["os"].(map[string]any)["name"] != ""
	})
	n.post("/machines/"+m.id+"/check-now", nil, nil) // as a page that opens
	n.eventually(20*time.Second, "a series of the processor", func() bool {
		for _, s := range n.get("/machines/" + m.id + "/vitals?name=system.memory.utilization")["series"].([]any) {
			for _, p := range s.(map[string]any)["points"].([]any) {
				if v, ok := p.([]any)[1].(float64); ok && v > 0 && v <= 1 {
					return true
				}
			}
		}
		return false
	})
}

// busy is a program that keeps one core busy whenever it is let.
type busy struct{ *exec.Cmd }

func newBusy(t *testing.T) busy {
	cmd := exec.Command("/bin/sh", "-c", "while :; do :; done")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	return busy{cmd}
}

func (b busy) instance() string { return "sh:" + strconv.Itoa(b.Process.Pid) }

func (b busy) let(on bool) {
	b.Process.Signal(map[bool]syscall.Signal{true: syscall.SIGCONT, false: syscall.SIGSTOP}[on])
}

func alertToTicket(t *testing.T, n *node, m *machine) {
	n.do(http.MethodPatch, "/checks/process.cpu", map[string]any{"warning": ">= 0.1", "clear": "< 0.05"}, nil, http.StatusOK)
	n.eager("process.cpu")
	// Whatever else keeps this computer busy has tickets of its own.
	n.do(http.MethodPatch, "/settings", map[string]any{"join_window": "0s"}, nil, http.StatusOK)
	program := newBusy(t)
	firing := func() (found []map[string]any) {
		for _, a := range n.items("/alerts?state=open&check=process.cpu&machine_id=" + m.id) {
			if a["instance"] == program.instance() {
				found = append(found, a)
			}
		}
		return found
	}
	tickets := map[string]bool{}
	var ticket string
	for range 3 {
		program.let(true)
		began := time.Now()
		n.eventually(15*time.Second, "an alert", func() bool { return len(firing()) > 0 })
		t.Logf("the alert, with its ticket, is there after %s", time.Since(began).Round(time.Millisecond))
		a := firing()[0]
		ticket = text(a["ticket_id"])
		tickets[ticket] = true
		evidence := a["evidence"].(map[string]any)
		if len(evidence["processes"].([]any)) == 0 {
			t.Error("no processes in the evidence")
		}
		for _, lang := range []string{"en", "pl"} {
			for _, words := range []string{"title", "finding", "plain"} {
				if s := text(a[words].(map[string]any)[lang]); s == "" || strings.ContainsAny(s, "{}") {
					t.Errorf("%s in %s: %q", words, lang, s)
				}
			}
		}
		program.let(false)
		began = time.Now()
		n.eventually(15*time.Second, "the alert resolves", func() bool { return len(firing()) == 0 })
		t.Logf("it has resolved after %s", time.Since(began).Round(time.Millisecond))
	}
	n.eventually(15*time.Second, "the untouched ticket is resolved, with the reason", func() bool {
		r, _ := n.get("/tickets/" + ticket)["resolution"].(map[string]any)
		return r != nil && r["kind"] == "condition_cleared" && r["text"] != ""
	})
	if len(tickets) != 1 {
		t.Errorf("three times the same made the tickets %v", tickets)
	}
	var opened int
	for _, i := range n.items("/tickets/" + ticket + "/timeline?limit=500") {
		if i["kind"] == "alert" && i["reason"] == "opened" {
			opened++
		}
	}
	if opened != 1 {
		t.Errorf("the ticket was opened %d times", opened)
	}
}

func repairs(t *testing.T, n *node, m *machine) {
	var ticket struct {
		ID string `json:"id"`
	}
	n.post("/tickets", map[string]any{"says": "nie mam miejsca na dysku", "machine_id": m.id, "can_work": "no"}, &ticket)
	run := func(body map[string]any) map[string]any {
		var r struct {
			ID string `json:"id"`
		}
		body["machine_id"], body["ticket_id"] = m.id, ticket.ID
		n.post("/runs", body, &r)
		return n.get("/runs/" + r.ID + "?wait=30")
	}
	mount := text(n.get("/machines/" + m.id + "/facts")["filesystems"].([]any)[0].(map[string]any)["mount"])
	dry := run(map[string]any{"script": "free-disk-space", "parameters": map[string]string{"MOUNT": mount}, "dry_run": true})
	if dry["state"] != "succeeded" || dry["exit_code"] != 0.0 || dry["verify"] != nil {
		t.Errorf("the dry run: %v", dry)
	}
	if row := n.items("/audit?action=run.end")[0]; row["detail"].(map[string]any)["dry_run"] != true {
		t.Errorf("the audit takes the dry run for a real one: %v", row)
	}
	out := n.do(http.MethodGet, "/runs/"+text(dry["id"])+"/output?follow=1", nil, nil, http.StatusOK)
	if !strings.Contains(out, "nothing was removed") {
		t.Errorf("the output of the dry run: %q", out)
	}
	real := run(map[string]any{"script": "free-disk-space", "parameters": map[string]string{"MOUNT": nothingToRemove(t, n, m)}})
	if real["state"] != "succeeded" || real["exit_code"] != 0.0 || real["duration_seconds"] == nil {
		t.Errorf("the run: %v", real)
	}
	if v, _ := real["verify"].(map[string]any); v["check"] != "filesystem.full" || v["verdict"] != "verified" {
		t.Errorf("the verdict: %v", real["verify"])
	}
	if wrong := run(map[string]any{"script": "free-disk-space", "parameters": map[string]string{"MOUNT": "/no/such/place"}}); wrong["state"] != "refused" {
		t.Errorf("a value that the machine does not list: %v", wrong)
	}
	var seen []string
	for _, i := range n.items("/tickets/" + ticket.ID + "/timeline") {
		if i["kind"] == "run" {
			seen = append(seen, text(i["reason"]))
			if i["by"].(map[string]any)["name"] != "admin" {
				t.Errorf("who ran it: %v", i["by"])
			}
		}
	}
	if len(seen) != 6 {
		t.Errorf("the timeline tells of %v", seen)
	}
	if journal := n.items("/audit?action=run.start"); len(journal) < 2 {
		t.Errorf("the audit has %d starts of runs", len(journal))
	}
}

// nothingToRemove is a filesystem in memory, which no script has anything to do
// on: the run is real and harms nobody who tests on their own computer.
func nothingToRemove(t *testing.T, n *node, m *machine) string {
	for _, f := range n.get("/machines/" + m.id + "/facts")["filesystems"].([]any) {
		if f.(map[string]any)["mount"] == "/dev/shm" {
			return "/dev/shm"
		}
	}
	t.Fatal("this test runs a script on /dev/shm, which the machine does not list")
	return ""
}

func question(t *testing.T, n *node, m *machine) {
	var q struct {
		ID    string `json:"id"`
		Asked int    `json:"asked"`
	}
	n.post("/questions", map[string]any{"expression": "filter(processes, .rss_bytes > 1e6)"}, &q)
	n.eventually(10*time.Second, "an answer", func() bool { return len(n.items("/questions/"+q.ID+"/answers")) == 1 })
	a := n.items("/questions/" + q.ID + "/answers")[0]
	if len(a["rows"].([]any)) == 0 || a["machine_id"] != m.id || a["error"] != nil {
		t.Errorf("the answer: %v", a)
	}
	wrong := n.do(http.MethodPost, "/questions", map[string]any{"expression": "filter(processes, .nonsense > 1)"}, nil, http.StatusUnprocessableEntity)
	if !strings.Contains(wrong, `"position"`) || !strings.Contains(wrong, "nonsense") {
		t.Errorf("a question that does not compile: %s", wrong)
	}
	n.do(http.MethodPost, "/questions", map[string]any{"expression": strings.Repeat("(", 8000)}, nil, http.StatusUnprocessableEntity)
	var nobody struct {
		Asked int `json:"asked"`
	}
	n.post("/questions", map[string]any{"expression": "memory.used", "machine_ids": []string{}}, &nobody)
	if nobody.Asked != 0 {
		t.Errorf("an empty selection asked %d machines", nobody.Asked)
	}
	for rule, asked := range map[string]int{"hardware.cores >= 1": 1, "hardware.cores < 1": 0} {
		var g struct {
			ID string `json:"id"`
		}
		n.post("/groups", map[string]any{"name": rule + " " + uuid.NewString(), "rule": rule}, &g)
		n.eventually(10*time.Second, "the group has met the machine", func() bool { return n.get("/groups/" + g.ID)["state"] == "ready" })
		if got := n.get("/groups/" + g.ID); got["machines"] != float64(asked) || len(n.items("/machines?group="+g.ID)) != asked {
			t.Errorf("the group %s: %v", rule, got)
		}
		n.post("/questions", map[string]any{"expression": "hardware.cores", "group": g.ID}, &q)
		if q.Asked != asked {
			t.Errorf("a question to the group %s went to %d machines", rule, q.Asked)
		}
	}
	wrong = n.do(http.MethodPost, "/groups", map[string]any{"name": "x", "rule": "memory.used > 0.5"}, nil, http.StatusUnprocessableEntity)
	if !strings.Contains(wrong, "body.rule") || !strings.Contains(wrong, `"position"`) {
		t.Errorf("a rule over vitals: %s", wrong)
	}
}

// screen is a terminal as a browser has it.
type screen struct {
	t    *testing.T
	id   string
	ws   *websocket.Conn
	in   *stream.Sender
	out  *stream.Receiver
	seen strings.Builder
}

// terminal opens a terminal at a machine through this node.
func (n *node) terminal(t *testing.T, m *machine, columns, rows int) *screen {
	t.Helper()
	var s struct {
		ID string `json:"id"`
	}
	n.post("/sessions", map[string]any{"machine_id": m.id, "columns": columns, "rows": rows, "reason": "a test"}, &s)
	x := &screen{t: t, id: s.ID, in: stream.NewSender(stream.Input, 0), out: stream.NewReceiver(stream.Output, 0)}
	x.dial(n, n)
	t.Cleanup(func() { x.ws.Close() })
	return x
}

// dial goes to a node with the right of another, which opened the terminal.
func (x *screen) dial(by, as *node) {
	x.t.Helper()
	dialer := websocket.Dialer{HandshakeTimeout: 30 * time.Second, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	address := strings.Replace(by.ready.URL, "https://", "wss://", 1) + "/api/v1/sessions/" + x.id + "/socket"
	ws, response, err := dialer.Dial(address, http.Header{"Authorization": {"Bearer " + as.token}})
	if err != nil {
		x.t.Fatalf("%v: %v", err, response)
	}
	x.ws = ws
}

func (x *screen) send(f stream.Frame) {
	x.t.Helper()
	if err := x.ws.WriteMessage(websocket.BinaryMessage, f.Bytes()); err != nil {
		x.t.Fatal(err)
	}
}

func (x *screen) write(s string) {
	x.t.Helper()
	f, err := x.in.Next([]byte(s))
	if err != nil {
		x.t.Fatal(err)
	}
	x.send(f)
}

// until waits for what the terminal shows, or with "" for its end.
func (x *screen) until(what string) stream.Frame {
	x.t.Helper()
	for {
		if what != "" && strings.Contains(x.seen.String(), what) { // one frame may bring the answers to both
			return stream.Frame{}
		}
		if err := x.ws.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
			x.t.Fatal(err)
		}
		_, message, err := x.ws.ReadMessage()
		if err != nil {
			x.t.Fatalf("waiting for %q: %v\n%s", what, err, x.seen.String())
		}
		f, err := stream.Parse(message)
		if err != nil {
			x.t.Fatal(err)
		}
		if f.Kind == stream.Exit {
			return f
		}
		if f.Kind != stream.Output {
			continue
		}
		fresh, err := x.out.Take(f)
		if err != nil {
			x.t.Fatal(err)
		}
		x.seen.Write(fresh)
	}
}

// recorded waits for the end of a session and returns its recording.
func (x *screen) recorded(n *node) string {
	x.t.Helper()
	n.eventually(10*time.Second, "the session ends, with a recording", func() bool {
		s := n.get("/sessions/" + x.id)
		return s["state"] == "ended" && s["recording"] != nil
	})
	return n.do(http.MethodGet, "/sessions/"+x.id+"/recording", nil, nil, http.StatusOK)
}

// terminal opens a terminal through one node at a machine of another.
func terminal(t *testing.T, n *node, m *machine, other *node) {
	x := other.terminal(t, m, 91, 17)
	if rows := n.items("/audit?action=session.open"); !slices.ContainsFunc(rows, func(r map[string]any) bool {
		return r["result"] == "requested" && r["detail"].(map[string]any)["reason"] == "a test"
	}) {
		t.Errorf("the audit does not say why: %v", rows)
	}
	x.write("stty size; printf 'za%s gęślą jaźń\\n' żółć\n")
	x.until("17 91")
	x.until("zażółć gęślą jaźń")
	x.send(stream.ResizeTo(120, 40))
	x.write("stty size\n")
	x.until("40 120")
	for _, by := range []*node{n, other} {
		x.ws.NetConn().Close()
		x.dial(by, other)
		x.write("echo ba''ck" + by.ready.URL + "\n")
		x.until("back" + by.ready.URL)
	}
	// Before the program has the terminal a Ctrl-C would be the shell's, and might
	// only end the line that is being typed.
	x.write(`sh -c 'echo READ""Y; exec sleep 1000'; echo int''errupted` + "\n")
	x.until("READY")
	x.write("\x03")
	x.until("^C") // it throws away what is typed before
	x.write("exit 3\n")
	if f := x.until(""); f.Code() != 3 {
		t.Errorf("the shell ended with %d", f.Code())
	}
	cast := x.recorded(n)
	if !strings.HasPrefix(cast, `{"`) || !strings.Contains(cast, `"version":2`) || !strings.Contains(cast, "zażółć gęślą jaźń") || !strings.Contains(cast, `"r","120x40"`) {
		t.Errorf("the recording: %.300s", cast)
	}
}

func help(t *testing.T, n *node, m *machine) {
	url, err := agent.AskForHelp(t.Context(), m.dir)
	if err != nil {
		t.Fatal(err)
	}
	_, link, ok := strings.Cut(url, "/help?link=")
	if !ok {
		t.Fatalf("the link: %s", url)
	}
	client := &http.Client{Jar: jar()}
	ask := func(method, path string, body any, want int) map[string]any {
		t.Helper()
		return browser(t, client, n.ready.HTTP, method, path, body, want)
	}
	ask(http.MethodGet, "/help", nil, http.StatusUnauthorized)
	ask(http.MethodPost, "/help/sign-in", map[string]any{"link": link, "language": "cs"}, http.StatusUnprocessableEntity)
	if me := ask(http.MethodPost, "/help/sign-in", map[string]any{"link": link, "language": "pl"}, http.StatusOK); me["language"] != "pl" {
		t.Errorf("signed in: %v", me)
	}
	ask(http.MethodPost, "/help/sign-in", map[string]any{"link": link}, http.StatusUnauthorized) // once
	ticket := ask(http.MethodPost, "/help/tickets", map[string]any{"says": "nie drukuje od rana", "can_work": "with_difficulty"}, http.StatusOK)
	id := text(ticket["id"])
	full := n.get("/tickets/" + id)
	if full["says"] != "nie drukuje od rana" || full["machine_ids"].([]any)[0] != m.id || full["source"] != "person" {
		t.Errorf("the ticket: %v", full)
	}
	if who, _ := full["requester"].(map[string]any); who["id"] != uuid.NewSHA1(uuid.MustParse(m.id), fmt.Appendf(nil, "\x00%d", os.Geteuid())).String() {
		t.Errorf("the requester is not the account at the other end of the socket: %v", who)
	}
	auditedHelp(t, n, "ticket.open", id)
	n.post("/tickets/"+id+"/notes", map[string]any{"text": "secret among us"}, nil)
	n.post("/tickets/"+id+"/messages", map[string]any{"text": "Już patrzymy.", "wait": true}, nil)
	seen := ask(http.MethodGet, "/help/tickets/"+id, nil, http.StatusOK)
	if s := text(seen); !strings.Contains(s, "Już patrzymy.") || strings.Contains(s, "secret") || seen["waiting"] != true {
		t.Errorf("what the person sees: %s", s)
	}
	ask(http.MethodPost, "/help/tickets/"+id+"/messages", map[string]any{"text": "dziękuję, działa"}, http.StatusOK)
	auditedHelp(t, n, "ticket.message", id)
	if state := n.get("/tickets/" + id)["state"]; state != "open" {
		t.Errorf("after the answer the ticket is %v", state)
	}
	if page := ask(http.MethodGet, "/help", nil, http.StatusOK); page["language"] != "pl" || full["requester_language"] != "pl" {
		t.Errorf("the language of the page: %v, and of the ticket: %v", page["language"], full["requester_language"])
	}
	ask(http.MethodPost, "/help/tickets/"+id+"/works", nil, http.StatusConflict) // nobody said that it is over
	n.do(http.MethodPatch, "/tickets/"+id, map[string]any{"version": n.get("/tickets/" + id)["version"], "state": "resolved",
		"resolution": map[string]any{"text": "new toner", "plain": map[string]any{"en": "The printer works again.", "pl": "Drukarka znowu działa."}}}, nil, http.StatusOK)
	if seen := ask(http.MethodGet, "/help/tickets/"+id, nil, http.StatusOK); seen["resolution"] != "Drukarka znowu działa." {
		t.Errorf("what was done: %v", seen["resolution"])
	} else if said := seen["messages"].([]any); said[len(said)-1].(map[string]any)["text"] != "Drukarka znowu działa." {
		t.Errorf("the last message to the person: %v", said)
	}
	for range 2 {
		if seen := ask(http.MethodPost, "/help/tickets/"+id+"/works", nil, http.StatusOK); seen["state"] != "closed" {
			t.Errorf("they say that it works, and it is %v", seen["state"])
		}
	}
	auditedHelp(t, n, "ticket.works", id)
	ask(http.MethodGet, "/tickets", nil, http.StatusUnauthorized) // a help sign-in is no sign-in
}

// auditedHelp expects a row of what the person at a machine did with a ticket.
func auditedHelp(t *testing.T, n *node, action, ticket string) {
	t.Helper()
	for _, row := range n.items("/audit?action=" + action) {
		if row["actor"].(map[string]any)["kind"] != "requester" {
			continue
		}
		for _, s := range row["subjects"].([]any) {
			if s.(map[string]any)["id"] == ticket {
				return
			}
		}
	}
	t.Errorf("no row of %s by the person in the audit", action)
}

func restarts(t *testing.T, w *world, n *node, m *machine) {
	before := n.get("/machines/" + m.id)
	m.stop()
	n.eventually(10*time.Second, "the machine says goodbye", func() bool { return n.get("/machines/" + m.id)["presence"] == "offline" })
	m.run()
	n.eventually(15*time.Second, "the machine is back", func() bool { return n.get("/machines/" + m.id)["presence"] == "online" })
	if after := n.get("/machines/" + m.id); after["enrolled_at"] != before["enrolled_at"] {
		t.Error("a restart made another machine of it")
	}
	n.stop()
	address := strings.Replace(n.ready.URL, "https://localhost", "127.0.0.1", 1)
	again := w.start(address)
	if p := again.get("/machines/" + m.id)["presence"]; p != "online" {
		t.Errorf("a restart of the console made the machine %v", p)
	}
	var q struct {
		ID string `json:"id"`
	}
	again.post("/questions", map[string]any{"expression": "memory.used"}, &q)
	again.eventually(30*time.Second, "the machine answers the new console", func() bool {
		return len(again.items("/questions/"+q.ID+"/answers")) == 1
	})
}

// TestEnrolment: who has the wrong token stays outside.
func TestEnrolment(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		n := w.start("")
		token := n.enrolment(1)
		if err := n.enrol(t.TempDir(), token, "trial"); err != nil {
			t.Fatal(err)
		}
		refused := func(name, code string, err error) {
			t.Helper()
			var r protocol.Refused
			if !errors.As(err, &r) || r.Code != code {
				t.Errorf("%s: %v, want %s", name, err, code)
			}
		}
		refused("a spent token", protocol.CodeTokenSpent, n.enrol(t.TempDir(), token, "trial"))
		wrong := must(protocol.ParseToken(token))
		wrong.Secret = make([]byte, 16)
		refused("a wrong secret", protocol.CodeTokenWrong, n.enrol(t.TempDir(), wrong.String(), "trial"))
		other := must(protocol.ParseToken(n.enrolment(1)))
		other.Identities = [][]byte{make([]byte, 32)}
		if err := n.enrol(t.TempDir(), other.String(), "trial"); err == nil || !strings.Contains(err.Error(), "not the console") {
			t.Errorf("a token of another console: %v", err)
		}
	})
}
