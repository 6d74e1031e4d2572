package api

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/websocket"

	"github.com/deskside/deskside/console/account"
	"github.com/deskside/deskside/console/fleet"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

const (
	liveEvery   = 250 * time.Millisecond // dirty things are told together
	liveMost    = 200                    // beyond so many: "everything"
	livePing    = 30 * time.Second
	liveWatches = 8 // machines one page may watch
	watchFor    = 15 * time.Second
)

// Changed is one thing that looks different now.
type Changed struct {
	Kind string    `json:"kind"`
	ID   uuid.UUID `json:"id"`
}

// live knows who looks at what on this node: browsers, and requests that wait.
type live struct {
	mu        sync.Mutex
	browsers  map[*browser]bool
	listeners map[Changed]map[chan struct{}]bool
	waiting   map[uuid.UUID]int // requests of each person
	over      chan struct{}     // closed, by end, when nobody is to wait any more
	end       func()
}

func newLive() *live {
	over := make(chan struct{})
	return &live{browsers: map[*browser]bool{}, listeners: map[Changed]map[chan struct{}]bool{}, waiting: map[uuid.UUID]int{},
		over: over, end: sync.OnceFunc(func() { close(over) })}
}

// browser is one page.
type browser struct {
	ws     *websocket.Conn
	caller caller
	wake   chan struct{}

	mu      sync.Mutex
	doubt   bool // the caller may have lost their rights
	dirty   map[Changed]bool
	all     bool
	watched map[model.ID]bool
	vitals  map[model.ID]model.Live // the newest of each machine
}

// Changed tells the pages of this node, and who waits, what looks different now.
func (a *API) Changed(list []store.Change) {
	a.live.mu.Lock()
	defer a.live.mu.Unlock()
	for _, c := range list {
		a.live.wake(Changed{c.Kind, c.ID})
	}
	for b := range a.live.browsers {
		b.mark(list)
	}
}

// ChangedEverything tells the pages of this node that something may look
// different without saying what.
func (a *API) ChangedEverything() {
	a.live.mu.Lock()
	defer a.live.mu.Unlock()
	for thing := range a.live.listeners {
		a.live.wake(thing)
	}
	for b := range a.live.browsers {
		b.mu.Lock()
		b.all, b.doubt = true, true
		b.mu.Unlock()
	}
}

func (b *browser) mark(list []store.Change) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range list {
		if c.Organisation != b.caller.organisation {
			continue
		}
		b.doubt = b.doubt || c.Kind == account.ChangedPerson && c.ID == b.caller.person
		b.dirty[Changed{c.Kind, c.ID}] = true
		if len(b.dirty) > liveMost {
			b.all = true
			clear(b.dirty)
		}
	}
}

// Live hands a live reading to the pages that show the machine.
func (a *API) Live(l model.Live) {
	a.live.mu.Lock()
	defer a.live.mu.Unlock()
	for b := range a.live.browsers {
		b.mu.Lock()
		if b.watched[l.Machine] && l.Organisation == b.caller.organisation {
			b.vitals[l.Machine] = l
			select {
			case b.wake <- struct{}{}:
			default:
			}
		}
		b.mu.Unlock()
	}
}

// CloseLive ends all pages' sockets, and nobody waits any more.
func (a *API) CloseLive() {
	a.live.mu.Lock()
	defer a.live.mu.Unlock()
	a.live.end()
	for b := range a.live.browsers {
		if b.ws != nil {
			b.ws.Close()
		}
	}
}

func (a *API) serveLive(w http.ResponseWriter, r *http.Request) {
	c, ok := a.allowed(w, r, "machine.read")
	if !ok || !a.sameOrigin(w, r) {
		return
	}
	up := websocket.Upgrader{ReadBufferSize: 1 << 10, WriteBufferSize: 4 << 10, CheckOrigin: func(*http.Request) bool { return true }}
	b := &browser{caller: c, doubt: true, wake: make(chan struct{}, 1), dirty: map[Changed]bool{}, watched: map[model.ID]bool{},
		vitals: map[model.ID]model.Live{}}
	// It hears of changes from before its page knows that it is connected: what the
	// page causes next must not be missed.
	a.live.mu.Lock()
	a.live.browsers[b] = true
	a.live.mu.Unlock()
	defer func() {
		a.live.mu.Lock()
		delete(a.live.browsers, b)
		a.live.mu.Unlock()
	}()
	ws, err := up.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	a.live.mu.Lock()
	b.ws = ws
	a.live.mu.Unlock()
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	var group sync.WaitGroup
	group.Go(func() { a.writeLive(ctx, b) })
	a.readLive(ctx, b)
	cancel()
	ws.Close()
	group.Wait()
}

// readLive does what a page says: which machines it shows.
func (a *API) readLive(ctx context.Context, b *browser) {
	b.ws.SetReadLimit(1 << 10)
	alive := func() error { return b.ws.SetReadDeadline(time.Now().Add(3 * livePing)) }
	b.ws.SetPongHandler(func(string) error { return alive() })
	for alive() == nil {
		_, message, err := b.ws.ReadMessage()
		if err != nil {
			return
		}
		var said struct {
			Watch   *uuid.UUID `json:"watch"`
			Unwatch *uuid.UUID `json:"unwatch"`
		}
		if json.Unmarshal(message, &said) != nil {
			return
		}
		switch {
		case said.Watch != nil:
			a.watch(ctx, b, *said.Watch)
		case said.Unwatch != nil:
			b.mu.Lock()
			delete(b.watched, *said.Unwatch)
			b.mu.Unlock()
		}
	}
}

func (a *API) watch(ctx context.Context, b *browser, machine model.ID) {
	err := a.rooms.Store.View(ctx, b.caller.scope, func(tx *store.Tx) error {
		_, err := fleet.Get(tx, machine)
		return err
	})
	if err != nil {
		return
	}
	b.mu.Lock()
	room := b.watched[machine] || len(b.watched) < liveWatches
	if room {
		b.watched[machine] = true
	}
	b.mu.Unlock()
	if room {
		a.rooms.Watch(machine, time.Now().Add(watchFor))
	}
}

type liveMessage struct {
	Changes    []Changed    `json:"changes,omitempty"`
	Everything bool         `json:"everything,omitempty"`
	Live       *liveReading `json:"live,omitempty"`
}

type liveReading struct {
	Machine uuid.UUID          `json:"machine_id"`
	At      time.Time          `json:"at"`
	Series  []model.LiveValue  `json:"series"`
	Top     []model.TopProcess `json:"processes"`
}

// writeLive tells the page what gathered since the last time. It hangs up on a
// caller who is let in no longer: at once when that is heard, and with each ping
// in case a hint was lost.
func (a *API) writeLive(ctx context.Context, b *browser) {
	defer b.ws.Close()
	tick := time.NewTicker(liveEvery)
	defer tick.Stop()
	ping := time.NewTicker(livePing)
	defer ping.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ping.C:
			if b.ws.WriteControl(websocket.PingMessage, nil, time.Now().Add(time.Second)) != nil {
				return
			}
			b.mu.Lock()
			b.doubt = true
			b.mu.Unlock()
		case <-tick.C:
			if b.doubted() && !a.still(ctx, b.caller) {
				goodbye := websocket.FormatCloseMessage(websocket.ClosePolicyViolation, "sign_in")
				b.ws.WriteControl(websocket.CloseMessage, goodbye, time.Now().Add(time.Second))
				return
			}
			if !b.tell(true) {
				return
			}
		case <-b.wake:
			if !b.tell(false) {
				return
			}
		}
	}
}

// doubted tells whether the caller is to be looked at again.
func (b *browser) doubted() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	doubt := b.doubt
	b.doubt = false
	return doubt
}

func (b *browser) tell(changes bool) bool {
	b.mu.Lock()
	var messages []liveMessage
	if changes && (b.all || len(b.dirty) > 0) {
		m := liveMessage{Everything: b.all}
		for c := range b.dirty {
			m.Changes = append(m.Changes, c)
		}
		clear(b.dirty)
		b.all = false
		messages = append(messages, m)
	}
	for id, l := range b.vitals {
		messages = append(messages, liveMessage{Live: &liveReading{Machine: id, At: l.At, Series: l.Series, Top: l.Top}})
	}
	clear(b.vitals)
	b.mu.Unlock()
	for _, m := range messages {
		if b.ws.SetWriteDeadline(time.Now().Add(10*time.Second)) != nil || b.ws.WriteJSON(m) != nil {
			b.ws.Close()
			return false
		}
	}
	return true
}
