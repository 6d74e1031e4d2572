package probe

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/shirou/gopsutil/v3/disk"

	"github.com/deskside/deskside/protocol/expression"
)

const maxFilesystems = 64

// filesystems reads mounted volumes. A share whose server does not answer
// blocks whoever asks for its size, so shares are asked aside.
type filesystems struct {
	path  func(string) string
	stuck map[string]chan usage // mounts that have not answered
	usage func(ctx context.Context, mount string) (*disk.UsageStat, error)
}

type usage struct {
	stat *disk.UsageStat
	err  error
}

func newFilesystems(path func(string) string) *filesystems {
	return &filesystems{path: path, stuck: map[string]chan usage{}, usage: disk.UsageWithContext}
}

func (p *filesystems) read(ctx context.Context) (result, error) {
	mounts, err := disk.PartitionsWithContext(ctx, allPartitions)
	if err != nil {
		return result{}, err
	}
	list := []expression.Filesystem{}
	var missing []expression.Unreadable
	for _, d := range distinct(mounts) {
		kind := p.kind(d)
		if kind == "" {
			continue
		}
		f := expression.Filesystem{
			Mount: clean(strings.TrimSuffix(d.Mountpoint, `\`)), Device: clean(d.Device), Type: clean(strings.ToLower(d.Fstype)), Kind: expression.Text(kind),
			ReadOnly: expression.FlagOf(slices.Contains(d.Opts, "ro")),
		}
		u, err := p.ask(ctx, d.Mountpoint, kind)
		switch {
		case err != nil:
			missing = append(missing, expression.Unreadable{What: "filesystems." + string(f.Mount), Why: expression.CleanText(err.Error())})
		case u.Total == 0 && kind != "network", u.Total < 1<<20 && kind == "memory":
			continue // nothing to speak of can be kept on it
		default:
			fill(&f, u)
		}
		list = append(list, f)
	}
	list, more := keep(list, maxFilesystems, expression.SectionFilesystems)
	return result{func(m *expression.Machine) { m.Filesystems = list }, append(missing, more...)}, nil
}

func fill(f *expression.Filesystem, u *disk.UsageStat) {
	f.SizeBytes, f.UsedBytes, f.AvailableBytes = known(u.Total), known(u.Used), known(u.Free)
	f.Used = expression.Ratio(f.UsedBytes, known(u.Used+u.Free))
	if u.InodesTotal > 0 {
		f.Inodes, f.InodesUsed = known(u.InodesTotal), known(u.InodesUsed)
		f.InodesUsedRatio = expression.Ratio(f.InodesUsed, f.Inodes)
	}
}

// ask returns the fill of a mount; of a share within a second or not at all.
func (p *filesystems) ask(ctx context.Context, mount, kind string) (*disk.UsageStat, error) {
	if kind != "network" {
		return p.usage(ctx, mount)
	}
	hangs := errors.New("the share does not answer")
	if answer, stuck := p.stuck[mount]; stuck { // it had its second
		select {
		case u := <-answer:
			delete(p.stuck, mount)
			return u.stat, u.err
		default:
			return nil, hangs
		}
	}
	answer := make(chan usage, 1)
	go func() {
		u, err := p.usage(ctx, mount)
		answer <- usage{u, err}
	}()
	timer := time.NewTimer(time.Second)
	defer timer.Stop()
	select {
	case u := <-answer:
		return u.stat, u.err
	case <-timer.C:
		p.stuck[mount] = answer
		return nil, hangs
	}
}

// distinct leaves one mount of each device: the shortest path, which is where
// people know it from. What has no device of its own, such as tmpfs, stays.
func distinct(mounts []disk.PartitionStat) []disk.PartitionStat {
	mounts = slices.Clone(mounts)
	slices.SortStableFunc(mounts, func(a, b disk.PartitionStat) int {
		return cmp.Or(cmp.Compare(len(a.Mountpoint), len(b.Mountpoint)), cmp.Compare(a.Mountpoint, b.Mountpoint))
	})
	seen := map[string]bool{}
	out := mounts[:0]
	for _, d := range mounts {
		k := d.Mountpoint // what is mounted over hides what was there
		if strings.Contains(d.Device, "/") {
			k = d.Device + "\x00" + d.Fstype
		}
		if !seen[k] {
			seen[k] = true
			out = append(out, d)
		}
	}
	slices.SortFunc(out, func(a, b disk.PartitionStat) int { return cmp.Compare(a.Mountpoint, b.Mountpoint) })
	return out
}
