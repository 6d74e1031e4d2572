package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/protocol/uptime"
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

	// leaseLate is after which time without any renewal nobody was there for the machines:
	// no node ran, or none reached the database.
	leaseLate = 2 * leaseEvery

	// leaseCut is after which time without renewing its own a node that has others beside it
	// drops what it holds, which can come to them before it is called lost. A database that
	// is away for all for a moment, as when another server takes over, ends no lines.
	leaseCut = 45 * time.Second

	// longestBack is how long machines have at most to come back after that. One that has
	// tried in vain for long waits up to a minute and a half before the next try, which
	// takes a while itself beside many others.
	longestBack = 2 * time.Minute
)

// NodeLapsed is the kind of the due row of a node that is gone: what it held is
// free.
const NodeLapsed = "node.lapsed"

// RunLease renews the lease of this node until ctx ends, and then gives it
// back. Each time it looks at the leases of the others: one that does not
// change any more is of a node that is gone. That is counted in looks that
// succeed one after the other, so clocks that differ or are set say nothing of
// it, and neither does a database that was away for all of them. lost is called
// when others must have found this one gone, and when it is back then: what it holds
// was given up in its name and must be written again.
func (s *Store) RunLease(ctx context.Context, node Node, lost func()) error {
	tick := time.NewTicker(leaseEvery)
	defer tick.Stop()
	w := watch{node: node}
	for {
		first := !w.known
		back, err := w.renew(ctx, s)
		if err == nil {
			err = s.present(ctx, first)
		}
		if err != nil && ctx.Err() == nil {
			s.log.Error("renewing the lease of this node", "error", err)
		}
		if back || w.givenUp() {
			lost()
		}
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaseEvery)
			defer cancel()
			return errors.Join(s.Update(last, System("node"), func(tx *Tx) error { return tx.lapse(node.ID) }), s.present(last, false))
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
	last   time.Time     // the look that counted last
	up     time.Duration // for how long the program had run at the last renewal, if known
	others bool          // there were others at the last renewal
	given  bool          // and since then they have given this one up
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
		tx.now = tx.store.clock.now() // this computer may have slept since the clock was read
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
	w.known, w.unsure, w.up, w.others, w.given = true, false, uptime.Now(), len(seen) > 0, false
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

// givenUp tells, once, that others have found this node gone by now, unless the database
// is away for them too. One that is alone is missed by nobody.
func (w *watch) givenUp() bool {
	if !w.others || w.given || uptime.Now()-w.up <= leaseCut {
		return false
	}
	w.given = true
	return true
}

// present writes down that a node is there. If none was for a while, machines get the
// time to come back: twice as long as they tried in vain, for they wait longer each time.
// So a console that starts again and again calls machines lost if it is there for twice
// as long as it is away. A node that starts counts every moment; of one that runs a
// renewal may be late.
//
// On PostgreSQL the row may be held by another node, which may be frozen: that one is
// there, and nobody waits for it.
func (s *Store) present(ctx context.Context, first bool) error {
	query := "SELECT last, settles FROM presence WHERE one = 1"
	if s.engine.name() == "postgres" {
		query += " FOR UPDATE SKIP LOCKED"
	}
	err := s.Update(ctx, System("node"), func(tx *Tx) error {
		var last, settles int64
		if err := tx.queryRow(query).Scan(&last, &settles); err != nil {
			return err
		}
		away, late := tx.now.Sub(Time(last)), time.Duration(leaseLate)
		if first {
			late = 0
		}
		if Time(settles).Sub(tx.now) > longestBack+leaseLate { // the clock was set back
			settles = 0
		}
		switch {
		case away >= 0 && away < leaseEvery/2: // another said so just now
			return nil
		case last == 0: // nobody can have been lost
		case away < -leaseLate: // the clock was set back meanwhile
			settles = Micros(tx.now.Add(longestBack))
		case away > late:
			settles = max(settles, Micros(tx.now.Add(min(longestBack, 2*min(away, longestBack)))))
		}
		_, err := tx.exec("UPDATE presence SET last = $1, settles = $2 WHERE one = 1", Micros(tx.now), settles)
		return err
	})
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("write down that a node is there: %w", err)
	}
	return nil
}

// Settles is when machines will have had the time to come back, after no node was there
// for them or none reached the database; the zero time when they have had it. Until then
// none is lost. Just after such a time, before any node has said that it is back, it is
// the time to ask again.
func (tx *Tx) Settles() (time.Time, error) {
	var last, settles int64
	if err := tx.queryRow("SELECT last, settles FROM presence WHERE one = 1").Scan(&last, &settles); err != nil {
		return time.Time{}, fmt.Errorf("read when a node was last there: %w", err)
	}
	if last > 0 && tx.now.Sub(Time(last)) > leaseLate {
		return tx.now.Add(leaseEvery), nil
	}
	if left := Time(settles).Sub(tx.now); left > 0 && left <= longestBack+leaseLate { // more: the clock was set back
		return Time(settles), nil
	}
	return time.Time{}, nil
}

// Node returns a node that is alive or was a moment ago, or ErrNotFound.
func (tx *Tx) Node(id uuid.UUID) (Node, error) {
	n := Node{ID: id}
	var started int64
	err := tx.queryRow("SELECT address, started FROM node WHERE id = $1", id).Scan(&n.Address, &started)
	n.Started = Time(started)
	return n, err
}
