package app_test

import (
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/console/account"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/protocol"
)

// waits tells whether a request waits in a console of this process.
func waits() bool {
	stacks := make([]byte, 4<<20)
	return strings.Contains(string(stacks[:runtime.Stack(stacks, true)]), "api.(*API).until")
}

// TestWaiting: a request that waits is answered when what it asks for has ended, or
// its time is over, or the console stops; and never to somebody who was let in when it
// came and is not any more.
func TestWaiting(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		n := w.start("")
		id := n.enrolled("LAP-SLOW")
		x := n.line(t, id, uuid.New())
		ask := func() (path string, question uuid.UUID) {
			t.Helper()
			var q struct{ ID uuid.UUID }
			n.post("/questions", map[string]any{"expression": "memory.used", "machine_ids": []uuid.UUID{id.Machine}}, &q)
			return "/questions/" + q.ID.String(), q.ID
		}
		said := func(path, token string) (status int, answer string) {
			status, _, answer = n.ask(http.MethodGet, path, token, nil, nil)
			return status, answer
		}
		begin := func(path, token string) <-chan []any {
			t.Helper()
			done := make(chan []any, 1)
			go func() {
				status, answer := said(path, token)
				done <- []any{status, answer}
			}()
			n.eventually(10*time.Second, "the request waits", waits)
			return done
		}
		path, question := ask()
		if status, answer := said(path+"?wait=0.05", n.token); status != http.StatusOK || !strings.Contains(answer, `"asking"`) {
			t.Errorf("its time is over: %d %s", status, answer)
		}
		one, rows := begin(path+"?wait=30", n.token), begin(path+"/answers?wait=30", n.token)
		x.say(protocol.KindAnswer, protocol.Answer{Question: question, Table: []byte("\xa2\x01\x81\x65value\x02\x81\x81\x01")})
		began := time.Now()
		if got := <-one; got[0] != http.StatusOK || !strings.Contains(got[1].(string), `"answered":1`) || !strings.Contains(got[1].(string), `"done"`) {
			t.Errorf("the question: %v", got)
		}
		if got := <-rows; got[0] != http.StatusOK || !strings.Contains(got[1].(string), `"value":1`) {
			t.Errorf("the answers: %v", got)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("it waited %s more", took)
		}
		if status, answer := said(path+"?wait=31", n.token); status != http.StatusUnprocessableEntity {
			t.Errorf("for too long: %d %s", status, answer)
		}

		path, _ = ask()
		var eve *model.Person
		var token string
		w.tools(func(s *store.Store, a *account.Accounts, o model.Organisation) {
			p := must(a.Add(t.Context(), store.System("test"), o.ID, "eve", model.RoleTechnician, ""))
			eve, token = &p, must(a.NewToken(t.Context(), store.System("test"), p))
		})
		theirs := begin(path+"?wait=30", token)
		n.do(http.MethodPatch, "/people/"+eve.ID.String(), map[string]any{"disabled": true, "version": 1}, nil, http.StatusOK)
		if got := <-theirs; got[0] != http.StatusUnauthorized {
			t.Errorf("who is not let in any more: %v", got)
		}

		left := begin(path+"?wait=30", n.token)
		began = time.Now()
		n.stop()
		if got := <-left; got[0] != http.StatusOK || !strings.Contains(got[1].(string), `"asking"`) {
			t.Errorf("the console stopped: %v", got)
		}
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("it waited %s more", took)
		}
	})
}
