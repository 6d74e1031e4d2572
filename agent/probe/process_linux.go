package probe

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/deskside/deskside/protocol/expression"
)

// processes reads /proc directly, with buffers that are used again: on a
// machine with 400 processes that is a tenth of the cost of asking for each
// field by itself, and this is the larger half of a round.
//
// Threads of the kernel are counted, but listed only while they are busy.
type processes struct {
	path    func(string) string
	collect Collect
	clock   func() time.Time

	list  []byte // of getdents
	file  []byte // of one file
	name  []byte // of a path below /proc, ended by 0
	pids  []int32
	seen  map[int32]*process
	round uint32
	at    time.Time
	boot  int64 // seconds; 0 is not known
	owner owners
}

// process is what is remembered of one from round to round.
type process struct {
	start   uint64 // ticks since boot; tells it from another of the same number
	ticks   uint64 // of processor time
	comm    string
	name    expression.Text
	owner   expression.Text
	command expression.Text
	round   uint32
}

// userHz is how many ticks a second /proc counts, on every Linux there is.
const userHz = 100

func newProcesses(path func(string) string, collect Collect, clock func() time.Time) *processes {
	return &processes{
		path: path, collect: collect, clock: clock, seen: map[int32]*process{},
		list: make([]byte, 32<<10), file: make([]byte, 4<<10), name: make([]byte, 0, 32),
	}
}

func (p *processes) read(context.Context) (result, error) {
	dir, err := unix.Open(p.path("/proc"), unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return result{}, fmt.Errorf("/proc: %w", err)
	}
	defer unix.Close(dir)
	if err := p.readPIDs(dir); err != nil {
		return result{}, fmt.Errorf("/proc: %w", err)
	}
	now := p.clock()
	elapsed := now.Sub(p.at).Seconds()
	p.at = now
	p.round++
	if p.boot == 0 {
		p.boot = bootTime(p.path)
	}
	first := len(p.seen) == 0
	list := make([]expression.Process, 0, min(len(p.pids), maxProcesses))
	count := 0
	init := false
	for _, pid := range p.pids {
		one, kernel, ok := p.readOne(dir, pid, elapsed, first)
		if !ok {
			continue
		}
		count++
		init = init || pid == 1
		if busy := one.CPU.Or(0) > 0.05; kernel && !busy || len(list) == maxProcesses {
			continue
		}
		list = append(list, one)
	}
	slices.SortFunc(list, func(a, b expression.Process) int { return cmp.Compare(a.PID, b.PID) })
	for pid, known := range p.seen {
		if known.round != p.round {
			delete(p.seen, pid)
		}
	}
	var missing []expression.Unreadable
	if !init {
		missing = append(missing, expression.Unreadable{What: "processes", Why: "only the processes of this account can be seen"})
	}
	if !p.collect.Processes {
		missing = append(missing, expression.Unreadable{What: "processes", Why: "the policy of this machine does not let them out"})
		list = nil
	}
	return result{func(m *expression.Machine) {
		m.Processes, m.ProcessCount = list, known(count)
	}, missing}, nil
}

// readPIDs lists the numbers in /proc.
func (p *processes) readPIDs(dir int) error {
	p.pids = p.pids[:0]
	for {
		n, err := unix.ReadDirent(dir, p.list)
		if err != nil {
			return err
		}
		if n == 0 {
			return nil
		}
		// struct linux_dirent64: inode 8, offset 8, length 2, type 1, name.
		for b := p.list[:n]; len(b) >= 20; {
			size := int(binary.NativeEndian.Uint16(b[16:]))
			if size < 20 || size > len(b) {
				break
			}
			if pid, ok := number(b[19:size]); ok && pid <= 1<<31-1 {
				p.pids = append(p.pids, int32(pid))
			}
			b = b[size:]
		}
	}
}

// readOne reads /proc/PID/stat; ok is false when the process has gone.
func (p *processes) readOne(dir int, pid int32, elapsed float64, first bool) (out expression.Process, kernel, ok bool) {
	stat, uid, ok := p.slurp(dir, pid, "/stat")
	if !ok {
		return out, false, false
	}
	// 123 (name) S ppid ...: a name may hold anything, so it ends at the last ).
	open, end := bytes.IndexByte(stat, '('), bytes.LastIndexByte(stat, ')')
	if open < 0 || end < open || end+4 > len(stat) {
		return out, false, false
	}
	comm := stat[open+1 : end]
	var fields [22]uint64 // from ppid, field 4
	rest := stat[end+4:]
	for i := range fields {
		var v uint64
		v, rest = next(rest)
		fields[i] = v
	}
	const ppid, utime, stime, starttime, rss = 0, 10, 11, 18, 20
	kernel = fields[ppid] == 2 || pid == 2
	ticks := fields[utime] + fields[stime]

	was := p.seen[pid]
	fresh := was == nil || was.start != fields[starttime]
	if fresh {
		was = &process{start: fields[starttime]}
		p.seen[pid] = was
	}
	if fresh || was.comm != string(comm) { // it became another program
		was.comm = string(comm)
		p.identify(dir, pid, uid, was)
	}
	if !fresh && !first && elapsed > 0 && ticks >= was.ticks {
		out.CPU = known(float64(ticks-was.ticks) / userHz / elapsed)
	}
	was.ticks, was.round = ticks, p.round

	out.PID, out.Name, out.Owner, out.CommandLine = int64(pid), was.name, was.owner, was.command
	out.RSSBytes = known(fields[rss] * uint64(os.Getpagesize()))
	out.State = stateOf(stat[end+2])
	if p.boot > 0 {
		out.StartedAt = expression.Time(p.boot*1e6 + int64(fields[starttime])*(1e6/userHz))
	}
	return out, kernel, true
}

// identify finds out what seldom changes: name, owner, command line.
func (p *processes) identify(dir int, pid int32, uid uint32, one *process) {
	one.name = clean(one.comm)
	if p.collect.People {
		one.owner = p.owner.of(strconv.FormatUint(uint64(uid), 10), p.at)
	}
	if len(one.comm) < 15 && !p.collect.CommandLines {
		return // the kernel cut nothing off
	}
	line, _, ok := p.slurp(dir, pid, "/cmdline")
	if !ok || len(line) == 0 {
		return
	}
	program, _, _ := bytes.Cut(line, []byte{0})
	if base := program[bytes.LastIndexByte(program, '/')+1:]; bytes.HasPrefix(base, []byte(one.comm)) {
		one.name = clean(string(base))
	}
	if p.collect.CommandLines {
		one.command = clean(strings.TrimSpace(string(bytes.ReplaceAll(line, []byte{0}, []byte{' '}))))
	}
}

// slurp reads the beginning of a small file below /proc/PID into a buffer that
// the next call uses again, and says to whom it belongs.
//
// These are bare system calls: os.ReadFile makes five of them and six pieces
// of garbage, for every process in every round.
func (p *processes) slurp(dir int, pid int32, file string) (content []byte, uid uint32, ok bool) {
	p.name = strconv.AppendInt(p.name[:0], int64(pid), 10)
	p.name = append(append(p.name, file...), 0)
	fd, _, errno := unix.Syscall6(unix.SYS_OPENAT, uintptr(dir), uintptr(unsafe.Pointer(&p.name[0])), unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0, 0, 0)
	runtime.KeepAlive(p.name)
	if errno != 0 {
		return nil, 0, false
	}
	defer unix.Close(int(fd))
	n, err := unix.Read(int(fd), p.file)
	if err != nil {
		return nil, 0, false
	}
	content = p.file[:n]
	if p.collect.People && file == "/stat" {
		var st unix.Stat_t
		if unix.Fstat(int(fd), &st) == nil {
			uid = st.Uid
		}
	}
	return content, uid, true
}

// next reads a number and what follows it. What is not one (a negative, say)
// is 0.
func next(b []byte) (v uint64, rest []byte) {
	for len(b) > 0 && b[0] == ' ' {
		b = b[1:]
	}
	negative := false
	for i, c := range b {
		switch {
		case c >= '0' && c <= '9':
			v = v*10 + uint64(c-'0')
		case c == '-':
			negative = true
		default:
			if negative {
				v = 0
			}
			return v, b[i:]
		}
	}
	return v, nil
}

// number reads a name that ends with 0 and is a number.
func number(b []byte) (v uint64, ok bool) {
	for i, c := range b {
		switch {
		case c == 0:
			return v, i > 0
		case c < '0' || c > '9' || i > 10:
			return 0, false
		}
		v = v*10 + uint64(c-'0')
	}
	return v, len(b) > 0
}

func stateOf(c byte) expression.Text {
	switch c {
	case 'R':
		return "running"
	case 'S':
		return "sleeping"
	case 'D':
		return "waiting"
	case 'T', 't':
		return "stopped"
	case 'Z':
		return "zombie"
	case 'I':
		return "idle"
	}
	return ""
}
