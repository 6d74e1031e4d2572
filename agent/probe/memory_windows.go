package probe

import (
	"context"
	"fmt"
	"os"
	"unsafe"

	"github.com/shirou/gopsutil/v3/mem"
	"golang.org/x/sys/windows"
)

// pageFile is SYSTEM_PAGEFILE_INFORMATION; sizes are pages.
type pageFile struct {
	next, total, used, peak uint32
	name                    windows.NTUnicodeString
}

// swapOf sums up the page files. What gopsutil calls swap here is the commit
// charge, main memory included.
func swapOf(context.Context, *mem.VirtualMemoryStat) (total, free uint64, err error) {
	buf := make([]byte, 8<<10)
	var size uint32
	err = windows.NtQuerySystemInformation(windows.SystemPageFileInformation, unsafe.Pointer(&buf[0]), uint32(len(buf)), &size)
	if err != nil {
		return 0, 0, fmt.Errorf("the page files cannot be asked for: %w", err)
	}
	total, free = pageFiles(buf[:min(int(size), len(buf))])
	return total, free, nil
}

// pageFiles adds up the entries of a list of page files, in bytes.
func pageFiles(list []byte) (total, free uint64) {
	for len(list) >= int(unsafe.Sizeof(pageFile{})) {
		f := (*pageFile)(unsafe.Pointer(&list[0]))
		page := uint64(os.Getpagesize())
		total += uint64(f.total) * page
		free += uint64(f.total-min(f.used, f.total)) * page
		if f.next == 0 || int64(f.next) > int64(len(list)) {
			break
		}
		list = list[f.next:]
	}
	return total, free
}
