package app

import (
	"testing"
)

// What is given back is of the program's file, is given back, and comes back: what
// runs after it runs as before.
func TestGiveBackProgram(t *testing.T) {
	resident := func() (kb int) {
		areas, err := programAreas()
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range areas {
			if a.asFile {
				kb += a.resident
			}
		}
		return kb
	}
	before := resident()
	if before < 1000 {
		t.Fatalf("%d kB of the program are in memory", before)
	}
	if err := giveBackProgram(); err != nil {
		t.Fatal(err)
	}
	if after := resident(); after > before*9/10 {
		t.Errorf("of %d kB %d are left", before, after)
	}
}
