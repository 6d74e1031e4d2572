package app

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/viper"
	"golang.org/x/term"

	"github.com/deskside/deskside/agent/gate"
	"github.com/deskside/deskside/agent/sign"
	"github.com/deskside/deskside/protocol/trust"
)

func signCommand(v *viper.Viper) *cobra.Command {
	c := &cobra.Command{Use: "sign [TEXT|FILE]", Short: "Show what is to be signed, and sign it, on one's own computer",
		Long: `Shows what is to be signed, whole, and signs it when its person says yes.

TEXT begins with dsd1_ and is copied from a page of the console; FILE holds such a
text, or a statement. With --init it founds the trust of an organisation.`,
		Args: cobra.MaximumNArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
			d, err := signingDesk(v, cmd.InOrStdin(), cmd.OutOrStdout())
			if err != nil {
				return err
			}
			text, err := given(d, args)
			if err != nil {
				return err
			}
			anyway, err := cmd.Flags().GetBool("anyway") // a variable that was set once is no decision
			if err != nil {
				return err
			}
			return signText(v, d, text, anyway)
		}}
	c.Flags().Bool("init", false, "found the trust of an organisation: a daily key, a paper key and trust file 1")
	c.Flags().Bool("show", false, "only show")
	c.Flags().Bool("paper", false, "sign with the 24 words of the paper key")
	c.Flags().Bool("anyway", false, "sign on a computer that lets others in")
	c.Flags().String("key", "", "file of a private key of OpenSSH (default: the daily key of the organisation)")
	c.Flags().String("out", ".", "folder for what was signed")
	c.Flags().String("passphrase-file", "", "file that holds the passphrase, which nobody else may read")
	c.Flags().String("policy", DefaultPolicy(), "the administrator's policy file of this computer")
	c.Flags().String("lang", "", "en or pl (default: that of the system)")
	return c
}

// signingDesk is the signing desk at this terminal.
func signingDesk(v *viper.Viper, in io.Reader, out io.Writer) (*sign.Desk, error) {
	config, err := os.UserConfigDir()
	if err != nil {
		return nil, fmt.Errorf("%w: find where keys are kept: %w", errConfig, err)
	}
	lines := bufio.NewReader(in)
	ask := func(prompt string) (string, error) {
		fmt.Fprint(out, prompt)
		line, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) && line != "" {
			err = nil
		}
		return strings.TrimRight(line, "\r\n"), err
	}
	secret := ask
	if f, ok := in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		secret = func(prompt string) (string, error) {
			fmt.Fprint(out, prompt)
			defer fmt.Fprintln(out)
			raw, err := term.ReadPassword(int(f.Fd()))
			return string(raw), err
		}
	}
	if path := v.GetString("passphrase-file"); path != "" {
		word, err := ownSecret(path)
		if err != nil {
			return nil, err
		}
		secret = func(string) (string, error) { return word, nil }
	}
	return &sign.Desk{Out: out, Ask: ask, Secret: secret, Lang: language(v.GetString("lang")), Keys: filepath.Join(config, "deskside", "keys")}, nil
}

// ownSecret reads a secret from a file that nobody else may read.
func ownSecret(path string) (string, error) {
	raw, err := sign.ReadOwn(path)
	if err != nil {
		return "", fmt.Errorf("%w: read the passphrase in %s: %w", errConfig, path, err)
	}
	return strings.TrimRight(string(raw), "\r\n"), nil
}

// given is what is to be signed: the argument, a file of that name, or what is pasted.
func given(d *sign.Desk, args []string) (string, error) {
	if len(args) == 0 || args[0] == "-" {
		return d.Ask("dsd1_… ")
	}
	if strings.HasPrefix(args[0], "dsd1_") {
		return args[0], nil
	}
	raw, err := os.ReadFile(args[0])
	if err != nil {
		return "", usageError{fmt.Errorf("%.60q is neither a text that begins with dsd1_ nor a file: %w", args[0], err)}
	}
	return string(raw), nil
}

func signText(v *viper.Viper, d *sign.Desk, text string, anyway bool) error {
	if v.GetBool("paper") && v.GetString("passphrase-file") != "" {
		return usageError{errors.New("--passphrase-file does not answer for the words of the paper key: leave one of the two out")}
	}
	if err := apart(d, v.GetString("policy"), anyway); err != nil {
		return err
	}
	s, under, back, err := toSign(v, d, text)
	if err != nil || s == nil {
		return err
	}
	if v.GetBool("show") {
		d.Show(s, under)
		return nil
	}
	err = d.Sign(s, under, func() (sign.Signer, error) {
		switch path := v.GetString("key"); {
		case v.GetBool("paper"):
			return d.FromPaper()
		case path != "":
			return d.FromFile(path)
		}
		return d.FromFile(d.KeyFile(s.Organisation))
	})
	if err != nil {
		return err
	}
	return d.Hand(s, back, v.GetString("out"))
}

// toSign reads what is to be signed. Founding a trust is done with it, and leaves nothing.
func toSign(v *viper.Viper, d *sign.Desk, text string) (s *trust.Statement, under *trust.File, back string, err error) {
	if s, err := trust.Open([]byte(text)); err == nil {
		return s, nil, "", nil
	}
	e, err := trust.ParseErrand(text)
	if err != nil {
		return nil, nil, "", usageError{err}
	}
	if v.GetBool("init") {
		_, err = d.Found(e, v.GetString("out"))
		return nil, nil, "", err
	}
	if e.Founds() {
		return nil, nil, "", usageError{errors.New("this founds the trust of an organisation: add --init")}
	}
	if s, err = trust.Draft(e.Payload); err != nil {
		return nil, nil, "", err
	}
	if len(e.Trust) > 0 {
		file, err := trust.Open(e.Trust)
		if err != nil {
			return nil, nil, "", fmt.Errorf("read the trust file that came along: %w", err)
		}
		under, _ = file.Body.(*trust.File)
	}
	return s, under, e.Back, nil
}

// apart refuses a computer whose policy lets others in, or does not say to this person
// whom it lets in: whoever is root there at the next signature has the key.
func apart(d *sign.Desk, path string, anyway bool) error {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	p, err := gate.ReadPolicy(path, "")
	why := ""
	switch {
	case err != nil:
		why = fmt.Sprintf("whether others may open a terminal on this computer is not known: %v", err)
	case p.Terminal != "off":
		why = fmt.Sprintf("%s lets others open a terminal on this computer (terminal: %s), and whoever is in it may take the key", path, p.Terminal)
	default:
		return nil
	}
	if anyway {
		fmt.Fprintf(d.Out, "%s. You go on anyway.\n", why)
		return nil
	}
	return fmt.Errorf("%w: %s; use a computer with the profile locked, or say --anyway", errConfig, why)
}
