//go:build !windows

package gate

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// owned tells whether only an administrator, or the account the agent runs as,
// can have written the file. In a folder with the sticky bit others cannot take
// away what is not theirs, so it may be written by all.
func owned(_ string, info fs.FileInfo) error {
	sticky := info.IsDir() && info.Mode()&fs.ModeSticky != 0
	if info.Mode().Perm()&0o022 != 0 && !sticky {
		return fmt.Errorf("others may write it (mode %04o); only its owner may", info.Mode().Perm())
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Errorf("its owner cannot be read")
	}
	if st.Uid != 0 && int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("it belongs to user %d, not to the administrator", st.Uid)
	}
	return nil
}
