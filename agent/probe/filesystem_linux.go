package probe

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/shirou/gopsutil/v3/disk"
)

// allPartitions asks for mounts without a block device, too: shares and tmpfs.
const allPartitions = true

// kind returns what a mount is, or "" for one that keeps nothing for anybody.
func (p *filesystems) kind(d disk.PartitionStat) string {
	t := d.Fstype
	switch {
	case d.Mountpoint == "/dev", d.Mountpoint == "/sys", strings.HasPrefix(d.Mountpoint, "/proc/"), strings.HasPrefix(d.Mountpoint, "/sys/"), strings.HasPrefix(d.Mountpoint, "/run/credentials/"):
		return ""
	case slices.Contains([]string{"nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "ceph", "glusterfs", "davfs", "fuse.sshfs", "fuse.rclone", "fuse.glusterfs", "fuse.davfs", "fuse.ceph", "fuse.s3fs"}, t):
		return "network"
	case t == "9p" && d.Mountpoint != "/":
		return "network"
	case t == "tmpfs":
		return "memory"
	case slices.Contains([]string{"squashfs", "iso9660", "udf", "erofs", "cramfs", "fuse.snapfuse", "fuse.squashfuse"}, t):
		return "image"
	case slices.Contains([]string{"ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "jfs", "reiserfs", "bcachefs", "nilfs2", "ntfs", "ntfs3", "fuseblk", "vfat", "exfat", "msdos", "hfs", "hfsplus", "apfs", "overlay", "9p", "virtiofs", "ubifs", "fuse.ntfs-3g", "ecryptfs"}, t):
		if isFile(d.Mountpoint) { // a single file bound into a container
			return ""
		}
		if p.removable(d.Device) {
			return "removable"
		}
		return "local"
	}
	return ""
}

func isFile(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && !info.IsDir()
}

// removable asks sysfs about the disk that a device is, or is a part of.
func (p *filesystems) removable(device string) bool {
	name, ok := strings.CutPrefix(device, "/dev/")
	if !ok || strings.Contains(name, "/") {
		return false
	}
	dir, err := filepath.EvalSymlinks(p.path("/sys/class/block/" + name))
	if err != nil {
		return false
	}
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if b, err := os.ReadFile(filepath.Join(d, "removable")); err == nil {
			return strings.TrimSpace(string(b)) == "1"
		}
	}
	return false
}
