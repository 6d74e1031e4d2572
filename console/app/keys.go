package app

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/deskside/deskside/console/link"
	"github.com/deskside/deskside/protocol"
)

// keys are what a console proves itself with. Each does one thing: identity
// (who this console is), stamp (what it carries), tls (the line), audit (the
// heads of the chain), rest (what is kept or handed between nodes).
type keys struct {
	identity ed25519.PrivateKey
	stamp    ed25519.PrivateKey
	audit    ed25519.PrivateKey
	rest     []byte
	tls      tls.Certificate
}

// loadKeys reads the keys in dir and makes those that are missing. Nodes of one
// console are given the same folder.
func loadKeys(dir string) (keys, error) {
	var k keys
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return k, fmt.Errorf("keys: %w", err)
	}
	for _, one := range []struct {
		name string
		into *ed25519.PrivateKey
	}{{"identity", &k.identity}, {"stamp", &k.stamp}, {"audit", &k.audit}} {
		seed, err := secretFile(filepath.Join(dir, one.name+".key"), ed25519.SeedSize)
		if err != nil {
			return k, err
		}
		*one.into = ed25519.NewKeyFromSeed(seed)
	}
	var err error
	if k.rest, err = secretFile(filepath.Join(dir, "rest.key"), 32); err != nil {
		return k, err
	}
	k.tls, err = certificate(filepath.Join(dir, "tls.pem"))
	return k, err
}

// secretFile reads a file of n random bytes, in PEM, or makes it.
func secretFile(path string, n int) ([]byte, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		secret := make([]byte, n)
		rand.Read(secret)
		block := pem.EncodeToMemory(&pem.Block{Type: "DESKSIDE SECRET", Bytes: secret})
		if err := os.WriteFile(path, block, 0o600); err != nil {
			return nil, fmt.Errorf("make a key: %w", err)
		}
		return secret, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read a key: %w", err)
	}
	block, _ := pem.Decode(raw)
	if block == nil || len(block.Bytes) != n {
		return nil, fmt.Errorf("read a key: %s is not a key of this console", path)
	}
	return block.Bytes, nil
}

const certificateLife = 10 * 365 * 24 * time.Hour

// certificate is the certificate of the TLS line. Machines do not look at it;
// browsers do, and may be given a better one in its place.
func certificate(path string) (tls.Certificate, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if raw, err = makeCertificate(); err == nil {
			err = os.WriteFile(path, raw, 0o600)
		}
	}
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("TLS certificate: %w", err)
	}
	cert, err := tls.X509KeyPair(raw, raw)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("TLS certificate %s: %w", path, err)
	}
	return cert, nil
}

func makeCertificate() ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	names := []string{"localhost"}
	if host, err := os.Hostname(); err == nil {
		names = append(names, host)
	}
	now := time.Now()
	template := x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: "Deskside console"}, DNSNames: names,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(certificateLife),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	out := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return append(out, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...), nil
}

// peers is how a node speaks TLS with another: it must show the certificate that
// all nodes share. What is forwarded carries people's cookies.
func (k keys) peers() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS13, InsecureSkipVerify: true, VerifyConnection: func(s tls.ConnectionState) error {
		if len(s.PeerCertificates) == 0 || !bytes.Equal(s.PeerCertificates[0].Raw, k.tls.Certificate[0]) {
			return errors.New("the other node does not have the certificate of this console")
		}
		return nil
	}}
}

func (k keys) forLink() link.Keys { return link.Keys{Identity: k.identity, Stamp: k.stamp} }

func (k keys) fingerprint() []byte {
	return protocol.Fingerprint(k.identity.Public().(ed25519.PublicKey))
}
