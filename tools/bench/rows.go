package main

import (
	"context"
	"slices"
	"strings"
)

// A row is one line of the table: a figure and its goal.
type row struct {
	name  string
	what  string
	unit  string  // "MB", "ms", "/s", "KB"; of a ratio that of its two sides
	goal  float64 // of the figure, or of ours : theirs
	ratio bool
	floor bool   // at least the goal, not at most
	other string // what theirs is, of a ratio

	growth growth // where its points are drawn
}

// A figure is what was measured for a row; theirs only for a ratio.
type figure struct {
	ours, theirs float64
	note         string
	points       []point // how it grows, of a row that is measured with several numbers of machines
}

// A measurement is one run of programs that gives the figures of some rows.
type measurement struct {
	name string
	rows []row
	run  func(context.Context) (map[string]figure, error)
}

// files is the measurement in which nothing runs: the machine may be busy.
const files = "size"

// wanted are the measurements of a row or of all rows whose name has that in it; a name
// that is a row's own means that one.
func wanted(all []measurement, name string) []measurement {
	pick := func(fits func(string) bool) (out []measurement) {
		for _, m := range all {
			if fits(m.name) || slices.ContainsFunc(m.rows, func(r row) bool { return fits(r.name) }) {
				out = append(out, m)
			}
		}
		return out
	}
	if own := pick(func(n string) bool { return n == name }); len(own) > 0 {
		return own
	}
	return pick(func(n string) bool { return strings.Contains(n, name) })
}

var measurements = []measurement{
	{files, []row{
		{name: "agent-size", what: "agent binary, stripped", unit: "MB", goal: 15},
		{name: "first-page", what: "script, style and font of the heaviest first page, gzip -9", unit: "KB", goal: 320},
	}, sizes},
	{"agent", []row{
		{name: "agent-memory", what: "agent, resident while it collects, processes included", unit: "MB", goal: 0.75, ratio: true, other: "prometheus-node-exporter, scraped every 15 s"},
		{name: "agent-time", what: "agent, processor time of a round of 15 s", unit: "ms", goal: 1, ratio: true, other: "one scrape of prometheus-node-exporter"},
		{name: "console-memory", what: "console with one agent, resident 5 min after start and sign-in", unit: "MiB", goal: 60},
	}, weigh},
	{"history", []row{
		{name: "history-size", what: "history recorded from a real machine, for each sample", unit: "B", goal: 1.5},
		{name: "history-day", what: "24 hours of 40 series at 15 s, read and thinned", unit: "ms", goal: 5},
	}, packed},
	{"ways", []row{
		{name: "question", what: "question to one machine, from POST to its answer, p50", unit: "ms", goal: 1.5},
		{name: "script", what: "trivial script, from POST to the committed result, p50", unit: "ms", goal: 5},
	}, ways},
	{"echo", []row{
		{name: "echo-ssh", what: "a key until it is back, in a terminal over TLS that is recorded, p50", unit: "ms", goal: 1.5, ratio: true, other: "ssh on the loopback"},
		{name: "echo-relay", what: "the same", unit: "ms", goal: 1.2, ratio: true, other: "a bare relay over TLS"},
		{name: "echo-p99", what: "the same, p99", unit: "ms", goal: 3},
	}, echo},
	{"web", []row{
		{name: "list-open", what: "Computers with 20,000 in a browser with an empty cache, until rows are drawn", unit: "ms", goal: 1000},
		{name: "list-scroll", what: "frames a second while that list is scrolled by most of a screen with each", unit: "/s", goal: 60, floor: true},
	}, paceOfPages},
	{"messages", []row{
		{name: "messages-sqlite", what: "messages of machines committed, each on the disk before it is acknowledged: SQLite", unit: "/s", goal: 10_000, floor: true},
		{name: "messages-postgres", what: "the same: PostgreSQL", unit: "/s", goal: 30_000, floor: true},
	}, messages},
	{"pages", []row{
		{name: "list-20k-sqlite", what: "a page of Computers in the API, filtered, sorted or searched, of 20,000 in SQLite, p99", unit: "ms", goal: 50},
		{name: "list-100k-sqlite", what: "the same of 100,000", unit: "ms", goal: 50},
		{name: "list-20k-postgres", what: "the same of 20,000 in PostgreSQL", unit: "ms", goal: 50},
		{name: "list-100k-postgres", what: "the same of 100,000", unit: "ms", goal: 50},
	}, pages},
	{"fleet", []row{
		{name: "idle-memory", what: "console, resident for each of 15,000 idle machines", unit: "KiB", goal: 1.5, ratio: true, other: "for each of 10,000 that a bare gorilla/websocket server over TLS holds"},
		{name: "idle-time", what: "console, processor time while 15,000 machines beat and upload", unit: "% of a core", goal: 3},
		{name: "login", what: "login of a machine, processor time of the console", unit: "us", goal: 1.3, ratio: true, other: "TLS handshake and upgrade of the bare server"},
		{name: "back", what: "10,000 machines back after the console was killed", unit: "s", goal: 30},
		{name: "back-pages", what: "a list in the API meanwhile, p99", unit: "ms", goal: 500},
		{name: "text-to-all", what: "1 KiB to 10,000 machines and back, the last of them", unit: "ms", goal: 1.5, ratio: true, other: "the bare server"},
		{name: "question-to-all", what: "question over 200 processes to 10,000 machines, the last answer", unit: "ms", goal: 1.5, ratio: true, other: "the bare server, which compiles, filters and decodes the same"},
		{name: "question-work", what: "processor time of the console for each of these answers", unit: "us", goal: 80},
		{name: "alert-ticket", what: "an alert at a machine until its ticket can be read, 10,000 connected, p99", unit: "ms", goal: 250},
		{name: "growth-memory", what: "console, resident for each of 15,000 idle machines", unit: "KiB", goal: 1.1, ratio: true, other: "for each of 1,000", growth: growth{memoryGrowth, "one node"}},
		{name: "growth-time", what: "console, processor time of an idle minute for each of 15,000 machines", unit: "us", goal: 1.1, ratio: true, other: "for each of 1,000", growth: growth{idleGrowth, "one node"}},
	}, fleet},
	{"nodes", []row{
		{name: "nodes-memory", what: "five consoles on one PostgreSQL, resident for each idle machine", unit: "KiB", goal: 1.25, ratio: true, other: "one console with a fifth of the machines", growth: growth{memoryGrowth, "one node, then five, on PostgreSQL"}},
		{name: "nodes-login", what: "login of a machine, processor time of the consoles", unit: "us", goal: 1.25, ratio: true, other: "one console with a fifth of the machines", growth: growth{loginGrowth, "one node, then five, on PostgreSQL"}},
		{name: "nodes-idle", what: "processor time of the consoles for a machine in an idle minute", unit: "us", goal: 1.25, ratio: true, other: "one console with a fifth of the machines", growth: growth{idleGrowth, "one node, then five, on PostgreSQL"}},
		{name: "nodes-answers", what: "answers to questions that are asked at each of five consoles, of machines at all of them", unit: "answers", goal: 1, ratio: true, floor: true, other: "machines that are asked"},
	}, nodes},
}

func names() []string {
	var all []string
	for _, m := range measurements {
		for _, r := range m.rows {
			all = append(all, r.name)
		}
	}
	return all
}
