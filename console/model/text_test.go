package model

import "testing"

func TestCut(t *testing.T) {
	for _, c := range []struct {
		text string
		most int
		want string
	}{{"abc", 3, "abc"}, {"abc", 2, "ab"}, {"aż", 2, "a"}, {"ż", 1, ""}, {"ż", 0, ""}, {"", 0, ""}} {
		if got := Cut(c.text, c.most); got != c.want {
			t.Errorf("%d bytes of %q are %q", c.most, c.text, got)
		}
	}
}
