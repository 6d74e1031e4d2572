package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/protocol/expression"
	"github.com/deskside/deskside/tools/internal/stage"
)

// A point is what was held when everything was quiet.
type point struct {
	Minute           float64 `json:"minute"`
	PastHour         float64 `json:"past_hour"` // minutes since the last whole hour, by the clock
	Resident         float64 `json:"resident_bytes"`
	Heap             float64 `json:"heap_bytes"` // still in use after collections
	Goroutines       float64 `json:"goroutines"`
	Descriptors      float64 `json:"descriptors"`
	CrowdOwn         float64 `json:"machines_own_bytes"`  // without the file of their states
	CrowdHeap        float64 `json:"machines_heap_bytes"` // of it in use
	CrowdGoroutines  float64 `json:"machines_goroutines"`
	CrowdDescriptors float64 `json:"machines_descriptors"`
	Database         float64 `json:"database_bytes"` // of pages in use
	Acts             int     `json:"acts"`           // until then
}

func (p point) String() string {
	return fmt.Sprintf("%6.1f min  console %.1f MiB, heap %.2f MiB, %.0f goroutines, %.0f descriptors; machines %.1f MiB, heap %.2f MiB, %.0f goroutines, %.0f descriptors; database %.1f MiB after %d acts",
		p.Minute, p.Resident/mib, p.Heap/mib, p.Goroutines, p.Descriptors, p.CrowdOwn/mib, p.CrowdHeap/mib, p.CrowdGoroutines, p.CrowdDescriptors, p.Database/mib, p.Acts)
}

const mib = 1 << 20

// calm is how long after the churn something may wait still, on a machine that has other
// work too.
const calm = 5 * time.Minute

// rests are rows of which none is left then.
var rests = []struct{ what, query string }{
	{"scripts that are not over", "SELECT count(*) FROM run WHERE state IN ('queued', 'sent', 'running') AND {wall}"},
	{"machines that are still to answer", "SELECT count(*) FROM question_machine WHERE state = 'pending' AND {wall}"},
	{"sessions that live, or are to be closed", "SELECT count(*) FROM session WHERE (state IN ('opening', 'waiting_consent', 'open') OR closing) AND {wall}"},
	{"due rows that are late", "SELECT count(*) FROM due WHERE at < $1"},
	{"audit rows that are not sealed", "SELECT count(*) FROM audit WHERE number = 0 AND {wall}"},
	{"messages of machines that were refused", "SELECT count(*) FROM refused_message WHERE {wall}"},
}

// bounds are rows of which there are so many at most for each machine, and few more.
var bounds = []struct {
	what, query string
	each        float64
}{
	{"marks", "SELECT count(*) FROM mark", 4}, // one for each of four logs
	{"sections of facts", "SELECT count(*) FROM fact_section WHERE {wall}", float64(len(expression.Sections()))},
	{"due rows", "SELECT count(*) FROM due WHERE kind NOT IN ('fleet.question', 'account.expires')", 2}, // days to be packed, a line that is lost
	{"ways to sign in", "SELECT count(*) FROM credential WHERE {wall}", 0},
	{"open alerts", "SELECT count(*) FROM alert WHERE open_key <> '' AND {wall}", 0.05},
	{"consoles", "SELECT count(*) FROM node", 0},
}

const few = 20

// grows are tables that keep what was done, for as long as it is kept.
var grows = []string{"audit", "ticket", "ticket_item", "alert", "run", "run_output", "question", "question_machine", "session", "blob_part", "machine_journal", "fact_change", "history"}

// quiet waits until nothing waits any more, and reads what is held.
func (s *soak) quiet(began time.Time) (point, error) {
	if err := s.settle(); err != nil {
		return point{}, err
	}
	if err := s.bounded(); err != nil {
		return point{}, err
	}
	heap, err := s.collected()
	if err != nil {
		return point{}, err
	}
	p := point{Heap: heap, Minute: time.Since(began).Minutes(), PastHour: float64(time.Now().Unix()%3600) / 60, Acts: s.done.all()}
	s.Client.CloseIdleConnections()
	if err := s.Pause(2 * time.Second); err != nil {
		return p, err
	}
	n, err := s.node()
	if err != nil {
		return p, err
	}
	p.Goroutines, p.Descriptors = n.Goroutines, n.Descriptors
	if p.Resident, err = stage.Resident(s.Console.Process.Pid); err != nil {
		return p, err
	}
	if p.CrowdHeap, p.CrowdGoroutines, err = s.steady.Held(); err != nil {
		return p, err
	}
	if p.CrowdOwn, err = stage.Own(s.steady.Cmd.Process.Pid); err != nil {
		return p, err
	}
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.steady.Cmd.Process.Pid))
	if err != nil {
		return p, err
	}
	p.CrowdDescriptors = float64(len(open))
	p.Database, err = s.bytes()
	return p, err
}

// held is what the console tells of its process.
type held struct {
	Machines, Goroutines, Collections, Descriptors float64
	HeapBytes                                      float64 `json:"heap_bytes"`
}

func (s *soak) node() (h held, err error) { return h, s.Call(http.MethodGet, "/node", nil, &h) }

// settle waits until all machines are there and nothing is to be done.
func (s *soak) settle() error {
	var waits error
	for end := time.Now().Add(calm); time.Now().Before(end); {
		err := s.steady.Order("clear", 0, 0) // what was ordered last may have been lost
		var n held
		if err == nil {
			n, err = s.node()
		}
		if away := len(s.ids) + 1 - int(n.Machines); err == nil && away != 0 {
			err = fmt.Errorf("machines that are not connected: %d", away)
		}
		waits = err
		for _, r := range rests {
			var args []any
			if strings.Contains(r.query, "$1") {
				args = append(args, store.Micros(time.Now().Add(-5*time.Second)))
			}
			n, err := s.count(r.query, args...)
			if err != nil {
				return err
			}
			if n > 0 {
				waits = errors.Join(waits, fmt.Errorf("%s: %d", r.what, n))
			}
		}
		if waits == nil {
			return nil
		}
		if err := s.Pause(200 * time.Millisecond); err != nil {
			return err
		}
	}
	return fmt.Errorf("%s after the churn there are %w", calm, waits)
}

// bounded holds tables against what so many machines can have.
func (s *soak) bounded() error {
	var over error
	for _, b := range bounds {
		n, err := s.count(b.query)
		if err != nil {
			return err
		}
		if most := b.each*float64(len(s.ids)+1) + few; float64(n) > most {
			over = errors.Join(over, fmt.Errorf("%s: %d rows, at most %.0f", b.what, n, most))
		}
	}
	return over
}

// looks is after how many collections of garbage the least is taken of what was in use:
// each finds whatever is under way in its moment, and nothing of the churn is left.
const looks = 8

// collected reads lists, so that the console collects its garbage, and tells how much was
// in use.
func (s *soak) collected() (least float64, err error) {
	at, err := s.node()
	if err != nil {
		return 0, err
	}
	from := at.Collections + 2 // what is kept for the next who needs one goes with the second
	err = s.Until("the console collects its garbage", func() (bool, error) {
		if err := s.Call(http.MethodGet, "/machines?limit=500", nil, nil); err != nil {
			return false, err
		}
		at, err := s.node()
		if at.Collections >= from && (least == 0 || at.HeapBytes < least) {
			least = at.HeapBytes
		}
		return at.Collections >= from+looks, err
	})
	return least, err
}

func (s *soak) count(query string, args ...any) (n int, err error) {
	err = s.store.View(s.Ctx, store.System("soak"), func(tx *store.Tx) error { return tx.QueryRow(query, args...).Scan(&n) })
	if err != nil {
		return 0, fmt.Errorf("%s: %w", query, err)
	}
	return n, nil
}

// bytes is how large the database is, without pages that are free.
func (s *soak) bytes() (float64, error) {
	query := "SELECT (p.page_count - f.freelist_count) * s.page_size FROM pragma_page_count() p, pragma_freelist_count() f, pragma_page_size() s"
	if s.cluster != nil {
		query = "SELECT pg_database_size(current_database())"
	}
	n, err := s.count(query)
	return float64(n), err
}

// grown counts what was kept of what was done.
func (s *soak) grown() (map[string]int, error) {
	rows := map[string]int{}
	for _, table := range grows {
		n, err := s.count("SELECT count(*) FROM " + table + " WHERE {wall}")
		if err != nil {
			return nil, err
		}
		rows[table] = n
	}
	return rows, nil
}
