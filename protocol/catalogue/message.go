package catalogue

import (
	"errors"
	"fmt"
	"math"
	"strings"
)

// An Argument is what stands for a {name}: its text as the reader sees it, and
// its number where plural has to choose.
type Argument struct {
	Text   string
	Number float64
}

// Render writes a message in a language ("en" or "pl"). A name without an
// argument is written as the language's word for unknown; in a select it takes
// the branch "unknown" if there is one, else "other". A message that cannot be
// read is returned as it is: the tests keep such out of the catalogue.
func Render(lang, message string, args map[string]Argument) string {
	nodes, err := parseMessage(message)
	if err != nil {
		return message
	}
	var b strings.Builder
	for _, n := range nodes {
		n.write(&b, lang, args, "")
	}
	if lang == "pl" {
		return bindShortWords(b.String())
	}
	return b.String()
}

// part is a piece of a message: a text, #, or a name with branches.
type part struct {
	text     string
	hash     bool
	name     string
	kind     string // "", "plural", "select"
	branches []branch
}

type branch struct {
	key   string
	parts []part
}

func (p part) write(b *strings.Builder, lang string, args map[string]Argument, number string) {
	switch {
	case p.hash:
		b.WriteString(number)
		return
	case p.name == "":
		b.WriteString(p.text)
		return
	}
	arg, known := args[p.name]
	if !known {
		arg.Text = unknownWord(lang)
	}
	var chosen []part
	switch p.kind {
	case "":
		b.WriteString(arg.Text)
		return
	case "select":
		key := arg.Text
		if !known {
			key = "unknown"
		}
		chosen = p.branch(key)
	case "plural":
		if exact := p.branch(fmt.Sprintf("=%v", arg.Number)); known && exact != nil {
			chosen = exact
		} else if known {
			chosen = p.branch(PluralForm(lang, arg.Number))
		}
	}
	if chosen == nil {
		chosen = p.branch("other")
	}
	if p.kind == "plural" {
		number = arg.Text
	}
	for _, c := range chosen {
		c.write(b, lang, args, number)
	}
}

// branch returns the parts under a key; nil when there is no such branch.
func (p part) branch(key string) []part {
	for _, b := range p.branches {
		if b.key == key {
			return b.parts
		}
	}
	return nil
}

// PluralForm returns "one", "few", "many" or "other". Polish has four forms:
// 1 plik, 2 pliki, 5 plików, 1,5 pliku.
func PluralForm(lang string, n float64) string {
	n = math.Abs(n)
	if n != math.Trunc(n) {
		return "other"
	}
	switch {
	case n == 1:
		return "one"
	case lang != "pl":
		return "other"
	}
	units, tens := math.Mod(n, 10), math.Mod(n, 100)
	if units >= 2 && units <= 4 && (tens < 12 || tens > 14) {
		return "few"
	}
	return "many"
}

// parseMessage reads a message into parts.
func parseMessage(s string) ([]part, error) {
	p := messageParser{s: s}
	parts, err := p.parts(0, false)
	if err == nil && p.i < len(s) {
		err = fmt.Errorf("a closing brace too many at byte %d", p.i)
	}
	return parts, err
}

type messageParser struct {
	s string
	i int
}

func (p *messageParser) parts(depth int, inPlural bool) ([]part, error) {
	if depth > 8 {
		return nil, errors.New("braces are nested more than 8 deep")
	}
	out := []part{}
	for p.i < len(p.s) {
		switch c := p.s[p.i]; {
		case c == '}':
			return out, nil
		case c == '{':
			p.i++
			n, err := p.argument(depth, inPlural)
			if err != nil {
				return nil, err
			}
			out = append(out, n)
		case c == '#' && inPlural:
			p.i++
			out = append(out, part{hash: true})
		default:
			end := p.i
			for end < len(p.s) && p.s[end] != '{' && p.s[end] != '}' && (p.s[end] != '#' || !inPlural) {
				end++
			}
			out = append(out, part{text: p.s[p.i:end]})
			p.i = end
		}
	}
	return out, nil
}

func (p *messageParser) argument(depth int, inPlural bool) (part, error) {
	n := part{name: p.word()}
	if n.name == "" {
		return n, fmt.Errorf("a name is missing at byte %d", p.i)
	}
	if p.take('}') {
		return n, nil
	}
	if !p.take(',') {
		return n, fmt.Errorf("a comma or } is missing after {%s", n.name)
	}
	if n.kind = p.word(); n.kind != "plural" && n.kind != "select" {
		return n, fmt.Errorf("{%s, %s: only plural and select are known", n.name, n.kind)
	}
	if !p.take(',') {
		return n, fmt.Errorf("a comma is missing after {%s, %s", n.name, n.kind)
	}
	for !p.take('}') {
		key := p.word()
		if key == "" || !p.take('{') {
			return n, fmt.Errorf("a branch of {%s, %s} cannot be read at byte %d", n.name, n.kind, p.i)
		}
		parts, err := p.parts(depth+1, inPlural || n.kind == "plural")
		if err != nil {
			return n, err
		}
		if !p.take('}') {
			return n, fmt.Errorf("branch %s of {%s, %s} is not closed", key, n.name, n.kind)
		}
		n.branches = append(n.branches, branch{key, parts})
	}
	if n.branch("other") == nil {
		return n, fmt.Errorf("{%s, %s} has no branch other", n.name, n.kind)
	}
	return n, nil
}

// word reads a name or key after spaces.
func (p *messageParser) word() string {
	p.spaces()
	start := p.i
	for p.i < len(p.s) && strings.IndexByte("{},# \n\t", p.s[p.i]) < 0 {
		p.i++
	}
	return p.s[start:p.i]
}

func (p *messageParser) take(c byte) bool {
	p.spaces()
	if p.i < len(p.s) && p.s[p.i] == c {
		p.i++
		return true
	}
	return false
}

func (p *messageParser) spaces() {
	for p.i < len(p.s) && strings.IndexByte(" \n\t", p.s[p.i]) >= 0 {
		p.i++
	}
}

// bindShortWords puts a no-break space after the Polish words of one letter,
// so that none ends a line.
func bindShortWords(s string) string {
	runes := []rune(s)
	for i, r := range runes {
		if r != ' ' || i == 0 || !strings.ContainsRune("wzioauWZIOAU", runes[i-1]) {
			continue
		}
		if i == 1 || strings.ContainsRune(" \u00a0(„", runes[i-2]) {
			runes[i] = '\u00a0'
		}
	}
	return string(runes)
}
