// Package sign is the signing desk: people run it on their own computer, never a service.
// It shows what is to be signed, whole, and signs the very bytes that it showed. Nothing
// that a console says is believed; a console only carries what was signed.
//
// [Desk.Found] makes the root of an organisation: a daily key, which is kept in a file
// under a passphrase, a paper key of 24 words, and trust file 1, which names both and the
// console. [Desk.Sign] signs anything else with one of a person's keys: that file, any
// other private key of OpenSSH, or the words on paper.
//
// The file of the daily key is one of OpenSSH: its person changes the passphrase with
// ssh-keygen -p.
package sign

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/deskside/deskside/protocol/trust"
)

// Desk is one sitting of a person at their terminal.
type Desk struct {
	Out    io.Writer
	Ask    func(prompt string) (string, error) // a line that is seen while it is typed
	Secret func(prompt string) (string, error) // and one that is not
	Lang   string                              // en or pl
	Keys   string                              // the folder of daily keys
}

// ErrNo means that the person did not say yes: nothing was signed.
var ErrNo = errors.New("nothing was signed")

// yes asks for the whole word, so that nobody agrees by a key that was pressed too often.
func (d *Desk) yes() error {
	word := d.say("yes")
	answer, err := d.Ask(d.say("type yes", word) + " ")
	if err != nil {
		return err
	}
	if strings.TrimSpace(answer) != word {
		return ErrNo
	}
	return nil
}

// Link is where a browser takes what was signed back to the console that asked for it. It
// stands behind the #, which browsers send to nobody.
func Link(back string, s *trust.Statement) (string, error) {
	raw, err := s.Encode()
	if err != nil {
		return "", err
	}
	return back + "#" + encoding.EncodeToString(raw), nil
}

// Hand gives what was signed to its person: the link back to the console, or where it came
// from a file, another file.
func (d *Desk) Hand(s *trust.Statement, back, out string) error {
	if back != "" {
		link, err := Link(back, s)
		if err == nil {
			fmt.Fprintln(d.Out, "\n"+d.say("signed", link))
		}
		return err
	}
	raw, err := s.Encode()
	if err != nil {
		return err
	}
	path := filepath.Join(out, s.ID.String()+".cbor")
	if err := create(path, raw, 0o644); err != nil {
		return err
	}
	fmt.Fprintln(d.Out, "\n"+d.say("kept", path))
	return nil
}
