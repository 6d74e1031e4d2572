package session

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/deskside/deskside/console/account"
	"github.com/deskside/deskside/console/fleet"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/console/store/storetest"
	"github.com/deskside/deskside/protocol/stream"
)

// room is the sessions of one node, with one machine and one technician.
type room struct {
	*Sessions
	t        *testing.T
	database store.Options
	people   *account.Accounts
	fleet    *fleet.Fleet
	scope    store.Scope
	signIn   model.ID // an API token of who acts
	machine  model.From
	hints    atomic.Int32
}

func each(t *testing.T, fn func(*testing.T, *room)) {
	storetest.EachOptions(t, func(t *testing.T, o store.Options) {
		log := slog.New(slog.DiscardHandler)
		ours := model.NewID()
		s := storetest.Open(t, o)
		r := &room{t: t, database: o, people: account.New(s, log), fleet: fleet.New(s, log), scope: store.Scope{Organisations: []model.ID{ours}}}
		r.Sessions = New(s, model.NewID(), []byte("a key that all nodes share"), func(model.ID) { r.hints.Add(1) }, log)
		r.as("Anna")
		r.enrol()
		t.Cleanup(func() {
			for _, id := range r.held() {
				r.stop(id, "the test is over")
			}
			r.wait.Wait()
		})
		fn(t, r)
	})
}

func code(err error) string {
	var p *model.Problem
	if errors.As(err, &p) {
		return p.Code
	}
	return fmt.Sprint(err)
}

// enrol adds a machine, which is the room's from then on.
func (r *room) enrol() {
	r.t.Helper()
	ours, key := r.scope.Organisations[0], model.NewID()
	e, err := r.fleet.NewEnrolment(r.t.Context(), r.scope, ours, 1, time.Hour)
	if err != nil {
		r.t.Fatal(err)
	}
	m, err := r.fleet.Enrol(r.t.Context(), model.Newcomer{Organisation: ours, Secret: e.Secret, Key: key[:], Name: "pc", OS: model.OS{Family: "linux"}})
	if err != nil {
		r.t.Fatal(err)
	}
	r.machine = model.From{Organisation: ours, Machine: m.ID}
	if _, err := r.fleet.Connected(r.t.Context(), []model.Hello{{From: r.machine, Node: r.node, Name: "pc"}}); err != nil {
		r.t.Fatal(err)
	}
}

// as lets another technician act, a new one, and returns who acted before.
func (r *room) as(name string) (before store.Actor) {
	r.t.Helper()
	p, err := r.people.Add(r.t.Context(), r.scope, r.scope.Organisations[0], name, model.RoleTechnician, "")
	if err != nil {
		r.t.Fatal(err)
	}
	before, r.scope.Actor = r.scope.Actor, store.Actor{Kind: "person", ID: p.ID, Name: name}
	r.signIn = r.newToken()
	return before
}

// newToken is another API token of who acts.
func (r *room) newToken() model.ID {
	r.t.Helper()
	secret, err := r.people.NewToken(r.t.Context(), r.scope, model.Person{ID: r.scope.Actor.ID, Organisation: r.scope.Organisations[0]})
	if err != nil {
		r.t.Fatal(err)
	}
	id, err := r.people.Credential(r.t.Context(), secret)
	if err != nil {
		r.t.Fatal(err)
	}
	return id
}

func (r *room) request() Request {
	return Request{Organisation: r.machine.Organisation, Machine: r.machine.Machine, Credential: r.signIn, Kind: "terminal", Columns: 80, Rows: 24}
}

func (r *room) create() model.Session {
	r.t.Helper()
	row, err := r.Create(r.t.Context(), r.scope, r.request())
	if err != nil {
		r.t.Fatal(err)
	}
	return row
}

func (r *room) get(id model.ID) (row model.Session) {
	r.t.Helper()
	err := r.store.View(r.t.Context(), r.scope, func(tx *store.Tx) error {
		var err error
		row, err = Get(tx, id)
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return row
}

// ended waits for the row that the life of a splice leaves behind.
func (r *room) ended(id model.ID) model.Session {
	r.t.Helper()
	r.wait.Wait()
	row := r.get(id)
	if row.State != model.SessionEnded {
		r.t.Fatalf("the session is %s", row.State)
	}
	return row
}

// pending are the acts for the machine, by what they are.
func (r *room) pending() (opens []*model.OpenDoor, closes []*model.CloseDoor, acts []model.Act) {
	r.t.Helper()
	err := r.store.View(r.t.Context(), store.Machine(r.machine.Organisation, r.machine.Machine), func(tx *store.Tx) error {
		var err error
		acts, err = r.Pending(tx, r.machine)
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	err = r.store.View(r.t.Context(), store.System("scan"), func(tx *store.Tx) error {
		for _, among := range [][]model.ID{nil, {model.NewID(), r.machine.Machine}} {
			waiting, err := r.Waiting(tx, r.node, among)
			if err != nil || len(acts) > 0 && !slices.Contains(waiting, r.machine.Machine) {
				r.t.Errorf("a machine with %d acts is not among those that wait: %v (%v)", len(acts), waiting, err)
			}
		}
		waiting, err := r.Waiting(tx, r.node, []model.ID{model.NewID()})
		if len(waiting) > 0 {
			r.t.Errorf("of others %v wait", waiting)
		}
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	for _, a := range acts {
		switch b := a.Body.(type) {
		case *model.OpenDoor:
			opens = append(opens, b)
		case *model.CloseDoor:
			closes = append(closes, b)
		}
	}
	return opens, closes, acts
}

// pipe is a real socket: the console's end and the other one.
func pipe(t *testing.T) (console, other *websocket.Conn) {
	t.Helper()
	came := make(chan *websocket.Conn, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		ws, err := (&websocket.Upgrader{}).Upgrade(w, q, nil)
		if err != nil {
			t.Error(err)
		}
		came <- ws
	}))
	t.Cleanup(server.Close)
	other, _, err := websocket.DefaultDialer.Dial(strings.Replace(server.URL, "http", "ws", 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { other.Close() })
	return <-came, other
}

// arrive is the machine that dials in.
func (r *room) arrive(row model.Session) (machine *websocket.Conn) {
	r.t.Helper()
	console, machine := pipe(r.t)
	if err := r.Arrive(r.t.Context(), r.machine, row.ID, r.token(row.ID), console); err != nil {
		r.t.Fatal(err)
	}
	return machine
}

// attach is a browser that comes.
func (r *room) attach(row model.Session) (browser *websocket.Conn) {
	r.t.Helper()
	browser, _ = r.greeted(row)
	return browser
}

// greeted is a browser that comes, and how much it is told to be typed.
func (r *room) greeted(row model.Session) (browser *websocket.Conn, typed uint64) {
	r.t.Helper()
	console, browser := pipe(r.t)
	if !r.Attach(row.ID, console) {
		r.t.Fatal("the session is not here")
	}
	f, err := receive(r.t, browser)
	if err != nil || f.Kind != stream.Ack {
		r.t.Fatalf("the first that a browser hears is %v %v", f.Kind, err)
	}
	return browser, f.Offset
}

func send(t *testing.T, ws *websocket.Conn, f stream.Frame) {
	t.Helper()
	if err := ws.WriteMessage(websocket.BinaryMessage, f.Bytes()); err != nil {
		t.Fatal(err)
	}
}

// receive is the next frame of a socket; io.EOF when it was closed.
func receive(t *testing.T, ws *websocket.Conn) (stream.Frame, error) {
	t.Helper()
	if err := ws.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	_, message, err := ws.ReadMessage()
	var late interface{ Timeout() bool }
	if errors.As(err, &late) && late.Timeout() {
		t.Fatal("nothing comes, and it is open")
	}
	if err != nil {
		return stream.Frame{}, io.EOF
	}
	return stream.Parse(message)
}

func output(offset uint64, s string) stream.Frame {
	return stream.Frame{Kind: stream.Output, Offset: offset, Payload: []byte(s)}
}

// The token lets one machine in for one session, once.
func TestToken(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		row := r.create()
		opens, _, _ := r.pending()
		if len(opens) != 1 || string(opens[0].Token) != string(r.token(row.ID)) {
			t.Fatalf("the machine is asked %+v", opens)
		}
		another := r.machine
		another.Machine = model.NewID()
		abroad := r.machine
		abroad.Organisation = model.NewID()
		for what, try := range map[string]func() error{
			"no token":                func() error { return r.Arrive(t.Context(), r.machine, row.ID, nil, nil) },
			"the token of another":    func() error { return r.Arrive(t.Context(), r.machine, row.ID, r.token(model.NewID()), nil) },
			"another machine":         func() error { return r.Arrive(t.Context(), another, row.ID, r.token(row.ID), nil) },
			"of another organisation": func() error { return r.Arrive(t.Context(), abroad, row.ID, r.token(row.ID), nil) },
		} {
			if got := code(try()); got != "bad_proof" && got != model.CodeNotFound {
				t.Errorf("%s: %s", what, got)
			}
		}
		var won atomic.Int32
		var group sync.WaitGroup
		for range 8 {
			console, _ := pipe(t)
			group.Go(func() {
				err := r.Arrive(t.Context(), r.machine, row.ID, r.token(row.ID), console)
				if err == nil {
					won.Add(1)
				} else if code(err) != model.CodeState {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if won.Load() != 1 {
			t.Errorf("%d came in by one token", won.Load())
		}
		if now := r.get(row.ID); now.State != model.SessionOpen || now.Node != r.node {
			t.Errorf("%+v", now)
		}
		if opens, _, _ := r.pending(); len(opens) != 0 {
			t.Error("the machine is still asked to open it")
		}
	})
}

// What the machine shows before there is a browser comes first, and nothing of it
// is lost; a browser may send some kinds of frames, and the machine others.
func TestSplice(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		row := r.create()
		if r.Attach(row.ID, nil) {
			t.Error("attached before the machine came")
		}
		machine := r.arrive(row)
		send(t, machine, output(0, "early "))
		send(t, machine, output(6, "output "))
		browser := r.attach(row)
		send(t, machine, output(13, "and late"))
		screen := ""
		for !strings.HasSuffix(screen, "late") {
			f, err := receive(t, browser)
			if err != nil {
				t.Fatalf("%v after %q", err, screen)
			}
			if f.Offset != uint64(len(screen)) {
				t.Errorf("at %d comes what belongs at %d", len(screen), f.Offset)
			}
			screen += string(f.Payload)
		}
		if screen != "early output and late" {
			t.Errorf("the screen shows %q", screen)
		}
		send(t, browser, output(0, "a browser that pretends to be the machine"))
		send(t, browser, stream.ExitWith(1, 0))
		send(t, browser, stream.ResizeTo(100, 30))
		send(t, browser, stream.Frame{Kind: stream.Input, Payload: []byte("ls\n")})
		for _, want := range []stream.Kind{stream.Resize, stream.Input} {
			if f, err := receive(t, machine); err != nil || f.Kind != want {
				t.Errorf("the machine hears %v (%v), not %v", f.Kind, err, want)
			}
		}
		second := r.attach(row) // the same person on another page
		if _, err := receive(t, browser); err != io.EOF {
			t.Error("the first page stays open")
		}
		if f, err := receive(t, second); err != nil || string(f.Payload) != screen { // nobody has acknowledged it
			t.Errorf("the second page shows %q %v", f.Payload, err)
		}
		send(t, machine, stream.ExitWith(0, 21))
		if f, err := receive(t, second); err != nil || f.Kind != stream.Exit {
			t.Errorf("%+v %v", f, err)
		}
		now := r.ended(row.ID)
		if now.EndedText != "the shell ended" || now.Recording == 0 || now.Closing {
			t.Errorf("%+v", now)
		}
		blob, err := r.store.OpenBlob(t.Context(), r.scope, row.ID)
		if err != nil {
			t.Fatal(err)
		}
		cast, err := io.ReadAll(blob)
		if s := string(cast); err != nil || !strings.Contains(s, `"version":2`) || !strings.Contains(s, "early ") || !strings.Contains(s, `"r","100x30"`) || strings.Contains(s, "ls") {
			t.Errorf("the recording: %s (%v)", s, err)
		}
	})
}

// A machine that does not wait for a browser is not kept in memory: its window
// is, and the session of one that sends more ends.
func TestEarly(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		fill := func(machine *websocket.Conn) {
			t.Helper()
			for at := 0; at < stream.Window; at += stream.MaxPayload {
				send(t, machine, output(uint64(at), strings.Repeat("x", min(stream.MaxPayload, stream.Window-at))))
			}
		}
		patient := r.create()
		machine := r.arrive(patient)
		fill(machine)
		send(t, machine, stream.ExitWith(0, stream.Window))
		hostile := r.create()
		machine = r.arrive(hostile)
		fill(machine)
		send(t, machine, output(stream.Window, strings.Repeat("x", stream.MaxPayload)))
		send(t, machine, output(stream.Window+stream.MaxPayload, strings.Repeat("x", stream.MaxPayload)))
		if _, err := receive(t, machine); err != io.EOF {
			t.Error("it goes on")
		}
		if now := r.ended(hostile.ID); now.EndedText != "the computer sent more than its window" {
			t.Errorf("of who sent more: %q", now.EndedText)
		}
		if now := r.ended(patient.ID); now.EndedText != "the shell ended" {
			t.Errorf("of who kept to it: %q", now.EndedText)
		}
	})
}

// A session that nobody opens, or whose machine says no, is refused once and for
// all.
func TestRefused(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		expire := func(id model.ID) {
			t.Helper()
			err := r.store.Update(t.Context(), store.System("due"), func(tx *store.Tx) error {
				next, err := r.Expire(t.Context(), tx, id)
				if !next.IsZero() {
					t.Error("it comes again")
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		late := r.create()
		expire(late.ID)
		if now := r.get(late.ID); now.State != model.SessionRefused || now.Refusal != "no_answer" {
			t.Errorf("%+v", now)
		}
		if err := r.Arrive(t.Context(), r.machine, late.ID, r.token(late.ID), nil); code(err) != model.CodeState {
			t.Errorf("too late: %v", err)
		}
		refused := r.create()
		stranger := r.machine
		stranger.Machine = model.NewID()
		r.Opened(t.Context(), model.Opened{From: stranger, Session: refused.ID, Refusal: "policy", Text: "no"})
		if now := r.get(refused.ID); now.State != model.SessionOpening {
			t.Errorf("another machine's word: %+v", now)
		}
		r.Opened(t.Context(), model.Opened{From: r.machine, Session: refused.ID, Refusal: "policy", Text: "Terminals are off."})
		expire(refused.ID)
		if now := r.get(refused.ID); now.State != model.SessionRefused || now.Refusal != "policy" || now.RefusalText != "Terminals are off." {
			t.Errorf("%+v", now)
		}
		open := r.create()
		r.arrive(open)
		expire(open.ID)
		if now := r.get(open.ID); now.State != model.SessionOpen {
			t.Errorf("an open one expired: %+v", now)
		}
		expire(model.NewID())
		for what, q := range map[string]Request{
			"a desktop":     {Kind: "desktop", Columns: 80, Rows: 24},
			"no columns":    {Kind: "terminal", Rows: 24},
			"a long reason": {Kind: "terminal", Columns: 80, Rows: 24, Reason: strings.Repeat("ż", maxReason+1)},
		} {
			q.Organisation, q.Machine = r.machine.Organisation, r.machine.Machine
			if _, err := r.Create(t.Context(), r.scope, q); code(err) != model.CodeInvalid {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
}
