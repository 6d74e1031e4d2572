package app_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/console/account"
	"github.com/deskside/deskside/console/fleet"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/protocol"
)

// TestExpelled: a machine that is expelled, by a command beside the console or by
// the API, is gone at once, and does not come back; another one stays.
func TestExpelled(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		n := w.start("")
		run := w.beside(buildConsole(t))
		t.Run("command", func(t *testing.T) {
			n.expelled(t, func(id, word string) { run(0, "machine", "revoke", word) })
			run(77, "machine", "revoke", "nobody")
		})
		t.Run("api", func(t *testing.T) {
			n.expelled(t, func(id, _ string) {
				path := "/machines/" + id
				seen := n.get(path)
				if seen["revoked"] == false {
					n.do(http.MethodPost, path+"/revoke", map[string]any{"version": -1}, nil, http.StatusConflict)
					if now := n.get(path); now["revoked"] != false || now["presence"] != "online" {
						t.Errorf("expelled by who saw another one: %v", now)
					}
				}
				var gone map[string]any
				n.post(path+"/revoke", map[string]any{"version": seen["version"]}, &gone)
				if gone["revoked"] != true {
					t.Errorf("expelled: %v", gone)
				}
			})
			n.do(http.MethodPost, "/machines/"+uuid.NewString()+"/revoke", map[string]any{"version": 1}, nil, http.StatusNotFound)
		})
		order := map[string]any{"script": "restart-service", "machine_id": n.enrolled("idle").Machine, "parameters": map[string]string{"SERVICE": "cron"}}
		var waits struct{ ID string }
		n.post("/runs", order, &waits)
		run(0, "machine", "revoke", "idle")
		n.eventually(10*time.Second, "the run of an expelled machine is cancelled", func() bool { return n.get("/runs/" + waits.ID)["state"] == "cancelled" })
		n.do(http.MethodPost, "/runs", order, nil, http.StatusConflict)
	})
}

// expelled expels two machines, each by its id and by a word for it.
func (n *node) expelled(t *testing.T, expel func(id, word string)) {
	m := n.machine()
	stays := n.enrolled("stays")
	other := n.line(t, stays, uuid.New())
	before := len(n.items("/audit?action=machine.revoke"))
	run := n.w.beside(buildConsole(t))
	session, terminal, shell := n.shell(t, m.id)
	if list := run(0, "machine", "list"); !strings.Contains(list, m.id+"\t") || !strings.Contains(list, "\tstays\t") {
		t.Errorf("the list: %s", list)
	}
	expel(m.id, m.id)
	closes(t, "the terminal of an expelled machine", terminal)
	n.ends("its shell", shell)
	if s := n.get("/sessions/" + session); s["state"] != "ended" {
		t.Errorf("the session: %v", s)
	}
	if p := n.get("/machines/" + m.id)["presence"]; p != "offline" {
		t.Errorf("it is %v", p)
	}
	if list := run(0, "machine", "list"); strings.Contains(list, m.id) {
		t.Errorf("still listed: %s", list)
	}
	expel(m.id, m.id) // once more
	other.say(protocol.KindBeat, protocol.Beat{})
	var beat protocol.BeatAnswer
	other.until(protocol.KindBeatAnswer, &beat)
	expel(stays.Machine.String(), "STAYS") // by its name
	var r protocol.Refused
	if other.until(protocol.KindRefused, &r); r.Code != protocol.CodeRevoked {
		t.Errorf("its line ends with %+v", r)
	}
	closes(t, "its line", other.ws)
	again := n.dial(t).greet(helloAs(stays))
	if again.read(again.prove(stays.Private(), protocol.Proof{Epoch: uuid.New(), Name: "stays"}), &r); r.Code != protocol.CodeRevoked {
		t.Errorf("with its key: %+v", r)
	}
	stranger := n.enrolled("stranger")
	liar := n.dial(t).greet(helloAs(stays))
	if liar.read(liar.prove(stranger.Private(), protocol.Proof{Epoch: uuid.New()}), &r); r.Code != protocol.CodeBadProof {
		t.Errorf("with another key: %+v", r)
	}
	if rows := n.items("/audit?action=machine.revoke"); len(rows) != before+2 {
		t.Errorf("%d rows in the audit", len(rows)-before)
	}
	n.do(http.MethodPost, "/sessions", map[string]any{"machine_id": m.id}, nil, http.StatusConflict)
}

// expelledElsewhere: the line is at one node, and another one may hear first.
func expelledElsewhere(t *testing.T, a, b *node) {
	for _, n := range []*node{a, b} {
		id := n.enrolled("expelled")
		line := n.line(t, id, uuid.New())
		a.w.tools(func(s *store.Store, _ *account.Accounts, o model.Organisation) {
			scope := store.System("test").Within(o.ID)
			must(fleet.New(s, quiet(t, "tools")).Revoke(t.Context(), scope, id.Machine.String(), nil))
		})
		var r protocol.Refused
		if line.until(protocol.KindRefused, &r); r.Code != protocol.CodeRevoked {
			t.Errorf("%+v", r)
		}
	}
}
