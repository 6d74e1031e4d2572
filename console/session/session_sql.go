package session

import (
	"errors"
	"fmt"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

const sessionColumns = `s.id, s.organisation_id, s.machine_id, s.ticket_id, s.kind, s.state, s.refusal, s.refusal_text, s.reason,
	s.by_id, s.by_name, s.node, s.columns_n, s.rows_n, s.created_at, s.opened_at, s.ended_at, s.ended_text,
	s.ended_by_kind, s.ended_by_name, s.told, s.closing, s.recording, s.credential_id, s.version`

func scanSession(rows *store.Rows) (model.Session, error) { return scanWith(rows) }

func scanWith(rows *store.Rows, more ...any) (model.Session, error) {
	var s model.Session
	var state, endedBy string
	var created, opened, ended int64
	columns := []any{&s.ID, &s.Organisation, &s.Machine, &s.Ticket, &s.Kind, &state, &s.Refusal, &s.RefusalText, &s.Reason,
		&s.By.ID, &s.By.Name, &s.Node, &s.Columns, &s.Rows, &created, &opened, &ended, &s.EndedText,
		&endedBy, &s.EndedBy.Name, &s.Told, &s.Closing, &s.Recording, &s.Credential, &s.Version}
	if err := rows.Scan(append(columns, more...)...); err != nil {
		return s, err
	}
	s.State, s.By.Kind, s.EndedBy.Kind = model.SessionState(state), model.ByTechnician, model.ActorKind(endedBy)
	s.CreatedAt, s.OpenedAt, s.EndedAt = store.Time(created), store.Time(opened), store.Time(ended)
	return s, nil
}

func insert(tx *store.Tx, s *model.Session) error {
	_, err := tx.Exec(`INSERT INTO session (id, organisation_id, machine_id, ticket_id, kind, state, refusal, refusal_text, reason,
		by_id, by_name, node, columns_n, rows_n, created_at, opened_at, ended_at, ended_text, recording, told, credential_id, version)
		VALUES ($1, $2, $3, $4, $5, $6, '', '', $7, $8, $9, $10, $11, $12, $13, 0, 0, '', 0, $14, $15, 1)`,
		s.ID, s.Organisation, s.Machine, s.Ticket, s.Kind, string(s.State), s.Reason, s.By.ID, s.By.Name, s.Node,
		int64(s.Columns), int64(s.Rows), store.Micros(s.CreatedAt), false, s.Credential)
	if err != nil {
		return fmt.Errorf("write a session: %w", err)
	}
	tx.Changed(s.Organisation, ChangedSession, s.ID)
	return nil
}

func update(tx *store.Tx, s *model.Session) error {
	_, err := tx.Exec(`UPDATE session SET state = $1, refusal = $2, refusal_text = $3, node = $4, opened_at = $5, ended_at = $6,
		ended_text = $7, recording = $8, closing = $9, ended_by_kind = $10, ended_by_name = $11, version = version + 1
		WHERE id = $12 AND {wall}`, string(s.State), s.Refusal, s.RefusalText, s.Node, store.Micros(s.OpenedAt), store.Micros(s.EndedAt),
		s.EndedText, s.Recording, s.Closing, string(s.EndedBy.Kind), s.EndedBy.Name, s.ID)
	if err != nil {
		return fmt.Errorf("write a session: %w", err)
	}
	s.Version++
	tx.Changed(s.Organisation, ChangedSession, s.ID)
	return nil
}

func query(tx *store.Tx, where string, args ...any) ([]model.Session, error) {
	list, err := store.Collect(tx, scanSession, "SELECT "+sessionColumns+" FROM session s WHERE "+where+" AND {wall s} ORDER BY s.created_at", args...)
	if err != nil {
		return nil, fmt.Errorf("read sessions: %w", err)
	}
	return list, nil
}

var errNoSession = model.Problemf(model.CodeNotFound, "", "There is no such session, or you may not see it.")

// Get is the session with the id, or a problem with the code not_found.
func Get(tx *store.Tx, id model.ID) (model.Session, error) {
	list, err := query(tx, "s.id = $1", id)
	if err != nil {
		return model.Session{}, err
	}
	if len(list) == 0 {
		return model.Session{}, errors.Join(errNoSession, store.ErrNotFound)
	}
	return list[0], nil
}

// Query says which sessions a list shows; empty fields show all.
type Query struct {
	store.Request
	Machine, Ticket model.ID
}

// SessionOf is a session with the name of its machine.
type SessionOf struct {
	model.Session
	MachineName string
}

// List reads a page of sessions, the newest first.
func List(tx *store.Tx, q Query) (store.Page[SessionOf], error) {
	l := store.List{
		Columns: sessionColumns + ", m.name", From: "session s JOIN machine m ON m.id = s.machine_id", Key: "s.id", Wall: "s",
		Sorts: map[string][]store.Order{"created_at": {{Column: "s.created_at", Kind: store.Int}}}, Sort: "-created_at",
	}
	if q.Machine != (model.ID{}) {
		l.Where("s.machine_id = ?", q.Machine)
	}
	if q.Ticket != (model.ID{}) {
		l.Where("s.ticket_id = ?", q.Ticket)
	}
	return store.ReadPage(tx, &l, q.Request, func(rows *store.Rows) (SessionOf, error) {
		var out SessionOf
		var err error
		out.Session, err = scanWith(rows, &out.MachineName)
		return out, err
	})
}
