package app

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/viper"

	"github.com/deskside/deskside/console/store"
)

// errTampered means that the audit chain does not hold.
var errTampered = errors.New("the audit was changed after it was written")

// auditCommand has the audit proven by whoever has a shell here: that no row was
// changed, cut out or added, and that it goes on from an end that was kept
// elsewhere.
func auditCommand(v *viper.Viper) *cobra.Command {
	audit := &cobra.Command{Use: "audit", Short: "The chain of everything that was done"}
	head := &cobra.Command{Use: "head", Short: "Print the newest signed end of the chain, to be kept where the console cannot reach it", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return with(cmd.Context(), v, func(t tools) error {
			var h store.Head
			err := t.store.View(cmd.Context(), t.operator(), func(tx *store.Tx) error {
				var err error
				h, err = tx.LastHead(t.organisation.ID)
				return err
			})
			if errors.Is(err, store.ErrNotFound) {
				return errors.New("nothing is signed yet; a running console signs each minute")
			}
			if err != nil {
				return err
			}
			return json.NewEncoder(cmd.OutOrStdout()).Encode(h)
		})
	}}
	verify := &cobra.Command{Use: "verify", Short: "Walk the chain from its first row; exit 1 where it does not hold", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		witness, err := readHead(v.GetString("head"))
		if err != nil {
			return usageError{err}
		}
		return with(cmd.Context(), v, func(t tools) error {
			key, err := auditKey(keysDir(t.options))
			if err != nil {
				return err
			}
			r, err := t.store.VerifyAudit(cmd.Context(), t.operator(), t.organisation.ID, []ed25519.PublicKey{key}, witness...)
			if err != nil {
				return err
			}
			word := "The audit is whole"
			if len(r.Problems) > 0 {
				word = "The audit was changed"
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %d rows, %d of them without names; %d signed ends fit; %d rows are not chained yet\n",
				word, r.Rows, r.Erased, r.Heads, r.Unsealed)
			for _, p := range r.Problems {
				fmt.Fprintln(cmd.OutOrStdout(), p)
			}
			if len(r.Problems) > 0 {
				return errTampered
			}
			return nil
		})
	}}
	verify.Flags().String("head", "", "file with an end of the chain that was kept elsewhere")
	audit.AddCommand(head, verify)
	return audit
}

// auditKey is the key that the ends of the chain are signed with. A folder without
// it is not the console's: a new key would make every end look foreign.
func auditKey(dir string) (ed25519.PublicKey, error) {
	path := filepath.Join(dir, "audit.key")
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("%w: the console's keys are not in %s: %w", ErrConfiguration, dir, err)
	}
	seed, err := secretFile(path, ed25519.SeedSize)
	if err != nil {
		return nil, err
	}
	return ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey), nil
}

// readHead reads what "audit head" printed.
func readHead(path string) ([]store.Head, error) {
	if path == "" {
		return nil, nil
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read an end of the chain: %w", err)
	}
	var h store.Head
	if err := json.Unmarshal(raw, &h); err != nil {
		return nil, fmt.Errorf("%s is no end of the chain as audit head prints it: %w", path, err)
	}
	return []store.Head{h}, nil
}
