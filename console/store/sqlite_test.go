package store

import (
	"slices"
	"testing"
)

// TestNameless: parameters lose their names and keep their arguments, in whatever
// order and however often they stand; what is quoted stays as it is.
func TestNameless(t *testing.T) {
	text, order := nameless("SELECT '$1 it''s $2', $2, $1 WHERE a = $2 AND b = $12")
	if want := "SELECT '$1 it''s $2', ?, ? WHERE a = ? AND b = ?"; text != want {
		t.Errorf("%s, want %s", text, want)
	}
	if want := []int{1, 0, 1, 11}; !slices.Equal(order, want) {
		t.Errorf("%v, want %v", order, want)
	}
	if _, err := (sqliteStmt{order: order}).arguments([]any{1, 2}); err == nil {
		t.Error("an argument that is not there is taken for one")
	}
}
