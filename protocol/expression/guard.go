package expression

import (
	"fmt"
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// Bounds of an expression.
const (
	MaxSource  = 4 << 10 // bytes
	MaxNesting = 64      // open brackets
	MaxNodes   = 400     // parts of the tree
	MaxSteps   = 2000000 // of one evaluation: rows times parts of a loop
	MaxPattern = 200     // bytes of a pattern for matches
	MaxList    = 100     // constants in [...]

	maxDepth       = 200  // of the tree
	maxPatternSize = 1000 // of a pattern when its repeats are written out
)

// An Error says what in an expression is not allowed, where, and what is.
// Line and Column count from 1; Column counts characters.
type Error struct {
	Line, Column int
	Message      string
}

func (e *Error) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Message)
}

// errorAt returns an Error at the character with that index. What it quotes of the
// source may hold anything; the message is fit to be shown.
func errorAt(source string, index int, format string, args ...any) *Error {
	e := &Error{Line: 1, Column: 1, Message: CleanText(fmt.Sprintf(format, args...))}
	for i, r := range []rune(source) {
		if i == index {
			break
		}
		if r == '\n' {
			e.Line, e.Column = e.Line+1, 1
		} else {
			e.Column++
		}
	}
	return e
}

// scan refuses what must not reach the parser: it calls itself for every open
// bracket and has no bound of its own.
func scan(source string) error {
	if len(source) > MaxSource {
		return &Error{1, 1, fmt.Sprintf("the expression has %d bytes; at most %d are allowed", len(source), MaxSource)}
	}
	if !utf8.ValidString(source) {
		return &Error{1, 1, "the expression is not valid UTF-8"}
	}
	if strings.TrimSpace(source) == "" {
		return &Error{1, 1, "the expression is empty"}
	}
	depth, index := 0, 0
	var quote rune
	escaped := false
	for _, r := range source {
		switch {
		case r < ' ' && r != '\n' && r != '\t' && r != '\r':
			return errorAt(source, index, "control characters are not allowed")
		case quote != 0:
			switch {
			case escaped:
				escaped = false
			case r == '\\' && quote != '`':
				escaped = true
			case r == quote:
				quote = 0
			}
		case r == '"' || r == '\'' || r == '`':
			quote = r
		case r == '(' || r == '[' || r == '{':
			if depth++; depth > MaxNesting {
				return errorAt(source, index, "brackets are nested more than %d deep", MaxNesting)
			}
		case r == ')' || r == ']' || r == '}':
			depth--
		}
		index++
	}
	return nil
}

// patternSize returns how large a pattern is when its repeats are written out.
func patternSize(re *syntax.Regexp) int {
	n := 1 + len(re.Rune)/2
	for _, sub := range re.Sub {
		n += patternSize(sub)
	}
	if re.Op == syntax.OpRepeat {
		n *= max(re.Max, re.Min, 1)
	}
	return min(n, 1<<30)
}
