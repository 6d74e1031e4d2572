//go:build unix

package state

import "os"

// own makes the folder and lets nobody but its owner into it.
func own(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.Chmod(dir, 0o700)
}
