package main

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"

	"github.com/deskside/deskside/tools/internal/page"
)

// packed measures how small history is and how fast it is drawn, with the benchmarks
// of its package: of a made-up day of a machine with many disks, and of a recorded one.
func packed(ctx context.Context) (map[string]figure, error) {
	out, err := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "Day", "-count", "5", "./protocol/history").CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	said := benchmarks(string(out))
	of := func(name, unit string) float64 { return quantile(said[name+" "+unit], 0.5) }
	for _, needed := range []string{"Day ns/op", "DayRecorded ns/op", "DayRecorded B/sample", "DayRecorded hours", "DayRecorded samples", "DayRecorded rows"} {
		if len(said[needed]) == 0 {
			return nil, fmt.Errorf("no benchmark tells %q: %s", needed, out)
		}
	}
	const recorded = "DayRecorded"
	return map[string]figure{
		"history-size": {ours: of(recorded, "B/sample"), note: fmt.Sprintf("%s of the 24 h that the goal is of, from a Linux machine at work: %.0f samples in %.0f rows",
			page.Short(of(recorded, "hours")), of(recorded, "samples"), of(recorded, "rows"))},
		"history-day": {ours: of("Day", "ns/op") / 1e6, note: "the recorded " + page.Short(of(recorded, "hours")) + " h: " + page.Short(of(recorded, "ns/op")/1e6) + " ms"},
	}, nil
}

// benchmarks reads what "go test -bench" says: the values of each benchmark and unit,
// as "Day ns/op".
func benchmarks(out string) map[string][]float64 {
	all := map[string][]float64{}
	for line := range strings.Lines(out) {
		words := strings.Fields(line)
		if len(words) < 4 || !strings.HasPrefix(words[0], "Benchmark") {
			continue
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(words[0], "Benchmark"), "-")
		for i := 2; i+1 < len(words); i += 2 {
			if v, err := strconv.ParseFloat(words[i], 64); err == nil {
				all[name+" "+words[i+1]] = append(all[name+" "+words[i+1]], v)
			}
		}
	}
	return all
}
