package expression

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestFieldsMatchMachine holds the one field list to the shape of a machine:
// what a machine can say has a class and a help text, and nothing else does.
func TestFieldsMatchMachine(t *testing.T) {
	var want []string
	var walk func(prefix string, typ reflect.Type)
	walk = func(prefix string, typ reflect.Type) {
		for i := range typ.NumField() {
			f := typ.Field(i)
			name := prefix + f.Tag.Get("json")
			switch ft := f.Type; {
			case name == "observed_at" || name == "unreadable": // about the facts, not of them
			case ft.Kind() == reflect.Pointer:
				walk(name+".", ft.Elem())
			case ft.Kind() == reflect.Slice && ft.Elem().Kind() == reflect.Struct:
				want = append(want, name)
				walk(name+".", ft.Elem())
			case ft.Kind() == reflect.Struct && ft != reflect.TypeFor[Reading]():
				walk(name+".", ft)
			default:
				want = append(want, name)
			}
		}
	}
	walk("", reflect.TypeFor[Machine]())
	var got []string
	for _, f := range Fields() {
		got = append(got, f.Name)
		if f.Help.EN == "" || f.Help.PL == "" || f.Type == "" || !slices.Contains(Sections(), f.Section) {
			t.Errorf("%s lacks help, type or section: %+v", f.Name, f)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("fields are\n%v\nthe machine has\n%v", got, want)
	}
	for name, class := range map[string]Class{"processes.owner": Personal, "people.name": Personal, "network.addresses": Personal, "processes.command_line": Private, "cpu.used": Plain} {
		if f := schema().by[name]; f.Class != class {
			t.Errorf("%s is %s, want %s", name, f.Class, class)
		}
	}
}

func TestEvaluate(t *testing.T) {
	for _, tc := range []struct{ source, want string }{
		{`cpu.used`, "0.25"},
		{`1 + 2 * 3 - 4 / 2 % 3`, "5"},
		{`2 ** 10`, "1024"},
		{`-cpu.used`, "-0.25"},
		{`not (1 > 2)`, "true"},
		{`0.1 < cpu.used < 0.3`, "true"},
		{`os.family == "linux" and hardware.cores >= 8`, "true"},
		{`os.id in ["debian", "ubuntu"]`, "true"},
		{`os.id not in ["debian", "ubuntu"]`, "false"},
		{`hardware.cores in [4, 8]`, "true"},
		{`os.name contains "bookworm" && os.name startsWith "Debian" && os.name endsWith ")"`, "true"},
		{`os.kernel matches "^6\\.[0-9]+"`, "true"},
		{`lower(hardware.vendor) == "lenovo"`, "true"},
		{`version(os.kernel) < "6.1.0-19"`, "true"},
		{`version(os.version) >= version("12.10")`, "false"},
		{`"12.10" > version(os.version)`, "true"},
		{`service("cups").state`, `"failed"`},
		{`service("cups").state == "failed" ? 1 : 0`, "1"},
		{`filesystem("/home").used > 0.9`, "true"},
		{`service("CUPS.service").name`, `"cups"`},
		{`known(filesystem("/HOME"))`, "false"},
		{`interface("eth0").speed_bits / 1e6`, "1000"},
		{`"10.1.4.57/24" in interface("eth0").addresses`, "true"},
		{`filter(filesystems, .used > 0.9 ?? false)`, ""}, // see errors
		{`any(processes, .rss_bytes > 1e9)`, "true"},
		{`all(processes, .rss_bytes < 1e9)`, "false"},
		{`none(processes, .rss_bytes > 1e10)`, "true"},
		{`one(processes, .rss_bytes > 1e9)`, "true"},
		{`count(services)`, "2"},
		{`count(services, .state == "running")`, "1"},
		{`services | count(.state == "running")`, "1"},
		{`len(processes)`, "3"},
		{`sum(processes, .rss_bytes)`, "2.515e+09"},
		{`sum(map(processes, .rss_bytes))`, "2.515e+09"},
		{`max(map(processes, .rss_bytes))`, "2.5e+09"},
		{`min(map(processes, .rss_bytes))`, "3e+06"},
		{`round(mean(map(processes, .rss_bytes)) / 1e6)`, "838"},
		{`find(processes, .rss_bytes > 1e9).name`, `"firefox"`},
		{`first(services).name`, `"cups"`},
		{`last(services).name`, `"ssh"`},
		{`"ssh" in map(services, .name)`, "true"},
		{`any(map(services, .name), # == "ssh")`, "true"},
		{`ago(os.booted_at)`, "100000"},
		{`os.booted_at < people | len() > 0`, ""},
		{`first(people).since > os.booted_at`, "true"},
		{`floor(2.7) + ceil(2.1) + abs(-1) + round(0.5)`, "7"},
		{`network | filter(.up) | len()`, "1"},
		{"// a comment\ncpu.used /* another */ > 0.1", "true"},
	} {
		p, err := Compile(Use{Kind: Question}, tc.source)
		if tc.want == "" {
			if err == nil {
				t.Errorf("%s compiles", tc.source)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tc.source, err)
			continue
		}
		v, err := p.Evaluate(Scope{Machine: desk()})
		if err != nil || v.String() != tc.want {
			t.Errorf("%s = %s (%s), %v, want %s", tc.source, v, v.Because(), err, tc.want)
		}
	}
}

// TestUnknown is the table of what an unknown reading does. In desk(), the
// share /mnt/share has no numbers, process 4712 no cpu, swap none at all.
func TestUnknown(t *testing.T) {
	for _, tc := range []struct{ source, want, because string }{
		{`swap.used`, "unknown", "swap.used"},
		{`swap.used + 1`, "unknown", "swap.used"},
		{`1 - swap.used`, "unknown", "swap.used"},
		{`-swap.used > 0`, "unknown", "swap.used"},
		{`swap.used == swap.used`, "unknown", "swap.used"},
		{`swap.used != 0`, "unknown", "swap.used"},
		{`not (swap.used > 0.5)`, "unknown", "swap.used"},
		{`swap.used > 0.5 and cpu.used > 0.9`, "false", ""},
		{`cpu.used > 0.9 and swap.used > 0.5`, "false", ""},
		{`swap.used > 0.5 and cpu.used > 0.1`, "unknown", "swap.used"},
		{`swap.used > 0.5 or cpu.used > 0.1`, "true", ""},
		{`cpu.used > 0.1 or swap.used > 0.5`, "true", ""},
		{`swap.used > 0.5 or cpu.used > 0.9`, "unknown", "swap.used"},
		{`known(swap.used)`, "false", ""},
		{`known(cpu.used)`, "true", ""},
		{`known(swap.used > 0.5)`, "false", ""},
		{`swap.used ?? 0`, "0", ""},
		{`(swap.used ?? memory.used) > 0.2`, "true", ""},
		{`known(swap.used) ? swap.used : 7`, "7", ""},
		{`swap.used > 0.5 ? 1 : 2`, "unknown", "swap.used"},
		{`1 / 0`, "unknown", "division by zero"},
		{`service("nope").state`, "unknown", "service(nope)"},
		{`service("nope").state == "failed"`, "unknown", "service(nope)"},
		{`service("nope").state ?? "not here"`, `"not here"`, ""},
		{`known(service("nope"))`, "false", ""},
		{`hardware.virtual == "kvm"`, "unknown", "hardware.virtual"},
		{`lower(hardware.virtual) contains "x"`, "unknown", "hardware.virtual"},
		{`hardware.virtual in ["kvm"]`, "unknown", "hardware.virtual"},
		{`version(hardware.virtual) > "1"`, "unknown", "hardware.virtual"},
		{`hardware.virtual matches "x"`, "unknown", "hardware.virtual"},
		{`network_io`, "unknown", "network_io"},
		{`any(network_io, .receive_bytes_per_second > 0)`, "unknown", "network_io"},
		{`len(network_io)`, "unknown", "network_io"},
		{`count(disks)`, "0", ""},
		{`any(disks, .read_bytes_per_second > 0)`, "false", ""},
		{`max(map(disks, .read_bytes_per_second))`, "unknown", "an empty list"},
		// In loops, a row that is unknown is not a row that is false.
		{`any(processes, .cpu > 1)`, "true", ""},
		{`any(processes, .cpu > 2)`, "unknown", "processes.cpu"},
		{`all(processes, .cpu < 1)`, "false", ""},
		{`all(processes, .cpu < 2)`, "unknown", "processes.cpu"},
		{`none(processes, .cpu > 2)`, "unknown", "processes.cpu"},
		{`none(processes, .cpu > 1)`, "false", ""},
		{`one(processes, .cpu > 1)`, "unknown", "processes.cpu"},
		{`one(processes, .cpu >= 0)`, "false", ""},
		{`count(processes, .cpu > 1)`, "unknown", "processes.cpu"},
		{`count(processes, (.cpu ?? 0) > 1)`, "1", ""},
		{`sum(processes, .cpu)`, "unknown", "processes.cpu"},
		{`max(map(processes, .cpu))`, "unknown", "processes.cpu"},
		{`find(processes, .cpu > 1).name`, `"firefox"`, ""},
		{`find(processes, .cpu > 2).name`, "unknown", "processes.cpu"},
		{`find(processes, .rss_bytes > 1e12).name`, "unknown", "no row like that"},
		{`len(filter(processes, .cpu > 1))`, "unknown", "processes.cpu"},
		{`len(filter(processes, known(.cpu) and .cpu > 1))`, "1", ""},
		{`count(filter(processes, .cpu > 1))`, "unknown", "processes.cpu"},
		{`first(filter(processes, .cpu > 1)).name`, "unknown", "processes.cpu"},
		{`any(filter(processes, .cpu > 1), .name == "firefox")`, "true", ""},
		{`any(filter(processes, .cpu > 1), .name == "x")`, "unknown", "processes.cpu"},
		{`all(filter(processes, .cpu > 1), .name == "firefox")`, "unknown", "processes.cpu"},
		{`"x" in map(filter(processes, .cpu > 1), .name)`, "unknown", "processes.cpu"},
		{`sum(map(filter(processes, .cpu > 1), .rss_bytes))`, "unknown", "processes.cpu"},
	} {
		p, err := Compile(Use{Kind: Question}, tc.source)
		if err != nil {
			t.Errorf("%s: %v", tc.source, err)
			continue
		}
		v, err := p.Evaluate(Scope{Machine: desk()})
		if err != nil || v.String() != tc.want || v.Because() != tc.because {
			t.Errorf("%s = %s (%s), %v, want %s (%s)", tc.source, v, v.Because(), err, tc.want, tc.because)
		}
	}
}

func TestRefused(t *testing.T) {
	question, group := Use{Kind: Question}, Use{Kind: Group}
	for _, tc := range []struct {
		use          Use
		source       string
		line, column int
		want         string
	}{
		{question, ``, 1, 1, "empty"},
		{question, " \n", 1, 1, "empty"},
		{question, "cpu.used\x00", 1, 9, "control characters"},
		{question, "cpu.used == \"\xff\"", 1, 1, "UTF-8"},
		{question, `cpu = 1`, 1, 5, "write =="},
		{question, `procesess`, 1, 1, "allowed here: cpu, disks"},
		{question, "1 ==\n  procesess", 2, 3, "there is no “procesess”"},
		{question, `"żółć" == os.nam`, 1, 14, "after os. are allowed: arch, booted_at"},
		{question, `filter(processes, .rss > 1)`, 1, 20, "only command_line, cpu"},
		{question, `cpu`, 1, 1, "add one of: .load_15m"},
		{question, `let a = 1; a`, 1, 5, "let is not allowed"},
		{question, `(let a = 1; a) + 1`, 1, 6, "let is not allowed"},
		{question, `$env`, 1, 1, "there is no “$env”"},
		{question, `$env["cpu"]`, 1, 1, "there is no “$env”"},
		{question, `$env.cpu.used`, 1, 1, "there is no “$env”"},
		{question, `toJSON($env)`, 1, 1, "“toJSON” cannot be called"},
		{question, `1..1000000`, 1, 2, "ranges are not allowed"},
		{question, `"a" + "b"`, 1, 5, "texts cannot be joined"},
		{question, `os.name + 1`, 1, 9, "texts cannot be joined"},
		{question, `count(processes, any(processes, true))`, 1, 18, "inside another loop"},
		{question, `map(processes, filter(services, true))`, 1, 16, "inside another loop"},
		{question, `filter(processes, service("x").state == "a")`, 1, 19, "inside a loop"},
		{question, `os.name matches os.id`, 1, 20, "cannot be made from data"},
		{question, `os.name matches "("`, 1, 17, "the pattern cannot be read"},
		{question, `os.name matches "((a{100}){10}){10}"`, 1, 17, "pattern"},
		{question, `os.name matches "\\pL{1000}"`, 1, 17, "repeats too much"},
		{question, `os.name matches "` + strings.Repeat("a", 201) + `"`, 1, 17, "at most 200 bytes"},
		{question, `cpu.used > "a"`, 1, 10, "cannot be compared"},
		{question, `os.version < "12"`, 1, 12, "version(x)"},
		{question, `cpu.used and true`, 1, 10, "true or false on both sides"},
		{question, `swap.used ?? "none"`, 1, 11, "the same on both sides"},
		{question, `cpu.used ? 1 : 2`, 1, 5, "true or false before it"},
		{question, `true ? 1 : "a"`, 1, 12, "of the same kind"},
		{question, `[1, "a"]`, 1, 5, "one kind"},
		{question, `[cpu.used]`, 1, 6, "constants"},
		{question, `os.name.x`, 1, 9, "nothing after a dot"},
		{question, `filesystems.used`, 1, 13, "is a list"},
		{question, `it.used`, 1, 1, "has each"},
		{question, `watched`, 1, 1, "there is no “watched”"},
		{question, `value > 1`, 1, 1, "there is no “value”"},
		{question, `version(os.version)`, 1, 1, "can only be compared"},
		{question, `sortBy(processes, .cpu)`, 1, 1, "cannot be called"},
		{question, `reduce(processes, #acc + .cpu)`, 1, 1, "cannot be called"},
		{question, `repeat("a", 100)`, 1, 1, "cannot be called"},
		{question, `os.name.len()`, 1, 9, "only these can be called"},
		{question, `(1)(2)`, 1, 4, "not expected"},
		{question, `take(processes, cpu.used)`, 1, 21, "whole number"},
		{question, `{a: processes}`, 1, 5, "a value in {...}"},
		{question, `{a:1,b:1,c:1,d:1,e:1,f:1,g:1,h:1,i:1}`, 1, 1, "1 to 8 names"},
		{question, `{(os.name): 1}`, 1, 6, "a name in {...}"},
		{question, `nil == 1`, 1, 1, "nil is not allowed"},
		{question, strings.Repeat("1+", 300) + "1", 1, 0, "nested more than 200"},
		{question, strings.Repeat("1 in [1,1,1,1,1] and ", 60) + "true", 1, 0, "more than 400 parts"},
		{question, `swap.used ?? 0 > 0.5`, 1, 16, "cannot be mixed"},
		{question, `map(network, {a: .name})`, 1, 16, "{{name: .name}}"},
		{question, strings.Repeat("-", 300) + "1", 1, 0, "nested more than 200"},
		{question, strings.Repeat("1 ", 2100), 1, 1, "at most 4096"},
		{question, strings.Repeat("(", 65) + "1" + strings.Repeat(")", 65), 1, 65, "more than 64 deep"},
		{group, `cpu.used > 0.5`, 1, 5, "changes from moment to moment"},
		{group, `any(processes, .name == "x")`, 1, 5, "changes from moment to moment"},
		{group, `any(filesystems, .used > 0.9)`, 1, 19, "changes from moment to moment"},
		{group, `ago(os.booted_at) > 5`, 1, 1, "cannot be called"},
		{group, `disk("sda").device == "x"`, 1, 1, "cannot be called"},
		{group, `hardware.cores`, 1, 10, "true or false is needed"},
		{group, `nope`, 1, 1, "allowed here: filesystems, hardware, network, os, people, services"},
		{Use{Kind: Check}, `filesystems`, 1, 1, "the value of a check is"},
		{Use{Kind: Check}, `it.used`, 1, 1, "has each"},
		{Use{Kind: Check, Each: "printers"}, `it.used`, 1, 1, "there is no list “printers”"},
		{Use{Kind: Threshold, Type: "number"}, `>= cpu.used`, 1, 4, "is not allowed in a threshold"},
		{Use{Kind: Threshold, Type: "number"}, `>= "a"`, 1, 1, "cannot be compared"},
		{Use{Kind: Threshold, Type: "number"}, `>= nope`, 1, 4, "is not allowed in a threshold"},
		{Use{Kind: Threshold, Type: "number"}, `0.9`, 1, 1, "not expected"},
		{Use{Kind: Threshold, Type: "number"}, `+ 1`, 1, 1, "true or false is needed"},
		{Use{Kind: Threshold, Type: "time"}, `> 1`, 1, 1, "a threshold needs"},
	} {
		_, err := Compile(tc.use, tc.source)
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%.60s: error %v, want an *Error", tc.source, err)
			continue
		}
		if !strings.Contains(e.Message, tc.want) || e.Line != tc.line || tc.column > 0 && e.Column != tc.column {
			t.Errorf("%.60s: %v, want line %d, column %d: …%s…", tc.source, e, tc.line, tc.column, tc.want)
		}
		if len(e.Message) > 700 || CleanText(e.Message) != e.Message {
			t.Errorf("%.60s: message is not fit to be shown: %q", tc.source, e.Message)
		}
	}
}

func TestCheckAndThreshold(t *testing.T) {
	s := Scope{Machine: desk(), Watched: []string{"cups"}}
	check := func(each, source string) map[string]string {
		t.Helper()
		p, err := Compile(Use{Kind: Check, Each: each}, source)
		if err != nil {
			t.Fatalf("%s: %v", source, err)
		}
		items, known := s.Each(each)
		if !known {
			t.Fatalf("%s is unknown", each)
		}
		got := map[string]string{}
		for _, it := range items {
			s.It = it
			v, err := p.Evaluate(s)
			if err != nil {
				t.Fatal(err)
			}
			got[it.Instance()] = v.String()
		}
		return got
	}
	for _, tc := range []struct {
		each, source string
		want         map[string]string
	}{
		{"filesystems", `it.used`, map[string]string{"/": "0.5", "/home": "0.95", "/mnt/share": "unknown"}},
		{"filesystems", `it.kind == "local"`, map[string]string{"/": "true", "/home": "true", "/mnt/share": "false"}},
		{"services", `it.name in watched`, map[string]string{"cups": "true", "ssh": "false"}},
		{"watched", `service(it).state`, map[string]string{"cups": `"failed"`}},
		{"processes", `it.cpu`, map[string]string{"systemd:1": "0", "firefox:4711": "1.25", "newborn:4712": "unknown"}},
	} {
		if got := check(tc.each, tc.source); !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s for each of %s: %v, want %v", tc.source, tc.each, got, tc.want)
		}
	}
	if _, known := (Scope{Machine: &Machine{}}).Each("services"); known {
		t.Error("services that were not read are known")
	}

	for _, tc := range []struct {
		typ, source string
		value       Value
		want        string
	}{
		{"number", `>= 0.9`, Number(0.9), "true"},
		{"number", `>= 0.9`, Number(0.89), "false"},
		{"number", `>= 0.9`, Unknown("x"), "unknown"},
		{"number", `> 1 and value < 5`, Number(3), "true"},
		{"text", `== "failed"`, String("failed"), "true"},
		{"text", `in ["failed", "stopped"]`, String("stopped"), "true"},
		{"text", `not in ["running"]`, String("running"), "false"},
		{"boolean", `== false`, Boolean(false), "true"},
	} {
		p, err := Compile(Use{Kind: Threshold, Type: tc.typ}, tc.source)
		if err != nil {
			t.Errorf("%s: %v", tc.source, err)
			continue
		}
		if v, _ := p.Evaluate(Scope{Value: tc.value}); v.String() != tc.want {
			t.Errorf("%s %s is %s, want %s", tc.value, tc.source, v, tc.want)
		}
	}
}

func TestProgramSaysWhatItReads(t *testing.T) {
	for _, tc := range []struct {
		source   string
		class    Class
		reads    string
		sections string
	}{
		{`cpu.used > 0.5`, Plain, "cpu.used", "vitals"},
		{`count(processes, .owner == "root")`, Personal, "processes processes.owner", "processes"},
		{`any(processes, .command_line contains "x")`, Private, "processes processes.command_line", "processes"},
		{`filter(processes, .rss_bytes > 1)`, Plain, "processes processes.cpu processes.name processes.pid processes.rss_bytes processes.started_at processes.state", "processes"},
		{`people`, Personal, "people people.name people.since people.terminal", "people"},
		{`len(people)`, Personal, "people", "people"},
		{`map(network, {{a: .name}})`, Plain, "network network.name", "network"},
		{`"10.0.0.1/8" in first(network).addresses`, Personal, "network network.addresses", "network"},
		{`service("a").state ?? os.name`, Plain, "os.name services services.name services.state", "os services"},
		{`1 == 1`, Plain, "", ""},
	} {
		p, err := Compile(Use{Kind: Question}, tc.source)
		if err != nil {
			t.Errorf("%s: %v", tc.source, err)
			continue
		}
		if got := strings.Join(p.Reads(), " "); p.Class() != tc.class || got != tc.reads || strings.Join(p.Sections(), " ") != tc.sections {
			t.Errorf("%s: class %s, reads %s, sections %s", tc.source, p.Class(), got, p.Sections())
		}
	}
	// A row that is shown whole shows nothing above plain, except of people.
	for name, c := range schema().collections {
		for _, f := range c.fields {
			if !f.hide && f.Class != Plain && name != "people" {
				t.Errorf("%s is shown with every row of %s", f.Name, name)
			}
		}
	}
}
