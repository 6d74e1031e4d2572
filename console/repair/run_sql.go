package repair

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

const runColumns = `r.id, r.organisation_id, r.machine_id, r.ticket_id, r.script, r.script_version, r.script_hash, r.dry_run,
	r.state, r.by_id, r.by_name, r.requested_at, r.sent_at, r.started_at, r.finished_at, r.expires_at, r.rest,
	r.output_bytes, r.output_cut, r.version`

// rest is what a run tells and SQL never asks.
type rest struct {
	Parameters  map[string]string `json:"parameters"`
	Refusal     string            `json:"refusal"`
	RefusalText string            `json:"refusal_text"`
	ExitCode    *int              `json:"exit_code"`
	Duration    time.Duration     `json:"duration"`
	Values      map[string]string `json:"values"`
	VerifyCheck string            `json:"verify_check"`
	Instance    string            `json:"instance"`
	Verdict     string            `json:"verdict"`
	Cancelling  bool              `json:"cancelling"`
}

func restOf(r *model.Run) rest {
	return rest{r.Parameters, r.Refusal, r.RefusalText, r.ExitCode, r.Duration, r.Values, r.VerifyCheck, r.Instance, r.Verdict, r.Cancelling}
}

func scanRun(rows *store.Rows) (model.Run, error) { return scanWith(rows) }

func scanWith(rows *store.Rows, more ...any) (model.Run, error) {
	var r model.Run
	var state string
	var requested, sent, started, finished, expires int64
	var raw []byte
	columns := []any{&r.ID, &r.Organisation, &r.Machine, &r.Ticket, &r.Script, &r.ScriptVersion, &r.ScriptHash, &r.DryRun,
		&state, &r.By.ID, &r.By.Name, &requested, &sent, &started, &finished, &expires, &raw,
		&r.OutputBytes, &r.OutputCut, &r.Version}
	if err := rows.Scan(append(columns, more...)...); err != nil {
		return r, err
	}
	var x rest
	if err := json.Unmarshal(raw, &x); err != nil {
		return r, fmt.Errorf("read run %s: %w", r.ID, err)
	}
	r.State, r.By.Kind = model.RunState(state), model.ByTechnician
	r.RequestedAt, r.SentAt, r.StartedAt = store.Time(requested), store.Time(sent), store.Time(started)
	r.FinishedAt, r.ExpiresAt = store.Time(finished), store.Time(expires)
	r.Parameters, r.Refusal, r.RefusalText, r.ExitCode, r.Duration = x.Parameters, x.Refusal, x.RefusalText, x.ExitCode, x.Duration
	r.Values, r.VerifyCheck, r.Instance, r.Verdict, r.Cancelling = x.Values, x.VerifyCheck, x.Instance, x.Verdict, x.Cancelling
	return r, nil
}

func insert(tx *store.Tx, r *model.Run, key string, hash []byte) error {
	raw, err := json.Marshal(restOf(r))
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO run (id, organisation_id, machine_id, ticket_id, script, script_version, script_hash, dry_run, state,
		by_id, by_name, requested_at, sent_at, started_at, finished_at, expires_at, idempotency, request_hash, rest, output_bytes,
		output_cut, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, 0, 0, $13, $14, $15, $16, 0, $17, $18)`,
		r.ID, r.Organisation, r.Machine, r.Ticket, r.Script, int64(r.ScriptVersion), r.ScriptHash, r.DryRun, string(r.State),
		r.By.ID, r.By.Name, store.Micros(r.RequestedAt), store.Micros(r.ExpiresAt), key, hash, raw, false, r.Version)
	if err != nil {
		return fmt.Errorf("write a run: %w", err)
	}
	tx.Changed(r.Organisation, ChangedRun, r.ID)
	return nil
}

func update(tx *store.Tx, r *model.Run) error {
	raw, err := json.Marshal(restOf(r))
	if err != nil {
		return err
	}
	_, err = tx.Exec(`UPDATE run SET state = $1, sent_at = $2, started_at = $3, finished_at = $4, rest = $5, output_bytes = $6,
		output_cut = $7, version = version + 1 WHERE id = $8 AND {wall}`, string(r.State), store.Micros(r.SentAt),
		store.Micros(r.StartedAt), store.Micros(r.FinishedAt), raw, r.OutputBytes, r.OutputCut, r.ID)
	if err != nil {
		return fmt.Errorf("write a run: %w", err)
	}
	r.Version++
	tx.Changed(r.Organisation, ChangedRun, r.ID)
	return nil
}

func query(tx *store.Tx, where string, args ...any) ([]model.Run, error) {
	list, err := store.Collect(tx, scanRun, "SELECT "+runColumns+" FROM run r WHERE "+where+" AND {wall r} ORDER BY r.requested_at", args...)
	if err != nil {
		return nil, fmt.Errorf("read runs: %w", err)
	}
	return list, nil
}

// Get is the run with the id, or a problem with the code not_found.
func Get(tx *store.Tx, id model.ID) (model.Run, error) {
	list, err := query(tx, "r.id = $1", id)
	if err != nil {
		return model.Run{}, err
	}
	if len(list) == 0 {
		return model.Run{}, errors.Join(errNoRun, store.ErrNotFound)
	}
	return list[0], nil
}

// Query says which runs a list shows; empty fields show all.
type Query struct {
	store.Request
	Machine, Ticket model.ID
	State           string
}

// RunOf is a run with the name of its machine.
type RunOf struct {
	model.Run
	MachineName string
}

// List reads a page of runs, the newest first.
func List(tx *store.Tx, q Query) (store.Page[RunOf], error) {
	l := store.List{
		Columns: runColumns + ", m.name", From: "run r JOIN machine m ON m.id = r.machine_id", Key: "r.id", Wall: "r",
		Sorts: map[string][]store.Order{"requested_at": {{Column: "r.requested_at", Kind: store.Int}}}, Sort: "-requested_at",
	}
	if q.Machine != (model.ID{}) {
		l.Where("r.machine_id = ?", q.Machine)
	}
	if q.Ticket != (model.ID{}) {
		l.Where("r.ticket_id = ?", q.Ticket)
	}
	if q.State != "" {
		l.Where("r.state = ?", q.State)
	}
	return store.ReadPage(tx, &l, q.Request, func(rows *store.Rows) (RunOf, error) {
		var out RunOf
		var err error
		out.Run, err = scanWith(rows, &out.MachineName)
		return out, err
	})
}

func keepOutput(tx *store.Tx, run model.Run, at int64, p []byte) error {
	_, err := tx.Exec(`INSERT INTO run_output (run_id, organisation_id, start, bytes) VALUES ($1, $2, $3, $4)
		ON CONFLICT (run_id, start) DO NOTHING`, run.ID, run.Organisation, at, p)
	if err != nil {
		return fmt.Errorf("keep output: %w", err)
	}
	return nil
}

// replaceOutput puts what the result brings in the place of the pieces that
// were shown, of which some may be missing.
func replaceOutput(tx *store.Tx, run model.Run, res model.Result) error {
	if _, err := tx.Exec("DELETE FROM run_output WHERE run_id = $1 AND {wall}", run.ID); err != nil {
		return fmt.Errorf("keep output: %w", err)
	}
	if len(res.Head) > 0 {
		if err := keepOutput(tx, run, 0, res.Head); err != nil {
			return err
		}
	}
	if len(res.Tail) > 0 {
		return keepOutput(tx, run, max(res.Bytes-int64(len(res.Tail)), int64(len(res.Head))), res.Tail)
	}
	return nil
}

// Output reads the output of a run from an offset on: the pieces that are kept,
// with a line that says how much is missing where some is.
func Output(tx *store.Tx, run model.ID, from int64) ([]byte, int64, error) {
	type piece struct {
		start int64
		bytes []byte
	}
	pieces, err := store.Collect(tx, func(r *store.Rows) (piece, error) {
		var p piece
		return p, r.Scan(&p.start, &p.bytes)
	}, "SELECT start, bytes FROM run_output WHERE run_id = $1 AND {wall} ORDER BY start", run)
	if err != nil {
		return nil, from, fmt.Errorf("read output: %w", err)
	}
	var out []byte
	at := from
	for _, p := range pieces {
		end := p.start + int64(len(p.bytes))
		if end <= at {
			continue
		}
		if p.start > at {
			out = fmt.Appendf(out, "\n[… %d bytes are not kept …]\n", p.start-at)
			at = p.start
		}
		out = append(out, p.bytes[at-p.start:]...)
		at = end
	}
	return out, at, nil
}
