package app_test

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/websocket"
	"github.com/klauspost/compress/zstd"

	"github.com/deskside/deskside/agent/link"
	"github.com/deskside/deskside/agent/state"
	"github.com/deskside/deskside/protocol"
	"github.com/deskside/deskside/protocol/history"
)

// volume are attacks by how much is said.
func volume() []attack {
	return []attack{
		{name: "alerts by the thousand", does: alertStorm, leaves: map[string]int{"alert": 500, "ticket": 20, "ticket_machine": 20, "ticket_item": 1000}},
		{name: "alerts that come and go", does: comeAndGo, leaves: map[string]int{"machine": 1, "audit": 2, "alert": 60, "ticket": 20, "ticket_machine": 20, "ticket_item": 240}},
		{name: "messages that nobody can take", leaves: map[string]int{"refused_message": 100}, does: func(s *siege) {
			x := s.line()
			s.meanwhile(func() {
				for number := uint64(1); number <= 200; {
					var batch []protocol.Entry
					for range 100 {
						batch = append(batch, protocol.Entry{Class: protocol.ClassChange, Number: number, Body: must(protocol.Marshal("nonsense"))},
							logEntry(protocol.ClassResult, number, protocol.Result{Run: uuid.New(), State: "succeeded"}))
						number++
					}
					x.tell(batch...)
				}
			})
			if n := s.count("SELECT count(*) FROM refused_message WHERE machine_id = $1", s.bad.Machine); n > 100 {
				s.t.Errorf("%d refused messages are kept", n)
			}
		}},
		{name: "messages of a megabyte that nobody can take", does: func(s *siege) {
			x := s.line()
			for i := range uint64(8) {
				x.tell(protocol.Entry{Class: protocol.ClassResult, Number: i + 1, Body: must(protocol.Marshal(protocol.Result{Run: uuid.New(), State: "failed", Head: make([]byte, 900<<10)}))})
			}
			if n := s.count("SELECT CAST(COALESCE(SUM(length(body)), 0) AS BIGINT) FROM refused_message WHERE machine_id = $1", s.bad.Machine); n > 2<<20 {
				s.t.Errorf("%d bytes of refused messages are kept", n)
			}
		}},
		{name: "answers that are not read", does: deaf, leaves: map[string]int{"machine": 10, "audit": 12}},
		{name: "small messages that unpack large", does: func(s *siege) {
			x := s.line()
			empty := []byte{0xa1, 0x0d, 0xa1, 0x01, 0x99, 0x4e, 0x20} // evidence of 20,000 series
			empty = append(empty, bytes.Repeat([]byte{0xa0}, 20_000)...)
			var batch protocol.Batch
			for range 50 {
				batch.Entries = append(batch.Entries, protocol.Entry{Class: protocol.ClassTransition, Number: 1, Body: empty})
			}
			s.meanwhile(func() {
				for range 4 {
					if x.ws.WriteMessage(websocket.BinaryMessage, must(protocol.Encode(protocol.KindBatch, batch))) != nil {
						return
					}
				}
			})
		}, leaves: map[string]int{"refused_message": 100}},
		{name: "facts by the thousand", leaves: map[string]int{"fact_section": 1, "refused_message": 100}, does: func(s *siege) {
			x := s.line()
			s.meanwhile(func() {
				for range 2 {
					var batch []protocol.Entry
					for i := range 60 {
						name := fmt.Sprint("people", i%2*i) // every second one is of a section of nobody
						if i%2 == 0 {
							name = "people"
						}
						batch = append(batch, protocol.Entry{Class: protocol.ClassFacts, Key: fmt.Sprint("key ", i), Revision: uint64(i) + 1,
							Body: must(protocol.Marshal(protocol.Section{Name: name, Body: []byte("\x81\xa1\x01\x61x")}))})
					}
					x.tell(batch...)
				}
			})
		}},
		{name: "changes and lines of its book by the thousand", leaves: map[string]int{"fact_change": 500, "machine_journal": 500}, does: func(s *siege) {
			x := s.line()
			s.meanwhile(func() {
				for number := uint64(1); number <= 500; {
					var batch []protocol.Entry
					for range 250 {
						batch = append(batch, logEntry(protocol.ClassChange, number, changeOf("again")), logEntry(protocol.ClassJournal, number, protocol.JournalEntry{Number: number}))
						number++
					}
					x.tell(batch...)
				}
			})
		}},
		{name: "readings that nobody watches", does: func(s *siege) {
			x := s.line()
			live := protocol.Live{}
			for i := range 4000 {
				live.Values = append(live.Values, protocol.LiveValue{Name: fmt.Sprint("a rather long name of a value, number ", i), Unit: "1"})
			}
			s.meanwhile(func() {
				for range 20 {
					x.say(protocol.KindLive, live)
				}
				x.alive()
			})
		}},
		{name: "answers of many megabytes", leaves: map[string]int{"question_machine": 4}, does: largeAnswers},
		{name: "a machine that comes again and again", leaves: map[string]int{"fact_change": 60}, does: func(s *siege) {
			s.meanwhile(func() {
				var group sync.WaitGroup
				for range 6 {
					group.Go(func() {
						for range 10 {
							x, err := s.comes(s.bad)
							if err != nil {
								s.t.Error(err)
								return
							}
							defer x.ws.Close()
						}
					})
				}
				group.Wait()
			})
		}},
		{name: "help links by the hundred", leaves: map[string]int{"credential": 30, "audit": 30}, does: func(s *siege) {
			x := s.line()
			got := 0
			for range 100 {
				x.say(protocol.KindHelp, protocol.Help{Request: uuid.New(), Person: strings.Repeat("long name ", 6000), Account: strings.Repeat("1", 60_000)})
				var link protocol.HelpLink
				if x.until(protocol.KindHelpLink, &link); link.URL != "" {
					got++
				}
			}
			if got > 30 {
				s.t.Errorf("it got %d links", got)
			}
			if n := s.count("SELECT MAX(length(person_name) + length(account)) FROM credential WHERE machine_id = $1", s.bad.Machine); n > 1024 {
				s.t.Errorf("who asked has %d bytes", n)
			}
		}},
		{name: "history that unpacks to gigabytes", leaves: map[string]int{"history": 60}, does: bombs},
		{name: "history of rows without end", leaves: map[string]int{"history": 60}, does: func(s *siege) {
			x := s.line()
			start := time.Now().UTC().Truncate(time.Hour).Add(-48 * time.Hour)
			var batch []protocol.Entry
			for i := range 400 {
				batch = append(batch, rowOf(start.Add(time.Duration(i)*time.Second), []byte{1}))
			}
			for _, at := range []time.Time{time.Unix(0, 0), time.Now().Add(-1000 * time.Hour), time.Now().Add(1000 * time.Hour), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)} {
				batch = append(batch, rowOf(at, []byte{1}))
			}
			x.tell(batch...)
			s.readable()
		}},
	}
}

func alertStorm(s *siege) {
	x := s.line()
	s.meanwhile(func() {
		for number := uint64(1); number <= 500; {
			var batch []protocol.Entry
			for range 100 {
				batch = append(batch, fires(number, "service.stopped", fmt.Sprint("service ", number), protocol.StateFiring))
				number++
			}
			x.tell(batch...)
		}
	})
	if n := s.count("SELECT count(*) FROM ticket WHERE machine_id = $1", s.bad.Machine); n > 20+3 {
		s.t.Errorf("%d tickets are there for one machine", n)
	}
}

// comeAndGo: each alert resolves before the next one fires.
func comeAndGo(s *siege) {
	x := s.n.line(s.t, s.n.enrolled("restless"), uuid.New())
	s.meanwhile(func() {
		var batch []protocol.Entry
		for i := range 60 {
			check := fmt.Sprint("made.up.", i)
			batch = append(batch, fires(uint64(2*i+1), check, "x", protocol.StateFiring), fires(uint64(2*i+2), check, "x", protocol.StateResolved))
		}
		x.tell(batch...)
	})
}

func fires(number uint64, check, instance, to string) protocol.Entry {
	return logEntry(protocol.ClassTransition, number, protocol.Transition{ID: uuid.New(), Check: check, Instance: instance, State: to, Severity: "critical",
		StartedAt: time.Now().UnixMicro(), At: time.Now().UnixMicro()})
}

// deaf are machines that ask for much and read nothing: as many as there could be
// goroutines, or whatever else, that lines share.
func deaf(s *siege) {
	batch := protocol.Batch{}
	for range 15 {
		batch.Entries = append(batch.Entries, protocol.Entry{Class: 250, Key: strings.Repeat("k", 60_000) + uuid.NewString(), Revision: 1})
	}
	frame := must(protocol.Encode(protocol.KindBatch, batch))
	token := must(protocol.ParseToken(s.n.enrolment(10)))
	var group sync.WaitGroup
	for i := range 10 {
		id, _, err := link.Enrol(s.t.Context(), link.Enrolment{Console: s.n.ready.URL, Token: token, Name: "deaf", OS: protocol.OS{Family: "linux"}, Profile: "trial"})
		if err != nil {
			s.t.Fatal(err)
		}
		x := s.n.line(s.t, id, uuid.New())
		x.ws.NetConn().(*tls.Conn).NetConn().(*net.TCPConn).SetReadBuffer(4 << 10)
		group.Go(func() {
			for range 3 + i%4 { // one more than fills the buffers between, and not so many that it is hung up on
				x.ws.SetWriteDeadline(time.Now().Add(2 * time.Second))
				if x.ws.WriteMessage(websocket.BinaryMessage, frame) != nil {
					return // hung up on, or not heard any more
				}
			}
		})
	}
	s.meanwhile(group.Wait)
}

func largeAnswers(s *siege) {
	x := s.line()
	rows := func(n int, row string) []byte {
		return append([]byte("\xa2\x01\x81\x65value\x02\x99"), append(binary.BigEndian.AppendUint16(nil, uint16(n)), strings.Repeat(row, n)...)...)
	}
	var columns bytes.Buffer
	columns.WriteString("\xa1\x01\x99\x4e\x20")
	columns.WriteString(strings.Repeat("\x60", 20_000))
	for name, table := range map[string][]byte{
		"rows of nothing":    rows(20_000, "\x80"),
		"rows of one byte":   rows(20_000, "\x81\xf6"),
		"columns of nothing": columns.Bytes(),
		"a megabyte":         append([]byte("\xa1\x05\x7a\x00\x0e\x00\x00"), bytes.Repeat([]byte("x"), 0xe0000)...),
	} {
		var q struct{ ID uuid.UUID }
		s.n.post("/questions", map[string]any{"expression": "memory.used", "machine_ids": []string{s.bad.Machine.String()}}, &q)
		x.say(protocol.KindAnswer, protocol.Answer{Question: q.ID, Table: table})
		if !x.alive() {
			s.t.Errorf("%s: the line ended", name)
		}
		s.answered()
		if n := s.count("SELECT count(*) FROM question_machine WHERE question_id = $1 AND state = 'failed' AND length(rows) < 1000", q.ID); n != 1 {
			s.t.Errorf("%s: it is taken", name)
		}
	}
}

// comes opens a line and does not speak on it.
func (s *siege) comes(id state.Identity) (*wire, error) {
	x := s.n.dial(s.t).greet(helloAs(id))
	m := x.prove(id.Private(), protocol.Proof{Epoch: uuid.New(), Name: id.Name, Boot: uuid.NewString()})
	if m.Kind != protocol.KindWelcome {
		return nil, fmt.Errorf("the console says %s", m.Kind)
	}
	return x, nil
}

func rowOf(start time.Time, payload []byte) protocol.Entry {
	return protocol.Entry{Class: protocol.ClassHistory, Key: start.String(), Revision: 1, Body: must(protocol.Marshal(protocol.HistoryRow{
		Resolution: uint8(history.Fine), Start: start.UnixMicro(), Revision: 1, Payload: payload}))}
}

// bombs are rows of a few hundred bytes that claim to be gigabytes, or are as
// large as a row may be, as many as an hour takes.
func bombs(s *siege) {
	x := s.line()
	enc := must(zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1)))
	pack := func(raw []byte) []byte { return enc.EncodeAll(raw, []byte{1}) }
	most := binary.AppendUvarint(nil, 1024) // samples, then as many series as there may be values
	most = append(most, bytes.Repeat([]byte{2}, 1)...)
	most = append(most, bytes.Repeat([]byte{0}, 1023)...)
	most = binary.AppendUvarint(most, 512)
	for i := range 512 {
		most = binary.AppendUvarint(most, uint64(1000+i))
		most = append(most, 0, 1)
		most = append(most, make([]byte, 1024)...)
	}
	start := time.Now().UTC().Truncate(time.Hour).Add(-24 * time.Hour)
	batch := []protocol.Entry{rowOf(start, pack(make([]byte, 64<<20))), rowOf(start.Add(time.Second), pack(make([]byte, 4<<20)))}
	for i := range 8 {
		batch = append(batch, rowOf(start.Add(time.Duration(2+i)*time.Second), pack(most)))
	}
	x.tell(batch...)
	began := time.Now()
	s.n.get("/machines/" + s.bad.Machine.String() + "/vitals?from=" + start.Format(time.RFC3339) + "&to=" + start.Add(time.Hour).Format(time.RFC3339))
	s.t.Logf("an hour of it is drawn in %s", time.Since(began))
}
