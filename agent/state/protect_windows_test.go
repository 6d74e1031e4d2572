package state

import (
	"strings"
	"testing"

	"golang.org/x/sys/windows"
)

// TestAccess: SYSTEM and Administrators come in, and who runs the agent without
// being one; nothing comes from the folder above; and a state opens with it.
func TestAccess(t *testing.T) {
	token := windows.GetCurrentProcessToken()
	got, err := access(token)
	if err != nil {
		t.Fatal(err)
	}
	want := 2
	if !token.IsElevated() {
		want = 3
	}
	text := got.String()
	if strings.Count(text, "(") != want || !strings.Contains(text, "(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)") {
		t.Errorf("let in are %s", text)
	}
	if control, _, err := got.Control(); err != nil || control&windows.SE_DACL_PROTECTED == 0 {
		t.Errorf("the rights of the folder above are let in: %s, %v", text, err)
	}
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
