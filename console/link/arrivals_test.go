package link

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/console/store/storetest"
	"github.com/deskside/deskside/protocol"
)

// hellosOf are machines that come with a line each.
func hellosOf(l *Lines, machines ...model.ID) (list []*arrival) {
	for _, id := range machines {
		from := model.From{Organisation: model.NewID(), Machine: id}
		list = append(list, &arrival{line: &line{lines: l, from: from, epoch: model.NewID()}, hello: model.Hello{From: from}, over: make(chan struct{})})
	}
	return list
}

// TestArriveTogether: those that come while some are written down go together, a
// machine that comes twice in the order in which it came.
func TestArriveTogether(t *testing.T) {
	a := newArrivals(New(nil, Keys{}, model.NewID(), slog.New(slog.DiscardHandler)))
	one, two := model.NewID(), model.NewID()
	all := hellosOf(a.lines, one, two, one, two)
	for _, x := range all[1:] {
		a.in <- x
	}
	list, next := a.gather(all[0])
	if len(list) != 2 || list[0] != all[0] || list[1] != all[1] || next != all[2] {
		t.Errorf("%d together, then %v", len(list), next)
	}
	list, next = a.gather(next)
	if len(list) != 2 || list[0] != all[2] || list[1] != all[3] || next != nil {
		t.Errorf("%d together, then %v", len(list), next)
	}
}

// TestArriveApart: a machine that cannot be written down takes no other along; one
// that is turned away is told why. What the machine has said, and whether there is
// something for it, is its own.
func TestArriveApart(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		l := New(s, Keys{}, model.NewID(), slog.New(slog.DiscardHandler))
		good, bad, expelled, well := model.NewID(), model.NewID(), model.NewID(), model.NewID()
		list := hellosOf(l, good, bad, expelled, well)
		impossible := errors.New("an impossible machine")
		l.SetHandlers(Handlers{
			Connected: func(_ context.Context, hellos []model.Hello) ([]model.Arrival, error) {
				came := make([]model.Arrival, len(hellos))
				for i, h := range hellos {
					switch h.Machine {
					case bad:
						return nil, impossible
					case expelled:
						came[i].Err = errRevoked
					}
				}
				return came, nil
			},
			Waiting: []func(*store.Tx, model.ID, []model.ID) ([]model.ID, error){
				func(_ *store.Tx, _ model.ID, among []model.ID) ([]model.ID, error) { return among, nil }},
		})
		err := s.Update(t.Context(), store.System("test"), func(tx *store.Tx) error {
			of, older, others := source{good, list[0].line.epoch}, source{good, model.NewID()}, source{well, list[3].line.epoch}
			return writeMarks(tx, map[source]map[protocol.Class]mark{
				of:    {protocol.ClassChange: {number: 7, digest: []byte("seven")}, protocol.ClassResult: {number: 3}},
				older: {protocol.ClassChange: {number: 9}}, others: {protocol.ClassChange: {number: 11}},
			}, map[markKey]bool{{others, protocol.ClassChange}: true, {of, protocol.ClassChange}: true, {of, protocol.ClassResult}: true, {older, protocol.ClassChange}: true})
		})
		if err != nil {
			t.Fatal(err)
		}
		l.arrivals.write(t.Context(), []*arrival{list[0], list[2], list[3]})
		beside := hellosOf(l, good)[0]
		l.arrivals.write(t.Context(), []*arrival{list[1], beside})
		if <-beside.over; beside.Err != nil {
			t.Errorf("who came with one that cannot be written down: %v", beside.Err)
		}
		for i, want := range []error{nil, impossible, errRevoked, nil} {
			<-list[i].over
			if !errors.Is(list[i].Err, want) {
				t.Errorf("%d: %v, want %v", i, list[i].Err, want)
			}
		}
		x := list[0]
		if !x.waiting || len(x.marks) != 2 || x.marks[protocol.ClassChange] != 7 || x.marks[protocol.ClassResult] != 3 ||
			len(x.digests) != 1 || string(x.digests[protocol.ClassChange]) != "seven" {
			t.Errorf("it waits: %t; marks %v, digests %q", x.waiting, x.marks, x.digests)
		}
		if x := list[3]; len(x.marks) != 1 || x.marks[protocol.ClassChange] != 11 || len(x.digests) > 0 {
			t.Errorf("another machine has the marks %v, digests %q", x.marks, x.digests)
		}
	})
}

// TestArriveInOrder: of two lines of a machine the one that is its line here is the
// one that was written down last, and those of a console that goes down are refused.
func TestArriveInOrder(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		l := New(s, Keys{}, model.NewID(), slog.New(slog.DiscardHandler))
		var mu sync.Mutex
		var last model.ID // the epoch of who was written down last
		l.SetHandlers(Handlers{Connected: func(_ context.Context, hellos []model.Hello) ([]model.Arrival, error) {
			mu.Lock()
			defer mu.Unlock()
			for _, h := range hellos {
				last = h.Epoch
			}
			return make([]model.Arrival, len(hellos)), nil
		}})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			l.arrivals.run(ctx)
			close(ended)
		}()
		from := model.From{Organisation: model.NewID(), Machine: model.NewID()}
		var all sync.WaitGroup
		come := func() error {
			c := &line{lines: l, from: from, epoch: model.NewID(), closed: true}
			_, err := l.begin(c, model.Hello{From: from, Epoch: c.epoch})
			return err
		}
		for range 40 {
			all.Go(func() {
				if err := come(); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if now := l.get(from.Machine).epoch; now != last {
			t.Errorf("the line is %v, %v was written down last", now, last)
		}
		stop()
		<-ended
		if err := come(); !errors.Is(err, errGoingDown) {
			t.Errorf("while it goes down: %v", err)
		}
	})
}

// TestHintBeforeWelcome: what somebody wants done before a line is welcomed is looked
// for with the welcome, and not told before; where there was neither a hint nor
// anything that waits, nothing is read.
func TestHintBeforeWelcome(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		l := New(s, Keys{}, model.NewID(), slog.New(slog.DiscardHandler))
		read := 0
		l.SetHandlers(Handlers{
			Machine: func(context.Context, model.ID) (model.Machine, error) { return model.Machine{}, nil },
			Pending: []func(*store.Tx, model.From) ([]model.Act, error){
				func(*store.Tx, model.From) ([]model.Act, error) { read++; return nil, nil }},
		})
		for name, c := range map[string]struct {
			hint    func(model.From)
			waiting bool
			want    int
		}{
			"a flush":   {func(m model.From) { l.Flush(t.Context(), m.Machine) }, false, 1},
			"an act":    {func(m model.From) { l.Tell(t.Context(), []model.Act{{ID: model.NewID(), Machine: m}}) }, false, 1},
			"it waits":  {func(model.From) {}, true, 1},
			"no reason": {func(model.From) {}, false, 0},
		} {
			read = 0
			x := hellosOf(l, model.NewID())[0]
			x.waiting, x.line.told, x.line.scheduled = c.waiting, map[model.ID]bool{}, true // nobody writes
			l.lines[x.hello.Machine] = x.line
			if c.hint(x.line.from); read > 0 || len(x.line.pending) > 0 {
				t.Errorf("%s: before the welcome %d were read and %d are to be written", name, read, len(x.line.pending))
			}
			l.welcome(t.Context(), x)
			if read != c.want || len(x.line.pending) != 1 {
				t.Errorf("%s: %d were read, want %d, and %d are to be written", name, read, c.want, len(x.line.pending))
			}
		}
	})
}

// TestTellHeld: whose lines there are is told as it is when it is asked for.
func TestTellHeld(t *testing.T) {
	l := New(nil, Keys{}, model.NewID(), slog.New(slog.DiscardHandler))
	here, comes := hellosOf(l, model.NewID())[0], hellosOf(l, model.NewID())[0]
	l.lines[here.hello.Machine] = here.line
	told := 0
	l.SetHandlers(Handlers{Held: func(_ context.Context, node model.ID, now func() map[model.ID]bool) (map[model.ID]bool, error) {
		l.lines[comes.hello.Machine] = comes.line
		if held := now(); node == l.node && len(held) == 2 && held[here.hello.Machine] && held[comes.hello.Machine] {
			told++
		}
		return nil, nil
	}})
	if l.tellHeld(t.Context()); told != 1 {
		t.Error("it is not told")
	}
}

// TestElsewhere: a line gives way to a newer one at another node, and is hung up for one
// that has ended there; one that has just come may be the newer one, and stays.
func TestElsewhere(t *testing.T) {
	l := New(nil, Keys{}, model.NewID(), slog.New(slog.DiscardHandler))
	old, left, comes, again := hellosOf(l, model.NewID())[0], hellosOf(l, model.NewID())[0], hellosOf(l, model.NewID())[0], hellosOf(l, model.NewID())[0]
	for _, a := range []*arrival{old, left, again} {
		a.line.ws = socket(t)
		a.line.welcomed, a.line.scheduled = true, true // and nobody writes
		l.lines[a.hello.Machine] = a.line
	}
	l.lines[comes.hello.Machine] = comes.line // is not written down yet
	newer := &line{lines: l, welcomed: true, scheduled: true}
	l.SetHandlers(Handlers{Held: func(context.Context, model.ID, func() map[model.ID]bool) (map[model.ID]bool, error) {
		l.lines[again.hello.Machine] = newer // it came back here meanwhile
		return map[model.ID]bool{old.hello.Machine: true, left.hello.Machine: false, comes.hello.Machine: true, again.hello.Machine: true}, nil
	}})
	l.tellHeld(t.Context())
	for name, c := range map[string]struct {
		line   *line
		told   int
		closed bool
	}{"old": {old.line, 1, false}, "left": {left.line, 0, true}, "comes": {comes.line, 0, false}, "again": {newer, 0, false}} {
		c.line.mu.Lock()
		if told := len(c.line.pending); told != c.told || c.line.closed != c.closed {
			t.Errorf("%s: %d messages, not %d; closed %v", name, told, c.told, c.line.closed)
		}
		c.line.mu.Unlock()
	}
}

// socket is one that somebody holds the other end of.
func socket(t *testing.T) *websocket.Conn {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ws, err := (&websocket.Upgrader{}).Upgrade(w, r, nil); err == nil {
			t.Cleanup(func() { ws.Close() })
		}
	}))
	t.Cleanup(server.Close)
	ws, _, err := websocket.DefaultDialer.Dial(strings.Replace(server.URL, "http", "ws", 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ws.Close() })
	return ws
}

// TestGiveUp: a machine that was written down, and could not be told so, is written
// down as gone again; of one that was not nothing is.
func TestGiveUp(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		l := New(s, Keys{}, model.NewID(), slog.New(slog.DiscardHandler))
		since := time.Now()
		var gone []time.Time
		broken := errors.New("broken")
		l.SetHandlers(Handlers{
			Connected: func(_ context.Context, hellos []model.Hello) ([]model.Arrival, error) {
				return []model.Arrival{{Since: since}}, nil
			},
			Disconnected: func(_ context.Context, _ model.From, since time.Time, _ model.OfflineReason, _ bool) error {
				gone = append(gone, since)
				return nil
			},
			Waiting: []func(*store.Tx, model.ID, []model.ID) ([]model.ID, error){
				func(*store.Tx, model.ID, []model.ID) ([]model.ID, error) { return nil, broken }},
		})
		told, untold := hellosOf(l, model.NewID())[0], hellosOf(l, model.NewID())[0]
		l.arrivals.write(t.Context(), []*arrival{told})
		if !errors.Is(told.Err, broken) {
			t.Fatalf("%v, want %v", told.Err, broken)
		}
		for _, a := range []*arrival{told, untold} {
			l.lines[a.hello.Machine] = a.line
			l.giveUp(t.Context(), a)
			if l.get(a.hello.Machine) != nil {
				t.Error("its line is still there")
			}
		}
		if len(gone) != 1 || !gone[0].Equal(since) {
			t.Errorf("written down as gone: %v, want once %v", gone, since)
		}
	})
}
