package trust

import (
	"strings"
	"testing"
)

// TestErrand: what a person carries to the desk is read again, also broken into lines;
// what was not copied whole, or names no console, is not.
func TestErrand(t *testing.T) {
	found := Errand{Organisation: organisation, Name: "Zakład", Back: "https://console.example:8443/trust", Person: idOf(ruth), PersonName: ruth, Consoles: [][]byte{sum("console")}}
	s := said(t, fileOne(), ruth, rafal)
	later := Errand{Organisation: organisation, Name: "Zakład", Back: found.Back, Payload: s.Payload()}
	for _, e := range []Errand{found, later} {
		text := e.String()
		got, err := ParseErrand("  " + text[:40] + "\r\n" + text[40:] + "\n")
		if err != nil || got.String() != text || got.Founds() != e.Founds() {
			t.Errorf("%+v, %v", got, err)
		}
		if !e.Founds() {
			if draft, err := Draft(got.Payload); err != nil || draft.Digest() != s.Digest() || len(draft.signatures) != 0 {
				t.Errorf("a draft: %v", err)
			}
		}
		for _, wrong := range []string{text[:len(text)-3], "x" + text, strings.Replace(text, "A", "B", 1), errandPrefix} {
			if _, err := ParseErrand(wrong); err == nil {
				t.Errorf("%.30q… was read", wrong)
			}
		}
	}
	for what, e := range map[string]Errand{
		"no organisation": {Name: "x", Back: found.Back, Person: found.Person, PersonName: ruth},
		"no page":         {Organisation: organisation, Name: "x", Person: found.Person, PersonName: ruth},
		"a page of files": {Organisation: organisation, Name: "x", Back: "file:///etc/passwd", Person: found.Person, PersonName: ruth},
		"nothing":         {Organisation: organisation, Name: "x", Back: found.Back},
		"both":            {Organisation: organisation, Name: "x", Back: found.Back, Person: found.Person, PersonName: ruth, Payload: later.Payload},
		"a hidden name":   {Organisation: organisation, Name: "x\u202e", Back: found.Back, Person: found.Person, PersonName: ruth},
	} {
		if _, err := ParseErrand(e.String()); err == nil {
			t.Errorf("%s: was read", what)
		}
	}
}
