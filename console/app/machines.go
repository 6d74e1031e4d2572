package app

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/viper"

	"github.com/deskside/deskside/console/account"
	"github.com/deskside/deskside/console/fleet"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

func machineCommand(v *viper.Viper) *cobra.Command {
	machine := &cobra.Command{Use: "machine", Short: "Machines that are enrolled"}
	list := &cobra.Command{Use: "list", Short: "List the machines: id, name, presence, when enrolled", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return with(cmd.Context(), v, func(t tools) error {
			machines, err := t.machines(cmd.Context())
			for _, m := range machines {
				fmt.Fprintf(cmd.OutOrStdout(), "%s\t%s\t%s\t%s\n", m.ID, m.Name, m.PresenceWord(), m.EnrolledAt.Format(time.RFC3339))
			}
			return err
		})
	}}
	revoke := &cobra.Command{Use: "revoke ID|NAME", Short: "Expel a machine: its line and its sessions end, its key is refused", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return with(cmd.Context(), v, func(t tools) error {
			_, err := fleet.New(t.store, t.options.Log).Revoke(cmd.Context(), t.operator(), args[0], nil)
			return err
		})
	}}
	machine.AddCommand(list, revoke)
	return machine
}

// machines are all that were not expelled, by name.
func (t tools) machines(ctx context.Context) ([]model.Machine, error) {
	return whole(ctx, t, func(tx *store.Tx, r store.Request) (store.Page[model.Machine], error) {
		return fleet.List(tx, fleet.Query{Request: r})
	})
}

func (t tools) people(ctx context.Context) ([]model.Person, error) {
	return whole(ctx, t, func(tx *store.Tx, r store.Request) (store.Page[model.Person], error) {
		return account.People(tx, account.All, "", r)
	})
}

// whole is a whole list, by name.
func whole[T any](ctx context.Context, t tools, read func(*store.Tx, store.Request) (store.Page[T], error)) ([]T, error) {
	var all []T
	err := t.store.View(ctx, t.operator(), func(tx *store.Tx) error {
		all = nil
		for r := (store.Request{Limit: 500, Sort: "name"}); ; {
			page, err := read(tx, r)
			all = append(all, page.Items...)
			if r.Cursor = page.Next; err != nil || page.Next == "" {
				return err
			}
		}
	})
	return all, err
}
