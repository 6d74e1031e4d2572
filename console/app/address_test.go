package app

import (
	"path/filepath"
	"testing"
)

// TestAddress: a link leads to the console that runs on the same data.
func TestAddress(t *testing.T) {
	data := filepath.Join(t.TempDir(), "not", "there yet")
	if got := addressOf("", data); got != "http://localhost:8080" {
		t.Errorf("before a console ran: %s", got)
	}
	if err := keepAddress(data, "http://localhost:40127"); err != nil {
		t.Fatal(err)
	}
	for given, want := range map[string]string{"": "http://localhost:40127", "https://help.example/": "https://help.example"} {
		if got := addressOf(given, data); got != want {
			t.Errorf("with %q: %s, want %s", given, got, want)
		}
	}
	if err := keepAddress("", "http://localhost:1"); err != nil {
		t.Error(err)
	}
}
