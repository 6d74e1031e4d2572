package gate

import (
	"slices"
	"testing"

	"github.com/deskside/deskside/protocol/fuzztest"
)

// FuzzParsePolicy: a policy is refused with what is wrong, or every word of it is one
// of those that the gate knows, and the same text means the same again.
func FuzzParsePolicy(f *testing.F) {
	f.Add([]byte(written))
	f.Add([]byte("version: 1\nprofile: locked\nterminal: &a on\n"))
	f.Add([]byte("version: 1\nprofile: locked\nterminal: sometimes\n"))
	for _, profile := range Profiles() {
		f.Add([]byte("version: 1\nprofile: " + profile + "\n"))
	}
	f.Add([]byte("version: 1\nprofile: trial\nprotect: [backup]\nlimits: {sessions: 1, restart_every: 30m}\njournal: {days: 30, system_log: off}\nfresh: 7d\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var p Policy
		var err error
		fuzztest.Spends(t, 4096*len(raw), func() { p, err = ParsePolicy(raw) })
		if err != nil {
			if err.Error() == "" || p.Profile != "" || p.Terminal != "" {
				t.Errorf("refused, and yet %+v: %v", p, err)
			}
			return
		}
		for _, w := range []struct {
			word  string
			known []string
		}{
			{p.Profile, Profiles()}, {p.Proof, []string{"none", "touch", "seen"}}, {p.Terminal, []string{"off", "ask", "on"}},
			{p.TerminalAccount, []string{"person", "deskside", "root"}}, {p.NobodyThere, []string{"refuse", "allow"}},
			{p.Scripts, []string{"off", "on"}}, {p.ScriptsRisk, []string{"safe", "disruptive", "destructive"}},
			{p.Automatic, []string{"off", "safe", "approved"}}, {p.Questions, []string{"off", "plain", "personal"}},
			{p.Watch, []string{"off", "on"}}, {p.Collect.People, []string{"off", "name"}},
			{p.Collect.Processes, []string{"off", "names"}}, {p.Collect.CommandLines, []string{"off", "on"}},
		} {
			if !slices.Contains(w.known, w.word) {
				t.Errorf("the word %q is none of %v", w.word, w.known)
			}
		}
		l := p.Limits
		if min(l.SafePerHour, l.DisruptivePerDay, l.Sessions, l.AsksPerHour) < 0 || l.RestartEvery < 0 || p.JournalDays < 1 || p.Problem() != "" {
			t.Errorf("accepted: %+v", p)
		}
		if again, err := ParsePolicy(raw); err != nil || !same(p, again) || string(p.digest) != string(again.digest) {
			t.Errorf("the same text is another policy: %v, %+v", err, again)
		}
	})
}
