package app_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// shapes are the fields that programs outside may rely on, by what they are in.
// More may be there; none of these may go.
var shapes = map[string]string{
	"machine": `id organisation_id name presence offline_reason last_seen_at os.family os.name os.version os.kernel os.arch
		agent.version agent.protocol agent.capabilities people health open_alerts policy revoked version`,
	"vitals":   "from to step_seconds series",
	"series":   "name unit attributes points",
	"facts":    "observed_at os hardware filesystems network services processes uptime_seconds",
	"disk":     "mount type size_bytes used_bytes",
	"process":  "pid name cpu rss_bytes owner",
	"alert":    "id machine_id check instance severity state flapping silenced acknowledged_by count started_at resolved_at values finding.en finding.pl plain.en plain.pl evidence.vitals evidence.processes ticket_id",
	"ticket":   "id number kind state title plain.en plain.pl priority impact urgency source requester assignee machine_ids alert_ids created_at resolved_at resolution version",
	"item":     "id at kind by.kind by.id by.name text reason data",
	"script":   "id version hash title.en title.pl explanation.en explanation.pl platforms parameters risk timeout_seconds cures verify",
	"run":      "id script machine_id state refusal exit_code duration_seconds requested_by output.bytes output.truncated result verify",
	"group":    "id name rule state machines unknown judged created_at version",
	"question": "id state asked answered failed offline_machine_ids",
	"answer":   "machine_id rows error truncated",
	"session":  "id state refusal machine_id kind",
	"check":    "id value each when warning critical clear for keep_firing_for interval enabled overrides",
	"settings": "beat offline_after upload_every join_window auto_resolve_after storm watched_services",
}

func shape(t *testing.T, kind string, v map[string]any) {
	t.Helper()
	for _, path := range strings.Fields(shapes[kind]) {
		var at any = v
		for _, name := range strings.Split(path, ".") {
			object, ok := at.(map[string]any)
			if _, there := object[name]; !ok || !there {
				t.Errorf("%s has no %s: %v", kind, path, v)
				break
			}
			at = object[name]
		}
	}
	for name := range v {
		if strings.ToLower(name) != name || strings.ContainsAny(name, "- ") {
			t.Errorf("%s.%s is not snake_case", kind, name)
		}
	}
}

// contract: what programs outside rely on, over everything that the main job has
// left behind.
func contract(t *testing.T, n *node, m *machine) {
	first := func(path string) map[string]any {
		t.Helper()
		page := n.get(path)
		for _, name := range []string{"items", "next", "total", "over"} {
			if _, there := page[name]; !there {
				t.Errorf("the list %s has no %s", path, name)
			}
		}
		items := page["items"].([]any)
		if len(items) == 0 {
			t.Fatalf("%s is empty", path)
		}
		return items[0].(map[string]any)
	}
	one := n.get("/machines/" + m.id)
	shape(t, "machine", one)
	shape(t, "machine", first("/machines"))
	if !slices.Contains([]any{"online", "offline"}, one["presence"]) || !slices.Contains([]any{"ok", "warning", "critical", "unknown"}, one["health"]) {
		t.Errorf("presence %v, health %v", one["presence"], one["health"])
	}

	to := time.Now().UTC().Truncate(time.Second)
	vitals := n.get(fmt.Sprintf("/machines/%s/vitals?from=%s&to=%s&step_seconds=15&name=system.memory.utilization", m.id,
		to.Add(-time.Hour).Format(time.RFC3339), to.Format(time.RFC3339)))
	shape(t, "vitals", vitals)
	for _, s := range vitals["series"].([]any) {
		shape(t, "series", s.(map[string]any))
		points := s.(map[string]any)["points"].([]any)
		if len(points) == 0 || len(points) > 2000 {
			t.Errorf("%d points", len(points))
		}
	}
	facts := n.get("/machines/" + m.id + "/facts")
	shape(t, "facts", facts)
	if (facts["people"] == nil) != (one["people"] == nil) {
		t.Errorf("who is signed in: %v, in the facts %v", one["people"], facts["people"])
	}
	shape(t, "disk", facts["filesystems"].([]any)[0].(map[string]any))
	shape(t, "process", facts["processes"].([]any)[0].(map[string]any))

	shape(t, "alert", first("/alerts"))
	first("/tickets")
	ticket := text(first("/tickets?source=alert")["id"])
	shape(t, "ticket", n.get("/tickets/"+ticket))
	for _, i := range n.items("/tickets/" + ticket + "/timeline") {
		shape(t, "item", i)
		if !slices.Contains([]any{"message", "note", "alert", "run", "session", "state"}, i["kind"]) {
			t.Errorf("an item of the kind %v", i["kind"])
		}
	}
	var call map[string]any
	n.post("/tickets", map[string]any{"says": "It is slow."}, &call)
	path := "/tickets/" + text(call["id"])
	about := func(ids ...string) map[string]any {
		return map[string]any{"version": n.get(path)["version"], "machine_ids": append([]string{}, ids...)}
	}
	n.do(http.MethodPatch, path, about(m.id), &call, http.StatusOK)
	if !slices.Equal(call["machine_ids"].([]any), []any{m.id}) || n.items("/tickets?machine_id=" + m.id)[0]["id"] != call["id"] {
		t.Errorf("a ticket that is told its machine: %v", call)
	}
	said := n.items(path + "/timeline")
	shape(t, "item", said[len(said)-1])
	if data := said[len(said)-1]["data"].(map[string]any); data["what"] != "machines" || !slices.Equal(data["added"].([]any), []any{one["name"]}) {
		t.Errorf("its timeline: %v", data)
	}
	n.do(http.MethodPatch, path, about(), &call, http.StatusOK)
	if ids := call["machine_ids"].([]any); len(ids) != 0 {
		t.Errorf("the machine that was taken away: %v", ids)
	}
	shape(t, "script", first("/scripts"))
	shape(t, "script", n.get("/scripts/free-disk-space"))
	shape(t, "run", first("/runs"))
	shape(t, "run", n.get("/runs/"+text(first("/runs")["id"])))
	shape(t, "group", first("/groups"))
	var q map[string]any
	n.post("/questions", map[string]any{"expression": "memory.used"}, &q)
	shape(t, "question", q)
	n.eventually(10*time.Second, "an answer", func() bool { return len(n.items("/questions/"+text(q["id"])+"/answers")) == 1 })
	shape(t, "answer", first("/questions/"+text(q["id"])+"/answers"))
	shape(t, "session", first("/sessions"))
	check := first("/checks")
	shape(t, "check", check)
	shape(t, "check", n.get("/checks/"+text(check["id"])))
	shape(t, "settings", n.get("/settings"))
	var ids []string
	for _, c := range n.items("/checks") {
		ids = append(ids, text(c["id"]))
	}
	for _, id := range []string{"filesystem.full", "filesystem.inodes", "process.cpu", "memory.pressure", "service.stopped", "machine.offline"} {
		if !slices.Contains(ids, id) {
			t.Errorf("no check %s in %v", id, ids)
		}
	}

	classes := map[any]int{}
	var fields []map[string]any
	n.read("/expression/fields", &fields)
	for _, f := range fields {
		classes[f["class"]]++
	}
	if classes["plain"] == 0 || classes["personal"] == 0 || len(classes) > 3 {
		t.Errorf("classes of fields: %v", classes)
	}

	problem := func(method, path string, body any, status int, words ...string) {
		t.Helper()
		answer := n.do(method, path, body, nil, status)
		for _, w := range append(words, `"code":`) {
			if !strings.Contains(answer, w) {
				t.Errorf("%s %s: no %s in %s", method, path, w, answer)
			}
		}
	}
	problem(http.MethodGet, "/machines?colour=red", nil, http.StatusUnprocessableEntity, "colour", "allowed")
	problem(http.MethodGet, "/machines?limit=501", nil, http.StatusUnprocessableEntity, "500")
	problem(http.MethodGet, "/machines?sort=-colour", nil, http.StatusUnprocessableEntity, "sort", "name")
	problem(http.MethodPost, "/tickets", map[string]any{"says": "x", "colour": "red"}, http.StatusUnprocessableEntity, "colour")
	problem(http.MethodPatch, "/tickets/"+ticket, map[string]any{"version": 0, "priority": 1}, http.StatusConflict, `"current"`)
	problem(http.MethodPatch, path, about(ticket), http.StatusUnprocessableEntity, "body.machine_ids", ticket)
	problem(http.MethodPatch, path, about(slices.Repeat([]string{m.id}, 51)...), http.StatusUnprocessableEntity, "body.machine_ids", "50")
	problem(http.MethodPatch, path, map[string]any{"version": 0, "machine_ids": []string{m.id}}, http.StatusConflict, `"current"`)
	problem(http.MethodGet, "/tickets/"+ticket[:len(ticket)-4]+"0000", nil, http.StatusNotFound)
	for _, path := range []string{"/healthz", "/readyz"} {
		response, err := http.Get(n.ready.HTTP + path)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Errorf("%s: %d", path, response.StatusCode)
		}
	}
}

// A field says what it tells about a person: only what does is marked.
func TestFieldsSayTheirClass(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var fields []map[string]any
		w.start("").read("/expression/fields", &fields)
		class := map[string]any{}
		for _, f := range fields {
			class[text(f["name"])] = f["class"]
		}
		for name, want := range map[string]string{"swap.used": "plain", "people.name": "personal", "processes.command_line": "private"} {
			if class[name] != want {
				t.Errorf("%s is %q, not %s", name, class[name], want)
			}
		}
	})
}
