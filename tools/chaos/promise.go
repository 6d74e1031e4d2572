package main

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/console/store"
)

// A promise is something that holds when all is well again.
type promise struct {
	says  string
	holds func(*round) error
}

// never is a broken promise that no waiting mends.
type never struct{ what string }

func (n never) Error() string { return n.what }

// promises are all of them, while machines are ill or when none is.
func (r *round) promises(ill bool) []promise {
	return []promise{
		{"every machine is online", online},
		{"every machine has a line", lines},
		{"no machine was called lost", calledLost},
		{"each illness is one alert", func(r *round) error { return illnesses(r, ill) }},
		{"an alert that fires has a ticket", func(r *round) error {
			return r.none("SELECT count(*) FROM alert WHERE state = 'firing' AND ticket_id = $1 AND {wall}", uuid.Nil)
		}},
		{"one open ticket for each that is ill", tickets},
		{"no alert is told twice", once},
		{"each script ran once, to its end", scripts},
		{"what each script wrote is whole", outputs},
		{"each note that was taken is there once", notes},
		{"each act is one audit row", audited},
		{"each machine's journal is there without a gap", chained},
		{"no session lives that nobody holds", orphans},
		{"nothing is overdue", func(r *round) error {
			return r.none("SELECT count(*) FROM due WHERE at < $1", store.Micros(time.Now().Add(-20*time.Second)))
		}},
		{"no message was refused", func(r *round) error {
			return r.none("SELECT count(*) FROM refused_message WHERE {wall}")
		}},
	}
}

// view reads the database, beside the consoles.
func (w *world) view(do func(*store.Tx) error) error {
	return w.store.View(w.ctx, store.System("chaos"), do)
}

// none is nil where the count is 0.
func (w *world) none(query string, args ...any) error {
	var n int
	err := w.view(func(tx *store.Tx) error { return tx.QueryRow(query, args...).Scan(&n) })
	if err == nil && n != 0 {
		err = count(n)
	}
	return err
}

// count is how many there are of what should not be there.
type count int

func (n count) Error() string { return fmt.Sprint(int(n)) }

func online(r *round) error {
	var away []string
	err := r.view(func(tx *store.Tx) (err error) {
		away, err = store.Collect(tx, func(rows *store.Rows) (string, error) {
			var name, reason string
			var since int64
			var node uuid.UUID
			err := rows.Scan(&name, &reason, &since, &node)
			return fmt.Sprintf("%s (%s since %s, last at %s)", name, reason, store.Time(since).Format(time.TimeOnly), node), err
		}, "SELECT name, reason, since, node FROM machine WHERE online = $1 AND {wall}", false)
		return err
	})
	if err == nil && len(away) > 0 {
		err = fmt.Errorf("%d of %d are not: %s", len(away), len(r.ids), strings.Join(away[:min(5, len(away))], ", "))
	}
	return err
}

// lines: what is written down as online is connected, too. A round that began before
// would find machines that have tried for long already, and wait for longer each time.
func lines(r *round) error {
	held, want := 0, 0
	for _, at := range r.plain {
		var node struct{ Machines int }
		if err := r.ask(at, http.MethodGet, "/node", nil, &node); err != nil {
			return err
		}
		held += node.Machines
	}
	err := r.view(func(tx *store.Tx) error {
		return tx.QueryRow("SELECT count(*) FROM machine WHERE {wall}").Scan(&want)
	})
	if err == nil && held != want {
		err = fmt.Errorf("%d of %d have one", held, want)
	}
	return err
}

// tally counts rows by an id, such as that of a machine.
func (w *world) tally(query string, args ...any) (map[string]int, error) {
	type one struct {
		machine uuid.UUID
		n       int
	}
	out := map[string]int{}
	err := w.view(func(tx *store.Tx) error {
		clear(out)
		list, err := store.Collect(tx, func(rows *store.Rows) (o one, err error) { return o, rows.Scan(&o.machine, &o.n) }, query, args...)
		for _, o := range list {
			out[o.machine.String()] = o.n
		}
		return err
	})
	return out, err
}

// illnesses: whoever fell ill has one alert for each time, and it fires as long as
// they are. Machines that were killed have forgotten that they were ill; whether they
// had told it by then is a matter of chance.
func illnesses(r *round, ill bool) error {
	all, err := r.tally("SELECT machine_id, count(*) FROM alert WHERE check_id = 'filesystem.full' AND {wall} GROUP BY machine_id")
	if err != nil {
		return err
	}
	firing, err := r.tally("SELECT machine_id, count(*) FROM alert WHERE check_id = 'filesystem.full' AND state = 'firing' AND {wall} GROUP BY machine_id")
	if err != nil {
		return err
	}
	open, err := r.tally("SELECT machine_id, count(*) FROM alert WHERE check_id = 'filesystem.full' AND open_key <> '' AND {wall} GROUP BY machine_id")
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for name, id := range r.ids {
		want := r.sick[name]
		switch {
		case all[id] > want:
			return never{fmt.Sprintf("%s fell ill %d times and has %d alerts", name, want, all[id])}
		case all[id] < want && !r.killed:
			return fmt.Errorf("%s fell ill %d times and has %d alerts", name, want, all[id])
		}
		if open[id] > 1 {
			return never{fmt.Sprintf("%s has %d open alerts of one kind", name, open[id])}
		}
		if !ill && !r.killed && open[id] > 0 || !ill && firing[id] > 0 {
			return fmt.Errorf("%s is well and has %d open alerts", name, open[id])
		}
	}
	return nil
}

// tickets: as many are open for machines as machines are ill.
func tickets(r *round) error {
	var open, ill int
	err := r.view(func(tx *store.Tx) error {
		err := tx.QueryRow("SELECT count(*) FROM ticket WHERE source = 'alert' AND state <> 'resolved' AND state <> 'closed' AND {wall}").Scan(&open)
		if err != nil {
			return err
		}
		return tx.QueryRow("SELECT count(DISTINCT ticket_id) FROM alert WHERE open_key <> '' AND {wall}").Scan(&ill)
	})
	if err == nil && open != ill {
		err = fmt.Errorf("%d are open, of %d", open, ill)
	}
	return err
}

// once: a machine tells that an alert fires once, and how bad it is does not change
// here; told again it would be counted again.
func once(r *round) error {
	told, err := r.tally("SELECT machine_id, max(count) FROM alert WHERE check_id = 'filesystem.full' AND {wall} GROUP BY machine_id")
	if err != nil {
		return err
	}
	for name, id := range r.ids {
		if told[id] > 1 {
			return never{fmt.Sprintf("an alert of %s was told %d times", name, told[id])}
		}
	}
	return nil
}
