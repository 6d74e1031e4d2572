package nodes

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

// keepLease says every five seconds that this node lives, and looks for nodes
// that do not. A clean end leaves the lease to lapse: its machines get the time
// to come back, to this node after a restart or to another.
func (n *Nodes) keepLease(ctx context.Context) error {
	tick := time.NewTicker(leaseEvery)
	defer tick.Stop()
	for {
		if err := n.renew(ctx); err != nil && ctx.Err() == nil {
			n.options.Log.Error("cannot renew the lease of this node", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (n *Nodes) renew(ctx context.Context) error {
	return n.options.Store.Update(ctx, store.System("node"), func(tx *store.Tx) error {
		now := store.Micros(tx.Now())
		_, err := tx.Exec(`INSERT INTO node (id, address, started, lease, lapsed) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (id) DO UPDATE SET address = excluded.address, lease = excluded.lease, lapsed = excluded.lapsed`,
			n.id, n.options.Address, now, store.Micros(tx.Now().Add(leaseLife)), false)
		if err != nil {
			return fmt.Errorf("renew the lease: %w", err)
		}
		gone, err := store.Collect(tx, func(r *store.Rows) (model.ID, error) {
			var id model.ID
			return id, r.Scan(&id)
		}, "SELECT id FROM node WHERE lease < $1 AND lapsed = $2", now, false)
		if err != nil {
			return fmt.Errorf("look for nodes that are gone: %w", err)
		}
		for _, id := range gone {
			changed, err := tx.Exec("UPDATE node SET lapsed = $1 WHERE id = $2 AND lapsed = $3", true, id, false)
			if err != nil {
				return fmt.Errorf("mark a node as gone: %w", err)
			}
			if changed == 0 {
				continue
			}
			if err := n.handle.Lapsed(tx, id); err != nil {
				return err
			}
		}
		return nil
	})
}

var errNoNode = errors.New("that node is gone")

// addressOf is where a living node is.
func (n *Nodes) addressOf(ctx context.Context, id model.ID) (string, error) {
	var address string
	err := n.options.Store.View(ctx, store.System("node"), func(tx *store.Tx) error {
		return tx.QueryRow("SELECT address FROM node WHERE id = $1 AND lapsed = $2", id, false).Scan(&address)
	})
	if errors.Is(err, store.ErrNotFound) || (err == nil && address == "") {
		return "", errNoNode
	}
	return address, err
}
