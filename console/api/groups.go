package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/console/fleet"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/protocol/expression"
)

// Group is the machines for which a rule over their facts holds.
type Group struct {
	ID        uuid.UUID `json:"id"`
	Name      string    `json:"name"`
	Rule      string    `json:"rule" doc:"a boolean expression over facts"`
	State     string    `json:"state" enum:"judging,ready" doc:"judging: the rule has not met every machine yet"`
	Machines  int       `json:"machines" doc:"for which the rule holds"`
	Unknown   int       `json:"unknown" doc:"machines whose facts do not tell"`
	Judged    int       `json:"judged" doc:"machines that the rule has met"`
	CreatedAt time.Time `json:"created_at"`
	Version   int64     `json:"version"`
}

func groupOf(g model.Group, m fleet.Members) Group {
	out := Group{ID: g.ID, Name: g.Name, Rule: g.Rule, State: "ready", Machines: m.In, Unknown: m.Unknown, Judged: m.Judged,
		CreatedAt: g.CreatedAt, Version: g.Version}
	if g.Judging {
		out.State = "judging"
	}
	return out
}

// counted is a group with its counts.
func counted(tx *store.Tx, g model.Group) (Group, error) {
	m, err := fleet.CountMembers(tx, []model.Group{g})
	return groupOf(g, m[g.ID]), err
}

func (a *API) groupRoutes() {
	type query struct {
		Listing
		Q string `query:"q" maxLength:"200" doc:"words of the name"`
	}
	operation(a, http.MethodGet, "/groups", "machine.read", "List groups of machines", func(ctx context.Context, in *query) (*Answer[Page[Group]], error) {
		var page Page[Group]
		err := a.view(ctx, func(tx *store.Tx) error {
			list, err := fleet.Groups(tx, in.Q, in.request())
			if err != nil {
				return err
			}
			members, err := fleet.CountMembers(tx, list.Items)
			page = pageOf(list, func(g model.Group) Group { return groupOf(g, members[g.ID]) })
			return err
		})
		return answer(page, err)
	})
	operation(a, http.MethodGet, "/groups/{id}", "machine.read", "One group", func(ctx context.Context, in *ByID) (*Answer[Group], error) {
		var out Group
		err := a.view(ctx, func(tx *store.Tx) error {
			g, err := fleet.GetGroup(tx, in.ID)
			if err != nil {
				return err
			}
			out, err = counted(tx, g)
			return err
		})
		return answer(out, err)
	})
	type newGroup struct {
		Body struct {
			Name string `json:"name" minLength:"1" maxLength:"256"`
			Rule string `json:"rule" minLength:"1" maxLength:"8192"`
		}
	}
	operation(a, http.MethodPost, "/groups", "group.write", "Make a group", func(ctx context.Context, in *newGroup) (*Answer[Group], error) {
		var g model.Group
		err := a.update(ctx, func(tx *store.Tx) error {
			var err error
			g, err = fleet.NewGroup(tx, callerOf(ctx).organisation, in.Body.Name, in.Body.Rule)
			return err
		})
		return answer(groupOf(g, fleet.Members{}), ruleProblem(err))
	})
	type groupChange struct {
		ID   uuid.UUID `path:"id"`
		Body struct {
			Version int64   `json:"version"`
			Name    *string `json:"name,omitempty" maxLength:"256"`
			Rule    *string `json:"rule,omitempty" maxLength:"8192"`
		}
	}
	operation(a, http.MethodPatch, "/groups/{id}", "group.write", "Change a group", func(ctx context.Context, in *groupChange) (*Answer[Group], error) {
		b := in.Body
		return a.writeGroup(ctx, func(tx *store.Tx) (model.Group, error) {
			return fleet.ChangeGroup(tx, in.ID, fleet.GroupChange{Version: b.Version, Name: b.Name, Rule: b.Rule})
		})
	})
	type groupEnd struct {
		ByID
		Version int64 `query:"version" default:"-1" doc:"without it the newest is deleted"`
	}
	operation(a, http.MethodDelete, "/groups/{id}", "group.write", "Delete a group; its machines stay", func(ctx context.Context, in *groupEnd) (*struct{}, error) {
		_, err := a.writeGroup(ctx, func(tx *store.Tx) (model.Group, error) { return fleet.DeleteGroup(tx, in.ID, in.Version) })
		return nil, err
	})
}

// writeGroup changes a group; where somebody was quicker it is the group as it
// is now.
func (a *API) writeGroup(ctx context.Context, fn func(*store.Tx) (model.Group, error)) (*Answer[Group], error) {
	var out Group
	err := a.update(ctx, func(tx *store.Tx) error {
		g, err := fn(tx)
		if err != nil && !errors.Is(err, store.ErrConflict) {
			return err
		}
		counts, countErr := counted(tx, g)
		if out = counts; err != nil && countErr == nil {
			return &conflictError{current: out}
		}
		return errors.Join(err, countErr)
	})
	return answer(out, ruleProblem(err))
}

// ruleProblem says of an expression that cannot be used that it is the rule.
func ruleProblem(err error) error {
	var source *expression.Error
	if errors.As(err, &source) {
		return sourceProblem(source, "rule")
	}
	return err
}
