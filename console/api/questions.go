package api

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/console/fleet"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/protocol/expression"
)

// Question is an expression asked of many machines.
type Question struct {
	ID         uuid.UUID   `json:"id"`
	Expression string      `json:"expression"`
	State      string      `json:"state" enum:"asking,done"`
	Asked      int         `json:"asked"`
	Answered   int         `json:"answered"`
	Failed     int         `json:"failed"`
	Offline    []uuid.UUID `json:"offline_machine_ids" nullable:"false"`
	By         *Who        `json:"by"`
	CreatedAt  time.Time   `json:"created_at"`
}

// QuestionAnswer is what one machine answered.
type QuestionAnswer struct {
	Machine     uuid.UUID        `json:"machine_id"`
	MachineName string           `json:"machine_name"`
	Rows        []map[string]any `json:"rows" nullable:"false"`
	Error       *string          `json:"error"`
	Truncated   bool             `json:"truncated"`
	AgeSeconds  float64          `json:"age_seconds"`
}

// Example is a question ready to be asked.
type Example struct {
	Title      Words  `json:"title"`
	Expression string `json:"expression"`
}

// Field is something an expression can name.
type Field struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	Unit  string `json:"unit" doc:"of a number: ratio, bytes, bytes/s, bits/s, seconds, cores or empty"`
	Class string `json:"class" enum:"plain,personal,private"`
	Vital bool   `json:"vital" doc:"changes from moment to moment: not for the rule of a group"`
	Help  Words  `json:"help"`
}

func questionOf(q model.Question) Question {
	out := Question{ID: q.ID, Expression: q.Expression, State: "asking", Asked: q.Asked, Answered: q.Answered, Failed: q.Failed,
		Offline: append([]uuid.UUID{}, q.Offline...), By: whoOf(q.By), CreatedAt: q.CreatedAt}
	if q.Done(time.Now()) {
		out.State = "done"
	}
	return out
}

func answerOf(x fleet.AnswerOf) QuestionAnswer {
	out := QuestionAnswer{Machine: x.Machine, MachineName: x.MachineName, Rows: []map[string]any{}, Error: textOrNull(x.Error),
		Truncated: x.Truncated, AgeSeconds: x.Age.Seconds()}
	if len(x.Rows) > 0 {
		if err := json.Unmarshal(x.Rows, &out.Rows); err != nil {
			out.Rows = []map[string]any{}
		}
	}
	return out
}

func (a *API) questionRoutes() {
	type ask struct {
		Body struct {
			Expression string       `json:"expression" minLength:"1" maxLength:"8192"`
			Machines   *[]uuid.UUID `json:"machine_ids,omitempty" doc:"without it, and without a group, all machines are asked; an empty list asks nobody"`
			Group      *uuid.UUID   `json:"group,omitempty" doc:"ask the machines of a group; not together with machine_ids"`
		}
	}
	operation(a, http.MethodPost, "/questions", "question.ask", "Ask the fleet an expression", func(ctx context.Context, in *ask) (*Answer[Question], error) {
		c := callerOf(ctx)
		var who fleet.Audience
		switch b := in.Body; {
		case b.Group != nil && b.Machines != nil:
			return nil, model.Problemf(model.CodeInvalid, "group", "A question goes to a group or to machine_ids, not to both.")
		case b.Group != nil:
			who.Group = *b.Group
		case b.Machines != nil:
			who.Machines = *b.Machines
		default:
			who.Every = true
		}
		q, err := a.rooms.Fleet.Ask(ctx, c.scope, c.organisation, in.Body.Expression, who)
		if err != nil {
			return nil, err
		}
		a.rooms.Asked(q.ID)
		return answer(questionOf(q), nil)
	})
	type one struct {
		ByID
		Waiting
	}
	operation(a, http.MethodGet, "/questions/{id}", "question.ask", "One question", func(ctx context.Context, in *one) (*Answer[Question], error) {
		var q model.Question
		err := a.until(ctx, in.Waiting, Changed{fleet.ChangedQuestion, in.ID}, func(ctx context.Context) (bool, error) {
			var now model.Question
			err := a.view(ctx, func(tx *store.Tx) (err error) {
				now, err = fleet.GetQuestion(tx, in.ID)
				return err
			})
			if err != nil {
				return false, err
			}
			q = now
			return q.Done(time.Now()), nil
		})
		return answer(questionOf(q), err)
	})
	type query struct {
		ByID
		Waiting
		Listing
	}
	operation(a, http.MethodGet, "/questions/{id}/answers", "question.ask", "What was answered", func(ctx context.Context, in *query) (*Answer[Page[QuestionAnswer]], error) {
		var page Page[QuestionAnswer]
		err := a.until(ctx, in.Waiting, Changed{fleet.ChangedQuestion, in.ID}, func(ctx context.Context) (bool, error) {
			var q model.Question
			var list store.Page[fleet.AnswerOf]
			err := a.view(ctx, func(tx *store.Tx) (err error) {
				if q, err = fleet.GetQuestion(tx, in.ID); err != nil {
					return err
				}
				list, err = fleet.Answers(tx, in.ID, in.request())
				return err
			})
			if err != nil {
				return false, err
			}
			page = pageOf(list, answerOf)
			return q.Done(time.Now()), nil
		})
		return answer(page, err)
	})
	operation(a, http.MethodGet, "/questions/examples", "question.ask", "Questions ready to be asked", func(context.Context, *struct{}) (*Answer[[]Example], error) {
		return answer(examples, nil)
	})
	operation(a, http.MethodGet, "/expression/fields", "question.ask", "What an expression can name", func(context.Context, *struct{}) (*Answer[[]Field], error) {
		out := []Field{}
		for _, f := range expression.Fields() {
			out = append(out, Field{Name: f.Name, Type: f.Type, Unit: f.Unit, Class: f.Class.String(), Vital: f.Vital, Help: Words(f.Help)})
		}
		return answer(out, nil)
	})
}

var examples = []Example{
	{Words{EN: "Programs that use more than 1 GB", PL: "Programy, które zajmują ponad 1 GB"}, "filter(processes, .rss_bytes > 1e9)"},
	{Words{EN: "Filesystems over 90%", PL: "Systemy plików zajęte w ponad 90%"}, "filter(filesystems, .used > 0.9)"},
	{Words{EN: "Programs that keep a core busy", PL: "Programy, które zajmują cały rdzeń"}, "filter(processes, .cpu > 0.9)"},
	{Words{EN: "Services that failed", PL: "Usługi, które zawiodły"}, `filter(services, .state == "failed")`},
	{Words{EN: "How full memory is", PL: "Ile pamięci jest zajęte"}, "memory.used"},
	{Words{EN: "Not restarted for 14 days", PL: "Bez ponownego uruchomienia od 14 dni"}, "uptime_seconds > 14 * 86400"},
}

func hexOf(b []byte) string { return hex.EncodeToString(b) }
