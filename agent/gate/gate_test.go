package gate

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/protocol"
	"github.com/deskside/deskside/protocol/catalogue"
	"github.com/deskside/deskside/scripts"
)

// TestEveryKind walks all kinds that act: each has a rule, passes on a machine
// in trial, and never without this console's stamp, for another machine or
// organisation, too late, too early, or for longer than its kind may live.
func TestEveryKind(t *testing.T) {
	b := open(t, t.TempDir(), "trial", "")
	bodies := b.bodies()
	for _, kind := range protocol.Acting() {
		t.Run(kind.String(), func(t *testing.T) {
			r, known := rules()[kind]
			if !known {
				t.Fatal("the gate has no rule")
			}
			b.T = t
			now := time.Now()
			made := func() protocol.Order { return b.order(kind, now, bodies[kind]) }

			a := b.want("good", "", made())
			if a.Kind() != kind || a.Body() == nil || a.ID() == uuid.Nil || a.Policy().Profile != "trial" {
				t.Errorf("admitted as %+v", a)
			}
			o := made()
			o.Machine = uuid.New()
			b.want("other machine", protocol.CodeWrongMachine, o)
			o = made()
			o.Organisation = uuid.New()
			b.want("other organisation", protocol.CodeWrongMachine, o)
			o = made()
			o.Issued, o.Expires = now.Add(-time.Hour).UnixMicro(), now.Add(-time.Hour+time.Minute).UnixMicro()
			b.want("ended", protocol.CodeExpired, o)
			o = made()
			o.Expires = o.Issued + r.life.Microseconds() + 1
			b.want("too long-lived", protocol.CodeExpired, o)
			o = made()
			o.Issued, o.Expires = -1<<63, 1<<63-1
			b.want("for ever", protocol.CodeExpired, o)
			o = made()
			o.Expires = o.Issued
			b.want("no life", protocol.CodeExpired, o)
			b.want("of another year", protocol.CodeTooEarly, b.order(kind, now.Add(365*24*time.Hour), bodies[kind]))
			o = made()
			o.Body = []byte{0xff}
			if _, err := protocol.Stamp(b.key, o); err == nil { // the encoder refuses what is no CBOR at all
				t.Error("a body that is no CBOR was stamped")
			}
			o.Body = []byte{0x61, 'x'} // a text where a map is due
			b.want("body", protocol.CodeMalformed, o)

			own := b.key
			b.key = seeded(9)
			b.want("stamp of another console", protocol.CodeStamp, made())
			b.key = own
			s, err := protocol.Stamp(b.key, made())
			if err != nil {
				t.Fatal(err)
			}
			s.Stamp[len(s.Stamp)/2] ^= 1
			if _, err := b.Admit(s); err == nil {
				t.Error("a changed order was admitted")
			}
			o = made()
			b.want("first", "", o)
			again := ""
			if r.once {
				again = protocol.CodeSeen
			}
			b.want("again", again, o)
		})
	}
	b.T = t
	b.want("a kind that is not one", protocol.CodeUnknown, b.order(protocol.KindHello, time.Now(), &protocol.Watch{}))
	if len(rules()) != len(protocol.Acting()) {
		t.Errorf("%d rules for %d kinds", len(rules()), len(protocol.Acting()))
	}
}

// TestNoLine: before a console was identified nothing is admitted.
func TestNoLine(t *testing.T) {
	b := open(t, t.TempDir(), "trial", "")
	fresh, err := Open(b.state, "", b.eyes)
	if err != nil {
		t.Fatal(err)
	}
	b.Gate = fresh
	b.want("no line yet", protocol.CodeStamp, b.order(protocol.KindCheckNow, time.Now(), &protocol.CheckNow{}))
}

// TestDoubtIsVitalsOnly: what a policy in doubt still lets in shows nothing and
// does nothing.
func TestDoubtIsVitalsOnly(t *testing.T) {
	b := open(t, t.TempDir(), "trial", "version: 1\nprofile: trial\nterminal: on\nterminal: on\n")
	bodies := b.bodies()
	for kind, code := range map[protocol.Kind]string{
		protocol.KindWork: protocol.CodePolicyBroken, protocol.KindOpenSession: protocol.CodePolicyBroken,
		protocol.KindAsk: protocol.CodePolicyBroken, protocol.KindWatch: protocol.CodePolicyBroken,
		protocol.KindChecks: protocol.CodePolicyBroken,
		protocol.KindCancel: "", protocol.KindEndSession: "", protocol.KindCheckNow: "", protocol.KindSettings: "",
	} {
		b.want(kind.String(), code, b.order(kind, time.Now(), bodies[kind]))
	}
	if told := b.Policy().Told(); told.Problem == "" || told.Terminal != "off" {
		t.Errorf("the console is told %+v", told)
	}
}

func TestPolicyWords(t *testing.T) {
	b := open(t, t.TempDir(), "attended", "version: 1\nprofile: trial\nscripts: off\nterminal: off\nquestions: off\nwatch: off\n")
	bodies := b.bodies()
	for _, kind := range []protocol.Kind{protocol.KindWork, protocol.KindOpenSession, protocol.KindAsk, protocol.KindWatch} {
		b.want(kind.String(), protocol.CodePolicy, b.order(kind, time.Now(), bodies[kind]))
	}
}

func TestScripts(t *testing.T) {
	b := open(t, t.TempDir(), "attended", "version: 1\nprofile: attended\nprotect: [backup]\n")
	b.firing["service.stopped cups"] = true
	change := func(w *protocol.Work, f func(*protocol.Work)) *protocol.Work { f(w); return w }
	for name, tc := range map[string]struct {
		work *protocol.Work
		code string
	}{
		"safe":               {b.free(), ""},
		"disruptive":         {b.restart(), ""},
		"hash":               {change(b.free(), func(w *protocol.Work) { w.Hash = make([]byte, 32) }), protocol.CodeScript},
		"no hash":            {change(b.free(), func(w *protocol.Work) { w.Hash = nil }), protocol.CodeScript},
		"version":            {change(b.free(), func(w *protocol.Work) { w.Version++ }), protocol.CodeScript},
		"unknown":            {change(b.free(), func(w *protocol.Work) { w.Script = "own-script" }), protocol.CodeNotApproved},
		"path":               {change(b.free(), func(w *protocol.Work) { w.Script = "../free-disk-space" }), protocol.CodeNotApproved},
		"bundle":             {change(b.free(), func(w *protocol.Work) { w.Bundle = []byte("#!/bin/sh") }), protocol.CodeNotApproved},
		"no value":           {b.work("free-disk-space", nil), protocol.CodeParameters},
		"value not here":     {b.work("free-disk-space", map[string]string{"MOUNT": "/etc"}), protocol.CodeParameters},
		"option":             {b.work("restart-service", map[string]string{"SERVICE": "-H evil"}), protocol.CodeParameters},
		"control characters": {b.work("restart-service", map[string]string{"SERVICE": "cups\nsshd"}), protocol.CodeParameters},
		"another value":      {b.work("free-disk-space", map[string]string{"MOUNT": "/", "LD_PRELOAD": "x"}), protocol.CodeParameters},
		"protected":          {b.work("restart-service", map[string]string{"SERVICE": "sshd"}), protocol.CodeProtected},
		"protected here":     {b.work("restart-service", map[string]string{"SERVICE": "backup"}), protocol.CodeProtected},
		"another service":    {b.work("restart-service", map[string]string{"SERVICE": "printd"}), protocol.CodeNoCause},
	} {
		b.want(name, tc.code, b.order(protocol.KindWork, time.Now(), tc.work))
	}
	b.firing = map[string]bool{"filesystem.full cups": true, "service.stopped printd": true, "service.stopped ": true}
	if b.cures(scripts.Script{Cures: []string{"service.stopped"}}, nil) {
		t.Error("a script that does not say what it repairs has a cause")
	}
	b.want("no disease", protocol.CodeNoCause, b.order(protocol.KindWork, time.Now(), b.restart()))
	b.want("dry run", "", b.order(protocol.KindWork, time.Now(), change(b.restart(), func(w *protocol.Work) { w.DryRun = true })))
	b.eyes.Family = "darwin"
	b.want("system", protocol.CodePlatform, b.order(protocol.KindWork, time.Now(), b.free()))
}

func TestRiskAbovePolicy(t *testing.T) {
	b := open(t, t.TempDir(), "trial", "version: 1\nprofile: trial\nscripts_risk: safe\n")
	b.firing["service.stopped cups"] = true
	b.want("disruptive", protocol.CodeRisk, b.order(protocol.KindWork, time.Now(), b.restart()))
	b.want("safe", "", b.order(protocol.KindWork, time.Now(), b.free()))
}

// TestLimits: so many an hour and a day, and refused ones do not count.
func TestLimits(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		b := open(t, dir, "attended", "")
		b.firing["service.stopped cups"] = true
		safe := func() string {
			_, code := b.admit(b.order(protocol.KindWork, time.Now(), b.free()))
			return code
		}
		disruptive := func() string {
			_, code := b.admit(b.order(protocol.KindWork, time.Now(), b.restart()))
			return code
		}
		for i := range 6 {
			if code := safe(); code != "" {
				t.Fatalf("safe repair %d: %s", i+1, code)
			}
		}
		for i := range 4 {
			if code := disruptive(); code != "" {
				t.Fatalf("disruptive repair %d: %s", i+1, code)
			}
		}
		for range 3 {
			if a, b := safe(), disruptive(); a != protocol.CodeLimit || b != protocol.CodeLimit {
				t.Errorf("over the limits: %q, %q", a, b)
			}
		}
		if err := b.state.Close(); err != nil { // a restart does not help
			t.Fatal(err)
		}
		b = open(t, dir, "attended", "")
		b.firing["service.stopped cups"] = true
		if code := safe(); code != protocol.CodeLimit {
			t.Errorf("after a restart: %q", code)
		}
		time.Sleep(61 * time.Minute)
		b.line(time.Now())
		if a, b := safe(), disruptive(); a != "" || b != protocol.CodeLimit {
			t.Errorf("an hour later: %q, %q", a, b)
		}
		time.Sleep(24 * time.Hour)
		b.line(time.Now())
		if code := disruptive(); code != "" {
			t.Errorf("a day later: %q", code)
		}
	})
}

func TestDoors(t *testing.T) {
	for _, tc := range []struct{ name, profile, policy, code string }{
		{"trial", "trial", "", ""},
		{"attended", "attended", "", protocol.CodeProof},
		{"unattended", "unattended", "", protocol.CodeProof},
		{"locked", "locked", "", protocol.CodePolicy},
		{"asks", "trial", "version: 1\nprofile: trial\nterminal: ask\n", protocol.CodeConsent},
		{"on, with proof", "trial", "version: 1\nprofile: trial\nproof: touch\n", protocol.CodeProof},
		{"the person's account", "trial", "version: 1\nprofile: trial\nterminal_account: person\n", protocol.CodePolicy},
		{"nobody there", "trial", "version: 1\nprofile: trial\nnobody_there: refuse\n", protocol.CodePolicy},
	} {
		b := open(t, t.TempDir(), tc.profile, tc.policy)
		b.want(tc.name, tc.code, b.order(protocol.KindOpenSession, time.Now(), terminal()))
	}
	b := open(t, t.TempDir(), "trial", "")
	for name, tc := range map[string]struct {
		body *protocol.OpenSession
		code string
	}{
		"files":     {&protocol.OpenSession{Kind: "files", Columns: 80, Rows: 24}, protocol.CodeUnsupported},
		"no kind":   {&protocol.OpenSession{Columns: 80, Rows: 24}, protocol.CodeUnsupported},
		"no size":   {&protocol.OpenSession{Kind: "terminal"}, protocol.CodeParameters},
		"huge":      {&protocol.OpenSession{Kind: "terminal", Columns: 65535, Rows: 24}, protocol.CodeParameters},
		"very high": {&protocol.OpenSession{Kind: "terminal", Columns: 80, Rows: 1 << 30}, protocol.CodeParameters},
	} {
		b.want(name, tc.code, b.order(protocol.KindOpenSession, time.Now(), tc.body))
	}
}

// TestBounds: what a console may tune, and for how long it may watch.
func TestBounds(t *testing.T) {
	b := open(t, t.TempDir(), "attended", "")
	for name, s := range map[string]*protocol.Settings{
		"beat of ten years":   {Beat: 10 * 365 * 24 * 3600e6, UploadEvery: 900e6},
		"beat of nothing":     {UploadEvery: 900e6},
		"beat that overflows": {Beat: 1<<63 - 1, UploadEvery: 900e6},
		"beat that wraps":     {Beat: (1<<62)/125 + 30e6, UploadEvery: 900e6},
		"upload of a day":     {Beat: 30e6, UploadEvery: 24 * 3600e6},
		"negative":            {Beat: -30e6, UploadEvery: 900e6},
	} {
		b.want(name, protocol.CodeLimit, b.order(protocol.KindSettings, time.Now(), s))
	}
	for _, away := range []time.Duration{365 * 24 * time.Hour, -365 * 24 * time.Hour} { // the machine's clock is wrong
		theirs := time.Now().Add(away)
		b.line(theirs)
		for asked, least := range map[time.Duration]time.Duration{15 * time.Second: 14 * time.Second, 24 * time.Hour: MaxWatch - time.Second} {
			a := b.want("watch", "", b.order(protocol.KindWatch, theirs, &protocol.Watch{Until: theirs.Add(asked).UnixMicro()}))
			until := time.Until(time.UnixMicro(a.Body().(*protocol.Watch).Until))
			if until < least || until > min(asked, MaxWatch) {
				t.Errorf("asked to watch for %s by a clock that is %s ahead, it does so for %s", asked, away, until)
			}
		}
	}
	b.line(time.Now())
	a := b.want("watch for a day", "", b.order(protocol.KindWatch, time.Now(), &protocol.Watch{Until: time.Now().Add(24 * time.Hour).UnixMicro()}))
	if until := time.UnixMicro(a.Body().(*protocol.Watch).Until); until.After(time.Now().Add(MaxWatch)) {
		t.Errorf("watched until %s", until)
	}
	for name, set := range map[string][]byte{"no set": nil, "not CBOR": {1, 2, 3}, "large": make([]byte, catalogue.MaxSetBytes+1)} {
		b.want(name, protocol.CodeExpression, b.order(protocol.KindChecks, time.Now(), &protocol.Checks{Set: set}))
	}
	hostile := catalogue.Set{Checks: catalogue.Builtin()}
	hostile.Checks[0].Value = strings.Repeat("(", 4000)
	b.want("brackets", protocol.CodeExpression, b.order(protocol.KindChecks, time.Now(), &protocol.Checks{Set: hostile.Encode()}))
}

// TestChecksRead: a set of checks reads what policy lets out and nothing that is
// private, in whatever way it comes to it; the catalogue's own are let in whatever
// is held back.
func TestChecksRead(t *testing.T) {
	const noProcesses, noPeople, commandLines = "processes: off", "people: off", "command_lines: on"
	all := []string{"", noProcesses, noPeople, commandLines}
	gates := map[string]*bench{}
	for _, collect := range all {
		gates[collect] = open(t, t.TempDir(), "attended", "version: 1\nprofile: attended\ncollect: {"+collect+"}\n")
	}
	for name, c := range map[string]struct {
		value, each, when, detail string
		never                     []string // where it is refused
	}{
		"plain":               {value: "cpu.used"},
		"command line":        {value: `len(filter(processes, .command_line contains "x"))`, never: all},
		"command line when":   {value: "cpu.used", when: `any(processes, .command_line contains "x")`, never: all},
		"command line shown":  {value: "it.cpu", each: "processes", detail: "it.command_line", never: all},
		"names of programs":   {value: "it.cpu", each: "processes", detail: "it.name", never: []string{noProcesses}},
		"list of programs":    {value: "len(processes)", never: []string{noProcesses}},
		"items of a list":     {value: "cpu.used", each: "processes", never: []string{noProcesses}},
		"owner":               {value: "it.cpu", each: "processes", detail: "it.owner", never: []string{noProcesses, noPeople}},
		"people":              {value: "len(people)", never: []string{noPeople}},
		"items of the people": {value: "cpu.used", each: "people", never: []string{noPeople}},
	} {
		check := catalogue.Builtin()[0]
		check.Value, check.Each, check.When, check.Details = c.value, c.each, c.when, nil
		if c.detail != "" {
			check.Details = []catalogue.Detail{{Name: "d", Value: c.detail}}
		}
		check.Warning, check.Critical, check.Clear = ">= 0.9", "", ""
		for _, id := range []string{"own", check.ID} { // also in the name of one of ours
			check.ID = id
			for _, collect := range all {
				code := ""
				if slices.Contains(c.never, collect) {
					code = protocol.CodePolicy
				}
				b := gates[collect]
				b.want(name+" as "+id+" where "+collect, code, b.order(protocol.KindChecks, time.Now(), &protocol.Checks{Set: catalogue.Set{Checks: []catalogue.Check{check}}.Encode()}))
			}
		}
	}
	bent := catalogue.Set{Checks: catalogue.Builtin()}
	bent.Checks[0].Details = append(slices.Clone(bent.Checks[0].Details), catalogue.Detail{Name: "d", Value: "any(processes, .command_line contains \"x\")"})
	for collect, b := range gates {
		b.want("one detail more where "+collect, protocol.CodePolicy, b.order(protocol.KindChecks, time.Now(), &protocol.Checks{Set: bent.Encode()}))
		b.want("the catalogue where "+collect, "", b.order(protocol.KindChecks, time.Now(), b.bodies()[protocol.KindChecks]))
	}
}

// TestQuestions: a question may be about fields up to the class that the policy
// says, and never about private ones, in whatever way it comes to them.
func TestQuestions(t *testing.T) {
	const plain, personal, private = 0, 1, 2
	for policy, most := range map[string]int{"": plain, "questions: plain\n": plain, "questions: personal\n": personal} {
		b := open(t, t.TempDir(), "attended", "version: 1\nprofile: attended\n"+policy)
		for source, class := range map[string]int{
			"cpu.used": plain, "processes": plain, "filter(network, .up)": plain, `service("cups").state`: plain,
			"nonsense": plain, "((((": plain, strings.Repeat("(", 9000): plain, // the answer says what is wrong
			"people": personal, "len(people) > 0": personal, `any(people, .name startsWith "a")`: personal, "true or known(people)": personal,
			"map(network, .mac)": personal, `interface("eth0").addresses`: personal, "map(processes, {{o: .owner}})": personal,
			`any(processes, .command_line contains "pass")`: private, `find(processes, .pid == 1).command_line ?? ""`: private,
		} {
			code := ""
			if class > most {
				code = protocol.CodePolicy
			}
			b.want(source+" where "+policy, code, b.order(protocol.KindAsk, time.Now(), &protocol.Ask{Expression: source}))
		}
	}
	b := open(t, t.TempDir(), "attended", "")
	s, err := protocol.Stamp(b.key, b.order(protocol.KindAsk, time.Now(), &protocol.Ask{Expression: "map(processes, .owner)"}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Admit(s); err == nil || !strings.Contains(err.Error(), "processes.owner") || !strings.Contains(err.Error(), "personal") {
		t.Errorf("the refusal does not name the field and its class: %v", err)
	}
}
