package state

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/deskside/deskside/protocol"
)

const writer = "writer-of-the-test"

// TestMain lets this program be a writer that is killed.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == writer {
		os.Exit(write(os.Args[2]))
	}
	goleak.VerifyTestMain(m)
}

// write appends until it is killed, and says what is durable.
func write(dir string) int {
	s, err := Open(dir)
	if err != nil {
		return 1
	}
	for i := 1; ; i++ {
		err := s.Update(func(tx *Tx) error {
			id := uuid.New()
			_, err := tx.Append(protocol.ClassTransition, fmt.Sprint(i))
			return errors.Join(err, tx.MarkSeen(id, time.Now()), tx.Journal(protocol.JournalEntry{Text: fmt.Sprint(i)}))
		})
		if err != nil {
			return 1
		}
		fmt.Println(i)
	}
}

// TestKilled: what Update returned for is there after kill -9, and what belongs
// together is there together.
func TestKilled(t *testing.T) {
	for round := range 5 {
		dir := t.TempDir()
		cmd := exec.Command(os.Args[0], writer, dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		told := 0
		for told < 20+30*round && lines.Scan() {
			told++
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() {
			told++
		}
		cmd.Wait()
		s := open(t, dir)
		n := map[protocol.Class]int{}
		for _, e := range pending(t, s) {
			n[e.Class]++
		}
		if n[protocol.ClassTransition] < told || n[protocol.ClassTransition] > told+1 || n[protocol.ClassJournal] != n[protocol.ClassTransition] {
			t.Errorf("%d were told, %v are there", told, n)
		}
		err = s.View(func(tx *Tx) error {
			if seen := tx.bucket(bucketSeen).Stats().KeyN; seen != n[protocol.ClassTransition] {
				t.Errorf("%d ids for %d entries", seen, n[protocol.ClassTransition])
			}
			return tx.Entries(func(protocol.JournalEntry) error { return nil })
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// TestDiskFull: a full disk is ErrNoSpace, changes nothing, and passes.
func TestDiskFull(t *testing.T) {
	if os.Geteuid() != 0 { // once more, as root of a user namespace
		again := exec.Command(os.Args[0], "-test.run=^TestDiskFull$")
		again.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
			UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}, GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}}
		if out, err := again.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	dir := t.TempDir()
	if err := unix.Mount("none", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Fatal(err)
	}
	defer unix.Unmount(dir, unix.MNT_DETACH)
	s := open(t, dir)
	var kept int
	var err error
	for ; err == nil && kept < 1000; kept++ {
		err = s.Update(func(tx *Tx) error {
			_, err := tx.Append(protocol.ClassResult, bytes.Repeat([]byte("x"), 20<<10))
			return errors.Join(err, tx.MarkSeen(uuid.New(), time.Now()))
		})
	}
	kept--
	if !errors.Is(err, ErrNoSpace) || kept < 3 {
		t.Fatalf("after %d: %v", kept, err)
	}
	if n := len(pending(t, s)); n != kept {
		t.Errorf("%d are there, %d were kept", n, kept)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir) // also after a restart on the full disk
	if n := len(pending(t, s)); n != kept {
		t.Errorf("after a restart %d are there, %d were kept", n, kept)
	}
	if err := unix.Mount("none", dir, "tmpfs", unix.MS_REMOUNT, "size=8m"); err != nil {
		t.Fatal(err)
	}
	update(t, s, func(tx *Tx) error { _, err := tx.Append(protocol.ClassResult, make([]byte, 20<<10)); return err })
	if n := len(pending(t, s)); n != kept+1 {
		t.Errorf("%d are there with space again, %d were kept", n, kept+1)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestOwnersOnly: nobody but its owner comes near the state.
func TestOwnersOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	open(t, dir)
	for path, want := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, file): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", path, info, err)
		}
	}
}
