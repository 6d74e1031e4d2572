package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"

	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/console/store/storetest"
	"github.com/deskside/deskside/tools/internal/stage"
)

// soak is a console with its machines.
type soak struct {
	*stage.World
	cluster  *storetest.Cluster
	store    *store.Store // looks at the database beside the console
	steady   *stage.Crowd // is measured
	restless *stage.Crowd // is restarted; one in twenty machines
	agent    string       // the machine of a real agent
	ids      []string     // of pretend machines
	linux    []string     // of those that run scripts for Linux
	done     tally
	turns    int // of faults
}

// tally counts what was done.
type tally struct {
	mu sync.Mutex
	n  map[string]int
}

func (t *tally) add(what string, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n[what] += n
}

func (t *tally) counts() map[string]int {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := map[string]int{}
	for what, n := range t.n {
		out[what] = n
	}
	return out
}

func (t *tally) all() (n int) {
	for _, one := range t.counts() {
		n += one
	}
	return n
}

const signsIn = "soaker" // somebody with a password

func begin(ctx context.Context, machines int, database string) (_ *soak, err error) {
	s := &soak{done: tally{n: map[string]int{}}}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	url := ""
	if database == "postgres" {
		if s.cluster, err = storetest.StartDurable(); err != nil {
			return nil, err
		}
		url = s.cluster.URL
	}
	if s.World, err = stage.New(ctx, "soak", url); err != nil {
		return nil, err
	}
	if s.store, err = store.Open(ctx, store.Options{Data: s.Path("data"), Database: url, Log: slog.New(slog.DiscardHandler)}); err != nil {
		return nil, err
	}
	if err := s.Person(signsIn, "technician"); err != nil {
		return nil, err
	}
	if err := s.hurry(); err != nil {
		return nil, err
	}
	if _, s.agent, err = s.Agent(); err != nil {
		return nil, err
	}
	if s.restless, err = s.Crowd(machines/20, 0); err != nil {
		return nil, err
	}
	if s.steady, err = s.Crowd(machines-machines/20, 0); err != nil {
		return nil, err
	}
	return s, s.meet()
}

// hurry makes an alert of a full disk at the next look at it, and takes storms away, so
// that each has a ticket of its own.
func (s *soak) hurry() error {
	var check, settings struct{ Version int64 }
	if err := s.Call(http.MethodGet, "/checks/filesystem.full", nil, &check); err != nil {
		return err
	}
	if err := s.Call(http.MethodPatch, "/checks/filesystem.full", map[string]any{"version": check.Version, "for": "0s", "keep_firing_for": "0s"}, nil); err != nil {
		return err
	}
	if err := s.Call(http.MethodGet, "/settings", nil, &settings); err != nil {
		return err
	}
	return s.Call(http.MethodPatch, "/settings", map[string]any{"version": settings.Version, "auto_resolve_after": "10s", "storm": map[string]any{"machines": 10000}}, nil)
}

// meet learns who the pretend machines are.
func (s *soak) meet() error {
	for cursor := ""; ; {
		var page struct {
			Items []struct {
				ID string
				OS struct{ Family string }
			}
			Next *string
		}
		if err := s.Call(http.MethodGet, "/machines?limit=500&sort=name&cursor="+cursor, nil, &page); err != nil {
			return err
		}
		for _, m := range page.Items {
			if m.ID == s.agent {
				continue
			}
			s.ids = append(s.ids, m.ID)
			if m.OS.Family == "linux" {
				s.linux = append(s.linux, m.ID)
			}
		}
		if page.Next == nil {
			break
		}
		cursor = *page.Next
	}
	if all := s.steady.Machines + s.restless.Machines; len(s.ids) != all || len(s.linux) == 0 {
		return fmt.Errorf("%d machines of %d are known, %d of them run Linux", len(s.ids), all, len(s.linux))
	}
	return nil
}

func (s *soak) close() error {
	var errs []error
	if s.store != nil {
		errs = append(errs, s.store.Close())
	}
	if s.World != nil {
		errs = append(errs, s.Close())
	}
	if s.cluster != nil {
		errs = append(errs, s.cluster.Close())
	}
	return errors.Join(errs...)
}
