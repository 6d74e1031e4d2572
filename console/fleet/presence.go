package fleet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

// Machine is the machine with the id, whatever its organisation: for the hello,
// where nothing else is known yet. Only name, organisation, key and whether it was
// expelled are told.
func (f *Fleet) Machine(ctx context.Context, id model.ID) (model.Machine, error) {
	var m model.Machine
	err := f.store.View(ctx, store.System("hello"), func(tx *store.Tx) error {
		m = model.Machine{}
		err := tx.QueryRow("SELECT id, organisation_id, name, key, revoked FROM machine WHERE id = $1 AND {wall}", id).
			Scan(&m.ID, &m.Organisation, &m.Name, &m.Key, &m.Revoked)
		if errors.Is(err, store.ErrNotFound) {
			return errors.Join(errNoMachine, err)
		}
		return err
	})
	return m, err
}

// Disconnected writes down that a line ended. With a reason the machine is
// offline now; without one it has its organisation's offline_after to come back, but
// only backTime after it was silent.
func (f *Fleet) Disconnected(ctx context.Context, from model.From, since time.Time, reason model.OfflineReason, silent bool) error {
	return f.store.Update(ctx, store.Machine(from.Organisation, from.Machine), func(tx *store.Tx) error {
		if reason != model.OfflineNone {
			return f.gone(tx, from.Machine, reason, func(m *model.Machine) bool {
				return m.Disconnected(m.Node, since, reason, tx.Now())
			})
		}
		// Held: of a line that ends and one that begins in the same moment, the row
		// that the one leaves and the other removes is no collision by itself.
		if err := tx.Hold("machine", from.Machine); err != nil && !errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("take hold of a machine: %w", err)
		}
		m, err := get(tx, from.Machine)
		if err != nil {
			return err
		}
		if !m.Online || !m.Since.Equal(since) {
			return nil // a newer line has taken over, perhaps at another node
		}
		settings, err := Settings(tx, from.Organisation)
		if err != nil {
			return err
		}
		wait := settings.OfflineAfter
		if silent {
			wait = min(wait, backTime)
		}
		return tx.Due(KindLost, from.Machine, tx.Now().Add(wait))
	})
}

// Held gives machines the time to come back that are written down as at a node and
// whose lines it does not hold: the end of a line, or whether one had begun, could not be
// written. now tells whose lines it holds at this moment; it is asked after what is
// written down was read, so that one that has just come is not taken for one that left.
// It returns the machines whose lines it held when it was asked first and that are written
// down as offline, or at another node, and whether a line there lives.
func (f *Fleet) Held(ctx context.Context, node model.ID, now func() map[model.ID]bool) (elsewhere map[model.ID]bool, err error) {
	type here struct {
		machine model.ID
		since   int64
	}
	var left []here
	scope := store.System("presence")
	held := now()
	err = f.store.View(ctx, scope, func(tx *store.Tx) error {
		left, elsewhere = nil, nil
		written, err := store.CollectIDs(tx, "SELECT id FROM machine WHERE node = $1 AND online = $2 AND {wall}", node, true)
		if err != nil {
			return err
		}
		rest := maps.Clone(held)
		for _, id := range written {
			delete(rest, id)
		}
		if len(rest) > 0 {
			if elsewhere, err = elsewhereOf(tx, node, slices.Collect(maps.Keys(rest))); err != nil {
				return err
			}
		}
		if len(written)+len(rest) == len(held) {
			return nil
		}
		left, err = store.Collect(tx, func(r *store.Rows) (h here, err error) { return h, r.Scan(&h.machine, &h.since) },
			`SELECT m.id, m.since FROM machine m WHERE m.node = $1 AND m.online = $2 AND {wall m}
			AND NOT EXISTS (SELECT 1 FROM due d WHERE d.kind = $3 AND d.id = m.id)`, node, true, KindLost)
		return err
	})
	if err != nil || len(left) == 0 {
		return elsewhere, err
	}
	holds := now()
	for _, h := range left {
		if holds[h.machine] {
			continue
		}
		err := f.store.Update(ctx, scope, func(tx *store.Tx) error {
			if err := tx.Hold("machine", h.machine); err != nil {
				return err
			}
			m, err := get(tx, h.machine)
			if err != nil || !m.Online || m.Node != node || store.Micros(m.Since) != h.since {
				return err
			}
			settings, err := Settings(tx, m.Organisation)
			if err != nil {
				return err
			}
			return tx.DueBy(KindLost, h.machine, tx.Now().Add(settings.OfflineAfter))
		})
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return elsewhere, fmt.Errorf("write down that a machine left: %w", err)
		}
	}
	return elsewhere, nil
}

// elsewhereOf tells of those among some machines that are written down as offline, or at
// another node, whether a line lives there.
func elsewhereOf(tx *store.Tx, node model.ID, some []model.ID) (map[model.ID]bool, error) {
	type at struct {
		machine       model.ID
		online, lives bool
	}
	list, err := store.CollectIn(tx, func(r *store.Rows) (a at, err error) { return a, r.Scan(&a.machine, &a.online, &a.lives) },
		`SELECT m.id, m.online, EXISTS (SELECT 1 FROM node n WHERE n.id = m.node) AND NOT EXISTS (SELECT 1 FROM due d WHERE d.id = m.id AND d.kind IN ($3, $4))
		FROM machine m WHERE (m.node <> $1 OR m.online <> $2) AND m.id IN {ids} AND {wall m}`, some, node, true, KindLost, KindOrphan)
	elsewhere := map[model.ID]bool{}
	for _, a := range list {
		elsewhere[a.machine] = a.online && a.lives
	}
	return elsewhere, err
}

// backTime is how long a machine that lives takes to come back. One that was silent
// was waited for before: so one that hangs is seen within a minute.
const backTime = 10 * time.Second

// Lost is the handler of KindLost: the line did not come back. While no console was
// there it could not.
func (f *Fleet) Lost(_ context.Context, tx *store.Tx, machine model.ID) (time.Time, error) {
	if until, err := tx.Settles(); err != nil || !until.IsZero() {
		return until, err
	}
	err := f.gone(tx, machine, model.OfflineLinkLost, func(m *model.Machine) bool {
		return m.Disconnected(m.Node, m.Since, model.OfflineLinkLost, tx.Now())
	})
	if errors.Is(err, store.ErrNotFound) {
		return time.Time{}, nil
	}
	return time.Time{}, err
}

// Orphan is the handler of KindOrphan. A machine that has come to a node that is
// alive, perhaps while its own was given up, is not lost.
func (f *Fleet) Orphan(_ context.Context, tx *store.Tx, machine model.ID) (time.Time, error) {
	if until, err := tx.Settles(); err != nil || !until.IsZero() {
		return until, err
	}
	m, err := get(tx, machine)
	if err == nil {
		_, err = tx.Node(m.Node)
		if errors.Is(err, store.ErrNotFound) {
			err = f.gone(tx, machine, model.OfflineLinkLost, func(m *model.Machine) bool {
				return m.Disconnected(m.Node, m.Since, model.OfflineLinkLost, tx.Now())
			})
		}
	}
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	return time.Time{}, err
}

func (f *Fleet) gone(tx *store.Tx, id model.ID, reason model.OfflineReason, leave func(*model.Machine) bool) error {
	m, err := get(tx, id)
	if err != nil {
		return err
	}
	was := m
	if !leave(&m) {
		return nil // a newer line has taken over
	}
	m.Reason = reason
	if err := updateMachine(tx, was, m); err != nil {
		return err
	}
	if err := errors.Join(tx.NotDue(KindLost, id), tx.NotDue(KindOrphan, id)); err != nil {
		return err
	}
	tx.Changed(m.Organisation, ChangedMachine, m.ID)
	return tx.Due(KindGone, id, tx.Now())
}

// NodeLapsed gives the machines of a node that is gone the time to come back to
// another one.
func (f *Fleet) NodeLapsed(tx *store.Tx, node model.ID) error {
	type held struct{ machine, organisation model.ID }
	list, err := store.Collect(tx, func(r *store.Rows) (held, error) {
		var h held
		return h, r.Scan(&h.machine, &h.organisation)
	}, "SELECT id, organisation_id FROM machine WHERE node = $1 AND online = $2 AND {wall}", node, true)
	if err != nil {
		return fmt.Errorf("list the machines of a node that is gone: %w", err)
	}
	of := map[model.ID][]model.ID{}
	for _, h := range list {
		of[h.organisation] = append(of[h.organisation], h.machine)
	}
	for organisation, machines := range of {
		s, err := Settings(tx, organisation)
		if err != nil {
			return err
		}
		if err := tx.DueAll(KindOrphan, machines, tx.Now().Add(s.OfflineAfter)); err != nil {
			return err
		}
	}
	return nil
}

// mostLost is as much as is counted; a machine may say that it lost any number.
const mostLost = 1e9

// TakeLosses counts what machines had to give up.
func (f *Fleet) TakeLosses(tx *store.Tx, list []model.Loss) error {
	lost := map[model.ID]int64{}
	for _, l := range list {
		lost[l.Machine] = min(lost[l.Machine]+min(l.Messages, mostLost), mostLost)
	}
	machines := slices.SortedFunc(maps.Keys(lost), func(a, b model.ID) int { return bytes.Compare(a[:], b[:]) }) // of two at once none waits for the other
	for _, machine := range machines {
		m, err := get(tx, machine)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		was := m
		m.Lost, m.LostAt = min(m.Lost+lost[machine], mostLost), tx.Now()
		if err := updateMachine(tx, was, m); err != nil {
			return err
		}
		tx.Changed(m.Organisation, ChangedMachine, m.ID)
	}
	return nil
}

// SetBlind writes whether a machine cannot judge all of its checks, and tells
// whether that is news.
func SetBlind(tx *store.Tx, machine model.ID, blind bool) (bool, error) {
	m, err := get(tx, machine)
	if err != nil || m.Blind == blind {
		return false, err
	}
	was := m
	m.Blind = blind
	return true, updateMachine(tx, was, m)
}

// SetHealth writes what the alerts of a machine add up to. One that cannot judge all
// of its checks is not called well for having none.
func SetHealth(tx *store.Tx, machine model.ID, health model.Health, open int) error {
	m, err := get(tx, machine)
	if err != nil {
		return err
	}
	if health == model.HealthOK && m.Blind {
		health = model.HealthUnknown
	}
	if m.Health == health && m.OpenAlerts == open {
		return nil
	}
	was := m
	m.Health, m.OpenAlerts = health, open
	tx.Changed(m.Organisation, ChangedMachine, machine)
	return updateMachine(tx, was, m)
}
