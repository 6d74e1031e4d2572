package health

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/protocol/catalogue"
)

// Limits of what a machine's words may be.
const (
	maxDetails  = 32
	maxDetail   = 512
	maxName     = 64
	maxEvidence = 128 << 10
)

// tell puts what a transition says into an alert: numbers, names, evidence, and
// the sentences that the catalogue makes of them.
func tell(a *model.Alert, t model.Transition) error {
	if len(t.Values) > maxDetails || len(t.Texts) > maxDetails {
		return model.Problemf(model.CodeInvalid, "values", "a transition has at most %d values", maxDetails)
	}
	for name := range t.Values {
		if len(name) > maxName {
			return model.Problemf(model.CodeInvalid, "values", "the name of a value has at most %d bytes", maxName)
		}
	}
	for name, text := range t.Texts {
		if len(text) > maxDetail || len(name) > maxName {
			return model.Problemf(model.CodeInvalid, "texts", "a detail has at most %d bytes, and its name %d", maxDetail, maxName)
		}
	}
	a.Values, a.Texts, a.Zone = t.Values, t.Texts, t.Zone
	a.Broken = model.Cut(t.Broken, maxDetail) // that it is broken is said in any case
	if t.Evidence != nil {
		raw, err := json.Marshal(t.Evidence)
		if err != nil {
			return fmt.Errorf("keep evidence: %w", err)
		}
		if len(raw) <= maxEvidence {
			a.Evidence = raw
		}
	}
	render(a)
	return nil
}

// tellDone renders the sentences of an alert that is over, with the last values.
func tellDone(a *model.Alert, t model.Transition) error {
	if len(t.Values) > maxDetails || len(t.Texts) > maxDetails {
		return model.Problemf(model.CodeInvalid, "values", "a transition has at most %d values", maxDetails)
	}
	if len(t.Values) > 0 {
		a.Values = t.Values
	}
	if a.End == model.EndExpelled {
		a.Done = model.Words{EN: "This computer is no longer in our care.", PL: "Ten komputer nie jest już pod naszą opieką."}
		return nil
	}
	check, ok := catalogue.Find(a.Check)
	if !ok {
		return nil
	}
	a.Done = model.Words{EN: check.Tell("en", caseOf(a)).Done, PL: check.Tell("pl", caseOf(a)).Done}
	return nil
}

func caseOf(a *model.Alert) catalogue.Case {
	return catalogue.Case{Value: a.Values["value"], Values: a.Values, Names: a.Texts, StartedAt: a.StartedAt.In(placeOf(a)), Now: time.Now()}
}

// placeOf is the time zone of an alert's machine: who sits there reads the clock on
// their wall. A zone that is none is UTC.
func placeOf(a *model.Alert) *time.Location {
	const most = 16 * 60 * 60
	if a.Zone < -most || a.Zone > most {
		return time.UTC
	}
	return time.FixedZone("", a.Zone)
}

func render(a *model.Alert) {
	check, ok := catalogue.Find(a.Check)
	if !ok { // a check that is not of this catalogue has no words of its own
		name := a.Check
		if a.Instance != "" {
			name += " (" + a.Instance + ")"
		}
		a.Title = model.Words{EN: name, PL: name}
		a.Finding = model.Words{EN: name + " fires.", PL: "Alert: " + name + "."}
		a.Plain = model.Words{EN: "Something on this computer needs a look.", PL: "Coś na tym komputerze wymaga sprawdzenia."}
		return
	}
	en, pl := check.Tell("en", caseOf(a)), check.Tell("pl", caseOf(a))
	a.Title = model.Words{EN: en.Title, PL: pl.Title}
	a.Finding = model.Words{EN: en.Finding, PL: pl.Finding}
	a.Plain = model.Words{EN: en.Plain, PL: pl.Plain}
	a.Done = model.Words{EN: en.Done, PL: pl.Done}
	if a.Broken != "" {
		a.Finding = model.Words{EN: "This check cannot be evaluated: " + a.Broken, PL: "Tej kontroli nie można wykonać: " + a.Broken}
	}
}

// endedWords say why a ticket resolved by itself.
func endedWords(a model.Alert) model.Words {
	en, pl := catalogue.Clock("en", a.ResolvedAt.In(placeOf(&a)), a.ResolvedAt), catalogue.Clock("pl", a.ResolvedAt.In(placeOf(&a)), a.ResolvedAt)
	if a.End == model.EndExpelled {
		return model.Words{EN: a.Title.EN + ": the computer was taken off the console at " + en + ".", PL: a.Title.PL + ": komputer wykluczono o " + pl + "."}
	}
	return model.Words{EN: a.Title.EN + ": the condition cleared at " + en + ".", PL: a.Title.PL + ": ustąpiło o " + pl + "."}
}

// familyOf groups checks whose alerts share a ticket.
func familyOf(check string) string {
	if c, ok := catalogue.Find(check); ok && c.Family != "" {
		return c.Family
	}
	return check
}
