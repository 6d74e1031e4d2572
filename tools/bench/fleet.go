package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/deskside/deskside/tools/internal/page"
	"github.com/deskside/deskside/tools/internal/stage"
)

// How many machines, and how many when it is filled up for the idle rows.
var fleetUsual, fleetMost = 10_000, 15_000

const (
	fleetTimes  = 5 // rounds of what goes to all machines
	fleetRest   = 150 * time.Second
	growRest    = 30 * time.Second // after machines came, before their cost is looked at
	growLook    = 30 * time.Second
	processes   = 200
	alertSample = 500
	journalled  = 10 // questions of an hour
)

// largest is the question that goes to all machines: it looks at each process.
const largest = `filter(processes, .rss_bytes > 1e9)`

// fleet measures what many machines cost, and what one person asks of all of them.
// The bare server does the same beside it.
func fleet(ctx context.Context) (_ map[string]figure, err error) {
	w, err := newWorld(ctx, "")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	f := &many{world: w, out: map[string]figure{}}
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"the bare server", f.bareLogins}, {"asked of bare sockets", f.bareAsks},
		{"machines enrol", f.enrol}, {"machines come back", f.logins}, {"asked of all machines", f.asks},
		{"alerts", f.alerts}, {"killed", f.killed}, {"idle", f.idle},
	} {
		began := time.Now()
		if err := step.do(); err != nil {
			return f.out, fmt.Errorf("%s: %w", step.name, err)
		}
		fmt.Printf("    %-24s %s\n", step.name, time.Since(began).Round(time.Second))
	}
	return f.out, nil
}

type many struct {
	*world
	out    map[string]figure
	bare   *bareSide
	crowds []*stage.Crowd

	memory, time []point // what each machine costs: KiB, microseconds in a minute

	empty float64 // resident bytes with nobody connected

	bareIdle, bareLogin    float64 // of a socket that was never used: KiB, microseconds
	bareText, bareQuestion float64 // milliseconds
}

func (f *many) bareLogins() (err error) {
	if f.bare, err = f.bareSide(); err != nil {
		return err
	}
	pid := f.bare.server.Process.Pid
	empty, err := stage.Resident(pid)
	if err != nil {
		return err
	}
	took, err := spent(pid, func() error { return f.bare.hold(fleetUsual) })
	if err := errors.Join(err, f.Pause(growRest), f.bare.w.Post(f.bare.control+"/collect", nil, nil)); err != nil {
		return err
	}
	full, err := stage.Resident(pid)
	f.bareLogin, f.bareIdle = float64(took.Microseconds())/float64(fleetUsual), (full-empty)/1024/float64(fleetUsual)
	return err
}

func (f *many) bareAsks() (err error) {
	if f.bareText, err = f.bareAsk(map[string]string{"Text": strings.Repeat("x", 1<<10)}); err != nil {
		return err
	}
	f.bareQuestion, err = f.bareAsk(map[string]string{"Expression": largest})
	return err
}

func (f *many) bareAsk(ask map[string]string) (float64, error) {
	var took []float64
	for range fleetTimes {
		d, err := f.bare.ask(ask)
		if err != nil {
			return 0, err
		}
		took = append(took, d.Seconds()*1000)
	}
	return quantile(took, 0.5), nil
}

// enrol makes the machines of the usual fleet, and looks on the way at what each
// costs while they are few.
func (f *many) enrol() (err error) {
	var settings struct{ Version int64 }
	if err := f.Call(http.MethodGet, "/settings", nil, &settings); err != nil {
		return err
	}
	// Each alert is to have a ticket of its own: a storm would share one.
	if err := f.Call(http.MethodPatch, "/settings", map[string]any{"version": settings.Version, "storm": map[string]any{"machines": 10000}}, nil); err != nil {
		return err
	}
	// It is noticed at the machine's next round, and told with the first of them: a set
	// that changes later would be compiled by all of them at the same time.
	var check struct{ Version int64 }
	if err := f.Call(http.MethodGet, "/checks/filesystem.full", nil, &check); err != nil {
		return err
	}
	if err := f.Call(http.MethodPatch, "/checks/filesystem.full", map[string]any{"version": check.Version, "for": "0s"}, nil); err != nil {
		return err
	}
	if f.empty, err = stage.Resident(f.Console.Process.Pid); err != nil {
		return err
	}
	for _, more := range []int{fleetUsual / 10, fleetUsual * 4 / 10} {
		if err := f.more(more); err != nil {
			return err
		}
		if err := errors.Join(f.Pause(growRest), f.look(growLook)); err != nil {
			return err
		}
	}
	return f.more(fleetUsual / 2)
}

// more lets machines enrol.
func (f *many) more(machines int) error {
	c, err := f.Crowd(machines, processes)
	f.crowds = append(f.crowds, c)
	return err
}

// online is how many machines there are.
func (f *many) online() (n int) {
	for _, c := range f.crowds {
		n += c.Machines
	}
	return n
}

// look notes what each machine costs the console while nothing happens.
func (f *many) look(long time.Duration) error {
	var sizes []float64
	took, err := spent(f.Console.Process.Pid, func() error {
		for range long / (5 * time.Second) {
			bytes, err := stage.Resident(f.Console.Process.Pid)
			if err := errors.Join(err, f.Pause(5*time.Second)); err != nil {
				return err
			}
			sizes = append(sizes, (bytes-f.empty)/1024/float64(f.online()))
		}
		return nil
	})
	f.memory = append(f.memory, point{f.online(), quantile(sizes, 0.5)})
	f.time = append(f.time, point{f.online(), float64(took.Microseconds()) * 60 / long.Seconds() / float64(f.online())})
	return err
}

// order gives a fault to all machines.
func (f *many) order(kind string) error {
	var errs []error
	for _, c := range f.crowds {
		errs = append(errs, c.Order(kind, 0, 0))
	}
	return errors.Join(errs...)
}

// logins cuts all lines and lets the machines come back: each says hello, proves
// itself and is written down.
func (f *many) logins() error {
	if err := errors.Join(f.Pause(20*time.Second), f.order("offline"), f.Pause(5*time.Second)); err != nil {
		return err
	}
	took, err := spent(f.Console.Process.Pid, func() error { return f.allBack(func() error { return f.order("clear") }) })
	f.out["login"] = figure{ours: float64(took.Microseconds()) / float64(fleetUsual), theirs: f.bareLogin}
	return errors.Join(err, f.Pause(5*time.Second))
}

// allBack does something after which every machine of the usual fleet comes back,
// and waits for them.
func (f *many) allBack(do func() error) error {
	began := time.Now()
	if err := do(); err != nil {
		return err
	}
	return f.Until("all machines are back", func() (bool, error) {
		n := 0
		for _, c := range f.crowds {
			back, err := c.Back(began)
			if err != nil {
				return false, err
			}
			n += back
		}
		return n >= fleetUsual, nil
	})
}

// asks leaves the first questions of an hour out, which each machine writes into its
// journal: here all of them share one file.
func (f *many) asks() error {
	for range journalled / fleetTimes {
		if _, _, err := f.askAll("true"); err != nil {
			return err
		}
	}
	text, _, err := f.askAll(`"` + strings.Repeat("x", 1<<10) + `"`)
	if err != nil {
		return err
	}
	f.out["text-to-all"] = figure{ours: text, theirs: f.bareText}
	question, worked, err := f.askAll(largest)
	f.out["question-to-all"] = figure{ours: question, theirs: f.bareQuestion}
	f.out["question-work"] = figure{ours: worked}
	return err
}

// askAll asks all machines, from POST to the last answer in milliseconds, and tells
// what an answer costs the console in microseconds.
func (f *many) askAll(expression string) (took, work float64, err error) {
	var all, each []float64
	for range fleetTimes {
		began := time.Now()
		spent, err := spent(f.Console.Process.Pid, func() error {
			var q struct {
				ID                      string
				Asked, Answered, Failed int
			}
			if err := f.Call(http.MethodPost, "/questions", map[string]any{"expression": expression}, &q); err != nil {
				return err
			}
			if q.Asked != fleetUsual {
				return fmt.Errorf("%d machines are asked, not %d", q.Asked, fleetUsual)
			}
			err := f.Until("all machines answer", func() (bool, error) {
				err := f.Call(http.MethodGet, "/questions/"+q.ID+"?wait=10", nil, &q)
				return q.Answered+q.Failed == q.Asked, err
			})
			if q.Failed > 0 {
				err = errors.Join(err, fmt.Errorf("%d machines of %d could not answer", q.Failed, q.Asked))
			}
			return err
		})
		if err != nil {
			return 0, 0, err
		}
		all = append(all, time.Since(began).Seconds()*1000)
		each = append(each, float64(spent.Microseconds())/float64(fleetUsual))
		if err := f.Pause(2 * time.Second); err != nil {
			return 0, 0, err
		}
	}
	return quantile(all, 0.5), quantile(each, 0.5), nil
}

// alerts makes some hundred machines ill, each noticing it at its own next round,
// and looks until the ticket of each can be read.
func (f *many) alerts() error {
	last := f.crowds[len(f.crowds)-1]
	if err := last.Order("filesystem", min(alertSample, last.Machines), 0); err != nil {
		return err
	}
	after := map[string]float64{}
	err := f.Until("each alert has its ticket", func() (bool, error) {
		var page struct {
			Items []struct {
				ID        string
				Ticket    *string   `json:"ticket_id"`
				StartedAt time.Time `json:"started_at"`
			}
		}
		err := f.Call(http.MethodGet, "/alerts?check=filesystem.full&sort=-started_at&limit=500", nil, &page)
		now := time.Now()
		for _, a := range page.Items {
			if _, seen := after[a.ID]; !seen && a.Ticket != nil {
				after[a.ID] = now.Sub(a.StartedAt).Seconds() * 1000
			}
		}
		return len(after) >= min(alertSample, last.Machines), err
	})
	if err != nil {
		return fmt.Errorf("%d of %d: %w", len(after), alertSample, err)
	}
	var took []float64
	for _, ms := range after {
		took = append(took, ms)
	}
	f.out["alert-ticket"] = figure{ours: quantile(took, 0.99), note: "p50 " + page.Short(quantile(took, 0.5)) + " ms, looked every 20 ms; 500 machines fall ill in one round, each alert has a ticket of its own and waits for nothing"}
	return last.Order("clear", 0, 0)
}

// wouldShow is by when a machine that did not come back is called offline: the lease of
// the console that was killed ends, and offline_after is over.
const wouldShow = 90 * time.Second

// killed kills the console and starts it again: every machine has to come back, and
// pages go on.
func (f *many) killed() error {
	var began time.Time
	var up time.Duration
	var mu sync.Mutex
	var pages []float64
	offline := 0
	stop := make(chan struct{})
	watching := make(chan error, 1)
	watch := func() {
		watching <- f.eachWhile(stop, 20*time.Millisecond, func() error {
			var page struct{ Items []any }
			from := time.Now()
			err := f.Call(http.MethodGet, "/machines?presence=offline&limit=50", nil, &page)
			mu.Lock()
			defer mu.Unlock()
			pages, offline = append(pages, time.Since(from).Seconds()*1000), max(offline, len(page.Items))
			return err
		})
	}
	err := f.allBack(func() error {
		if err := f.Kill(f.Console); err != nil {
			return err
		}
		began = time.Now()
		err := f.StartConsole()
		up = time.Since(began)
		go watch()
		return err
	})
	took := time.Since(began)
	mu.Lock()
	meanwhile := slices.Clone(pages)
	mu.Unlock()
	if err == nil { // whoever were not written down as back would be called offline only now
		err = f.Pause(wouldShow - took)
	}
	close(stop)
	if err := errors.Join(err, <-watching); err != nil {
		return err
	}
	if offline > 0 {
		return fmt.Errorf("%d machines were called offline", offline)
	}
	f.out["back"] = figure{ours: took.Seconds(), note: fmt.Sprintf("the console was there after %s s; none called offline within %s s", page.Short(up.Seconds()), page.Short(wouldShow.Seconds()))}
	f.out["back-pages"] = figure{ours: quantile(meanwhile, 0.99), note: "p50 " + page.Short(quantile(meanwhile, 0.5)) + " ms"}
	return nil
}

func (f *many) eachWhile(stop <-chan struct{}, pause time.Duration, do func() error) error {
	for {
		select {
		case <-stop:
			return nil
		case <-time.After(pause):
			if err := do(); err != nil {
				return err
			}
		}
	}
}

// idle fills the fleet up, and looks at what it costs when nothing happens.
func (f *many) idle() error {
	if err := errors.Join(f.more(fleetMost-fleetUsual), f.Pause(fleetRest), f.look(time.Minute)); err != nil {
		return err
	}
	few, lots := f.memory[0], f.memory[len(f.memory)-1]
	f.out["idle-memory"] = figure{ours: lots.Value, theirs: f.bareIdle}
	f.out["growth-memory"] = figure{ours: lots.Value, theirs: few.Value, points: f.memory}
	few, lots = f.time[0], f.time[len(f.time)-1]
	f.out["idle-time"] = figure{ours: lots.Value * float64(fleetMost) / 60 / 1e4}
	f.out["growth-time"] = figure{ours: lots.Value, theirs: few.Value, points: f.time}
	return nil
}
