//go:build unix

package scripts

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// runScript runs a script of the catalogue as the agent does, but for the keeper.
func runScript(t *testing.T, id string, dry bool, env ...string) (string, error) {
	t.Helper()
	s, _ := Lookup(id)
	_, body, _ := s.File("linux")
	path := filepath.Join(t.TempDir(), "run.sh")
	if err := os.WriteFile(path, body, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/bin/sh", path)
	cmd.Env = append([]string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8"}, env...)
	if dry {
		cmd.Env = append(cmd.Env, "DESKSIDE_DRY_RUN=1")
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

func TestFreeDiskSpace(t *testing.T) {
	root := t.TempDir()
	old := time.Now().Add(-60 * 24 * time.Hour)
	file := func(name string, at time.Time) string {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, make([]byte, 100_000), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
		return path
	}
	goes := []string{file("tmp/a", old), file("var/tmp/deep/b c", old), file("var/cache/apt/archives/x_1.deb", time.Now()),
		file("var/log/syslog.2.gz", old)}
	stays := []string{file("tmp/fresh", time.Now()), file("home/anna/Documents/thesis.odt", old), file("var/log/auth.log.2.gz", old),
		file("var/log/audit/audit.log.1", old), file("var/log/syslog.1.gz", time.Now())}
	secret := file("secret", old)
	if err := os.Symlink(secret, filepath.Join(root, "tmp/link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(secret, filepath.Join(root, "tmp/hard")); err != nil {
		t.Fatal(err)
	}
	stays = append(stays, secret, filepath.Join(root, "tmp/hard"))

	exists := func(path string) bool { _, err := os.Lstat(path); return err == nil }
	out, err := runScript(t, "free-disk-space", true, "DESKSIDE_P_MOUNT="+root)
	if err != nil || !strings.Contains(out, "would remove 1 files") || !strings.Contains(out, "deskside: would_free_bytes=") {
		t.Fatalf("dry run: %v\n%s", err, out)
	}
	for _, path := range append(goes, stays...) {
		if !exists(path) {
			t.Errorf("the dry run removed %s", path)
		}
	}
	out, err = runScript(t, "free-disk-space", false, "DESKSIDE_P_MOUNT="+root)
	if err != nil || !strings.Contains(out, "deskside: freed_bytes=") {
		t.Fatalf("run: %v\n%s", err, out)
	}
	for _, path := range goes {
		if exists(path) {
			t.Errorf("%s is still there", path)
		}
	}
	for _, path := range stays {
		if !exists(path) {
			t.Errorf("%s is gone", path)
		}
	}
}
