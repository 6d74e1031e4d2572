package catalogue

import (
	"strings"
	"time"
)

// Case is one alert as the words see it.
type Case struct {
	Value     float64            // of the check, when it is a number
	Values    map[string]float64 // details that are numbers
	Names     map[string]string  // details that are texts
	StartedAt time.Time          // in the time zone of the reader
	Now       time.Time
}

// Told is what a check says about one case in one language.
type Told struct {
	Title, Finding, Plain, Means, We, You, Done string
	Next                                        []string
}

// Tell renders the words of the check. The arguments of its messages are the
// details, by their names, and value, since and lasting.
func (c *Check) Tell(lang string, of Case) Told {
	args := c.arguments(lang, of)
	say := func(w Words) string {
		if lang == "pl" {
			return Render(lang, w.PL, args)
		}
		return Render(lang, w.EN, args)
	}
	t := Told{
		Title: say(c.Text.Title), Finding: say(c.Text.Finding), Plain: say(c.Text.Plain), Means: say(c.Text.Means),
		We: say(c.Text.We), You: say(c.Text.You), Done: say(c.Text.Done),
	}
	next := c.Text.Next.EN
	if lang == "pl" {
		next = c.Text.Next.PL
	}
	for _, n := range next {
		t.Next = append(t.Next, Render(lang, n, args))
	}
	return t
}

// arguments formats what goes into the messages.
func (c *Check) arguments(lang string, of Case) map[string]Argument {
	args := map[string]Argument{}
	for _, d := range c.Details {
		if v, ok := of.Values[d.Name]; ok {
			args[d.Name] = Argument{FormatNumber(lang, d.Format, v), rounded(d.Format, v)}
		} else if s, ok := of.Names[d.Name]; ok && s != "" {
			if d.Format == "drive" {
				s = drive(s)
			}
			args[d.Name] = Argument{Text: s}
		}
	}
	args["value"] = Argument{FormatNumber(lang, "", of.Value), of.Value}
	if !of.StartedAt.IsZero() {
		args["since"] = Argument{Text: Clock(lang, of.StartedAt, of.Now)}
		args["lasting"] = Argument{Text: Span(lang, max(0, of.Now.Sub(of.StartedAt)))}
	}
	return args
}

// rounded returns v as it is written, so that 1.04 cores, written 1, take the
// singular.
func rounded(format string, v float64) float64 {
	switch format {
	case "count":
		return roundTo(v, 1)
	case "cores":
		return roundTo(v, 10)
	}
	return roundTo(v, 100)
}

func roundTo(v, parts float64) float64 {
	n := v * parts
	if n < 0 {
		return float64(int64(n-0.5)) / parts
	}
	return float64(int64(n+0.5)) / parts
}

// drive returns a mount as a person calls it: C for C:\, the path elsewhere.
func drive(mount string) string {
	if len(mount) >= 2 && mount[1] == ':' && len(strings.TrimRight(mount[2:], `\/`)) == 0 {
		return mount[:1]
	}
	return mount
}
