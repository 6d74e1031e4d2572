package app

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"
	"testing"
)

// TestNoLocks: where a file system cannot lock it is said what to do; every other
// failure stays what it is.
func TestNoLocks(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.ENOLCK, syscall.EOPNOTSUPP, syscall.ENOTSUP, syscall.ENOSYS} {
		err := lockError("/srv/data", errno)
		if !errors.Is(err, ErrConfiguration) || exitCode(err) != exitConfig {
			t.Errorf("%d: %v", errno, err)
		}
		for _, says := range []string{"/srv/data", "cannot lock files", "local disk", "--database"} {
			if !strings.Contains(err.Error(), says) {
				t.Errorf("%d: %v, without %q", errno, err, says)
			}
		}
	}
	for _, other := range []error{&fs.PathError{Op: "open", Path: "/srv/data/console.lock", Err: syscall.EACCES}, syscall.ENOSPC, syscall.EIO} {
		if err := lockError("/srv/data", other); errors.Is(err, ErrConfiguration) || !errors.Is(err, other) {
			t.Errorf("%v: %v", other, err)
		}
	}
	if got := exitCode(lockError("/srv/data", syscall.ENOSPC)); got != exitTaken {
		t.Errorf("a full disk: %d", got)
	}
}
