package trust

import (
	"bytes"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
)

func sshSign(content []byte, signer ssh.Signer, namespace string) ([]byte, error) {
	x, err := sshsig.Sign(bytes.NewReader(content), signer, sshsig.HashSHA512, namespace)
	if err != nil {
		return nil, err
	}
	return x.Marshal(), nil
}

// What OpenSSH itself signs holds: whoever does not want our program to see their key uses
// ssh-keygen.
func TestKeygen(t *testing.T) {
	dir := t.TempDir()
	run := func(args ...string) {
		t.Helper()
		if out, err := exec.Command("ssh-keygen", args...).CombinedOutput(); err != nil {
			t.Fatalf("ssh-keygen %v: %v\n%s", args, err, out)
		}
	}
	for _, kind := range []string{"ed25519", "ecdsa"} {
		file := filepath.Join(dir, kind)
		run("-q", "-t", kind, "-N", "", "-f", file)
		key, err := KeyOfSSH(string(must(os.ReadFile(file + ".pub"))))
		if err != nil {
			t.Fatal(err)
		}
		s := said(t, approval(Safe, ada))
		if err := os.WriteFile(file+".content", must(s.Content(key)), 0o600); err != nil {
			t.Fatal(err)
		}
		run("-Y", "sign", "-q", "-n", s.Kind().Context(), "-f", file, file+".content")
		block, _ := pem.Decode(must(os.ReadFile(file + ".content.sig")))
		if block == nil {
			t.Fatal("no signature of ssh-keygen")
		}
		if err := s.Add(key, block.Bytes); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
}
