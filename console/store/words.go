package store

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	longestWord = 64        // bytes of a folded word that count
	mostWords   = 20000     // of one thing; the rest is not found
	mostLetters = 512 << 10 // bytes of them all: PostgreSQL takes 1 MiB
	mostAsked   = 16        // words of one search
)

// words splits a text into folded words: letters and digits, everything else
// separates. Both databases are given these words, not the text, so that both
// find the same.
func words(text string, most int) []string {
	var list []string
	letters := 0
	for word := range strings.FieldsFuncSeq(Fold(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if len(word) > longestWord {
			cut := longestWord
			for !utf8.RuneStart(word[cut]) {
				cut--
			}
			word = word[:cut]
		}
		if letters += len(word); len(list) == most || letters > mostLetters {
			break
		}
		list = append(list, word)
	}
	return list
}
