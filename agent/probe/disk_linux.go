package probe

import (
	"bufio"
	"context"
	"os"
	"strconv"
	"strings"
)

// counters reads /proc/diskstats. gopsutil looks up serial numbers and labels
// of every partition on the way, which costs more than all other vitals.
func (p *disks) counters(context.Context) (map[string]counters, error) {
	f, err := os.Open(p.path("/proc/diskstats"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	out := map[string]counters{}
	for s := bufio.NewScanner(f); s.Scan(); {
		fields := strings.Fields(s.Text())
		if len(fields) < 10 || !p.whole(fields[2]) {
			continue
		}
		read, err1 := strconv.ParseUint(fields[5], 10, 64)
		written, err2 := strconv.ParseUint(fields[9], 10, 64)
		if err1 == nil && err2 == nil {
			const sector = 512
			out[fields[2]] = counters{read * sector, written * sector}
		}
	}
	return out, nil
}

// whole reports whether a name is a disk and not a part of one, nor something
// that is made of disks and would count their traffic twice.
func (p *disks) whole(name string) bool {
	for _, made := range []string{"loop", "ram", "zram", "dm-", "md", "sr", "fd"} {
		if strings.HasPrefix(name, made) {
			return false
		}
	}
	_, err := os.Stat(p.path("/sys/block/" + name))
	return err == nil
}
