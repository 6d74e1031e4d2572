// Package scripts is the catalogue of repair scripts that come with Deskside.
//
// Each script is a folder: manifest.yaml, one file for each family of systems,
// and its test. The whole folder is embedded at both ends; its [Script.Hash] is
// what a console names and an agent compares, so that neither can run what the
// other does not mean.
//
// A script gets its values as environment variables DESKSIDE_P_NAME, never as
// text in its source. A dry run has DESKSIDE_DRY_RUN=1: it tells what it would
// do and does none of it. What a script prints on lines that begin with
// "deskside:" is read as name=value pairs and kept as the result of the run.
package scripts

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.yaml.in/yaml/v3"
)

// Risk says how much a script can disturb or lose.
type Risk string

const (
	Safe        Risk = "safe"        // loses nothing, stops nothing, cuts nothing off
	Disruptive  Risk = "disruptive"  // interrupts somebody's work
	Destructive Risk = "destructive" // cannot be taken back
)

// Rank orders risks: safe 0, disruptive 1, destructive 2; an unknown word 3.
func (r Risk) Rank() int {
	switch r {
	case Safe:
		return 0
	case Disruptive:
		return 1
	case Destructive:
		return 2
	}
	return 3
}

// Words is a text in both languages.
type Words struct {
	EN string `yaml:"en" json:"en"`
	PL string `yaml:"pl" json:"pl"`
}

// Script is one script of the catalogue.
type Script struct {
	ID          string            `yaml:"id"`
	Version     int               `yaml:"version"`
	Title       Words             `yaml:"title"`
	Explanation Words             `yaml:"explanation"` // what it does, for the technician
	Notices     Words             `yaml:"notices"`     // what the person at the machine notices
	Risk        Risk              `yaml:"risk"`
	Timeout     time.Duration     `yaml:"timeout"`
	Platforms   map[string]string `yaml:"platforms"` // linux, windows, darwin -> file
	Parameters  []Parameter       `yaml:"parameters"`
	Cures       []string          `yaml:"cures"`   // checks
	Subject     string            `yaml:"subject"` // the parameter whose value is the instance of those checks
	Verify      string            `yaml:"verify"`  // check to look at afterwards

	hash  []byte
	files map[string][]byte
}

// Parameter is one value that a script takes.
type Parameter struct {
	Name     string   `yaml:"name"` // [A-Z0-9_]{1,40}
	Title    Words    `yaml:"title"`
	Type     string   `yaml:"type"` // string, integer, boolean
	Required bool     `yaml:"required"`
	Default  string   `yaml:"default"`
	Enum     []string `yaml:"enum"`
	Pattern  string   `yaml:"pattern"`
	Max      int      `yaml:"max"`  // characters of a string, value of an integer
	Min      int      `yaml:"min"`  // value of an integer
	From     string   `yaml:"from"` // closed: what the machine itself lists now (filesystems, services)
}

//go:embed all:*/manifest.yaml all:*/run.*
var embedded embed.FS

var catalogue = sync.OnceValues(func() (map[string]Script, error) { return load(embedded) })

// Lookup is the script with the id, if the catalogue has it.
func Lookup(id string) (Script, bool) {
	all, err := catalogue()
	if err != nil {
		return Script{}, false
	}
	s, ok := all[id]
	return s, ok
}

// All lists the catalogue by id, or says what is wrong with it.
func All() ([]Script, error) {
	all, err := catalogue()
	if err != nil {
		return nil, err
	}
	list := make([]Script, 0, len(all))
	for _, s := range all {
		list = append(list, s)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].ID < list[j].ID })
	return list, nil
}

func load(fsys fs.FS) (map[string]Script, error) {
	manifests, err := fs.Glob(fsys, "*/manifest.yaml")
	if err != nil {
		return nil, fmt.Errorf("read scripts: %w", err)
	}
	out := map[string]Script{}
	for _, path := range manifests {
		folder := path[:len(path)-len("/manifest.yaml")]
		s, err := loadOne(fsys, folder)
		if err != nil {
			return nil, fmt.Errorf("script %s: %w", folder, err)
		}
		out[s.ID] = s
	}
	return out, nil
}

func loadOne(fsys fs.FS, folder string) (Script, error) {
	var s Script
	manifest, err := fs.ReadFile(fsys, folder+"/manifest.yaml")
	if err != nil {
		return s, err
	}
	dec := yaml.NewDecoder(bytes.NewReader(manifest))
	dec.KnownFields(true)
	if err := dec.Decode(&s); err != nil {
		return s, err
	}
	s.files = map[string][]byte{}
	h := sha256.New()
	fmt.Fprintf(h, "manifest.yaml %d\n", len(manifest))
	h.Write(manifest)
	names := []string{}
	for _, name := range s.Platforms {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		body, err := fs.ReadFile(fsys, folder+"/"+name)
		if err != nil {
			return s, err
		}
		s.files[name] = body
		fmt.Fprintf(h, "%s %d\n", name, len(body))
		h.Write(body)
	}
	s.hash = h.Sum(nil)
	return s, s.check(folder)
}

var parameterName = regexp.MustCompile(`^[A-Z0-9_]{1,40}$`)

// check is the catalogue's lint: what would make a script dangerous or dumb
// does not load.
func (s Script) check(folder string) error {
	switch {
	case s.ID != folder:
		return fmt.Errorf("its id %q is not its folder", s.ID)
	case s.Version < 1:
		return fmt.Errorf("version is 1 or more")
	case s.Risk.Rank() > 2:
		return fmt.Errorf("risk is safe, disruptive or destructive, not %q", s.Risk)
	case s.Timeout < time.Second || s.Timeout > time.Hour:
		return fmt.Errorf("timeout is 1s to 1h, not %s", s.Timeout)
	case len(s.Platforms) == 0:
		return fmt.Errorf("it runs nowhere")
	}
	for _, w := range []Words{s.Title, s.Explanation, s.Notices} {
		if w.EN == "" || w.PL == "" {
			return fmt.Errorf("title, explanation and notices need both languages")
		}
	}
	subject := func(p Parameter) bool { return p.Name == s.Subject && p.Required && p.From != "" }
	if s.Subject != "" && !slices.ContainsFunc(s.Parameters, subject) {
		return fmt.Errorf("subject is a required parameter that the machine lists, not %q", s.Subject)
	}
	for i, p := range s.Parameters {
		if err := p.check(); err != nil {
			return fmt.Errorf("parameter %s: %w", p.Name, err)
		}
		if slices.ContainsFunc(s.Parameters[:i], func(o Parameter) bool { return o.Name == p.Name }) {
			return fmt.Errorf("there are two parameters %s", p.Name)
		}
	}
	return nil
}

// check is the lint of one parameter; its default must be one of the values that it
// takes.
func (p Parameter) check() error {
	if err := p.checkType(); err != nil || p.Default == "" {
		return err
	}
	if err := p.accept(p.Default, nil); err != nil {
		return fmt.Errorf("its default: %w", err)
	}
	return nil
}

func (p Parameter) checkType() error {
	if !parameterName.MatchString(p.Name) {
		return fmt.Errorf("a name is capital letters, digits and _, at most 40")
	}
	if p.Title.EN == "" || p.Title.PL == "" {
		return fmt.Errorf("the title needs both languages")
	}
	switch p.Type {
	case "integer":
		if p.Max <= p.Min {
			return fmt.Errorf("an integer needs min below max")
		}
	case "boolean":
	case "string":
		if p.From != "" || len(p.Enum) > 0 {
			return nil
		}
		if p.Pattern == "" || p.Max < 1 || p.Max > 256 {
			return fmt.Errorf("an open string needs a pattern and a max of 1 to 256")
		}
		if _, err := regexp.Compile("^(?:" + p.Pattern + ")$"); err != nil {
			return err
		}
	default:
		return fmt.Errorf("type is string, integer or boolean, not %q", p.Type)
	}
	return nil
}

// Hash names these very bytes of manifest and files.
func (s Script) Hash() []byte { return s.hash }

// File is the script for a system family, or false where it does not run.
func (s Script) File(family string) (name string, body []byte, ok bool) {
	name, ok = s.Platforms[family]
	return name, s.files[name], ok
}

// Families are the systems the script runs on.
func (s Script) Families() []string {
	var out []string
	for family := range s.Platforms {
		out = append(out, family)
	}
	slices.Sort(out)
	return out
}

// Open tells whether a value of the script can be something that the machine
// does not list itself.
func (s Script) Open() bool {
	return slices.ContainsFunc(s.Parameters, func(p Parameter) bool {
		return p.Type == "string" && p.From == "" && len(p.Enum) == 0
	})
}

// Values checks what somebody wants to give the script and fills in defaults.
// listed answers what the machine lists for a closed parameter; where it is nil
// (at the console, which cannot know) such values are only checked for form.
func (s Script) Values(given map[string]string, listed func(from string) []string) (map[string]string, error) {
	out := map[string]string{}
	for name := range given {
		if !slices.ContainsFunc(s.Parameters, func(p Parameter) bool { return p.Name == name }) {
			return nil, &ValueError{name, fmt.Sprintf("%s takes no value %s.", s.ID, name)}
		}
	}
	for _, p := range s.Parameters {
		value, there := given[p.Name]
		if !there || value == "" {
			value = p.Default
		}
		if value == "" {
			if p.Required {
				return nil, &ValueError{p.Name, fmt.Sprintf("%s needs the value %s.", s.ID, p.Name)}
			}
			continue
		}
		if err := p.accept(value, listed); err != nil {
			return nil, err
		}
		out[p.Name] = value
	}
	return out, nil
}

// ValueError says which value is not allowed, and what is.
type ValueError struct {
	Name string
	Text string
}

func (e *ValueError) Error() string { return e.Text }

func (p Parameter) accept(value string, listed func(string) []string) error {
	wrong := func(allowed string) error {
		return &ValueError{p.Name, fmt.Sprintf("%s is %s, not %q.", p.Name, allowed, value)}
	}
	if len(value) > 256 || !plain(value) {
		return &ValueError{p.Name, fmt.Sprintf("%s has at most 256 bytes, no control characters, and does not begin with a dash.", p.Name)}
	}
	switch {
	case p.Type == "boolean":
		if value != "true" && value != "false" {
			return wrong("true or false")
		}
	case p.Type == "integer":
		n, err := strconv.Atoi(value)
		if err != nil || n < p.Min || n > p.Max {
			return wrong(fmt.Sprintf("a number from %d to %d", p.Min, p.Max))
		}
	case len(p.Enum) > 0:
		if !slices.Contains(p.Enum, value) {
			return wrong(fmt.Sprintf("one of %v", p.Enum))
		}
	case p.From != "":
		if listed != nil && !slices.Contains(listed(p.From), value) {
			return wrong("one of the " + p.From + " of this machine")
		}
	default:
		if len(value) > p.Max || !regexp.MustCompile("^(?:"+p.Pattern+")$").MatchString(value) {
			return wrong(fmt.Sprintf("at most %d characters of the form %s", p.Max, p.Pattern))
		}
	}
	return nil
}

func plain(s string) bool {
	if s == "" || s[0] == '-' {
		return false
	}
	for _, r := range s {
		if r < 0x20 || r == 0x7f {
			return false
		}
	}
	return true
}

// protected is never stopped, restarted, disabled or killed from afar without
// an approver: what guards the machine, what this agent hangs on, what would
// turn it off or throw people out, and what lets somebody in. A restart also
// starts what was stopped on purpose.
var protected = []string{"deskside-agent", "deskside", "auditd", "systemd-journald", "systemd-logind", "dbus",
	"dbus-broker", "rsyslog", "syslog-ng", "firewalld", "nftables", "ufw", "apparmor", "clamav-daemon", "falcon-sensor",
	"mdatp", "sshd", "ssh", "NetworkManager", "systemd-networkd", "systemd-resolved", "wazuh-agent", "WinDefend",
	"Sense", "mpssvc", "EventLog", "RpcSs", "DcomLaunch", "LSM", "SamSs", "gpsvc", "BFE",
	// Power and rescue.
	"power", "rescue", "emergency", "debug-shell", "shutdown", "reboot", "halt", "poweroff", "kexec", "suspend", "hibernate",
	"systemd-reboot", "systemd-halt", "systemd-poweroff", "systemd-kexec", "kexec-load", "systemd-soft-reboot", "systemd-exit",
	"systemd-suspend", "systemd-hibernate", "systemd-hybrid-sleep", "systemd-suspend-then-hibernate", "systemd-hibernate-resume",
	"initrd-switch-root", "initrd-cleanup", "plymouth-reboot", "plymouth-poweroff", "plymouth-halt", "plymouth-kexec",
	// The sessions of people.
	"user", "user-runtime-dir", "systemd-user-sessions", "getty", "serial-getty", "console-getty", "container-getty", "autovt",
	"display-manager", "gdm", "gdm3", "sddm", "lightdm", "lxdm", "xdm", "UserManager", "ProfSvc", "SessionEnv",
	// Ways in from afar.
	"dropbear", "inetd", "xinetd", "openbsd-inetd", "inetutils-inetd", "TlntSvr", "WinRM", "TermService", "UmRdpService",
	"RemoteRegistry", "RemoteAccess", "gnome-remote-desktop", "krfb", "vino-server", "nxserver"}

// protectedWords guard every service that has one of them in its name: programs
// for remote access name their services after the version, the mode or the seat.
var protectedWords = []string{"xrdp", "vnc", "teamviewer", "anydesk", "rustdesk", "cockpit", "telnet"}

// Protected tells whether a service name is guarded; more are the names that a
// machine's policy adds. A unit made from a template (user@1000) is guarded when
// the template is.
func Protected(name string, more []string) bool {
	name = strings.TrimSuffix(name, ".service")
	template, _, _ := strings.Cut(name, "@")
	match := func(p string) bool {
		p = strings.TrimSuffix(strings.TrimSuffix(p, ".service"), "@")
		return strings.EqualFold(p, name) || strings.EqualFold(p, template)
	}
	folded := strings.ToLower(name)
	return slices.ContainsFunc(protected, match) || slices.ContainsFunc(more, match) ||
		slices.ContainsFunc(protectedWords, func(w string) bool { return strings.Contains(folded, w) })
}
