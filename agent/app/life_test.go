package app

import (
	"os"
	"path/filepath"
	"testing"
)

// TestLeft: an agent tells which start of its system it lives in, and whether the
// one before it was ended or cut off.
func TestLeft(t *testing.T) {
	d := newDesk(t)
	dir := d.machine()
	var boot string
	life := func(what string, left bool) (stop func()) {
		t.Helper()
		stop = d.run(dir)
		proof := d.line().proof
		if proof.Left != left || proof.Boot == "" || (boot != "" && proof.Boot != boot) {
			t.Errorf("%s: left %t, boot %q after %q", what, proof.Left, proof.Boot, boot)
		}
		boot = proof.Boot
		return stop
	}
	life("the first", false)()
	stop := life("after one that was ended", true)
	file := filepath.Join(dir, "agent.db")
	cut, err := os.ReadFile(file) // as it is when the power goes
	if err != nil {
		t.Fatal(err)
	}
	stop()
	if err := os.WriteFile(file, cut, 0o600); err != nil {
		t.Fatal(err)
	}
	life("after one that was cut off", false)()
}

// TestSameBoot: a clock that is nudged is no other start.
func TestSameBoot(t *testing.T) {
	const other = "5f0f1b6a-8c3e-4b52-9b53-6f7f5a0f7c11"
	for _, c := range []struct{ before, now, want string }{
		{"", "1700000000", "1700000000"},
		{"1700000000", "1700000060", "1700000000"},
		{"1700000000", "1699999940", "1700000000"},
		{"1700000000", "1700000061", "1700000061"},
		{"1700000000", "1699999939", "1699999939"},
		{"1700000000", other, other},
		{other, "1700000000", "1700000000"},
		{"1700000000", "", ""},
	} {
		if got := sameBoot(c.before, c.now); got != c.want {
			t.Errorf("%q after %q is %q, want %q", c.now, c.before, got, c.want)
		}
	}
}
