package catalogue

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func arg(n float64) map[string]Argument {
	return map[string]Argument{"n": {FormatNumber("pl", "", n), n}, "x": {Text: "vpn"}, "name": {Text: "HP Sekretariat"}}
}

func TestRender(t *testing.T) {
	const waiting = "W kolejce {n, plural, =0 {nic nie czeka} one {czeka # dokument} few {czekają # dokumenty} many {czeka # dokumentów} other {czeka # dokumentu}}."
	// The table of the voice, with the no-break space after the short word.
	for n, want := range map[float64]string{
		0: "W\u00a0kolejce nic nie czeka.", 1: "W\u00a0kolejce czeka 1 dokument.", 2: "W\u00a0kolejce czekają 2 dokumenty.",
		4: "W\u00a0kolejce czekają 4 dokumenty.", 5: "W\u00a0kolejce czeka 5 dokumentów.", 12: "W\u00a0kolejce czeka 12 dokumentów.",
		14: "W\u00a0kolejce czeka 14 dokumentów.", 22: "W\u00a0kolejce czekają 22 dokumenty.", 112: "W\u00a0kolejce czeka 112 dokumentów.",
		1.5: "W\u00a0kolejce czeka 1,5 dokumentu.", 10022: "W\u00a0kolejce czekają 10\u00a0022 dokumenty.",
	} {
		if got := Render("pl", waiting, arg(n)); got != want {
			t.Errorf("%v: %q, want %q", n, got, want)
		}
	}
	for _, tc := range []struct{ lang, message, want string }{
		{"en", "{n, plural, one {# file} other {# files}}", "3 files"},
		{"en", "Paper in “{name}”.", "Paper in “HP Sekretariat”."},
		{"en", "{x, select, vpn {VPN {name}} other {?}}", "VPN HP Sekretariat"},
		{"en", "{y, select, unknown {no idea} other {?}}", "no idea"},
		{"en", "{y, select, a {b} other {else}}", "else"},
		{"en", "{y} and {n}", "unknown and 3"},
		{"pl", "{y}", "brak danych"},
		{"en", "# stays outside of a plural", "# stays outside of a plural"},
		{"en", "{n, plural, =3 {three} other {#}}", "three"},
		{"en", "{n, plural, one {a} other {{x, select, vpn {#!} other {}}}}", "3!"},
		{"pl", "Zadzwoń i powiedz o tym z pokoju „a b”, a w nim", "Zadzwoń i\u00a0powiedz o\u00a0tym z\u00a0pokoju „a\u00a0b”, a\u00a0w\u00a0nim"},
		{"en", "a {", "a {"},
	} {
		if got := Render(tc.lang, tc.message, arg(3)); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.message, got, tc.want)
		}
	}
	for _, bad := range []string{"{", "}", "{}", "{n", "{n,}", "{n, date}", "{n, plural}", "{n, plural, one {a}}", "{n, select, a {b}}", "{n, plural, other {a}", "{n, plural, other a}", strings.Repeat("{n, plural, other {", 20) + strings.Repeat("}}", 20)} {
		if _, err := parseMessage(bad); err == nil {
			t.Errorf("%q is a message", bad)
		}
		if Render("en", bad, nil) != bad {
			t.Errorf("%q is not returned as it is", bad)
		}
	}
}

func TestFormat(t *testing.T) {
	for _, tc := range []struct {
		format string
		v      float64
		en, pl string
	}{
		{"bytes", 5.2e9, "5.2 GB", "5,2 GB"},
		{"bytes", 237.5e9, "237.5 GB", "237,5 GB"},
		{"bytes", 999.96e6, "1 GB", "1 GB"},
		{"bytes", 16e9, "16 GB", "16 GB"},
		{"bytes", 812, "812 B", "812 B"},
		{"bytes", 3.4e3, "3 kB", "3 kB"},
		{"bytes", 0, "0 B", "0 B"},
		{"percent", 0.978, "97.8%", "97,8%"},
		{"percent", 1, "100%", "100%"},
		{"count", 31402, "31,402", "31 402"},
		{"count", 1204, "1,204", "1204"},
		{"count", 1234567, "1,234,567", "1 234 567"},
		{"cores", 1.04, "1", "1"},
		{"id", 47114, "47114", "47114"},
		{"", -0.001, "0", "0"},
		{"", -1.5, "−1.5", "−1,5"},
		{"seconds", 45, "45 s", "45 s"},
		{"seconds", 80 * 60, "1 h 20 min", "1 godz. 20 min"},
		{"seconds", 27*86400 + 4*3600, "27 d 4 h", "27 d 4 godz."},
		{"seconds", 125, "2 min 5 s", "2 min 5 s"},
		{"seconds", 3600, "1 h", "1 godz."},
	} {
		plain := func(lang string) string { return strings.ReplaceAll(FormatNumber(lang, tc.format, tc.v), nbsp, " ") }
		if en, pl := plain("en"), plain("pl"); en != tc.en || pl != tc.pl {
			t.Errorf("%v as %q: %q and %q, want %q and %q", tc.v, tc.format, en, pl, tc.en, tc.pl)
		}
	}
	now := time.Date(2026, 11, 20, 10, 20, 0, 0, time.UTC)
	for at, want := range map[time.Time][2]string{
		now.Add(-66 * time.Minute):                      {"09:14", "9:14"},
		now.Add(-17*time.Hour - 39*time.Minute):         {"Thu 19 Nov 16:41", "czw. 19\u00a0lis. 16:41"},
		time.Date(2026, 5, 3, 8, 5, 0, 0, time.UTC):     {"Sun 3 May 08:05", "niedz. 3\u00a0maja 8:05"},
		time.Date(2026, 11, 19, 23, 30, 0, 0, time.UTC): {"Thu 19 Nov 23:30", "czw. 19\u00a0lis. 23:30"},
	} {
		if en, pl := Clock("en", at, now), Clock("pl", at, now); en != want[0] || pl != want[1] {
			t.Errorf("%s: %q and %q, want %q", at, en, pl, want)
		}
	}
	if a, b := drive(`C:\`), drive("/home"); a != "C" || b != "/home" {
		t.Errorf("drives %q and %q", a, b)
	}
}

func TestTell(t *testing.T) {
	now := time.Date(2026, 11, 20, 10, 20, 0, 0, time.UTC)
	disk, _ := Find("filesystem.full")
	cpu, _ := Find("process.cpu")
	memory, _ := Find("memory.pressure")
	space := func(s string) string { return strings.ReplaceAll(s, nbsp, " ") }
	for _, tc := range []struct {
		check          Check
		lang           string
		of             Case
		finding, plain string
	}{
		{disk, "en", Case{Value: 0.978, Values: map[string]float64{"used": 0.978, "free": 5.2e9, "size": 237.5e9}, Names: map[string]string{"mount": "C:", "type": "NTFS", "family": "windows"}, StartedAt: now.Add(-66 * time.Minute), Now: now},
			"Volume C (NTFS) 97.8% used, 5.2 GB of 237.5 GB free, since 09:14.", "Drive C on this computer is almost full: 5.2 GB left."},
		{disk, "pl", Case{Value: 0.978, Values: map[string]float64{"used": 0.978, "free": 5.2e9, "size": 237.5e9}, Names: map[string]string{"mount": "C:", "type": "NTFS", "family": "windows"}, StartedAt: now.Add(-66 * time.Minute), Now: now},
			"Wolumin C (NTFS) zajęty w 97,8%, wolne 5,2 GB z 237,5 GB, od 9:14.", "Na dysku C tego komputera kończy się miejsce: zostało 5,2 GB."},
		{cpu, "en", Case{Values: map[string]float64{"pid": 47110, "cores": 1.02, "all": 8, "memory": 1.2e9}, Names: map[string]string{"program": "firefox"}, StartedAt: now.Add(-5 * time.Minute), Now: now},
			"firefox (PID 47110): 1 core of 8 busy since 10:15, 1.2 GB of memory.", "The program “firefox” has kept this computer very busy since 10:15 and may slow it down."},
		{cpu, "pl", Case{Values: map[string]float64{"pid": 47110, "cores": 3.5, "all": 8, "memory": 1.2e9}, Names: map[string]string{"program": "firefox"}, StartedAt: now.Add(-5 * time.Minute), Now: now},
			"firefox (PID 47110): zajęte 3,5 rdzenia z 8 od 10:15, pamięć 1,2 GB.", "Program „firefox” od 10:15 mocno obciąża ten komputer i może go spowalniać."},
		{memory, "pl", Case{Values: map[string]float64{"used": 0.93, "available": 1.1e9, "total": 16e9}, StartedAt: now, Now: now},
			"Pamięć operacyjna zajęta w 93%, dostępne 1,1 GB z 16 GB, od 10:20. Bez przestrzeni wymiany.", "Programy na tym komputerze zajmują prawie całą pamięć, dlatego działa wolno."},
		{memory, "en", Case{Values: map[string]float64{"used": 0.93, "available": 1.1e9, "total": 16e9, "swap": 0.5}, StartedAt: now, Now: now},
			"Main memory 93% used, 1.1 GB of 16 GB available, since 10:20. Swap 50% used.", "The programs on this computer need nearly all of its memory, so it works slowly."},
	} {
		got := tc.check.Tell(tc.lang, tc.of)
		if space(got.Finding) != tc.finding || space(got.Plain) != tc.plain {
			t.Errorf("%s %s:\n%s\n%s\nwant\n%s\n%s", tc.check.ID, tc.lang, space(got.Finding), space(got.Plain), tc.finding, tc.plain)
		}
		if got.Title == "" || got.Means == "" || got.We == "" || got.You == "" || got.Done == "" || len(got.Next) < 2 {
			t.Errorf("%s %s: something is missing in %+v", tc.check.ID, tc.lang, got)
		}
	}
}

func ptr[T any](v T) *T { return &v }

func TestResolve(t *testing.T) {
	base := Builtin()
	set, err := Resolve(base,
		Layer{Watched: []string{"cups", "ssh"}, Overrides: []Override{{Check: "filesystem.full", Warning: ptr(">= 0.7"), For: ptr(Duration(2 * time.Second))}}},
		Layer{Overrides: []Override{{Check: "filesystem.full", Warning: ptr(">= 0.8")}, {Check: "process.cpu", Enabled: ptr(false)}}},
		Layer{Watched: []string{}, Overrides: []Override{{Check: "filesystem.full", Interval: ptr(Duration(time.Second)), KeepFiringFor: ptr(Duration(0))}}},
	)
	if err != nil {
		t.Fatal(err)
	}
	full, cpu := set.Checks[0], set.Checks[3]
	if full.Warning != ">= 0.8" || full.Critical != ">= 0.95" || full.For != Duration(2*time.Second) || full.Interval != Duration(time.Second) || full.KeepFiringFor != 0 {
		t.Errorf("filesystem.full is %+v", full)
	}
	if cpu.Enabled || len(set.Watched) != 0 {
		t.Errorf("process.cpu enabled %v, watched %v", cpu.Enabled, set.Watched)
	}
	if diff := cmp.Diff(base, Builtin()); diff != "" {
		t.Errorf("the catalogue changed:\n%s", diff)
	}
	plain, _ := Resolve(base)
	again, _ := Resolve(base, Layer{})
	if plain.Hash() != again.Hash() || plain.Hash() == set.Hash() {
		t.Error("the hash does not tell sets apart")
	}
}

func TestResolveRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		layer Layer
		field string
		want  string
	}{
		"no such check":  {Layer{Overrides: []Override{{Check: "nope"}}}, "id", "no such check"},
		"interval 0":     {Layer{Overrides: []Override{{Check: "process.cpu", Interval: ptr(Duration(0))}}}, "interval", "0s is not from 1s"},
		"interval 999ms": {Layer{Overrides: []Override{{Check: "process.cpu", Interval: ptr(Duration(999 * time.Millisecond))}}}, "interval", "not from 1s"},
		"for < 0":        {Layer{Overrides: []Override{{Check: "process.cpu", For: ptr(Duration(-1))}}}, "for", "not from 0s"},
		"keep < 0":       {Layer{Overrides: []Override{{Check: "process.cpu", KeepFiringFor: ptr(Duration(-1))}}}, "keep_firing_for", "not from 0s"},
		"for a month":    {Layer{Overrides: []Override{{Check: "process.cpu", For: ptr(Duration(720 * time.Hour))}}}, "for", "to 168h"},
		"bad threshold":  {Layer{Overrides: []Override{{Check: "process.cpu", Warning: ptr(">= high")}}}, "warning", "line 1, column 4"},
		"wrong type":     {Layer{Overrides: []Override{{Check: "process.cpu", Critical: ptr(`== "a"`)}}}, "critical", "cannot be compared"},
		"no threshold":   {Layer{Overrides: []Override{{Check: "process.cpu", Warning: ptr("")}}}, "warning", "needs a warning or a critical"},
		"bad clear":      {Layer{Overrides: []Override{{Check: "process.cpu", Clear: ptr("nope")}}}, "clear", ""},
		"too many":       {Layer{Watched: make([]string, MaxWatched+1)}, "watched_services", "at most"},
		"an empty name":  {Layer{Watched: []string{""}}, "watched_services", "not the name"},
		"a strange name": {Layer{Watched: []string{"a\x00b"}}, "watched_services", "not the name"},
	} {
		_, err := Resolve(Builtin(), tc.layer)
		var bad *Invalid
		if !errors.As(err, &bad) || bad.Field != tc.field || !strings.Contains(bad.Message, tc.want) {
			t.Errorf("%s: error %v, want %s: %s", name, err, tc.field, tc.want)
		}
	}
}

func TestSetTravels(t *testing.T) {
	set, err := Resolve(Builtin(), Layer{Watched: []string{"cups"}})
	if err != nil {
		t.Fatal(err)
	}
	back, err := DecodeSet(set.Encode())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(set, back); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if len(set.Encode()) > 8<<10 {
		t.Errorf("the set has %d bytes", len(set.Encode()))
	}
	twice := set
	twice.Checks = append(twice.Checks, twice.Checks[0])
	bad := Set{Checks: []Check{{ID: "x", Judged: "machine", Interval: MinInterval, Value: "1", Warning: "> nope"}}}
	for name, b := range map[string][]byte{
		"twice":     twice.Encode(),
		"bad":       bad.Encode(),
		"long":      make([]byte, MaxSetBytes+1),
		"truncated": set.Encode()[:100],
		"not cbor":  []byte("<html>"),
		"many":      {0xa1, 1, 0x9a, 0xff, 0xff, 0xff, 0xff},
	} {
		if _, err := DecodeSet(b); err == nil {
			t.Errorf("%s: decoded", name)
		}
	}
}

func TestDuration(t *testing.T) {
	for in, want := range map[string]string{"2s": "2s", "5m": "5m", "300s": "5m", "1h": "1h", "1h30m": "1h30m", "0s": "0s", "1m30s": "1m30s", "24h": "24h", "500ms": "500ms", "10m": "10m", "20s": "20s", "10h10m": "10h10m"} {
		d, err := ParseDuration(in)
		if err != nil || d.String() != want {
			t.Errorf("%s: %s, %v", in, d, err)
		}
		b, err := d.MarshalCBOR()
		if err != nil {
			t.Fatal(err)
		}
		var back Duration
		if err := back.UnmarshalCBOR(b); err != nil || back != d {
			t.Errorf("%s came back as %s, %v", in, back, err)
		}
	}
	for _, in := range []string{"", "5", "five", "1ns", "-"} {
		if d, err := ParseDuration(in); err == nil {
			t.Errorf("%q is %s", in, d)
		}
	}
	var d Duration
	for _, b := range [][]byte{{0xf6}, {0xfb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0}, {0x61, 'a'}, {0x1b, 0xff, 0, 0, 0, 0, 0, 0, 0}} {
		if d.UnmarshalCBOR(b) == nil {
			t.Errorf("%x is %s", b, d)
		}
	}
}

func TestParseList(t *testing.T) {
	list, err := ParseList([]byte(`
- id: filesystem.full
  warning: ">= 0.5"
  cures: []
- id: my.load
  value: cpu.load_1m
  warning: "> 8"
`))
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 2 || list[0].Warning != ">= 0.5" || list[0].Critical != ">= 0.95" || len(list[0].Cures) != 0 || list[0].Text.Title.EN == "" || list[1].Interval != MinInterval || !list[1].Enabled {
		t.Errorf("%+v", list)
	}
	if own, _ := Find("filesystem.full"); own.Warning != ">= 0.85" || len(own.Cures) != 1 {
		t.Error("the catalogue changed")
	}
	for name, in := range map[string]string{
		"not a list":    "id: x",
		"unknown field": "- {id: filesystem.full, warnign: '> 1'}",
		"no value":      "- {id: a, warning: '> 1'}",
		"bad id":        "- {id: 'A B', value: cpu.used, warning: '> 1'}",
		"twice":         "- {id: filesystem.full}\n- {id: filesystem.full}",
		"bad list":      "- {id: a, each: printers, value: it.x, warning: '> 1'}",
		"bad when":      "- {id: a, when: cpu.used, value: cpu.used, warning: '> 1'}",
		"bad duration":  "- {id: filesystem.full, for: soon}",
		"bad format":    "- {id: a, value: cpu.used, warning: '> 1', details: [{name: x, value: cpu.used, format: furlong}]}",
		"bomb":          "- &a [" + strings.Repeat("1,", 100) + "]\n- [" + strings.Repeat("*a,", 100) + "]",
	} {
		if _, err := ParseList([]byte(in)); err == nil {
			t.Errorf("%s: parsed", name)
		}
	}
}

func TestBuiltin(t *testing.T) {
	ids := ""
	for _, c := range Builtin() {
		ids += c.ID + " "
		if err := c.Validate(); err != nil {
			t.Error(err)
		}
		if len(c.Evidence.Vitals) == 0 || c.Family == "" || !c.Enabled {
			t.Errorf("%s lacks evidence or family, or is off", c.ID)
		}
	}
	if ids != "filesystem.full filesystem.inodes memory.pressure process.cpu service.stopped machine.offline " {
		t.Errorf("checks are %s", ids)
	}
	if _, ok := Find("nope"); ok {
		t.Error("a check that does not exist is found")
	}
	if PluralForm("pl", math.Inf(1)) == "" || PluralForm("en", -1) != "one" {
		t.Error("plural of odd numbers")
	}
}
