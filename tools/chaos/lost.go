package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

// calledLost: no machine has an alert for being silent, and none was seen to be called
// lost.
func calledLost(r *round) error {
	var all []string
	err := r.view(func(tx *store.Tx) (err error) {
		all, err = store.Collect(tx, func(rows *store.Rows) (string, error) {
			var name string
			var since, lost int64
			err := rows.Scan(&name, &since, &lost)
			return fmt.Sprintf("%s at %s, its line now is of %s", name, store.Time(lost).Format(time.StampMilli), store.Time(since).Format(time.StampMilli)), err
		}, `SELECT m.name, m.since, a.started_at FROM alert a, machine m WHERE m.id = a.machine_id AND {wall m}
			AND a.check_id = 'machine.offline' AND a.machine_id <> $1 AND {wall a}`, r.hung)
		return err
	})
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for machine, said := range r.gone {
		if machine != r.hung {
			all = append(all, said)
		}
	}
	if len(all) > 0 {
		return never{strings.Join(all, "; ")}
	}
	if blind := time.Since(r.looked); blind > 10*time.Second {
		return fmt.Errorf("nobody has looked for %.0f s", blind.Seconds())
	}
	return nil
}

// lookOut watches, until the function that it returns is called, for machines that are
// called lost: nothing remembers one that was, and came back before its alert was made.
func (w *world) lookOut() func() {
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			w.look()
			select {
			case <-end:
				return
			case <-time.After(200 * time.Millisecond):
			}
		}
	}()
	return func() { close(end); <-ended }
}

// look looks once. A database that is killed for the moment calls nobody lost.
func (w *world) look() {
	type away struct {
		machine uuid.UUID
		said    string
	}
	var list []away
	err := w.view(func(tx *store.Tx) (err error) {
		list, err = store.Collect(tx, func(rows *store.Rows) (a away, err error) {
			var name string
			var since int64
			err = rows.Scan(&a.machine, &name, &since)
			a.said = fmt.Sprintf("%s was offline since %s", name, store.Time(since).Format(time.StampMilli))
			return a, err
		}, "SELECT id, name, since FROM machine WHERE online = $1 AND reason = $2 AND {wall}", false, string(model.OfflineLinkLost))
		return err
	})
	if err != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.looked = time.Now()
	for _, a := range list {
		if w.gone[a.machine] == "" {
			w.gone[a.machine] = a.said
		}
	}
}
