package page

import (
	"strings"
	"testing"
)

// TestReplaced: only what stands between the marks changes.
func TestReplaced(t *testing.T) {
	const one, other, end = "<!-- one -->\n", "<!-- other -->\n", "<!-- end -->\n"
	const page = "before\n" + one + "old\n" + end + "\n" + other + end + "after\n"
	got, err := Replaced(page, one, end, "new\n")
	if want := strings.Replace(page, "old", "new", 1); got != want || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	for _, page := range []string{"", one, other + end, end + one} {
		if got, err := Replaced(page, one, end, "new"); err == nil {
			t.Errorf("%q becomes %q", page, got)
		}
	}
}

func TestNumbers(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 0.004: "0", -0.004: "0", 0.5: "0.5", 2.345: "2.35", 9.999: "10", 12.34: "12.3", 40: "40", 300: "300", 1234.5: "1234", -27.24: "-27.2"} {
		if got := Short(v); got != want {
			t.Errorf("%v is short %q, want %q", v, got, want)
		}
	}
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -999: "-999", -1000: "-1,000"} {
		if got := Thousands(n); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
}
