package scripts

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/deskside/deskside/protocol/fuzztest"
)

// FuzzManifest: a manifest does not load, or its script can be run as it says: it
// knows its own files and takes its own defaults, and what it refuses it names.
func FuzzManifest(f *testing.F) {
	f.Add([]byte(manifest))
	all, err := fs.Glob(embedded, "*/manifest.yaml")
	if err != nil || len(all) == 0 {
		f.Fatal(all, err)
	}
	for _, path := range all {
		raw, err := fs.ReadFile(embedded, path)
		if err != nil {
			f.Fatal(err)
		}
		id, _, _ := strings.Cut(path, "/")
		f.Add([]byte(strings.Replace(string(raw), "id: "+id, "id: x", 1)))
	}
	for _, p := range []string{
		"{name: N, title: {en: a, pl: b}, type: integer, min: 1, max: 9, default: '3'}", "{name: B, title: {en: a, pl: b}, type: boolean, default: 'true'}",
		"{name: E, title: {en: a, pl: b}, type: string, enum: [one, two], default: one}", "{name: S, title: {en: a, pl: b}, type: string, pattern: '[a-z]+', max: 9}",
	} {
		f.Add([]byte(manifest + "parameters: [" + p + "]\n"))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		files := fstest.MapFS{"x/manifest.yaml": {Data: raw}, "x/run.sh": {Data: []byte("true\n")}, "x/run.ps1": {Data: []byte("exit 0\n")}}
		var s Script
		var err error
		fuzztest.Spends(t, 4096*len(raw), func() { s, err = loadOne(files, "x") })
		if err != nil {
			return
		}
		if s.ID != "x" || len(s.Hash()) != 32 || len(s.Families()) == 0 {
			t.Fatalf("loaded: %+v", s)
		}
		for _, family := range s.Families() {
			if name, body, ok := s.File(family); !ok || len(body) == 0 || strings.ContainsAny(name, "/\\") {
				t.Errorf("on %s it is the file %q of %d bytes", family, name, len(body))
			}
		}
		given := map[string]string{}
		for _, p := range s.Parameters {
			if p.Default == "" && p.Required {
				given[p.Name] = "true"
			}
		}
		values, err := s.Values(given, nil)
		var wrong *ValueError
		if err != nil && (!errors.As(err, &wrong) || wrong.Name == "" || wrong.Text == "" || given[wrong.Name] == "") {
			t.Errorf("its own defaults are refused: %v", err)
		}
		if err == nil && len(values) > len(s.Parameters) {
			t.Errorf("values %v", values)
		}
	})
}
