package app

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
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

// A page of the file that was written to, as by a loader or a debugger, is not lost.
func TestGiveBackKeepsWhatWasWritten(t *testing.T) {
	self, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer self.Close()
	page, err := unix.Mmap(int(self.Fd()), 0, os.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(page)
	page[0] = 'x'
	if err := unix.Mprotect(page, unix.PROT_READ); err != nil {
		t.Fatal(err)
	}
	if err := giveBackProgram(); err != nil {
		t.Fatal(err)
	}
	if page[0] != 'x' {
		t.Error("what was written is gone")
	}
}
