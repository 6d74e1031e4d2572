package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/windows"
)

// own makes the folder and lets nobody but SYSTEM and Administrators into it. The
// folder above, when it is made here, is theirs too: the policy lies in it, and
// where programs keep their data everybody may make files.
func own(dir string) error {
	above := filepath.Dir(dir)
	if _, err := os.Stat(above); errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(above, 0o700); err != nil {
			return err
		}
		if err := protect(above); err != nil {
			return fmt.Errorf("keep others out of %s: %w", above, err)
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := protect(dir); err != nil {
		return fmt.Errorf("keep others out of %s: %w", dir, err)
	}
	return nil
}

// protect lets nobody but SYSTEM and Administrators into the folder and what is
// in it, whatever the folder above allows.
func protect(dir string) error {
	descriptor, err := access(windows.GetCurrentProcessToken())
	if err != nil {
		return err
	}
	list, _, err := descriptor.DACL()
	if err != nil {
		return err
	}
	return windows.SetNamedSecurityInfo(dir, windows.SE_FILE_OBJECT,
		windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, list, nil)
}

// access is who may come in. An agent that somebody tries out without being an
// administrator lets its own account in as well; it could not go on otherwise.
func access(token windows.Token) (*windows.SECURITY_DESCRIPTOR, error) {
	rights := "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"
	if !token.IsElevated() {
		me, err := token.GetTokenUser()
		if err != nil {
			return nil, fmt.Errorf("ask who runs this: %w", err)
		}
		rights += fmt.Sprintf("(A;OICI;FA;;;%s)", me.User.Sid)
	}
	return windows.SecurityDescriptorFromString(rights)
}
