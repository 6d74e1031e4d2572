package store

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
)

// A Node is a running console. Each start is a new node with a new id: one
// that comes back takes over nothing.
type Node struct {
	ID      uuid.UUID
	Address string    // how other nodes reach it, https://host:port; empty when it is alone
	Started time.Time // UTC
	Lease   time.Time // alive until; set by RunLease
}

const (
	leaseEvery = 5 * time.Second
	leaseFor   = 15 * time.Second
)

// NodeLapsed is the kind of the due row of a node: it becomes due when the
// lease has ended and grace has passed since, the time for its machines to
// find another node. Its handler calls Tx.Lapsed first.
const NodeLapsed = "node.lapsed"

// RunLease keeps the lease of this node alive until ctx ends, and then gives
// it back. While the database cannot be reached the lease runs out, and
// somebody else may find it lapsed. lost is called when that has happened and
// the node is back: what it holds was given up in its name and must be
// written again.
func (s *Store) RunLease(ctx context.Context, node Node, grace time.Duration, lost func()) error {
	tick := time.NewTicker(leaseEvery)
	defer tick.Stop()
	known := false
	for {
		switch added, err := s.renew(ctx, node, leaseFor, grace); {
		case err != nil && ctx.Err() == nil:
			s.log.Error("renewing the lease of this node", "error", err)
		case added && known:
			lost()
		case err == nil:
			known = true
		}
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaseEvery)
			defer cancel()
			_, err := s.renew(last, node, 0, grace)
			return err
		case <-tick.C:
		}
	}
}

// renew moves the lease on; added means that there was no row of this node.
func (s *Store) renew(ctx context.Context, node Node, length, grace time.Duration) (added bool, err error) {
	err = s.Update(ctx, System("node"), func(tx *Tx) error {
		until := tx.now.Add(length)
		n, err := tx.exec("UPDATE node SET lease = $2 WHERE id = $1", node.ID, Micros(until))
		if err != nil {
			return err
		}
		if added = n == 0; added {
			if _, err := tx.exec("INSERT INTO node (id, address, started, lease) VALUES ($1, $2, $3, $4)",
				node.ID, node.Address, Micros(node.Started), Micros(until)); err != nil {
				return err
			}
		}
		return tx.Due(NodeLapsed, node.ID, until.Add(grace))
	})
	return added, err
}

// Node returns a node that is alive, or ErrNotFound.
func (tx *Tx) Node(id uuid.UUID) (Node, error) {
	n := Node{ID: id}
	var started, lease int64
	err := tx.queryRow("SELECT address, started, lease FROM node WHERE id = $1 AND lease > $2", id, Micros(tx.now)).Scan(&n.Address, &started, &lease)
	n.Started, n.Lease = Time(started), Time(lease)
	return n, err
}

// Lapsed is for the handler of NodeLapsed. It removes the node and returns
// true when its lease has ended: what it held is free. False means that it
// renewed its lease after all; there is another due row for that.
func (tx *Tx) Lapsed(id uuid.UUID) (bool, error) {
	var lease int64
	err := tx.queryRow("SELECT lease FROM node WHERE id = $1", id).Scan(&lease)
	if errors.Is(err, ErrNotFound) {
		return true, nil // whatever it held, it is not there
	}
	if err != nil || lease > Micros(tx.now) {
		return false, err
	}
	_, err = tx.exec("DELETE FROM node WHERE id = $1", id)
	return err == nil, err
}
