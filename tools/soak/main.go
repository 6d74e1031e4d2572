// Command soak lets a console work for long, and holds what it keeps against what it
// keeps later.
//
//	make soak MINUTES=10                     2,000 pretend workstations, SQLite
//	make soak MINUTES=1440                   a day
//	make soak MACHINES=500 DATABASE=postgres
//
// In a cycle there is churn (churn.go): machines are cut off and come back, some are
// killed or say goodbye and start again, fall ill and get well, are asked, alone and
// together, and run scripts; people sign in and out, open and resolve tickets, watch
// machines, and open and leave terminals on a real agent. Then everything is let be
// (quiet.go) until nothing waits any more, and what the two processes hold is read: of
// the console, and of the pretend workstations that are never restarted.
//
// A line is fitted over the points after the first third (verdict.go); what the pretend
// workstations keep goes up and down with each hour of their history, and is held against
// itself whole hours before, as many as the run has. That takes 80 minutes from a whole
// hour of the clock, and up to two hours from another moment; a shorter run tells a gross
// leak alone. What grows ends the run with an error; where a short run cannot tell, it
// says so. It is an error, too, if something still waits in the database five minutes
// after the churn, or if there are more rows than that many machines can have. The
// database itself may grow: by what was done, and not by more for each act than before.
//
// It may run on a busy machine, for nothing is timed. The points and the verdict go into
// docs/soak-DATABASE.json and .svg and into BENCHMARKS.md, from a committed tree only.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/deskside/deskside/tools/internal/stage"
)

const (
	shortest = 30 * time.Second // a cycle
	points   = 288              // at most; the cycles of a long run are longer
)

func main() {
	minutes := flag.Int("minutes", 10, "how long")
	machines := flag.Int("machines", 2000, "pretend workstations")
	database := flag.String("database", "sqlite", "sqlite or postgres")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *minutes, *machines, *database); err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, minutes, machines int, database string) (err error) {
	switch {
	case minutes < 2:
		return fmt.Errorf("MINUTES=%d: it takes 2 at least", minutes)
	case machines < 100:
		return fmt.Errorf("MACHINES=%d: it takes 100 at least", machines)
	case database != "sqlite" && database != "postgres":
		return fmt.Errorf("DATABASE=%s: there are sqlite and postgres", database)
	}
	origin, err := stage.Here(ctx)
	if err != nil {
		return err
	}
	s, err := begin(ctx, machines, database)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	all, err := s.cycles(time.Duration(minutes) * time.Minute)
	if err != nil {
		return fmt.Errorf("%w; the end of the logs: %s", err, s.Logged())
	}
	rows, err := s.grown()
	if err != nil {
		return err
	}
	r := report{Commit: origin.Commit, Date: origin.Date, Machine: origin.Machine, Minutes: minutes, Machines: machines, Database: database,
		Points: all, Done: s.done.counts(), Rows: rows}
	if r.Verdicts, err = judge(all); err != nil {
		return err
	}
	grows := 0
	for _, v := range r.Verdicts {
		fmt.Println(v)
		if v.grows() {
			grows++
		}
	}
	if origin.Changed {
		fmt.Println("files differ from the commit: nothing was written down")
	} else if err := r.write(); err != nil {
		return err
	}
	if grows > 0 {
		return fmt.Errorf("%d of %d grow", grows, len(r.Verdicts))
	}
	return nil
}

// cycles are churn and quiet until the time is over.
func (s *soak) cycles(long time.Duration) (all []point, err error) {
	cycle := max(shortest, long/points)
	began := time.Now()
	for n := 0; time.Since(began) < long; n++ {
		next := time.Now().Add(cycle)
		if err := s.churn(next.Add(-cycle / 4)); err != nil {
			return nil, fmt.Errorf("cycle %d: %w", n, err)
		}
		p, err := s.quiet(began)
		if err != nil {
			return nil, fmt.Errorf("cycle %d: %w", n, err)
		}
		fmt.Println(p)
		all = append(all, p)
		if err := s.Pause(time.Until(next)); err != nil {
			return nil, err
		}
	}
	return all, nil
}
