package stage

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// Origin is where figures come from.
type Origin struct {
	Commit, Date, Machine string
	Changed               bool // the files differ from the commit
}

// Here is what this tool runs from.
func Here(ctx context.Context) (Origin, error) {
	commit, err := exec.CommandContext(ctx, "git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return Origin{}, fmt.Errorf("which commit this is: %w", err)
	}
	changes, err := exec.CommandContext(ctx, "git", "status", "--porcelain", "--", ".", ":!docs", ":!*.md").Output()
	if err != nil {
		return Origin{}, fmt.Errorf("whether files differ from the commit: %w", err)
	}
	return Origin{Commit: strings.TrimSpace(string(commit)), Date: time.Now().UTC().Format(time.DateOnly),
		Machine: fmt.Sprintf("%d cores, %s, %s", runtime.NumCPU(), processor(), runtime.Version()), Changed: len(changes) > 0}, nil
}

func processor() string {
	raw, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for line := range strings.Lines(string(raw)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}
