//go:build unix

package gate

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDoubtfulFile: a file that somebody else may have written closes everything
// but vitals; no file means the profile.
func TestDoubtfulFile(t *testing.T) {
	good := func(t *testing.T, path string) {
		t.Helper()
		if err := os.WriteFile(path, []byte("version: 1\nprofile: trial\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, make := range map[string]func(t *testing.T, dir, path string){
		"symbolic link": func(t *testing.T, dir, path string) {
			good(t, filepath.Join(dir, "real"))
			if err := os.Symlink("real", path); err != nil {
				t.Fatal(err)
			}
		},
		"dangling link": func(t *testing.T, _, path string) {
			if err := os.Symlink("nowhere", path); err != nil {
				t.Fatal(err)
			}
		},
		"folder": func(t *testing.T, _, path string) {
			if err := os.Mkdir(path, 0o755); err != nil {
				t.Fatal(err)
			}
		},
		"group may write": func(t *testing.T, _, path string) {
			good(t, path)
			if err := os.Chmod(path, 0o664); err != nil {
				t.Fatal(err)
			}
		},
		"everybody may write": func(t *testing.T, _, path string) {
			good(t, path)
			if err := os.Chmod(path, 0o646); err != nil {
				t.Fatal(err)
			}
		},
		"everybody may write the folder": func(t *testing.T, dir, path string) {
			good(t, path)
			if err := os.Chmod(dir, 0o777); err != nil {
				t.Fatal(err)
			}
		},
		"everybody may take it away": func(t *testing.T, dir, _ string) {
			if err := os.Chmod(dir, 0o777); err != nil {
				t.Fatal(err)
			}
		},
		"too large": func(t *testing.T, _, path string) {
			text := "version: 1\nprofile: trial\n# " + strings.Repeat("x", MaxPolicy)
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		},
		"doubled key": func(t *testing.T, _, path string) {
			if err := os.WriteFile(path, []byte("version: 1\nprofile: trial\nproof: none\nproof: none\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.Chmod(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, "policy.yaml")
			make(t, dir, path)
			p, err := ReadPolicy(path, "trial")
			if err == nil || !isClosed(p) {
				t.Errorf("error %v, policy %+v", err, p)
			}
			if err != nil && !strings.Contains(err.Error(), path) {
				t.Errorf("%v does not name the file", err)
			}
		})
	}
}
