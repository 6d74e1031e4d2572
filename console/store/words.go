package store

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	longestWord = 64    // bytes of a folded word that count
	mostWords   = 20000 // of one thing; the rest is not found
	mostAsked   = 16    // words of one search
)

// words splits a text into folded words: letters and digits, everything else
// separates. Both databases are given these words, not the text, so that both
// find the same.
func words(text string, most int) []string {
	var list []string
	for word := range strings.FieldsFuncSeq(Fold(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if len(list) == most {
			break
		}
		if len(word) > longestWord {
			cut := longestWord
			for !utf8.RuneStart(word[cut]) {
				cut--
			}
			word = word[:cut]
		}
		list = append(list, word)
	}
	return list
}
