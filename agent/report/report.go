// Package report writes what `deskside-agent check` found: for people, in
// colour or without, in English or Polish, and for programs, as JSON.
//
// It is the first thing a stranger sees of Deskside. What is the matter comes
// first, as the sentence that the owner of the machine understands, with the
// technical finding below it; then what every check says, the vitals, the
// facts, and at the end what could not be read, and why.
//
// Nothing here reads the machine: a Report is what was read and judged before.
package report

import (
	"time"

	"github.com/deskside/deskside/agent/check"
	"github.com/deskside/deskside/protocol/catalogue"
	"github.com/deskside/deskside/protocol/expression"
)

// A Report is what is told.
type Report struct {
	Machine  *expression.Machine
	Verdicts []check.Verdict
	Now      time.Time // in the time zone of the reader
}

// Health returns the worst of all verdicts: critical, warning, unknown or ok.
func (r Report) Health() string {
	health := "ok"
	for _, v := range r.Verdicts {
		switch {
		case v.Health == "critical":
			return "critical"
		case v.Health == "warning", v.Health == "unknown" && health == "ok":
			health = v.Health
		}
	}
	return health
}

// ExitCode returns what the command ends with: 0 ok, 1 warning, 2 critical,
// 3 unknown.
func (r Report) ExitCode() int {
	return map[string]int{"ok": 0, "warning": 1, "critical": 2, "unknown": 3}[r.Health()]
}

// told is one finding in one language.
func (r Report) told(lang string, v check.Verdict, f check.Finding) catalogue.Told {
	value, _ := f.Value.Float()
	of := catalogue.Case{Value: value, Values: f.Values, Names: f.Texts, StartedAt: r.Now, Now: r.Now}
	t := v.Check.Tell(lang, of)
	if t.Plain != "" {
		return t
	}
	// A check of one's own has no words.
	t.Title = v.Check.ID
	t.Plain = catalogue.Render(lang, words("own", lang), map[string]catalogue.Argument{
		"check": {Text: v.Check.ID}, "instance": {Text: f.Instance}, "has": {Text: map[bool]string{true: "yes", false: "no"}[f.Instance != ""]},
		"value": {Text: valueText(lang, f.Value)}, "limit": {Text: limit(v.Check, f.Level)},
	})
	return t
}

func limit(c catalogue.Check, l check.Level) string {
	if l == check.Critical {
		return c.Critical
	}
	return c.Warning
}

func valueText(lang string, v expression.Value) string {
	if n, known := v.Float(); known {
		return catalogue.FormatNumber(lang, "", n)
	}
	if s, known := v.Str(); known {
		return s
	}
	return v.String()
}
