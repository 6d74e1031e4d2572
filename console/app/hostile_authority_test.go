package app_test

import (
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/websocket"

	"github.com/deskside/deskside/agent/state"
	"github.com/deskside/deskside/protocol"
	"github.com/deskside/deskside/protocol/expression"
	"github.com/deskside/deskside/protocol/stream"
)

// authority are attacks by claims about what belongs to another, or does not
// exist, or is over.
func authority(t *testing.T, s *siege) []attack {
	s.of(t)
	mine, ended := s.run(s.n, s.bad.Machine), s.run(s.n, s.bad.Machine)
	s.n.post("/runs/"+ended.String()+"/cancel", nil, nil)
	ours, theirs := s.run(s.n, s.good.id.Machine), s.run(s.other, s.theirs.Machine)
	s.good.await(t, "its run", func() bool { return s.good.orders[ours].Kind == protocol.KindWork })
	stands := func(run uuid.UUID, want string) {
		s.t.Helper()
		n := s.n
		if run == theirs {
			n = s.other
		}
		if got := n.get("/runs/" + run.String())["state"]; got != want {
			s.t.Errorf("the run is %v, not %s", got, want)
		}
	}
	result := func(run uuid.UUID, state string) protocol.Entry {
		return logEntry(protocol.ClassResult, 1, protocol.Result{Run: run, State: state, Head: []byte("done"), Bytes: 4})
	}
	output := func(x *wire, run uuid.UUID, at int64, what string) {
		x.say(protocol.KindOutput, protocol.Output{Run: run, Offset: at, Data: []byte(what)})
	}
	one := map[string]int{"refused_message": 1}
	list := []attack{
		{name: "a result of another machine's run", leaves: one, does: func(s *siege) { s.line().tell(result(ours, "succeeded")); stands(ours, "sent") }},
		{name: "a result of another organisation's run", leaves: one, does: func(s *siege) { s.line().tell(result(theirs, "succeeded")); stands(theirs, "queued") }},
		{name: "a result of a run of nobody", leaves: one, does: func(s *siege) { s.line().tell(result(uuid.New(), "succeeded")) }},
		{name: "a result of a run that was cancelled", does: func(s *siege) { s.line().tell(result(ended, "succeeded")); stands(ended, "cancelled") }},
		{name: "a result in a state of nobody", leaves: one, does: func(s *siege) { s.line().tell(result(mine, "on fire")) }},
		{name: "that others' runs begin", does: func(s *siege) {
			x := s.line()
			for _, run := range []uuid.UUID{ours, theirs, ended, uuid.New()} {
				x.say(protocol.KindTaken, protocol.Taken{Run: run})
			}
			x.alive()
			stands(ours, "sent")
			stands(theirs, "queued")
			stands(ended, "cancelled")
		}},
		{name: "output of others' runs", does: func(s *siege) {
			x := s.line()
			for _, run := range []uuid.UUID{ours, theirs, ended, uuid.New()} {
				output(x, run, 0, "forged")
			}
			x.alive()
		}},
		{name: "output at offsets beyond all numbers", does: func(s *siege) {
			x := s.line()
			for _, at := range []int64{math.MaxInt64, math.MaxInt64 - 1, math.MinInt64, -1, 1 << 62} {
				output(x, mine, at, "far away")
			}
			x.alive()
			if n := s.count("SELECT output_bytes FROM run WHERE id = $1", mine); n != 0 {
				s.t.Errorf("%d bytes of output are counted", n)
			}
		}},
		{name: "output over itself, and of a terminal", leaves: map[string]int{"run_output": 2}, does: func(s *siege) {
			x := s.line()
			const escapes = "\x1b]52;c;ZXZpbA==\x07=cmd|' /C calc'!A0\x1b[2J<script>"
			output(x, mine, 0, escapes)
			output(x, mine, 0, "other")
			output(x, mine, 3, "over it")
			output(x, mine, int64(len(escapes)), "end")
			x.alive()
			r := must(http.NewRequest(http.MethodGet, s.n.ready.HTTP+"/api/v1/runs/"+mine.String()+"/output", nil))
			r.Header.Set("Authorization", "Bearer "+s.n.token)
			response := must(http.DefaultClient.Do(r))
			defer response.Body.Close()
			if got := string(must(io.ReadAll(response.Body))); got != escapes+"end" {
				s.t.Errorf("it reads %q", got)
			}
			if kind := response.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/plain") || response.Header.Get("X-Content-Type-Options") != "nosniff" {
				s.t.Errorf("it comes as %s", kind)
			}
		}},
		{name: "a result of less than nothing", leaves: map[string]int{"audit": 1}, does: func(s *siege) {
			s.line().tell(logEntry(protocol.ClassResult, 1, protocol.Result{Run: mine, State: "succeeded", Bytes: math.MinInt64, Tail: []byte("tail"),
				StartedAt: math.MaxInt64, EndedAt: math.MinInt64, Values: map[string]string{strings.Repeat("k", 60_000): strings.Repeat("v", 60_000)}}))
			stands(mine, "succeeded")
			if n := s.count("SELECT output_bytes FROM run WHERE id = $1", mine); n < 0 {
				s.t.Errorf("%d bytes of output are counted", n)
			}
			if n := s.count("SELECT length(rest) FROM run WHERE id = $1", mine); n > 64<<10 {
				s.t.Errorf("the row has %d bytes", n)
			}
		}},
		{name: "answers that nobody asked for", does: func(s *siege) {
			var q struct{ ID uuid.UUID }
			s.n.post("/questions", map[string]any{"expression": "memory.used", "machine_ids": []string{s.good.id.Machine.String()}}, &q)
			x := s.line()
			for _, id := range []uuid.UUID{q.ID, uuid.New(), {}} {
				x.say(protocol.KindAnswer, protocol.Answer{Question: id, Table: []byte("\xa2\x01\x81\x65value\x02\x81\x81\x01")})
			}
			x.alive()
			s.answered()
			if n := s.count("SELECT count(*) FROM question_machine WHERE machine_id = $1", s.bad.Machine); n != 0 {
				s.t.Errorf("%d answers of it are kept", n)
			}
		}, leaves: map[string]int{"audit": 1}},
		{name: "an answer for the second time", leaves: map[string]int{"audit": 1, "question_machine": 1}, does: func(s *siege) {
			x := s.line()
			var q struct{ ID uuid.UUID }
			s.n.post("/questions", map[string]any{"expression": "memory.used", "machine_ids": []string{s.bad.Machine.String()}}, &q)
			x.say(protocol.KindAnswer, protocol.Answer{Question: q.ID, Error: "first", Age: math.NaN()})
			x.say(protocol.KindAnswer, protocol.Answer{Question: q.ID, Error: "second", Age: math.Inf(1)})
			x.alive()
			s.answered()
			if n := s.count("SELECT count(*) FROM question_machine WHERE machine_id = $1 AND error = 'first'", s.bad.Machine); n != 1 {
				s.t.Error("the second one counts")
			}
		}},
		{name: "an epoch from before", leaves: map[string]int{"fact_change": 3}, does: func(s *siege) {
			before, after := uuid.New(), uuid.New()
			s.n.line(s.t, s.bad, before).tell(logEntry(protocol.ClassChange, 5, changeOf("a 5")))
			s.n.line(s.t, s.bad, after).tell(logEntry(protocol.ClassChange, 1, changeOf("b 1")))
			x := s.n.line(s.t, s.bad, before)
			x.tell(logEntry(protocol.ClassChange, 3, changeOf("a 3 again")))
			x.tell(logEntry(protocol.ClassChange, 6, changeOf("a 6")))
			if n := s.count("SELECT count(*) FROM fact_change WHERE machine_id = $1 AND item = 'a 3 again'", s.bad.Machine); n != 0 {
				s.t.Error("what is below the mark is taken")
			}
		}},
		{name: "a book that contradicts itself", leaves: map[string]int{"machine_journal": 4}, does: func(s *siege) {
			line := func(n, number uint64) protocol.Entry {
				return logEntry(protocol.ClassJournal, n, protocol.JournalEntry{Number: number, Act: "admitted", Kind: "work", Hash: protocol.Nonce()})
			}
			s.line().tell(line(1, 1), line(2, 900), line(3, 900), line(4, math.MaxUint64))
		}},
		{name: "the name and the facts of another", leaves: map[string]int{"fact_section": 2}, does: (*siege).impersonate},
		{name: "lies about what it has", does: func(s *siege) {
			x := s.n.dial(s.t).greet(helloAs(s.bad))
			p := protocol.Proof{Epoch: uuid.New(), Name: "bad", Boot: "b", Left: true, Next: map[protocol.Class]uint64{1: math.MaxUint64, 99: 1}, Facts: map[string][]byte{"nobody": nil},
				Checks: protocol.Nonce(), Settings: protocol.Nonce(), Head: protocol.Nonce(), Clock: math.MinInt64, Runs: make([]uuid.UUID, 1000)}
			for _, name := range expression.Sections() {
				p.Facts[name] = protocol.Nonce()
			}
			m := x.prove(s.bad.Private(), p)
			var welcome protocol.Welcome
			if x.read(m, &welcome); len(welcome.Wanted) != len(expression.Sections()) || len(welcome.Marks) != 0 {
				s.t.Errorf("welcomed with %+v", welcome)
			}
		}},
		{name: "that another's alert is over", leaves: map[string]int{}, does: func(s *siege) {
			x := s.line()
			episode := s.good.fires(s.t, protocol.StateFiring)
			for i, to := range []string{protocol.StateUnknown, protocol.StateResolved} {
				x.tell(logEntry(protocol.ClassTransition, uint64(i+1), protocol.Transition{ID: episode, Check: "process.cpu", Instance: "firefox", Thing: "the shared one", State: to}))
			}
			if n := s.count("SELECT count(*) FROM alert WHERE machine_id = $1 AND episode = $2 AND state = 'firing'", s.good.id.Machine, episode); n != 1 {
				s.t.Error("it is")
			}
			s.good.fires(s.t, protocol.StateResolved)
		}},
		{name: "a beat that says it is well", does: func(s *siege) {
			x := s.line()
			for _, health := range []string{"critical", "<script>", strings.Repeat("x", 60_000), "ok"} {
				x.say(protocol.KindBeat, protocol.Beat{At: math.MinInt64, Health: health, Head: make([]byte, 60_000)})
			}
			x.alive()
		}},
	}
	return append(list, doors()...)
}

// run asks a machine for a run.
func (s *siege) run(n *node, machine uuid.UUID) uuid.UUID {
	s.t.Helper()
	var run struct{ ID uuid.UUID }
	n.post("/runs", map[string]any{"script": "restart-service", "machine_id": machine, "parameters": map[string]string{"SERVICE": "cron"}}, &run)
	return run.ID
}

// impersonate says that it is the other machine, in all the words it has.
func (s *siege) impersonate() {
	read := func() (name string, about []byte) {
		m := s.n.get("/machines/" + s.good.id.Machine.String())
		return text(m["name"]), []byte(text(m["os"]))
	}
	name, os := read()
	x := s.n.dial(s.t).greet(helloAs(s.bad))
	x.prove(s.bad.Private(), protocol.Proof{Epoch: uuid.New(), Name: name, OS: protocol.OS{Family: "other"}})
	var facts expression.Machine
	facts.OS = &expression.OS{Family: "other", Hostname: expression.Text(name)}
	facts.Hardware = &expression.Hardware{}
	for _, section := range []string{expression.SectionOS, expression.SectionHardware} {
		body, hash, ok := facts.Section(section)
		if !ok {
			s.t.Fatal(section)
		}
		x.tell(protocol.Entry{Class: protocol.ClassFacts, Key: s.good.id.Machine.String() + "/" + section, Revision: 1,
			Body: must(protocol.Marshal(protocol.Section{Name: section, Hash: hash[:], Body: body}))})
	}
	if now, was := read(); now != name || string(was) != string(os) {
		s.t.Errorf("the other machine is %s %s now", now, was)
	}
	if n := s.count("SELECT count(*) FROM fact_section WHERE machine_id = $1", s.good.id.Machine); n != 0 {
		s.t.Errorf("it has %d sections of facts", n)
	}
}

// doors are attacks around sessions and their own sockets.
func doors() []attack {
	one := map[string]int{"session": 1, "audit": 2}
	list := []attack{
		{name: "that another's session is refused, or over", leaves: one, does: func(s *siege) {
			id, _ := s.door(s.good)
			x := s.line()
			x.say(protocol.KindOpened, protocol.Opened{Session: id, Refusal: "policy", Text: "no"})
			x.say(protocol.KindEnded, protocol.Ended{Session: id})
			x.alive()
			s.standing(id, "opening")
			s.n.post("/sessions/"+id.String()+"/end", nil, nil)
		}},
		{name: "another's session by a token that was stolen", leaves: map[string]int{"session": 1, "audit": 3, "blob_part": 1}, does: func(s *siege) {
			id, token := s.door(s.good)
			s.enters(s.bad, id, token, false)
			s.standing(id, "opening")
			s.enters(s.good.id, id, token, true).ws.Close()
			s.n.eventually(5*time.Second, "the session of who it is for is over", func() bool { return s.n.get("/sessions/" + id.String())["state"] == "ended" })
			s.enters(s.good.id, id, token, false) // the token works once
		}},
		{name: "a session by a token of another, or none", leaves: map[string]int{"machine": 1, "session": 2, "audit": 8}, does: func(s *siege) {
			p := s.n.neighbour(s.t, "puppet")
			id, token := s.door(p)
			another, _ := s.door(p)
			for _, guess := range [][]byte{nil, token[:16], make([]byte, 32), append(token[:len(token):len(token)], 0)} {
				s.enters(p.id, id, guess, false)
			}
			s.enters(p.id, another, token, false)
			s.enters(p.id, uuid.New(), token, false)
			for _, id := range []uuid.UUID{id, another} {
				s.standing(id, "opening")
				s.n.post("/sessions/"+id.String()+"/end", nil, nil)
			}
		}},
	}
	out := func(at uint64, size int) []byte {
		return stream.Frame{Kind: stream.Output, Offset: at, Payload: make([]byte, size)}.Bytes()
	}
	var flood [][]byte
	for at := uint64(0); at <= stream.Window; at += stream.MaxPayload {
		flood = append(flood, out(at, stream.MaxPayload))
	}
	for _, c := range []struct {
		name   string
		frames [][]byte
		ends   bool
	}{
		{"a frame of a few bytes", [][]byte{{1, 2, 3}}, true},
		{"output that leaves a hole", [][]byte{out(0, 10), out(20, 10)}, true},
		{"output that goes back", [][]byte{out(0, 10), out(0, 10)}, true},
		{"output at an offset of nobody", [][]byte{out(math.MaxUint64, 1)}, true},
		{"output over its limit", [][]byte{out(0, stream.MaxPayload+1)}, true},
		{"output of nothing", [][]byte{out(0, 0)}, true},
		{"more output than its window, and nobody who reads", flood, true},
		{"an exit without a code", [][]byte{{byte(stream.Exit), 0, 0, 0, 0, 0, 0, 0, 0}}, true},
		{"kinds of a browser, and of nobody", [][]byte{stream.ResizeTo(80, 24).Bytes(), stream.Frame{Kind: stream.Input, Payload: []byte("rm -rf /\r")}.Bytes(),
			stream.Frame{Kind: 200, Payload: []byte("x")}.Bytes(), stream.Frame{Kind: stream.Ack, Offset: 1 << 40}.Bytes()}, false},
	} {
		list = append(list, attack{name: "a session: " + c.name, leaves: map[string]int{"machine": 1, "session": 1, "audit": 6, "blob_part": 40}, does: func(s *siege) {
			p := s.n.neighbour(s.t, "puppet")
			id, token := s.door(p)
			x := s.enters(p.id, id, token, true)
			for _, f := range c.frames {
				if x.ws.WriteMessage(websocket.BinaryMessage, f) != nil {
					break
				}
			}
			if c.ends {
				x.ended()
				s.n.eventually(5*time.Second, "it ends", func() bool { return s.n.get("/sessions/" + id.String())["state"] == "ended" })
				return
			}
			s.standing(id, "open")
			s.n.post("/sessions/"+id.String()+"/end", nil, nil)
			x.ended()
		}})
	}
	return list
}

// door asks a machine for a session, and waits until it hears of it.
func (s *siege) door(m *neighbour) (id uuid.UUID, token []byte) {
	s.t.Helper()
	var row struct{ ID uuid.UUID }
	s.n.post("/sessions", map[string]any{"machine_id": m.id.Machine}, &row)
	m.await(s.t, "a session", func() bool { return m.orders[row.ID].Kind == protocol.KindOpenSession })
	o, _ := m.order(row.ID)
	var open protocol.OpenSession
	if err := protocol.Unmarshal(o.Body, &open); err != nil {
		s.t.Fatal(err)
	}
	return row.ID, open.Token
}

// enters dials in for a session, and is let in or not.
func (s *siege) enters(as state.Identity, id uuid.UUID, token []byte, in bool) *wire {
	s.t.Helper()
	x := s.n.dial(s.t).greet(helloAs(as))
	m := x.prove(as.Private(), protocol.Proof{Purpose: protocol.ForSession, Session: id, Token: token})
	if m.Kind != protocol.KindWelcome {
		s.t.Fatalf("the session's own connection: %s", m.Kind)
	}
	if !in {
		if x.ended() == "" {
			s.t.Error("it is let in")
		}
	}
	return x
}

func (s *siege) standing(id uuid.UUID, want string) {
	s.t.Helper()
	s.n.eventually(5*time.Second, "the session is "+want, func() bool { return s.n.get("/sessions/" + id.String())["state"] == want })
}
