package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/deskside/deskside/agent/state"
	"github.com/deskside/deskside/protocol"
)

// TestGapless: what an agent writes, and goes on from when its disk was set back, has no
// gap; and a line that is missing, or was changed, is one.
func TestGapless(t *testing.T) {
	dir := t.TempDir()
	own, older := filepath.Join(dir, "own"), filepath.Join(dir, "older")
	machine := uuid.New()
	write := func(at string, texts ...string) (lines []mirrored) {
		t.Helper()
		s, err := state.Open(at)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		s.Journalled(func(e protocol.JournalEntry) { lines = append(lines, mirrored{machine, e}) })
		for i, text := range texts {
			err := s.Update(func(tx *state.Tx) error {
				return tx.Journal(protocol.JournalEntry{At: int64(i), Kind: "run_script", Act: "refused", ID: uuid.New(), Text: text, Count: 1})
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		return lines
	}
	first := write(own, "one", "two", "three")
	if err := os.CopyFS(older, os.DirFS(own)); err != nil {
		t.Fatal(err)
	}
	all := slices.Concat(first, write(own, "four", "five"), write(older, "four again", "five again", "six"))
	slices.SortStableFunc(all, func(a, b mirrored) int { return int(a.line.Number) - int(b.line.Number) })
	if last, err := gapless(all); err != nil || last[machine.String()] != 6 || len(all) != 8 {
		t.Fatalf("%d lines: %v, %v", len(all), last, err)
	}
	without := func(text string) []mirrored {
		return slices.DeleteFunc(slices.Clone(all), func(m mirrored) bool { return m.line.Text == text })
	}
	changed := slices.Clone(all)
	changed[1].line.Text = "too"
	other := slices.Clone(all)
	other[1].machine = uuid.New()
	for name, tc := range map[string]struct {
		lines []mirrored
		says  string
	}{
		"the first is missing":        {without("one"), "line 2 is there and line 1 is not"},
		"one between":                 {without("three"), "line 4 is there and line 3 is not"},
		"one of two that went on":     {without("four"), "line 5 was not written after any of the 1 that are there as line 4"},
		"one was changed":             {changed, "line 2 was not written after any of the 1 "},
		"one came to another machine": {other, "line 2 is there and line 1 is not"},
	} {
		if _, err := gapless(tc.lines); err == nil || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if last, err := gapless(without("six")); err != nil || last[machine.String()] != 5 {
		t.Errorf("the last is missing: %v, %v", last, err)
	}
}
