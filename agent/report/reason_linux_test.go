package report

import (
	"context"
	"strings"
	"testing"

	"github.com/deskside/deskside/agent/probe"
)

// TestReasonsAreTranslated reads this machine without rights to anything and
// holds every reason of ours to have Polish words.
func TestReasonsAreTranslated(t *testing.T) {
	p := probe.New(probe.Options{Root: t.TempDir()})
	defer p.Close()
	m := p.Round(context.Background(), true)
	for _, u := range m.Unreadable {
		if reason("pl", u.Why) == u.Why && !strings.Contains(u.Why, "no such file") {
			t.Errorf("%s: %q has no Polish words", u.What, u.Why)
		}
	}
}
