package store

import (
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"
)

// letters are those that Unicode does not take apart into a base letter and a
// mark. They are folded to what people type who do not have them.
var letters = map[rune]string{
	'ł': "l", 'ø': "o", 'đ': "d", 'ð': "d", 'ħ': "h", 'ı': "i", 'ŧ': "t", 'ß': "ss", 'æ': "ae", 'œ': "oe", 'þ': "th",
}

// Fold returns the form of a name that decides whether two names are the same
// and that search compares: compatibility forms made plain, lower case, no
// diacritics, ł as l, white space as one space. "Żółć" and "ZOLC" are the same.
func Fold(s string) string {
	var b strings.Builder
	space := false
	for _, r := range norm.NFKD.String(strings.ToValidUTF8(s, " ")) {
		switch {
		case unicode.IsSpace(r) || unicode.IsControl(r):
			space = true
			continue
		case unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Cf, r):
			continue
		}
		if space && b.Len() > 0 {
			b.WriteByte(' ')
		}
		space = false
		r = unicode.ToLower(r)
		if plain, ok := letters[r]; ok {
			b.WriteString(plain)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// SortKey returns bytes by which names stand in the order people expect: ą
// after a, ł after l, case and accents of the second rank, pc-9 before pc-10.
// The order is the Polish one for everybody, which agrees with the English one
// on English words. Keys are kept in name_sort columns; another version of the
// Unicode tables would make others, so compare only keys made by one program.
func SortKey(s string) []byte {
	c := collators.Get().(*collator)
	defer collators.Put(c)
	c.buffer.Reset()
	return append([]byte(nil), c.KeyFromString(&c.buffer, s)...)
}

type collator struct {
	*collate.Collator
	buffer collate.Buffer
}

// A Collator is not safe for concurrent use and dear to make.
var collators = sync.Pool{New: func() any {
	return &collator{Collator: collate.New(language.Polish, collate.Numeric)}
}}
