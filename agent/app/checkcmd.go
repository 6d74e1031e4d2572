package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/viper"
	"golang.org/x/term"

	"github.com/deskside/deskside/agent/check"
	"github.com/deskside/deskside/agent/probe"
	"github.com/deskside/deskside/agent/report"
	"github.com/deskside/deskside/protocol/catalogue"
)

// checkCommand looks at this computer without any console: the first thing a
// stranger can try.
func checkCommand(v *viper.Viper) *cobra.Command {
	c := &cobra.Command{Use: "check", Short: "Look at this computer: vitals, facts and the verdict of every check", RunE: func(cmd *cobra.Command, _ []string) error {
		set, err := checkSet(v)
		if err != nil {
			return err
		}
		r, err := look(cmd.Context(), set)
		if err != nil {
			return err
		}
		out := cmd.OutOrStdout()
		if v.GetBool("json") {
			err = report.WriteJSON(out, r)
		} else {
			style := report.Style{Lang: language(v.GetString("lang"))}
			if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
				style.Colour = os.Getenv("NO_COLOR") == ""
				if width, _, err := term.GetSize(int(f.Fd())); err == nil {
					style.Width = width
				}
			}
			err = report.WriteText(out, r, style)
		}
		if err != nil {
			return err
		}
		if code := r.ExitCode(); code != 0 {
			return exitError(code)
		}
		return nil
	}}
	c.Flags().Bool("json", false, "write JSON")
	c.Flags().String("checks", "", "file of checks (yaml) in place of the built-in ones")
	c.Flags().StringSlice("service", nil, "name of a service that must run; may be given more than once")
	c.Flags().String("lang", "", "en or pl; without it that of the system")
	return c
}

func checkSet(v *viper.Viper) (catalogue.Set, error) {
	checks := catalogue.Builtin()
	if path := v.GetString("checks"); path != "" {
		raw, err := os.ReadFile(path)
		if err == nil {
			checks, err = catalogue.ParseList(raw)
		}
		if err != nil {
			return catalogue.Set{}, fmt.Errorf("%w: checks in %s: %w", errConfig, path, err)
		}
	}
	set, err := catalogue.Resolve(checks, catalogue.Layer{Watched: v.GetStringSlice("service")})
	if err != nil {
		return set, fmt.Errorf("%w: %w", errConfig, err)
	}
	return set, nil
}

// look reads twice, a second apart: rates need two readings.
func look(ctx context.Context, set catalogue.Set) (report.Report, error) {
	judge, err := check.New(set, nil)
	if err != nil {
		return report.Report{}, fmt.Errorf("%w: %w", errConfig, err)
	}
	prober := probe.New(probe.Options{Collect: probe.Collect{People: true, Processes: true}})
	defer prober.Close()
	prober.Watch(set.Watched)
	prober.Round(ctx, true)
	select {
	case <-ctx.Done():
		return report.Report{}, errors.New("interrupted")
	case <-time.After(time.Second):
	}
	m := prober.Round(ctx, true)
	return report.Report{Machine: m, Verdicts: judge.Look(m), Now: time.Now()}, nil
}

// language is the one asked for, or that of the system.
func language(asked string) string {
	for _, l := range []string{asked, os.Getenv("LC_ALL"), os.Getenv("LC_MESSAGES"), os.Getenv("LANG")} {
		if l != "" {
			if strings.HasPrefix(l, "pl") {
				return "pl"
			}
			return "en"
		}
	}
	return "en"
}
