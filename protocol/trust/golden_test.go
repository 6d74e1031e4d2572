package trust

import (
	"bytes"
	"encoding/hex"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGolden: what was signed once is read for as long as it holds, so its bytes stay.
func TestGolden(t *testing.T) {
	for _, body := range bodies() {
		by := map[Kind][]string{KindTrust: {ruth, rafal}, KindOrder: {tess}, KindGrant: {tess}, KindRelease: {ada, aron}}[body.Kind()]
		if by == nil {
			by = []string{aron}
		}
		data := must(said(t, body, by...).Encode())
		file := filepath.Join("testdata", string(body.Kind())+".hex")
		if *update {
			if err := os.WriteFile(file, []byte(lines(hex.EncodeToString(data))), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want := must(hex.DecodeString(strings.Join(strings.Fields(string(must(os.ReadFile(file)))), "")))
		if !bytes.Equal(data, want) {
			t.Errorf("%s: %x, want %x", body.Kind(), data, want)
		}
		if _, err := Open(want); err != nil {
			t.Errorf("%s: %v", body.Kind(), err)
		}
	}
}

func lines(s string) string {
	var b strings.Builder
	for len(s) > 100 {
		b.WriteString(s[:100] + "\n")
		s = s[100:]
	}
	b.WriteString(s + "\n")
	return b.String()
}

func FuzzOpen(f *testing.F) {
	for _, body := range bodies() {
		f.Add(must(said(f, body, tess).Encode()))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Open(data)
		if err != nil {
			return
		}
		again, err := s.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Open(again); err != nil {
			t.Fatalf("what was read is not read again: %v", err)
		}
		trust := trusting(t, fileOne())
		if _, err := trust.Heard(s, nil, now); err == nil && s.Digest() == [32]byte{} {
			t.Fatal("heard")
		}
	})
}
