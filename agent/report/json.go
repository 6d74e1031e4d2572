package report

import (
	"encoding/json"
	"io"

	"github.com/deskside/deskside/agent/check"
	"github.com/deskside/deskside/protocol/catalogue"
	"github.com/deskside/deskside/protocol/expression"
)

type jsonReport struct {
	ObservedAt expression.Time     `json:"observed_at"`
	Health     string              `json:"health"`
	Checks     []jsonCheck         `json:"checks"`
	Machine    *expression.Machine `json:"machine"`
}

type jsonCheck struct {
	ID       string        `json:"id"`
	Title    jsonWords     `json:"title"`
	Health   string        `json:"health"`
	Rows     int           `json:"rows"`
	Broken   *string       `json:"broken"`
	Findings []jsonFinding `json:"findings"`
	Most     *jsonFinding  `json:"most"`
}

type jsonFinding struct {
	Instance string             `json:"instance"`
	Health   string             `json:"health"`
	Value    expression.Value   `json:"value"`
	Values   map[string]float64 `json:"values"`
	Texts    map[string]string  `json:"texts"`
	Unknown  *string            `json:"unknown"`
	Plain    *jsonWords         `json:"plain"`
	Finding  *jsonWords         `json:"finding"`
}

type jsonWords struct {
	EN string `json:"en"`
	PL string `json:"pl"`
}

// WriteJSON writes the report as one indented JSON object.
func WriteJSON(w io.Writer, r Report) error {
	out := jsonReport{ObservedAt: r.Machine.ObservedAt, Health: r.Health(), Checks: []jsonCheck{}, Machine: r.Machine}
	for _, v := range r.Verdicts {
		c := jsonCheck{ID: v.Check.ID, Title: jsonWords{title(v.Check, "en"), title(v.Check, "pl")}, Health: v.Health, Rows: v.Rows, Findings: []jsonFinding{}}
		if v.Broken != "" {
			c.Broken = &v.Broken
		}
		for _, f := range v.Findings {
			c.Findings = append(c.Findings, r.jsonFinding(v, f))
		}
		if v.Most != nil {
			f := r.jsonFinding(v, *v.Most)
			c.Most = &f
		}
		out.Checks = append(out.Checks, c)
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(out)
}

func (r Report) jsonFinding(v check.Verdict, f check.Finding) jsonFinding {
	out := jsonFinding{Instance: f.Instance, Health: healthOf(f.Level), Value: f.Value, Values: f.Values, Texts: f.Texts}
	switch f.Level {
	case check.Warning, check.Critical:
		en, pl := r.told("en", v, f), r.told("pl", v, f)
		out.Plain = &jsonWords{en.Plain, pl.Plain}
		if en.Finding != "" {
			out.Finding = &jsonWords{en.Finding, pl.Finding}
		}
	case check.Unknown:
		out.Unknown = &f.Unknown
	}
	return out
}

func healthOf(l check.Level) string {
	switch l {
	case check.Warning:
		return "warning"
	case check.Critical:
		return "critical"
	case check.Unknown:
		return "unknown"
	}
	return "ok"
}

// title returns the name of a check.
func title(c catalogue.Check, lang string) string {
	w := c.Text.Title.EN
	if lang == "pl" {
		w = c.Text.Title.PL
	}
	if w == "" {
		return c.ID
	}
	return w
}
