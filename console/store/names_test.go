package store_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/deskside/deskside/console/store"
)

func TestFold(t *testing.T) {
	for in, want := range map[string]string{
		"Żółć":              "zolc",
		"  Anna \t\n Lis  ": "anna lis",
		"ŁÓDŹ":              "lodz",
		"Straße":            "strasse",
		"ﬁ":                 "fi",
		"Z\u0301":           "z",
		"PC\u200b-1":        "pc-1",
		"bad \xff utf8":     "bad utf8",
		"":                  "",
		"a\x00b":            "a b",
		"Ærø ıI İ":          "aero ii i",
		"ſ":                 "s",
	} {
		if got := store.Fold(in); got != want {
			t.Errorf("Fold(%q) is %q, want %q", in, got, want)
		}
		if once := store.Fold(in); store.Fold(once) != once {
			t.Errorf("Fold(%q) is folded again", in)
		}
	}
}

func TestSortKey(t *testing.T) {
	want := []string{"", "adam", "Adam", "ądam", "lis", "Łukasz", "marek", "pc-9", "pc-10", "pc-100", "zebra", "źrebak", "żaba"}
	got := slices.Clone(want)
	slices.SortFunc(got, func(a, b string) int { return -strings.Compare(a, b) })
	slices.SortFunc(got, func(a, b string) int { return bytes.Compare(store.SortKey(a), store.SortKey(b)) })
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
