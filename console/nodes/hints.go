package nodes

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
)

// A Change says that a thing looks different now. It has the shape of
// store.Change.
type Change struct {
	Organisation uuid.UUID
	Kind         string
	ID           uuid.UUID
}

// Handlers receive the hints. A nil one is not interested. Each may be called twice at
// the same time, for what this node says and for what others do. They must not block for
// long: a handler that falls behind by 64 MiB loses hints.
type Handlers struct {
	Work    func(machine uuid.UUID)
	Asked   func(question uuid.UUID)
	Watch   func(machine uuid.UUID, until time.Time)
	Check   func(machine, person uuid.UUID, name string)
	Changed func(changes []Change) // all of one organisation
	Live    func(organisation, machine uuid.UUID, payload []byte)

	// Lost is called when hints may have been lost: act as if there had been
	// one of every kind.
	Lost func()
}

const (
	macSize   = 16
	headSize  = macSize + 8     // MAC and time
	oldest    = 2 * time.Minute // of a hint; also how far the clocks of nodes may be apart
	mostLive  = 512 << 10       // bytes of a live payload; the server takes 1 MiB
	mostKind  = 255             // bytes of a kind of change, or a name
	batchSize = 1000            // changes in one message: 40 KiB or so
	mostBytes = 64 << 20        // waiting for one handler
	mostHints = 1 << 20         // the same, as a number
)

// ErrLiveSize says that a live payload is too large to be handed on.
var ErrLiveSize = errors.New("nodes: a live payload has more than 512 KiB")

// Work says that a machine has something to do.
func (n *Nodes) Work(machine uuid.UUID) { n.publish("work", machine[:]) }

// Asked says that machines, perhaps all of them, have a question to answer.
func (n *Nodes) Asked(question uuid.UUID) { n.publish("asked", question[:]) }

// Watch says that somebody looks at a machine until a time.
func (n *Nodes) Watch(machine uuid.UUID, until time.Time) {
	n.publish("watch", binary.BigEndian.AppendUint64(machine[:len(machine):len(machine)], uint64(until.UnixMicro())))
}

// Check says that a person wants a machine to look at itself now.
func (n *Nodes) Check(machine, person uuid.UUID, name string) {
	n.publish("check", slices.Concat(machine[:], person[:], []byte(name[:min(len(name), mostKind)])))
}

// Changed says that things look different now.
func (n *Nodes) Changed(changes []Change) {
	for len(changes) > 0 {
		organisation := changes[0].Organisation
		var body []byte
		var rest []Change // of other organisations
		count := 0
		for _, c := range changes {
			if c.Organisation != organisation || count == batchSize {
				rest = append(rest, c)
				continue
			}
			kind := c.Kind[:min(len(c.Kind), mostKind)]
			body = append(body, c.ID[:]...)
			body = append(body, byte(len(kind)))
			body = append(body, kind...)
			count++
		}
		n.publish("changed."+organisation.String(), body)
		changes = rest
	}
}

// Live hands on what a watched machine streams.
func (n *Nodes) Live(organisation, machine uuid.UUID, payload []byte) error {
	if len(payload) > mostLive {
		return ErrLiveSize
	}
	body := make([]byte, 0, 16+len(payload))
	body = append(body, organisation[:]...)
	n.publish("live."+machine.String(), append(body, payload...))
	return nil
}

// publish says something to this node and to the others. It never waits. Without a
// connection the others do not hear it, as may happen to hints.
func (n *Nodes) publish(subject string, body []byte) {
	kind, _, _ := strings.Cut(subject, ".")
	if !n.own[kind].put(subject, body) {
		n.mayHaveMissed()
	}
	if n.conn == nil {
		return
	}
	message := make([]byte, macSize, headSize+len(body))
	message = binary.BigEndian.AppendUint64(message, uint64(time.Now().UnixMicro()))
	message = append(message, body...)
	copy(message, n.mac(subject, message[macSize:]))
	if err := n.conn.Publish(subject, message); err != nil && !errors.Is(err, nats.ErrReconnectBufExceeded) && !errors.Is(err, nats.ErrConnectionClosed) {
		n.sometimes.Do(func() { n.log.Warn("a hint was not sent", "subject", subject, "error", err) })
	}
}

func (n *Nodes) mac(subject string, signed []byte) []byte {
	m := hmac.New(sha256.New, n.hintKey)
	m.Write([]byte(subject + "\x00"))
	m.Write(signed)
	return m.Sum(nil)[:macSize]
}

var (
	errForged = errors.New("the hint does not come from a node")
	errStale  = errors.New("the hint is too old, or the clocks of the nodes are apart")
	errShape  = errors.New("the hint has the wrong size")
)

// open returns the body of a message that a node has sent.
func (n *Nodes) open(subject string, message []byte, now time.Time) ([]byte, error) {
	if len(message) < headSize {
		return nil, errShape
	}
	if !hmac.Equal(message[:macSize], n.mac(subject, message[macSize:])) {
		return nil, errForged
	}
	at := time.UnixMicro(int64(binary.BigEndian.Uint64(message[macSize:])))
	if age := now.Sub(at); age > oldest || age < -oldest {
		return nil, errStale
	}
	return message[headSize:], nil
}

// subscribe hands what others say of a kind to a taker.
func (n *Nodes) subscribe(kind string, fn taker) error {
	sub, err := n.conn.Subscribe(subjects[kind], func(m *nats.Msg) {
		body, err := n.open(m.Subject, m.Data, time.Now())
		if err != nil {
			n.refused(m.Subject, err)
			return
		}
		n.take(m.Subject, fn, body)
	})
	if err != nil {
		return err
	}
	return sub.SetPendingLimits(mostHints, mostBytes)
}

// A taker understands the hints of one kind.
type taker func(subject string, body []byte) error

func (n *Nodes) take(subject string, fn taker, body []byte) {
	if err := fn(subject, body); err != nil {
		n.refused(subject, err)
	}
}

func (n *Nodes) refused(subject string, err error) {
	n.sometimes.Do(func() { n.log.Warn("a hint was refused", "subject", subject, "error", err) })
}

// subjects are what is said of each kind of hint; it is their first word.
var subjects = map[string]string{"work": "work", "asked": "asked", "watch": "watch", "check": "check", "changed": "changed.*", "live": "live.*"}

// takers are those of the kinds that somebody is interested in.
func (n *Nodes) takers(h Handlers) map[string]taker {
	all := map[string]taker{}
	if h.Work != nil {
		all["work"] = ofOne(h.Work)
	}
	if h.Asked != nil {
		all["asked"] = ofOne(h.Asked)
	}
	if h.Watch != nil {
		all["watch"] = func(_ string, body []byte) error {
			machine, rest, err := cutID(body)
			if err != nil || len(rest) != 8 {
				return errShape
			}
			h.Watch(machine, time.UnixMicro(int64(binary.BigEndian.Uint64(rest))))
			return nil
		}
	}
	if h.Check != nil {
		all["check"] = func(_ string, body []byte) error {
			machine, rest, err := cutID(body)
			if err != nil {
				return err
			}
			person, name, err := cutID(rest)
			if err == nil {
				h.Check(machine, person, string(name))
			}
			return err
		}
	}
	if h.Changed != nil {
		all["changed"] = func(subject string, body []byte) error {
			changes, err := readChanges(subject, body)
			if err == nil {
				h.Changed(changes)
			}
			return err
		}
	}
	if h.Live != nil {
		all["live"] = func(subject string, body []byte) error {
			machine, err := uuid.Parse(strings.TrimPrefix(subject, "live."))
			if err != nil {
				return err
			}
			organisation, payload, err := cutID(body)
			if err == nil {
				h.Live(organisation, machine, payload)
			}
			return err
		}
	}
	return all
}

// ofOne takes hints that are an id and nothing else.
func ofOne(fn func(uuid.UUID)) taker {
	return func(_ string, body []byte) error {
		id, rest, err := cutID(body)
		if err != nil || len(rest) != 0 {
			return errShape
		}
		fn(id)
		return nil
	}
}

func readChanges(subject string, body []byte) ([]Change, error) {
	organisation, err := uuid.Parse(strings.TrimPrefix(subject, "changed."))
	if err != nil {
		return nil, err
	}
	var changes []Change
	for len(body) > 0 {
		c := Change{Organisation: organisation}
		if c.ID, body, err = cutID(body); err != nil {
			return nil, err
		}
		if len(body) == 0 || len(body) < 1+int(body[0]) {
			return nil, errShape
		}
		size := 1 + int(body[0])
		c.Kind, body = string(body[1:size]), body[size:]
		changes = append(changes, c)
	}
	return changes, nil
}

func cutID(body []byte) (id uuid.UUID, rest []byte, err error) {
	if len(body) < len(id) {
		return id, nil, errShape
	}
	copy(id[:], body)
	return id, body[len(id):], nil
}
