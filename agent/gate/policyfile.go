package gate

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ReadPolicy reads the policy file at path. A file that is not there means the
// profile chosen at enrolment. Any doubt, such as an unknown or doubled key, a wrong word,
// a link, another owner than the administrator, write permission for anybody
// else to the file or to its folder, closes everything but vitals and comes back
// as the error.
func ReadPolicy(path, profile string) (Policy, error) {
	raw, err := readOwned(path)
	var p Policy
	switch {
	case errors.Is(err, fs.ErrNotExist):
		p, err = Profile(profile)
	case err == nil:
		p, err = ParsePolicy(raw)
	}
	if err != nil {
		err = fmt.Errorf("policy file %s: %w", path, err)
		return Closed(err), err
	}
	return p, nil
}

func readOwned(path string) ([]byte, error) {
	// Who may write the folder may take the file away, and with it a narrow policy.
	folder, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	if err := owned(filepath.Dir(path), folder); err != nil {
		return nil, fmt.Errorf("its folder: %w", err)
	}
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a plain file")
	}
	if err := owned(path, info); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	opened, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !os.SameFile(info, opened) {
		return nil, errors.New("it was exchanged while it was read")
	}
	raw, err := io.ReadAll(io.LimitReader(f, MaxPolicy+1))
	if err != nil {
		return nil, err
	}
	if len(raw) > MaxPolicy {
		return nil, fmt.Errorf("larger than %d bytes", MaxPolicy)
	}
	return raw, nil
}

// ParsePolicy reads the text of a policy file.
func ParsePolicy(raw []byte) (Policy, error) {
	if err := plainYAML(raw); err != nil {
		return Policy{}, err
	}
	var f file
	dec := yaml.NewDecoder(bytes.NewReader(raw))
	dec.KnownFields(true)
	if err := dec.Decode(&f); err != nil {
		return Policy{}, tidyYAML(err)
	}
	if f.Version != 1 {
		return Policy{}, fmt.Errorf("version is 1, not %d", f.Version)
	}
	if f.Profile == "" {
		return Policy{}, fmt.Errorf("profile is missing: %s", oneOf(Profiles()))
	}
	p, err := Profile(f.Profile)
	if err != nil {
		return Policy{}, err
	}
	if err := f.apply(&p); err != nil {
		return Policy{}, err
	}
	p.digest = digestOf(raw)
	return p, nil
}

// plainYAML refuses what a person does not write by hand: several documents,
// anchors, aliases, tags; and a key without a value, which could be meant as
// "off" and would be read as "not there".
func plainYAML(raw []byte) error {
	dec := yaml.NewDecoder(bytes.NewReader(raw))
	var node yaml.Node
	if err := dec.Decode(&node); err != nil {
		if errors.Is(err, io.EOF) {
			return errors.New("it is empty")
		}
		return tidyYAML(err)
	}
	var second yaml.Node
	if err := dec.Decode(&second); !errors.Is(err, io.EOF) {
		return errors.New("it holds more than one document")
	}
	return plainNode(&node)
}

func plainNode(n *yaml.Node) error {
	if n.Anchor != "" || n.Kind == yaml.AliasNode || n.Tag == "!!merge" {
		return fmt.Errorf("line %d: anchors and aliases are not allowed", n.Line)
	}
	if n.Style&yaml.TaggedStyle != 0 {
		return fmt.Errorf("line %d: tags such as %s are not allowed", n.Line, n.Tag)
	}
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i+1].Tag == "!!null" {
				return fmt.Errorf("line %d: %s has no value", n.Content[i].Line, n.Content[i].Value)
			}
		}
	}
	for _, child := range n.Content {
		if err := plainNode(child); err != nil {
			return err
		}
	}
	return nil
}

func tidyYAML(err error) error {
	return errors.New(strings.ReplaceAll(strings.TrimPrefix(err.Error(), "yaml: "), "in type gate.file", "(unknown key)"))
}
