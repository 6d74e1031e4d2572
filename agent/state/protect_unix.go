//go:build unix

package state

import "os"

// protect lets nobody but its owner into the folder.
func protect(dir string) error { return os.Chmod(dir, 0o700) }
