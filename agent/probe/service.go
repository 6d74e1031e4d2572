package probe

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/deskside/deskside/protocol/expression"
)

const maxServices = 2000

// services reads the services of the system: all in a slow round, in the
// others only the state of those that somebody watches.
type services struct {
	path    func(string) string
	manager manager

	mu      sync.Mutex
	watched []string
	slow    bool
	list    []expression.Service // of the last slow round
}

func newServices(path func(string) string) *services {
	return &services{path: path, manager: manager{path: path}}
}

func (s *services) watch(names []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.watched, names) {
		s.watched = slices.Clone(names)
	}
}

func (s *services) close() { s.manager.close() }

// begin returns what this reading is to do.
func (s *services) begin() (slow bool, watched []string, list []expression.Service) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.slow || s.list == nil, s.watched, s.list
}

func (s *services) setSlow(slow bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slow = slow
}

func (s *services) read(ctx context.Context) (result, error) {
	slow, watched, list := s.begin()
	var missing []expression.Unreadable
	var err error
	switch {
	case slow:
		list, err = s.manager.all(ctx)
		slices.SortFunc(list, func(a, b expression.Service) int { return cmp.Compare(a.Name, b.Name) })
	case len(watched) > 0:
		var now []expression.Service
		now, err = s.manager.some(ctx, watched)
		list = merge(list, now)
	}
	if err != nil {
		s.mu.Lock()
		s.list = nil // ask for all of them when it answers again
		s.mu.Unlock()
		return result{}, err
	}
	list, missing = keep(list, maxServices, expression.SectionServices)
	if list == nil {
		list = []expression.Service{}
	}
	s.mu.Lock()
	s.list = list
	s.mu.Unlock()
	return result{func(m *expression.Machine) { m.Services = list }, missing}, nil
}

// merge returns the list with the states of now in it; the list that was
// handed out before stays as it is.
func merge(list, now []expression.Service) []expression.Service {
	out := slices.Clone(list)
	for _, n := range now {
		i := slices.IndexFunc(out, func(s expression.Service) bool { return strings.EqualFold(string(s.Name), string(n.Name)) })
		switch {
		case i >= 0:
			out[i].State = n.State
			if n.Start != "" {
				out[i].Start = n.Start
			}
		case n.State != "":
			out = append(out, n)
		}
	}
	return out
}
