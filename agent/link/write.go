package link

import (
	"context"
	"errors"
	"time"

	"github.com/gorilla/websocket"

	"github.com/deskside/deskside/agent/state"
	"github.com/deskside/deskside/protocol"
)

// window is how many batches may be on the way without an acknowledgement.
const window = 8

const writeTime = 30 * time.Second

// sender is what was sent on one connection and not yet acknowledged.
type sender struct {
	after map[protocol.Class]uint64 // the last number sent of each log
	sent  map[string]uint64         // the revision sent of each state
	open  int                       // batches on the way
}

// write is the line's one writer until ctx ends: volatile frames, and what waits
// in the outbox.
func (l *Line) write(ctx context.Context, c *conn, acks <-chan protocol.Ack) error {
	s := sender{after: map[protocol.Class]uint64{}, sent: map[string]uint64{}}
	if err := l.flush(c, &s); err != nil {
		return err
	}
	for {
		if err := l.beat(c); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case frame := <-l.beats:
			if err := put(c, frame); err != nil {
				return err
			}
		case frame := <-l.out:
			if err := put(c, frame); err != nil {
				return err
			}
		case ack := <-acks:
			s.open = max(s.open-1, 0)
			if err := l.acknowledge(ack); err != nil {
				return err
			}
			if err := l.flush(c, &s); err != nil {
				return err
			}
		case <-l.wake:
			if err := l.flush(c, &s); err != nil {
				return err
			}
		}
	}
}

// beat sends the beat that waits, before whatever else does: what a script writes may
// take longer on a slow line than a line may be silent.
func (l *Line) beat(c *conn) error {
	select {
	case frame := <-l.beats:
		return put(c, frame)
	default:
		return nil
	}
}

// flush sends batches until nothing waits or the window is full.
func (l *Line) flush(c *conn, s *sender) error {
	for s.open < window {
		var entries []protocol.Entry
		err := l.state.View(func(tx *state.Tx) error {
			var err error
			entries, err = tx.Pending(protocol.MaxBatchBytes, s.after, s.sent)
			return err
		})
		if err != nil {
			return err
		}
		if len(entries) == 0 {
			return nil
		}
		frame, err := protocol.Encode(protocol.KindBatch, protocol.Batch{Entries: entries})
		if err != nil {
			return err
		}
		if err := errors.Join(l.beat(c), put(c, frame)); err != nil {
			return err
		}
		for _, e := range entries {
			if e.Class.Log() {
				s.after[e.Class] = e.Number
			} else {
				s.sent[state.StateName(e.Class, e.Key)] = e.Revision
			}
		}
		s.open++
	}
	return nil
}

func (l *Line) acknowledge(ack protocol.Ack) error {
	if len(ack.Marks)+len(ack.States) == 0 {
		return nil
	}
	return l.state.Update(func(tx *state.Tx) error { return tx.Acknowledge(ack) })
}

// goodbye says why the machine leaves.
func (l *Line) goodbye(c *conn) error {
	l.mu.Lock()
	reason := l.leave
	if l.asleep {
		reason = protocol.GoodbyeAsleep
	}
	l.mu.Unlock()
	frame, err := protocol.Encode(protocol.KindGoodbye, protocol.Goodbye{Reason: reason})
	if err != nil {
		return err
	}
	if err := put(c, frame); err != nil {
		return err
	}
	deadline := time.Now().Add(time.Second)
	return c.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), deadline)
}

func put(c *conn, frame []byte) error {
	if err := c.ws.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
		return &Unreachable{Err: err}
	}
	if err := c.ws.WriteMessage(websocket.BinaryMessage, frame); err != nil {
		return &Unreachable{Err: err}
	}
	return nil
}
