// Package page is for tools that write their figures into a page for people.
package page

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Replaced puts text into the place of a page that begins with the mark from and ends
// with the next mark to.
func Replaced(page, from, to, text string) (string, error) {
	before, rest, ok := strings.Cut(page, from)
	_, after, ended := strings.Cut(rest, to)
	if !ok || !ended {
		return "", fmt.Errorf("the page has no place: %s ... %s", from, to)
	}
	return before + from + text + to + after, nil
}

// Short is a number with three digits that count, none of them cut before the point.
func Short(v float64) string {
	digits := 0
	if a := math.Abs(v); a < 10 {
		digits = 2
	} else if a < 100 {
		digits = 1
	}
	text := strconv.FormatFloat(v, 'f', digits, 64)
	if digits > 0 {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	if text == "-0" {
		return "0"
	}
	return text
}

// Thousands is a whole number with its thousands apart.
func Thousands(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
