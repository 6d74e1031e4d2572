package fleet

import (
	"errors"
	"fmt"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/protocol/expression"
)

const mostGroups = 200 // of an organisation: each is computed for each machine that changes

var errNoGroup = model.Problemf(model.CodeNotFound, "", "There is no such group, or you may not see it.")

// compileRule checks the rule of a group. What is wrong with it is a problem
// that says where.
func compileRule(rule string) (*expression.Program, error) {
	return expression.Compile(expression.Use{Kind: expression.Group}, rule)
}

// NewGroup makes a group whose rule begins to walk over the machines.
func NewGroup(tx *store.Tx, organisation model.ID, name, rule string) (model.Group, error) {
	g := model.Group{ID: model.NewID(), Organisation: organisation, Rule: rule, Judging: true, CreatedAt: tx.Now(), Version: 1}
	if err := g.SetName(name); err != nil {
		return g, err
	}
	if _, err := compileRule(rule); err != nil {
		return g, err
	}
	if err := freeName(tx, g); err != nil {
		return g, err
	}
	var n int
	if err := tx.QueryRow("SELECT count(*) FROM fleet_group WHERE organisation_id = $1 AND {wall}", organisation).Scan(&n); err != nil {
		return g, fmt.Errorf("count groups: %w", err)
	}
	if n >= mostGroups {
		return g, model.Problemf(model.CodeState, "", "There are %d groups, and no more are possible.", mostGroups)
	}
	_, err := tx.Exec(`INSERT INTO fleet_group (id, organisation_id, name, name_fold, name_sort, rule, judging, reached, created_at, version)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1)`, g.ID, g.Organisation, g.Name, store.Fold(g.Name), store.SortKey(g.Name),
		g.Rule, true, model.ID{}, store.Micros(g.CreatedAt))
	if err != nil {
		return g, fmt.Errorf("write a group: %w", err)
	}
	if err := tx.Index(organisation, ChangedGroup, g.ID, g.CreatedAt, g.Name); err != nil {
		return g, err
	}
	return g, groupChanged(tx, g, "group.create")
}

// freeName refuses a name that another group has. Two who take one name, or make the
// last group, at once collide at the organisation.
func freeName(tx *store.Tx, g model.Group) error {
	if _, err := tx.Bump("organisation", g.Organisation); err != nil {
		return fmt.Errorf("take hold of an organisation: %w", err)
	}
	var n int
	err := tx.QueryRow("SELECT count(*) FROM fleet_group WHERE organisation_id = $1 AND name_fold = $2 AND id <> $3 AND {wall}",
		g.Organisation, store.Fold(g.Name), g.ID).Scan(&n)
	if err != nil {
		return fmt.Errorf("look for a name: %w", err)
	}
	if n > 0 {
		return model.Problemf(model.CodeConflict, "name", "There is a group with this name already.")
	}
	return nil
}

// groupChanged tells of a change and lets a new rule walk.
func groupChanged(tx *store.Tx, g model.Group, action string) error {
	if g.Judging {
		if err := tx.Due(KindGroup, g.ID, tx.Now()); err != nil {
			return err
		}
	}
	tx.Changed(g.Organisation, ChangedGroup, g.ID)
	return tx.Audit(store.Entry{Organisation: g.Organisation, Action: action, Result: "done",
		Subjects: []store.Subject{{Kind: "group", ID: g.ID}}, Detail: map[string]any{"rule": g.Rule}})
}

// GroupChange is what somebody changes of a group; a nil field stays.
type GroupChange struct {
	Version    int64
	Name, Rule *string
}

// ChangeGroup changes a group that still has the version that was seen; else it
// is store.ErrConflict and the group as it is now. With a new rule it is empty
// until the rule has met the machines.
func ChangeGroup(tx *store.Tx, id model.ID, c GroupChange) (model.Group, error) {
	g, err := GetGroup(tx, id)
	if err != nil {
		return g, err
	}
	if g.Version != c.Version {
		return g, store.ErrConflict
	}
	if c.Name != nil {
		if err := g.SetName(*c.Name); err != nil {
			return g, err
		}
		if err := freeName(tx, g); err != nil {
			return g, err
		}
	}
	if c.Rule != nil && *c.Rule != g.Rule {
		if _, err := compileRule(*c.Rule); err != nil {
			return g, err
		}
		g.Rule, g.Judging = *c.Rule, true
		if err := forgetVerdicts(tx, id); err != nil {
			return g, err
		}
		if _, err := tx.Exec("UPDATE fleet_group SET reached = $1 WHERE id = $2 AND {wall}", model.ID{}, id); err != nil {
			return g, fmt.Errorf("write a group: %w", err)
		}
	}
	_, err = tx.Exec(`UPDATE fleet_group SET name = $1, name_fold = $2, name_sort = $3, rule = $4, judging = $5, version = version + 1
		WHERE id = $6 AND {wall}`, g.Name, store.Fold(g.Name), store.SortKey(g.Name), g.Rule, g.Judging, id)
	if err != nil {
		return g, fmt.Errorf("write a group: %w", err)
	}
	if err := tx.Index(g.Organisation, ChangedGroup, g.ID, g.CreatedAt, g.Name); err != nil {
		return g, err
	}
	g.Version++
	return g, groupChanged(tx, g, "group.change")
}

// DeleteGroup deletes a group that still has the version that was seen; -1 stands
// for whatever it has.
func DeleteGroup(tx *store.Tx, id model.ID, version int64) (model.Group, error) {
	g, err := GetGroup(tx, id)
	if err != nil {
		return g, err
	}
	if version >= 0 && g.Version != version {
		return g, store.ErrConflict
	}
	if err := errors.Join(forgetVerdicts(tx, id), tx.Due(KindGroup, id, tx.Now().Add(leftFor)), tx.Forget(ChangedGroup, id)); err != nil {
		return g, err
	}
	if _, err := tx.Exec("DELETE FROM fleet_group WHERE id = $1 AND {wall}", id); err != nil {
		return g, fmt.Errorf("delete a group: %w", err)
	}
	g.Judging = false // the due row only removes what others still write
	return g, groupChanged(tx, g, "group.delete")
}

func forgetVerdicts(tx *store.Tx, group model.ID) error {
	if _, err := tx.Exec("DELETE FROM group_machine WHERE group_id = $1 AND {wall}", group); err != nil {
		return fmt.Errorf("empty a group: %w", err)
	}
	return nil
}

const groupColumns = "g.id, g.organisation_id, g.name, g.rule, g.judging, g.created_at, g.version"

func scanGroup(r *store.Rows) (model.Group, error) {
	var g model.Group
	var created int64
	err := r.Scan(&g.ID, &g.Organisation, &g.Name, &g.Rule, &g.Judging, &created, &g.Version)
	g.CreatedAt = store.Time(created)
	return g, err
}

// GetGroup is the group with the id, or a problem with the code not_found.
func GetGroup(tx *store.Tx, id model.ID) (model.Group, error) {
	list, err := store.Collect(tx, scanGroup, "SELECT "+groupColumns+" FROM fleet_group g WHERE g.id = $1 AND {wall g}", id)
	if err != nil {
		return model.Group{}, fmt.Errorf("read a group: %w", err)
	}
	if len(list) == 0 {
		return model.Group{}, errors.Join(errNoGroup, store.ErrNotFound)
	}
	return list[0], nil
}

// Groups reads a page of groups whose names hold a text.
func Groups(tx *store.Tx, text string, r store.Request) (store.Page[model.Group], error) {
	l := store.List{Columns: groupColumns, From: "fleet_group g", Key: "g.id", Wall: "g",
		Sorts: map[string][]store.Order{"name": {{Column: "g.name_sort", Kind: store.Bytes}}, "created_at": {{Column: "g.created_at", Kind: store.Int}}},
		Sort:  "name",
	}
	l.Matching(ChangedGroup, text)
	return store.ReadPage(tx, &l, r, scanGroup)
}

// Members says how far the rule of a group came.
type Members struct {
	In      int // machines for which it holds
	Unknown int // whose facts do not tell
	Judged  int // all that it met
}

// CountMembers counts the machines of groups.
func CountMembers(tx *store.Tx, groups []model.Group) (map[model.ID]Members, error) {
	out := map[model.ID]Members{}
	for _, g := range groups {
		var m Members
		err := tx.QueryRow(`SELECT CAST(COALESCE(SUM(CASE WHEN g.verdict = 'in' THEN 1 ELSE 0 END), 0) AS BIGINT),
			CAST(COALESCE(SUM(CASE WHEN g.verdict = 'unknown' THEN 1 ELSE 0 END), 0) AS BIGINT), count(*)
			FROM group_machine g JOIN machine m ON m.id = g.machine_id
			WHERE g.group_id = $1 AND m.revoked = $2 AND {wall g}`, g.ID, false).Scan(&m.In, &m.Unknown, &m.Judged)
		if err != nil {
			return nil, fmt.Errorf("count the machines of a group: %w", err)
		}
		out[g.ID] = m
	}
	return out, nil
}
