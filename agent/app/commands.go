package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/viper"

	"github.com/deskside/deskside/agent/gate"
	"github.com/deskside/deskside/agent/link"
	"github.com/deskside/deskside/agent/repair"
	"github.com/deskside/deskside/agent/state"
	"github.com/deskside/deskside/protocol"
	"github.com/deskside/deskside/protocol/trust"
)

// Exit codes of the agent's commands.
const (
	exitFailed      = 1
	exitUsage       = 64
	exitUnreachable = 69
	exitNoSpace     = 73
	exitRefused     = 77
	exitConfig      = 78
)

// ErrUnreachable means that somebody who was needed did not answer.
var ErrUnreachable = errors.New("unreachable")

// errConfig means that what was set cannot be used.
var errConfig = errors.New("configuration")

// usageError is a command line that cannot be understood.
type usageError struct{ error }

// exitError ends the program with a code and without a word.
type exitError int

func (e exitError) Error() string { return fmt.Sprint("exit ", int(e)) }

// Main runs the command line and returns the exit code; what went wrong is one
// sentence on standard error.
func Main(args []string) int {
	if len(args) > 0 && args[0] == repair.KeeperCommand {
		return repair.Keep(args[1:])
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := commands()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	code, quiet := exitCode(err)
	if !quiet {
		fmt.Fprintln(os.Stderr, "deskside-agent: "+sentence(err))
	}
	return code
}

func sentence(err error) string {
	text := strings.Join(strings.Fields(err.Error()), " ")
	for _, prefix := range []string{ErrUnreachable.Error() + ": ", errConfig.Error() + ": "} {
		text = strings.TrimPrefix(text, prefix)
	}
	if text != "" && !strings.ContainsAny(text[len(text)-1:], ".!?") {
		text += "."
	}
	return text
}

func exitCode(err error) (code int, quiet bool) {
	var exit exitError
	var usage usageError
	var refused protocol.Refused
	var unreachable *link.Unreachable
	switch {
	case errors.As(err, &exit):
		return int(exit), true
	case errors.As(err, &usage):
		return exitUsage, false
	case errors.As(err, &refused), errors.Is(err, link.ErrOtherConsole):
		return exitRefused, false
	case errors.As(err, &unreachable), errors.Is(err, ErrUnreachable):
		return exitUnreachable, false
	case errors.Is(err, state.ErrNoSpace):
		return exitNoSpace, false
	case errors.Is(err, errConfig), errors.Is(err, state.ErrNotEnrolled), errors.Is(err, state.ErrInUse):
		return exitConfig, false
	}
	return exitFailed, false
}

// DefaultState is where a service keeps its memory.
func DefaultState() string {
	switch runtime.GOOS {
	case "windows":
		return filepath.Join(os.Getenv("ProgramData"), "Deskside", "state")
	case "darwin":
		return "/Library/Application Support/Deskside/state"
	}
	return "/var/lib/deskside"
}

// DefaultPolicy is where the administrator's policy file is.
func DefaultPolicy() string {
	switch runtime.GOOS {
	case "windows":
		return filepath.Join(os.Getenv("ProgramData"), "Deskside", "policy.yaml")
	case "darwin":
		return "/Library/Application Support/Deskside/policy.yaml"
	}
	return "/etc/deskside/policy.yaml"
}

// settings reads flags, DESKSIDE_ variables and the configuration file. The
// policy is not among them: package gate reads it, strictly.
func settings() *viper.Viper {
	v := viper.NewWithOptions(viper.EnvKeyReplacer(strings.NewReplacer("-", "_")))
	v.SetEnvPrefix("DESKSIDE")
	v.AutomaticEnv()
	return v
}

func readConfig(v *viper.Viper) error {
	path := v.GetString("config")
	if path == "" {
		return nil
	}
	v.SetConfigFile(path)
	if err := v.ReadInConfig(); err != nil {
		return fmt.Errorf("%w: read %s: %w", errConfig, path, err)
	}
	return nil
}

func commands() *cobra.Command {
	v := settings()
	root := &cobra.Command{
		Use: "deskside-agent", Short: "The Deskside agent: knows how this computer feels, and repairs it with scripts that people have approved",
		SilenceErrors: true, SilenceUsage: true, Version: Version,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := v.BindPFlags(cmd.Flags()); err != nil {
				return err
			}
			return readConfig(v)
		},
	}
	root.PersistentFlags().String("config", "", "configuration file (yaml)")
	root.PersistentFlags().String("state", DefaultState(), "folder of the machine's memory")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(enrollCommand(v), runCommand(v), checkCommand(v), journalCommand(v), helpCommand(v), policyCommand(v), signCommand(v))
	root.AddCommand(serviceCommands(v)...)
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpCommand(&cobra.Command{Hidden: true, Use: "no-help"})
	root.RunE = func(c *cobra.Command, _ []string) error { return c.Help() } // a word that is no command is refused
	for _, c := range append(root.Commands(), root) {
		if c.Args == nil {
			c.Args = noArguments
		}
	}
	return root
}

func noArguments(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("%q is not understood here", args[0])}
	}
	return nil
}

func enrollCommand(v *viper.Viper) *cobra.Command {
	c := &cobra.Command{Use: "enroll", Short: "Give this machine a name at a console", RunE: func(cmd *cobra.Command, _ []string) error {
		token, err := readToken(v, cmd.InOrStdin())
		if err != nil {
			return err
		}
		return enroll(cmd.Context(), v, token, cmd.OutOrStdout())
	}}
	c.Flags().String("console", "", "address of the console, https://host:port")
	c.Flags().String("token", "", "enrolment token; better in a file")
	c.Flags().String("token-file", "", "file that holds the token, or - for standard input")
	c.Flags().String("profile", "attended", "what this machine allows when it has no policy file: "+strings.Join(gate.Profiles(), ", "))
	c.Flags().Bool("replace", false, "give up the name this machine has")
	c.Flags().String("root", "", "the organisation's root, by another way than the token: its seven words, or its file")
	c.Flags().String("policy", DefaultPolicy(), "the administrator's policy file; a "+rootFile+" beside it is the root")
	return c
}

func readToken(v *viper.Viper, stdin io.Reader) (protocol.Token, error) {
	text := v.GetString("token")
	if path := v.GetString("token-file"); path != "" {
		var raw []byte
		var err error
		if path == "-" {
			raw, err = io.ReadAll(io.LimitReader(stdin, 4096))
		} else {
			raw, err = os.ReadFile(path)
		}
		if err != nil {
			return protocol.Token{}, fmt.Errorf("%w: read the token: %w", errConfig, err)
		}
		text = string(raw)
	}
	if text == "" {
		return protocol.Token{}, usageError{errors.New("enroll needs --token or --token-file")}
	}
	token, err := protocol.ParseToken(text)
	if err != nil {
		return token, usageError{err}
	}
	return token, nil
}

func enroll(ctx context.Context, v *viper.Viper, token protocol.Token, out io.Writer) error {
	console := v.GetString("console")
	if !strings.HasPrefix(console, "https://") {
		return usageError{fmt.Errorf("--console is https://host:port, not %q", console)}
	}
	if _, err := gate.Profile(v.GetString("profile")); err != nil {
		return usageError{err}
	}
	e := Enrolment{Console: console, Token: token, State: v.GetString("state"), Profile: v.GetString("profile"), Replace: v.GetBool("replace"),
		Root: v.GetString("root"), Policy: v.GetString("policy")}
	id, err := Enroll(ctx, e)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "enrolled as %s (%s)\n", id.Name, id.Machine)
	if len(id.Root) == 32 {
		fmt.Fprintf(out, "root: %s\n", trust.Words([32]byte(id.Root)))
	}
	return nil
}

// hardware is what tells a machine from its clone.
func hardware() map[string]string {
	out := map[string]string{}
	for name, path := range map[string]string{"machine-id": "/etc/machine-id", "system-uuid": "/sys/class/dmi/id/product_uuid"} {
		if raw, err := os.ReadFile(path); err == nil && len(raw) < 256 {
			out[name] = strings.TrimSpace(string(raw))
		}
	}
	return out
}

func runCommand(v *viper.Viper) *cobra.Command {
	c := &cobra.Command{Use: "run", Short: "Run the agent in the foreground", RunE: func(cmd *cobra.Command, _ []string) error {
		light()
		log := logger(v)
		a, err := Open(Options{State: v.GetString("state"), Policy: v.GetString("policy"), Log: log, SystemLog: systemLog(v, log)})
		if err != nil {
			return err
		}
		return a.Run(cmd.Context(), protocol.GoodbyeStopped)
	}}
	c.Flags().String("policy", DefaultPolicy(), "the administrator's policy file")
	c.Flags().String("log-level", "info", "debug, info, warn or error")
	return c
}

func logger(v *viper.Viper) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(v.GetString("log-level"))); err != nil {
		level = slog.LevelInfo
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
}
