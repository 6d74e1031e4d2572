package sign

import (
	"crypto/ed25519"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/uuid"
	"golang.org/x/crypto/ssh"

	"github.com/deskside/deskside/protocol/trust"
)

// KeyFile is where the daily key of an organisation lies.
func (d *Desk) KeyFile(organisation uuid.UUID) string {
	return filepath.Join(d.Keys, organisation.String()+".key")
}

// least is how many characters a passphrase has.
const least = 8

// choose has the person choose a passphrase.
func (d *Desk) choose() (string, error) {
	for {
		first, err := d.Secret(d.say("passphrase") + " ")
		if err != nil {
			return "", err
		}
		if len([]rune(first)) < least {
			fmt.Fprintln(d.Out, d.say("too short"))
			continue
		}
		second, err := d.Secret(d.say("again") + " ")
		if err != nil {
			return "", err
		}
		if first == second {
			return first, nil
		}
		fmt.Fprintln(d.Out, d.say("not the same"))
	}
}

// keep writes a key into a new file that only its person can read.
func keep(path string, key ed25519.PrivateKey, passphrase string) error {
	block, err := ssh.MarshalPrivateKeyWithPassphrase(key, "deskside daily key", []byte(passphrase))
	if err != nil {
		return fmt.Errorf("keep the daily key: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("keep the daily key: %w", err)
	}
	return create(path, pem.EncodeToMemory(block), 0o600)
}

// create makes a file that is not there yet.
func create(path string, content []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already; it is not written over", path)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Sync(), f.Close())
}

// ReadOwn reads a file that nobody else may read; Windows keeps that by the folder.
func ReadOwn(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 && os.PathSeparator == '/' {
		return nil, errors.New("others may read it; chmod 600 it")
	}
	return os.ReadFile(path)
}

// A Signer puts a signature to a statement. under is the trust file that holds: it says by
// which scheme it knows the key.
type Signer func(s *trust.Statement, under *trust.File) error

// FromFile signs with a private key of OpenSSH.
func (d *Desk) FromFile(path string) (Signer, error) {
	raw, err := ReadOwn(path)
	if err != nil {
		return nil, fmt.Errorf("read the key in %s: %w", path, err)
	}
	key, err := ssh.ParseRawPrivateKey(raw)
	var sealed *ssh.PassphraseMissingError
	if errors.As(err, &sealed) {
		var passphrase string
		if passphrase, err = d.Secret(d.say("passphrase") + " "); err != nil {
			return nil, err
		}
		key, err = ssh.ParseRawPrivateKeyWithPassphrase(raw, []byte(passphrase))
	}
	if err != nil {
		return nil, fmt.Errorf("read the key in %s: %w", path, err)
	}
	return signerOf(key)
}

// FromPaper signs with the 24 words.
func (d *Desk) FromPaper() (Signer, error) {
	text, err := d.Secret(d.say("24 words") + " ")
	if err != nil {
		return nil, err
	}
	key, err := trust.Paper{Words: strings.TrimSpace(text)}.Key()
	if err != nil {
		return nil, err
	}
	return signerOf(key)
}

func signerOf(key any) (Signer, error) {
	if pointer, ok := key.(*ed25519.PrivateKey); ok {
		key = *pointer
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		return nil, fmt.Errorf("use a key: %w", err)
	}
	return func(s *trust.Statement, under *trust.File) error {
		own, plain := key.(ed25519.PrivateKey)
		if plain && !knownAsSSH(under, signer.PublicKey().Marshal()) {
			return s.Sign(own)
		}
		return s.SignSSH(signer)
	}, nil
}

// knownAsSSH tells whether the trust file has a key as one of OpenSSH.
func knownAsSSH(under *trust.File, public []byte) bool {
	if under == nil {
		return false
	}
	id := trust.Key{Scheme: trust.SSH, Public: public}.ID()
	for _, p := range under.People {
		for _, k := range p.Keys {
			if k.ID() == id {
				return true
			}
		}
	}
	return false
}
