package link

import (
	"encoding/json"
	"math"
	"time"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/protocol"
	"github.com/deskside/deskside/protocol/expression"
)

// maxTable is the largest encoded table that is looked at.
const maxTable = 256 << 10

// answerOf makes the table of an answer into JSON. A machine that does not keep
// the bounds of an answer has given none.
func answerOf(from model.From, a *protocol.Answer) model.Answer {
	out := model.Answer{From: from, Question: a.Question, Error: a.Error, Rows: []byte("[]")}
	if !math.IsNaN(a.Age) && a.Age > 0 && a.Age < 1e9 {
		out.Age = time.Duration(a.Age * float64(time.Second))
	}
	if len(a.Table) == 0 || a.Error != "" {
		return out
	}
	var table expression.Answer
	if len(a.Table) > maxTable {
		out.Error = "the answer is too large"
		return out
	}
	if err := protocol.Unmarshal(a.Table, &table); err != nil {
		out.Error = "the answer cannot be read"
		return out
	}
	if err := table.Check(); err != nil {
		out.Error = err.Error()
		return out
	}
	rows, err := json.Marshal(table)
	if err != nil {
		out.Error = "the answer cannot be read"
		return out
	}
	out.Rows, out.Truncated = rows, table.Truncated
	if table.Unknown != "" {
		out.Error = table.Unknown
	}
	return out
}
