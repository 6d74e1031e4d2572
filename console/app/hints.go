package app

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/nodes"
	"github.com/deskside/deskside/console/store"
)

func (c *Console) openNodes(ctx context.Context) error {
	var err error
	c.nodes, err = nodes.Open(ctx, nodes.Options{Store: c.store, NATS: c.options.NATS, Address: c.nodeAddress(),
		Secret: c.keys.rest, Log: c.options.Log})
	if err != nil {
		return errors.Join(ErrConfiguration, err)
	}
	c.last("nodes", c.nodes.Close)
	return nil
}

// nodeAddress is where other nodes reach this one; a console that is alone
// tells nobody.
func (c *Console) nodeAddress() string {
	if c.options.NATS == "" {
		return ""
	}
	return "https://" + c.secure.Addr().String()
}

// wireNodes sets what happens when a hint arrives.
func (c *Console) wireNodes() {
	c.nodes.SetHandlers(nodes.Handlers{
		Work: c.take,
		Watch: func(machine model.ID, until time.Time) {
			for _, from := range c.lines.Machines() {
				if from.Machine == machine {
					c.lines.Send(model.Act{ID: model.NewID(), Machine: from, Expires: time.Now().Add(5 * time.Minute), Body: &model.Watch{Until: until}})
				}
			}
		},
		Changed: func(list []store.Change) {
			c.api.Changed(list)
			for _, x := range list {
				if x.Kind == "settings" || x.Kind == "check" {
					c.settingsChanged(x.Organisation)
				}
			}
		},
		Live: func(organisation, machine model.ID, payload []byte) {
			var l model.Live
			if json.Unmarshal(payload, &l) == nil {
				l.Organisation, l.Machine = organisation, machine
				c.api.Live(l)
			}
		},
		Lost: c.lines.Drop,
	})
}

// nodeLapsed is the handler of store.NodeLapsed: the machines of a node that is
// gone get their time to come back.
func (c *Console) nodeLapsed(_ context.Context, tx *store.Tx, node model.ID) (time.Time, error) {
	free, err := tx.Lapsed(node)
	if err != nil || !free {
		return time.Time{}, err
	}
	return time.Time{}, c.fleet.NodeLapsed(tx, node)
}

// publishLive carries a reading to the nodes whose pages show the machine.
func (c *Console) publishLive(l model.Live) {
	if payload, err := json.Marshal(l); err == nil {
		c.nodes.Live(l.Organisation, l.Machine, payload)
	}
}
