package app_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/protocol"
)

// TestSubjectsHaveNames: a row of the audit says what it is about by the name that
// it has today, and that it is gone by none.
func TestSubjectsHaveNames(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		n := w.start("")
		idle := n.enrolled("idle")
		path := "/machines/" + idle.Machine.String()
		if m := n.get(path); m["last_seen_at"] != nil || m["presence"] != "offline" {
			t.Errorf("a machine that never came: %v", m)
		}
		called := func(action, kind, name string) {
			t.Helper()
			for _, s := range n.items("/audit?action=" + action)[0]["subjects"].([]any) {
				subject := s.(map[string]any)
				if subject["kind"] != kind {
					continue
				}
				words, named := subject["name"].(map[string]any)
				if named != (name != "") || named && words["en"] != name {
					t.Errorf("%s: %v, not %q", action, subject, name)
				}
				return
			}
			t.Errorf("%s names no %s", action, kind)
		}
		called("machine.enrol", "machine", "idle")
		called("enrolment.create", "enrolment", "")
		var group, run struct{ ID string }
		var ticket struct{ ID, Number string }
		n.post("/tickets", map[string]any{"title": "The lamp is dark", "machine_id": idle.Machine}, &ticket)
		called("ticket.open", "ticket", ticket.Number)
		n.post("/runs", map[string]any{"script": "restart-service", "machine_id": idle.Machine, "parameters": map[string]string{"SERVICE": "cron"}}, &run)
		n.post("/runs/"+run.ID+"/cancel", nil, nil)
		for _, action := range []string{"run.start", "run.cancel"} {
			called(action, "run", text(n.get("/scripts/restart-service")["title"].(map[string]any)["en"]))
			called(action, "machine", "idle")
		}
		n.as("iza", "viewer")
		called("person.add", "person", "iza")
		n.post("/groups", map[string]any{"name": "Laptops", "rule": "hardware.cores > 1"}, &group)
		called("group.create", "group", "Laptops")
		n.do(http.MethodDelete, "/groups/"+group.ID, nil, nil, http.StatusOK)
		called("group.delete", "group", "")
		x := n.line(t, idle, uuid.New())
		if m := n.get(path); m["last_seen_at"] == nil {
			t.Errorf("a machine that came: %v", m)
		}
		var q struct{ ID string }
		n.post("/questions", map[string]any{"expression": "memory.used"}, &q)
		called("question.ask", "question", "memory.used")
		x.say(protocol.KindGoodbye, protocol.Goodbye{Reason: protocol.GoodbyeShutDown})
		n.eventually(10*time.Second, "it is offline", func() bool { return n.get(path)["presence"] == "offline" })
		if m := n.get(path); m["last_seen_at"] == nil {
			t.Errorf("a machine that came and went: %v", m)
		}
	})
}
