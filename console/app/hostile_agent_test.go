package app_test

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/agent/state"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/console/store/storetest"
	"github.com/deskside/deskside/protocol"
)

// TestHostileAgent: one machine with a name of its own, and strangers without
// one, do on purpose what no agent does. Nothing of it gets through, another
// machine is not disturbed meanwhile, and neither memory nor database grows
// without bound.
func TestHostileAgent(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		s := besiege(t, w)
		slow := s.patience(t)
		t.Run("before identity", func(t *testing.T) { s.stand(t, strangers()) })
		t.Run("frames", func(t *testing.T) { s.stand(t, frames()) })
		s.quiet = s.started // the slow ones are over, or nearly
		t.Run("authority", func(t *testing.T) { s.stand(t, authority(t, s)) })
		t.Run("volume", func(t *testing.T) { s.stand(t, volume()) })
		t.Run("patience", slow)
	})
}

const (
	heapBound     = 160 << 20 // of what is in use after a collection: this process is console, attackers and database at once
	peakBound     = 400 << 20 // of what is allocated at any moment, garbage included
	goroutineRoom = 12        // more or fewer connections of the database and of the tests' own browsers
	disturbed     = 20 * time.Second
)

// siege is a console with a machine that works, and one that does not mean well.
type siege struct {
	t       *testing.T // of the case
	w       *world
	n       *node
	store   *store.Store
	good    *neighbour
	bad     state.Identity
	other   *node          // a technician of another organisation
	theirs  state.Identity // a machine of theirs
	started int            // goroutines before the first attack
	quiet   int            // as many are to be left; 0 while the slow ones wait for their end
}

// attack is one thing that is done wrongly on purpose.
type attack struct {
	name string
	does func(*siege) // does it, and looks at what comes of it
	// leaves says how many rows it may leave, by table; of all other tables none.
	leaves map[string]int
}

func besiege(t *testing.T, w *world) *siege {
	s := &siege{t: t, w: w, n: w.start("")}
	s.store = storetest.Open(t, w.database)
	s.bad = s.n.enrolled("bad")
	s.other, s.theirs = w.elsewhere(s.n)
	s.good = s.n.neighbour(t, "good")
	s.undisturbed()
	http.DefaultClient.CloseIdleConnections()
	s.started = runtime.NumGoroutine()
	return s
}

// of makes what fails from now on fail t.
func (s *siege) of(t *testing.T) { s.t, s.w.t = t, t }

// stand goes through attacks, one after the other.
func (s *siege) stand(t *testing.T, list []attack) {
	peak := watchHeap()
	for _, a := range list {
		t.Run(a.name, func(t *testing.T) {
			s.of(t)
			before := s.rows()
			a.does(s)
			s.answered()
			for table, n := range s.rows() {
				if more := n - before[table]; more > a.leaves[table] {
					t.Errorf("it left %d rows of %s, and may leave %d", more, table, a.leaves[table])
				}
			}
			s.undisturbed()
		})
	}
	s.of(t)
	if most := peak(); most > peakBound {
		t.Errorf("at the worst moment %d MiB were allocated", most>>20)
	}
	s.calm()
}

// kept are the tables that a machine could fill, each with what is not counted:
// rows of the machine that works, and that it was asked.
var kept = map[string]string{
	"machine": "", "fact_section": "", "machine_journal": "", "history": "", "run": "", "run_output": "", "session": "", "blob_part": "",
	"credential": "", "group_machine": "", "audit": "action <> 'question.ask'",
	"alert": "machine_id <> $1", "ticket": "machine_id <> $1", "ticket_machine": "machine_id <> $1", "fact_change": "machine_id <> $1",
	"question_machine": "machine_id <> $1", "refused_message": "machine_id <> $1",
	"ticket_item": "ticket_id NOT IN (SELECT id FROM ticket WHERE machine_id = $1)",
}

func (s *siege) rows() map[string]int {
	s.t.Helper()
	counts := map[string]int{}
	err := s.store.View(s.t.Context(), store.System("test"), func(tx *store.Tx) error {
		for table, others := range kept {
			query, args := "SELECT count(*) FROM "+table, []any{}
			if others != "" {
				query += " WHERE " + others
			}
			if strings.Contains(others, "$1") {
				args = []any{s.good.id.Machine}
			}
			var n int
			if err := tx.QueryRow(query, args...).Scan(&n); err != nil {
				return err
			}
			counts[table] = n
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return counts
}

// count asks the database beside the console.
func (s *siege) count(query string, args ...any) (n int) {
	s.t.Helper()
	err := s.store.View(s.t.Context(), store.System("test"), func(tx *store.Tx) error { return tx.QueryRow(query, args...).Scan(&n) })
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

// undisturbed looks at the machine that works: it is online, its beat is
// answered, it answers a question, and its alert arrives and resolves.
func (s *siege) undisturbed() time.Duration {
	s.t.Helper()
	began := time.Now()
	if p := s.n.get("/machines/" + s.good.id.Machine.String())["presence"]; p != "online" {
		s.t.Fatalf("the other machine is %v: %v", p, s.good.lost())
	}
	s.good.beat(s.t)
	answered := s.ask()
	episode := s.good.fires(s.t, protocol.StateFiring)
	firing := func() int {
		return s.count("SELECT count(*) FROM alert WHERE machine_id = $1 AND state = 'firing' AND episode = $2", s.good.id.Machine, episode)
	}
	if firing() != 1 {
		s.t.Error("the alert of the other machine is not there")
	}
	s.good.fires(s.t, protocol.StateResolved)
	if firing() != 0 {
		s.t.Error("the alert of the other machine does not resolve")
	}
	answered()
	took := time.Since(began)
	if took > disturbed {
		s.t.Errorf("all this took the other machine %s", took)
	}
	return took
}

// ask asks the machine that works a question; what comes back waits for its answer.
func (s *siege) ask() (answered func()) {
	s.t.Helper()
	var q struct{ ID uuid.UUID }
	s.n.post("/questions", map[string]any{"expression": "memory.used", "machine_ids": []string{s.good.id.Machine.String()}}, &q)
	return func() {
		s.t.Helper()
		s.n.eventually(disturbed, "the other machine answers a question", func() bool {
			return s.count("SELECT count(*) FROM question_machine WHERE question_id = $1 AND state = 'answered'", q.ID) == 1
		})
	}
}

// answered waits until all answers that the console has read are written down: they
// are in the order in which they came.
func (s *siege) answered() {
	s.t.Helper()
	s.ask()()
}

// meanwhile looks at the machine that works for as long as an attack goes on, and
// at least once.
func (s *siege) meanwhile(attack func()) {
	s.t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		attack()
	}()
	var worst time.Duration
	for over := false; !over; {
		worst = max(worst, s.undisturbed())
		select {
		case <-done:
			over = true
		default:
		}
	}
	s.t.Logf("the other machine waited %s at most", worst.Round(time.Millisecond))
}

// calm waits until everything that an attack began has ended, and looks at what
// is still in use.
func (s *siege) calm() {
	s.t.Helper()
	http.DefaultClient.CloseIdleConnections()
	if s.quiet > 0 {
		s.n.eventually(25*time.Second, fmt.Sprintf("of %d goroutines are left as many as there were, %d", runtime.NumGoroutine(), s.quiet),
			func() bool { return runtime.NumGoroutine() <= s.quiet+goroutineRoom })
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if m.HeapInuse > heapBound {
		s.t.Errorf("%d MiB are in use", m.HeapInuse>>20)
	}
	s.t.Logf("%d MiB are in use, %d goroutines", m.HeapInuse>>20, runtime.NumGoroutine())
}

// watchHeap notes the most that is allocated until it is asked.
func watchHeap() func() uint64 {
	stop, most := make(chan struct{}), make(chan uint64)
	go func() {
		sample := newHeapSample()
		var worst uint64
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				worst = max(worst, sample())
			case <-stop:
				most <- worst
				return
			}
		}
	}()
	return func() uint64 {
		close(stop)
		return <-most
	}
}

// line is a line of the hostile machine.
func (s *siege) line() *wire {
	s.t.Helper()
	return s.n.line(s.t, s.bad, uuid.New())
}

// ended reads until the console hangs up, and returns the code with which it
// refused before, if it did.
func (w *wire) ended() string {
	w.t.Helper()
	code := ""
	for {
		m, err := w.next()
		if err != nil {
			if strings.Contains(err.Error(), "timeout") {
				w.t.Error("the console does not hang up")
			}
			return code
		}
		if m.Kind == protocol.KindRefused {
			var r protocol.Refused
			w.read(m, &r)
			code = r.Code
		}
	}
}
