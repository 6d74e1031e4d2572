package main

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"time"

	"github.com/deskside/deskside/tools/internal/stage"
)

// sizes are files.
func sizes(ctx context.Context) (map[string]figure, error) {
	info, err := os.Stat("bin/deskside-agent")
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "npm", "run", "--silent", "size")
	cmd.Dir = "console/web"
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("the size of pages: %w", err)
	}
	heaviest := 0.0
	for _, m := range regexp.MustCompile(`(?m)^[a-z-]+ +([0-9.]+) kB$`).FindAllStringSubmatch(string(out), -1) {
		kb, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			return nil, err
		}
		heaviest = max(heaviest, kb)
	}
	return map[string]figure{"agent-size": {ours: float64(info.Size()) / 1e6}, "first-page": {ours: heaviest}}, nil
}

const (
	settled = time.Minute     // after which the agent is as it will be
	watched = 5 * time.Minute // how long it is looked at
	every   = 15 * time.Second
)

// weigh holds the agent against another collector of the same machine, at the same
// time.
func weigh(ctx context.Context) (_ map[string]figure, err error) {
	w, err := newWorld(ctx, "")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	agent, _, err := w.Agent()
	if err != nil {
		return nil, err
	}
	if err := visit(w.World); err != nil {
		return nil, err
	}
	exporter, scrape, err := w.exporter()
	if err != nil {
		return nil, err
	}
	for range settled / every {
		if err := errors.Join(scrape(), w.Pause(every)); err != nil {
			return nil, err
		}
	}
	began := map[int]time.Duration{}
	pids := []int{agent.Process.Pid, exporter.Process.Pid}
	for _, pid := range pids {
		if began[pid], err = stage.Worked(pid); err != nil {
			return nil, err
		}
	}
	memory := map[int][]float64{}
	rounds := int(watched / every)
	for range rounds {
		if err := errors.Join(scrape(), w.Pause(every)); err != nil {
			return nil, err
		}
		for _, pid := range pids {
			bytes, err := stage.Resident(pid)
			if err != nil {
				return nil, err
			}
			memory[pid] = append(memory[pid], bytes/1e6)
		}
	}
	round := map[int]float64{}
	for _, pid := range pids {
		now, err := stage.Worked(pid)
		if err != nil {
			return nil, err
		}
		round[pid] = (now - began[pid]).Seconds() * 1000 / float64(rounds)
	}
	console, err := stage.Resident(w.Console.Process.Pid)
	if err != nil {
		return nil, err
	}
	return map[string]figure{
		"agent-memory":   {ours: quantile(memory[pids[0]], 0.5), theirs: quantile(memory[pids[1]], 0.5)},
		"agent-time":     {ours: round[pids[0]], theirs: round[pids[1]]},
		"console-memory": {ours: console / (1 << 20)},
	}, nil
}

// visit is somebody who signs in and reads the first page, with all that belongs to it.
func visit(w *stage.World) error {
	if err := w.Person("visitor", "admin"); err != nil {
		return err
	}
	v, err := w.SignIn("visitor")
	if err != nil {
		return err
	}
	defer v.Leave()
	first, err := v.Ask(http.MethodGet, "/", nil)
	if err != nil {
		return err
	}
	paths := []string{"/api/v1/me", "/api/v1/machines", "/api/v1/tickets"}
	for _, m := range regexp.MustCompile(`(?:src|href)="(/[^"]+)"`).FindAllSubmatch(first, -1) {
		paths = append(paths, string(m[1]))
	}
	if len(paths) < 5 {
		return fmt.Errorf("the first page names no script and no style: %.200s", first)
	}
	for _, path := range paths {
		if _, err := v.Ask(http.MethodGet, path, nil); err != nil {
			return err
		}
	}
	return nil
}

// exporter starts Debian's node exporter; scrape reads it once.
func (w *world) exporter() (cmd *exec.Cmd, scrape func() error, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		return nil, nil, err
	}
	if cmd, err = w.Quiet("prometheus-node-exporter", "--web.listen-address="+address); err != nil {
		return nil, nil, err
	}
	scrape = func() error {
		r, err := http.NewRequestWithContext(w.Ctx, http.MethodGet, "http://"+address+"/metrics", nil)
		if err != nil {
			return err
		}
		r.Header.Set("Accept-Encoding", "gzip") // as Prometheus does
		response, err := w.Client.Do(r)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		body, err := gzip.NewReader(response.Body)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, body)
		return err
	}
	return cmd, scrape, w.Until("the exporter answers", func() (bool, error) { return scrape() == nil, nil })
}
