package expression

import (
	"cmp"
	"strings"
)

// CompareVersions compares two versions by their parts, numbers as numbers and
// words as words: 2.10 is above 2.9, 6.1.0-18 above 6.1.0-9, and 1.0 is above
// 1.0-rc1 and 1.0~beta. It returns -1, 0 or 1.
func CompareVersions(a, b string) int {
	for a != "" || b != "" {
		var x, y string
		x, a = versionPart(a)
		y, b = versionPart(b)
		xn, yn := digits(x), digits(y)
		switch {
		case xn && yn:
			x, y = strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
			if c := cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y)); c != 0 {
				return c
			}
		case x == "" && yn, x == "" && y == "":
			if c := strings.Trim(y, "0"); c != "" {
				return -1
			}
		case y == "" && xn:
			if c := strings.Trim(x, "0"); c != "" {
				return 1
			}
		case x == "": // 1.0 against 1.0-rc1
			return wordRank(y)
		case y == "":
			return -wordRank(x)
		case xn != yn: // a number is above a word
			if xn {
				return 1
			}
			return -1
		default:
			if c := cmp.Compare(strings.ToLower(x), strings.ToLower(y)); c != 0 {
				return c
			}
		}
	}
	return 0
}

// wordRank says how a version without a word stands to one with it: above a
// word that means "before", below any other.
func wordRank(word string) int {
	switch word = strings.ToLower(word); {
	case strings.HasPrefix(word, "alpha"), strings.HasPrefix(word, "beta"), strings.HasPrefix(word, "pre"),
		strings.HasPrefix(word, "rc"), strings.HasPrefix(word, "dev"), strings.HasPrefix(word, "snapshot"):
		return 1
	}
	return -1
}

// versionPart cuts the first run of digits or letters off s.
func versionPart(s string) (part, rest string) {
	letter := func(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= 0x80 }
	digit := func(c byte) bool { return c >= '0' && c <= '9' }
	i := 0
	for i < len(s) && !letter(s[i]) && !digit(s[i]) {
		i++
	}
	j := i
	for j < len(s) && (letter(s[j]) && letter(s[i]) || digit(s[j]) && digit(s[i])) {
		j++
	}
	return s[i:j], s[j:]
}

func digits(s string) bool { return s != "" && s[0] >= '0' && s[0] <= '9' }
