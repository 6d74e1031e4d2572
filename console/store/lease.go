package store

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// A Node is a running console. Each start is a new node with a new id: one
// that comes back takes over nothing.
type Node struct {
	ID      uuid.UUID
	Address string    // how other nodes reach it, https://host:port; empty when it is alone
	Started time.Time // UTC
}

const (
	leaseEvery = 5 * time.Second
	leaseLooks = 4 // a node is gone that was seen so often, one look after the other, with the same lease
)

// NodeLapsed is the kind of the due row of a node that is gone: what it held is
// free.
const NodeLapsed = "node.lapsed"

// RunLease renews the lease of this node until ctx ends, and then gives it
// back. Each time it looks at the leases of the others: one that does not
// change any more is of a node that is gone. That is counted in looks that
// succeed one after the other, so clocks that differ or are set say nothing of
// it, and neither does a database that was away for all of them. lost is called
// when others found this one gone and it is back: what it holds was given up in
// its name and must be written again.
func (s *Store) RunLease(ctx context.Context, node Node, lost func()) error {
	tick := time.NewTicker(leaseEvery)
	defer tick.Stop()
	w := watch{node: node}
	for {
		switch back, err := w.renew(ctx, s); {
		case err != nil && ctx.Err() == nil:
			s.log.Error("renewing the lease of this node", "error", err)
		case back:
			lost()
		}
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaseEvery)
			defer cancel()
			return s.Update(last, System("node"), func(tx *Tx) error { return tx.lapse(node.ID) })
		case <-tick.C:
		}
	}
}

// A watch is what a node knows of itself and has seen of the others, by their ids.
type watch struct {
	node   Node
	known  bool // it was written down once
	unsure bool // it had to be written down again, and whether that was done is not known
	seen   map[uuid.UUID]sight
	last   time.Time // the look that counted last
}

// A sight is a lease, and in how many looks it was the same.
type sight struct {
	lease int64
	looks int
}

// renew moves the lease of the node on, and ends those of nodes that are gone.
// back means that it had been found gone itself.
func (w *watch) renew(ctx context.Context, s *Store) (back bool, err error) {
	counts := time.Since(w.last) > leaseEvery/2 // one that came late is followed by another at once
	var seen map[uuid.UUID]sight
	added := false
	err = s.Update(ctx, System("node"), func(tx *Tx) error {
		if err := tx.readClock(); err != nil {
			return err
		}
		lease := Micros(tx.now.Add(leaseLooks * leaseEvery))
		n, err := tx.exec("UPDATE node SET lease = $2 WHERE id = $1", w.node.ID, lease)
		if err != nil {
			return err
		}
		if added = n == 0; added {
			if _, err := tx.exec("INSERT INTO node (id, address, started, lease) VALUES ($1, $2, $3, $4)",
				w.node.ID, w.node.Address, Micros(w.node.Started), lease); err != nil {
				return err
			}
		}
		seen, err = w.look(tx, counts)
		return err
	})
	if err != nil {
		w.seen = nil
		w.unsure = w.unsure || added
		return false, err
	}
	w.seen = seen
	if counts {
		w.last = time.Now()
	}
	back = w.known && (added || w.unsure)
	w.known, w.unsure = true, false
	return back, nil
}

func (w *watch) look(tx *Tx, counts bool) (map[uuid.UUID]sight, error) {
	seen := map[uuid.UUID]sight{}
	rows, err := tx.query("SELECT id, lease FROM node WHERE id <> $1", w.node.ID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id uuid.UUID
		now := sight{looks: 1}
		if err := rows.Scan(&id, &now.lease); err != nil {
			return nil, err
		}
		switch before, ok := w.seen[id]; {
		case ok && before.lease == now.lease && counts:
			now.looks += before.looks
		case ok && before.lease == now.lease:
			now.looks = before.looks
		}
		seen[id] = now
	}
	rows.Close()
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for id, x := range seen {
		if x.looks < leaseLooks {
			continue
		}
		if err := tx.lapse(id); err != nil {
			return nil, err
		}
	}
	return seen, nil
}

// lapse ends a node. Of two that find it gone, one does.
func (tx *Tx) lapse(id uuid.UUID) error {
	n, err := tx.exec("DELETE FROM node WHERE id = $1", id)
	if err != nil || n == 0 {
		return err
	}
	return tx.Due(NodeLapsed, id, tx.now)
}

// Node returns a node that is alive or was a moment ago, or ErrNotFound.
func (tx *Tx) Node(id uuid.UUID) (Node, error) {
	n := Node{ID: id}
	var started int64
	err := tx.queryRow("SELECT address, started FROM node WHERE id = $1", id).Scan(&n.Address, &started)
	n.Started = Time(started)
	return n, err
}
