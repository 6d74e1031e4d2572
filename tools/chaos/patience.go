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

const (
	seen   = time.Minute       // a machine that hangs is called offline by then
	taught = 150 * time.Second // two ends of a line that lived for less than a minute each: a machine has learnt what its network is like
)

// patience is a network that ends what is idle for 20 seconds, on which machines learn
// to beat more often, and then one of 64 KiB a second, on which scripts write megabytes,
// while a real agent hangs.
func (w *world) patience() error {
	w.network.set(hasty)
	nobody := func(time.Duration) {}
	if err := w.watch(taught, "", nobody); err != nil {
		return fmt.Errorf("on a hasty network: %w", err)
	}
	learnt, err := w.since()
	if err != nil {
		return err
	}
	if err := w.watch(2*haste, "", nobody); err != nil {
		return fmt.Errorf("on a hasty network: %w", err)
	}
	kept, err := w.since()
	if err != nil {
		return err
	}
	for id, since := range kept {
		if learnt[id] != since {
			return fmt.Errorf("on a hasty network: the line of %s ended again and again, the last one began %s, and the one before %s", id,
				store.Time(int64(since)).Format(time.TimeOnly), store.Time(int64(learnt[id])).Format(time.TimeOnly))
		}
	}
	w.network.set(fine)
	var talks, well struct{ Machines []string }
	if err := w.order(http.MethodPost, "/fault", map[string]any{"kind": "talk", "count": 0}, &talks); err != nil {
		return err
	}
	before, err := w.since()
	if err != nil {
		return err
	}
	r := &round{world: w, number: 1 << 20}
	for i := range 3 {
		if err := r.run(i, w.linux[i]); err != nil {
			return err
		}
	}
	w.network.set(slow)
	hangs, machine := w.agents[0], w.holders[0].machine
	w.hung = uuid.MustParse(machine)
	if err := hangs.signal(syscall.SIGSTOP); err != nil {
		return err
	}
	var away time.Duration
	err = w.watch(seen+20*time.Second, machine, func(after time.Duration) { away = after })
	err = errors.Join(err, hangs.signal(syscall.SIGCONT))
	w.network.set(fine)
	if err != nil {
		return fmt.Errorf("on a slow network: %w", err)
	}
	if away == 0 || away > seen {
		return fmt.Errorf("an agent that hangs was seen after %s", away)
	}
	fmt.Printf("         an agent that hangs is seen after %.1f s\n", away.Seconds())
	now, err := w.since()
	if err != nil {
		return err
	}
	for _, name := range w.linux[:3] {
		if id := w.ids[name]; now[id] != before[id] {
			return fmt.Errorf("the line of %s was given up while it told a large output", name)
		}
	}
	return w.order(http.MethodPost, "/fault", map[string]any{"kind": "clear", "count": 0}, &well)
}

// watch looks for so long: nobody may be called offline but the one that may, of
// which found hears once.
func (w *world) watch(d time.Duration, may string, found func(time.Duration)) error {
	for from, hears := time.Now(), true; time.Since(from) < d; time.Sleep(200 * time.Millisecond) {
		away, err := w.away()
		if err != nil {
			return err
		}
		if away[may] && hears {
			hears = false
			found(time.Since(from))
		}
		if delete(away, may); len(away) > 0 {
			return fmt.Errorf("%d machines are called offline: %v", len(away), away)
		}
	}
	return nil
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
