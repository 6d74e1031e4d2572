package probe

import (
	"strings"
	"testing"
)

// TestServiceStart: the service manager says how each service is started, also
// to who asks for one alone, in whatever case.
func TestServiceStart(t *testing.T) {
	var m manager
	all, err := m.all(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	told := 0
	for _, s := range all {
		if s.Start != "" {
			told++
		}
	}
	if told == 0 {
		t.Fatalf("of %d services none says how it is started", len(all))
	}
	one, err := m.some(t.Context(), []string{strings.ToUpper(string(all[0].Name))})
	if err != nil || len(one) != 1 || one[0].Name != all[0].Name || one[0].Start != all[0].Start {
		t.Errorf("%+v, %v, want %+v", one, err, all[0])
	}
}
