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
	k := Keys{Identity: one, Stamp: two}
	for _, age := range []time.Duration{0, 89 * 24 * time.Hour, 400 * 24 * time.Hour} {
		now := time.Now().Add(age)
		cert, err := k.certify(now)
		if err == nil {
			err = cert.Verify(identity, now.Add(time.Minute))
		}
		if err != nil {
			t.Errorf("after %s: %v", age, err)
		}
	}
}
