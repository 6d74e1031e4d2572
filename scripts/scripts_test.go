package scripts

import (
	"strings"
	"testing"
	"testing/fstest"
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
		"one name twice":   manifest + "parameters: [{name: P, title: {en: a, pl: b}, type: boolean}, {name: P, title: {en: a, pl: b}, type: boolean}]\n",
		"default, boolean": manifest + "parameters: [{name: P, title: {en: a, pl: b}, type: boolean, default: 'yes'}]\n",
		"default, integer": manifest + "parameters: [{name: P, title: {en: a, pl: b}, type: integer, min: 1, max: 9, default: '10'}]\n",
		"default, enum":    manifest + "parameters: [{name: P, title: {en: a, pl: b}, type: string, enum: [a, b], default: c}]\n",
		"default, pattern": manifest + "parameters: [{name: P, title: {en: a, pl: b}, type: string, pattern: '[a-z]', max: 1, default: '1'}]\n",
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
