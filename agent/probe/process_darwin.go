package probe

import (
	"bufio"
	"bytes"
	"context"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/deskside/deskside/protocol/expression"
)

// processes runs ps once a round: without cgo there is no other way, and
// gopsutil runs it once for every field of every process.
type processes struct {
	collect Collect
	clock   func() time.Time
	seconds map[string]float64 // by pid and start
	at      time.Time
}

func newProcesses(_ func(string) string, collect Collect, clock func() time.Time) *processes {
	return &processes{collect: collect, clock: clock}
}

func (p *processes) read(ctx context.Context) (result, error) {
	out, err := exec.CommandContext(ctx, "/bin/ps", "-axo", "pid=,state=,rss=,time=,lstart=,user=,comm=").Output()
	if err != nil {
		return result{}, err
	}
	now := p.clock()
	elapsed := now.Sub(p.at).Seconds()
	seconds := map[string]float64{}
	list := []expression.Process{}
	count := 0
	for s := bufio.NewScanner(bytes.NewReader(out)); s.Scan(); {
		// 123 Ss 4567 0:12.34 Thu Nov 20 10:20:00 2026 root /sbin/launchd
		f := strings.Fields(s.Text())
		if len(f) < 11 {
			continue
		}
		count++
		pid, err := strconv.ParseInt(f[0], 10, 64)
		if err != nil || len(list) == maxProcesses {
			continue
		}
		program := strings.Join(f[10:], " ")
		one := expression.Process{PID: pid, Name: clean(program[strings.LastIndexByte(program, '/')+1:]), State: stateOf(f[1])}
		if kib, err := strconv.ParseUint(f[2], 10, 64); err == nil {
			one.RSSBytes = known(kib * 1024)
		}
		start := strings.Join(f[4:9], " ")
		if at, err := time.ParseInLocation("Mon Jan 2 15:04:05 2006", start, time.Local); err == nil {
			one.StartedAt = expression.TimeOf(at)
		}
		if p.collect.People {
			one.Owner = clean(f[9])
		}
		if v, ok := cpuTime(f[3]); ok {
			key := f[0] + " " + start
			if before, ok := p.seconds[key]; ok && elapsed > 0 && v >= before {
				one.CPU = known((v - before) / elapsed)
			}
			seconds[key] = v
		}
		list = append(list, one)
	}
	p.at, p.seconds = now, seconds
	var missing []expression.Unreadable
	if !p.collect.Processes {
		missing = append(missing, expression.Unreadable{What: "processes", Why: "the policy of this machine does not let them out"})
		list = nil
	}
	return result{func(m *expression.Machine) { m.Processes, m.ProcessCount = list, known(count) }, missing}, nil
}

// cpuTime reads [[d-]h:]m:s.
func cpuTime(s string) (seconds float64, ok bool) {
	days, rest, dashed := strings.Cut(s, "-")
	if !dashed {
		days, rest = "0", s
	}
	d, err := strconv.Atoi(days)
	if err != nil {
		return 0, false
	}
	for _, part := range strings.Split(rest, ":") {
		v, err := strconv.ParseFloat(part, 64)
		if err != nil {
			return 0, false
		}
		seconds = seconds*60 + v
	}
	return seconds + float64(d)*86400, true
}

func stateOf(s string) expression.Text {
	switch s[0] {
	case 'R':
		return "running"
	case 'S':
		return "sleeping"
	case 'I':
		return "idle"
	case 'U':
		return "waiting"
	case 'T':
		return "stopped"
	case 'Z':
		return "zombie"
	}
	return ""
}
