package link

import (
	"encoding/json"
	"math"
	"time"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/protocol"
)

// Limits of an answer, as package expression sets them at the machine; a
// machine that keeps others is cut here.
const (
	answerRows   = 200
	answerFields = 8
	answerBytes  = 64 << 10
)

// answerOf makes the rows of an answer into JSON.
func answerOf(from model.From, a *protocol.Answer) model.Answer {
	out := model.Answer{Question: a.Question, Machine: from.Machine, Error: a.Error, Truncated: a.Truncated, At: time.Now().UTC()}
	if a.Unknown != "" && out.Error == "" {
		out.Error = a.Unknown
	}
	if !math.IsNaN(a.Age) && a.Age > 0 && a.Age < 1e9 {
		out.Age = time.Duration(a.Age * float64(time.Second))
	}
	rows := []map[string]any{}
	size := 0
	for i, row := range a.Rows {
		cells := map[string]any{}
		for name, cell := range row {
			if len(cells) >= answerFields {
				out.Truncated = true
				break
			}
			value := valueOf(cell)
			cells[name] = value
			size += len(name) + 8
			if text, ok := value.(string); ok {
				size += len(text)
			}
		}
		if i >= answerRows || size > answerBytes {
			out.Truncated = true
			break
		}
		rows = append(rows, cells)
	}
	raw, err := json.Marshal(rows)
	if err != nil { // finite numbers and valid text always encode
		raw, out.Error = []byte("[]"), err.Error()
	}
	out.Rows = raw
	return out
}

func valueOf(c protocol.Cell) any {
	switch {
	case c.Text != nil:
		return *c.Text
	case c.Number != nil && !math.IsNaN(*c.Number) && !math.IsInf(*c.Number, 0):
		return *c.Number
	case c.Truth != nil:
		return *c.Truth
	}
	return nil
}
