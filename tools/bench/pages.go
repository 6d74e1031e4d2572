package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os/exec"
	"strconv"
	"time"

	"github.com/deskside/deskside/console/store/storetest"
	"github.com/deskside/deskside/tools/internal/page"
)

// lists are what the page Computers asks for: as it opens, sorted, filtered, and
// searched by many and by few hits. Each is read on to its second page.
var lists = []string{
	"", "sort=name", "sort=-last_seen_at", "sort=-open_alerts", "presence=offline", "health=critical", "health=warning&sort=name",
	"q=00042", "q=debian", "q=lap&presence=online", "q=nobody-has-this",
}

const pagesEach = 20 // times that each list is read; the first time is not counted

// pages reads the list of computers in all its ways, on both engines.
func pages(ctx context.Context) (map[string]figure, error) {
	out := map[string]figure{}
	for _, engine := range []string{"sqlite", "postgres"} {
		for _, thousand := range []int{20, 100} {
			name := fmt.Sprintf("list-%dk-%s", thousand, engine)
			f, err := pagesOf(ctx, engine, thousand*1000)
			if err != nil {
				return out, fmt.Errorf("%s: %w", name, err)
			}
			out[name] = f
		}
	}
	return out, nil
}

func pagesOf(ctx context.Context, engine string, machines int) (_ figure, err error) {
	database := ""
	if engine == "postgres" {
		cluster, err := storetest.StartDurable()
		if err != nil {
			return figure{}, err
		}
		defer cluster.Close()
		database = cluster.URL
	}
	w, err := newWorld(ctx, database)
	if err != nil {
		return figure{}, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	seed := append([]string{"--data", w.Path("data"), "--machines", strconv.Itoa(machines), "--tickets", "0"}, w.On...)
	if said, err := exec.CommandContext(ctx, "bin/seed", seed...).CombinedOutput(); err != nil {
		return figure{}, fmt.Errorf("seed: %w: %s", err, said)
	}
	if err := w.settle(); err != nil {
		return figure{}, err
	}
	var all []float64
	slowest, of := 0.0, ""
	for _, list := range lists {
		took, err := w.list(list)
		if err != nil {
			return figure{}, err
		}
		if p50 := quantile(took, 0.5); p50 > slowest {
			slowest, of = p50, list
		}
		all = append(all, took...)
	}
	return figure{ours: quantile(all, 0.99), note: fmt.Sprintf("p50 %s ms; slowest %q, p50 %s ms", page.Short(quantile(all, 0.5)), of, page.Short(slowest))}, nil
}

// settle waits until the console has done what follows from so many machines that
// came at once and are not there: each is called offline, and each line of the audit
// is sealed.
func (w *world) settle() error {
	const look = 3 * time.Second
	for range 400 {
		worked, err := spent(w.Console.Process.Pid, func() error { return w.Pause(look) })
		if err != nil || worked < look/20 {
			return err
		}
	}
	return errors.New("the console does not come to rest")
}

// list reads the first two pages of a list many times.
func (w *world) list(query string) (took []float64, err error) {
	for i := range pagesEach + 1 {
		next := ""
		for range 2 {
			var page struct {
				Items []any
				Next  *string
			}
			path := "/machines?limit=50&" + query
			if next != "" {
				path += "&cursor=" + url.QueryEscape(next)
			}
			began := time.Now()
			if err := w.Call(http.MethodGet, path, nil, &page); err != nil {
				return nil, err
			}
			if i > 0 {
				took = append(took, time.Since(began).Seconds()*1000)
			}
			if page.Next == nil {
				break
			}
			next = *page.Next
		}
	}
	return took, nil
}
