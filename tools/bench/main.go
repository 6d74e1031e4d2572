// Command bench measures what Deskside weighs and how fast it is, with the real
// programs, and holds each figure against its goal. Where a goal is a ratio, the
// other side is measured in the same run.
//
//	make bench               all rows
//	make bench BENCH=agent   the rows whose name has that in it
//
// It refuses to measure on a busy machine (load over 0.5). The figures go into
// docs/benchmarks.json with commit, date and machine; the table of BENCHMARKS.md
// and the drawing docs/benchmarks.svg are made from that file. With --anyway it
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
	draw := flag.Bool("draw", false, "only write the table and the drawing anew")
	flag.IntVar(&fleetUsual, "machines", fleetUsual, "with --anyway: how many machines the rows about a fleet have")
	flag.Parse()
	fleetMost = fleetUsual + fleetUsual/2
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if words := flag.Args(); len(words) > 0 {
		if err := bare(ctx, words); err != nil {
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
		return errors.New("files differ from the commit; commit them, or measure with --anyway")
	}
	measured := 0
	for _, m := range measurements {
		if !m.wanted(name) {
			continue
		}
		if !anyway {
			if err := idle(ctx); err != nil {
				return err
			}
		}
		fmt.Fprintf(os.Stderr, "%s ...\n", m.name)
		began := time.Now()
		figures, err := m.run(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		for _, r := range m.rows {
			f, ok := figures[r.name]
			if !ok {
				return fmt.Errorf("%s: no figure for %s", m.name, r.name)
			}
			e := entry{Row: r.name, Ours: f.ours, Theirs: f.theirs, Note: f.note, Commit: origin.Commit, Date: origin.Date, Machine: origin.Machine}
			fmt.Println(e.line(r))
			book.put(e)
			measured++
		}
		fmt.Fprintf(os.Stderr, "%s took %s\n", m.name, time.Since(began).Round(time.Second))
	}
	if measured == 0 {
		return fmt.Errorf("no row has %q in its name; there are: %s", name, strings.Join(names(), ", "))
	}
	if anyway {
		return nil
	}
	return book.write()
}
