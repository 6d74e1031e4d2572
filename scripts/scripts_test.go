package scripts

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

func TestCatalogue(t *testing.T) {
	all, err := All()
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"free-disk-space", "restart-service"} {
		s, ok := Lookup(id)
		if !ok || len(s.Hash()) != 32 {
			t.Errorf("%s is not in the catalogue of %d", id, len(all))
		}
	}
	if _, ok := Lookup("format-disk"); ok {
		t.Error("a script that does not exist was found")
	}
}

const manifest = `id: x
version: 1
title: {en: a, pl: b}
explanation: {en: a, pl: b}
notices: {en: a, pl: b}
risk: safe
timeout: 1m
platforms: {linux: run.sh}
`

// TestLint breaks a good manifest in one way each.
func TestLint(t *testing.T) {
	fsys := func(m string) fstest.MapFS {
		return fstest.MapFS{"x/manifest.yaml": {Data: []byte(m)}, "x/run.sh": {Data: []byte("true\n")}}
	}
	if _, err := load(fsys(manifest)); err != nil {
		t.Fatalf("the good one: %v", err)
	}
	for name, broken := range map[string]string{
		"unknown key":      manifest + "sudo: true\n",
		"another id":       strings.Replace(manifest, "id: x", "id: y", 1),
		"no Polish":        strings.Replace(manifest, "title: {en: a, pl: b}", "title: {en: a}", 1),
		"unknown risk":     strings.Replace(manifest, "safe", "harmless", 1),
		"no end":           strings.Replace(manifest, "1m", "90h", 1),
		"nowhere":          strings.Replace(manifest, "platforms: {linux: run.sh}\n", "", 1),
		"missing file":     strings.Replace(manifest, "run.sh", "go.sh", 1),
		"parameter name":   manifest + "parameters: [{name: lower, title: {en: a, pl: b}, type: boolean}]\n",
		"no such subject":  manifest + "subject: SERVICE\n",
		"optional subject": manifest + "subject: P\nparameters: [{name: P, title: {en: a, pl: b}, type: string, from: services}]\n",
		"open subject":     manifest + "subject: P\nparameters: [{name: P, title: {en: a, pl: b}, type: string, required: true, pattern: '.*', max: 9}]\n",
		"open without end": manifest + "parameters: [{name: P, title: {en: a, pl: b}, type: string, pattern: '.*'}]\n",
	} {
		if _, err := load(fsys(broken)); err == nil {
			t.Errorf("%s: loads", name)
		}
	}
}

func TestValues(t *testing.T) {
	s, _ := Lookup("free-disk-space")
	listed := func(what string) []string { return map[string][]string{"filesystems": {"/", "/home"}}[what] }
	for name, given := range map[string]map[string]string{
		"missing":          {},
		"not on the list":  {"MOUNT": "/etc"},
		"an option":        {"MOUNT": "--help"},
		"a control":        {"MOUNT": "/\nrm"},
		"an unknown value": {"MOUNT": "/", "PATH": "/tmp"},
	} {
		if _, err := s.Values(given, listed); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	got, err := s.Values(map[string]string{"MOUNT": "/home"}, listed)
	if err != nil || got["MOUNT"] != "/home" {
		t.Errorf("a listed value: %v, %v", got, err)
	}
}

func TestProtected(t *testing.T) {
	for _, name := range []string{"sshd", "SSHD.service", "deskside-agent", "WinDefend", "emergency", "debug-shell.service", "Power",
		"systemd-hibernate", "user@1000", "getty@tty1.service", "sshd@7-10.0.0.1:22", "gdm", "xrdp-sesman", "tigervncserver@:1",
		"TeamViewer15", "cockpit-wsinstance-http", "TermService", "RemoteRegistry", "winrm"} {
		if !Protected(name, nil) {
			t.Errorf("%s is not protected", name)
		}
	}
	for _, name := range []string{"cups", "cups@getty", "power-profiles-daemon", "userdbd", "Spooler"} {
		if Protected(name, nil) {
			t.Errorf("%s is protected", name)
		}
	}
	for _, own := range []string{"cups.service", "cups", "cups@", "cups@.service"} {
		if !Protected("cups@office", []string{own}) || !Protected("CUPS.service", []string{own}) {
			t.Errorf("the policy's own %s is not followed", own)
		}
	}
}

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
