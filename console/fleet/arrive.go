package fleet

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/protocol/expression"
)

// Connected writes down that lines begin, each of a machine of its own, with few
// statements: after a fault of the network all machines come at once. It tells what
// becomes of each hello, in their order. Who says hello has been proven.
func (f *Fleet) Connected(ctx context.Context, hellos []model.Hello) (came []model.Arrival, err error) {
	err = f.store.Update(ctx, store.System("hello"), func(tx *store.Tx) error {
		came, err = f.arrive(tx, hellos)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("write down connections: %w", err)
	}
	return came, nil
}

func (f *Fleet) arrive(tx *store.Tx, hellos []model.Hello) ([]model.Arrival, error) {
	ids := make([]model.ID, len(hellos))
	for i, h := range hellos {
		ids[i] = h.Machine
	}
	list, err := store.CollectIn(tx, scanMachine, "SELECT "+machineColumns+" FROM machine m WHERE m.id IN {ids} AND {wall m}", ids)
	if err != nil {
		return nil, fmt.Errorf("read machines: %w", err)
	}
	machines := map[model.ID]model.Machine{}
	for _, m := range list {
		machines[m.ID] = m
	}
	facts, err := factsOf(tx, ids)
	if err != nil {
		return nil, err
	}
	settings := settingsOf{}
	came := make([]model.Arrival, len(hellos))
	var rows [][]any
	var here []model.ID
	var cut []model.Change
	for i, h := range hellos {
		m, known := machines[h.Machine]
		switch {
		case !known || m.Organisation != h.Organisation:
			came[i].Err = errNoMachine
			continue
		case m.Revoked: // since its key was looked at
			came[i].Err = errRevoked
			continue
		}
		s, err := settings.of(tx, m.Organisation)
		if err != nil {
			return nil, err
		}
		was := m
		m.Connected(h.Node, tx.Now())
		if was.CutOff(h) {
			cut = append(cut, model.Change{From: h.From, Section: expression.SectionOS, Item: "restarted", After: "without being shut down", ChangedAt: tx.Now()})
		}
		m.Boot = h.Boot
		m.Name, m.Epoch, m.OS, m.AgentVersion = nameOf(h.Name), h.Epoch, h.OS, h.Agent
		m.Protocol, m.Capabilities, m.Policy, m.Trust, m.Ahead = h.Protocol, h.Can, h.Policy, h.Trust, aheadOf(h)
		row, err := rowOf(m, h.Checks, h.Settings, h.Trust.Hash)
		if err != nil {
			return nil, err
		}
		rows, here = append(rows, row), append(here, m.ID)
		if err := reindex(tx, was, m); err != nil {
			return nil, err
		}
		if !was.Online {
			if err := tx.Due(KindBack, m.ID, tx.Now()); err != nil {
				return nil, err
			}
		}
		tx.Changed(m.Organisation, ChangedMachine, m.ID)
		came[i] = model.Arrival{Since: m.Since, Wanted: unlike(facts[m.ID], h.Facts), Blind: m.Blind, Beat: s.Beat}
	}
	_, err = tx.Insert(insertMachines, rows, `ON CONFLICT (id) DO UPDATE SET name = excluded.name, name_fold = excluded.name_fold,
		name_sort = excluded.name_sort, epoch = excluded.epoch, online = excluded.online, node = excluded.node, since = excluded.since,
		reason = excluded.reason, last_seen = excluded.last_seen, about = excluded.about, checks_hash = excluded.checks_hash,
		settings_hash = excluded.settings_hash, trust_hash = excluded.trust_hash, rooted = excluded.rooted, version = machine.version + 1`)
	if err != nil {
		return nil, fmt.Errorf("write machines: %w", err)
	}
	for _, kind := range []string{KindLost, KindOrphan} {
		if err := tx.NotDue(kind, here...); err != nil {
			return nil, err
		}
	}
	if len(cut) == 0 {
		return came, nil
	}
	return came, f.TakeChanges(tx, cut)
}

// sameTime is how far two clocks are apart that are both right enough for anything that
// people do; a hello that waited for its turn says less than that, too.
const sameTime = time.Minute

// aheadOf is by how much the clock of a machine is ahead of ours.
func aheadOf(h model.Hello) time.Duration {
	ahead := h.Clock.Sub(h.At).Round(time.Second)
	if h.Clock.IsZero() || ahead.Abs() < sameTime {
		return 0
	}
	return ahead
}

// settingsOf are settings of organisations that were read in a transaction.
type settingsOf map[model.ID]model.Settings

func (s settingsOf) of(tx *store.Tx, organisation model.ID) (model.Settings, error) {
	if known, ok := s[organisation]; ok {
		return known, nil
	}
	read, err := Settings(tx, organisation)
	if err == nil {
		s[organisation] = read
	}
	return read, err
}

func some(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// factsOf are the hashes of the sections that we have, by machine and name.
func factsOf(tx *store.Tx, machines []model.ID) (map[model.ID]map[string][]byte, error) {
	type section struct {
		machine model.ID
		name    string
		hash    []byte
	}
	list, err := store.CollectIn(tx, func(r *store.Rows) (s section, err error) {
		return s, r.Scan(&s.machine, &s.name, &s.hash)
	}, "SELECT machine_id, name, hash FROM fact_section WHERE machine_id IN {ids} AND {wall}", machines)
	if err != nil {
		return nil, fmt.Errorf("read which facts are known: %w", err)
	}
	have := map[model.ID]map[string][]byte{}
	for _, s := range list {
		if have[s.machine] == nil {
			have[s.machine] = map[string][]byte{}
		}
		have[s.machine][s.name] = s.hash
	}
	return have, nil
}

// unlike names the sections that a machine has and we have not, or not so.
func unlike(have, told map[string][]byte) []string {
	wanted := []string{}
	for _, name := range expression.Sections() {
		if hash, ok := told[name]; ok && !bytes.Equal(hash, have[name]) {
			wanted = append(wanted, name)
		}
	}
	return wanted
}
