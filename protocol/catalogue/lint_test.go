package catalogue

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// counts are the numbers a plural is tried with: every form of both languages
// and the traps among them.
var counts = []float64{0, 1, 2, 4, 5, 11, 12, 14, 20, 21, 22, 25, 101, 112, 1.5}

// branches holds the values of names that choose between sentences.
var branches = map[string][]string{
	"family": {"linux", "windows", "darwin"},
	"state":  {"failed", "stopped", "paused", "running", "starting"},
	"start":  {"auto", "manual", "disabled"},
	"reason": {"asleep", "shut_down", "link_lost", "crashed", "updating", "unknown"},
}

// samples are plain values for names that only stand in a sentence.
var samples = map[string]string{
	"mount": "/home", "type": "ext4", "program": "firefox", "service": "cups", "label": "CUPS Scheduler",
}

// jargon must not be said to a person: words a colleague would not say at
// lunch, and the words of technicians. Stems, matched at the start of a word.
var jargon = map[string][]string{
	"en": {"volume", "partition", "inode", "filesystem", "process", "cpu", "ram", "swap", "cache", "kernel", "daemon", "service", "socket", "thread", "pid", "dns", "dhcp", "ip", "smart", "mount", "threshold", "alert", "agent", "script", "incident", "queue", "log", "server", "driver", "config", "utilis", "utiliz", "device", "endpoint", "host", "user", "client", "credential", "critical", "warning", "metric", "severity"},
	"pl": {"wolumin", "partycj", "i-węz", "procesor", "proces", "pamięć operacyjn", "jądr", "usług", "gniazd", "wątk", "pid", "dns", "dhcp", "smart", "próg", "progu", "alert", "agent", "skrypt", "incydent", "kolejk", "dziennik", "serwer", "sterownik", "konfigurac", "urządzeni", "stacj", "host", "użytkownik", "klient", "poświadcz", "krytyczn", "ostrzeżeni", "metryk", "diagnoz"},
}

// replaced are words that nobody should read, in no text of a check.
var replaced = map[string][]string{
	"en": {"reboot", "terminate", "kill", "abort", "execute", "failed to", "unable to save the", "error occurred", "invalid", "illegal", "please note", "please be advised", "kindly", "utilise", "perform", "carry out", "as soon as possible", "shortly", "soon", "simply", "just", "obviously", "forgot", "should have"},
	"pl": {"reboot", "restart", "zresetuj", "ubij", "zabij", "wykonaj", "wystąpił błąd", "pomyślnie", "nieprawidłow", "niepoprawn", "błędn", "informujemy", "iż", "dokonać", "dokonani", "przeprowadzić", "celem", "w przypadku gdy", "niezwłocznie", "wkrótce", "asap", "wystarczy tylko", "oczywiście", "powinieneś", "powinnaś", "sam musisz", "zapomn"},
}

// lint returns everything that is wrong with the words of a check.
func lint(c Check) []string {
	var faults []string
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	known := []string{"value", "since", "lasting"}
	for _, d := range c.Details {
		known = append(known, d.Name)
	}
	texts := []struct {
		name        string
		words       Words
		person      bool
		sentences   int // at most
		chars, most int
	}{
		{"title", c.Text.Title, false, 1, 40, 8},
		{"finding", c.Text.Finding, false, 12, 500, 100},
		{"plain", c.Text.Plain, true, 1, 130, 20},
		{"means", c.Text.Means, true, 2, 300, 50},
		{"we", c.Text.We, true, 2, 300, 50},
		{"you", c.Text.You, true, 3, 300, 75},
		{"done", c.Text.Done, true, 3, 300, 75},
	}
	next := c.Text.Next
	if len(next.EN) != len(next.PL) || len(next.EN) < 2 || len(next.EN) > 4 {
		fault("next: %d and %d steps, 2 to 4 of each are needed", len(next.EN), len(next.PL))
	}
	for i := range min(len(next.EN), len(next.PL)) {
		t := texts[0]
		t.name, t.words, t.sentences, t.chars, t.most = fmt.Sprint("next ", i+1), Words{EN: next.EN[i], PL: next.PL[i]}, 3, 160, 30
		texts = append(texts, t)
	}
	for _, t := range texts {
		names := map[string][]string{}
		for lang, message := range map[string]string{"en": t.words.EN, "pl": t.words.PL} {
			where := t.name + " " + lang
			if message == "" {
				fault("%s: missing", where)
				continue
			}
			parts, err := parseMessage(message)
			if err != nil {
				fault("%s: %v", where, err)
				continue
			}
			walk(parts, func(p part) {
				names[lang] = append(names[lang], p.name)
				if !slices.Contains(known, p.name) {
					fault("%s: {%s} is not known to the check", where, p.name)
				}
				if p.kind == "plural" {
					need := []string{"one", "other"}
					if lang == "pl" {
						need = []string{"one", "few", "many", "other"}
					}
					for _, k := range need {
						if p.branch(k) == nil {
							fault("%s: {%s, plural} lacks %s", where, p.name, k)
						}
					}
				}
			})
			for _, rendered := range renderAll(c, lang, message, parts) {
				for _, f := range lintText(lang, rendered, t.person, t.sentences, t.chars, t.most) {
					fault("%s: %s: %q", where, f, rendered)
				}
			}
		}
		// The branches may differ, what is spoken of may not; a word such as
		// Kosz can make a choice needless in one language.
		a, b := unique(names["en"]), unique(names["pl"])
		for _, n := range append(slices.Clone(a), b...) {
			if _, choice := branches[n]; !choice && (!slices.Contains(a, n) || !slices.Contains(b, n)) {
				fault("%s: {%s} stands in one language only", t.name, n)
			}
		}
	}
	slices.Sort(faults)
	return slices.Compact(faults)
}

func unique(s []string) []string { s = slices.Clone(s); slices.Sort(s); return slices.Compact(s) }

func walk(parts []part, f func(part)) {
	for _, p := range parts {
		if p.name != "" {
			f(p)
		}
		for _, b := range p.branches {
			walk(b.parts, f)
		}
	}
}

// renderAll renders a message with every count and every branch that it has.
func renderAll(c Check, lang, message string, parts []part) []string {
	at := time.Date(2026, 11, 19, 16, 41, 0, 0, time.UTC)
	var out []string
	chosen := map[string][]string{"": {""}}
	walk(parts, func(p part) {
		if values := branches[p.name]; values != nil {
			chosen[p.name] = values
		}
	})
	for _, n := range counts {
		for name, values := range chosen {
			for _, v := range values {
				of := Case{Value: n, Values: map[string]float64{}, Names: map[string]string{}, StartedAt: at, Now: at.Add(25 * time.Hour)}
				for _, d := range c.Details {
					switch {
					case branches[d.Name] != nil:
						of.Names[d.Name] = branches[d.Name][0]
					case samples[d.Name] != "":
						of.Names[d.Name] = samples[d.Name]
					case d.Format == "bytes":
						of.Values[d.Name] = n * 1.7e9
					case d.Format == "percent":
						of.Values[d.Name] = n / 112
					default:
						of.Values[d.Name] = n
					}
				}
				if name != "" {
					of.Names[name] = v
				}
				out = append(out, Render(lang, message, c.arguments(lang, of)))
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

var abbreviations = regexp.MustCompile(`(godz|pon|wt|śr|czw|pt|sob|niedz|np|sty|lut|mar|kwi|cze|lip|sie|wrz|paź|lis|gru)\.`)

// lintText returns what is wrong with one rendered text.
func lintText(lang, s string, person bool, sentences, chars, maxWords int) []string {
	var faults []string
	if n := utf8.RuneCountInString(s); n > chars {
		faults = append(faults, fmt.Sprintf("%d characters, at most %d", n, chars))
	}
	if strings.ContainsAny(s, "!") {
		faults = append(faults, "an exclamation mark")
	}
	if strings.ContainsAny(s, "{}") || strings.Contains(s, "  ") || s != strings.TrimSpace(s) || strings.Contains(s, " .") || strings.Contains(s, ": .") || strings.Contains(s, "“”") || strings.Contains(s, "()") {
		faults = append(faults, "a brace, a double space or an empty value")
	}
	lower := strings.ToLower(s)
	all := words(lower)
	for _, w := range []string{"null", "undefined", "nan", "n/a", "unknown value"} {
		if slices.Contains(all, w) || strings.Contains(lower, "n/a") {
			faults = append(faults, "a value that is none")
			break
		}
	}
	if strings.Contains(s, "(s)") || strings.Contains(s, "(ów)") || strings.Contains(s, "(y)") {
		faults = append(faults, "brackets instead of grammar")
	}
	for _, w := range replaced[lang] {
		if hasWord(all, w) {
			faults = append(faults, "the word "+w)
		}
	}
	split := regexp.MustCompile(`[.?:](\s|$)`).Split(abbreviations.ReplaceAllString(s, "$1"), -1)
	count := 0
	for i, sentence := range split {
		if n := len(words(sentence)); n > 0 {
			count++
			if person && n > 25 {
				faults = append(faults, fmt.Sprintf("a sentence of %d words", n))
			}
			_ = i
		}
	}
	ends := len(regexp.MustCompile(`[.?](\s|$)`).FindAllString(abbreviations.ReplaceAllString(s, "$1"), -1))
	if ends > sentences {
		faults = append(faults, fmt.Sprintf("%d sentences, at most %d", ends, sentences))
	}
	if n := len(all); n > maxWords {
		faults = append(faults, fmt.Sprintf("%d words, at most %d", n, maxWords))
	}
	if !person {
		return faults
	}
	if !strings.HasSuffix(s, ".") && !strings.HasSuffix(s, "?") {
		faults = append(faults, "no full stop at the end")
	}
	bare := words(strings.ToLower(regexp.MustCompile(`[“„][^”]*”|\([^)]*\)`).ReplaceAllString(s, " ")))
	for _, w := range jargon[lang] {
		if hasWord(bare, w) {
			faults = append(faults, "jargon: "+w)
		}
	}
	for _, w := range bare {
		if lang == "pl" && (strings.HasSuffix(w, "łeś") || strings.HasSuffix(w, "łaś")) {
			faults = append(faults, "the second person in the past: "+w)
		}
	}
	return faults
}

// words splits by letters of any alphabet: \b knows only those of ASCII.
func words(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '-' && r != '/' && r != '’'
	})
}

// hasWord reports whether a word, or the words of a phrase in a row, begin
// words of the text. Stems of up to three letters must match a whole word.
func hasWord(text []string, phrase string) bool {
	want := words(phrase)
	for i := 0; i+len(want) <= len(text); i++ {
		ok := true
		for j, w := range want {
			ok = ok && (text[i+j] == w || utf8.RuneCountInString(w) > 4 && strings.HasPrefix(text[i+j], w))
		}
		if ok {
			return true
		}
	}
	return false
}

func TestWords(t *testing.T) {
	for _, c := range Builtin() {
		for _, f := range lint(c) {
			t.Errorf("%s: %s", c.ID, f)
		}
	}
}

// TestLintGoesRed plants one fault of each kind.
func TestLintGoesRed(t *testing.T) {
	good, _ := Find("process.cpu")
	if f := lint(good); len(f) > 0 {
		t.Fatal(f)
	}
	for name, tc := range map[string]struct {
		plant func(*Text)
		want  string
	}{
		"a language is missing":     {func(w *Text) { w.Means.PL = "" }, "means pl: missing"},
		"an unknown placeholder":    {func(w *Text) { w.Done.EN += " {nope}." }, "{nope} is not known"},
		"placeholders differ":       {func(w *Text) { w.Done.PL = "Gotowe." }, "stands in one language only"},
		"a Polish form is missing":  {func(w *Text) { w.Finding.PL = strings.Replace(w.Finding.PL, "few {", "=3 {", 1) }, "lacks few"},
		"an English form missing":   {func(w *Text) { w.Finding.EN = strings.Replace(w.Finding.EN, "one {", "=1 {", 1) }, "lacks one"},
		"no other":                  {func(w *Text) { w.Finding.EN = "{cores, plural, one {a}}" }, "no branch other"},
		"a brace too many":          {func(w *Text) { w.We.EN += "}" }, "closing brace"},
		"brackets for grammar":      {func(w *Text) { w.Finding.EN += " 5 core(s)." }, "brackets instead"},
		"two plain sentences":       {func(w *Text) { w.Plain.EN = "It is “{program}”. Since {since}." }, "2 sentences"},
		"a long plain sentence":     {func(w *Text) { w.Plain.EN = strings.Repeat("one two ", 12) + "“{program}” {since}." }, "words, at most 20"},
		"a long sentence":           {func(w *Text) { w.You.EN = strings.Repeat("one two ", 13) + "." }, "a sentence of 26 words"},
		"many characters":           {func(w *Text) { w.Title.EN = strings.Repeat("a", 41) }, "41 characters"},
		"an exclamation mark":       {func(w *Text) { w.Done.PL = "Program „{program}” działa!" }, "exclamation"},
		"jargon en":                 {func(w *Text) { w.Means.EN = "The process eats the CPU." }, "jargon: process"},
		"jargon pl":                 {func(w *Text) { w.Means.PL = "Procesor jest zajęty." }, "jargon: procesor"},
		"a technician's word":       {func(w *Text) { w.Means.PL = "Trwa analiza incydentu." }, "jargon: incydent"},
		"past of the second person": {func(w *Text) { w.You.PL = "Może to Ty zrobiłeś." }, "second person"},
		"powinieneś":                {func(w *Text) { w.You.PL = "Powinieneś zamknąć program." }, "powinieneś"},
		"a replaced word en":        {func(w *Text) { w.Next.EN[0] = "Simply kill it." }, "the word simply"},
		"a replaced word pl":        {func(w *Text) { w.You.PL = "Zrób to niezwłocznie." }, "niezwłocznie"},
		"a double space":            {func(w *Text) { w.You.EN = "Do  nothing." }, "double space"},
		"a value that is none":      {func(w *Text) { w.You.EN = "It has null left." }, "none"},
		"no full stop":              {func(w *Text) { w.You.EN = "Do nothing" }, "full stop"},
		"too few steps":             {func(w *Text) { w.Next.PL = w.Next.PL[:1] }, "2 to 4"},
	} {
		c, _ := Find("process.cpu")
		c.Text.Next.EN, c.Text.Next.PL = slices.Clone(c.Text.Next.EN), slices.Clone(c.Text.Next.PL)
		tc.plant(&c.Text)
		if f := strings.Join(lint(c), "\n"); !strings.Contains(f, tc.want) {
			t.Errorf("%s: the linter says %q", name, f)
		}
	}
}
