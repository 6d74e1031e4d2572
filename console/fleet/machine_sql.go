package fleet

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

const machineColumns = `m.id, m.organisation_id, m.name, m.key, m.epoch, m.online, m.node, m.since, m.reason,
	m.last_seen, m.enrolled_at, m.revoked, m.about, m.health, m.open_alerts, m.version`

// about is what is shown of a machine, or compared, and never searched by SQL.
type about struct {
	Boot         string           `json:"boot,omitempty"`
	OS           model.OS         `json:"os"`
	Agent        string           `json:"agent"`
	Protocol     int              `json:"protocol"`
	Capabilities []string         `json:"capabilities"`
	Policy       model.Policy     `json:"policy"`
	Trust        trusted          `json:"trust,omitzero"`
	People       []model.Presence `json:"people"`
	Blind        bool             `json:"blind,omitempty"`
	Ahead        int64            `json:"ahead,omitempty"` // seconds
	Lost         int64            `json:"lost,omitempty"`
	LostAt       time.Time        `json:"lost_at,omitzero"`
}

type trusted struct {
	Root    string `json:"root,omitempty"`
	Version uint64 `json:"version,omitempty"`
	Problem string `json:"problem,omitempty"`
}

func scanMachine(r *store.Rows) (model.Machine, error) {
	var m model.Machine
	var since, seen, enrolled int64
	var raw []byte
	var reason, health string
	err := r.Scan(&m.ID, &m.Organisation, &m.Name, &m.Key, &m.Epoch, &m.Online, &m.Node, &since, &reason,
		&seen, &enrolled, &m.Revoked, &raw, &health, &m.OpenAlerts, &m.Version)
	if err != nil {
		return m, err
	}
	var a about
	if err := json.Unmarshal(raw, &a); err != nil {
		return m, fmt.Errorf("read machine %s: %w", m.ID, err)
	}
	m.Since, m.LastSeen, m.EnrolledAt = store.Time(since), store.Time(seen), store.Time(enrolled)
	m.Reason, m.Health = model.OfflineReason(reason), model.Health(health)
	m.Boot, m.OS, m.AgentVersion, m.Protocol = a.Boot, a.OS, a.Agent, a.Protocol
	m.Capabilities, m.Policy, m.People, m.Blind = a.Capabilities, a.Policy, a.People, a.Blind
	m.Trust = model.Trusted{Root: a.Trust.Root, Version: a.Trust.Version, Problem: a.Trust.Problem}
	m.Ahead, m.Lost, m.LostAt = time.Duration(a.Ahead)*time.Second, a.Lost, a.LostAt
	return m, nil
}

func (m aboutOf) json() ([]byte, error) {
	return json.Marshal(about{Boot: m.Boot, OS: m.OS, Agent: m.AgentVersion, Protocol: m.Protocol, Capabilities: m.Capabilities,
		Policy: m.Policy, Trust: trusted{Root: m.Trust.Root, Version: m.Trust.Version, Problem: m.Trust.Problem}, People: m.People, Blind: m.Blind, Ahead: int64(m.Ahead / time.Second), Lost: m.Lost, LostAt: m.LostAt})
}

type aboutOf model.Machine

// get is the machine with the id behind the wall of the transaction; its
// absence is a problem that is also store.ErrNotFound.
func get(tx *store.Tx, id model.ID) (model.Machine, error) {
	list, err := store.Collect(tx, scanMachine, "SELECT "+machineColumns+" FROM machine m WHERE m.id = $1 AND {wall m}", id)
	if err != nil {
		return model.Machine{}, fmt.Errorf("read a machine: %w", err)
	}
	if len(list) == 0 {
		return model.Machine{}, errors.Join(errNoMachine, store.ErrNotFound)
	}
	return list[0], nil
}

// Get is the machine with the id, or a problem with the code not_found.
func Get(tx *store.Tx, id model.ID) (model.Machine, error) { return get(tx, id) }

const insertMachines = `INSERT INTO machine (id, organisation_id, name, name_fold, name_sort, key, epoch, online, node, since,
	reason, last_seen, enrolled_at, revoked, about, checks_hash, settings_hash, trust_hash, rooted, health, health_rank, open_alerts, version)`

// rowOf is a row of insertMachines.
func rowOf(m model.Machine, checks, settings, trust []byte) ([]any, error) {
	raw, err := aboutOf(m).json()
	return []any{m.ID, m.Organisation, m.Name, store.Fold(m.Name), store.SortKey(m.Name), m.Key, m.Epoch, m.Online, m.Node,
		store.Micros(m.Since), string(m.Reason), store.Micros(m.LastSeen), store.Micros(m.EnrolledAt), m.Revoked,
		raw, some(checks), some(settings), some(trust), m.Trust.Root != "", string(m.Health), int64(m.Health.Rank()), int64(m.OpenAlerts), m.Version}, err
}

func insertMachine(tx *store.Tx, m model.Machine) error {
	row, err := rowOf(m, nil, nil, nil)
	if err != nil {
		return err
	}
	if _, err := tx.Insert(insertMachines, [][]any{row}, ""); err != nil {
		return fmt.Errorf("write a machine: %w", err)
	}
	return index(tx, m)
}

// updateMachine writes m in the place of was, and its words for the search where
// they are others: a machine that comes, goes or falls ill is found as before.
func updateMachine(tx *store.Tx, was, m model.Machine) error {
	raw, err := aboutOf(m).json()
	if err != nil {
		return err
	}
	_, err = tx.Exec(`UPDATE machine SET name = $1, name_fold = $2, name_sort = $3, epoch = $4, online = $5, node = $6, since = $7,
		reason = $8, last_seen = $9, revoked = $10, about = $11, health = $12, health_rank = $13, open_alerts = $14,
		version = version + 1 WHERE id = $15 AND {wall}`,
		m.Name, store.Fold(m.Name), store.SortKey(m.Name), m.Epoch, m.Online, m.Node, store.Micros(m.Since),
		string(m.Reason), store.Micros(m.LastSeen), m.Revoked, raw, string(m.Health), int64(m.Health.Rank()),
		int64(m.OpenAlerts), m.ID)
	if err != nil {
		return fmt.Errorf("write a machine: %w", err)
	}
	return reindex(tx, was, m)
}

func reindex(tx *store.Tx, was, m model.Machine) error {
	if slices.Equal(words(was), words(m)) {
		return nil
	}
	return index(tx, m)
}

// words are what a machine is found by: its name, its system, who is signed in.
func words(m model.Machine) []string {
	texts := []string{m.Name, strings.NewReplacer("-", " ", "_", " ", ".", " ").Replace(m.Name), m.OS.Name, m.OS.Version, m.OS.Family}
	for _, p := range m.People {
		texts = append(texts, p.Name)
	}
	return texts
}

func index(tx *store.Tx, m model.Machine) error {
	return tx.Index(m.Organisation, ChangedMachine, m.ID, m.EnrolledAt, words(m)...)
}

// Query says which machines a list shows.
type Query struct {
	store.Request
	Text     string
	Presence string   // online, offline or nothing
	Health   string   // a health or nothing
	Group    model.ID // of its machines only; the zero id for all
}

// List reads a page of machines, worst first unless asked otherwise.
func List(tx *store.Tx, q Query) (store.Page[model.Machine], error) {
	l := store.List{
		Columns: machineColumns, From: "machine m", Key: "m.id", Wall: "m",
		Sorts: map[string][]store.Order{
			"health":       {{Column: "m.health_rank", Kind: store.Int, Descending: true}, {Column: "m.name_sort", Kind: store.Bytes}},
			"name":         {{Column: "m.name_sort", Kind: store.Bytes}},
			"last_seen_at": {{Column: "m.last_seen", Kind: store.Int}},
			"open_alerts":  {{Column: "m.open_alerts", Kind: store.Int}, {Column: "m.name_sort", Kind: store.Bytes}},
		},
		Sort: "health",
	}
	l.Where("NOT m.revoked") // in these words the indexes have it
	if q.Presence != "" {
		l.Where("m.online = ?", q.Presence == "online")
	}
	if q.Health != "" {
		l.Where("m.health_rank = ?", int64(model.Health(q.Health).Rank()))
	}
	if q.Group != (model.ID{}) {
		if _, err := GetGroup(tx, q.Group); err != nil {
			return store.Page[model.Machine]{}, err
		}
		l.Where("m.id IN (SELECT machine_id FROM group_machine WHERE group_id = ? AND verdict = ?)", q.Group, groupIn)
	}
	l.Matching(ChangedMachine, q.Text)
	return store.ReadPage(tx, &l, q.Request, scanMachine)
}

// Counts says how the fleet is.
type Counts struct {
	Total, Online int
	ByHealth      map[model.Health]int
}

// Count counts machines.
func Count(tx *store.Tx) (Counts, error) {
	c := Counts{ByHealth: map[model.Health]int{}}
	rows, err := tx.Query("SELECT health_rank, online, count(*) FROM machine WHERE NOT revoked AND {wall} GROUP BY health_rank, online")
	if err != nil {
		return c, fmt.Errorf("count machines: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var rank, n int
		var online bool
		if err := rows.Scan(&rank, &online, &n); err != nil {
			return c, err
		}
		c.Total += n
		c.ByHealth[model.Ranked(rank)] += n
		if online {
			c.Online += n
		}
	}
	return c, rows.Err()
}

// What a machine has of its organisation, by a hash that it told or was told.
const (
	ChecksHash   = "checks_hash"
	SettingsHash = "settings_hash"
	TrustHash    = "trust_hash"
)

// Behind are the machines that a node holds, or those among them, whose hash is not
// the newest of their organisation.
func Behind(tx *store.Tx, node model.ID, among []model.ID, hash string, newest func(organisation model.ID) ([]byte, error)) ([]model.ID, error) {
	if among != nil {
		return behindAmong(tx, among, hash, newest)
	}
	organisations, err := store.CollectIDs(tx, "SELECT DISTINCT organisation_id FROM machine WHERE node = $1 AND online = $2 AND {wall}", node, true)
	if err != nil {
		return nil, err
	}
	var all []model.ID
	for _, organisation := range organisations {
		want, err := newest(organisation)
		if err != nil {
			return nil, err
		}
		some, err := store.CollectIDs(tx, "SELECT id FROM machine WHERE node = $1 AND online = $2 AND organisation_id = $3 AND "+hash+" <> $4 AND {wall}",
			node, true, organisation, want)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// behindAmong looks at each of some machines, not at all that a node holds.
func behindAmong(tx *store.Tx, among []model.ID, hash string, newest func(organisation model.ID) ([]byte, error)) ([]model.ID, error) {
	type machine struct {
		id, organisation model.ID
		has              []byte
	}
	list, err := store.CollectIn(tx, func(r *store.Rows) (m machine, err error) {
		return m, r.Scan(&m.id, &m.organisation, &m.has)
	}, "SELECT id, organisation_id, "+hash+" FROM machine WHERE id IN {ids} AND {wall}", among)
	if err != nil {
		return nil, err
	}
	var behind []model.ID
	want := map[model.ID][]byte{}
	for _, m := range list {
		if _, known := want[m.organisation]; !known {
			if want[m.organisation], err = newest(m.organisation); err != nil {
				return nil, err
			}
		}
		if !bytes.Equal(m.has, want[m.organisation]) {
			behind = append(behind, m.id)
		}
	}
	return behind, nil
}

// TrustOf is what a machine has of what its organisation signed, by its hash, and which
// trust file is its newest.
func TrustOf(tx *store.Tx, id model.ID) (hash []byte, version uint64, err error) {
	var raw []byte
	if err := tx.QueryRow("SELECT trust_hash, about FROM machine WHERE id = $1 AND {wall}", id).Scan(&hash, &raw); err != nil {
		return nil, 0, fmt.Errorf("read what a machine trusts: %w", err)
	}
	var a about
	if err := json.Unmarshal(raw, &a); err != nil {
		return nil, 0, fmt.Errorf("read machine %s: %w", id, err)
	}
	return hash, a.Trust.Version, nil
}

// ToldTrust writes down that a machine was told what its organisation has signed.
func ToldTrust(tx *store.Tx, id model.ID, hash []byte) error {
	if _, err := tx.Exec("UPDATE machine SET trust_hash = $1 WHERE id = $2 AND {wall}", hash, id); err != nil {
		return fmt.Errorf("write down what a machine was told to trust: %w", err)
	}
	return nil
}

// Trusted writes down what holds at a machine, as it says.
func (f *Fleet) Trusted(ctx context.Context, from model.From, t model.Trusted) {
	err := f.store.Update(ctx, store.Machine(from.Organisation, from.Machine), func(tx *store.Tx) error {
		was, err := get(tx, from.Machine)
		if err != nil {
			return err
		}
		m := was
		m.Trust = model.Trusted{Root: t.Root, Version: t.Version, Problem: t.Problem}
		if m.Trust.Root == was.Trust.Root && m.Trust.Version == was.Trust.Version && m.Trust.Problem == was.Trust.Problem {
			return nil
		}
		tx.Changed(m.Organisation, ChangedMachine, m.ID)
		return updateMachine(tx, was, m)
	})
	if err != nil {
		f.log.Error("cannot write down what a machine trusts", "machine", from.Machine, "error", err)
	}
}

// TrustCounts are how many machines follow a root, how many of these have all that was
// signed, and how many follow none.
type TrustCounts struct{ Rooted, Current, Rootless int }

// CountTrust counts the machines of an organisation that has signed what hash names.
func CountTrust(tx *store.Tx, organisation model.ID, hash []byte) (c TrustCounts, err error) {
	err = tx.QueryRow(`SELECT COALESCE(sum(CASE WHEN rooted THEN 1 ELSE 0 END), 0), COALESCE(sum(CASE WHEN rooted AND trust_hash = $1 THEN 1 ELSE 0 END), 0),
		COALESCE(sum(CASE WHEN rooted THEN 0 ELSE 1 END), 0) FROM machine WHERE organisation_id = $2 AND NOT revoked AND {wall}`, hash, organisation).
		Scan(&c.Rooted, &c.Current, &c.Rootless)
	if err != nil {
		err = fmt.Errorf("count machines by what they trust: %w", err)
	}
	return c, err
}
