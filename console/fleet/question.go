package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/protocol/expression"
)

const (
	questionTime = 30 * time.Second // to answer
	questionKept = 24 * time.Hour
)

// Audience says who is asked: the machines named, those of a group, or every
// machine of the organisation. An empty selection means nobody.
type Audience struct {
	Machines []model.ID
	Group    model.ID
	Every    bool
}

// Ask writes a question down; whoever holds the lines of its machines is to be
// hinted at it.
func (f *Fleet) Ask(ctx context.Context, scope store.Scope, organisation model.ID, source string, who Audience) (model.Question, error) {
	q := model.Question{ID: model.NewID(), Organisation: organisation, Expression: source, Version: 1,
		By: model.Actor{Kind: model.ByTechnician, ID: scope.Actor.ID, Name: scope.Actor.Name}}
	if _, err := expression.Compile(expression.Use{Kind: expression.Question}, source); err != nil {
		return q, err
	}
	err := f.store.Update(ctx, scope, func(tx *store.Tx) error {
		var online []model.ID
		q.Offline = []model.ID{}
		q.CreatedAt, q.EndsAt = tx.Now(), tx.Now().Add(questionTime)
		targets, err := who.targets(tx, organisation)
		if err != nil {
			return err
		}
		for _, t := range targets {
			if t.online {
				online = append(online, t.id)
			} else {
				q.Offline = append(q.Offline, t.id)
			}
		}
		q.Asked = len(online)
		return f.insertQuestion(tx, q, online)
	})
	return q, err
}

type target struct {
	id     model.ID
	online bool
}

func (a Audience) targets(tx *store.Tx, organisation model.ID) ([]target, error) {
	scan := func(r *store.Rows) (target, error) {
		var t target
		return t, r.Scan(&t.id, &t.online)
	}
	switch {
	case a.Group != model.ID{}:
		g, err := GetGroup(tx, a.Group)
		if err != nil {
			return nil, err
		}
		if g.Judging { // it would ask some of its machines and look as if it were all
			return nil, model.Problemf(model.CodeState, "group", "The machines of this group are still being gathered. Please ask again in a moment.")
		}
		return store.Collect(tx, scan, `SELECT m.id, m.online FROM machine m JOIN group_machine g ON g.machine_id = m.id
			WHERE g.group_id = $1 AND g.verdict = $2 AND NOT m.revoked AND {wall m}`, a.Group, groupIn)
	case a.Every:
		return store.Collect(tx, scan, "SELECT id, online FROM machine WHERE organisation_id = $1 AND NOT revoked AND {wall}", organisation)
	}
	var out []target
	asked := map[model.ID]bool{}
	for _, id := range a.Machines {
		if asked[id] {
			continue
		}
		asked[id] = true
		m, err := get(tx, id)
		if err != nil {
			return nil, err
		}
		if m.Revoked {
			return nil, expelled(m)
		}
		out = append(out, target{m.ID, m.Online})
	}
	return out, nil
}

func (f *Fleet) insertQuestion(tx *store.Tx, q model.Question, online []model.ID) error {
	offline, err := json.Marshal(q.Offline)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO question (id, organisation_id, expression, by_kind, by_id, by_name, created_at, ends_at, asked, offline, version)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1)`, q.ID, q.Organisation, q.Expression, string(q.By.Kind), q.By.ID, q.By.Name,
		store.Micros(q.CreatedAt), store.Micros(q.EndsAt), int64(q.Asked), offline)
	if err != nil {
		return fmt.Errorf("write a question: %w", err)
	}
	rows := make([][]any, len(online))
	for i, id := range online {
		rows[i] = []any{q.ID, q.Organisation, id, "pending", []byte{}, "", false, 0, 0}
	}
	_, err = tx.Insert("INSERT INTO question_machine (question_id, organisation_id, machine_id, state, rows, error, truncated, age, at)", rows, "")
	if err != nil {
		return fmt.Errorf("write a question: %w", err)
	}
	if err := tx.Due(KindQuestionEnd, q.ID, q.EndsAt); err != nil {
		return err
	}
	tx.Changed(q.Organisation, ChangedQuestion, q.ID)
	return tx.Audit(store.Entry{Organisation: q.Organisation, Action: "question.ask", Result: "done",
		Subjects: []store.Subject{{Kind: "question", ID: q.ID}}, Detail: map[string]any{"machines": q.Asked}})
}

// pending is a question that a machine is still to be asked.
const pendingQuestion = `SELECT q.id, q.expression, q.by_kind, q.by_id, q.by_name, q.ends_at, p.organisation_id, p.machine_id
	FROM question_machine p JOIN question q ON q.id = p.question_id WHERE p.state = 'pending' AND q.ends_at > $1 AND {wall p}`

func scanPending(r *store.Rows) (model.Act, error) {
	ask := &model.Ask{}
	a := model.Act{Body: ask}
	var ends int64
	var kind string
	err := r.Scan(&a.ID, &ask.Expression, &kind, &ask.By.ID, &ask.By.Name, &ends, &a.Machine.Organisation, &a.Machine.Machine)
	ask.By.Kind, a.Expires = model.ActorKind(kind), store.Time(ends)
	return a, err
}

// PendingQuestions are what a machine is still to be asked.
func (f *Fleet) PendingQuestions(tx *store.Tx, from model.From) ([]model.Act, error) {
	return store.Collect(tx, scanPending, pendingQuestion+" AND p.machine_id = $2", store.Micros(tx.Now()), from.Machine)
}

// PendingOf is what the machines whose lines a node holds are still to be asked of
// one question.
func (f *Fleet) PendingOf(ctx context.Context, question, node model.ID) (acts []model.Act, err error) {
	err = f.store.View(ctx, store.System("question"), func(tx *store.Tx) error {
		acts, err = store.Collect(tx, scanPending, pendingQuestion+` AND p.question_id = $2
			AND EXISTS (SELECT 1 FROM machine m WHERE m.id = p.machine_id AND m.node = $3 AND m.revoked = $4)`,
			store.Micros(tx.Now()), question, node, false)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read who is to be asked: %w", err)
	}
	return acts, nil
}

// Waiting are the machines that a node holds, or those among them, which have a
// question to answer, or were expelled and do not know it yet.
func (f *Fleet) Waiting(tx *store.Tx, node model.ID, among []model.ID) ([]model.ID, error) {
	asked, err := store.CollectAmong(tx, `SELECT p.machine_id FROM question q JOIN question_machine p ON p.question_id = q.id
		WHERE q.ends_at > $1 AND p.state = 'pending' AND {wall q}`, "p.machine_id", among, store.Micros(tx.Now()))
	if err != nil {
		return nil, err
	}
	expelled, err := store.CollectAmong(tx, "SELECT id FROM machine WHERE node = $1 AND online = $2 AND revoked = $2 AND {wall}", "id", among, node, true)
	return append(asked, expelled...), err
}

// TakeAnswers keeps what machines answered. An answer that nobody waits for is
// dropped, and so is a second one.
func (f *Fleet) TakeAnswers(ctx context.Context, list []model.Answer) {
	for len(list) > 0 {
		organisation := list[0].Organisation
		var some, others []model.Answer
		for _, a := range list {
			if a.Organisation == organisation {
				some = append(some, a)
			} else {
				others = append(others, a)
			}
		}
		f.takeAnswers(ctx, store.System("answers").Within(organisation), some)
		list = others
	}
}

// takeAnswers keeps answers of one organisation, together if it can: what cannot be
// kept takes no other along.
func (f *Fleet) takeAnswers(ctx context.Context, scope store.Scope, list []model.Answer) {
	err := f.store.Update(ctx, scope, func(tx *store.Tx) error { return keepAnswers(tx, list) })
	switch {
	case err == nil:
	case len(list) == 1 || ctx.Err() != nil || errors.Is(err, store.ErrUnavailable):
		f.log.Error("cannot keep answers", "machine", list[0].Machine, "answers", len(list), "error", err)
	default:
		for i := range list {
			f.takeAnswers(ctx, scope, list[i:i+1])
		}
	}
}

func keepAnswers(tx *store.Tx, list []model.Answer) error {
	type pair struct{ question, machine model.ID }
	machines := make([]model.ID, len(list))
	for i, a := range list {
		machines[i] = a.Machine
	}
	pending, err := store.CollectIn(tx, func(r *store.Rows) (p pair, err error) {
		return p, r.Scan(&p.question, &p.machine)
	}, "SELECT question_id, machine_id FROM question_machine WHERE state = 'pending' AND machine_id IN {ids} AND {wall}", machines)
	if err != nil {
		return err
	}
	waits := map[pair]bool{}
	for _, p := range pending {
		waits[p] = true
	}
	var rows [][]any
	for _, a := range list {
		p := pair{a.Question, a.Machine}
		if !waits[p] {
			continue
		}
		delete(waits, p)
		state := "answered"
		if a.Error != "" {
			state = "failed"
		}
		rows = append(rows, []any{a.Question, a.Organisation, a.Machine, state, some(a.Rows), a.Error, a.Truncated, a.Age.Microseconds(), store.Micros(tx.Now())})
		tx.Changed(a.Organisation, ChangedQuestion, a.Question)
	}
	_, err = tx.Insert("INSERT INTO question_machine (question_id, organisation_id, machine_id, state, rows, error, truncated, age, at)", rows,
		`ON CONFLICT (question_id, machine_id) DO UPDATE SET state = excluded.state, rows = excluded.rows, error = excluded.error,
		truncated = excluded.truncated, age = excluded.age, at = excluded.at`)
	return err
}

// QuestionEnded is the handler of KindQuestionEnd: who has not answered failed;
// a day later the question is forgotten.
func (f *Fleet) QuestionEnded(_ context.Context, tx *store.Tx, id model.ID) (time.Time, error) {
	q, err := GetQuestion(tx, id)
	if errors.Is(err, store.ErrNotFound) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, err
	}
	if end := q.CreatedAt.Add(questionKept); !tx.Now().Before(end) {
		if _, err := tx.Exec("DELETE FROM question_machine WHERE question_id = $1 AND {wall}", id); err != nil {
			return time.Time{}, err
		}
		_, err := tx.Exec("DELETE FROM question WHERE id = $1 AND {wall}", id)
		return time.Time{}, err
	}
	_, err = tx.Exec(`UPDATE question_machine SET state = 'failed', error = 'no answer in time', at = $1 WHERE question_id = $2
		AND state = 'pending' AND {wall}`, store.Micros(tx.Now()), id)
	if err != nil {
		return time.Time{}, err
	}
	tx.Changed(q.Organisation, ChangedQuestion, id)
	return q.CreatedAt.Add(questionKept), nil
}

// GetQuestion is the question with how far it is.
func GetQuestion(tx *store.Tx, id model.ID) (model.Question, error) {
	var q model.Question
	var kind string
	var created, ends int64
	var offline []byte
	err := tx.QueryRow(`SELECT id, organisation_id, expression, by_kind, by_id, by_name, created_at, ends_at, asked, offline, version
		FROM question WHERE id = $1 AND {wall}`, id).
		Scan(&q.ID, &q.Organisation, &q.Expression, &kind, &q.By.ID, &q.By.Name, &created, &ends, &q.Asked, &offline, &q.Version)
	if errors.Is(err, store.ErrNotFound) {
		return q, errors.Join(model.Problemf(model.CodeNotFound, "", "There is no such question, or you may not see it."), err)
	}
	if err != nil {
		return q, fmt.Errorf("read a question: %w", err)
	}
	q.By.Kind, q.CreatedAt, q.EndsAt = model.ActorKind(kind), store.Time(created), store.Time(ends)
	if err := json.Unmarshal(offline, &q.Offline); err != nil {
		return q, fmt.Errorf("read a question: %w", err)
	}
	err = tx.QueryRow(`SELECT CAST(COALESCE(SUM(CASE WHEN state = 'answered' THEN 1 ELSE 0 END), 0) AS BIGINT),
		CAST(COALESCE(SUM(CASE WHEN state = 'failed' THEN 1 ELSE 0 END), 0) AS BIGINT)
		FROM question_machine WHERE question_id = $1 AND {wall}`, id).Scan(&q.Answered, &q.Failed)
	return q, err
}

// AnswerOf is an answer with the name of its machine.
type AnswerOf struct {
	model.Answer
	MachineName string
}

// Answers reads a page of what was answered, in the order of arrival.
func Answers(tx *store.Tx, question model.ID, r store.Request) (store.Page[AnswerOf], error) {
	l := store.List{
		Columns: "p.machine_id, m.name, p.rows, p.error, p.truncated, p.age, p.at",
		From:    "question_machine p JOIN machine m ON m.id = p.machine_id",
		Key:     "p.machine_id", Wall: "p",
		Sorts: map[string][]store.Order{"at": {{Column: "p.at", Kind: store.Int}}},
		Sort:  "at",
	}
	l.Where("p.question_id = ?", question)
	l.Where("p.state IN ('answered', 'failed')")
	return store.ReadPage(tx, &l, r, func(rows *store.Rows) (AnswerOf, error) {
		a := AnswerOf{}
		var age, at int64
		err := rows.Scan(&a.Machine, &a.MachineName, &a.Rows, &a.Error, &a.Truncated, &age, &at)
		a.Question, a.Age, a.At = question, time.Duration(age)*time.Microsecond, store.Time(at)
		return a, err
	})
}
