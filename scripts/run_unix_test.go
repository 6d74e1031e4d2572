//go:build unix

package scripts

import (
	"bytes"
	"errors"
	"fmt"
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
	cmd := prepared(t, id, dry, env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

// runLater runs it when so many days have passed: what stands in an inode cannot be
// dated back.
func runLater(t *testing.T, days int, id string, dry bool, env ...string) (string, error) {
	t.Helper()
	cmd := prepared(t, id, dry, append(env, "NO_FAKE_STAT=1")...)
	later := exec.Command("faketime", append([]string{"-f", fmt.Sprintf("+%dd", days)}, cmd.Args...)...)
	later.Env = cmd.Env
	out, err := later.CombinedOutput()
	return string(out), err
}

func prepared(t *testing.T, id string, dry bool, env ...string) *exec.Cmd {
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
	return cmd
}

func TestFreeDiskSpace(t *testing.T) {
	root := t.TempDir()
	const days = 61
	now := time.Now()
	then := now.AddDate(0, 0, days) // when the script runs
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
	goes := []string{file("tmp/a", now), file("var/tmp/deep/b c", now), file("var/cache/apt/archives/x_1.deb", then), file("var/log/syslog.2.gz", now)}
	stays := []string{file("tmp/fresh", then), file("home/anna/Documents/thesis.odt", now), file("var/log/auth.log.2.gz", now),
		file("var/log/audit/audit.log.1", now), file("var/log/syslog.1.gz", then), file("var/tmp/week", then.AddDate(0, 0, -7))}
	read := file("tmp/read", now)
	if err := os.Chtimes(read, then, now); err != nil { // somebody reads it still
		t.Fatal(err)
	}
	secret := file("secret", now)
	if err := os.Symlink(secret, filepath.Join(root, "tmp/link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(secret, filepath.Join(root, "tmp/hard")); err != nil {
		t.Fatal(err)
	}
	stays = append(stays, read, secret, filepath.Join(root, "tmp/hard"))

	exists := func(path string) bool { _, err := os.Lstat(path); return err == nil }
	out, err := runLater(t, days, "free-disk-space", true, "DESKSIDE_P_MOUNT="+root)
	if err != nil || !strings.Contains(out, "would remove 1 files") || !strings.Contains(out, "deskside: would_free_bytes=") {
		t.Fatalf("dry run: %v\n%s", err, out)
	}
	for _, path := range append(goes, stays...) {
		if !exists(path) {
			t.Errorf("the dry run removed %s", path)
		}
	}
	out, err = runLater(t, days, "free-disk-space", false, "DESKSIDE_P_MOUNT="+root)
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

// TestUnpackedJustNow: what was unpacked a minute ago, with the dates that it had
// where it was packed, is in use.
func TestUnpackedJustNow(t *testing.T) {
	root := t.TempDir()
	var unpacked []string
	for _, name := range []string{"tmp/build/main.c", "var/tmp/build/main.c"} {
		path := filepath.Join(root, name)
		old := time.Now().AddDate(-1, 0, 0)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte("x"), 0o644), os.Chtimes(path, old, old)); err != nil {
			t.Fatal(err)
		}
		unpacked = append(unpacked, path)
	}
	if out, err := runScript(t, "free-disk-space", false, "DESKSIDE_P_MOUNT="+root); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, path := range unpacked {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
}
