package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/deskside/deskside/console/account"
	"github.com/deskside/deskside/console/fleet"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/nodes"
	"github.com/deskside/deskside/console/session"
	"github.com/deskside/deskside/console/store"
)

func (c *Console) openNodes() error {
	transport := &http.Transport{
		DialContext:           (&net.Dialer{Timeout: 3 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
		TLSClientConfig:       c.keys.peers(),
		TLSHandshakeTimeout:   5 * time.Second,
		ResponseHeaderTimeout: 45 * time.Second, // the other node may wait for a machine
		MaxIdleConnsPerHost:   8,
		IdleConnTimeout:       time.Minute,
	}
	if err := checkNode(c.options.Node, c.options.NATS); err != nil {
		return err
	}
	var err error
	c.nodes, err = nodes.Open(nodes.Options{Self: c.id, URL: c.options.NATS, Secret: c.keys.rest, Transport: transport, Log: c.options.Log})
	if err != nil {
		return errors.Join(ErrConfiguration, err)
	}
	c.last("nodes", func() error {
		c.nodes.Close()
		transport.CloseIdleConnections()
		return nil
	})
	return nil
}

// checkNode says why other nodes would not come here by an address that was set.
func checkNode(node, nats string) error {
	if node == "" {
		return nil
	}
	if nats == "" {
		return fmt.Errorf("%w: --node is for consoles that share a NATS server, and there is no --nats; set both or neither", ErrConfiguration)
	}
	at, err := url.Parse(node)
	if err != nil {
		return fmt.Errorf("%w: --node is not an address; it is one such as https://10.0.0.2:8443", ErrConfiguration)
	}
	wrong := ""
	port, err := strconv.ParseUint(at.Port(), 10, 16)
	switch ip := net.ParseIP(at.Hostname()); {
	case at.Scheme != "https":
		wrong = "does not begin with https://"
	case at.User != nil:
		wrong = "names a user"
	case at.Hostname() == "":
		wrong = "has no host"
	case ip != nil && ip.IsUnspecified():
		wrong = "is every address of a machine and none that others reach"
	case err != nil || port == 0:
		wrong = "has no port from 1 to 65535"
	case at.Path != "" || at.RawQuery != "" || at.ForceQuery || strings.Contains(node, "#"):
		wrong = "has something behind the port"
	default:
		return nil
	}
	return fmt.Errorf("%w: --node %s %s; it is an address of this node such as https://10.0.0.2:8443", ErrConfiguration, at.Redacted(), wrong)
}

// nodeAddress is where other nodes reach this one: what was set, else where it
// listens. A console that is alone tells nobody. A node that listens on every address
// names the one by which it reaches the server that all nodes share.
func (c *Console) nodeAddress() string {
	switch {
	case c.options.NATS == "":
		return ""
	case c.options.Node != "":
		return c.options.Node
	}
	host, port, err := net.SplitHostPort(c.secure.Addr().String())
	if err != nil {
		return ""
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = addressToward(c.options.NATS)
	}
	return "https://" + net.JoinHostPort(host, port)
}

// addressToward is the address of this machine on the way to a server. Nothing
// is sent.
func addressToward(server string) string {
	first, _, _ := strings.Cut(server, ",")
	u, err := url.Parse(first)
	if err != nil || u.Hostname() == "" {
		return "127.0.0.1"
	}
	conn, err := net.Dial("udp", net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "4222")))
	if err != nil {
		return "127.0.0.1"
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).IP.String()
}

// lease says that this node is alive, until ctx ends. A node that could not say
// so in time drops its lines: what it held was given up in its name.
func (c *Console) lease(ctx context.Context) error {
	node := store.Node{ID: c.id, Address: c.nodeAddress(), Started: time.Now().UTC()}
	return c.store.RunLease(ctx, node, c.lines.Drop)
}

// send asks for something that is for this moment only, where the line of the
// machine is held here.
func (c *Console) send(machine model.ID, body any) {
	if from, ok := c.lines.Holds(machine); ok {
		c.lines.Send(model.Act{ID: model.NewID(), Machine: from, Expires: c.store.Now().Add(5 * time.Minute), Body: body})
	}
}

// hints says what happens when a hint arrives.
func (c *Console) hints() nodes.Handlers {
	return nodes.Handlers{
		Work:  c.take,
		Asked: c.takeQuestion,
		Watch: func(machine model.ID, until time.Time) { c.send(machine, &model.Watch{Until: until}) },
		Check: func(machine, person model.ID, name string) {
			c.send(machine, &model.CheckNow{By: model.Actor{Kind: model.ByTechnician, ID: person, Name: name}})
		},
		Changed: func(changes []nodes.Change) {
			list := make([]store.Change, len(changes))
			for i, x := range changes {
				list[i] = store.Change(x)
				switch x.Kind {
				case "settings", "check", account.ChangedTrust:
					c.settingsChanged(x.Organisation)
				case session.ChangedSession:
					c.sessions.Look(x.ID)
				}
			}
			c.api.Changed(list)
		},
		Live: func(organisation, machine model.ID, payload []byte) {
			var l model.Live
			if json.Unmarshal(payload, &l) == nil {
				l.Organisation, l.Machine = organisation, machine
				c.api.Live(l)
			}
		},
		Lost: func() {
			for _, from := range c.lines.Machines() {
				c.take(from.Machine)
			}
			c.api.ChangedEverything()
		},
	}
}

// changed tells all nodes that things look different.
func (c *Console) changed(list []store.Change) {
	changes := make([]nodes.Change, len(list))
	for i, x := range list {
		changes[i] = nodes.Change(x)
	}
	c.nodes.Changed(changes)
}

// forward hands a request to the node it belongs to.
func (c *Console) forward(w http.ResponseWriter, r *http.Request, node model.ID) {
	var to store.Node
	err := c.store.View(r.Context(), store.System("node"), func(tx *store.Tx) error {
		var err error
		to, err = tx.Node(node)
		return err
	})
	if err != nil || to.Address == "" {
		http.Error(w, "The node that holds this session is gone.", http.StatusBadGateway)
		return
	}
	c.nodes.Forward(w, r, node, to.Address)
}

// origin is the address of the console as the browser named it, at the node
// where it first arrived.
func origin(r *http.Request) string {
	secure := r.TLS != nil
	if from, forwarded := nodes.FromContext(r.Context()); forwarded {
		secure = from.TLS
	}
	if secure {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// nodeLapsed is the handler of store.NodeLapsed: the machines of a node that is
// gone get their time to come back.
func (c *Console) nodeLapsed(_ context.Context, tx *store.Tx, node model.ID) (time.Time, error) {
	if _, err := tx.Node(node); !errors.Is(err, store.ErrNotFound) {
		return time.Time{}, err // it is back; what it holds is its own again
	}
	return time.Time{}, errors.Join(c.fleet.NodeLapsed(tx, node), c.sessions.NodeLapsed(tx, node))
}

// personChanged ends what a person may do no longer in the rooms that do not know
// people. Their sign-ins and tokens ended with the change. All nodes hear of it
// from here: a command beside the console reaches nobody.
func (c *Console) personChanged(ctx context.Context, id model.ID) (time.Time, error) {
	var p model.Person
	var still []model.ID
	scope := store.System("person")
	err := c.store.Update(ctx, scope, func(tx *store.Tx) error {
		var err error
		if p, err = account.Person(tx, id); err != nil {
			return err
		}
		tx.Changed(p.Organisation, account.ChangedPerson, id)
		still, err = account.Credentials(tx, id)
		return err
	})
	if err != nil {
		return time.Time{}, ignore(err, store.ErrNotFound)
	}
	if !p.May(model.RunStart) {
		if err := c.repair.EndPerson(ctx, scope.Within(p.Organisation), id); err != nil {
			return time.Time{}, err
		}
	}
	why := p.Display + " may not have sessions any more"
	if p.May(model.OpenSession) {
		why = "the sign-in that opened it has ended"
		still = append(still, model.ID{}) // of those nobody knows who is still there
	} else {
		still = nil
	}
	return time.Time{}, c.sessions.EndAll(ctx, scope.Within(p.Organisation), id, still, why)
}

// machineRevoked is the handler of fleet.KindRevoked: the sessions and the runs of
// a machine that was expelled end, and the node that holds its line hangs up. All nodes hear
// of it from here: a command beside the console reaches nobody.
func (c *Console) machineRevoked(ctx context.Context, id model.ID) (time.Time, error) {
	m, err := c.fleet.Machine(ctx, id)
	if err != nil {
		return time.Time{}, ignore(err, store.ErrNotFound)
	}
	scope := store.System("machine").Within(m.Organisation)
	err = errors.Join(c.sessions.EndMachine(ctx, scope, id, "the computer was taken off the console"),
		c.repair.EndMachine(ctx, scope, id))
	c.hint(id)
	return time.Time{}, errors.Join(err, c.store.Update(ctx, scope, func(tx *store.Tx) error {
		tx.Changed(m.Organisation, fleet.ChangedMachine, id)
		return nil
	}))
}

// publishLive carries a reading to the nodes whose pages show the machine.
func (c *Console) publishLive(l model.Live) {
	if payload, err := json.Marshal(l); err == nil {
		if err := c.nodes.Live(l.Organisation, l.Machine, payload); err != nil {
			c.options.Log.Warn("a reading is too large for a page", "machine", l.Machine, "error", err)
		}
	}
}
