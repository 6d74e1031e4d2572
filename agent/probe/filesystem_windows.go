package probe

import (
	"github.com/shirou/gopsutil/v3/disk"
	"golang.org/x/sys/windows"
)

const allPartitions = true

// kind returns what a drive letter is.
func (p *filesystems) kind(d disk.PartitionStat) string {
	root, err := windows.UTF16PtrFromString(d.Mountpoint + `\`)
	if err != nil {
		return ""
	}
	switch windows.GetDriveType(root) {
	case windows.DRIVE_FIXED:
		return "local"
	case windows.DRIVE_REMOVABLE:
		return "removable"
	case windows.DRIVE_REMOTE:
		return "network"
	case windows.DRIVE_CDROM:
		return "image"
	case windows.DRIVE_RAMDISK:
		return "memory"
	}
	return ""
}
