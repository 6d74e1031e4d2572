package app_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/deskside/deskside/agent/state"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/protocol"
	"github.com/deskside/deskside/protocol/expression"
)

// nasty is what a program may call itself.
const nasty = "n\x00a\x1b[31ms\u202et\u2066y <script>alert(1)</script> \xff\xfe \u0085\u200f end"

// dirt is what must be gone from it.
func dirt(s string) string {
	for _, r := range s {
		switch {
		case r == '\n' || r == '\t':
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
			return fmt.Sprintf("%U", r)
		}
	}
	if !utf8.ValidString(s) {
		return "invalid UTF-8"
	}
	return ""
}

// TestHostileStrings: whatever text a machine sends comes out clean.
func TestHostileStrings(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		n := w.start("")
		id := n.enrolled(nasty)
		x := n.dial(t).greet(helloAs(id))
		m := x.prove(id.Private(), protocol.Proof{Epoch: uuid.New(), Boot: nasty, Agent: nasty, Name: nasty,
			OS:     protocol.OS{Family: "linux", Name: nasty, Version: nasty, Kernel: nasty, Arch: nasty},
			Policy: protocol.Policy{Profile: nasty, Terminal: nasty, Proof: nasty, Scripts: nasty, Problem: nasty}})
		if m.Kind != protocol.KindWelcome {
			t.Fatalf("the console says %s", m.Kind)
		}
		machine := "/machines/" + id.Machine.String()
		page := n.live()
		if err := page.WriteJSON(map[string]any{"watch": id.Machine}); err != nil {
			t.Fatal(err)
		}
		ticket := tellNasty(t, n, x, id)
		seen := 0
		look := func(path string) { n.clean(t, path, &seen) }
		for _, path := range []string{"/machines", machine, machine + "/facts", "/alerts", "/tickets", "/tickets/" + ticket, "/tickets/" + ticket + "/timeline",
			"/runs", "/sessions", "/audit", "/search?q=script", "/people"} {
			look(path)
		}
		for _, kind := range []string{"alerts", "runs", "sessions"} {
			for _, item := range n.items("/" + kind) {
				look("/" + kind + "/" + text(item["id"]))
			}
		}
		if err := x.ws.WriteMessage(2, must(protocol.Encode(protocol.KindLive, protocol.Live{At: time.Now().UnixMicro(),
			Values: []protocol.LiveValue{{Name: nasty, Unit: nasty, Attributes: map[string]string{nasty: nasty}}},
			Top:    []protocol.Process{{PID: 1, Name: nasty, Owner: nasty}}}))); err != nil {
			t.Fatal(err)
		}
		told(t, page, "a live reading", func(m map[string]any) bool {
			walkStrings(m, func(s string) {
				if d := dirt(s); d != "" {
					t.Errorf("the live reading holds %s: %q", d, s)
				}
			})
			return m["live"] != nil
		})
		if seen < 20 {
			t.Errorf("the nasty text was met in %d places: this proves little", seen)
		}
		w.view(func(tx *store.Tx) error {
			why, err := store.Collect(tx, func(r *store.Rows) (s string, err error) { return s, r.Scan(&s) }, "SELECT problem FROM refused_message")
			if len(why) > 0 {
				t.Errorf("texts made messages refused: %q", why)
			}
			return err
		})
	})
}

// tellNasty says everything that a machine can say, with nasty texts, and
// returns the ticket that came of it.
func tellNasty(t *testing.T, n *node, x *wire, id state.Identity) string {
	now := time.Now().UnixMicro()
	entries := []protocol.Entry{
		logEntry(protocol.ClassTransition, 1, protocol.Transition{ID: uuid.New(), Check: nasty, Instance: nasty, State: protocol.StateFiring,
			Severity: nasty, Values: map[string]float64{nasty[:24]: 1}, Texts: map[string]string{nasty[:24]: nasty, "program": nasty}, StartedAt: now, At: now, Thing: nasty, Broken: nasty,
			Reason: nasty, Evidence: &protocol.Evidence{Series: []protocol.Series{{Name: nasty, Unit: nasty, Attributes: map[string]string{nasty: nasty}}},
				Processes: []protocol.Process{{PID: 1, Name: nasty, Owner: nasty}}}}),
		logEntry(protocol.ClassTransition, 2, protocol.Transition{ID: uuid.New(), Check: "process.cpu", Instance: nasty, State: protocol.StateFiring,
			Severity: "warning", Texts: map[string]string{"program": nasty, "name": nasty, "instance": nasty}, StartedAt: now, At: now}),
		logEntry(protocol.ClassChange, 1, protocol.Change{Section: nasty, Item: nasty, Before: nasty, After: nasty, At: now}),
		logEntry(protocol.ClassJournal, 1, protocol.JournalEntry{Number: 1, Kind: nasty, Act: nasty, Code: nasty, Text: nasty, At: now}),
	}
	var facts expression.Machine
	dirty := expression.Text(nasty)
	facts.OS = &expression.OS{Family: dirty, ID: dirty, Name: dirty, Version: dirty, Kernel: dirty, Arch: dirty, Hostname: dirty}
	facts.Filesystems = []expression.Filesystem{{Mount: dirty, Device: dirty, Type: dirty, Kind: dirty}}
	facts.People = []expression.Person{{Name: dirty, Terminal: dirty}}
	facts.Services = []expression.Service{{Name: dirty, DisplayName: dirty, State: dirty}}
	facts.Processes = []expression.Process{{PID: 1, Name: dirty, Owner: dirty, CommandLine: dirty}}
	for _, name := range []string{expression.SectionFilesystems, expression.SectionPeople, expression.SectionServices, expression.SectionProcesses} {
		body, hash, ok := facts.Section(name)
		if !ok {
			t.Fatal(name)
		}
		entries = append(entries, protocol.Entry{Class: protocol.ClassFacts, Key: name, Revision: 1,
			Body: must(protocol.Marshal(protocol.Section{Name: name, Hash: hash[:], At: now, Body: body}))})
	}
	x.tell(entries...)

	// What is asked of it, it answers as nastily.
	var ticket, run, session, question struct {
		ID string `json:"id"`
	}
	n.post("/tickets", map[string]any{"says": "x", "machine_id": id.Machine}, &ticket)
	n.post("/runs", map[string]any{"script": "restart-service", "machine_id": id.Machine, "ticket_id": ticket.ID, "parameters": map[string]string{"SERVICE": "cron"}}, &run)
	n.post("/sessions", map[string]any{"machine_id": id.Machine, "ticket_id": ticket.ID, "reason": "x"}, &session)
	n.post("/questions", map[string]any{"expression": "memory.used"}, &question)
	x.tell(logEntry(protocol.ClassResult, 1, protocol.Result{Run: uuid.MustParse(run.ID), State: "refused", Refusal: nasty, Text: nasty,
		Values: map[string]string{nasty: nasty}, Verify: &protocol.Verdict{Check: nasty, Verdict: nasty}, Head: []byte(nasty), Bytes: int64(len(nasty))}))
	x.say(protocol.KindOpened, protocol.Opened{Session: uuid.MustParse(session.ID), Refusal: nasty, Text: nasty})
	table := "\xa3\x01\x81" + cborText(nasty) + "\x02\x81\x81" + cborText(nasty) + "\x05" + cborText(nasty)
	x.say(protocol.KindAnswer, protocol.Answer{Question: uuid.MustParse(question.ID), Table: []byte(table)})
	x.say(protocol.KindHelp, protocol.Help{Request: uuid.New(), Person: nasty})
	n.eventually(10*time.Second, "the answers", func() bool {
		return len(n.items("/questions/"+question.ID+"/answers")) == 1 && n.get("/sessions/" + session.ID)["state"] == "refused"
	})
	seen := 0
	n.clean(t, "/questions/"+question.ID+"/answers", &seen)
	if seen == 0 {
		t.Error("the answer does not hold the nasty text")
	}
	return ticket.ID
}

// cborText is a text of up to 255 bytes, whatever they are.
func cborText(s string) string { return "\x78" + string([]byte{byte(len(s))}) + s }

// clean reads a path and looks at every text in it.
func (n *node) clean(t *testing.T, path string, seen *int) {
	t.Helper()
	r := must(http.NewRequest(http.MethodGet, n.ready.HTTP+"/api/v1"+path, nil))
	r.Header.Set("Authorization", "Bearer "+n.token)
	response := must(http.DefaultClient.Do(r))
	defer response.Body.Close()
	raw := must(io.ReadAll(response.Body))
	if response.StatusCode != http.StatusOK {
		t.Errorf("%s: %d %s", path, response.StatusCode, raw)
		return
	}
	if response.Header.Get("Content-Type") != "application/json" || response.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%s is %s", path, response.Header.Get("Content-Type"))
	}
	if !utf8.Valid(raw) {
		t.Errorf("%s is not UTF-8", path)
	}
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Error(err)
	}
	walkStrings(v, func(s string) {
		if strings.Contains(s, "<script>") {
			*seen++
		}
		if d := dirt(s); d != "" {
			t.Errorf("%s holds %s: %q", path, d, s)
		}
	})
}

func walkStrings(v any, do func(string)) {
	switch v := v.(type) {
	case string:
		do(v)
	case []any:
		for _, x := range v {
			walkStrings(x, do)
		}
	case map[string]any:
		for k, x := range v {
			do(k)
			walkStrings(x, do)
		}
	}
}
