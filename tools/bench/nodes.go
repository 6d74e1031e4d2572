package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"golang.org/x/sync/errgroup"

	"github.com/deskside/deskside/console/store/storetest"

	"github.com/deskside/deskside/tools/internal/page"
	"github.com/deskside/deskside/tools/internal/stage"
)

// How many nodes there are in the end, and how many machines each of them has.
const nodesMost = 5

var nodesEach = 600

const (
	nodesRest   = 40 * time.Second // after machines enrolled: groups and facts come later
	nodesIdle   = 40 * time.Second // that is looked at then
	nodesBack   = 5 * time.Minute  // for all machines to come back: two cores carry all five nodes
	nodesAnswer = 30 * time.Second // for the answers of all
)

// nodes measures what a machine costs one node, and then five of them that share one
// PostgreSQL and one NATS, each with as many machines as the one had.
func nodes(ctx context.Context) (_ map[string]figure, err error) {
	cluster, err := storetest.StartDurable()
	if err != nil {
		return nil, err
	}
	defer cluster.Close()
	hints, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true})
	if err != nil {
		return nil, err
	}
	go hints.Start()
	defer hints.Shutdown()
	if !hints.ReadyForConnections(stage.Patience) {
		return nil, errors.New("the message server does not become ready")
	}
	s := &several{hints: hints.ClientURL()}
	if s.postgres, err = postmaster(ctx, cluster.URL); err != nil {
		return nil, err
	}
	if s.world, err = newWorld(ctx, cluster.URL, "--nats", s.hints); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	one, err := s.with(1)
	if err != nil {
		return nil, fmt.Errorf("one node: %w", err)
	}
	five, err := s.with(nodesMost)
	if err != nil {
		return nil, fmt.Errorf("%d nodes: %w", nodesMost, err)
	}
	return map[string]figure{
		"nodes-memory": against(one, five, func(c cost) float64 { return c.memory }, ""),
		"nodes-login": against(one, five, func(c cost) float64 { return c.login },
			fmt.Sprintf("PostgreSQL %s against %s us", page.Short(five.loginBehind), page.Short(one.loginBehind))),
		"nodes-idle": against(one, five, func(c cost) float64 { return c.idle },
			fmt.Sprintf("PostgreSQL %s against %s us", page.Short(five.idleBehind), page.Short(one.idleBehind))),
		"nodes-answers": {ours: float64(five.answered), theirs: float64(five.asked),
			note: fmt.Sprintf("a question at each of %d nodes, which %d machines have between them", nodesMost, five.machines)},
	}, nil
}

// against holds what a machine costs five nodes against what it costs one.
func against(one, five cost, of func(cost) float64, more string) figure {
	note := fmt.Sprintf("%d machines, and %d at one node", five.machines, one.machines)
	if more != "" {
		note += "; " + more
	}
	return figure{ours: of(five), theirs: of(one), note: note,
		points: []point{{Machines: one.machines, Value: of(one)}, {Machines: five.machines, Value: of(five)}}}
}

// A cost is what each machine costs its nodes.
type cost struct {
	machines                int
	memory                  float64 // resident KiB
	login, idle             float64 // microseconds: of a login, and in a minute in which nothing happens
	loginBehind, idleBehind float64 // the same of PostgreSQL
	asked, answered         int     // of the questions at all nodes
}

// several are nodes on one database. The world's own is the first of them.
type several struct {
	*world
	postgres int    // its first process
	hints    string // where the message server is
	nodes    []node
}

type node struct {
	pid       int
	url, http string
	crowd     *stage.Crowd
	empty     float64 // resident bytes with nobody connected
}

// with fills up to so many nodes, and measures all that are there.
func (s *several) with(n int) (c cost, err error) {
	c.machines = n * nodesEach
	for _, step := range []struct {
		name string
		do   func(*cost) error
	}{
		{"machines enrol", func(*cost) error { return s.fill(n) }}, {"idle", s.idle}, {"machines come back", s.logins}, {"asked at all nodes", s.asks},
	} {
		began := time.Now()
		if err := step.do(&c); err != nil {
			return c, fmt.Errorf("%s: %w", step.name, err)
		}
		fmt.Printf("    %-24s %s\n", step.name, time.Since(began).Round(time.Second))
	}
	return c, nil
}

// fill adds nodes with their machines, until there are so many.
func (s *several) fill(n int) error {
	for len(s.nodes) < n {
		if err := s.more(); err != nil {
			return err
		}
	}
	return s.Pause(nodesRest)
}

// more adds a node, and machines that know its address alone.
func (s *several) more() error {
	at := node{pid: s.Console.Process.Pid, url: s.Ready.URL, http: s.Ready.HTTP}
	if len(s.nodes) > 0 {
		args := slices.Concat([]string{"serve", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--keys", s.Path("data/keys"), "--nats", s.hints}, s.On)
		cmd, line, err := s.Start("bin/deskside-console", args...)
		if err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(line), &s.Ready); err != nil {
			return err
		}
		at.pid, at.url, at.http = cmd.Process.Pid, s.Ready.URL, s.Ready.HTTP
	}
	if err := s.Pause(2 * time.Second); err != nil { // what it does when it starts
		return err
	}
	var err error
	if at.empty, err = stage.Resident(at.pid); err != nil {
		return err
	}
	if at.crowd, err = s.Crowd(nodesEach, 0); err != nil { // what runs on them is of no weight here
		return err
	}
	s.nodes = append(s.nodes, at)
	return nil
}

// spent is what the nodes and PostgreSQL work for each machine while something is
// done, in microseconds.
func (s *several) spent(do func() error) (ours, behind float64, err error) {
	all := func() (nodes, database time.Duration, err error) {
		for _, at := range s.nodes {
			took, err := stage.Worked(at.pid)
			if err != nil {
				return 0, 0, err
			}
			nodes += took
		}
		database, err = familyWorked(s.postgres)
		return nodes, database, err
	}
	nodes, database, err := all()
	if err != nil {
		return 0, 0, err
	}
	if err := do(); err != nil {
		return 0, 0, err
	}
	nodesAfter, databaseAfter, err := all()
	each := float64(len(s.nodes) * nodesEach)
	return float64((nodesAfter - nodes).Microseconds()) / each, float64((databaseAfter - database).Microseconds()) / each, err
}

// logins cuts all lines and lets the machines come back.
func (s *several) logins(c *cost) (err error) {
	order := func(kind string) error {
		var all errgroup.Group // at once: those that come back first have much to do
		for _, at := range s.nodes {
			all.Go(func() error { return at.crowd.Order(kind, 0, 0) })
		}
		return all.Wait()
	}
	if err := errors.Join(order("offline"), s.Pause(5*time.Second)); err != nil {
		return err
	}
	began := time.Now()
	c.login, c.loginBehind, err = s.spent(func() error {
		if err := order("clear"); err != nil {
			return err
		}
		return s.Within(nodesBack, "all machines are back", func() (bool, error) {
			for _, at := range s.nodes {
				if n, err := at.crowd.Back(began); err != nil || n < nodesEach {
					return false, err
				}
			}
			return true, nil
		})
	})
	return err
}

// idle looks at nodes on which nothing happens.
func (s *several) idle(c *cost) error {
	const step = 5 * time.Second
	var kib []float64
	idle, behind, err := s.spent(func() error {
		for range nodesIdle / step {
			if err := s.Pause(step); err != nil {
				return err
			}
			all := 0.0
			for _, at := range s.nodes {
				bytes, err := stage.Resident(at.pid)
				if err != nil {
					return err
				}
				all += bytes - at.empty
			}
			kib = append(kib, all/1024/float64(c.machines))
		}
		return nil
	})
	if err != nil {
		return err
	}
	c.idle, c.idleBehind, c.memory = idle/nodesIdle.Minutes(), behind/nodesIdle.Minutes(), quantile(kib, 0.5)
	return nil
}

// asks asks all machines at each of the nodes.
func (s *several) asks(c *cost) error {
	for _, at := range s.nodes {
		if err := s.ask(at, c); err != nil {
			return err
		}
	}
	return nil
}

// ask asks all machines at one of the nodes, and counts who answers: most of them
// hang at others.
func (s *several) ask(at node, c *cost) error {
	s.Ready.HTTP = at.http
	var q struct {
		ID                      string
		Asked, Answered, Failed int
	}
	if err := s.Call(http.MethodPost, "/questions", map[string]any{"expression": largest}, &q); err != nil {
		return err
	}
	if q.Asked != c.machines {
		return fmt.Errorf("%d machines are asked, not %d", q.Asked, c.machines)
	}
	ends := time.Now().Add(nodesAnswer)
	err := s.Until("answers", func() (bool, error) {
		err := s.Call(http.MethodGet, "/questions/"+q.ID+"?wait=10", nil, &q)
		return q.Answered+q.Failed == q.Asked || time.Now().After(ends), err
	})
	if q.Answered < q.Asked {
		fmt.Fprintf(os.Stderr, "%d of %d machines have answered, %d could not\n", q.Answered, q.Asked, q.Failed)
	}
	c.asked, c.answered = c.asked+q.Asked, c.answered+q.Answered
	return err
}
