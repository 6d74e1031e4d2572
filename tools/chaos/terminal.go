package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/websocket"

	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/protocol/stream"
)

// A holder is a page that holds one terminal after the other on the machine of a
// real agent, all the time, whatever is broken meanwhile. In the shell numbers are
// counted; each must come once, in its order, until the session is left or is told
// to have ended.
type holder struct {
	w       *world
	machine string
	rand    *rand.Rand

	sessions, numbers int // that were held, and came

	session string // that is held now; guarded by world.mu
}

const (
	counting = "i=0; while sleep 0.2; do i=$((i+1)); echo n$i.; done\n"
	hushed   = 60 * time.Second // how long a session may be silent without being told to have ended
)

// counted is a number; the first may stand behind the shell's prompt.
var counted = regexp.MustCompile(`(?:^|[#$] )n(\d+)\.$`)

// run holds terminals until ctx ends, or a promise is broken.
func (h *holder) run(ctx context.Context) error {
	for ctx.Err() == nil {
		id, err := h.open()
		if err != nil { // the machine is away, or the console
			time.Sleep(300 * time.Millisecond)
			continue
		}
		if err := h.hold(ctx, id); err != nil {
			return fmt.Errorf("session %s: %w", id, err)
		}
		h.holds("")
		h.sessions++
	}
	return nil
}

func (h *holder) open() (string, error) {
	var s struct{ ID string }
	err := h.w.call(http.MethodPost, "/sessions", map[string]any{"machine_id": h.machine, "columns": 200, "rows": 24}, &s)
	h.holds(s.ID)
	return s.ID, err
}

func (h *holder) holds(id string) {
	h.w.mu.Lock()
	defer h.w.mu.Unlock()
	h.session = id
}

// orphans: a row says that a session lives only as long as a page may still come for
// it, or come back.
func orphans(r *round) error {
	rows := map[uuid.UUID]bool{}
	err := r.view(func(tx *store.Tx) error {
		clear(rows)
		ids, err := store.Collect(tx, func(rows *store.Rows) (id uuid.UUID, err error) { return id, rows.Scan(&id) },
			"SELECT id FROM session WHERE state IN ('opening', 'waiting_consent', 'open') AND created_at < $1 AND {wall}", store.Micros(time.Now().Add(-2*time.Minute)))
		for _, id := range ids {
			rows[id] = true
		}
		return err
	})
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, h := range r.holders {
		if id, err := uuid.Parse(h.session); err == nil {
			delete(rows, id)
		}
	}
	if len(rows) > 0 {
		return count(len(rows))
	}
	return nil
}

// let waits until no session lives any more, neither by its row nor at its machine.
func (w *world) let() error {
	var err error
	for end := time.Now().Add(2 * patience); time.Now().Before(end) && w.ctx.Err() == nil; time.Sleep(200 * time.Millisecond) {
		if err = errors.Join(w.none("SELECT count(*) FROM session WHERE state IN ('opening', 'waiting_consent', 'open') AND {wall}"), w.noShells()); err == nil {
			return nil
		}
	}
	if w.ctx.Err() != nil {
		return w.ctx.Err()
	}
	return fmt.Errorf("a session lives and nobody holds it: %w", err)
}

// noShells: no agent has a child.
func (w *world) noShells() error {
	for _, a := range w.agents {
		pid := strconv.Itoa(a.cmd.Process.Pid)
		tasks, err := os.ReadDir("/proc/" + pid + "/task")
		if err != nil {
			return err
		}
		for _, t := range tasks {
			raw, err := os.ReadFile("/proc/" + pid + "/task/" + t.Name() + "/children")
			if err == nil && len(raw) > 0 {
				return fmt.Errorf("%s has the shell %s", a.name, raw)
			}
		}
	}
	return nil
}

// held is what one session has shown and was told, over all its sockets.
type held struct {
	in   *stream.Receiver
	rest []byte    // of the line that is being written
	last int       // number
	at   time.Time // of it, or of the beginning
}

var errLeft = errors.New("left")

// hold shows a session until it has ended or is left. It comes back when its socket
// is lost, and now and then loses it.
func (h *holder) hold(ctx context.Context, id string) error {
	s := &held{in: stream.NewReceiver(stream.Output, 0), at: time.Now()}
	defer func() { h.numbers += s.last }()
	leave := time.Now().Add(some(h.rand, time.Minute))
	for {
		err := h.attach(ctx, s, id, leave)
		if errors.Is(err, errLeft) {
			return nil
		}
		var broken never
		if errors.As(err, &broken) {
			return err
		}
		state, stateErr := h.state(id)
		if state == "ended" || state == "refused" {
			return nil
		}
		if quiet := time.Since(s.at); quiet > hushed {
			return never{fmt.Sprintf("silent for %s after number %d, and said to be %q (%v; %v)", quiet.Round(time.Second), s.last, state, err, stateErr)}
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// state is how the console says that the session stands.
func (h *holder) state(id string) (string, error) {
	var s struct{ State string }
	err := h.w.call(http.MethodGet, "/sessions/"+id, nil, &s)
	return s.State, err
}

// attach shows the session on one socket until it is lost.
func (h *holder) attach(ctx context.Context, s *held, id string, leave time.Time) error {
	at := h.w.plain[h.rand.IntN(len(h.w.plain))]
	dialer := websocket.Dialer{HandshakeTimeout: 40 * time.Second}
	ws, response, err := dialer.DialContext(ctx, strings.Replace(at, "http", "ws", 1)+"/api/v1/sessions/"+id+"/socket",
		http.Header{"Authorization": {"Bearer " + *h.w.token.Load()}})
	if response != nil {
		defer response.Body.Close()
	}
	if err != nil {
		if ctx.Err() != nil {
			return errLeft
		}
		if response != nil {
			said, _ := io.ReadAll(response.Body) // the beginning of it
			err = fmt.Errorf("%w: %s %s", err, response.Status, said)
		}
		return err
	}
	defer ws.Close()
	lose := time.Now().Add(some(h.rand, 30*time.Second))
	for greeted := false; ; greeted = true {
		switch now := time.Now(); {
		case ctx.Err() != nil || now.After(leave) && s.last > 0:
			ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), now.Add(time.Second))
			return errLeft
		case now.After(lose):
			return errors.New("the page lost its line")
		}
		if err := ws.SetReadDeadline(s.at.Add(hushed)); err != nil {
			return err
		}
		_, message, err := ws.ReadMessage()
		if err != nil {
			return err
		}
		f, err := stream.Parse(message)
		if err != nil {
			return never{err.Error()}
		}
		if err := s.take(ws, f, !greeted); err != nil {
			return err
		}
	}
}

// take takes one frame of the console. The first on a socket tells how much was
// typed: what was typed beyond that was lost.
func (s *held) take(ws *websocket.Conn, f stream.Frame, first bool) error {
	switch f.Kind {
	case stream.Ack:
		if !first || f.Offset >= uint64(len(counting)) {
			return nil
		}
		rest := stream.Frame{Kind: stream.Input, Offset: f.Offset, Payload: []byte(counting[f.Offset:])}
		return ws.WriteMessage(websocket.BinaryMessage, rest.Bytes())
	case stream.Output:
		fresh, err := s.in.Take(f)
		if err != nil {
			return never{err.Error()}
		}
		if err := s.read(fresh); err != nil {
			return err
		}
		return ws.WriteMessage(websocket.BinaryMessage, s.in.Consumed(len(fresh)).Bytes())
	case stream.Exit:
		return errLeft
	}
	return nil
}

// read looks for the numbers.
func (s *held) read(p []byte) error {
	s.rest = append(s.rest, p...)
	for {
		line, rest, whole := bytes.Cut(s.rest, []byte("\n"))
		if !whole {
			return nil
		}
		s.rest = rest
		line = bytes.TrimRight(line, "\r")
		m := counted.FindSubmatch(line[bytes.LastIndexByte(line, '\r')+1:]) // the shell says before it how it wants to be typed into
		if m == nil {
			continue
		}
		n, _ := strconv.Atoi(string(m[1]))
		if n != s.last+1 {
			return never{fmt.Sprintf("number %d comes after %d", n, s.last)}
		}
		s.last, s.at = n, time.Now()
	}
}
