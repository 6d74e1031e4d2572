package app

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/deskside/deskside/console/model"
)

func listening(t *testing.T, address string) (l net.Listener, port string) {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	_, port, err = net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return l, port
}

// TestPublic: what machines are told leads to this host, also from elsewhere.
func TestPublic(t *testing.T) {
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for listen, host := range map[string]string{"127.0.0.1:0": "localhost", "0.0.0.0:0": name, "127.0.0.2:0": "localhost"} {
		l, port := listening(t, listen)
		c := &Console{secure: l}
		if want := "https://" + host + ":" + port; c.public() != want || !strings.Contains(c.command("TOKEN"), " --console "+want+" ") {
			t.Errorf("on %s: %s, want %s: %s", listen, c.public(), want, c.command("TOKEN"))
		}
		c.options.Public = "https://help.example"
		if got := c.public(); got != "https://help.example" {
			t.Errorf("on %s, set: %s", listen, got)
		}
	}
}

// TestHelpURL: the plain address, and with it a secret, is told to nobody but who is
// at this computer.
func TestHelpURL(t *testing.T) {
	secure, port := listening(t, "0.0.0.0:0")
	plain, plainPort := listening(t, "127.0.0.1:0")
	here := "http://localhost:" + plainPort
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		what, address, host, public, want string
		plain                             bool
	}{
		{"at this computer", "127.0.0.1:5000", "localhost:8443", "", here, true},
		{"at this computer, over IPv6", "[::1]:5000", "[::1]:8443", "https://help.example", here, true},
		{"at this computer, without a port", "127.0.0.1:5000", "localhost", "", here, true},
		{"at this computer, without a plain listener", "127.0.0.1:5000", "localhost:8443", "https://help.example", "https://help.example", false},
		{"elsewhere", "192.0.2.7:5000", "console.lan:8443", "", "https://console.lan:8443", true},
		{"elsewhere, with a public address", "192.0.2.7:5000", "console.lan:8443", "https://help.example", "https://help.example", true},
		{"elsewhere, who says localhost", "192.0.2.7:5000", "localhost:8443", "", "https://localhost:8443", true},
		{"through a relay here", "127.0.0.1:5000", "console.lan", "", "https://console.lan", true},
		{"through a relay here, with a public address", "127.0.0.1:5000", "console.lan", "https://help.example", "https://help.example", true},
		{"who says nothing", "192.0.2.7:5000", "", "", "https://" + name + ":" + port, true},
	} {
		c := &Console{secure: secure, options: Options{Public: tc.public}}
		if tc.plain {
			c.plain = plain
		}
		if got := c.helpURL(model.Asker{Address: tc.address, Host: tc.host}); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.what, got, tc.want)
		}
	}
}

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

// TestNodeAddress: an address by which no other node would come here is refused, with
// what is wrong about it, and so is one that nobody would be told.
func TestNodeAddress(t *testing.T) {
	const nats = "nats://nats.example:4222"
	for _, tc := range []struct{ node, nats, says string }{
		{"", "", ""},
		{"", nats, ""},
		{"https://10.0.0.2:8443", nats, ""},
		{"https://node.example:8443", nats, ""},
		{"https://[2001:db8::2]:8443", nats, ""},
		{"https://10.0.0.2:8443", "", "--nats"},
		{"10.0.0.2:8443", nats, "https://"},
		{"http://10.0.0.2:8443", nats, "https://"},
		{"nonsense", nats, "https://"},
		{"https://:8443", nats, "host"},
		{"https:10.0.0.2:8443", nats, "host"},
		{"https://0.0.0.0:8443", nats, "every address"},
		{"https://[::]:8443", nats, "every address"},
		{"https://node.example", nats, "port"},
		{"https://node.example:", nats, "port"},
		{"https://node.example:0", nats, "port"},
		{"https://node.example:70000", nats, "port"},
		{"https://node.example:x", nats, "not an address"},
		{"https://ann:secret@node.example:8443", nats, "user"},
		{"https://node.example:8443/", nats, "behind the port"},
		{"https://node.example:8443/console", nats, "behind the port"},
		{"https://node.example:8443?", nats, "behind the port"},
		{"https://node.example:8443?a=b", nats, "behind the port"},
		{"https://node.example:8443#", nats, "behind the port"},
	} {
		err := checkNode(tc.node, tc.nats)
		switch {
		case tc.says == "" && err != nil:
			t.Errorf("%q: %v", tc.node, err)
		case tc.says == "":
		case !errors.Is(err, ErrConfiguration) || !strings.Contains(err.Error(), tc.says) || !strings.Contains(err.Error(), "--node"):
			t.Errorf("%q with %q: %v, want %q", tc.node, tc.nats, err, tc.says)
		case strings.Contains(err.Error(), "secret"):
			t.Errorf("a password is said aloud: %v", err)
		}
	}
}
