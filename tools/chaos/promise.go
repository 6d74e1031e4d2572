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
		{"no machine was called lost", func(r *round) error {
			return r.none("SELECT count(*) FROM alert WHERE check_id = 'machine.offline' AND {wall}")
		}},
		{"each illness is one alert", func(r *round) error { return illnesses(r, ill) }},
		{"an alert that fires has a ticket", func(r *round) error {
			return r.none("SELECT count(*) FROM alert WHERE state = 'firing' AND ticket_id = $1 AND {wall}", uuid.Nil)
		}},
		{"one open ticket for each that is ill", tickets},
		{"each script ran once", scripts},
		{"each note that was taken is there once", notes},
		{"nothing is overdue", func(r *round) error {
			return r.none("SELECT count(*) FROM due WHERE at < $1", store.Micros(time.Now().Add(-20*time.Second)))
		}},
		{"no message was refused", func(r *round) error {
			return r.none("SELECT count(*) FROM refused_message WHERE {wall}")
		}},
	}
}

// view reads the database, beside the consoles.
func (r *round) view(do func(*store.Tx) error) error {
	return r.store.View(r.ctx, store.System("chaos"), do)
}

// none is nil where the count is 0.
func (r *round) none(query string, args ...any) error {
	var n int
	err := r.view(func(tx *store.Tx) error { return tx.QueryRow(query, args...).Scan(&n) })
	if err == nil && n != 0 {
		err = fmt.Errorf("%d", n)
	}
	return err
}

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

// tally counts rows by machine.
func (r *round) tally(query string, args ...any) (map[string]int, error) {
	type one struct {
		machine uuid.UUID
		n       int
	}
	out := map[string]int{}
	err := r.view(func(tx *store.Tx) error {
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

// scripts: each that was asked for is one run, which has come to its end, and a
// machine has begun no more than it was asked for. What a machine was doing when it
// was killed is lost, and is never done again.
func scripts(r *round) error {
	type one struct {
		machine uuid.UUID
		state   string
	}
	var runs []one
	err := r.view(func(tx *store.Tx) (err error) {
		runs, err = store.Collect(tx, func(rows *store.Rows) (o one, err error) { return o, rows.Scan(&o.machine, &o.state) },
			"SELECT machine_id, state FROM run WHERE {wall}")
		return err
	})
	if err != nil {
		return err
	}
	if len(runs) != len(r.runs) {
		return never{fmt.Sprintf("%d runs of %d that were asked for", len(runs), len(r.runs))}
	}
	for _, run := range runs {
		switch run.state {
		case "succeeded":
		case "lost":
			if !r.ever {
				return never{"a script is lost, and no machine was killed"}
			}
		case "queued", "sent", "running":
			return fmt.Errorf("one is %s", run.state)
		default:
			return never{"a script has " + run.state}
		}
	}
	if r.killed { // they count from their last start
		return nil
	}
	began := map[string]int{}
	if err := r.order(http.MethodGet, "/repairs", nil, &began); err != nil {
		return err
	}
	for name, n := range began {
		if n -= r.before[name]; n != r.asked[name] {
			return never{fmt.Sprintf("%s has begun %d scripts of %d", name, n, r.asked[name])}
		}
	}
	return nil
}

// notes: one that was taken is there, and none is there twice.
func notes(r *round) error {
	there := map[string]int{}
	err := r.view(func(tx *store.Tx) error {
		clear(there)
		titles, err := store.Collect(tx, func(rows *store.Rows) (s string, err error) { return s, rows.Scan(&s) },
			"SELECT title FROM ticket WHERE source = 'api' AND {wall}")
		for _, t := range titles {
			there[t]++
		}
		return err
	})
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for text, taken := range r.notes {
		if n := there[text]; n > 1 || taken && n == 0 {
			return never{fmt.Sprintf("%q is there %d times, taken: %t", text, n, taken)}
		}
	}
	return nil
}
