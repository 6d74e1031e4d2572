package probe

import (
	"slices"
	"strings"

	"github.com/shirou/gopsutil/v3/disk"
)

const allPartitions = true

// kind returns what a mount is. The volumes that APFS keeps for the system
// beside the one of the people share its space and are left out.
func (p *filesystems) kind(d disk.PartitionStat) string {
	switch {
	case slices.Contains([]string{"smbfs", "afpfs", "nfs", "webdav"}, d.Fstype):
		return "network"
	case d.Mountpoint != "/" && strings.HasPrefix(d.Mountpoint, "/System/Volumes/") && d.Mountpoint != "/System/Volumes/Data":
		return ""
	case slices.Contains([]string{"cd9660", "udf"}, d.Fstype):
		return "image"
	case slices.Contains([]string{"apfs", "hfs"}, d.Fstype):
		return "local"
	case slices.Contains([]string{"exfat", "msdos", "ntfs"}, d.Fstype):
		return "removable"
	}
	return ""
}
