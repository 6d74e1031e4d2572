package app_test

import (
	"crypto/tls"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/websocket"
	"github.com/nats-io/nats-server/v2/server"

	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/console/store/storetest"
	"github.com/deskside/deskside/protocol"
)

// sharedNATS is a real NATS server on the loopback interface.
func sharedNATS(t *testing.T) string {
	t.Helper()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("the NATS server did not start")
	}
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	return s.ClientURL()
}

// TestTwoNodes: two consoles on one PostgreSQL and one NATS. The machine's line
// is at one, everything is asked of the other.
func TestTwoNodes(t *testing.T) {
	w := &world{t: t, database: storetest.Postgres(t), keys: t.TempDir(), nats: sharedNATS(t)}
	a := w.start("")
	b := w.start("")
	m := a.machine()
	if p := b.get("/machines/" + m.id)["presence"]; p != "online" {
		t.Fatalf("at the other node the machine is %v", p)
	}
	n := *b
	t.Run("events", func(t *testing.T) { eventsOfTheOther(t, a, b) })
	t.Run("vitals", func(t *testing.T) { vitalsOfTheOther(t, b, m) })
	t.Run("question", func(t *testing.T) { question(t, &n, m) })
	t.Run("repair", func(t *testing.T) { factsAndVitals(t, &n, m); repairs(t, &n, m) })
	t.Run("terminal", func(t *testing.T) { terminal(t, a, m, b) })
	t.Run("ended elsewhere", func(t *testing.T) { endedElsewhere(t, a, b, m) })
	t.Run("close the door", func(t *testing.T) { closeTheDoor(t, a, b) })
	t.Run("expelled elsewhere", func(t *testing.T) { expelledElsewhere(t, a, b) })
	t.Run("address of a node", func(t *testing.T) {
		const told = "https://10.0.0.2:8443"
		w.told = told
		c := w.start("")
		w.told = ""
		defer c.stop()
		c.eventually(5*time.Second, "others are told how to reach it", func() (is bool) {
			w.view(func(tx *store.Tx) error {
				return tx.QueryRow("SELECT count(*) = 1 FROM node WHERE address = $1", told).Scan(&is)
			})
			return is
		})
	})
	t.Run("settings", func(t *testing.T) {
		b.eager("filesystem.full")
		a.eventually(3*time.Second, "a change of a check at one node is sent by the other", func() bool {
			var has []byte
			w.view(func(tx *store.Tx) error {
				return tx.QueryRow("SELECT checks_hash FROM machine").Scan(&has)
			})
			return len(has) > 0
		})
	})
	t.Run("a node stops", func(t *testing.T) {
		b.do(http.MethodPatch, "/settings", map[string]any{"offline_after": "2s"}, nil, http.StatusOK)
		began := time.Now()
		a.stop()
		if p := b.get("/machines/" + m.id)["presence"]; p != "online" {
			t.Errorf("at once the machine is %v: it has offline_after to come back", p)
		}
		b.eventually(15*time.Second, "the machines of the other node are offline", func() bool { return b.get("/machines/" + m.id)["presence"] == "offline" })
		if took := time.Since(began); took < 2*time.Second {
			t.Errorf("offline after %v", took)
		}
		if r := b.get("/machines/" + m.id)["offline_reason"]; r != "link_lost" {
			t.Errorf("the reason is %v", r)
		}
		// It comes back where its console was, and is there again.
		again := w.start(strings.Replace(a.ready.URL, "https://localhost", "127.0.0.1", 1))
		b.eventually(30*time.Second, "the machine is back", func() bool { return b.get("/machines/" + m.id)["presence"] == "online" })
		question(t, b, m)
		again.stop()
	})
}

// view reads the database beside the consoles.
func (w *world) view(do func(*store.Tx) error) {
	w.t.Helper()
	s, err := store.Open(w.t.Context(), w.database)
	if err != nil {
		w.t.Fatal(err)
	}
	defer s.Close()
	if err := s.View(w.t.Context(), store.System("test"), do); err != nil {
		w.t.Fatal(err)
	}
}

// live is the socket of a page.
func (n *node) live() *websocket.Conn {
	n.w.t.Helper()
	dialer := websocket.Dialer{HandshakeTimeout: 10 * time.Second, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	ws, _, err := dialer.Dial(strings.Replace(n.ready.URL, "https://", "wss://", 1)+"/api/v1/live", http.Header{"Authorization": {"Bearer " + n.token}})
	if err != nil {
		n.w.t.Fatal(err)
	}
	n.w.t.Cleanup(func() { ws.Close() })
	return ws
}

// told reads a page's socket until something holds.
func told(t *testing.T, ws *websocket.Conn, what string, is func(map[string]any) bool) {
	t.Helper()
	if err := ws.SetReadDeadline(time.Now().Add(15 * time.Second)); err != nil {
		t.Fatal(err)
	}
	for {
		_, raw, err := ws.ReadMessage()
		if err != nil {
			t.Fatalf("waiting for %s: %v", what, err)
		}
		m := map[string]any{}
		if err := json.Unmarshal(raw, &m); err != nil {
			t.Fatal(err)
		}
		if is(m) {
			return
		}
	}
}

func eventsOfTheOther(t *testing.T, a, b *node) {
	ws := b.live()
	var ticket struct {
		ID string `json:"id"`
	}
	a.post("/tickets", map[string]any{"says": "told at one node"}, &ticket)
	told(t, ws, "the ticket of the other node", func(m map[string]any) bool {
		list, _ := m["changes"].([]any)
		for _, c := range list {
			if x := c.(map[string]any); x["kind"] == "ticket" && x["id"] == ticket.ID {
				return true
			}
		}
		return false
	})
}

func vitalsOfTheOther(t *testing.T, b *node, m *machine) {
	ws := b.live()
	if err := ws.WriteJSON(map[string]any{"watch": m.id}); err != nil {
		t.Fatal(err)
	}
	seen := 0
	told(t, ws, "readings of a machine at the other node", func(x map[string]any) bool {
		if l, ok := x["live"].(map[string]any); ok && l["machine_id"] == m.id && len(l["series"].([]any)) > 0 {
			seen++
		}
		return seen == 3
	})
}

// endedElsewhere: a session that one node splices is ended at the other one.
func endedElsewhere(t *testing.T, a, b *node, m *machine) {
	session, ws, shell := a.shell(t, m.id)
	var ended map[string]any
	b.post("/sessions/"+session+"/end", nil, &ended)
	if ended["state"] != "ended" {
		t.Errorf("the session: %v", ended)
	}
	closes(t, "the terminal", ws)
	a.ends("the shell", shell)
	a.eventually(5*time.Second, "the machine has told that it is over", func() bool {
		return a.w.count("SELECT count(*) FROM session WHERE closing = TRUE") == 0
	})
}

// closeTheDoor: the machine is told as well that a session is over, on each new
// line until it says so itself: the node that splices it may be gone.
func closeTheDoor(t *testing.T, a, b *node) {
	id, epoch := a.enrolled("doors"), uuid.New()
	line := a.line(t, id, epoch)
	order := func(kind protocol.Kind) protocol.Order {
		t.Helper()
		for {
			var s protocol.Stamped
			line.until(protocol.KindStamped, &s)
			if o := must(s.Open(line.identify.Stamp.Key)); o.Kind == kind {
				return o
			}
		}
	}
	var s struct {
		ID uuid.UUID `json:"id"`
	}
	b.post("/sessions", map[string]any{"machine_id": id.Machine}, &s)
	asked := order(protocol.KindOpenSession)
	var door protocol.OpenSession
	if err := protocol.Unmarshal(asked.Body, &door); err != nil || asked.ID != s.ID {
		t.Fatalf("asked to open %s (%v)", asked.ID, err)
	}
	open := a.dial(t).greet(helloAs(id))
	if m := open.prove(id.Private(), protocol.Proof{Purpose: protocol.ForSession, Session: s.ID, Token: door.Token}); m.Kind != protocol.KindWelcome {
		t.Fatalf("the session's own connection: %s", m.Kind)
	}
	told := func() {
		t.Helper()
		o := order(protocol.KindEndSession)
		var end protocol.EndSession
		if err := protocol.Unmarshal(o.Body, &end); err != nil || end.Session != s.ID || end.By.Name != "admin" || o.ID == s.ID {
			t.Errorf("told to end %+v (%v)", end, err)
		}
	}
	a.eventually(5*time.Second, "it is written down that the machine was asked", func() bool {
		return a.w.count("SELECT count(*) FROM session WHERE id = $1 AND told = TRUE", s.ID) == 1
	})
	b.post("/sessions/"+s.ID.String()+"/end", nil, nil)
	closes(t, "the connection of a session whose machine does not listen", open.ws)
	told()
	line.ws.Close()
	line = b.line(t, id, epoch) // at the other node
	told()
	line.say(protocol.KindEnded, protocol.Ended{Session: s.ID})
	a.eventually(5*time.Second, "the machine is not told again", func() bool {
		return a.w.count("SELECT count(*) FROM session WHERE id = $1 AND closing = TRUE", s.ID) == 0
	})
}
