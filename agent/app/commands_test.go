package app

import "testing"

// TestWords: a word that is no command, and one too many, are mistakes of the command
// line, and say so by the exit code.
func TestWords(t *testing.T) {
	for _, args := range [][]string{{"nonsense"}, {"help", "nonsense"}, {"policy", "nonsense"}, {"check", "nonsense"}, {"check", "--nonsense"}} {
		if code := Main(args); code != exitUsage {
			t.Errorf("%v: %d, want %d", args, code, exitUsage)
		}
	}
}
