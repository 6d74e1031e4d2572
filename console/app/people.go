package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
	"github.com/spf13/viper"

	"github.com/deskside/deskside/console/account"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

func personCommand(v *viper.Viper) *cobra.Command {
	person := &cobra.Command{Use: "person", Short: "People with accounts"}
	add := &cobra.Command{Use: "add NAME", Short: "Add a person", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		password := ""
		if v.GetBool("password-stdin") {
			raw, err := io.ReadAll(io.LimitReader(cmd.InOrStdin(), 4096))
			if err != nil {
				return err
			}
			password = strings.TrimRight(string(raw), "\r\n")
		}
		return begin(cmd.Context(), v, func(t tools) error {
			p, err := t.account.Add(cmd.Context(), t.operator(), t.organisation.ID, args[0], model.Role(v.GetString("role")), password)
			if err == nil {
				fmt.Fprintln(cmd.OutOrStdout(), p.ID)
			}
			return err
		})
	}}
	add.Flags().String("role", "technician", "admin, technician or viewer")
	add.Flags().Bool("password-stdin", false, "read a password from standard input")
	link := &cobra.Command{Use: "link NAME", Short: "Make a link by which a person signs in once, within ten minutes", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return with(cmd.Context(), v, func(t tools) error {
			p, err := t.named(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			secret, err := t.account.NewLink(cmd.Context(), t.operator(), p)
			if err == nil {
				fmt.Fprintln(cmd.OutOrStdout(), addressOf(v.GetString("url"), t.options.Data)+"/sign-in?link="+secret)
			}
			return err
		})
	}}
	list := &cobra.Command{Use: "list", Short: "List the people: id, name, role, disabled", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return with(cmd.Context(), v, func(t tools) error {
			people, err := t.people(cmd.Context())
			for _, p := range people {
				state := ""
				if p.Disabled {
					state = "disabled"
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s\t%s\t%s\t%s\n", p.ID, p.Name, p.Role, state)
			}
			return err
		})
	}}
	link.Flags().String("url", "", "address of the console (default: the one that runs on --data)")
	person.AddCommand(add, link, list, abling(v, "disable", "End a person's account: sign-ins, tokens and sessions end at once", true),
		abling(v, "enable", "Let a disabled person in again", false))
	return person
}

// abling disables a person, or enables them.
func abling(v *viper.Viper, word, short string, disabled bool) *cobra.Command {
	return &cobra.Command{Use: word + " NAME", Short: short, Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return with(cmd.Context(), v, func(t tools) error {
			p, err := t.named(cmd.Context(), args[0])
			if err == nil {
				_, err = t.account.Change(cmd.Context(), t.operator(), p.ID, account.Change{Version: p.Version, Disabled: &disabled})
			}
			return err
		})
	}}
}

func tokenCommand(v *viper.Viper) *cobra.Command {
	token := &cobra.Command{Use: "token", Short: "API tokens"}
	create := &cobra.Command{Use: "create", Short: "Make an API token; it is shown once", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		if v.GetString("person") == "" {
			return usageError{errors.New("say whose token it is: --person NAME")}
		}
		return with(cmd.Context(), v, func(t tools) error {
			p, err := t.named(cmd.Context(), v.GetString("person"))
			if err != nil {
				return err
			}
			secret, err := t.account.NewToken(cmd.Context(), t.operator(), p)
			if err == nil {
				fmt.Fprintln(cmd.OutOrStdout(), secret)
			}
			return err
		})
	}}
	create.Flags().String("person", "", "whose token it is")
	list := &cobra.Command{Use: "list", Short: "List the API tokens: id, person, when made, when it ends", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return with(cmd.Context(), v, func(t tools) error {
			tokens, err := t.tokens(cmd.Context())
			for _, x := range tokens {
				fmt.Fprintf(cmd.OutOrStdout(), "%s\t%s\t%s\t%s\n", x.ID, x.Name, x.CreatedAt.Format(time.RFC3339), x.ExpiresAt.Format(time.RFC3339))
			}
			return err
		})
	}}
	revoke := &cobra.Command{Use: "revoke ID", Short: "End an API token", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		id, err := uuid.Parse(args[0])
		if err != nil {
			return usageError{fmt.Errorf("%q is not the id of a token; token list shows them", args[0])}
		}
		return with(cmd.Context(), v, func(t tools) error {
			return t.account.Revoke(cmd.Context(), t.operator(), id, model.ID{})
		})
	}}
	token.AddCommand(create, list, revoke)
	return token
}

// tokens are all living tokens.
func (t tools) tokens(ctx context.Context) ([]account.Token, error) {
	var all []account.Token
	err := t.store.View(ctx, t.operator(), func(tx *store.Tx) error {
		all = nil
		for r := (store.Request{Limit: 500}); ; {
			page, err := account.Tokens(tx, model.ID{}, r)
			all = append(all, page.Items...)
			if r.Cursor = page.Next; err != nil || page.Next == "" {
				return err
			}
		}
	})
	return all, err
}
