package link

import (
	"context"

	"github.com/deskside/deskside/console/model"
)

// answersMost is how many answers are handed on together.
const answersMost = 200

// answers gathers what many machines answer at the same time: what comes while some
// are written down goes together with the next. Nobody waits for company.
type answers struct {
	lines *Lines
	in    chan model.Answer
	done  chan struct{}
}

func newAnswers(l *Lines) *answers {
	return &answers{lines: l, in: make(chan model.Answer, answersMost), done: make(chan struct{})}
}

// put waits while too many are not written down yet, and with it the reader of the
// machine's line. An answer may be lost.
func (a *answers) put(x model.Answer) {
	select {
	case a.in <- x:
	case <-a.done:
	}
}

func (a *answers) run(ctx context.Context) {
	defer close(a.done)
	for {
		select {
		case <-ctx.Done():
			return
		case first := <-a.in:
			a.lines.handlers.Answers(ctx, a.gather(first))
		}
	}
}

func (a *answers) gather(first model.Answer) []model.Answer {
	list := []model.Answer{first}
	for len(list) < answersMost {
		select {
		case x := <-a.in:
			list = append(list, x)
		default:
			return list
		}
	}
	return list
}
