// Package nodes knows the other nodes of a console: it carries hints between
// them over NATS, holds this node's lease, and forwards an upgrade that belongs
// to another node.
//
// A hint says that something is worth looking at, never what it is: whatever
// matters is a row, so a lost hint costs delay and nothing else. There are four:
// work (a machine has something to do), watch (somebody looks at a machine),
// changed (things of an organisation look different) and live (a reading of a
// machine, for the pages that show it). A node hears its own hints, too, so one
// node and many run the same code.
//
// A console that is alone has a NATS server inside its own process that listens
// on nothing.
package nodes

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

// Options of a node.
type Options struct {
	Store   *store.Store
	NATS    string // URL of a NATS server; empty for the one inside
	Address string // https address at which other nodes reach this one; empty when it is alone
	Secret  []byte // the same on all nodes: proves a forwarded request
	Log     *slog.Logger
}

// Nodes is this node among the others.
type Nodes struct {
	options Options
	id      model.ID
	inside  *server.Server
	conn    *nats.Conn
	handle  Handlers
}

// Handlers are the calls out, set once before Run. They are called one at a
// time for each kind, and must not wait.
type Handlers struct {
	Work    func(machine model.ID)
	Watch   func(machine model.ID, until time.Time)
	Changed func([]store.Change)
	Live    func(organisation, machine model.ID, payload []byte)
	// Lost is called when this node could not renew its lease in time: what it
	// held was given up in its name.
	Lost func()
}

const (
	subjectWork    = "work"
	subjectWatch   = "watch"
	subjectChanged = "changed."
	subjectLive    = "live."

	maxHint = 64 << 10
)

// Open connects to NATS, or starts the server inside.
func Open(_ context.Context, o Options) (*Nodes, error) {
	n := &Nodes{options: o, id: model.NewID()}
	options := []nats.Option{nats.Name("deskside " + n.id.String()), nats.MaxReconnects(-1), nats.ReconnectWait(time.Second),
		nats.RetryOnFailedConnect(true)}
	url := o.NATS
	if url == "" {
		inside, err := server.NewServer(&server.Options{DontListen: true, NoSigs: true, NoLog: true, MaxPayload: 256 << 10})
		if err != nil {
			return nil, fmt.Errorf("start the messages between nodes: %w", err)
		}
		inside.Start()
		if !inside.ReadyForConnections(5 * time.Second) {
			return nil, fmt.Errorf("start the messages between nodes: the server inside is not ready")
		}
		n.inside = inside
		options = append(options, nats.InProcessServer(inside))
	}
	conn, err := nats.Connect(url, options...)
	if err != nil {
		n.Close()
		return nil, fmt.Errorf("connect to the other nodes: %w", err)
	}
	n.conn = conn
	return n, nil
}

// Close ends the connection and the server inside.
func (n *Nodes) Close() error {
	if n.conn != nil {
		n.conn.Close()
	}
	if n.inside != nil {
		n.inside.Shutdown()
		n.inside.WaitForShutdown()
	}
	return nil
}

// ID names this run of this node.
func (n *Nodes) ID() model.ID { return n.id }

// SetHandlers sets the calls out, once.
func (n *Nodes) SetHandlers(h Handlers) { n.handle = h }

// addressOf is where a living node is.
func (n *Nodes) addressOf(ctx context.Context, id model.ID) (string, error) {
	var node store.Node
	err := n.options.Store.View(ctx, store.System("node"), func(tx *store.Tx) error {
		var err error
		node, err = tx.Node(id)
		return err
	})
	if err == nil && node.Address == "" {
		err = store.ErrNotFound
	}
	return node.Address, err
}

// Run listens for hints and keeps the lease until ctx ends.
func (n *Nodes) Run(ctx context.Context) error {
	for subject, do := range map[string]func(*nats.Msg){
		subjectWork: n.onWork, subjectWatch: n.onWatch, subjectChanged + "*": n.onChanged, subjectLive + "*": n.onLive,
	} {
		sub, err := n.conn.Subscribe(subject, do)
		if err != nil {
			return fmt.Errorf("listen for hints: %w", err)
		}
		defer sub.Unsubscribe()
	}
	node := store.Node{ID: n.id, Address: n.options.Address, Started: time.Now().UTC()}
	return n.options.Store.RunLease(ctx, node, 0, n.handle.Lost)
}

func (n *Nodes) publish(subject string, body []byte) {
	if len(body) > maxHint {
		return
	}
	if err := n.conn.Publish(subject, body); err != nil {
		n.options.Log.Warn("a hint was lost", "subject", subject, "error", err)
	}
}

// Work hints that a machine has something to do.
func (n *Nodes) Work(machine model.ID) { n.publish(subjectWork, machine[:]) }

func (n *Nodes) onWork(m *nats.Msg) {
	if id, err := uuid.FromBytes(m.Data); err == nil {
		n.handle.Work(id)
	}
}

// hintWatch is a machine somebody looks at.
type hintWatch struct {
	Machine model.ID  `json:"m"`
	Until   time.Time `json:"u"`
}

// Watch hints that somebody looks at a machine until a moment.
func (n *Nodes) Watch(machine model.ID, until time.Time) {
	if body, err := json.Marshal(hintWatch{machine, until}); err == nil {
		n.publish(subjectWatch, body)
	}
}

func (n *Nodes) onWatch(m *nats.Msg) {
	var h hintWatch
	if json.Unmarshal(m.Data, &h) == nil {
		n.handle.Watch(h.Machine, h.Until)
	}
}

// hintChange is one thing that looks different.
type hintChange struct {
	Kind string   `json:"k"`
	ID   model.ID `json:"i"`
}

// Changed hints that things look different. Call it after the commit.
func (n *Nodes) Changed(list []store.Change) {
	by := map[model.ID][]hintChange{}
	for _, c := range list {
		by[c.Organisation] = append(by[c.Organisation], hintChange{c.Kind, c.ID})
	}
	for organisation, changes := range by {
		for len(changes) > 0 {
			part := changes[:min(len(changes), 500)]
			changes = changes[len(part):]
			if body, err := json.Marshal(part); err == nil {
				n.publish(subjectChanged+organisation.String(), body)
			}
		}
	}
}

func (n *Nodes) onChanged(m *nats.Msg) {
	organisation, err := uuid.Parse(strings.TrimPrefix(m.Subject, subjectChanged))
	var list []hintChange
	if err != nil || json.Unmarshal(m.Data, &list) != nil {
		return
	}
	changes := make([]store.Change, 0, len(list))
	for _, c := range list {
		changes = append(changes, store.Change{Organisation: organisation, Kind: c.Kind, ID: c.ID})
	}
	n.handle.Changed(changes)
}

// Live carries a reading of a machine to the pages that show it.
func (n *Nodes) Live(organisation, machine model.ID, payload []byte) {
	n.publish(subjectLive+machine.String(), append(append([]byte(nil), organisation[:]...), payload...))
}

func (n *Nodes) onLive(m *nats.Msg) {
	machine, err := uuid.Parse(strings.TrimPrefix(m.Subject, subjectLive))
	if err != nil || len(m.Data) < 16 {
		return
	}
	organisation, err := uuid.FromBytes(m.Data[:16])
	if err == nil {
		n.handle.Live(organisation, machine, m.Data[16:])
	}
}
