package catalogue

import (
	"math"
	"strconv"
	"strings"
	"time"
)

const nbsp = "\u00a0"

// unknownWord is what stands for a value that is not known.
func unknownWord(lang string) string {
	if lang == "pl" {
		return "brak danych"
	}
	return "unknown"
}

// Formats returns the names of the formats of a Detail. "" is a plain number
// with at most two decimals, or a text as it is.
func Formats() []string {
	return []string{"", "bytes", "percent", "count", "cores", "seconds", "id", "drive"}
}

// FormatNumber writes v in a format and a language.
func FormatNumber(lang, format string, v float64) string {
	switch format {
	case "bytes":
		return Bytes(lang, v)
	case "percent":
		return decimal(lang, v*100, 1) + "%"
	case "count":
		return decimal(lang, v, 0)
	case "id":
		return strconv.FormatFloat(v, 'f', 0, 64)
	case "cores":
		return decimal(lang, v, 1)
	case "seconds":
		return Span(lang, time.Duration(v*float64(time.Second)))
	}
	return decimal(lang, v, 2)
}

// Bytes writes a number of bytes in decimal units: 5.2 GB, in Polish 5,2 GB.
func Bytes(lang string, v float64) string {
	units := []string{"B", "kB", "MB", "GB", "TB", "PB"}
	i := 0
	for math.Abs(v) >= 999.95 && i < len(units)-1 {
		v /= 1000
		i++
	}
	places := 1
	if i <= 1 {
		places = 0
	}
	return decimal(lang, v, places) + nbsp + units[i]
}

// Span writes a length of time by its two largest units: 1 h 20 min, in Polish
// 1 godz. 20 min.
func Span(lang string, d time.Duration) string {
	d = d.Round(time.Second)
	hour, day := "h", "d"
	if lang == "pl" {
		hour, day = "godz.", "d"
	}
	part := func(n int64, unit string) string { return decimal(lang, float64(n), 0) + nbsp + unit }
	join := func(a string, n int64, unit string) string {
		if n == 0 {
			return a
		}
		return a + nbsp + part(n, unit)
	}
	s, m, h := int64(d/time.Second), int64(d/time.Minute), int64(d/time.Hour)
	switch {
	case d < time.Minute:
		return part(s, "s")
	case d < 10*time.Minute:
		return join(part(m, "min"), s%60, "s")
	case d < time.Hour:
		return part(m, "min")
	case d < 24*time.Hour:
		return join(part(h, hour), m%60, "min")
	}
	return join(part(h/24, day), h%24, hour)
}

// Clock writes a moment as somebody in that place would say it at now: 09:14
// today, Thu 19 Nov 09:14 on another day; in Polish 9:14 and czw. 19 lis. 9:14.
func Clock(lang string, at, now time.Time) string {
	now = now.In(at.Location())
	clock := at.Format("15:04")
	if lang == "pl" {
		clock = strings.TrimPrefix(clock, "0")
	}
	y, m, d := at.Date()
	if ny, nm, nd := now.Date(); y == ny && m == nm && d == nd {
		return clock
	}
	if lang != "pl" {
		return at.Format("Mon 2 Jan ") + clock
	}
	days := [...]string{"niedz.", "pon.", "wt.", "śr.", "czw.", "pt.", "sob."}
	months := [...]string{"sty.", "lut.", "mar.", "kwi.", "maja", "cze.", "lip.", "sie.", "wrz.", "paź.", "lis.", "gru."}
	return days[at.Weekday()] + " " + strconv.Itoa(d) + nbsp + months[m-1] + " " + clock
}

// decimal writes v with at most that many decimals: 31,402.5 in English,
// 31 402,5 in Polish, which groups thousands from 10 000 on only.
func decimal(lang string, v float64, places int) string {
	s := strconv.FormatFloat(v, 'f', places, 64)
	whole, frac, _ := strings.Cut(s, ".")
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "−", whole[1:]
	}
	frac = strings.TrimRight(frac, "0")
	if frac == "" && whole == "0" {
		sign = ""
	}
	mark, separator, from := ".", ",", 4
	if lang == "pl" {
		mark, separator, from = ",", nbsp, 5
	}
	if len(whole) >= from {
		var b strings.Builder
		for i, r := range whole {
			if i > 0 && (len(whole)-i)%3 == 0 {
				b.WriteString(separator)
			}
			b.WriteRune(r)
		}
		whole = b.String()
	}
	if frac != "" {
		return sign + whole + mark + frac
	}
	return sign + whole
}
