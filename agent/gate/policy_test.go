package gate

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// written is a policy file with every line there is, at its default.
const written = `version: 1
profile: attended          # trial | attended | unattended | locked; lines below override it
proof: touch
terminal: ask
terminal_account: person
files: ask
files_account: person
files_read: [home]
files_write: [home]
desktop: ask
processes: ask
services: ask
logs: ask
registry: off
power: ask
support_bundle: ask
nobody_there: refuse
scripts: on
scripts_risk: disruptive
automatic: safe
allow: {packages: [], services: [], dns_servers: [], drives: [], remove: []}
protect: []
collect: {people: name, processes: names, command_lines: off, log_text: templates, file_names: off, print_jobs: counts, wifi: signal, software: on}
questions: plain
watch: on
probe_targets: []
update: approved
uninstall: approved
proxied: false
fresh: off
limits: {safe_per_hour: 6, disruptive_per_day: 4, restart_every: 4h, sessions: 2, asks_per_hour: 3}
journal: {days: 365, system_log: on}
`

// TestWrittenDefault: the default, written out, is what no file means; and each
// line stands for itself.
func TestWrittenDefault(t *testing.T) {
	want, err := Profile("attended")
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParsePolicy([]byte(written))
	if err != nil {
		t.Fatal(err)
	}
	if want.Told().Digest == nil || string(want.digest) == string(got.digest) {
		t.Error("a file and no file have one digest")
	}
	got.digest, want.digest = nil, nil
	if len(got.Protect) != 0 {
		t.Errorf("protect: %v", got.Protect)
	}
	got.Protect = nil
	if !same(got, want) {
		t.Errorf("written out %+v\nmeant       %+v", got, want)
	}
	for _, line := range strings.Split(strings.TrimSpace(written), "\n")[2:] {
		if _, err := ParsePolicy([]byte("version: 1\nprofile: locked\n" + line + "\n")); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
}

func same(a, b Policy) bool {
	return a.Profile == b.Profile && a.Proof == b.Proof && a.Terminal == b.Terminal && a.TerminalAccount == b.TerminalAccount &&
		a.NobodyThere == b.NobodyThere && a.Scripts == b.Scripts && a.ScriptsRisk == b.ScriptsRisk && a.Automatic == b.Automatic &&
		a.Questions == b.Questions && a.Watch == b.Watch && a.Proxied == b.Proxied && a.Collect == b.Collect &&
		a.Limits == b.Limits && a.JournalDays == b.JournalDays && a.SystemLog == b.SystemLog && a.problem == b.problem
}

// TestLinesCount: what a line says is in force.
func TestLinesCount(t *testing.T) {
	p, err := ParsePolicy([]byte(`version: 1
profile: trial
terminal: off
scripts_risk: safe
questions: off
watch: off
protect: [backup]
collect: {people: off, processes: off, command_lines: on}
limits: {safe_per_hour: 0, restart_every: 30m, sessions: 1}
journal: {days: 30, system_log: off}
`))
	if err != nil {
		t.Fatal(err)
	}
	if p.Proof != "none" || p.Terminal != "off" || p.ScriptsRisk != "safe" || p.Questions != "off" || p.Watch != "off" ||
		len(p.Protect) != 1 || p.Collect != (Collect{"off", "off", "on"}) || p.Limits.SafePerHour != 0 ||
		p.Limits.RestartEvery != 30*time.Minute || p.Limits.Sessions != 1 || p.JournalDays != 30 || p.SystemLog {
		t.Errorf("%+v", p)
	}
}

// TestDoubtfulText: each of these is refused, with the place or the word named.
func TestDoubtfulText(t *testing.T) {
	const head = "version: 1\nprofile: attended\n"
	for name, tc := range map[string]struct{ text, says string }{
		"empty":             {"", "empty"},
		"only a comment":    {"# nothing\n", "empty"},
		"no version":        {"profile: attended\n", "version"},
		"version 2":         {"version: 2\nprofile: attended\n", "version"},
		"no profile":        {"version: 1\n", "profile"},
		"profile unknown":   {"version: 1\nprofile: open\n", "trial, attended, unattended or locked"},
		"unknown key":       {head + "termnial: off\n", "termnial"},
		"other case":        {head + "terminal: off\nTerminal: on\n", "Terminal"},
		"doubled key":       {head + "terminal: off\nterminal: on\n", "terminal"},
		"doubled inside":    {head + "limits: {sessions: 1, sessions: 9}\n", "sessions"},
		"unknown inside":    {head + "limits: {session: 1}\n", "session"},
		"wrong word":        {head + "terminal: yes\n", "off, ask or on"},
		"wrong proof":       {head + "proof: off\n", "none, touch or seen"},
		"number for word":   {head + "terminal: 1\n", "off, ask or on"},
		"word for number":   {head + "limits: {sessions: many}\n", "many"},
		"negative":          {head + "limits: {sessions: -1}\n", "sessions"},
		"list for word":     {head + "terminal: [on]\n", "line 3"},
		"nothing after key": {head + "terminal:\n", "terminal"},
		"null":              {head + "watch: ~\n", "watch"},
		"null inside":       {head + "limits: {sessions: }\n", "sessions"},
		"duration":          {head + "limits: {restart_every: often}\n", "often"},
		"fresh":             {head + "fresh: sometimes\n", "sometimes"},
		"anchor":            {head + "terminal: &a off\nfiles: *a\n", "anchors"},
		"merge":             {head + "<<: {terminal: on}\n", "anchors"},
		"tag":               {head + "terminal: !!str on\n", "tags"},
		"own tag":           {head + "terminal: !secret on\n", "tags"},
		"two documents":     {head + "---\nterminal: on\n", "more than one document"},
		"not YAML":          {head + "terminal: [on\n", "line"},
		"not a mapping":     {"- version: 1\n", "line 1"},
		"deep":              {head + "protect: " + strings.Repeat("[", 20_000), "depth"},
	} {
		p, err := ParsePolicy([]byte(tc.text))
		if err == nil {
			t.Errorf("%s: accepted as %+v", name, p)
		} else if !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v, which does not say %q", name, err, tc.says)
		}
	}
}

func isClosed(p Policy) bool {
	return p.Problem() != "" && p.Terminal == "off" && p.Scripts == "off" && p.Questions == "off" && p.Watch == "off" &&
		p.Collect == (Collect{"off", "off", "off"}) && p.Automatic == "off" && p.Proof == "seen"
}

// TestForeignOwner needs the right to give a file away, so it is made where the
// test runs as root, and where it does not, another's file is at hand.
func TestForeignOwner(t *testing.T) {
	path := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(path, []byte("version: 1\nprofile: trial\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() != 0 {
		if p, err := ReadPolicy(path, "trial"); err != nil || p.Profile != "trial" {
			t.Errorf("own file: %v, %+v", err, p)
		}
		return
	}
	if err := os.Chown(path, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	if p, err := ReadPolicy(path, "trial"); err == nil || !isClosed(p) {
		t.Errorf("error %v, policy %+v", err, p)
	}
}

func TestProfiles(t *testing.T) {
	for _, name := range Profiles() {
		p, err := ReadPolicy(filepath.Join(t.TempDir(), "none", "policy.yaml"), name)
		if err != nil || p.Profile != name || p.Problem() != "" {
			t.Errorf("%s: %v, %+v", name, err, p)
		}
		if trial := p.Proof == "none"; trial != (name == "trial") {
			t.Errorf("%s: proof %s", name, p.Proof)
		}
	}
	if p, err := Profile(""); err != nil || p.Profile != "attended" {
		t.Errorf("no profile: %v, %+v", err, p)
	}
	if _, err := Profile("Trial"); err == nil {
		t.Error("an unknown profile is accepted")
	}
	if p, err := ReadPolicy(filepath.Join(t.TempDir(), "policy.yaml"), "opne"); err == nil || !isClosed(p) {
		t.Errorf("an unknown profile without a file: %v, %+v", err, p)
	}
}

// TestNoEnvironment: no variable widens a policy.
func TestNoEnvironment(t *testing.T) {
	for _, name := range []string{"DESKSIDE_TERMINAL", "TERMINAL", "DESKSIDE_PROOF", "DESKSIDE_POLICY_TERMINAL"} {
		t.Setenv(name, "on")
	}
	t.Setenv("DESKSIDE_PROFILE", "trial")
	p, err := ParsePolicy([]byte("version: 1\nprofile: locked\n"))
	if err != nil || p.Terminal != "off" || p.Profile != "locked" {
		t.Errorf("%v, %+v", err, p)
	}
}
