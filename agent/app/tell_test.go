//go:build unix

package app

import (
	"maps"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deskside/deskside/agent/state"
	"github.com/deskside/deskside/protocol"
	"github.com/deskside/deskside/protocol/catalogue"
	"github.com/deskside/deskside/protocol/expression"
	"github.com/deskside/deskside/protocol/history"
)

// TestPolicyNarrowed: what a machine told under a wide policy is neither told nor
// sent again under a narrow one, and with a broken one it tells vitals alone and
// the built-in checks judge.
func TestPolicyNarrowed(t *testing.T) {
	// The codec of the history is made once, and must not be made in the bubble.
	var b history.Builder
	b.Append(history.Moment{Wall: time.Now()}, []history.Sample{{Metric: history.CPUUtilization}})
	b.Row()
	all := expression.Sections()
	without := func(names ...string) []string {
		return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return slices.Contains(names, s) })
	}
	const head = "version: 1\nprofile: attended\n"
	for name, c := range map[string]struct {
		policy  string
		kept    []string // after the start, before a round
		told    []string // after a round
		builtin bool
	}{
		"as it was":    {head + "collect: {command_lines: on}\n", all, all, false},
		"no people":    {head + "collect: {people: off}\n", without("people", "processes"), without("people"), true},
		"no processes": {head + "collect: {processes: off}\n", without("processes"), without("processes"), false},
		"no commands":  {head, without("processes"), all, false},
		"broken":       {head + "nonsense: on\n", []string{"vitals"}, []string{"vitals"}, true},
	} {
		dir := t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			write := func(text string) {
				if err := os.WriteFile(dir+"/policy.yaml", []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			write(head + "collect: {command_lines: on}\n")
			narrow := false
			read := func() *expression.Machine {
				process := expression.Process{PID: 1, Name: "init", Owner: "ewa", CommandLine: "init --secret"}
				if narrow { // the probes hold it back
					process.Owner, process.CommandLine = "", ""
				}
				return &expression.Machine{ObservedAt: expression.TimeOf(time.Now()), OS: &expression.OS{Family: "linux", Hostname: "pc"},
					Hardware: &expression.Hardware{Vendor: "maker"}, Filesystems: []expression.Filesystem{{Mount: "/"}},
					Network: []expression.Interface{{Name: "eth0", MAC: "02:00:00:00:00:01"}}, People: []expression.Person{{Name: "ewa"}},
					Services: []expression.Service{{Name: "cups"}}, Processes: []expression.Process{process},
					Unreadable: []expression.Unreadable{{}}}
			}
			a := enrolled(t, dir, "attended", read)
			set, err := catalogue.Resolve(catalogue.Builtin())
			if err != nil {
				t.Fatal(err)
			}
			set.Checks[0].Value, set.Checks[0].Each, set.Checks[0].Details = "len(people)", "", nil
			set.Checks[0].When, set.Checks[0].Warning, set.Checks[0].Critical, set.Checks[0].Clear = "", ">= 9", "", ""
			a.rounds.serve(t.Context(), request{set: set.Encode()})
			a.rounds.round(t.Context())
			if err := a.state.Close(); err != nil {
				t.Fatal(err)
			}
			write(c.policy)
			narrow = true
			if a, err = Open(a.options); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { a.state.Close() })
			want := func(when string, want []string) {
				t.Helper()
				a.rounds.serve(t.Context(), request{wanted: all})
				var kept, waits []string
				err := a.state.View(func(tx *state.Tx) error {
					sections, err := tx.Sections()
					if err != nil {
						return err
					}
					kept = slices.Sorted(maps.Keys(sections))
					entries, err := tx.Pending(1<<30, nil, nil)
					for _, e := range entries {
						if e.Class == protocol.ClassFacts {
							waits = append(waits, e.Key)
						}
					}
					return err
				})
				if want = slices.Sorted(slices.Values(want)); err != nil || !slices.Equal(kept, want) || !slices.Equal(waits, want) {
					t.Errorf("%s, %s: keeps %v, sends %v, want %v, %v", name, when, kept, waits, want, err)
				}
			}
			want("at the start", c.kept)
			a.rounds.round(t.Context())
			want("after a round", c.told)
			if hash, _ := a.rounds.hashes(); slices.Equal(hash, hashOf(set)) == c.builtin {
				t.Errorf("%s: the built-in checks judge: %t", name, !c.builtin)
			}
		})
	}
}

func hashOf(set catalogue.Set) []byte {
	hash := set.Hash()
	return hash[:]
}
