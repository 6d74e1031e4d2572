package model

import "testing"

func TestNeighbourhood(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "192.0.2.1:443": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "[::ffff:192.0.2.1]:443": "192.0.2.1",
		"2001:db8::1": "2001:db8::/64", "[2001:db8::ffff:1]:443": "2001:db8::/64", "2001:db8:0:1::1": "2001:db8:0:1::/64",
		"fe80::1%eth0": "fe80::/64", "": "", "pipe": "pipe",
	} {
		if got := Neighbourhood(address); got != want {
			t.Errorf("%s is of %s, want %s", address, got, want)
		}
	}
}
