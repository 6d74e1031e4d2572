package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/deskside/deskside/tools/internal/stage"
)

// familyWorked is the processor time that a process and its children have had, those
// that have ended with them. It is for a server that has a process for each of its
// connections.
func familyWorked(pid int) (time.Duration, error) {
	all, err := stage.Worked(pid)
	if err != nil {
		return 0, err
	}
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(raw), ") ") // its name is no field: it may have blanks
	fields := strings.Fields(rest)
	for _, ticks := range fields[13:15] { // cutime and cstime
		n, err := strconv.ParseInt(ticks, 10, 64)
		if err != nil {
			return 0, err
		}
		all += time.Duration(n) * time.Second / 100
	}
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return 0, err
	}
	for _, child := range strings.Fields(string(children)) {
		n, err := strconv.Atoi(child)
		if err != nil {
			return 0, err
		}
		took, err := stage.Worked(n)
		if err != nil {
			continue // it has ended
		}
		all += took
	}
	return all, nil
}

// postmaster is the first process of a PostgreSQL on this machine.
func postmaster(ctx context.Context, url string) (int, error) {
	db, err := pgx.Connect(ctx, url)
	if err != nil {
		return 0, err
	}
	defer db.Close(ctx)
	var dir string
	if err := db.QueryRow(ctx, "SHOW data_directory").Scan(&dir); err != nil {
		return 0, err
	}
	raw, err := os.ReadFile(filepath.Join(dir, "postmaster.pid"))
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(string(raw), "\n")
	return strconv.Atoi(first)
}

// quantile is the value below which a share of a list lies; the list is sorted.
func quantile(list []float64, share float64) float64 {
	slices.Sort(list)
	return list[min(len(list)-1, int(share*float64(len(list))))]
}
