package main

import (
	"errors"
	"fmt"
	"net/http"
	"syscall"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/console/store"
)

// What takes a minute to show is done in a scene of its own, in which machines beat
// as seldom as they do by default.

const seen = time.Minute // a machine that hangs is called offline by then

// patience is a network that ends what is idle for 20 seconds, while one real agent
// hangs; and then one of 64 KiB a second, while a script writes four megabytes.
func (w *world) patience() error {
	w.hung = uuid.MustParse(w.holders[0].machine)
	frozen, machine := w.agents[0], w.holders[0].machine
	if err := frozen.signal(syscall.SIGSTOP); err != nil {
		return err
	}
	w.network.set(hasty)
	from, offline := time.Now(), time.Duration(0)
	for time.Since(from) < seen+haste/2 {
		away, err := w.away()
		if err != nil {
			return err
		}
		if away[machine] && offline == 0 {
			offline = time.Since(from)
		}
		if delete(away, machine); len(away) > 0 {
			return fmt.Errorf("%d machines are offline on a network that is only hasty", len(away))
		}
		time.Sleep(200 * time.Millisecond)
	}
	w.network.set(fine)
	err := frozen.signal(syscall.SIGCONT)
	if offline == 0 || offline > seen {
		return errors.Join(err, fmt.Errorf("an agent that hangs was seen after %s", offline))
	}
	fmt.Printf("         an agent that hangs is seen after %.1f s\n", offline.Seconds())
	return errors.Join(err, w.transfer())
}

// transfer: on the slow network a large output takes more than a minute. Meanwhile
// the line of its machine stays the one that it is.
func (w *world) transfer() error {
	r := &round{world: w, number: 1 << 20}
	var talks struct{ Machines []string }
	if err := w.order(http.MethodPost, "/fault", map[string]any{"kind": "talk", "count": 0}, &talks); err != nil {
		return err
	}
	since, err := w.since()
	if err != nil {
		return err
	}
	w.network.set(slow)
	for i := range 3 {
		if err := r.run(i, w.linux[i]); err != nil {
			return err
		}
	}
	for from := time.Now(); time.Since(from) < 80*time.Second; time.Sleep(200 * time.Millisecond) {
		away, err := w.away()
		if err != nil {
			return err
		}
		if delete(away, w.holders[0].machine); len(away) > 0 {
			return fmt.Errorf("%d machines are offline on a network that is only slow", len(away))
		}
	}
	w.network.set(fine)
	now, err := w.since()
	if err != nil {
		return err
	}
	for _, name := range w.linux[:3] {
		if id := w.ids[name]; now[id] != since[id] {
			return fmt.Errorf("the line of %s was given up while it told a large output", name)
		}
	}
	var well struct{ Machines []string }
	return w.order(http.MethodPost, "/fault", map[string]any{"kind": "clear", "count": 0}, &well)
}

// away are the machines that are offline.
func (w *world) away() (map[string]bool, error) {
	out := map[string]bool{}
	err := w.view(func(tx *store.Tx) error {
		clear(out)
		ids, err := store.Collect(tx, func(rows *store.Rows) (id uuid.UUID, err error) { return id, rows.Scan(&id) },
			"SELECT id FROM machine WHERE online = $1 AND {wall}", false)
		for _, id := range ids {
			out[id.String()] = true
		}
		return err
	})
	return out, err
}

// since is when the line of each machine began.
func (w *world) since() (map[string]int, error) {
	return w.tally("SELECT id, since FROM machine WHERE {wall}")
}
