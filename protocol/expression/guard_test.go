package expression

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestHostileSources are the expressions that ended an agent or a console in
// trials of the bare library.
func TestHostileSources(t *testing.T) {
	lets := "let a0 = os.name; "
	for i := range 28 {
		lets += fmt.Sprintf("let a%d = a%d + a%d; ", i+1, i, i)
	}
	for name, source := range map[string]string{
		"a megabyte of brackets":     strings.Repeat("(", 1<<20),
		"4 KiB of brackets":          strings.Repeat("[", MaxSource),
		"brackets hidden in a quote": "'" + strings.Repeat("\\'(", 1300),
		"brackets in a comment":      "/* ' */" + strings.Repeat("(", 4000),
		"28 lets":                    lets + "a28",
		"toJSON of everything":       `toJSON($env)`,
		"a name put together":        `$env["Pro" + "cesses"]`,
		"minus signs":                strings.Repeat("-", 4000) + "1",
		"nots":                       strings.Repeat("not ", 1000) + "true",
		"choices":                    strings.Repeat("true?1:", 500) + "1",
		"powers":                     strings.Repeat("2**", 1000) + "2",
		"braces":                     strings.Repeat("{", 60) + strings.Repeat("}", 60),
		"a pattern that explodes":    `os.name matches "(((((a{1000}){1000}){1000}){1000}){1000})"`,
		"a pattern of classes":       `os.name matches "` + strings.Repeat(`\\pL{999}`, 20) + `"`,
		"loop in a loop":             `count(processes, any(processes, .pid > 1))`,
		"a loop behind a pipe":       `processes | map(processes | count(.pid > 1))`,
		"a loop in a record":         `map(processes, {{a: len(filter(processes, true))}})`,
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		_, err := Compile(Use{Kind: Question}, source)
		took := time.Since(start)
		runtime.ReadMemStats(&after)
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%s: error %v, want an *Error", name, err)
		}
		if got := after.TotalAlloc - before.TotalAlloc; got > 8<<20 {
			t.Errorf("%s: %d bytes to refuse it", name, got)
		}
		if took > 5*time.Second {
			t.Errorf("%s: %s to refuse it", name, took)
		}
	}
}

// crowd is a machine with n processes, each with a long command line.
func crowd(n int) *Machine {
	m := desk()
	m.Processes = make([]Process, n)
	for i := range m.Processes {
		m.Processes[i] = Process{PID: int64(i), Name: Text(fmt.Sprint("p", i)), RSSBytes: Known(float64(i)), CPU: Known(0), CommandLine: Text(strings.Repeat("a", MaxTextBytes))}
	}
	return m
}

// TestTooLong: what would run too long does not begin, or stops on its way.
func TestTooLong(t *testing.T) {
	m := crowd(MaxRows)
	for name, source := range map[string]string{
		"rows times parts": `count(processes, ` + strings.Repeat(`.pid > 1 and `, 60) + `true)`,
		"a slow pattern":   `any(processes, .command_line matches "(a?){30}(a*){9}b")`,
		"long texts":       `any(processes, ` + strings.Repeat(`.command_line contains "b" or `, 16) + `false)`,
		"a chain of loops": strings.Repeat(`count(processes, .pid > 1 and .pid < 5 and .rss_bytes > 4) + `, 12) + `1`,
	} {
		p, err := Compile(Use{Kind: Question}, source)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		start := time.Now()
		_, err = p.Evaluate(Scope{Machine: m})
		took := time.Since(start)
		if !errors.Is(err, ErrTooLong) {
			t.Errorf("%s: error %v, want ErrTooLong", name, err)
		}
		if took > 20*time.Second { // a hundredth of it, but under the race detector
			t.Errorf("%s: stopped after %s", name, took)
		}
		t.Log(name, took)
	}
	for _, source := range []string{
		`filter(processes, .rss_bytes > 19900)`,
		`any(processes, .name matches "^x[0-9]+$")`,
		`any(processes, .command_line contains "b")`,
	} {
		p, err := Compile(Use{Kind: Question}, source)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Evaluate(Scope{Machine: m}); err != nil {
			t.Errorf("%s on %d processes: %v", source, MaxRows, err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Compile(Use{Kind: Question}, `filter(processes, .rss_bytes > 1e9 and .name != "x")`); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEvaluate(b *testing.B) {
	for name, source := range map[string]string{
		"reading":       `cpu.used > 0.9`,
		"200-processes": `filter(processes, .rss_bytes > 1e9)`,
	} {
		p, err := Compile(Use{Kind: Question}, source)
		if err != nil {
			b.Fatal(err)
		}
		m := crowd(200)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.Evaluate(Scope{Machine: m})
			}
		})
	}
}
