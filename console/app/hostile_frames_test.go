package app_test

import (
	"encoding/binary"
	"math"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/websocket"

	"github.com/deskside/deskside/protocol"
	"github.com/deskside/deskside/protocol/catalogue"
	"github.com/deskside/deskside/protocol/expression"
)

// Ends of what is said on a line.
const (
	hangsUp = "hangs up" // the line ends
	refused = "refused"  // kept as refused and acknowledged; the line stays
	ignored = "ignored"  // the line stays, and nothing is kept
	taken   = "taken"    // kept, as it may be
)

// frames are attacks by the bytes of a line.
func frames() []attack {
	change := func(text string) []byte {
		return must(protocol.Encode(protocol.KindBatch, protocol.Batch{Entries: []protocol.Entry{logEntry(protocol.ClassChange, 1, changeOf(text))}}))
	}
	good := change("good")
	var list []attack
	for _, c := range []struct {
		name  string
		bytes []byte // as they are on the connection
		end   string
	}{
		{"an empty frame", masked(true, websocket.BinaryMessage, nil), hangsUp},
		{"one byte", masked(true, websocket.BinaryMessage, []byte{0xff}), hangsUp},
		{"a batch as text", masked(true, websocket.TextMessage, good), hangsUp},
		{"a batch cut off", masked(true, websocket.BinaryMessage, good[:len(good)-9]), hangsUp},
		{"a batch with something behind", masked(true, websocket.BinaryMessage, append(append([]byte{}, good...), 0x00)), hangsUp},
		{"nested ten thousand deep", masked(true, websocket.BinaryMessage, []byte(strings.Repeat("\x81", 10_000)+"\x00")), hangsUp},
		{"a list that claims four billion", masked(true, websocket.BinaryMessage, []byte("\x82\x0a\xa1\x01\x9b\x00\x00\x00\x00\xff\xff\xff\xff")), hangsUp},
		{"a text that claims an exabyte", masked(true, websocket.BinaryMessage, []byte("\x82\x0a\xa1\x01\x7b\x0f\xff\xff\xff\xff\xff\xff\xff")), hangsUp},
		{"a list without an end", masked(true, websocket.BinaryMessage, []byte("\x82\x0a\xa1\x01\x9f\xff")), hangsUp},
		{"a key twice", masked(true, websocket.BinaryMessage, []byte("\x82\x0a\xa2\x01\x80\x01\x80")), hangsUp},
		{"a tag", masked(true, websocket.BinaryMessage, []byte("\x82\x0a\xc1\xa1\x01\x80")), hangsUp},
		{"a frame that claims 2^62 bytes", []byte("\x82\xff\x40\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"), hangsUp},
		{"a frame over the limit", masked(true, websocket.BinaryMessage, make([]byte, protocol.MaxFrame+1)), hangsUp},
		{"a message of pieces without an end", append(masked(false, websocket.BinaryMessage, make([]byte, 60_000)),
			[]byte(strings.Repeat(string(masked(false, 0, make([]byte, 60_000))), 20))...), hangsUp},
		{"a message within a message", append(masked(false, websocket.BinaryMessage, []byte("x")), masked(true, websocket.BinaryMessage, good)...), hangsUp},
		{"a frame that is not masked", append([]byte{0x82, byte(len(good))}, good...), hangsUp},
		{"a frame that says it is compressed", func() []byte { b := masked(true, websocket.BinaryMessage, good); b[0] |= 0x40; return b }(), hangsUp},
		{"an opcode of nobody", masked(true, 0x0b, good), hangsUp},
		{"a ping of 60,000 bytes", masked(true, websocket.PingMessage, make([]byte, 60_000)), hangsUp},
		{"a close, and more", append(masked(true, websocket.CloseMessage, binary.BigEndian.AppendUint16(nil, 1000)), masked(true, websocket.BinaryMessage, good)...), hangsUp},
		{"a kind of nobody", masked(true, websocket.BinaryMessage, must(protocol.Encode(60_000, "x"))), ignored},
		{"what only a console says", masked(true, websocket.BinaryMessage, must(protocol.Encode(protocol.KindStamped, protocol.Stamped{Stamp: []byte("x")}))), ignored},
		{"a hello in the middle", masked(true, websocket.BinaryMessage, must(protocol.Encode(protocol.KindHello, protocol.Hello{}))), ignored},
		{"a batch of nothing", masked(true, websocket.BinaryMessage, must(protocol.Encode(protocol.KindBatch, protocol.Batch{}))), ignored},
		{"a string over its limit", masked(true, websocket.BinaryMessage, must(protocol.Encode(protocol.KindBeat, protocol.Beat{Health: strings.Repeat("x", protocol.MaxText+1)}))), hangsUp},
		{"a hundred thousand pings", []byte(strings.Repeat(string(masked(true, websocket.PingMessage, []byte("ping"))), 100_000)), ignored},
		{"a hundred thousand pongs", []byte(strings.Repeat(string(masked(true, websocket.PongMessage, []byte("pong"))), 100_000)), ignored},
	} {
		list = append(list, attack{name: c.name, does: func(s *siege) {
			x := s.line()
			go x.ws.NetConn().Write(c.bytes) // it may be cut off in the middle
			if c.end == hangsUp {
				x.ended()
			} else if !x.alive() {
				s.t.Error("the line ended")
			}
		}})
	}
	return append(list, contents()...)
}

// contents are attacks by what stands in well-made messages.
func contents() []attack {
	now := time.Now().UnixMicro()
	firing := func(change func(*protocol.Transition)) protocol.Entry {
		x := protocol.Transition{ID: uuid.New(), Check: "memory.pressure", State: protocol.StateFiring, Severity: "warning", StartedAt: now, At: now}
		change(&x)
		return logEntry(protocol.ClassTransition, 1, x)
	}
	inf := math.Inf(1)
	nan := math.NaN()
	year30000 := time.Date(30_000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
	ticket := map[string]int{"alert": 1, "ticket": 1, "ticket_item": 1, "ticket_machine": 1}
	joined := map[string]int{"alert": 1, "ticket_item": 1} // the ticket of the first one
	section := func(name string, body string) protocol.Entry {
		return protocol.Entry{Class: protocol.ClassFacts, Key: name, Revision: 1,
			Body: must(protocol.Marshal(protocol.Section{Name: name, Hash: make([]byte, 32), At: now, Body: []byte(body)}))}
	}
	var list []attack
	for _, c := range []struct {
		name   string
		entry  protocol.Entry
		end    string
		leaves map[string]int
	}{
		{"numbers that are none", firing(func(x *protocol.Transition) {
			x.Instance, x.Values = "nan", map[string]float64{"value": nan, "limit": inf, "least": -inf}
			x.Evidence = &protocol.Evidence{Limit: &nan, Series: []protocol.Series{{Name: "x", At: []int64{1, 2}, Values: []*float64{&nan, &inf}}},
				Processes: []protocol.Process{{CPU: nan}}}
		}), taken, ticket},
		{"times of the year 30,000 and before 1970", firing(func(x *protocol.Transition) {
			x.Instance, x.StartedAt, x.At, x.Zone = "times", year30000, math.MinInt64, math.MaxInt32
			x.Evidence = &protocol.Evidence{Series: []protocol.Series{{Name: "x", At: []int64{math.MinInt64, math.MaxInt64}, Values: []*float64{nil, nil}}}}
		}), taken, joined},
		{"an alert of no check", firing(func(x *protocol.Transition) { x.Check = "" }), refused, nil},
		{"an alert in a state of nobody", firing(func(x *protocol.Transition) { x.State = "on fire" }), refused, nil},
		{"an instance of 60,000 bytes", firing(func(x *protocol.Transition) { x.Instance = strings.Repeat("x", 60_000) }), refused, nil},
		{"a name of a value of 60,000 bytes", firing(func(x *protocol.Transition) {
			x.Instance, x.Values = "name", map[string]float64{strings.Repeat("x", 60_000): 1}
		}), refused, nil},
		{"a reason of 60,000 bytes", firing(func(x *protocol.Transition) { x.Instance, x.Broken = "broken", strings.Repeat("x", 60_000) }), taken, joined},
		{"its own silence", firing(func(x *protocol.Transition) { x.Check, x.Instance = "machine.offline", "mine" }), refused, nil},
		{"a change of 60,000 bytes", logEntry(protocol.ClassChange, 1, protocol.Change{Section: "os", Item: strings.Repeat("x", 60_000), At: year30000}), taken, map[string]int{"fact_change": 1}},
		{"a line of its book with a hash of 60,000 bytes", logEntry(protocol.ClassJournal, 1, protocol.JournalEntry{Hash: make([]byte, 60_000)}), refused, nil},
		{"a section of nobody", section("secrets", "\xa0"), refused, nil},
		{"a section nested deep", section(expression.SectionPeople, strings.Repeat("\x81", 5000)+"\x00"), refused, nil},
		{"a section of absurd numbers", section(expression.SectionOS, "\xa1\x08\x1b\x7f\xff\xff\xff\xff\xff\xff\xff"), taken, map[string]int{"fact_section": 1}},
		{"number zero", protocol.Entry{Class: protocol.ClassChange, Body: must(protocol.Marshal(changeOf("zero")))}, ignored, nil},
		{"number 2^64-1", logEntry(protocol.ClassChange, math.MaxUint64, changeOf("last")), taken, map[string]int{"fact_change": 1}},
		{"a class of nobody", protocol.Entry{Class: 250, Key: strings.Repeat("k", 1000), Revision: 1, Body: must(protocol.Marshal("x"))}, ignored, nil},
		{"lost entries without number", protocol.Entry{Class: protocol.ClassTransition, Number: 1, Dropped: math.MaxUint64}, ignored, nil},
	} {
		leaves := map[string]int{}
		for table, n := range c.leaves {
			leaves[table] = n
		}
		if c.end == refused {
			leaves["refused_message"] = 1
		}
		list = append(list, attack{name: c.name, leaves: leaves, does: func(s *siege) {
			x := s.line()
			before := s.rows()
			x.tell(c.entry)
			after := s.rows()
			for table, n := range leaves {
				if more := after[table] - before[table]; more != n {
					s.t.Errorf("%d rows of %s, not %d", more, table, n)
				}
			}
			if !x.alive() {
				s.t.Error("the line ended")
			}
			s.readable()
		}})
	}
	return append(list, everyCheck())
}

// everyCheck tells each check of the catalogue with numbers that no machine has:
// there are words for them, too.
func everyCheck() attack {
	most := 0
	for range catalogue.Builtin() {
		most += 4
	}
	return attack{name: "each check with absurd numbers", leaves: map[string]int{"alert": most, "ticket": 20, "ticket_item": 2 * most, "ticket_machine": 20, "refused_message": 4}, does: func(s *siege) {
		x := s.line()
		var batch []protocol.Entry
		for _, check := range catalogue.Builtin() {
			for i, v := range []float64{math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, 0} {
				batch = append(batch, logEntry(protocol.ClassTransition, uint64(len(batch)+1), protocol.Transition{ID: uuid.New(), Check: check.ID,
					Instance: string(rune('a' + i)), State: protocol.StateFiring, Severity: "critical",
					Values: map[string]float64{"value": v, "limit": -v, "free": v, "total": v, "used": v, "count": v, "seconds": v}}))
			}
		}
		x.tell(batch...)
		s.readable()
	}}
}

// readable looks at all that shows the hostile machine: nothing of it breaks a page.
func (s *siege) readable() {
	s.t.Helper()
	machine := "/machines/" + s.bad.Machine.String()
	for table, size := range map[string]string{"alert": "length(said)", "fact_change": "length(item)", "machine_journal": "length(text)", "refused_message": "length(problem) + length(body)"} {
		if n := s.count("SELECT COALESCE(MAX("+size+"), 0) FROM "+table+" WHERE machine_id = $1", s.bad.Machine); n > 20<<10 {
			s.t.Errorf("a row of %s has %d bytes", table, n)
		}
	}
	for _, path := range []string{"/machines", machine, machine + "/facts", machine + "/vitals", "/alerts?limit=200", "/tickets"} {
		seen := 0
		s.n.clean(s.t, path, &seen)
	}
}
