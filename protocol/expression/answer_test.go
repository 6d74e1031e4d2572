package expression

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func ask(t *testing.T, m *Machine, source string) Answer {
	t.Helper()
	p, err := Compile(Use{Kind: Question}, source)
	if err != nil {
		t.Fatalf("%s: %v", source, err)
	}
	a, err := p.Answer(m)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Check(); err != nil {
		t.Errorf("%s: %v", source, err)
	}
	return a
}

func TestAnswer(t *testing.T) {
	for _, tc := range []struct{ source, want string }{
		{`cpu.used`, `[{"value":0.25}]`},
		{`os.name`, `[{"value":"Debian GNU/Linux 12 (bookworm)"}]`},
		{`cpu.used > 0.1`, `[{"value":true}]`},
		{`os.booted_at`, `[{"value":"2025-11-20T00:53:20Z"}]`},
		{`swap.used`, `[]`},
		{`filter(processes, .rss_bytes > 1e9)`, `[{"pid":4711,"name":"firefox","cpu":1.25,"rss_bytes":2500000000,"started_at":null,"state":null}]`},
		{`map(filter(processes, .rss_bytes > 1e9), {{name: .name, "GB": .rss_bytes / 1e9, owner: .owner}})`, `[{"name":"firefox","GB":2.5,"owner":"maria"}]`},
		{`map(services, .name)`, `[{"value":"cups"},{"value":"ssh"}]`},
		{`service("ssh")`, `[{"name":"ssh","display_name":null,"state":"running","start":"auto"}]`},
		{`people`, `[{"name":"maria","since":"2025-11-21T01:53:20Z","terminal":"tty1"}]`},
		{`disks`, `[]`},
		{`interface("eth0").addresses`, `[{"value":"10.1.4.57/24"}]`},
		{`{free: memory.available_bytes, os: os.id}`, `[{"free":12000000000,"os":"debian"}]`},
		{`take(processes, 1) | map(.name)`, `[{"value":"systemd"}]`},
	} {
		got, err := json.Marshal(ask(t, desk(), tc.source))
		if err != nil || string(got) != tc.want {
			t.Errorf("%s: %s, %v, want %s", tc.source, got, err, tc.want)
		}
	}
}

// TestAnswerShowsWhatItAskedFor: a row leaves out some of its fields, but never
// one that the question named.
func TestAnswerShowsWhatItAskedFor(t *testing.T) {
	for _, tc := range []struct{ source, want string }{
		{`filesystems`, "mount device type kind read_only size_bytes available_bytes used"},
		{`filter(filesystems, .used > 0.2)`, "mount device type kind read_only size_bytes available_bytes used"},
		{`filter(filesystems, .inodes_used_ratio < 0.9)`, "mount device type kind read_only size_bytes available_bytes inodes_used_ratio"},
		{`filter(filesystems, .used > 0.2 and .inodes_used_ratio < 0.9)`, "mount device type kind read_only size_bytes used inodes_used_ratio"},
		{`filter(processes, .owner == "maria")`, "pid name cpu rss_bytes owner started_at state"},
		{`filter(network, "10.1.4.57/24" in .addresses)`, "name up speed_bits mtu"},
		{`people`, "name since terminal"},
	} {
		ask(t, desk(), tc.source)
		p, err := Compile(Use{Kind: Question}, tc.source)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(p.columns(), " "); got != tc.want {
			t.Errorf("%s shows %s, want %s", tc.source, got, tc.want)
		}
	}
}

func TestAnswerSaysWhatIsMissing(t *testing.T) {
	if a := ask(t, desk(), `swap.used`); a.Unknown != "swap.used: not here" {
		t.Errorf("unknown: %q", a.Unknown)
	}
	if a := ask(t, desk(), `network_io`); a.Unknown != "network_io" {
		t.Errorf("unknown: %q", a.Unknown)
	}
	a := ask(t, desk(), `filter(processes, .cpu > 1)`)
	if len(a.Rows) != 1 || a.Undecided != 1 {
		t.Errorf("%d rows, %d undecided, want 1 and 1", len(a.Rows), a.Undecided)
	}
}

func TestAnswerLimits(t *testing.T) {
	m := crowd(1000)
	if a := ask(t, m, `processes`); len(a.Rows) != MaxAnswerRows || !a.Truncated {
		t.Errorf("%d rows, truncated %v", len(a.Rows), a.Truncated)
	}
	a := ask(t, m, `map(processes, .command_line)`)
	if len(a.Rows) > 64 || len(a.Rows) < 50 || !a.Truncated {
		t.Errorf("%d rows of 1 KiB, truncated %v", len(a.Rows), a.Truncated)
	}
	b, err := json.Marshal(a)
	if err != nil || len(b) > MaxAnswerBytes+len(a.Rows)*16 {
		t.Errorf("%d bytes, %v", len(b), err)
	}
	if a := ask(t, m, `take(processes, 200) | map(.pid)`); a.Truncated || len(a.Rows) != 200 {
		t.Errorf("%d rows, truncated %v", len(a.Rows), a.Truncated)
	}
}

func TestAnswerTravels(t *testing.T) {
	a := ask(t, desk(), `map(processes, {{n: .name, c: .cpu, t: os.booted_at, b: .cpu > 1}})`)
	b, err := cbor.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	var back Answer
	if err := cbor.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	if err := back.Check(); err != nil {
		t.Fatal(err)
	}
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(back)
	if diff := cmp.Diff(string(x), string(y)); diff != "" {
		t.Error(diff)
	}
}

func TestAnswerFromElsewhere(t *testing.T) {
	big := Answer{Columns: []string{"value"}}
	for range 200 {
		big.Rows = append(big.Rows, []Value{String(strings.Repeat("x", 1000))})
	}
	for name, a := range map[string]Answer{
		"too many columns": {Columns: make([]string, 9)},
		"too many rows":    {Rows: make([][]Value, 201)},
		"a ragged row":     {Columns: []string{"a"}, Rows: [][]Value{{Number(1), Number(2)}}},
		"too long":         big,
		"long heading":     {Columns: []string{strings.Repeat("x", 65)}},
		"negative":         {Undecided: -1},
	} {
		if a.Check() == nil {
			t.Errorf("%s passes", name)
		}
	}
	a := Answer{Columns: []string{"a\x1b"}, Rows: [][]Value{{String("\u202e<b>\x00")}}, Unknown: "\x07"}
	if err := a.Check(); err != nil || a.Columns[0] != "a" || a.Rows[0][0].text != "<b>" || a.Unknown != "" {
		t.Errorf("%+v, %v", a, err)
	}
	var v Value
	for _, b := range [][]byte{{}, {0x80}, {0xa0}, {0x41, 'a'}, {0xc0, 0}, {0x61}} {
		if cbor.Unmarshal(b, &v) == nil && v.UnmarshalCBOR(b) == nil {
			t.Errorf("%x is a value", b)
		}
	}
}

func TestCompareVersions(t *testing.T) {
	order := []string{"0.9", "1.0~beta2", "1.0-rc1", "1.0-rc2", "1.0", "1.0.1", "1.2", "1.10", "1.10a", "2", "6.1.0-9", "6.1.0-18-amd64", "6.1.0-19", "10.0.19045", "12", "12.5", "2026.1"}
	for i, a := range order {
		for j, b := range order {
			want := 0
			if i < j {
				want = -1
			} else if i > j {
				want = 1
			}
			if got := CompareVersions(a, b); got != want {
				t.Errorf("%s against %s: %d, want %d", a, b, got, want)
			}
		}
	}
	for _, pair := range [][2]string{{"1.0", "1.0.0"}, {"v1", "V1"}, {"", ""}, {"1.02", "1.2"}, {"1", "1."}} {
		if CompareVersions(pair[0], pair[1]) != 0 {
			t.Errorf("%s and %s differ", pair[0], pair[1])
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		version := rapid.StringMatching(`([0-9]{1,3}[.-]?|[a-c]|rc|~){0,6}`)
		a, b := version.Draw(t, "a"), version.Draw(t, "b")
		if CompareVersions(a, b) != -CompareVersions(b, a) {
			t.Fatalf("%s, %s: %d and %d", a, b, CompareVersions(a, b), CompareVersions(b, a))
		}
	})
}

func ExampleCompile() {
	m := &Machine{Filesystems: []Filesystem{
		{Mount: "/", Used: Known(0.42)},
		{Mount: "/home", Used: Known(0.97)},
	}}
	p, err := Compile(Use{Kind: Question}, `map(filter(filesystems, .used > 0.9), .mount)`)
	if err != nil {
		fmt.Println(err)
		return
	}
	a, err := p.Answer(m)
	fmt.Println(a.Rows, err)
	// Output: [["/home"]] <nil>
}

func TestExamples(t *testing.T) {
	for _, e := range Examples() {
		p, err := Compile(Use{Kind: Question}, e.Source)
		if err != nil {
			t.Errorf("%s: %v", e.Source, err)
			continue
		}
		if p.Class() != Plain || e.Title.EN == "" || e.Title.PL == "" {
			t.Errorf("%s is %s, titles %q", e.Source, p.Class(), e.Title)
		}
		if a := ask(t, desk(), e.Source); a.Unknown == "" && len(a.Columns) == 0 {
			t.Errorf("%s: %+v", e.Source, a)
		}
	}
}
