package app_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/websocket"

	"github.com/deskside/deskside/agent/gate"
	"github.com/deskside/deskside/agent/state"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/protocol"
)

// count asks the database beside the consoles.
func (w *world) count(query string, args ...any) (n int) {
	w.t.Helper()
	w.view(func(tx *store.Tx) error { return tx.QueryRow(query, args...).Scan(&n) })
	return n
}

// TestLines: what a machine can do wrong on its line, and what comes of it.
func TestLines(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		n := w.start("")
		t.Run("newer wins", func(t *testing.T) { newerWins(t, n) })
		t.Run("welcome first", func(t *testing.T) { welcomeFirst(t, n) })
		t.Run("lies", func(t *testing.T) { lies(t, n) })
		t.Run("bad frames", func(t *testing.T) { badFrames(t, n) })
		t.Run("refused alone", func(t *testing.T) { refusedAlone(t, n) })
		t.Run("told twice", func(t *testing.T) { toldTwice(t, n) })
		t.Run("goodbyes", func(t *testing.T) { goodbyes(t, n) })
		t.Run("set back", func(t *testing.T) { setBack(t, w, n) })
	})
}

// newerWins: of two connections with one key the newer one is the machine's;
// the older one is told so, and to stay away.
func newerWins(t *testing.T, n *node) {
	id := n.enrolled("twice")
	first := n.line(t, id, uuid.New())
	second := n.line(t, id, uuid.New())
	r := first.refused()
	if r.Code != protocol.CodeNewerLine || r.RetryAfter < 60 {
		t.Errorf("the older one is told %+v", r)
	}
	for { // what was on the way to it may still come, and then the end
		if _, err := first.next(); err != nil {
			break
		}
	}
	if !second.alive() {
		t.Error("the newer one is not open")
	}
	if p := n.get("/machines/" + id.Machine.String())["presence"]; p != "online" {
		t.Errorf("the machine is %v", p)
	}
	second.tell(logEntry(protocol.ClassChange, 1, changeOf("of the newer one")))
}

// welcomeFirst: whatever is wanted of a machine while it connects, the first
// thing it hears is the welcome.
func welcomeFirst(t *testing.T, n *node) {
	id := n.enrolled("watched")
	page := n.live()
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			case <-time.After(300 * time.Microsecond):
			}
			if err := page.WriteJSON(map[string]any{"watch": id.Machine}); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	defer func() {
		close(stop)
		<-done
	}()
	for range 60 {
		n.line(t, id, uuid.New()).ws.Close()
	}
}

// lies: who does not have the key of a machine is not that machine.
func lies(t *testing.T, n *node) {
	honest, liar := n.enrolled("honest"), n.enrolled("liar")
	gone := uuid.New()
	for _, c := range []struct {
		name string
		say  func(*protocol.Hello)
		want string
	}{
		{"another's id", func(h *protocol.Hello) { h.Machine = honest.Machine }, protocol.CodeBadProof},
		{"another's id and key", func(h *protocol.Hello) { h.Machine, h.Key = honest.Machine, helloAs(honest).Key }, protocol.CodeBadProof},
		{"another's key", func(h *protocol.Hello) { h.Key = helloAs(honest).Key }, protocol.CodeBadProof},
		{"an id of nobody", func(h *protocol.Hello) { h.Machine = gone }, protocol.CodeUnknownKey},
		{"another organisation", func(h *protocol.Hello) { h.Organisation = gone }, protocol.CodeUnknownKey},
	} {
		h := helloAs(liar)
		c.say(&h)
		x := n.dial(t).greet(h)
		m := x.prove(liar.Private(), protocol.Proof{Epoch: uuid.New(), Name: "liar"})
		var r protocol.Refused
		if m.Kind == protocol.KindRefused {
			x.read(m, &r)
		}
		if r.Code != c.want {
			t.Errorf("%s: %s %+v, want %s", c.name, m.Kind, r, c.want)
		}
	}
	// A proof is good for its own connection only.
	a, b := n.dial(t).greet(helloAs(honest)), n.dial(t).greet(helloAs(honest))
	b.channel = a.channel
	m := b.prove(honest.Private(), protocol.Proof{Epoch: uuid.New()})
	var r protocol.Refused
	if b.read(m, &r); m.Kind != protocol.KindRefused || r.Code != protocol.CodeBadProof {
		t.Errorf("a proof of another connection: %s %+v", m.Kind, r)
	}
	if p := n.get("/machines/" + honest.Machine.String())["presence"]; p != "offline" {
		t.Errorf("the honest machine never came, and is %v", p)
	}
}

func badFrames(t *testing.T, n *node) {
	id := n.enrolled("bad frames")
	hello := helloAs(id)
	future, old := hello, hello
	future.Version, future.MinVersion = 1000, 1000
	old.Version, old.MinVersion = 0, 0
	short := hello
	short.Key = short.Key[:31]
	frame := must(protocol.Encode(protocol.KindHello, hello))
	for _, c := range []struct {
		name  string
		kind  int
		frame []byte
		want  []string
	}{
		{"a future version", websocket.BinaryMessage, must(protocol.Encode(protocol.KindHello, future)), []string{protocol.CodeVersion}},
		{"an old version", websocket.BinaryMessage, must(protocol.Encode(protocol.KindHello, old)), []string{protocol.CodeVersion}},
		{"half a key", websocket.BinaryMessage, must(protocol.Encode(protocol.KindHello, short)), []string{protocol.CodeBadHello}},
		{"half a hello", websocket.BinaryMessage, frame[:len(frame)/2], []string{protocol.CodeMalformed, protocol.CodeBadHello}},
		{"nothing", websocket.BinaryMessage, nil, []string{protocol.CodeMalformed, protocol.CodeBadHello}},
		{"a hello that is text", websocket.TextMessage, frame, []string{protocol.CodeMalformed, protocol.CodeBadHello}},
		{"a batch before the hello", websocket.BinaryMessage, must(protocol.Encode(protocol.KindBatch, protocol.Batch{})), []string{protocol.CodeBadHello}},
		{"a kind of nobody", websocket.BinaryMessage, must(protocol.Encode(60_000, hello)), []string{protocol.CodeBadHello}},
		{"an enormous hello", websocket.BinaryMessage, make([]byte, protocol.MaxHelloFrame+1), []string{"", protocol.CodeMalformed}},
	} {
		x := n.dial(t)
		x.raw(c.kind, c.frame)
		if got := x.refused().Code; !contains(c.want, got) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	// An agent that is newer than the console and still speaks its version is
	// welcome; what it says that the console does not know is skipped.
	newer := helloAs(id)
	newer.Version = protocol.Version + 7
	x := n.dial(t).greet(newer)
	if m := x.prove(id.Private(), protocol.Proof{Epoch: uuid.New(), Name: "newer"}); m.Kind != protocol.KindWelcome {
		t.Fatalf("a newer agent: %s", m.Kind)
	}
	x.say(60_000, map[string]string{"what": "nobody knows"})
	ack := x.tell(protocol.Entry{Class: 200, Key: "k", Revision: 9, Body: must(protocol.Marshal("new"))}, logEntry(protocol.ClassChange, 1, changeOf("known")))
	if ack.Marks[protocol.ClassChange] != 1 || !x.alive() {
		t.Errorf("after a kind and a class of a newer agent: %+v", ack)
	}

	good := must(protocol.Encode(protocol.KindBatch, protocol.Batch{Entries: []protocol.Entry{logEntry(protocol.ClassChange, 2, changeOf("cut"))}}))
	many := protocol.Batch{}
	for i := range protocol.MaxBatch + 1 {
		many.Entries = append(many.Entries, logEntry(protocol.ClassChange, uint64(2+i), changeOf("many")))
	}
	deep := strings.Repeat("\x81", 10_000) + "\x00"
	for _, c := range []struct {
		name  string
		kind  int
		frame []byte
	}{
		{"half a batch", websocket.BinaryMessage, good[:len(good)-20]},
		{"a batch that is text", websocket.TextMessage, good},
		{"more than a frame", websocket.BinaryMessage, make([]byte, protocol.MaxFrame+1)},
		{"too many entries", websocket.BinaryMessage, must(protocol.Encode(protocol.KindBatch, many))},
		{"nested without end", websocket.BinaryMessage, []byte(deep)},
		{"a list that claims a billion", websocket.BinaryMessage, []byte("\x82\x0b\x9a\x3b\x9a\xca\x00")},
	} {
		x := n.line(t, id, uuid.New())
		x.raw(c.kind, c.frame)
		for {
			if _, err := x.next(); err != nil {
				break // hung up on
			}
		}
	}
	if got := n.w.count("SELECT count(*) FROM fact_change WHERE machine_id = $1", id.Machine); got != 1 {
		t.Errorf("%d changes were taken from bad frames", got-1)
	}
	if !n.line(t, id, uuid.New()).alive() {
		t.Error("afterwards the machine is not let in")
	}
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// refusedAlone: a message that cannot be taken is kept as refused and
// acknowledged, so that it does not stand in the way for ever; its neighbours,
// of this machine and of others in the same transaction, are taken.
func refusedAlone(t *testing.T, n *node) {
	bad, good := n.enrolled("bad"), n.enrolled("good")
	x, y := n.line(t, bad, uuid.New()), n.line(t, good, uuid.New())
	garbage := protocol.Entry{Class: protocol.ClassChange, Number: 2, Body: must(protocol.Marshal("not a change"))}
	nothing := logEntry(protocol.ClassTransition, 1, protocol.Transition{ID: uuid.New(), State: protocol.StateFiring})
	another := logEntry(protocol.ClassTransition, 2, protocol.Transition{ID: uuid.New(), Check: "process.cpu", State: "on fire"})
	foreign := logEntry(protocol.ClassResult, 1, protocol.Result{Run: uuid.New(), State: "succeeded"})
	facts := protocol.Entry{Class: protocol.ClassFacts, Key: "people", Revision: 3, Body: must(protocol.Marshal(protocol.Section{Name: "people", Body: []byte("\xff\xff")}))}
	y.say(protocol.KindBatch, protocol.Batch{Entries: []protocol.Entry{logEntry(protocol.ClassChange, 1, changeOf("neighbour"))}})
	ack := x.tell(logEntry(protocol.ClassChange, 1, changeOf("before")), garbage, nothing, another, foreign, facts, logEntry(protocol.ClassChange, 3, changeOf("after")))
	if ack.Marks[protocol.ClassChange] != 3 || ack.Marks[protocol.ClassTransition] != 2 || ack.Marks[protocol.ClassResult] != 1 {
		t.Errorf("acknowledged: %+v", ack)
	}
	var theirs protocol.Ack
	y.until(protocol.KindAck, &theirs)
	if theirs.Marks[protocol.ClassChange] != 1 {
		t.Errorf("the neighbour's: %+v", theirs)
	}
	if got := n.w.count("SELECT count(*) FROM fact_change WHERE machine_id IN ($1, $2)", bad.Machine, good.Machine); got != 3 {
		t.Errorf("%d of 3 neighbours were taken", got)
	}
	if got := n.w.count("SELECT count(*) FROM refused_message WHERE machine_id = $1 AND problem <> ''", bad.Machine); got != 5 {
		t.Errorf("%d of 5 messages are kept as refused", got)
	}
}

// toldTwice: what comes again, on the same line or another, is acknowledged and
// has no effect.
func toldTwice(t *testing.T, n *node) {
	id, epoch := n.enrolled("again"), uuid.New()
	batch := []protocol.Entry{logEntry(protocol.ClassChange, 1, changeOf("one")), logEntry(protocol.ClassChange, 2, changeOf("two")),
		logEntry(protocol.ClassTransition, 1, protocol.Transition{ID: uuid.New(), Check: "process.cpu", Instance: "x", State: protocol.StateFiring, Severity: "warning"})}
	x := n.line(t, id, epoch)
	x.tell(batch...)
	x.tell(batch...)
	y := n.dial(t).greet(helloAs(id))
	m := y.prove(id.Private(), protocol.Proof{Epoch: epoch, Name: "again"})
	var welcome protocol.Welcome
	if y.read(m, &welcome); welcome.Marks[protocol.ClassChange] != 2 || welcome.Marks[protocol.ClassTransition] != 1 {
		t.Errorf("the marks in the welcome: %+v", welcome.Marks)
	}
	if !bytes.Equal(welcome.Digests[protocol.ClassChange], batch[1].Digest()) || !bytes.Equal(welcome.Digests[protocol.ClassTransition], batch[2].Digest()) || len(welcome.Digests) != 2 {
		t.Errorf("the digests in the welcome: %x", welcome.Digests)
	}
	y.tell(append(batch, logEntry(protocol.ClassChange, 3, changeOf("three")))...)
	if got := n.w.count("SELECT count(*) FROM fact_change WHERE machine_id = $1", id.Machine); got != 3 {
		t.Errorf("%d changes of 3", got)
	}
	if got := n.w.count("SELECT sum(count) FROM alert WHERE machine_id = $1", id.Machine); got != 1 {
		t.Errorf("the alert counts %d transitions of 1", got)
	}
}

// goodbyes: a machine that leaves on purpose is offline at once, with the reason.
func goodbyes(t *testing.T, n *node) {
	id := n.enrolled("leaver")
	for _, c := range []struct{ said, want string }{
		{protocol.GoodbyeShutDown, "shut_down"}, {protocol.GoodbyeAsleep, "asleep"}, {protocol.GoodbyeUpdating, "updating"}, {protocol.GoodbyeStopped, "unknown"},
	} {
		x := n.line(t, id, uuid.New())
		n.eventually(5*time.Second, "online", func() bool { return n.get("/machines/" + id.Machine.String())["presence"] == "online" })
		x.say(protocol.KindGoodbye, protocol.Goodbye{Reason: c.said})
		n.eventually(5*time.Second, "offline with a reason", func() bool {
			m := n.get("/machines/" + id.Machine.String())
			return m["presence"] == "offline" && m["offline_reason"] == c.want
		})
	}
	// A line that only breaks has offline_after to come back.
	x := n.line(t, id, uuid.New())
	x.ws.Close()
	n.line(t, id, uuid.New())
	if p := n.get("/machines/" + id.Machine.String())["presence"]; p != "online" {
		t.Errorf("a short cut made the machine %v", p)
	}
}

// setBack: a machine that is set back to an older image begins a new epoch, and
// nothing it tells from then on is lost.
func setBack(t *testing.T, w *world, n *node) {
	dir := t.TempDir()
	m := newTeller(t, n, dir)
	stories := 0
	tell := func(count int) {
		t.Helper()
		m.update(func(tx *state.Tx) error {
			for range count {
				stories++
				if err := story(tx, fmt.Sprintf("story %d", stories)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	told := func() {
		t.Helper()
		_, stop := m.connect()
		n.eventually(20*time.Second, "everything is told", func() bool { return m.waiting() == 0 })
		stop()
	}
	epoch := func() (e uuid.UUID) {
		m.update(func(tx *state.Tx) error { e = tx.Epoch(); return nil })
		return e
	}
	tell(3)
	told()
	before := epoch()
	image := copyState(t, m.state)
	tell(3)
	told()
	if err := m.state.Close(); err != nil {
		t.Fatal(err)
	}
	m.state = must(state.Open(image))
	t.Cleanup(func() { m.state.Close() })
	m.gate = must(gate.Open(m.state, filepath.Join(image, "no-policy.yaml"), gate.Eyes{Family: "linux"}))
	tell(2) // with the numbers of what was told before
	told()
	if epoch() == before {
		t.Error("the outbox has not begun a new epoch")
	}
	tell(1)
	told()
	w.check(m.id.Machine, stories)
}

// copyState is an image of a machine's memory.
func copyState(t *testing.T, s *state.State) string {
	t.Helper()
	dir := t.TempDir()
	files, err := filepath.Glob(filepath.Join(s.Dir(), "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(f)), must(os.ReadFile(f)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
