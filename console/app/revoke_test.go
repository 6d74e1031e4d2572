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

// TestExpelled: a machine that is expelled by a command beside the console is
// gone at once, and does not come back; another one stays.
func TestExpelled(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		n := w.start("")
		m := n.machine()
		stays := n.enrolled("stays")
		other := n.line(t, stays, uuid.New())
		run := w.beside(buildConsole(t))
		session, terminal, shell := n.shell(t, m.id)
		if list := run(0, "machine", "list"); !strings.Contains(list, m.id+"\t") || !strings.Contains(list, "\tstays\t") {
			t.Errorf("the list: %s", list)
		}
		run(0, "machine", "revoke", m.id)
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
		run(0, "machine", "revoke", m.id) // once more
		run(77, "machine", "revoke", "nobody")
		other.say(protocol.KindBeat, protocol.Beat{})
		var beat protocol.BeatAnswer
		other.until(protocol.KindBeatAnswer, &beat)
		run(0, "machine", "revoke", "STAYS") // by its name
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
		if rows := n.items("/audit?action=machine.revoke"); len(rows) != 2 {
			t.Errorf("%d rows in the audit", len(rows))
		}
		n.do(http.MethodPost, "/sessions", map[string]any{"machine_id": m.id}, nil, http.StatusConflict)
		order := map[string]any{"script": "restart-service", "machine_id": n.enrolled("idle").Machine, "parameters": map[string]string{"SERVICE": "cron"}}
		var waits struct{ ID string }
		n.post("/runs", order, &waits)
		run(0, "machine", "revoke", "idle")
		n.eventually(10*time.Second, "the run of an expelled machine is cancelled", func() bool { return n.get("/runs/" + waits.ID)["state"] == "cancelled" })
		n.do(http.MethodPost, "/runs", order, nil, http.StatusConflict)
	})
}

// expelledElsewhere: the line is at one node, and another one may hear first.
func expelledElsewhere(t *testing.T, a, b *node) {
	for _, n := range []*node{a, b} {
		id := n.enrolled("expelled")
		line := n.line(t, id, uuid.New())
		a.w.tools(func(s *store.Store, _ *account.Accounts, o model.Organisation) {
			scope := store.System("test").Within(o.ID)
			must(fleet.New(s, quiet(t, "tools")).Revoke(t.Context(), scope, id.Machine.String()))
		})
		var r protocol.Refused
		if line.until(protocol.KindRefused, &r); r.Code != protocol.CodeRevoked {
			t.Errorf("%+v", r)
		}
	}
}
