// Command bench measures what Deskside weighs and how fast it is, with the real
// programs, and holds each figure against its goal. Where a goal is a ratio, the
// other side is measured in the same run.
//
//	make bench               all rows
//	make bench BENCH=agent   the rows whose name has that in it
//
//	bench record --database FILE   takes the day of a real machine for the rows of history
//
// It refuses to measure on a busy machine (load over 0.5). The figures go into
// docs/benchmarks.json with commit, date and machine; the table of BENCHMARKS.md
// and the drawings docs/benchmarks.svg and docs/growth.svg are made from that file. With --anyway it
// measures on a busy machine and from changed files too, and writes nothing.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/deskside/deskside/tools/internal/stage"
)

const busy = 0.5 // load of a machine on which figures mean nothing

func main() {
	name := flag.String("row", "", "only rows whose name has this in it")
	anyway := flag.Bool("anyway", false, "measure on a busy machine or from changed files, and write nothing")
	draw := flag.Bool("draw", false, "only write the table and the drawings anew")
	flag.IntVar(&fleetUsual, "machines", fleetUsual, "with --anyway: how many machines the rows about a fleet have")
	flag.IntVar(&nodesEach, "each", nodesEach, "with --anyway: how many machines each of the nodes has")
	flag.Parse()
	fleetMost = fleetUsual + fleetUsual/2
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if words := flag.Args(); len(words) > 0 {
		do := bare
		if words[0] == recordWord {
			do, words = record, words[1:]
		}
		if err := do(ctx, words); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	if err := run(ctx, *name, *anyway, *draw); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, name string, anyway, draw bool) error {
	book, err := openBook()
	if err != nil {
		return err
	}
	if draw {
		return book.write()
	}
	origin, err := stage.Here(ctx)
	if err != nil {
		return err
	}
	if !anyway && origin.Changed {
		return errors.New("files differ from the commit; commit them, or measure without writing anything down: .cache/bench -anyway -row NAME")
	}
	measured, all := 0, time.Now()
	var failures []error
	for _, m := range wanted(measurements, name) {
		if !anyway && m.name != files {
			if err := idle(ctx); err != nil {
				return err
			}
		}
		fmt.Fprintf(os.Stderr, "%s ...\n", m.name)
		began := time.Now()
		figures, failed := m.run(ctx)
		for _, r := range m.rows {
			f, ok := figures[r.name]
			if !ok { // a measurement that failed keeps what it had by then
				failed = errors.Join(failed, fmt.Errorf("no figure for %s", r.name))
				continue
			}
			e := entry{Row: r.name, Ours: f.ours, Theirs: f.theirs, Note: f.note, Points: f.points, Commit: origin.Commit, Date: origin.Date, Machine: origin.Machine}
			fmt.Println(e.line(r))
			book.put(e)
			measured++
		}
		fmt.Fprintf(os.Stderr, "%s took %s\n", m.name, time.Since(began).Round(time.Second))
		if failed != nil {
			failures = append(failures, fmt.Errorf("%s: %w", m.name, failed))
		}
	}
	if measured == 0 && failures == nil {
		return fmt.Errorf("no row has %q in its name; there are: %s", name, strings.Join(names(), ", "))
	}
	fmt.Fprintf(os.Stderr, "all took %s\n", time.Since(all).Round(time.Second))
	if !anyway {
		failures = append(failures, book.write())
		fmt.Fprintf(os.Stderr, "written into %s, %s and the drawings\n", tableFile, bookFile)
	}
	return errors.Join(failures...)
}
