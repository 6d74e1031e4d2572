package app_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/deskside/deskside/protocol"
)

// TestGuestsOfAMachine: of two people at a machine who go by one name neither sees
// what the other asked; who goes by another name now sees theirs.
func TestGuestsOfAMachine(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		n := w.start("")
		x := n.line(t, n.enrolled("pc"), uuid.New())
		guest := func(account, name string) *http.Client {
			t.Helper()
			x.say(protocol.KindHelp, protocol.Help{Request: uuid.New(), Person: name, Account: account})
			var got protocol.HelpLink
			x.until(protocol.KindHelpLink, &got)
			_, link, ok := strings.Cut(got.URL, "/help?link=")
			if !ok {
				t.Fatalf("the link: %+v", got)
			}
			client := &http.Client{Jar: jar()}
			browser(t, client, n.ready.HTTP, http.MethodPost, "/help/sign-in", map[string]any{"link": link, "language": "pl"}, http.StatusOK)
			return client
		}
		ticket := browser(t, guest("1000", "Ewa Nowak"), n.ready.HTTP, http.MethodPost, "/help/tickets",
			map[string]any{"says": "nie drukuje", "can_work": "yes"}, http.StatusOK)
		path := "/help/tickets/" + text(ticket["id"])
		browser(t, guest("1000", "Ewa Kowalska"), n.ready.HTTP, http.MethodGet, path, nil, http.StatusOK)
		browser(t, guest("1001", "Ewa Nowak"), n.ready.HTTP, http.MethodGet, path, nil, http.StatusNotFound)
		browser(t, guest("", "Ewa Nowak"), n.ready.HTTP, http.MethodGet, path, nil, http.StatusNotFound)
	})
}

// TestHelpTooOften: a machine that asks for help without end is told in words that
// it has to wait.
func TestHelpTooOften(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		n := w.start("")
		x := n.line(t, n.enrolled("pc"), uuid.New())
		for i := range 31 {
			x.say(protocol.KindHelp, protocol.Help{Request: uuid.New(), Person: "ewa", Account: "1000"})
			var got protocol.HelpLink
			x.until(protocol.KindHelpLink, &got)
			if often := strings.Contains(got.Refusal, "too often"); often != (i == 30) || often == (got.URL != "") {
				t.Fatalf("link %d: %+v", i+1, got)
			}
		}
	})
}

// TestHelpLinkLeadsBack: the link leads to the plain address only at this very
// computer; elsewhere to the console as the machine dialled it.
func TestHelpLinkLeadsBack(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		n := w.start("")
		id := n.enrolled("pc")
		for host, want := range map[string]string{"": n.ready.HTTP, "console.example:8443": "https://console.example:8443"} {
			x := n.welcomed(t, n.dialAs(t, host), id, uuid.New())
			x.say(protocol.KindHelp, protocol.Help{Request: uuid.New(), Person: "ewa", Account: "1000"})
			var got protocol.HelpLink
			if x.until(protocol.KindHelpLink, &got); !strings.HasPrefix(got.URL, want+"/help?link=") {
				t.Errorf("to a machine that dialled %q: %s", host, got.URL)
			}
		}
	})
}
