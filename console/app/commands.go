package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/viper"

	"github.com/deskside/deskside/console/account"
	"github.com/deskside/deskside/console/api"
	"github.com/deskside/deskside/console/fleet"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/protocol"
)

// Exit codes of the console's commands.
const (
	exitFailed      = 1
	exitUsage       = 64
	exitUnreachable = 69
	exitTaken       = 73
	exitRefused     = 77
	exitConfig      = 78
)

type usageError struct{ error }

// Main runs the command line and returns the exit code; what went wrong is one
// sentence on standard error.
func Main(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := commands()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	text := strings.Join(strings.Fields(strings.TrimPrefix(err.Error(), ErrConfiguration.Error()+": ")), " ")
	var known *model.Problem
	if errors.As(err, &known) {
		text = known.Text
	}
	if !strings.HasSuffix(text, ".") {
		text += "."
	}
	fmt.Fprintln(os.Stderr, "deskside-console: "+text)
	return exitCode(err)
}

func exitCode(err error) int {
	var usage usageError
	var problem *model.Problem
	switch {
	case errors.As(err, &usage):
		return exitUsage
	case errors.Is(err, ErrPortTaken), errors.Is(err, ErrDataTaken), errors.Is(err, syscall.ENOSPC):
		return exitTaken
	case errors.Is(err, store.ErrUnavailable):
		return exitUnreachable
	case errors.As(err, &problem):
		return exitRefused
	case errors.Is(err, ErrConfiguration), errors.Is(err, store.ErrOptions):
		return exitConfig
	}
	return exitFailed
}

func commands() *cobra.Command {
	v := viper.NewWithOptions(viper.EnvKeyReplacer(strings.NewReplacer("-", "_")))
	v.SetEnvPrefix("DESKSIDE")
	v.AutomaticEnv()
	root := &cobra.Command{Use: "deskside-console", Short: "The Deskside console: every machine, every ticket, every repair",
		SilenceErrors: true, SilenceUsage: true, Version: Version,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := v.BindPFlags(cmd.Flags()); err != nil {
				return err
			}
			path := v.GetString("config")
			if path == "" {
				return nil
			}
			v.SetConfigFile(path)
			if err := v.ReadInConfig(); err != nil {
				return fmt.Errorf("%w: read %s: %w", ErrConfiguration, path, err)
			}
			return nil
		}}
	root.PersistentFlags().String("config", "", "configuration file (yaml)")
	root.PersistentFlags().String("data", "", "folder of the database and the keys")
	root.PersistentFlags().String("database", "", "URL of a PostgreSQL database in place of the one in the folder")
	root.PersistentFlags().String("keys", "", "folder of the keys, the same on all nodes (default: keys below the data)")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(serveCommand(v), personCommand(v), tokenCommand(v), enrolmentCommand(v), machineCommand(v), auditCommand(v), openAPICommand())
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpCommand(helpCommand(root))
	root.InitDefaultHelpCmd() // now, so that it is strict, too
	strict(root)
	return root
}

// helpCommand is cobra's, except that a word that is no command is a mistake.
func helpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{Use: "help [COMMAND]", Short: "Help for a command", Args: cobra.ArbitraryArgs, RunE: func(_ *cobra.Command, args []string) error {
		c, rest, err := root.Find(args)
		if err != nil {
			return usageError{err}
		}
		if len(rest) > 0 {
			return usageError{noCommand(c, rest[0])}
		}
		c.InitDefaultHelpFlag()
		return c.Help()
	}}
}

// noCommand tells which commands a command has, if any.
func noCommand(c *cobra.Command, word string) error {
	if !c.HasSubCommands() {
		return fmt.Errorf("%s has no command %q, and no other", c.CommandPath(), word)
	}
	return fmt.Errorf("%s has no command %q; it has %s", c.CommandPath(), word, commandsOf(c))
}

func commandsOf(c *cobra.Command) string {
	var names []string
	for _, one := range c.Commands() {
		names = append(names, one.Name())
	}
	return strings.Join(names, ", ")
}

// strict makes a mistake on the command line one of those that the caller is told by the
// exit code. A command that only has others needs one of them, but the program alone is
// how one looks what there is.
func strict(c *cobra.Command) {
	args := c.Args
	if args == nil {
		args = cobra.NoArgs
	}
	if c.HasSubCommands() {
		args = func(c *cobra.Command, args []string) error {
			switch {
			case len(args) > 0:
				return noCommand(c, args[0])
			case c.HasParent():
				return fmt.Errorf("%s needs a command: %s", c.CommandPath(), commandsOf(c))
			}
			return nil
		}
		c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	}
	c.Args = func(c *cobra.Command, given []string) error {
		if err := args(c, given); err != nil {
			return usageError{err}
		}
		return nil
	}
	for _, one := range c.Commands() {
		strict(one)
	}
}

func optionsOf(v *viper.Viper) (Options, error) {
	o := Options{Data: v.GetString("data"), Database: v.GetString("database"), Keys: v.GetString("keys"), NATS: v.GetString("nats"),
		Listen: v.GetString("listen"), HTTP: v.GetString("http"), Public: v.GetString("public"), Node: v.GetString("node"), Trial: v.GetBool("trial")}
	if o.Data == "" && o.Database == "" {
		return o, usageError{errors.New("say where the data is: --data DIR or --database URL")}
	}
	if o.Data == "" && o.Keys == "" {
		return o, usageError{errors.New("say where the keys are: --keys DIR, the same on all nodes")}
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(v.GetString("log-level"))); err != nil {
		level = slog.LevelInfo
	}
	o.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	return o, nil
}

func serveCommand(v *viper.Viper) *cobra.Command {
	c := &cobra.Command{Use: "serve", Short: "Run the console", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		o, err := optionsOf(v)
		if err != nil {
			return err
		}
		if os.Getenv("GOGC") == "" { // the garbage of thousands of idle lines is worth the time to collect it
			debug.SetGCPercent(50)
		}
		console, err := Open(cmd.Context(), o)
		if err != nil {
			return err
		}
		raw, err := json.Marshal(console.Ready())
		if err != nil {
			return errors.Join(err, console.Close())
		}
		if err := keepAddress(o.Data, cmp.Or(console.plainURL(), console.public())); err != nil {
			return errors.Join(err, console.Close())
		}
		fmt.Fprintln(cmd.OutOrStdout(), string(raw))
		return errors.Join(console.Run(cmd.Context()), console.Close())
	}}
	c.Flags().String("listen", "0.0.0.0:8443", "host:port of the TLS listener, for machines and browsers")
	c.Flags().String("http", "", "loopback host:port of a plain listener for this machine's own browsers")
	c.Flags().String("public", "", "address that machines are told, https://host:port (default: the listener's, or this host's name)")
	c.Flags().String("node", "", "address by which the other nodes reach this one, https://host:port (default: the listener's, or the one toward NATS)")
	c.Flags().String("nats", "", "URL of the NATS server that all nodes share")
	c.Flags().Bool("trial", false, "say on every page that this console is being tried")
	c.Flags().String("log-level", "info", "debug, info, warn or error")
	return c
}

// The address of the console that runs on a folder of data is kept there, for
// the commands beside it.
const addressFile = "address"

func keepAddress(data, address string) error {
	if data == "" {
		return nil
	}
	// With a database elsewhere nobody else makes the folder.
	err := os.MkdirAll(data, 0o700)
	if err == nil {
		err = os.WriteFile(filepath.Join(data, addressFile), []byte(address+"\n"), 0o600)
	}
	if err != nil {
		return fmt.Errorf("keep the console's address: %w", err)
	}
	return nil
}

// addressOf is the address that was given, or that of the console on a folder of
// data, or where a console is when nobody says otherwise.
func addressOf(given, data string) string {
	if given != "" {
		return strings.TrimRight(given, "/")
	}
	if raw, err := os.ReadFile(filepath.Join(data, addressFile)); data != "" && err == nil {
		return strings.TrimSpace(string(raw))
	}
	return "http://localhost:8080"
}

// tools is what the commands beside a running console need.
type tools struct {
	store        *store.Store
	account      *account.Accounts
	organisation model.Organisation
	options      Options
}

// with opens the database for one command that looks at what is there, or changes
// it: a folder that holds no console is one that was mistyped.
func with(ctx context.Context, v *viper.Viper, do func(tools) error) error {
	o, err := optionsOf(v)
	if err != nil {
		return err
	}
	if o.Database == "" && !store.Made(o.Data) {
		return fmt.Errorf("%w: there is no console in %s; serve makes one", ErrConfiguration, o.Data)
	}
	return begin(ctx, v, do)
}

// begin opens the database for one command that may be the first.
func begin(ctx context.Context, v *viper.Viper, do func(tools) error) error {
	o, err := optionsOf(v)
	if err != nil {
		return err
	}
	s, err := store.Open(ctx, store.Options{Data: o.Data, Database: o.Database, Log: o.Log})
	if err != nil {
		return err
	}
	defer s.Close()
	t := tools{store: s, account: account.New(s, o.Log), options: o}
	if t.organisation, err = t.account.Default(ctx); err != nil {
		return err
	}
	return do(t)
}

// operator is whoever has a shell on the console's host.
func (t tools) operator() store.Scope {
	return store.Scope{Actor: store.Actor{Kind: "system", Name: "command line"}, Organisations: []model.ID{t.organisation.ID}}
}

func (t tools) named(ctx context.Context, name string) (model.Person, error) {
	var p model.Person
	err := t.store.View(ctx, t.operator(), func(tx *store.Tx) error {
		var err error
		p, err = account.Named(tx, name)
		return err
	})
	return p, err
}

func enrolmentCommand(v *viper.Viper) *cobra.Command {
	enrolment := &cobra.Command{Use: "enrolment", Short: "Tokens that let machines in"}
	create := &cobra.Command{Use: "create", Short: "Make an enrolment token", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return begin(cmd.Context(), v, func(t tools) error {
			k, err := loadKeys(keysDir(t.options))
			if err != nil {
				return err
			}
			e, err := fleet.New(t.store, t.options.Log).NewEnrolment(cmd.Context(), t.operator(), t.organisation.ID, v.GetInt("uses"), v.GetDuration("expires"))
			if err != nil {
				return err
			}
			var root []byte
			err = t.store.View(cmd.Context(), t.operator(), func(tx *store.Tx) error {
				root, err = account.Root(tx, t.organisation.ID)
				return err
			})
			if err == nil {
				fmt.Fprintln(cmd.OutOrStdout(), protocol.Token{Secret: e.Secret, Organisation: t.organisation.ID, Identities: [][]byte{k.fingerprint()}, Root: root})
			}
			return err
		})
	}}
	create.Flags().Int("uses", 1, "how many machines it lets in")
	create.Flags().Duration("expires", 24*time.Hour, "how long it works")
	enrolment.AddCommand(create)
	return enrolment
}

// openAPICommand writes the document that the web client is made from.
func openAPICommand() *cobra.Command {
	return &cobra.Command{Use: "openapi", Short: "Write the OpenAPI document", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		raw, err := json.MarshalIndent(api.New(api.Rooms{Version: "1", Log: slog.New(slog.DiscardHandler)}).OpenAPI(), "", "  ")
		if err != nil {
			return err
		}
		_, err = cmd.OutOrStdout().Write(append(raw, '\n'))
		return err
	}}
}
