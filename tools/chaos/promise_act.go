package main

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/deskside/deskside/console/store"
)

// runRow is how a script stands.
type runRow struct {
	id    uuid.UUID
	state string
}

func (r *round) runRows() (rows []runRow, err error) {
	err = r.view(func(tx *store.Tx) (err error) {
		rows, err = store.Collect(tx, func(rows *store.Rows) (o runRow, err error) { return o, rows.Scan(&o.id, &o.state) },
			"SELECT id, state FROM run WHERE {wall}")
		return err
	})
	return rows, err
}

// scripts: each that was asked for is one run, which has come to its end, and no
// machine began it twice, whatever befell it. What a machine was doing when it was
// killed is lost, and is never done again.
func scripts(r *round) error {
	rows, err := r.runRows()
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(rows) != len(r.runs) {
		return never{fmt.Sprintf("%d runs of %d that were asked for", len(rows), len(r.runs))}
	}
	for id, n := range r.begun {
		if n > 1 {
			return never{fmt.Sprintf("the run %s began %d times", id, n)}
		}
		if !r.runs[id] {
			return never{fmt.Sprintf("the run %s began, and nobody asked for it", id)}
		}
	}
	for _, run := range rows {
		switch run.state {
		case "succeeded":
			if r.begun[run.id.String()] != 1 {
				return fmt.Errorf("the run %s succeeded and never began", run.id)
			}
		case "lost":
			if !r.killed && !r.lost[run.id] && !r.scene.clocks {
				return never{"a script is lost, and no machine was killed in this round"}
			}
		case "queued", "sent", "running":
			return fmt.Errorf("one is %s", run.state)
		case "refused", "expired":
			// By a clock that was wrong its time was over, or the machine believed its own
			// clock no more.
			if !r.scene.clocks {
				return never{"a script was " + run.state}
			}
		default:
			return never{"a script has " + run.state}
		}
	}
	return nil
}

// outputs: of each script that has ended since the last look, every line is there
// once, in its order.
func outputs(r *round) error {
	rows, err := r.runRows()
	if err != nil {
		return err
	}
	for _, run := range rows {
		if run.state != "succeeded" || r.whole[run.id] {
			continue
		}
		text, err := r.text("/runs/" + run.id.String() + "/output")
		if err != nil {
			return err
		}
		if err := inOrder(run.id.String(), text); err != nil {
			return never{fmt.Sprintf("the run %s: %v", run.id, err)}
		}
		r.whole[run.id] = true
	}
	return nil
}

// inOrder reads the numbered lines of a pretend workstation. Of what is very long the
// console keeps the beginning and the end, and says what is missing.
func inOrder(run, text string) error {
	n, of := 0, -1
	if head, tail, cut := strings.Cut(text, "\n[…"); cut {
		_, tail, _ = strings.Cut(tail, "…]\n")
		_, tail, _ = strings.Cut(tail, "\n") // the line in which it goes on
		if err := inOrder(run, head[:strings.LastIndexByte(head, '\n')+1]); !errors.As(err, new(short)) {
			return fmt.Errorf("the beginning: %w", err)
		}
		text = tail
		if _, err := fmt.Sscanf(text, "run %s line %d", new(string), &n); err != nil {
			return fmt.Errorf("the end: %w", err)
		}
		n--
	}
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "run ") {
			continue
		}
		var id string
		var number int
		if _, err := fmt.Sscanf(line, "run %s line %d of %d\n", &id, &number, &of); err != nil {
			return fmt.Errorf("it wrote %q", line)
		}
		if n++; id != run || number != n {
			return fmt.Errorf("line %d is %q", n, line)
		}
	}
	if n != of {
		return short{n, of}
	}
	return nil
}

// short is an output that ends too early.
type short struct{ n, of int }

func (s short) Error() string { return fmt.Sprintf("%d lines of %d", s.n, s.of) }

// timeline reads the notes of a ticket, as the API tells them.
func (r *round) timeline(ticket string) (map[string]int, error) {
	there := map[string]int{}
	for cursor := ""; ; {
		var page struct {
			Items []struct{ Kind, Text string }
			Next  *string
		}
		if err := r.call(http.MethodGet, "/tickets/"+ticket+"/timeline?limit=100&cursor="+cursor, nil, &page); err != nil {
			return nil, err
		}
		for _, i := range page.Items {
			if i.Kind == "note" {
				there[i.Text]++
			}
		}
		if page.Next == nil {
			return there, nil
		}
		cursor = *page.Next
	}
}

// notes: one that was taken is there, and none is there twice.
func notes(r *round) error { return r.notesOf(r.ticket) }

// notesOf holds the notes of one ticket against those that were written.
func (r *round) notesOf(ticket string) error {
	there, err := r.timeline(ticket)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for text, taken := range r.notes[ticket] {
		if n := there[text]; n > 1 || taken && n == 0 {
			return never{fmt.Sprintf("%q is there %d times, taken: %t", text, n, taken)}
		}
	}
	return nil
}

// audited: what was asked for and taken, and what ended, stands in the audit once. A
// run that was given up too early, by a clock that was wrong, ends a second time when
// its result comes.
func audited(r *round) error {
	rows := func(action, kind string) (map[string]int, error) { return r.auditRows(action, kind, "") }
	started, err1 := rows("run.start", "run")
	ended, err2 := rows("run.end", "run")
	given, err3 := r.auditRows("run.end", "run", "AND a.result IN ('expired', 'lost')")
	for id, n := range given {
		if r.scene.clocks && n == 1 && ended[id] == 2 {
			ended[id] = 1
		}
	}
	asked, err4 := rows("question.ask", "question")
	noted, err5 := rows("ticket.note", "ticket")
	there, err6 := r.timeline(r.ticket)
	if err := errors.Join(err1, err2, err3, err4, err5, err6); err != nil {
		return err
	}
	for action, states := range map[string]string{"session.ended": "('ended')", "session.refused": "('refused')"} {
		sessions, err1 := r.tally("SELECT id, 1 FROM session WHERE state IN " + states + " AND {wall}")
		rows, err2 := rows(action, "session") // read later: there may be more by now
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		if err := each("a session: "+action, sessions, rows); err != nil {
			return never{err.Error()}
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := errors.Join(each("a run was asked for", r.runs, started), each("a run ended", r.runs, ended),
		each("a question was asked", r.questions, asked)); err != nil {
		return never{err.Error()}
	}
	written := 0
	for _, n := range there {
		written += n
	}
	if noted[r.ticket] != written {
		return never{fmt.Sprintf("%d notes are %d audit rows", written, noted[r.ticket])}
	}
	return nil
}

// auditRows counts the rows of an action by what they are about.
func (r *round) auditRows(action, kind, also string) (map[string]int, error) {
	return r.tally(`SELECT s.id, count(*) FROM audit_subject s JOIN audit a ON a.id = s.audit_id
		WHERE a.action = $1 AND s.kind = $2 `+also+` AND {wall a} AND {wall s} GROUP BY s.id`, action, kind)
}

// each of those that were taken has one row; of others, whose answer was lost, there
// is one at most.
func each[V any](what string, taken map[string]V, rows map[string]int) error {
	for id, n := range rows {
		if n > 1 {
			return fmt.Errorf("%s once, and there are %d audit rows of %s", what, n, id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(taken)) {
		if rows[id] != 1 {
			return fmt.Errorf("%s, and there is no audit row of %s", what, id)
		}
	}
	return nil
}
