package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/protocol"
)

const (
	helloTime  = 20 * time.Second
	writeTime  = 20 * time.Second
	maxPending = 64
	maxBytes   = 256 << 10
)

// line is the connection of one machine.
type line struct {
	lines *Lines
	ws    *websocket.Conn
	from  model.From // At is when it was welcomed
	epoch model.ID
	beat  time.Duration // how often its machine is to beat

	address, host string // from which it comes, and which was dialled

	flushing sync.Mutex        // one Flush at a time, so that acts keep their order
	told     map[model.ID]bool // acts sent on this line; under flushing

	blind   bool            // as the last beat says: it cannot judge all of its checks; the reader's
	read    time.Time       // when it last told a live reading; the reader's
	trusted time.Time       // when it last told what it trusts; the reader's
	before  <-chan struct{} // closed when the collector is done with its last batch; the reader's
	silent  bool            // it ended because nothing came for too long; the reader's
	gaveUp  bool            // a batch of it was not written, so no later one may be; of who writes its batch

	mu        sync.Mutex
	pending   [][]byte
	bytes     int
	scheduled bool
	welcomed  bool      // nothing is said before the welcome
	hinted    bool      // there was something to be said before
	watched   time.Time // when its machine was last told that somebody looks
	ending    bool      // closed as soon as everything is written
	closed    bool
	goodbye   string
}

// put adds a message to what is to be written, which begins with the welcome;
// false means that the line is not there yet, is closed, or is too slow, in which
// case it is closed.
func (c *line) put(kind protocol.Kind, body any) bool {
	frame, err := protocol.Encode(kind, body)
	if err != nil {
		c.lines.log.Error("cannot encode a message", "machine", c.from.Machine, "kind", kind, "error", err)
		return false
	}
	taken, write := c.add(frame, kind == protocol.KindWelcome)
	if write {
		c.lines.wait.Go(c.write) // which the reader of this line is counted in, too
	}
	return taken
}

// add puts a frame to what is to be written. With write, whoever calls sees to it that
// write is called.
func (c *line) add(frame []byte, welcome bool) (taken, write bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.welcomed = c.welcomed || welcome
	if c.closed || c.ending || !c.welcomed {
		return false, false
	}
	if len(c.pending) >= maxPending || (c.bytes+len(frame) > maxBytes && c.bytes > 0) {
		c.closed = true
		c.ws.Close()
		return false, false
	}
	c.pending = append(c.pending, frame)
	c.bytes += len(frame)
	write, c.scheduled = !c.scheduled, true
	return true, write
}

// early tells whether the line is not welcomed yet, which then looks itself whether
// there is something to be said.
func (c *line) early() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hinted = c.hinted || !c.welcomed
	return !c.welcomed
}

// wasHinted tells whether there was something to be said before the welcome.
func (c *line) wasHinted() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hinted
}

// watch tells whether a watch is news. Pages ask for theirs again and again, each of
// them; a machine is told once a second, so that no number of pages fills its line.
func (c *line) watch() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now() // with the monotonic clock: a wall that is set back lets nobody wait
	if !c.welcomed || now.Sub(c.watched) < time.Second {
		return false
	}
	c.watched = now
	return true
}

func (c *line) wasWelcomed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.welcomed
}

// next hands out what is to be written; nothing means that the line is idle.
func (c *line) next() [][]byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	frames := c.pending
	c.pending, c.bytes = nil, 0
	if len(frames) == 0 && c.ending && !c.closed {
		c.closed = true
		c.ws.Close()
	}
	if len(frames) == 0 || c.closed {
		c.scheduled = false
		return nil
	}
	return frames
}

func (c *line) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.closed = true
		c.ws.Close()
	}
}

// hangUp closes the line when what waits has been written.
func (c *line) hangUp() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ending = true
	if !c.scheduled && !c.closed {
		c.closed = true
		c.ws.Close()
	}
}

// write writes what there is, in a goroutine that lives as long as there is
// something: who does not read keeps nobody waiting but themselves.
func (c *line) write() {
	for frames := c.next(); frames != nil; frames = c.next() {
		if err := c.ws.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
			c.close()
			continue
		}
		for _, frame := range frames {
			if err := c.ws.WriteMessage(websocket.BinaryMessage, frame); err != nil {
				c.close()
				break
			}
		}
	}
}

// readFrame reads one message.
func readFrame(ws *websocket.Conn, limit int) (protocol.Message, error) {
	frame, err := readBytes(ws)
	if err != nil {
		return protocol.Message{}, err
	}
	return protocol.Decode(frame, limit)
}

func readBytes(ws *websocket.Conn) ([]byte, error) {
	kind, r, err := ws.NextReader()
	if err != nil {
		return nil, err
	}
	if kind != websocket.BinaryMessage {
		return nil, fmt.Errorf("%w: a frame of text", protocol.ErrMalformed)
	}
	return io.ReadAll(r)
}

// loop reads the line until it ends. What is more than a beat is understood on another
// stack: this one waits for as long as the machine is connected, and stays half as
// large for it.
func (c *line) loop(ctx context.Context) error {
	c.ws.SetReadLimit(protocol.MaxFrame)
	for {
		deadline := time.Now().Add(c.silence())
		if err := c.ws.SetReadDeadline(deadline); err != nil {
			return err
		}
		frame, err := readBytes(c.ws)
		if err != nil {
			c.silent = wasSilent(err, time.Since(deadline))
			return err
		}
		if b, ok := protocol.BeatOf(frame); ok && c.sees(b) {
			if _, write := c.add(protocol.AnswerBeat(time.Now().UnixMicro()), false); write {
				c.write()
			}
			continue
		}
		done := make(chan error)
		c.lines.wait.Go(func() { done <- c.take(ctx, frame) })
		if err := <-done; err != nil {
			return err
		}
	}
}

// overslept is how late a deadline may be noticed: later, it was this console that
// stood still, and it cannot say who was silent meanwhile.
const overslept = 2 * time.Second

// wasSilent tells whether a line ended because its machine said nothing.
func wasSilent(err error, late time.Duration) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout() && late < overslept
}

func (c *line) setBeat(beat time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.beat = beat
}

func (c *line) silence() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return protocol.Silence(c.beat)
}

var errGoodbye = errors.New("goodbye")

// sees tells whether a beat says nothing new.
func (c *line) sees(b protocol.Beat) bool {
	return c.blind == (model.Health(b.Health) == model.HealthUnknown)
}

// take does one message. A kind that is not known here is skipped.
func (c *line) take(ctx context.Context, frame []byte) error {
	m, err := protocol.Decode(frame, protocol.MaxFrame)
	if err != nil {
		return err
	}
	switch m.Kind {
	case protocol.KindBeat:
		var b protocol.Beat
		if err := protocol.Unmarshal(m.Body, &b); err != nil {
			return err
		}
		if !c.sees(b) {
			c.blind = !c.blind
			c.lines.handlers.Judged(ctx, c.from, c.blind)
		}
		c.put(protocol.KindBeatAnswer, protocol.BeatAnswer{Clock: time.Now().UnixMicro()})
		return nil
	case protocol.KindBatch:
		return c.receiveBatch(ctx, m)
	case protocol.KindGoodbye:
		var g protocol.Goodbye
		if err := protocol.Unmarshal(m.Body, &g); err != nil {
			return err
		}
		c.mu.Lock()
		c.goodbye = g.Reason
		c.mu.Unlock()
		return errGoodbye
	case protocol.KindHelp:
		return c.receiveHelp(ctx, m)
	}
	return c.receiveVolatile(ctx, m)
}

func (c *line) receiveHelp(ctx context.Context, m protocol.Message) error {
	var help protocol.Help
	if err := protocol.Unmarshal(m.Body, &help); err != nil {
		return err
	}
	answer := protocol.HelpLink{Request: help.Request}
	url, err := c.lines.handlers.Help(ctx, c.from, model.Asker{Account: help.Account, Name: help.Person, Address: c.address, Host: c.host})
	var problem *model.Problem
	switch {
	case errors.As(err, &problem):
		answer.Refusal = problem.Text
	case err != nil:
		answer.Refusal = "The console cannot make a link now."
		c.lines.log.Error("cannot make a help link", "machine", c.from.Machine, "error", err)
	}
	answer.URL = url
	c.put(protocol.KindHelpLink, answer)
	return nil
}

// reason is why a line that ended did.
func (c *line) reason() model.OfflineReason {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch c.goodbye {
	case protocol.GoodbyeShutDown:
		return model.OfflineShutDown
	case protocol.GoodbyeAsleep:
		return model.OfflineAsleep
	case protocol.GoodbyeUpdating:
		return model.OfflineUpdating
	case protocol.GoodbyeStopped:
		return model.OfflineUnknown
	}
	return model.OfflineNone // the line was lost; whoever waits long enough says so
}
