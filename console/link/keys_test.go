package link

import (
	"crypto/ed25519"
	"testing"
	"time"
)

// TestCertify: the stamp key is vouched for at any age of the console.
func TestCertify(t *testing.T) {
	identity, one, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	_, two, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := certificate{keys: Keys{Identity: one, Stamp: two}}
	start := time.Now()
	for _, age := range []time.Duration{0, 89 * 24 * time.Hour, 400 * 24 * time.Hour} {
		now := start.Add(age)
		cert, err := c.get(now)
		if err == nil {
			err = cert.Verify(identity)
		}
		if err != nil || cert.Ended(now.Add(time.Minute)) {
			t.Errorf("after %s: ended %t, %v", age, cert.Ended(now.Add(time.Minute)), err)
		}
		again, err := c.get(now.Add(renewStamp - time.Second))
		if err != nil || again.Expires != cert.Expires {
			t.Errorf("after %s another one within %s (%v)", age, renewStamp, err)
		}
		later, err := c.get(now.Add(renewStamp))
		if err != nil || later.Expires == cert.Expires {
			t.Errorf("after %s the same one for longer than %s (%v)", age, renewStamp, err)
		}
	}
	// By the time of day: one that was certified by a wrong clock is good for nobody when
	// that is right again, however little later it is.
	if wrong, err := c.get(start.Add(-365 * 24 * time.Hour)); err != nil || !wrong.Ended(start) {
		t.Errorf("a certificate of a clock that is a year behind is good (%v)", err)
	}
	if c.since != c.since.Round(0) {
		t.Error("how old it is is told by the monotonic clock")
	}
	if _, err := c.get(start.Add(-time.Hour)); err != nil || !c.since.Equal(start.Add(-time.Hour)) {
		t.Errorf("when the clock was set back it is still the one of later (%v)", err)
	}
}
