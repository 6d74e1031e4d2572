package app_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/console/account"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/protocol"
)

// side is an organisation with people and one of everything.
type side struct {
	organisation model.ID
	tokens       map[model.Role]string
	people       map[model.Role]model.ID
	spare        model.ID          // a person whom others may change
	token        string            // the id of a token of theirs
	marker       string            // in every text of it
	ids          map[string]string // by the first word of a path
}

const sidePassword = "correct horse battery"

// sides are the two organisations of a console.
func (w *world) sides(n *node) (ours, theirs *side) {
	ours = &side{marker: "alfa", tokens: map[model.Role]string{}, people: map[model.Role]model.ID{}}
	theirs = &side{marker: "bravosecret", tokens: map[model.Role]string{}, people: map[model.Role]model.ID{}}
	w.tools(func(s *store.Store, a *account.Accounts, o model.Organisation) {
		other := must(a.NewOrganisation(w.t.Context(), "Bravo"))
		for _, x := range []*side{ours, theirs} {
			x.organisation = o.ID
			if x == theirs {
				x.organisation = other.ID
			}
			for _, role := range model.Roles() {
				p := must(a.Add(w.t.Context(), store.System("test"), x.organisation, x.marker+"-"+string(role), role, sidePassword))
				x.people[role], x.tokens[role] = p.ID, must(a.NewToken(w.t.Context(), store.System("test"), p))
			}
			spare := must(a.Add(w.t.Context(), store.System("test"), x.organisation, x.marker+"-spare", model.RoleViewer, sidePassword))
			must(a.NewToken(w.t.Context(), store.System("test"), spare))
			x.spare = spare.ID
			w.view(func(tx *store.Tx) error {
				x.token = must(account.Tokens(tx, spare.ID, store.Request{})).Items[0].ID.String()
				return nil
			})
		}
	})
	for _, x := range []*side{ours, theirs} {
		x.fill(w.t, n)
	}
	return ours, theirs
}

// fill makes one of everything that belongs to an organisation.
func (x *side) fill(t *testing.T, n *node) {
	own := *n
	own.token = x.tokens[model.RoleAdmin]
	id := own.enrolled(x.marker + "-machine")
	line := own.line(t, id, uuid.New())
	line.tell(logEntry(protocol.ClassTransition, 1, protocol.Transition{ID: uuid.New(), Check: "process.cpu", Instance: x.marker, State: protocol.StateFiring,
		Severity: "warning", Texts: map[string]string{"program": x.marker, "name": x.marker}}))
	machine := id.Machine.String()
	x.ids = map[string]string{"machines": machine, "people": x.spare.String(), "tokens": x.token, "checks": "process.cpu", "scripts": "restart-service"}
	made := func(path string, body any) string {
		var out struct {
			ID string `json:"id"`
		}
		own.post(path, body, &out)
		return out.ID
	}
	x.ids["alerts"] = text(own.items("/alerts")[0]["id"])
	x.ids["tickets"] = made("/tickets", map[string]any{"says": x.marker + " is broken", "machine_id": machine})
	x.ids["help"] = x.ids["tickets"]
	own.post("/tickets/"+x.ids["tickets"]+"/notes", map[string]any{"text": x.marker}, nil)
	x.ids["runs"] = made("/runs", map[string]any{"script": "restart-service", "machine_id": machine, "parameters": map[string]string{"SERVICE": x.marker}})
	x.ids["sessions"] = made("/sessions", map[string]any{"machine_id": machine, "reason": x.marker})
	x.ids["groups"] = made("/groups", map[string]any{"name": x.marker, "rule": `os.hostname == "` + x.marker + `"`})
	own.eventually(20*time.Second, "the group has its machines", func() bool { return own.get("/groups/" + x.ids["groups"])["state"] == "ready" })
	x.ids["questions"] = made("/questions", map[string]any{"expression": `filter(processes, .name == "` + x.marker + `")`})
}

// path fills the ids of x into a path.
func (x *side) path(p string) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(p, "/"), "/")
	return strings.ReplaceAll(p, "{id}", x.ids[first])
}

// body is a good request for an operation that changes something, about what
// belongs to x.
func (x *side) body(t *testing.T, e endpoint, version int64) any {
	machine := x.ids["machines"]
	switch e.String() {
	case "POST /sign-in":
		return map[string]any{"name": x.marker + "-viewer", "password": sidePassword}
	case "POST /sign-in/link":
		return map[string]any{"link": "nonsense"}
	case "POST /help/sign-in":
		return map[string]any{"link": "nonsense", "language": "pl"}
	case "POST /help/tickets":
		return map[string]any{"says": "x"}
	case "POST /help/tickets/{id}/messages", "POST /tickets/{id}/messages", "POST /tickets/{id}/notes":
		return map[string]any{"text": "a word"}
	case "PATCH /people/{id}":
		return map[string]any{"version": version, "role": "technician"}
	case "PATCH /me":
		return map[string]any{"language": "pl"}
	case "PATCH /alerts/{id}":
		return map[string]any{"version": version, "acknowledged": true}
	case "PATCH /checks/{id}":
		return map[string]any{"warning": ">= 0.5"}
	case "PATCH /settings":
		return map[string]any{"beat": "20s"}
	case "POST /trust":
		first := &signer{t: t, key: ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)), organisation: uuid.UUID(x.organisation)}
		return map[string]any{"statement": base64.RawURLEncoding.EncodeToString(first.file())}
	case "POST /enrolments":
		return map[string]any{"uses": 1}
	case "POST /groups":
		return map[string]any{"name": model.NewID().String(), "rule": "hardware.cores > 2"}
	case "PATCH /groups/{id}":
		return map[string]any{"version": version, "rule": "hardware.cores > 4"}
	case "POST /questions":
		return map[string]any{"expression": "memory.used", "machine_ids": []string{machine}}
	case "POST /runs":
		return map[string]any{"script": "restart-service", "machine_id": machine, "ticket_id": x.ids["tickets"], "parameters": map[string]string{"SERVICE": "cron"}}
	case "POST /sessions":
		return map[string]any{"machine_id": machine, "ticket_id": x.ids["tickets"]}
	case "POST /tickets":
		return map[string]any{"says": "x", "machine_id": machine}
	case "PATCH /tickets/{id}":
		return map[string]any{"version": version, "priority": 2, "assignee_id": x.people[model.RoleTechnician], "machine_ids": []string{machine}}
	case "POST /machines/{id}/revoke":
		return map[string]any{"version": version}
	case "POST /sign-out", "POST /machines/{id}/check-now", "POST /runs/{id}/cancel", "POST /sessions/{id}/end",
		"DELETE /tokens/{id}", "DELETE /groups/{id}", "POST /help/tickets/{id}/works":
		return nil
	}
	t.Errorf("%s changes something and this test does not know how: add it", e)
	return nil
}
