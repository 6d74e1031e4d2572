package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/deskside/deskside/agent/gate"
	"github.com/deskside/deskside/agent/link"
	"github.com/deskside/deskside/agent/state"
	"github.com/deskside/deskside/protocol"
	"github.com/deskside/deskside/protocol/trust"
)

// Enrolment is what it takes to give this machine a name at a console.
type Enrolment struct {
	Console string // https://host:port
	Token   protocol.Token
	State   string // folder of the machine's memory
	Profile string // what the machine allows when it has no policy file
	Replace bool   // give up the name it has
	// Root is the organisation's root as it came by another way than the token: its seven
	// words, or the file of its first trust file. "" takes the token's word for it.
	Root string
	// Policy is the administrator's policy file; a root.cbor beside it is the root.
	Policy string
}

// Enroll gives this machine a name and keeps it in its state.
func Enroll(ctx context.Context, e Enrolment) (state.Identity, error) {
	root, words, err := e.root()
	if err != nil {
		return state.Identity{}, err
	}
	s, err := state.Open(e.State)
	if err != nil {
		return state.Identity{}, err
	}
	defer s.Close()
	err = s.View(func(tx *state.Tx) error { _, err := tx.Identity(); return err })
	if err == nil && !e.Replace {
		return state.Identity{}, fmt.Errorf("%w: this machine is enrolled already; --replace gives up the name it has", errConfig)
	}
	if err != nil && !errors.Is(err, state.ErrNotEnrolled) {
		return state.Identity{}, err
	}
	id, chain, err := link.Enrol(ctx, link.Enrolment{Console: e.Console, Token: e.Token, Name: hostname(), Agent: Version,
		OS: protocol.OS{Family: runtime.GOOS, Arch: runtime.GOARCH}, Profile: e.Profile, Hardware: hardware()})
	if err != nil {
		return state.Identity{}, err
	}
	if id.Root = root; words != "" {
		if id.Root, err = rootByWords(words, chain); err != nil {
			return state.Identity{}, err
		}
	}
	return id, s.Update(func(tx *state.Tx) error { return gate.Enrol(tx, id, chain) })
}

// root is the root that this machine will follow, from everybody who says one: they must
// say the same. Where only its words are known, the root is still to be found by them.
func (e Enrolment) root() (root []byte, words string, err error) {
	root = e.Token.Root
	path := e.Root
	if path == "" && e.Policy != "" {
		path = filepath.Join(filepath.Dir(e.Policy), rootFile)
	}
	if path == "" {
		return root, "", nil
	}
	switch told, err := readRoot(path); {
	case err == nil && len(root) > 0 && !bytes.Equal(told, root):
		return nil, "", fmt.Errorf("%w: the token leads to the root %q, and %s is the root %q: one of them is not your organisation's",
			errConfig, trust.Words([32]byte(root)), path, trust.Words([32]byte(told)))
	case err == nil:
		return told, "", nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, "", fmt.Errorf("%w: %w", errConfig, err)
	case e.Root == "":
		return root, "", nil
	}
	if len(root) == 0 {
		return nil, e.Root, nil
	}
	if err := trust.SameWords(e.Root, [32]byte(root)); err != nil {
		return nil, "", fmt.Errorf("%w: the root that the token leads to: %w", errConfig, err)
	}
	return root, "", nil
}

// rootFile is an organisation's first trust file, put down beside the policy by a package
// or by configuration management.
const rootFile = "root.cbor"

// readRoot is the digest of a first trust file.
func readRoot(path string) ([]byte, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the root: %w", err)
	}
	s, err := trust.Open(raw)
	if err != nil {
		return nil, fmt.Errorf("read the root in %s: %w", path, err)
	}
	if f, ok := s.Body.(*trust.File); !ok || f.Version != 1 {
		return nil, fmt.Errorf("read the root in %s: it is no first trust file", path)
	}
	digest := s.Digest()
	return digest[:], nil
}

// rootByWords is the root that a person has the words of, among what the console brought.
func rootByWords(words string, chain [][]byte) ([]byte, error) {
	if len(chain) == 0 {
		return nil, fmt.Errorf("%w: the console has no trust file yet whose words could be compared", errConfig)
	}
	s, err := trust.Open(chain[0])
	if err != nil {
		return nil, fmt.Errorf("%w: the console's first trust file: %w", errConfig, err)
	}
	digest := s.Digest()
	if err := trust.SameWords(words, digest); err != nil {
		return nil, fmt.Errorf("%w: the console's root: %w", errConfig, err)
	}
	return digest[:], nil
}
