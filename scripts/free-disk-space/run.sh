#!/bin/sh
# Removes what nobody misses from one filesystem: temporary files that have not
# been read, written or put there for a day (in /var/tmp, which outlives a restart,
# for 30 days), packages that the system can fetch again, and rotated logs older
# than 30 days. Never documents, downloads or the bin; never the audit,
# authentication or journal logs.
#
# find stays on the filesystem (-xdev), follows no link (-P), and takes plain
# files with one name only (-links 1), so that nothing planted in a folder that
# everybody may write leads it elsewhere.
set -eu

mount=${DESKSIDE_P_MOUNT:?}
dry=${DESKSIDE_DRY_RUN:-}
root=${mount%/}

free() { df -kP "$mount" | awk 'NR == 2 {printf "%.0f", $4 * 1024}'; }
readable() { awk -v b="$1" 'BEGIN {split("B kB MB GB TB", u, " "); i = 1; while (b >= 1000 && i < 5) {b /= 1000; i++}; printf(i == 1 ? "%d %s" : "%.1f %s", b, u[i])}'; }

total=0
# clean NAME FOLDER FIND-TEST...
clean() {
	name=$1 folder=$2
	shift 2
	[ -d "$folder" ] && [ ! -L "$folder" ] || return 0
	size=$(find -P "$folder" -xdev -type f -links 1 "$@" -printf '%b\n' 2>/dev/null | awk '{n++; s += $1 * 512} END {printf "%d %.0f", n, s}')
	count=${size% *} bytes=${size#* }
	[ "$count" -gt 0 ] || return 0
	if [ -n "$dry" ]; then
		echo "would remove $count files, $(readable "$bytes"): $name in $folder"
	else
		echo "removing $count files, $(readable "$bytes"): $name in $folder"
		find -P "$folder" -xdev -type f -links 1 "$@" -delete 2>/dev/null || echo "some of them could not be removed"
	fi
	total=$((total + bytes))
}

[ -n "$dry" ] || before=$(free)
echo "step 1 of 3: temporary files"
# What was unpacked a minute ago has an old date of its own, but not that of its
# inode (-ctime).
clean "temporary files" "$root/tmp" -mtime +0 -ctime +0 -atime +0
clean "temporary files" "$root/var/tmp" -mtime +29 -ctime +29 -atime +29
case $root in
*/var/tmp) clean "temporary files" "$root" -mtime +29 -ctime +29 -atime +29 ;;
*/tmp) clean "temporary files" "$root" -mtime +0 -ctime +0 -atime +0 ;;
esac

echo "step 2 of 3: packages that can be fetched again"
clean "package archives" "$root/var/cache/apt/archives" -name '*.deb'
clean "package archives" "$root/var/cache/dnf" -name '*.rpm'
clean "package archives" "$root/var/cache/zypp/packages" -name '*.rpm'

echo "step 3 of 3: rotated logs older than 30 days"
clean "rotated logs" "$root/var/log" -mtime +30 \( -name '*.gz' -o -name '*.xz' -o -name '*.[0-9]' \) \
	! -path '*/audit/*' ! -path '*/journal/*' ! -name 'auth.log*' ! -name 'secure*' ! -name 'wtmp*' ! -name 'btmp*'

if [ -n "$dry" ]; then
	echo "This was a trial: nothing was removed. About $(readable "$total") would be freed on $mount."
	echo "deskside: would_free_bytes=$total"
	exit 0
fi
after=$(free)
freed=$((after - before))
[ "$freed" -ge 0 ] || freed=0
echo "Freed $(readable "$freed") on $mount; $(readable "$after") are free now."
echo "deskside: freed_bytes=$freed"
echo "deskside: free_bytes=$after"
