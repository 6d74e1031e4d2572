package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/deskside/deskside/tools/internal/api"
)

// A round is one time that things go wrong.
type round struct {
	*world
	number int
	rand   *rand.Rand
	did    []string

	ticket string // that notes are written into

	group  sync.WaitGroup
	failed error // of what runs beside; guarded by world.mu
}

func (r *round) play() error {
	if err := r.remember(); err != nil {
		return err
	}
	if err := r.open(); err != nil {
		return err
	}
	if err := r.beginning(); err != nil {
		return err
	}
	if err := r.remember(); err != nil {
		return err
	}
	if err := r.fallIll(3 + r.rand.IntN(12)); err != nil {
		return err
	}
	r.acts()
	often := 1 + r.rand.IntN(2)
	if r.scene.patient {
		often = 1
	}
	for range often {
		fit := r.fitting()
		d := fit[r.rand.IntN(len(fit))]
		r.did = append(r.did, d.name)
		time.Sleep(some(r.rand, time.Second))
		if err := d.do(r.world, r.rand); err != nil {
			return fmt.Errorf("%s: %w", d.name, err)
		}
	}
	r.group.Wait()
	if r.failed != nil {
		return r.failed
	}
	if err := r.settles("while they are ill", r.promises(true)); err != nil {
		return err
	}
	var cured struct{ Machines []string }
	if err := r.order(http.MethodPost, "/fault", map[string]any{"kind": "clear", "count": 0}, &cured); err != nil {
		return err
	}
	if err := r.settles("when they are well", r.promises(false)); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.blunder
}

// fitting are the disturbances that fit this world; on small disks and with clocks every
// second time only those of which there are no others.
func (r *round) fitting() (fit []disturbance) {
	own := (r.scene.full || r.scene.clocks) && r.rand.IntN(2) == 0
	for _, d := range disturbances {
		if d.fits(r.world) && (!own || strings.HasSuffix(d.name, "disk full") || strings.HasSuffix(d.name, "clock wrong")) {
			fit = append(fit, d)
		}
	}
	return fit
}

// fallIll gives count machines more a full disk.
func (r *round) fallIll(count int) error {
	var fell struct{ Machines []string }
	if err := r.order(http.MethodPost, "/fault", map[string]any{"kind": "filesystem", "count": count}, &fell); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, name := range fell.Machines {
		r.sick[name]++
	}
	return nil
}

// remember counts the illnesses anew after workstations were killed: what they had
// not told by then they have forgotten, what they had written down has come by now. The
// scripts that were lost by it stay so, and no other one is.
func (r *round) remember() error {
	if !r.killed {
		return nil
	}
	r.killed = false
	rows, err := r.runRows()
	if err != nil {
		return err
	}
	for _, run := range rows {
		if run.state == "lost" {
			r.lost[run.id] = true
		}
	}
	time.Sleep(2 * time.Second)
	had, err := r.tally("SELECT machine_id, count(*) FROM alert WHERE check_id = 'filesystem.full' AND {wall} GROUP BY machine_id")
	for name, id := range r.ids {
		r.sick[name] = had[id]
	}
	return err
}

// beside does something while things go wrong.
func (r *round) beside(do func() error) {
	r.group.Go(func() {
		if err := do(); err != nil {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.failed = errors.Join(r.failed, err)
		}
	})
}

// insist does something until it is done: it must be something that may be asked for
// again.
func (r *round) insist(what string, do func() error) error {
	var err error
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		var no *api.Refused
		if err = do(); err == nil || errors.As(err, &no) && no.Status < 500 {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// settles waits until every promise holds.
func (r *round) settles(when string, promises []promise) error {
	var err error
	for end := time.Now().Add(patience); time.Now().Before(end); {
		err = nil
		for _, p := range promises {
			if broken := p.holds(r); broken != nil {
				err = fmt.Errorf("%s, %s: %w", when, p.says, broken)
				if errors.As(broken, new(never)) {
					return err
				}
				break
			}
		}
		if err == nil {
			return nil
		}
		select {
		case <-r.ctx.Done():
			return r.ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	return err
}
