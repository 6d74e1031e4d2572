package model

import "unicode/utf8"

// Cut is the beginning of a valid text, at most so many bytes of it.
func Cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}
