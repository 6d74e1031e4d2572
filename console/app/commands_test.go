package app

import (
	"io"
	"strings"
	"testing"
)

// TestWords: a command that is not there, and one that is missing, are mistakes of the
// command line, which say what there is; help that there is none.
func TestWords(t *testing.T) {
	for line, says := range map[string]string{
		"nonsense":             `has no command "nonsense"; it has`,
		"help nonsense":        `has no command "nonsense"; it has`,
		"help person nonsense": `has no command "nonsense"; it has add, `,
		"help serve nonsense":  `deskside-console serve has no command "nonsense"`,
		"person":               `deskside-console person needs a command: add, `,
		"token":                `deskside-console token needs a command: create, `,
		"audit":                "needs a command: ",
		"enrolment":            "needs a command: create",
		"machine":              "needs a command: ",
		"":                     "",
		"help":                 "",
		"help person":          "",
		"help person add":      "",
		"help help":            "",
		"person --help":        "",
		"serve --help":         "",
	} {
		root := commands()
		root.SetArgs(strings.Fields(line))
		var out strings.Builder
		root.SetOut(&out)
		root.SetErr(io.Discard)
		switch err := root.Execute(); {
		case says == "" && (err != nil || !strings.Contains(out.String(), "Usage:")):
			t.Errorf("%q: %v, and says %q", line, err, out.String())
		case says != "" && (err == nil || exitCode(err) != exitUsage || !strings.Contains(err.Error(), says)):
			t.Errorf("%q: %v, want %d with %q", line, err, exitUsage, says)
		}
	}
}
