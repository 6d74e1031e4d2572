package app

import (
	"bufio"
	"bytes"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// giveBackProgram lets go of the pages of the program's own file. The kernel maps a
// page with its neighbours, so starting maps nearly all of the file, of which the
// rounds use two thirds. What is needed comes back by itself, out of the system's
// cache of files; the rest is the first that the system may use for something else.
func giveBackProgram() error {
	areas, err := programAreas()
	if err != nil {
		return err
	}
	for _, a := range areas {
		if !a.asFile {
			continue // a page that was written to would be lost
		}
		if _, _, no := unix.Syscall(unix.SYS_MADVISE, a.from, a.to-a.from, unix.MADV_DONTNEED); no != 0 {
			return fmt.Errorf("give back pages of the program: %w", no)
		}
	}
	return nil
}

// area is a part of the program's file as it lies in memory.
type area struct {
	from, to uintptr
	resident int  // kB
	asFile   bool // it cannot be written, and no page of it differs from the file
}

func programAreas() ([]area, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the program's file: %w", err)
	}
	raw, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		return nil, fmt.Errorf("read what lies where in memory: %w", err)
	}
	var list []area
	ours := false
	for s := bufio.NewScanner(bytes.NewReader(raw)); s.Scan(); {
		line := s.Bytes()
		var a area
		var mode string
		if n, _ := fmt.Sscanf(s.Text(), "%x-%x %s", &a.from, &a.to, &mode); n == 3 {
			line = bytes.TrimSuffix(line, []byte(" (deleted)")) // after an update
			if ours = bytes.HasSuffix(line, []byte(" "+self)); ours {
				a.asFile = len(mode) == 4 && mode[1] == '-'
				list = append(list, a)
			}
			continue
		}
		var kb int
		if !ours {
			continue
		}
		last := &list[len(list)-1]
		if n, _ := fmt.Sscanf(s.Text(), "Rss: %d kB", &kb); n == 1 {
			last.resident = kb
		}
		if n, _ := fmt.Sscanf(s.Text(), "Anonymous: %d kB", &kb); n == 1 && kb > 0 {
			last.asFile = false
		}
	}
	return list, nil
}
