package repair

import (
	"fmt"
	"math"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

// What one machine may tell of a run. An agent keeps within all of it.
const (
	maxOutput = 8 << 20 // bytes of output that are kept while it runs
	maxPieces = 5000    // in which they come: an agent makes four a second, for minutes
	maxValues = 32
	maxValue  = 1 << 10 // bytes of one, and of its name
	maxText   = 4 << 10 // bytes of why a run was refused
)

// fits tells whether a piece of output lies within what is kept of a run. The end
// of one may be beyond all numbers.
func fits(o model.Output) bool {
	return len(o.Data) > 0 && o.Offset >= 0 && o.Offset <= maxOutput-int64(len(o.Data))
}

// room tells whether a run may have one more piece.
func room(tx *store.Tx, run model.ID) (bool, error) {
	var n int
	if err := tx.QueryRow("SELECT count(*) FROM run_output WHERE run_id = $1 AND {wall}", run).Scan(&n); err != nil {
		return false, fmt.Errorf("count the pieces of an output: %w", err)
	}
	return n < maxPieces, nil
}

// bounded is a result as an agent could have told it.
func bounded(r model.Result) model.Result {
	r.Refusal, r.Text = model.Cut(r.Refusal, maxValue), model.Cut(r.Text, maxText)
	switch r.Verdict {
	case "", "verified", "still_failing", "not_run":
	default:
		r.Verdict = "not_run"
	}
	// It wrote what it shows of it, at least.
	r.Bytes = min(max(r.Bytes, int64(len(r.Head)+len(r.Tail))), math.MaxInt64/2)
	values := map[string]string{}
	for name, value := range r.Values {
		if len(values) < maxValues && len(name) <= maxValue {
			values[name] = model.Cut(value, maxValue)
		}
	}
	if r.Values != nil {
		r.Values = values
	}
	return r
}
