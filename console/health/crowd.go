package health

import (
	"errors"
	"fmt"
	"time"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/protocol/catalogue"
)

// crowdFor is how long a ticket of a machine counts after its alerts moved: who
// has its alerts come and go has as many tickets as whose alerts stay.
const crowdFor = time.Hour

// room makes room for one more alert of a machine, and names the tickets of its
// alerts, the newest first, when it has so many alerts, or had so many tickets
// within an hour, that no more open. No alert is turned away because there are
// many: a machine tells a transition once. Its silence is our own word, and stands
// beside the others.
func room(tx *store.Tx, a model.Alert) ([]model.ID, error) {
	if a.Check == checkOffline {
		return nil, nil
	}
	var open int
	err := tx.QueryRow("SELECT count(*) FROM alert WHERE "+openOfMachine, a.Machine).Scan(&open)
	if err != nil {
		return nil, fmt.Errorf("count the alerts of a machine: %w", err)
	}
	if open >= maxOpen {
		if err := giveWay(tx, a); err != nil {
			return nil, err
		}
	}
	tickets, err := store.CollectIDs(tx, `SELECT ticket_id FROM alert WHERE machine_id = $1 AND check_id <> $2 AND (open_key <> '' OR changed_at > $3) AND {wall}
		GROUP BY ticket_id ORDER BY max(started_at) DESC, ticket_id DESC`, a.Machine, checkOffline, store.Micros(tx.Now().Add(-crowdFor)))
	if err != nil {
		return nil, fmt.Errorf("find the tickets of a machine's alerts: %w", err)
	}
	if open < maxTickets && len(tickets) < maxTickets {
		return nil, nil
	}
	return tickets, nil
}

// keptResolved is how many alerts of a machine are kept that have resolved.
const keptResolved = 2000

// forgetOldest deletes the alerts of a machine that resolved before the newest of
// them: it may have alerts come and go for ever.
func forgetOldest(tx *store.Tx, machine model.ID) error {
	_, err := tx.Exec(`DELETE FROM alert WHERE machine_id = $1 AND state = 'resolved' AND changed_at <=
		(SELECT changed_at FROM alert WHERE machine_id = $1 AND state = 'resolved' AND {wall} ORDER BY changed_at DESC LIMIT 1 OFFSET $2) AND {wall}`,
		machine, int64(keptResolved))
	if err != nil {
		return fmt.Errorf("delete the oldest alerts of a machine: %w", err)
	}
	return nil
}

// giveWay ends the oldest open alert of the same check, a warning if there is
// one: no other check pays for this one. Only names that no check has are
// refused here, for of them there is no end.
func giveWay(tx *store.Tx, a model.Alert) error {
	var id model.ID
	err := tx.QueryRow(`SELECT id FROM alert WHERE machine_id = $1 AND open_key <> '' AND check_id = $2 AND {wall}
		ORDER BY CASE WHEN severity = 'warning' THEN 0 ELSE 1 END, started_at, id LIMIT 1`, a.Machine, a.Check).Scan(&id)
	if errors.Is(err, store.ErrNotFound) {
		if _, known := catalogue.Find(a.Check); known {
			return nil // the first of its check: there are only so many checks
		}
		return model.Problemf(model.CodeRefused, "check", "%d alerts of this machine are open, and no check has this name", maxOpen)
	}
	if err != nil {
		return fmt.Errorf("find an alert that gives way: %w", err)
	}
	old, err := Get(tx, id)
	if err != nil {
		return err
	}
	if err := old.Resolve(model.EndGaveWay, tx.Now()); err != nil {
		return err
	}
	old.Done = model.Words{EN: "Nobody knows whether this cleared: it gave way to newer alerts of the same check, of which this computer has very many.",
		PL: "Nie wiadomo, czy to ustąpiło: alert zwolnił miejsce nowszym alertom tej samej kontroli, których na tym komputerze jest bardzo dużo."}
	return write(tx, &old)
}
