package gate

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/deskside/deskside/protocol"
)

// Policy is what the administrator of this machine allows; nobody else can
// widen it. See [ReadPolicy] for how it is read.
type Policy struct {
	Profile         string
	Proof           string // none, touch, seen
	Terminal        string // off, ask, on
	TerminalAccount string // person, deskside, root
	NobodyThere     string // refuse, allow
	Scripts         string // off, on
	ScriptsRisk     string // safe, disruptive, destructive
	Automatic       string // off, safe, approved
	Questions       string // off, plain, personal
	Watch           string // off, on
	Proxied         bool
	Protect         []string
	Collect         Collect
	Limits          Limits
	JournalDays     int
	SystemLog       bool

	digest  []byte
	problem string // why everything but vitals is closed
}

// Collect says which personal and private fields the probes may read.
type Collect struct {
	People       string // off, name
	Processes    string // off, names
	CommandLines string // off, on
}

// Limits bound what the console can have done without a person's proof.
type Limits struct {
	SafePerHour      int
	DisruptivePerDay int
	RestartEvery     time.Duration
	Sessions         int
	AsksPerHour      int
}

// file is the policy file as written; a pointer tells "not there" from empty.
type file struct {
	Version         int       `yaml:"version"`
	Profile         string    `yaml:"profile"`
	Proof           *string   `yaml:"proof"`
	Terminal        *string   `yaml:"terminal"`
	TerminalAccount *string   `yaml:"terminal_account"`
	Files           *string   `yaml:"files"`
	FilesAccount    *string   `yaml:"files_account"`
	FilesRead       *[]string `yaml:"files_read"`
	FilesWrite      *[]string `yaml:"files_write"`
	Desktop         *string   `yaml:"desktop"`
	Processes       *string   `yaml:"processes"`
	Services        *string   `yaml:"services"`
	Logs            *string   `yaml:"logs"`
	Registry        *string   `yaml:"registry"`
	Power           *string   `yaml:"power"`
	SupportBundle   *string   `yaml:"support_bundle"`
	NobodyThere     *string   `yaml:"nobody_there"`
	Scripts         *string   `yaml:"scripts"`
	ScriptsRisk     *string   `yaml:"scripts_risk"`
	Automatic       *string   `yaml:"automatic"`
	Allow           *struct {
		Packages   []string `yaml:"packages"`
		Services   []string `yaml:"services"`
		DNSServers []string `yaml:"dns_servers"`
		Drives     []string `yaml:"drives"`
		Remove     []string `yaml:"remove"`
	} `yaml:"allow"`
	Protect *[]string `yaml:"protect"`
	Collect *struct {
		People       *string `yaml:"people"`
		Processes    *string `yaml:"processes"`
		CommandLines *string `yaml:"command_lines"`
		LogText      *string `yaml:"log_text"`
		FileNames    *string `yaml:"file_names"`
		PrintJobs    *string `yaml:"print_jobs"`
		WiFi         *string `yaml:"wifi"`
		Software     *string `yaml:"software"`
	} `yaml:"collect"`
	Questions    *string   `yaml:"questions"`
	Watch        *string   `yaml:"watch"`
	ProbeTargets *[]string `yaml:"probe_targets"`
	Update       *string   `yaml:"update"`
	Uninstall    *string   `yaml:"uninstall"`
	Proxied      *bool     `yaml:"proxied"`
	Fresh        *string   `yaml:"fresh"`
	Limits       *struct {
		SafePerHour      *int    `yaml:"safe_per_hour"`
		DisruptivePerDay *int    `yaml:"disruptive_per_day"`
		RestartEvery     *string `yaml:"restart_every"`
		Sessions         *int    `yaml:"sessions"`
		AsksPerHour      *int    `yaml:"asks_per_hour"`
	} `yaml:"limits"`
	Journal *struct {
		Days      *int    `yaml:"days"`
		SystemLog *string `yaml:"system_log"`
	} `yaml:"journal"`
}

// MaxPolicy is the largest policy file, in bytes.
const MaxPolicy = 64 << 10

// Profiles that a policy can start from.
func Profiles() []string { return []string{"trial", "attended", "unattended", "locked"} }

// Profile is the policy that a profile alone means. An unknown name is refused.
func Profile(name string) (Policy, error) {
	p := Policy{
		Profile: "attended", Proof: "touch", Terminal: "ask", TerminalAccount: "person", NobodyThere: "refuse",
		Scripts: "on", ScriptsRisk: "disruptive", Automatic: "safe", Questions: "plain", Watch: "on",
		Collect:     Collect{People: "name", Processes: "names", CommandLines: "off"},
		Limits:      Limits{SafePerHour: 6, DisruptivePerDay: 4, RestartEvery: 4 * time.Hour, Sessions: 2, AsksPerHour: 3},
		JournalDays: 365, SystemLog: true,
	}
	switch name {
	case "attended", "":
	case "trial":
		p.Profile, p.Proof, p.Terminal, p.TerminalAccount, p.NobodyThere = "trial", "none", "on", "deskside", "allow"
		p.Questions = "personal"
		p.Limits.SafePerHour, p.Limits.DisruptivePerDay, p.Limits.Sessions = 600, 600, 8
	case "unattended":
		p.Profile, p.Proof, p.Terminal, p.TerminalAccount, p.NobodyThere = "unattended", "seen", "on", "deskside", "allow"
	case "locked":
		p.Profile, p.Terminal, p.ScriptsRisk, p.Automatic = "locked", "off", "safe", "off"
	default:
		return Policy{}, fmt.Errorf("policy: profile is %s, not %q", oneOf(Profiles()), name)
	}
	p.digest = digestOf([]byte("profile:" + p.Profile))
	return p, nil
}

// Closed is the policy of a machine whose policy file cannot be trusted: vitals
// and nothing else.
func Closed(reason error) Policy {
	return Policy{
		Profile: "locked", Proof: "seen", Terminal: "off", TerminalAccount: "person", NobodyThere: "refuse",
		Scripts: "off", ScriptsRisk: "safe", Automatic: "off", Questions: "off", Watch: "off",
		Collect: Collect{People: "off", Processes: "off", CommandLines: "off"}, SystemLog: true, JournalDays: 365,
		digest: digestOf([]byte("closed")), problem: reason.Error(),
	}
}

// apply lays the lines of the file over the profile and checks every word.
func (f file) apply(p *Policy) error {
	door := []string{"off", "ask", "on"}
	onOff := []string{"off", "on"}
	words := []struct {
		key     string
		value   *string
		allowed []string
		into    *string
	}{
		{"proof", f.Proof, []string{"none", "touch", "seen"}, &p.Proof},
		{"terminal", f.Terminal, door, &p.Terminal},
		{"terminal_account", f.TerminalAccount, []string{"person", "deskside", "root"}, &p.TerminalAccount},
		{"files", f.Files, door, nil},
		{"files_account", f.FilesAccount, []string{"person", "deskside", "root"}, nil},
		{"desktop", f.Desktop, door, nil},
		{"processes", f.Processes, door, nil},
		{"services", f.Services, door, nil},
		{"logs", f.Logs, door, nil},
		{"registry", f.Registry, door, nil},
		{"power", f.Power, door, nil},
		{"support_bundle", f.SupportBundle, door, nil},
		{"nobody_there", f.NobodyThere, []string{"refuse", "allow"}, &p.NobodyThere},
		{"scripts", f.Scripts, onOff, &p.Scripts},
		{"scripts_risk", f.ScriptsRisk, []string{"safe", "disruptive", "destructive"}, &p.ScriptsRisk},
		{"automatic", f.Automatic, []string{"off", "safe", "approved"}, &p.Automatic},
		{"questions", f.Questions, []string{"off", "plain", "personal"}, &p.Questions},
		{"watch", f.Watch, onOff, &p.Watch},
		{"update", f.Update, []string{"off", "approved"}, nil},
		{"uninstall", f.Uninstall, []string{"local", "approved"}, nil},
	}
	for _, w := range words {
		if err := word(w.key, w.value, w.allowed, w.into); err != nil {
			return err
		}
	}
	if f.Proxied != nil {
		p.Proxied = *f.Proxied
	}
	if f.Protect != nil {
		p.Protect = *f.Protect
	}
	if f.Fresh != nil && *f.Fresh != "off" {
		days, ok := strings.CutSuffix(*f.Fresh, "d")
		if n, err := strconv.Atoi(days); !ok || err != nil || n < 1 || n > 365 {
			return fmt.Errorf("fresh is off or a number of days such as 7d, not %q", *f.Fresh)
		}
	}
	if err := f.applyCollect(p); err != nil {
		return err
	}
	return f.applyLimits(p)
}

func (f file) applyCollect(p *Policy) error {
	if f.Collect == nil {
		return nil
	}
	c := f.Collect
	for _, w := range []struct {
		key     string
		value   *string
		allowed []string
		into    *string
	}{
		{"collect.people", c.People, []string{"off", "name"}, &p.Collect.People},
		{"collect.processes", c.Processes, []string{"off", "names"}, &p.Collect.Processes},
		{"collect.command_lines", c.CommandLines, []string{"off", "on"}, &p.Collect.CommandLines},
		{"collect.log_text", c.LogText, []string{"off", "templates"}, nil},
		{"collect.file_names", c.FileNames, []string{"off", "on"}, nil},
		{"collect.print_jobs", c.PrintJobs, []string{"off", "counts"}, nil},
		{"collect.wifi", c.WiFi, []string{"off", "signal", "name"}, nil},
		{"collect.software", c.Software, []string{"off", "on"}, nil},
	} {
		if err := word(w.key, w.value, w.allowed, w.into); err != nil {
			return err
		}
	}
	return nil
}

func (f file) applyLimits(p *Policy) error {
	if l := f.Limits; l != nil {
		for _, n := range []struct {
			key   string
			value *int
			into  *int
		}{
			{"limits.safe_per_hour", l.SafePerHour, &p.Limits.SafePerHour},
			{"limits.disruptive_per_day", l.DisruptivePerDay, &p.Limits.DisruptivePerDay},
			{"limits.sessions", l.Sessions, &p.Limits.Sessions},
			{"limits.asks_per_hour", l.AsksPerHour, &p.Limits.AsksPerHour},
		} {
			if n.value == nil {
				continue
			}
			if *n.value < 0 || *n.value > 10_000 {
				return fmt.Errorf("%s is 0 to 10000, not %d", n.key, *n.value)
			}
			*n.into = *n.value
		}
		if l.RestartEvery != nil {
			d, err := time.ParseDuration(*l.RestartEvery)
			if err != nil || d < 0 {
				return fmt.Errorf("limits.restart_every is a duration such as 4h, not %q", *l.RestartEvery)
			}
			p.Limits.RestartEvery = d
		}
	}
	if j := f.Journal; j != nil {
		if j.Days != nil {
			if *j.Days < 1 || *j.Days > 3650 {
				return fmt.Errorf("journal.days is 1 to 3650, not %d", *j.Days)
			}
			p.JournalDays = *j.Days
		}
		var log string
		if err := word("journal.system_log", j.SystemLog, []string{"off", "on"}, &log); err != nil {
			return err
		}
		p.SystemLog = j.SystemLog == nil || log == "on"
	}
	return nil
}

func word(key string, value *string, allowed []string, into *string) error {
	if value == nil {
		return nil
	}
	if !slices.Contains(allowed, *value) {
		return fmt.Errorf("%s is %s, not %q", key, oneOf(allowed), *value)
	}
	if into != nil {
		*into = *value
	}
	return nil
}

func oneOf(words []string) string {
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

func digestOf(b []byte) []byte {
	sum := sha256.Sum256(b)
	return sum[:]
}

// Problem is why everything but vitals is closed, or nothing.
func (p Policy) Problem() string { return p.problem }

// Told is what the console is told of the policy.
func (p Policy) Told() protocol.Policy {
	return protocol.Policy{Profile: p.Profile, Digest: p.digest, Terminal: p.Terminal,
		Proof: p.Proof, Scripts: p.Scripts, Problem: p.problem}
}
