package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"

	"github.com/deskside/deskside/tools/internal/page"
)

// paceOfPages opens and scrolls the list of 20,000 computers in a browser.
func paceOfPages(ctx context.Context) (map[string]figure, error) {
	cmd := exec.CommandContext(ctx, "node", "harness/pace.mjs")
	cmd.Dir = "console/web"
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("the browser: %w", err)
	}
	var pace struct{ Open, Frames, Slowest, Bare float64 }
	if err := json.Unmarshal(out, &pace); err != nil {
		return nil, err
	}
	return map[string]figure{
		"list-open":   {ours: pace.Open},
		"list-scroll": {ours: pace.Frames, note: fmt.Sprintf("p99 between two frames %s ms; a page with nothing but such a list of plain text has %s /s", page.Short(pace.Slowest), page.Short(pace.Bare))},
	}, nil
}
