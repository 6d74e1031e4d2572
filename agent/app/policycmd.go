package app

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/viper"

	"github.com/deskside/deskside/agent/gate"
	"github.com/deskside/deskside/agent/state"
)

func policyCommand(v *viper.Viper) *cobra.Command {
	c := &cobra.Command{Use: "policy", Short: "Show what this machine allows", RunE: func(cmd *cobra.Command, _ []string) error {
		path := v.GetString("policy")
		profile, from := "", path
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			from = "the profile chosen at enrolment; there is no file " + path
			profile, err = enrolledProfile(cmd.Context(), v.GetString("state"))
			if errors.Is(err, state.ErrNotEnrolled) {
				from = "the default; this machine is not enrolled, and there is no file " + path
			} else if err != nil {
				return fmt.Errorf("read the profile chosen at enrolment: %w", err)
			}
		}
		p, err := gate.ReadPolicy(path, profile)
		fmt.Fprintf(cmd.OutOrStdout(), "from       %s\nprofile    %s\nterminal   %s\nproof      %s\nscripts    %s (at most %s)\nquestions  %s\ndigest     %s\n",
			from, p.Profile, p.Terminal, p.Proof, p.Scripts, p.ScriptsRisk, p.Questions, hex.EncodeToString(p.Told().Digest))
		if err != nil {
			return fmt.Errorf("%w: %w", errConfig, err)
		}
		return nil
	}}
	c.Flags().String("policy", DefaultPolicy(), "the administrator's policy file")
	return c
}

// enrolledProfile asks the agent that runs on a state, and reads the file where
// none runs.
func enrolledProfile(ctx context.Context, dir string) (string, error) {
	a, err := askLocal(ctx, dir, askPolicy, localWait)
	if errors.Is(err, errNobody) {
		s, err := openKept(dir)
		if err != nil {
			return "", err
		}
		defer s.Close()
		var id state.Identity
		err = s.View(func(tx *state.Tx) error { id, err = tx.Identity(); return err })
		return id.Profile, err
	}
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	if a.Error != "" {
		return "", errors.New(a.Error)
	}
	return a.Profile, nil
}
