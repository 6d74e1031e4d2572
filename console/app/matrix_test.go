package app_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gorilla/websocket"

	"github.com/deskside/deskside/console/account"
	"github.com/deskside/deskside/console/api"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

// endpoint is one operation of the document.
type endpoint struct {
	method, path string // below the prefix
	op           *huma.Operation
}

func (e endpoint) String() string { return e.method + " " + e.path }
func (e endpoint) right() string  { return e.op.Metadata["right"].(string) }
func (e endpoint) mutates() bool  { return e.method != http.MethodGet }

// endpoints are all operations, from the document that the console serves.
func endpoints(t *testing.T) []endpoint {
	doc := api.New(api.Rooms{Version: "1", Log: slog.New(slog.DiscardHandler)}).OpenAPI()
	var all []endpoint
	for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
		item := doc.Paths[path]
		for method, op := range map[string]*huma.Operation{http.MethodGet: item.Get, http.MethodPost: item.Post, http.MethodPatch: item.Patch, http.MethodPut: item.Put, http.MethodDelete: item.Delete} {
			if op != nil {
				all = append(all, endpoint{method, strings.TrimPrefix(path, api.Prefix), op})
			}
		}
	}
	if len(all) < 40 {
		t.Fatalf("only %d operations", len(all))
	}
	return all
}

// ask asks as a program with a token; without one with the console's own origin.
func (n *node) ask(method, path, token string, body any, header http.Header) (int, http.Header, string) {
	n.w.t.Helper()
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(must(json.Marshal(body)))
	}
	r := must(http.NewRequest(method, n.ready.HTTP+"/api/v1"+path, reader))
	maps.Copy(r.Header, header)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	response := must(http.DefaultClient.Do(r))
	defer response.Body.Close()
	return response.StatusCode, response.Header, string(must(io.ReadAll(response.Body)))
}

// TestMatrix walks every operation: as everybody, and as nobody.
func TestMatrix(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		n := w.start("")
		ours, theirs := w.sides(n)
		all := endpoints(t)
		t.Run("the wall", func(t *testing.T) { wall(t, n, ours, theirs, all) })
		t.Run("nobody", func(t *testing.T) { nobody(t, n, ours, all) })
		t.Run("rights", func(t *testing.T) { rights(t, n, ours, all) })
		t.Run("unknown names", func(t *testing.T) { unknownNames(t, n, ours, all) })
		t.Run("other pages", func(t *testing.T) { otherPages(t, n, ours, all) })
		t.Run("conflicts", func(t *testing.T) { conflicts(t, n, ours) })
		t.Run("odd texts", func(t *testing.T) { oddTexts(t, n, ours, all) })
		t.Run("audit", func(t *testing.T) { audited(t, n, ours, all) })
	})
}

// owned tells whether a path has an id that belongs to an organisation.
func owned(path string) bool {
	return strings.Contains(path, "{id}") && !strings.HasPrefix(path, "/checks/") && !strings.HasPrefix(path, "/scripts/")
}

// wall: what belongs to another organisation does not exist, whoever asks, by
// path, by filter or in a body.
func wall(t *testing.T, n *node, ours, theirs *side, all []endpoint) {
	look := func() map[string]string {
		out := map[string]string{}
		for kind, id := range theirs.ids {
			if kind != "people" && kind != "tokens" && kind != "help" {
				_, _, out[kind] = n.ask(http.MethodGet, "/"+kind+"/"+id, theirs.tokens[model.RoleAdmin], nil, nil)
			}
		}
		_, _, out["people"] = n.ask(http.MethodGet, "/people?state=all", theirs.tokens[model.RoleAdmin], nil, nil)
		_, _, out["tokens"] = n.ask(http.MethodGet, "/tokens", theirs.tokens[model.RoleAdmin], nil, nil)
		_, _, out["timeline"] = n.ask(http.MethodGet, "/tickets/"+theirs.ids["tickets"]+"/timeline", theirs.tokens[model.RoleAdmin], nil, nil)
		out["machines"] = regexp.MustCompile(`"last_seen_at":"[^"]*"`).ReplaceAllString(out["machines"], "")
		_, _, out["settings"] = n.ask(http.MethodGet, "/settings", theirs.tokens[model.RoleAdmin], nil, nil)
		return out
	}
	before := look()
	for kind, s := range before {
		if kind != "scripts" && kind != "checks" && kind != "settings" && !strings.Contains(s, theirs.marker) && !strings.Contains(s, theirs.ids["machines"]) {
			t.Errorf("their own %s does not hold the marker: this proves little: %s", kind, s)
		}
	}
	more := []endpoint{{http.MethodGet, "/runs/{id}/output", nil}, {http.MethodGet, "/sessions/{id}/recording", nil}, {http.MethodGet, "/sessions/{id}/socket", nil}}
	asked := 0
	for _, e := range append(slices.Clone(all), more...) {
		if e.path == "/sign-in" || e.path == "/sign-out" {
			continue
		}
		for role, token := range ours.tokens {
			path := theirs.path(e.path)
			var body any
			if e.mutates() {
				body = theirs.body(t, e, 1)
			}
			status, _, answer := n.ask(e.method, path+filters(e, theirs), token, body, nil)
			asked++
			if strings.Contains(answer, theirs.marker) {
				t.Errorf("%s as %s tells of the other organisation: %.300s", e, role, answer)
			}
			named := owned(e.path) || (e.mutates() && slices.Contains([]string{"/runs", "/sessions", "/tickets", "/questions"}, e.path))
			if named && status != http.StatusNotFound && status != http.StatusForbidden && !(strings.HasPrefix(e.path, "/help") && status == http.StatusUnauthorized) {
				t.Errorf("%s as %s about what belongs to another organisation: %d %.200s", e, role, status, answer)
			}
			if status >= 500 {
				t.Errorf("%s as %s: %d %.200s", e, role, status, answer)
			}
		}
	}
	// What is one's own, together with what is not.
	mixed := map[string]any{"script": "restart-service", "machine_id": ours.ids["machines"], "ticket_id": theirs.ids["tickets"], "parameters": map[string]string{"SERVICE": "cron"}}
	for path, body := range map[string]any{"/runs": mixed,
		"/sessions":  map[string]any{"machine_id": ours.ids["machines"], "ticket_id": theirs.ids["tickets"]},
		"/questions": map[string]any{"expression": "memory.used", "machine_ids": []string{ours.ids["machines"], theirs.ids["machines"]}}} {
		if status, _, answer := n.ask(http.MethodPost, path, ours.tokens[model.RoleAdmin], body, nil); status != http.StatusNotFound {
			t.Errorf("POST %s with one of theirs: %d %.200s", path, status, answer)
		}
	}
	for method, path := range map[string]string{http.MethodGet: "/machines?group=" + theirs.ids["groups"], http.MethodPost: "/questions"} {
		var body any
		if method == http.MethodPost {
			body = map[string]any{"expression": "memory.used", "group": theirs.ids["groups"]}
		}
		if status, _, answer := n.ask(method, path, ours.tokens[model.RoleAdmin], body, nil); status != http.StatusNotFound {
			t.Errorf("%s %s with a group of theirs: %d %.200s", method, path, status, answer)
		}
	}
	status, _, answer := n.ask(http.MethodPatch, "/tickets/"+ours.ids["tickets"], ours.tokens[model.RoleAdmin],
		map[string]any{"version": version(n, ours, "tickets"), "assignee_id": theirs.people[model.RoleTechnician]}, nil)
	if status != http.StatusNotFound {
		t.Errorf("a ticket for somebody of theirs: %d %.200s", status, answer)
	}
	status, _, answer = n.ask(http.MethodPatch, "/tickets/"+ours.ids["tickets"], ours.tokens[model.RoleAdmin],
		map[string]any{"version": version(n, ours, "tickets"), "machine_ids": []string{ours.ids["machines"], theirs.ids["machines"]}}, nil)
	if status != http.StatusUnprocessableEntity || strings.Contains(answer, theirs.marker) {
		t.Errorf("a ticket about a machine of theirs: %d %.200s", status, answer)
	}
	for kind, s := range look() {
		if s != before[kind] {
			t.Errorf("their %s has changed:\n%s\n%s", kind, before[kind], s)
		}
	}
	t.Logf("%d questions", asked)
}

// filters are the parameters of a list that name something of theirs.
func filters(e endpoint, x *side) string {
	if e.op == nil {
		return ""
	}
	var q []string
	for _, p := range e.op.Parameters {
		switch {
		case p.In != "query":
		case p.Name == "machine_id":
			q = append(q, "machine_id="+x.ids["machines"])
		case p.Name == "ticket_id":
			q = append(q, "ticket_id="+x.ids["tickets"])
		case p.Name == "group":
			q = append(q, "group="+x.ids["groups"])
		case p.Name == "q":
			q = append(q, "q="+x.marker)
		}
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + strings.Join(q, "&")
}

func version(n *node, x *side, kind string) int64 {
	var out struct {
		Version int64 `json:"version"`
	}
	_, _, raw := n.ask(http.MethodGet, "/"+kind+"/"+x.ids[kind], x.tokens[model.RoleAdmin], nil, nil)
	if json.Unmarshal([]byte(raw), &out) != nil {
		n.w.t.Error(raw)
	}
	return out.Version
}

// nobody: without a sign-in everything is closed but the doors.
func nobody(t *testing.T, n *node, ours *side, all []endpoint) {
	doors := []string{"POST /sign-in", "POST /sign-in/link", "POST /help/sign-in"}
	own := http.Header{"Origin": {n.ready.HTTP}}
	for _, e := range all {
		if slices.Contains(doors, e.String()) {
			continue
		}
		var body any
		if e.mutates() {
			body = ours.body(t, e, 1)
		}
		for name, token := range map[string]string{"nothing": "", "a token of nobody": "dsk_nonsense", "something else": "nonsense"} {
			if status, _, answer := n.ask(e.method, ours.path(e.path)+filters(e, ours), token, body, own); status != http.StatusUnauthorized || strings.Contains(answer, ours.marker) {
				t.Errorf("%s with %s: %d %.200s", e, name, status, answer)
			}
		}
	}
	for _, path := range []string{"/runs/{id}/output", "/sessions/{id}/recording", "/sessions/{id}/socket", "/live"} {
		if status, _, answer := n.ask(http.MethodGet, ours.path(path), "", nil, own); status != http.StatusUnauthorized {
			t.Errorf("%s: %d %.200s", path, status, answer)
		}
	}
	for _, e := range all {
		if e.right() == "-" && !slices.Contains(doors, e.String()) && !strings.HasPrefix(e.path, "/help") {
			t.Errorf("%s is open to everybody", e)
		}
	}
}

// rights: who lacks the right of an operation gets 403, and the attempt is in
// the audit.
func rights(t *testing.T, n *node, ours *side, all []endpoint) {
	count := func() int {
		return n.w.count("SELECT count(*) FROM audit WHERE organisation_id = $1 AND action = 'right.refused'", ours.organisation)
	}
	for _, e := range all {
		for role, token := range ours.tokens {
			if e.right() == "" || e.right() == "-" || slices.Contains(role.Rights(), model.Right(e.right())) {
				continue
			}
			var body any
			if e.mutates() {
				body = ours.body(t, e, 1)
			}
			before := count()
			status, _, answer := n.ask(e.method, ours.path(e.path), token, body, nil)
			if status != http.StatusForbidden || !strings.Contains(answer, e.right()) {
				t.Errorf("%s as %s: %d %.200s", e, role, status, answer)
			}
			if count() != before+1 {
				t.Errorf("%s as %s is not in the audit", e, role)
			}
		}
	}
	for _, path := range []string{"/sessions/{id}/recording", "/sessions/{id}/socket"} {
		if status, _, answer := n.ask(http.MethodGet, ours.path(path), ours.tokens[model.RoleViewer], nil, nil); status != http.StatusForbidden {
			t.Errorf("%s as viewer: %d %.200s", path, status, answer)
		}
	}
}

// unknownNames: a parameter or a field that does not exist is refused, with the
// names that do.
func unknownNames(t *testing.T, n *node, ours *side, all []endpoint) {
	own := http.Header{"Origin": {n.ready.HTTP}}
	for _, e := range all {
		var body any
		if e.mutates() {
			body = ours.body(t, e, 1)
		}
		token := ours.tokens[model.RoleAdmin]
		status, header, answer := n.ask(e.method, ours.path(e.path)+"?nonsense=1", token, body, own)
		if status != http.StatusUnprocessableEntity || !strings.Contains(answer, "nonsense") || !strings.Contains(answer, "allowed") || header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s with an unknown parameter: %d %.300s", e, status, answer)
		}
		allowed := []string{}
		for _, p := range e.op.Parameters {
			if p.In == "query" {
				allowed = append(allowed, p.Name)
			}
		}
		if len(allowed) == 0 {
			allowed = []string{"none"}
		}
		for _, name := range allowed {
			if !strings.Contains(answer, name) {
				t.Errorf("%s does not say that %s is allowed: %.300s", e, name, answer)
			}
		}
		fields, ok := body.(map[string]any)
		if !ok {
			continue
		}
		wrong := maps.Clone(fields)
		wrong["nonsense"] = 1
		status, _, answer = n.ask(e.method, ours.path(e.path), token, wrong, own)
		if status != http.StatusUnprocessableEntity || !strings.Contains(answer, "nonsense") || !strings.Contains(answer, "allowed") {
			t.Errorf("%s with an unknown field: %d %.300s", e, status, answer)
		}
		for name := range fields {
			if !strings.Contains(answer, name) {
				t.Errorf("%s does not say that %s is allowed: %.300s", e, name, answer)
			}
		}
	}
}

// otherPages: a page that is not ours changes nothing and hears nothing, though
// the browser sends our cookie along.
func otherPages(t *testing.T, n *node, ours *side, all []endpoint) {
	client := &http.Client{Jar: jar()}
	browser(t, client, n.ready.HTTP, http.MethodPost, "/sign-in", map[string]any{"name": ours.marker + "-admin", "password": sidePassword}, http.StatusOK)
	browser(t, client, n.ready.HTTP, http.MethodGet, "/me", nil, http.StatusOK)
	base := must(http.NewRequest(http.MethodGet, n.ready.HTTP, nil)).URL
	var cookies []string
	for _, c := range client.Jar.Cookies(base) {
		cookies = append(cookies, c.String())
	}
	cookie := strings.Join(cookies, "; ")
	foreign := map[string]http.Header{
		"another page": {"Cookie": {cookie}, "Origin": {"https://evil.example"}}, "another port": {"Cookie": {cookie}, "Origin": {"http://localhost:1"}},
		"no page": {"Cookie": {cookie}}, "a null page": {"Cookie": {cookie}, "Origin": {"null"}},
		"a page that adds credentials": {"Cookie": {cookie}, "Origin": {"https://evil.example"}, "Authorization": {"Basic dTpw"}},
	}
	for _, e := range all {
		for name, header := range foreign {
			if !e.mutates() {
				continue
			}
			status, _, answer := n.ask(e.method, ours.path(e.path), "", ours.body(t, e, 1), header)
			if status != http.StatusForbidden || !strings.Contains(answer, `"origin"`) {
				t.Errorf("%s from %s: %d %.200s", e, name, status, answer)
			}
		}
	}
	ws := strings.Replace(n.ready.HTTP, "http", "ws", 1) + "/api/v1"
	dialer := websocket.Dialer{HandshakeTimeout: 5 * time.Second}
	for _, path := range []string{"/live", ours.path("/sessions/{id}/socket")} {
		for name, header := range foreign {
			conn, response, err := dialer.Dial(ws+path, header)
			if err == nil {
				conn.Close()
			}
			if err == nil || response == nil || response.StatusCode != http.StatusForbidden {
				t.Errorf("a socket to %s from %s: %v %v", path, name, response, err)
			}
		}
	}
	conn, _, err := dialer.Dial(ws+"/live", http.Header{"Cookie": {cookie}, "Origin": {n.ready.HTTP}})
	if err != nil {
		t.Fatalf("our own page: %v", err)
	}
	conn.Close()
}

// conflicts: of two who change one thing the second is told how it is now.
func conflicts(t *testing.T, n *node, ours *side) {
	token := ours.tokens[model.RoleAdmin]
	for path, body := range map[string]map[string]any{
		"/tickets/" + ours.ids["tickets"]: {"priority": 1}, "/alerts/" + ours.ids["alerts"]: {"acknowledged": true},
		"/groups/" + ours.ids["groups"]: {"name": "in the office"}, "/checks/process.cpu": {"warning": ">= 0.7"}, "/settings": {"beat": "21s"},
	} {
		var row struct {
			Version int64 `json:"version"`
		}
		_, _, raw := n.ask(http.MethodGet, path, token, nil, nil)
		if err := json.Unmarshal([]byte(raw), &row); err != nil {
			t.Fatal(err)
		}
		body["version"] = row.Version
		if status, _, answer := n.ask(http.MethodPatch, path, token, body, nil); status != http.StatusOK {
			t.Errorf("PATCH %s: %d %s", path, status, answer)
		}
		status, _, answer := n.ask(http.MethodPatch, path, token, body, nil)
		var problem struct {
			Code    string `json:"code"`
			Current struct {
				Version int64 `json:"version"`
			} `json:"current"`
		}
		if err := json.Unmarshal([]byte(answer), &problem); err != nil || status != http.StatusConflict || problem.Code != "conflict" || problem.Current.Version <= row.Version {
			t.Errorf("PATCH %s again: %d %.300s", path, status, answer)
		}
	}
}

// oddTexts: what people write is theirs, but a text that no database can hold is
// refused with words, never with 500.
func oddTexts(t *testing.T, n *node, ours *side, all []endpoint) {
	for _, e := range all {
		fields, ok := map[string]any(nil), false
		if e.mutates() {
			fields, ok = ours.body(t, e, 1).(map[string]any)
		}
		if !ok {
			continue
		}
		for name, value := range fields {
			if _, text := value.(string); !text {
				continue
			}
			for _, odd := range []string{"\x00", "a\x00b", strings.Repeat("x", 30_000), "\u202e", "<script>"} {
				wrong := maps.Clone(fields)
				wrong[name] = odd
				status, _, answer := n.ask(e.method, ours.path(e.path), ours.tokens[model.RoleAdmin], wrong, nil)
				if status >= 500 {
					t.Errorf("%s with %s %.10q: %d %.200s", e, name, odd, status, answer)
				}
			}
		}
	}
	for _, odd := range []string{"", "smb\td", "a\u202eb"} {
		for _, path := range []string{"/settings", "/checks/service.stopped"} {
			status, _, answer := n.ask(http.MethodPatch, path, ours.tokens[model.RoleAdmin], map[string]any{"watched_services": []string{"cups", odd}}, nil)
			if status != http.StatusUnprocessableEntity || !strings.Contains(answer, `"location":"body.watched_services"`) {
				t.Errorf("PATCH %s with the service %q: %d %.300s", path, odd, status, answer)
			}
		}
		if status, _, answer := n.ask(http.MethodGet, "/checks", ours.tokens[model.RoleAdmin], nil, nil); status != http.StatusOK {
			t.Errorf("GET /checks after the service %q: %d %.200s", odd, status, answer)
		}
	}
	for _, q := range []string{"%00", "%ff", "%E2%80%AE", "%25", "%27%3B--"} {
		for _, path := range []string{"/machines", "/tickets", "/people", "/search"} {
			if status, _, answer := n.ask(http.MethodGet, path+"?q=x"+q, ours.tokens[model.RoleAdmin], nil, nil); status >= 500 {
				t.Errorf("%s?q=x%s: %d %.200s", path, q, status, answer)
			}
		}
	}
}

// audited: whatever changes something leaves a row.
func audited(t *testing.T, n *node, ours *side, all []endpoint) {
	count := func() int {
		return n.w.count("SELECT count(*) FROM audit WHERE organisation_id = $1", ours.organisation)
	}
	own := http.Header{"Origin": {n.ready.HTTP}}
	// What is deleted, or a machine that is expelled, nothing can be asked of any more.
	ends := func(e endpoint) int {
		if e.method == http.MethodDelete || e.path == "/machines/{id}/revoke" {
			return 1
		}
		return 0
	}
	for _, e := range slices.SortedStableFunc(slices.Values(all), func(a, b endpoint) int { return ends(a) - ends(b) }) {
		if !e.mutates() || strings.HasPrefix(e.path, "/help") || e.path == "/sign-in/link" || e.path == "/sign-out" || e.path == "/machines/{id}/check-now" {
			// A fresh reading changes nothing, and every page that opens asks for one. Help
			// proven with a real machine; a link and signing out below.
			continue
		}
		var v int64
		if slices.Contains([]string{"/tickets/{id}", "/alerts/{id}", "/groups/{id}", "/machines/{id}/revoke"}, e.path) {
			v = version(n, ours, strings.Split(e.path, "/")[1])
		}
		if e.path == "/people/{id}" {
			v = 1
		}
		before := count()
		status, _, answer := n.ask(e.method, ours.path(e.path), ours.tokens[model.RoleAdmin], ours.body(t, e, v), own)
		if status != http.StatusOK && status != http.StatusNoContent {
			t.Errorf("%s: %d %.300s", e, status, answer)
		}
		if count() == before {
			t.Errorf("%s leaves no row in the audit", e)
		}
	}
	client := &http.Client{Jar: jar()}
	var link string
	n.w.tools(func(s *store.Store, a *account.Accounts, _ model.Organisation) {
		var p model.Person
		n.w.view(func(tx *store.Tx) error {
			var err error
			p, err = account.Person(tx, ours.people[model.RoleViewer])
			return err
		})
		link = must(a.NewLink(t.Context(), store.System("test"), p))
	})
	for _, step := range []struct {
		path string
		body any
	}{{"/sign-in/link", map[string]any{"link": link}}, {"/sign-out", nil}} {
		before := count()
		browser(t, client, n.ready.HTTP, http.MethodPost, step.path, step.body, http.StatusOK)
		if count() == before {
			t.Errorf("%s leaves no row in the audit", step.path)
		}
	}
	browser(t, client, n.ready.HTTP, http.MethodGet, "/me", nil, http.StatusUnauthorized)
}
